"""The HTTP server of a process: it computes on requests that are there as a whole, whoever sends them slowly.

One thread receives and sends for all connections (waitress does that), and others work on the requests that have come
in with their bodies. So a connection that is silent, or slow, keeps nobody waiting; beyond these bounds it is closed.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, DefaultSelector
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import ClientDisconnected, HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher, WSGITask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

THREADS = 32
CONNECTIONS = 2_000
"""Open at the same time; for one more, the one that has waited longest for its sender is closed."""

HEADER_BYTES = 2**15
HEADER_SECONDS = 20.0
SLOWEST_BYTES_PER_SECOND = 1_000
"""Whoever sends a body, or takes an answer, more slowly than that is left."""

SLOW_SECONDS = 30.0
"""For so long anybody may be slower."""

IDLE_SECONDS = 75.0
PART_BYTES = 2**16
MEMORY_BYTES = 2**18
"""Of a body, or of an answer that is not taken; what is more lies on the disk."""

WAITING_BYTES = 2**22
"""Of an answer that is not taken, before the thread that makes it waits."""

LONG_BYTES = 2**20
LONG_BODIES = 24
"""Long bodies that come in at the same time; further ones are asked to come again."""

CHUNK_LINE_BYTES = 1_024
LEFT_SECONDS = 10.0
"""For so long a body that nobody reads may go on, so that its sender gets to the answer."""

CROWDED = "squiggle.crowded"
"""Key in the environment of a request whose body was not received, since too many others are coming in."""

HAS_GONE = "waitress.client_disconnected"
"""Key in the environment of a request: a function that says whether nobody waits for the answer any more."""

BodyLimit = Callable[["WSGIEnvironment"], int]
LogAccess = Callable[[Any, "WSGIEnvironment", float], None]


class IncomingRequest(HTTPRequestParser):  # type: ignore[misc]
    """A request, as far as it has come in.

    A body that is larger than its sender may send is not received: the application says why, from the length.

    Attributes:
        begun: when its first bytes came, in seconds of the monotonic clock.
        is_left: whether its body is not received.
        crowded: whether that is so since too many come in.
    """

    def __init__(self, channel: Connection) -> None:
        super().__init__(channel.adj)
        self.begun = time.monotonic()
        self.is_left = self.crowded = False
        self._channel = channel
        self._limit: int | None = None

    def received(self, data: bytes) -> int:
        """Take further bytes; returns how many of them belong to this request."""
        consumed: int = super().received(data)
        if self.body_rcv is None:
            return consumed
        length = max(self.content_length, self.body_bytes_received)
        if self._limit is None:
            self._limit = self._channel.server.body_limit(self._environment())
            self.crowded = length > LONG_BYTES and self._channel.server.long_bodies() > LONG_BODIES
        chunk_line = getattr(self.body_rcv, "control_line", b"") + getattr(self.body_rcv, "trailer", b"")
        if self.crowded or length > self._limit or len(chunk_line) > CHUNK_LINE_BYTES:
            self._leave_body(length)
            return len(data)
        return consumed

    def is_too_slow(self, now: float) -> bool:
        """Whether the rest of it is not waited for."""
        seconds = now - self.begun
        if not self.headers_finished:
            return seconds > HEADER_SECONDS
        return seconds > SLOW_SECONDS and self.body_bytes_received < seconds * SLOWEST_BYTES_PER_SECOND

    def _environment(self) -> WSGIEnvironment:
        """What is known of the request before its body is there."""
        headers = {f"HTTP_{name}": value for name, value in self.headers.items()}
        return {"REQUEST_METHOD": self.command, "PATH_INFO": self.path, "REMOTE_ADDR": self._channel.addr[0], **headers}

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
        environ[CROWDED] = self.request.crowded
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


class Connection(HTTPChannel):  # type: ignore[misc]
    """A connection, which is ended when the other side is too slow."""

    task_class = LoggedTask
    close_when_flushed: bool = False
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
        if not self.connected and not request.error:
            with suppress(ClientDisconnected):
                self.task_class(self, request).service()
        super().service()
        self._idle_since = time.monotonic()

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send what fits; returns how many bytes that were."""
        sent: int = super().send(data, do_close=do_close)
        self._sent_since += sent
        return sent

    @property
    def is_active(self) -> bool:
        """Whether it is worked on, or something is to be sent, or to be ended."""
        return bool(self.requests or self.total_outbufs_len or self.will_close or self.close_when_flushed)

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

    def _takes_too_slowly(self, now: float) -> bool:
        seconds = now - self._watched_since
        if seconds < SLOW_SECONDS:
            return False
        slow = self._sent_since < seconds * SLOWEST_BYTES_PER_SECOND
        self._watched_since, self._sent_since = now, 0
        return slow


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """Accepts the connections of one listening socket."""

    channel_class = Connection

    def __init__(self, server: HttpServer, listening: socket.socket, adjustments: Adjustments) -> None:
        self.body_limit, self.log_access = server.body_limit, server.log_access
        super().__init__(
            server.application,
            server.map,
            _sock=listening,
            dispatcher=server.dispatcher,
            adj=adjustments,
            sockinfo=(listening.family, listening.type, listening.proto, listening.getsockname()),
            bind_socket=False,
        )

    def getsockname(self) -> tuple[str, str]:
        """Address and port, or the path of a Unix socket."""
        if self.family in (socket.AF_INET, socket.AF_INET6):
            address: tuple[str, str] = super().getsockname()
            return address
        return "unix", str(self.socket.getsockname())

    def set_socket_options(self, conn: socket.socket) -> None:
        """Prepare a new connection."""
        if self.family in (socket.AF_INET, socket.AF_INET6):
            super().set_socket_options(conn)

    def fix_addr(self, addr: Any) -> Any:
        """The address of the other side; whoever uses a Unix socket has none."""
        return addr if isinstance(addr, tuple) else ("", 0)

    def handle_accept(self) -> None:
        """Take a new connection, and give up another where there are too many."""
        super().handle_accept()
        if len(self.active_channels) > CONNECTIONS:
            waiting = {
                one: since for one in self.active_channels.values() if (since := one.waiting_since()) is not None
            }
            if waiting:
                min(waiting, key=waiting.__getitem__).handle_close()

    def long_bodies(self) -> int:
        """How many long bodies are coming in."""
        coming = [one.request for one in self.active_channels.values() if one.request is not None]
        return sum(max(one.content_length, one.body_bytes_received) > LONG_BYTES for one in coming)

    def maintenance(self, _now: float) -> None:
        """End the connections that are too slow."""
        now = time.monotonic()
        for connection in list(self.active_channels.values()):
            if connection.is_too_slow(now):
                connection.handle_close()


class Watched(dict[int, Any]):
    """What is asked to receive and send, by its file descriptor.

    waitress's own loop asks all that is there before each step, what it waits for. With hundreds of silent connections
    that took longer than the answers to others, so that here only those are asked with which something goes on.
    """

    def __init__(self) -> None:
        super().__init__()
        self._selector = DefaultSelector()
        self._asked: set[Any] = set()

    def __setitem__(self, descriptor: int, one: Any) -> None:
        super().__setitem__(descriptor, one)
        self._asked.add(one)

    def __delitem__(self, descriptor: int) -> None:
        self._asked.discard(self[descriptor])
        super().__delitem__(descriptor)
        self._wait_for(descriptor, 0)

    def step(self, seconds: float) -> None:
        """Receive and send, until something has come or that time is over."""
        for one in tuple(self._asked):
            if one._fileno is None:  # closed just now by another
                continue
            if isinstance(one, Connection) and not one.is_active:
                self._asked.discard(one)
            self._wait_for(one._fileno, EVENT_READ * bool(one.readable()) | EVENT_WRITE * bool(one.writable()))
        for key, events in self._selector.select(seconds):
            one = self.get(key.fd)
            if one is None:
                continue
            self._asked.add(one)
            if events & EVENT_READ:
                wasyncore.read(one)
            if events & EVENT_WRITE and self.get(key.fd) is one:
                wasyncore.write(one)

    def _wait_for(self, descriptor: int, events: int) -> None:
        known = self._selector.get_map().get(descriptor)
        if known is None and events:
            self._selector.register(descriptor, events)
        elif known is not None and not events:
            self._selector.unregister(descriptor)
        elif known is not None and known.events != events:
            self._selector.modify(descriptor, events)

    def close(self) -> None:
        """Close all that is there."""
        wasyncore.close_all(self)
        self._selector.close()


class HttpServer:
    """Serves an application on listening sockets.

    Args:
        application: the application.
        sockets: where it listens.
        body_limit: the bytes that the body of a request may have, asked before any of them is kept.
        log_access: told of each answer: its task, the request's environment, and the seconds that it took.
    """

    def __init__(
        self,
        application: WSGIApplication,
        sockets: Sequence[socket.socket],
        body_limit: BodyLimit,
        log_access: LogAccess = lambda _task, _environ, _seconds: None,
    ) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        _allow_files(2 * CONNECTIONS)
        self.application, self.body_limit, self.log_access = application, body_limit, log_access
        self.map = Watched()
        self.dispatcher = ThreadedTaskDispatcher()
        self.dispatcher.set_thread_count(THREADS)
        adjustments = Adjustments(
            sockets=[],
            ident="",
            clear_untrusted_proxy_headers=False,
            recv_bytes=PART_BYTES,
            max_request_header_size=HEADER_BYTES,
            max_request_body_size=2**62,  # IncomingRequest sees to that
            inbuf_overflow=MEMORY_BYTES,
            outbuf_overflow=MEMORY_BYTES,
            outbuf_high_watermark=WAITING_BYTES,
            connection_limit=2 * CONNECTIONS,  # Listener sees to that
            cleanup_interval=1,
            channel_request_lookahead=1,  # so that it is noticed when nobody waits for an answer any more
            log_socket_errors=False,
        )
        self._listeners = [Listener(self, one, adjustments) for one in sockets]

    def serve_for(self, seconds: float) -> None:
        """Receive and send, until something has come or that time is over."""
        self.map.step(seconds)

    def wake(self) -> None:
        """Let :meth:`serve_for` return; may be called by any thread and by handlers of signals."""
        self._listeners[0].pull_trigger()

    def stop_accepting(self) -> None:
        """Take no more connections; those that are there have their answers."""
        for listener in self._listeners:
            listener.accepting = False
            listener.del_channel()

    def close(self) -> None:
        """End all connections."""
        for listener in self._listeners:
            listener.close()
        self.map.close()

    @property
    def is_idle(self) -> bool:
        """Whether nobody is waiting for an answer, or for the rest of one."""
        connections = (one for listener in self._listeners for one in listener.active_channels.values())
        return not any(one.requests or one.total_outbufs_len for one in connections)


def _allow_files(number: int) -> None:
    """Let this process have so many files and connections open, as far as its operator allows it."""
    if os.name == "nt":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
