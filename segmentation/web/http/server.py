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
from typing import TYPE_CHECKING, Any

from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from segmentation.web import metrics
from segmentation.web.http.bodies import NewFile, any_file
from segmentation.web.http.connection import Connection
from segmentation.web.http.loop import Watched

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

THREADS = 96
"""All that takes long has its bounds (``security/hardening.py``), which leave some of them; most are idle."""

AT_ONCE = "/health"
"""The path that a thread of its own answers, whatever the others are at work on."""


CONNECTIONS = 2_000
"""Open at the same time; for one more, the one that has waited longest for its sender is closed."""

HEADER_BYTES = 2**15

PART_BYTES = 2**18

MEMORY_BYTES = 2**18
"""Of a body, or of an answer that is not taken; what is more lies on the disk."""

WAITING_BYTES = 2**22
"""Of an answer that is not taken, before the thread that makes it waits."""

BodyLimit = Callable[["WSGIEnvironment"], int]
LogAccess = Callable[[Any, "WSGIEnvironment", float], None]


class Listener(TcpWSGIServer):  # type: ignore[misc]
    """Accepts the connections of one listening socket."""

    channel_class = Connection

    def __init__(self, server: HttpServer, listening: socket.socket, adjustments: Adjustments) -> None:
        self.body_limit, self.log_access, self.body_file = server.body_limit, server.log_access, server.body_file
        self._at_once = server.at_once
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
                metrics.count_closed("many")
                min(waiting, key=waiting.__getitem__).handle_close()

    def add_task(self, task: Connection) -> None:
        """Let a thread work on the next request of a connection."""
        task.tasks += 1
        at_once = getattr(task.requests[0], "path", "") == AT_ONCE  # what is no request has none
        (self._at_once if at_once else self.task_dispatcher).add_task(task)

    def long_bodies(self) -> int:
        """How many long bodies are coming in."""
        return sum(one.request is not None and one.request.is_long for one in self.active_channels.values())

    def maintenance(self, _now: float) -> None:
        """End the connections that are too slow."""
        now = time.monotonic()
        for connection in list(self.active_channels.values()):
            if connection.is_too_slow(now):
                metrics.count_closed("idle" if connection.is_idle else "slow")
                connection.handle_close()


class HttpServer:
    """Serves an application on listening sockets.

    Args:
        application: the application.
        sockets: where it listens.
        body_limit: the bytes that the body of a request may have, asked before any of them is kept.
        log_access: told of each answer: its task, the request's environment, and the seconds that it took.
        body_file: where long bodies are to lie.
    """

    def __init__(
        self,
        application: WSGIApplication,
        sockets: Sequence[socket.socket],
        body_limit: BodyLimit,
        log_access: LogAccess = lambda _task, _environ, _seconds: None,
        body_file: NewFile = any_file,
    ) -> None:
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)
        _allow_files(2 * CONNECTIONS)
        self.application, self.body_limit, self.log_access = application, body_limit, log_access
        self.body_file = body_file
        self.map = Watched()
        self.dispatcher = ThreadedTaskDispatcher()
        self.dispatcher.set_thread_count(THREADS)
        self.at_once = ThreadedTaskDispatcher()
        self.at_once.set_thread_count(1)
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
        """Take no more connections, and let another have the port; those that are there have their answers."""
        for listener in self._listeners:
            listener.accepting = False
            listener.del_channel()
            listener.socket.close()

    def close(self) -> None:
        """End all connections."""
        for listener in self._listeners:
            for connection in list(listener.active_channels.values()):
                connection.handle_close()
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
