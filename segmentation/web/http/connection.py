"""A connection: requests come in, are worked on once they are whole, and answers go out."""

from __future__ import annotations

import io
import socket
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from waitress.adjustments import Adjustments
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask

from segmentation._shared.full_disk import is_full
from segmentation.web import metrics
from segmentation.web.http.answers import Waiting, in_parts
from segmentation.web.http.bodies import LongBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

HEADER_SECONDS = 20.0

SLOWEST_BYTES_PER_SECOND = 1_000
"""Whoever sends a body, or takes an answer, more slowly than that is left."""

SLOW_SECONDS = 30.0
"""For so long anybody may be slower."""

IDLE_SECONDS = 75.0

LONG_BYTES = 2**20

LONG_BODIES = 24
"""Long bodies that come in at the same time; further ones are asked to come again."""

CHUNK_LINE_BYTES = 1_024

LEFT_SECONDS = 10.0
"""For so long a body that nobody reads may go on, so that its sender gets to the answer."""

CROWDED = "squiggle.crowded"
"""Key in the environment of a request whose body was not received, since too many others are coming in."""

DISK_FULL = "squiggle.disk_full"
"""Key in the environment of a request whose body was not received, since there is no room for it."""

HAS_GONE = "waitress.client_disconnected"
"""Key in the environment of a request: a function that says whether nobody waits for the answer any more."""


WHOLE_BODY = "squiggle.whole_body"
"""Key in the environment of a request: its body, a file of ours at its beginning, if that lies on the disk."""

BODY_DIGEST = "squiggle.body_digest"
"""Key in the environment of a request: the SHA-256 of a long body that told its length."""


class IncomingRequest(HTTPRequestParser):  # type: ignore[misc]
    """A request, as far as it has come in.

    A body that is larger than its sender may send is not received: the application says why, from the length.

    Attributes:
        begun: when its first bytes came, in seconds of the monotonic clock.
        is_left: whether its body is not received.
        crowded: whether that is so since too many come in.
        disk_full: whether that is so since there is no room for it.
    """

    def __init__(self, channel: Connection) -> None:
        super().__init__(channel.adj)
        self.begun = time.monotonic()
        self.is_left = self.crowded = self.disk_full = False
        self._channel = channel
        self._limit: int | None = None

    def received(self, data: bytes) -> int:
        """Take further bytes; returns how many of them belong to this request."""
        try:
            return self._received(data)
        except OSError as problem:
            if not is_full(problem):
                raise
            self.disk_full = True
            self._leave_body(max(self.content_length, self.body_bytes_received))
            return len(data)

    def _received(self, data: bytes) -> int:
        consumed: int = super().received(data)
        if self.body_rcv is None:
            return consumed
        length = max(self.content_length, self.body_bytes_received)
        if self._limit is None:
            self._limit = self._channel.server.body_limit(self._environment())
            self.crowded = self.is_long and self._channel.server.long_bodies() > LONG_BODIES
            if self.is_long and self.content_length <= self._limit and not self.crowded:
                self.body_rcv.buf = LongBody(self.content_length, self._channel.server.body_file)
        chunk_line = getattr(self.body_rcv, "control_line", b"") + getattr(self.body_rcv, "trailer", b"")
        if self.crowded or length > self._limit or len(chunk_line) > CHUNK_LINE_BYTES:
            self._leave_body(length)
            return len(data)
        return consumed

    @property
    def is_long(self) -> bool:
        """Whether its body is."""
        return bool(max(self.content_length, self.body_bytes_received) > LONG_BYTES)

    def is_too_slow(self, now: float) -> bool:
        """Whether the rest of it is not waited for."""
        seconds = now - self.begun
        if not self.headers_finished:
            return seconds > HEADER_SECONDS
        return seconds > SLOW_SECONDS and self.body_bytes_received < seconds * SLOWEST_BYTES_PER_SECOND

    def close(self) -> None:
        """Forget its body, though the disk may be full for what of it is not written yet."""
        with suppress(OSError):
            super().close()

    def _environment(self) -> WSGIEnvironment:
        """What is known of the request before its body is there."""
        return {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": self.path,
            "REMOTE_ADDR": self._channel.addr[0],
            "REMOTE_PORT": str(self._channel.addr[1]),
            "SERVER_PORT": str(self._channel.server.effective_port),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
            **{f"HTTP_{name}": value for name, value in self.headers.items()},
        }

    def _leave_body(self, length: int) -> None:
        self.close()
        self.body_rcv = self.error = None
        self.headers |= {"CONTENT_LENGTH": str(length), "CONNECTION": "close"}
        self.expect_continue = False
        self.completed = self.is_left = True


class LoggedTask(WSGITask):  # type: ignore[misc]
    """The application's work on a request, of which a line is written when it is over."""

    sent = 0

    def service(self) -> None:
        """Answer the request."""
        begun = time.monotonic()
        try:
            super().service()
        finally:
            self.channel.server.log_access(self, self.get_environment(), time.monotonic() - begun)

    def get_environment(self) -> WSGIEnvironment:
        """The environment of the application."""
        environ: WSGIEnvironment = super().get_environment()
        environ |= {CROWDED: self.request.crowded, DISK_FULL: self.request.disk_full}
        body = environ["wsgi.input"]
        if isinstance(body, io.BufferedRandom):
            environ[WHOLE_BODY] = body
        if self.request.body_rcv is not None and isinstance(long := self.request.body_rcv.getbuf(), LongBody):
            environ[BODY_DIGEST] = long.digest
        return environ

    def write(self, data: bytes) -> None:
        """Send a part of the answer."""
        super().write(data)
        self.sent += len(data)

    def set_close_on_finish(self) -> None:
        """End the connection with this answer, but for answers whose end can be told without that."""
        tells_its_end = self.version == "1.1" and (self.chunked_response or not self.has_body)
        if not tells_its_end or self.request.headers.get("CONNECTION", "").lower() == "close":
            super().set_close_on_finish()


class RefusingTask(ErrorTask):  # type: ignore[misc]
    """The answer to what is no request, or too long a header: the application does not see it."""

    def service(self) -> None:
        """Answer, and count that."""
        metrics.count_answer(self.request.error.code)
        super().service()


class Connection(HTTPChannel):  # type: ignore[misc]
    """A connection, which is ended when the other side is too slow.

    Attributes:
        tasks: how often a thread works on its requests, or is to.
    """

    task_class = LoggedTask
    error_task_class = RefusingTask
    close_when_flushed: bool = False
    outbufs: list[Any]
    current_outbuf_count: int
    tasks = 0
    _has_left_body = False

    def __init__(self, *given: Any, **named: Any) -> None:
        self._idle_since = self._watched_since = time.monotonic()
        self._sent_since = 0
        self._left_at = 0.0
        super().__init__(*given, **named)

    def parser_class(self, _adjustments: Adjustments) -> IncomingRequest:
        """Begin to receive a request."""
        return IncomingRequest(self)

    def received(self, data: bytes) -> bool:
        """Take further bytes; those of a body that nobody reads are dropped."""
        if any(request.is_left for request in self.requests) or self._left_at:
            return True
        taken: bool = super().received(data)
        self._idle_since = time.monotonic()
        return taken

    def handle_close(self) -> None:
        """Close it, and the file of a body that has not come whole."""
        try:
            if self.request is not None:
                self.request.close()
        finally:
            super().handle_close()

    def handle_write(self) -> None:
        """Send what waits; after the answer to a body that nobody reads, hear its sender out for a while."""
        if not (self._has_left_body and self.close_when_flushed) or self.will_close:
            super().handle_write()
        elif self.total_outbufs_len:
            self._flush_exception(self._flush_some_if_lockable)
        else:
            self.close_when_flushed = False
            self._left_at = time.monotonic()
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    def service(self) -> None:
        """Work on the next request; what came in whole is done though its sender may have left, as who closes a tab."""
        request = self.requests[0]
        self._has_left_body = request.is_left
        try:
            if not self.connected and not request.error:
                with suppress(ClientDisconnected):
                    self.task_class(self, request).service()
        finally:
            super().service()
            self._idle_since = time.monotonic()
            with self.requests_lock:
                self.tasks -= 1
                if not self.tasks:  # what is left nobody waits for
                    self._forget_requests()

    def cancel(self) -> None:
        """Do not work on its requests any more."""
        with self.requests_lock:
            self._forget_requests()
        super().cancel()

    def write_soon(self, data: Any) -> int:
        """Let a part of an answer wait to be sent; where the disk has no room for it, wait until it is taken.

        Raises:
            ClientDisconnected: if the other side has left, or was too slow.
        """
        for part in in_parts(data, self.adj.outbuf_overflow // 2):
            self._begin_buffer()
            try:
                super().write_soon(part)
            except OSError as problem:
                if not is_full(problem):
                    raise
                self._wait_until_taken()
                super().write_soon(part)
        return len(data)

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what fits; returns how many bytes that were."""
        sent: int = super().send(data, do_close=do_close)
        self._sent_since += sent
        return sent

    @property
    def is_active(self) -> bool:
        """Whether it is worked on, or something is to be sent, or to be ended."""
        return bool(self.requests or self.total_outbufs_len or self.will_close or self.close_when_flushed)

    @property
    def is_idle(self) -> bool:
        """Whether nothing was begun on it, and nothing is on its way."""
        return self.request is None and not self.is_active and not self._left_at

    def waiting_since(self) -> float | None:
        """When it began to wait for its sender; None as long as it is worked on, or an answer is on its way."""
        if self.requests or self.total_outbufs_len:
            return None
        return self.request.begun if self.request is not None else self._idle_since

    def is_too_slow(self, now: float) -> bool:
        """Whether the other side has had its time; to be asked now and then."""
        if self._left_at:
            return now - self._left_at > LEFT_SECONDS
        if self.total_outbufs_len:
            return self._takes_too_slowly(now)
        self._watched_since, self._sent_since = now, 0
        if self.requests:
            return False
        if self.request is not None:
            return bool(self.request.is_too_slow(now))
        return now - self._idle_since > IDLE_SECONDS

    def _forget_requests(self) -> None:
        for request in self.requests:
            request.close()
        self.requests.clear()

    def _begin_buffer(self) -> None:
        """Let what is written next wait in a buffer of ours."""
        with self.outbuf_lock:
            is_long = self.current_outbuf_count >= self.adj.outbuf_high_watermark
            if is_long or not isinstance(self.outbufs[-1], Waiting):
                self.outbufs.append(Waiting(self.adj.outbuf_overflow))
                self.current_outbuf_count = 0

    def _wait_until_taken(self) -> None:
        """Wait until nearly all is taken; the rest lies in memory then."""
        with self.outbuf_lock:
            while self.connected and self.total_outbufs_len >= self.adj.send_bytes:
                self.server.pull_trigger()
                self.outbuf_lock.wait()
            if not self.connected:
                raise ClientDisconnected
            rest, former = Waiting(self.adj.outbuf_overflow), self.outbufs
            for waiting in former:
                rest.append(waiting.get())
            self.outbufs, self.current_outbuf_count = [rest], 0
            for waiting in former:
                waiting.close()

    def _takes_too_slowly(self, now: float) -> bool:
        seconds = now - self._watched_since
        if seconds < SLOW_SECONDS:
            return False
        slow = self._sent_since < seconds * SLOWEST_BYTES_PER_SECOND
        self._watched_since, self._sent_since = now, 0
        return slow
