"""How the page is served: gunicorn's configuration, for a host as for one's own machine.

``gunicorn --config python:segmentation.web.hosting app:server`` takes the names of this module that gunicorn has
settings for; ``python app.py`` and ``squiggle`` do the same.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta
from types import FrameType
from typing import Any

from gunicorn.app.wsgiapp import WSGIApplication
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker as BaseWorker

from segmentation.web import metrics
from segmentation.web.http.server import HttpServer
from segmentation.web.kernel_cache import keep_kernels_in
from segmentation.web.logs import EventLogger
from segmentation.web.settings import is_for_its_own_machine, settings_or_exit, why_not_to_serve

sys.dont_write_bytecode = True
_settings = settings_or_exit()
keep_kernels_in(_settings.data_folder / "kernels")
if _settings.metrics_token:
    os.environ[metrics.FOLDER] = str(_settings.data_folder / "metrics" / str(os.getpid()))

bind = f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
workers = _settings.processes
timeout = 120
graceful_timeout = 8
preload_app = _settings.processes > 1  # a single process would share nothing with what the master has loaded
control_socket_disable = True
logger_class = EventLogger
accesslog = "-"


ONLY_HERE = (
    "Nobody has said who may use this server: it answers browsers on this machine alone, and refuses what a proxy "
    "passes on. Behind a proxy, set SQUIGGLE_PASSWORD, SQUIGGLE_USER_HEADER or SQUIGGLE_OPEN."
)


class Worker(BaseWorker):  # type: ignore[misc]
    """A process that gunicorn watches; where the application says why it cannot start, so ends the whole server."""

    def load_wsgi(self) -> None:
        """Load the application."""
        try:
            super().load_wsgi()
        except SystemExit as reason:
            print(reason, file=sys.stderr, flush=True)
            sys.exit(Arbiter.WORKER_BOOT_ERROR)

    def run(self) -> None:
        """Serve until this process is to end, or gunicorn's master is no more."""
        told = self.wsgi.extensions
        self._server = HttpServer(self.wsgi, self.sockets, told["body_limit"], self._log_access, told["body_file"])
        while self.alive and self.ppid == os.getppid():
            self.notify()
            self._server.serve_for(1.0)
        self._server.stop_accepting()
        deadline = time.monotonic() + self.cfg.graceful_timeout - 1
        while not self._server.is_idle and time.monotonic() < deadline:
            self.notify()
            self._server.serve_for(0.1)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End once those who wait have their answers."""
        super().handle_exit(sig, frame)
        self._server.wake()

    def _log_access(self, task: Any, environ: dict[str, Any], seconds: float) -> None:
        self.log.access(task, task.request, environ, timedelta(seconds=seconds))


worker_class = Worker


def on_starting(arbiter: Any) -> None:
    """End with a sentence if others could reach a server that its operator has not opened to them."""
    addresses = arbiter.cfg.address
    problem = why_not_to_serve(_settings, [a[0] for a in addresses if isinstance(a, tuple)])
    if problem:
        sys.exit(f"Squiggle does not start: {problem}")
    if isinstance(arbiter.app, WSGIApplication) and is_for_its_own_machine(_settings):
        print(ONLY_HERE, file=sys.stderr, flush=True)


def child_exit(_arbiter: Any, worker: Any) -> None:
    """Count no more what waited in a process that has ended."""
    metrics.forget_process(worker.pid)


def post_worker_init(worker: Any) -> None:
    """Make a new process ready for people, and end its conversations when it is asked to end."""
    workbench = worker.wsgi.extensions["workbench"]
    workbench.warming.begin()
    if _settings.series_in_web:
        workbench.series_worker.begin()
    end = signal.getsignal(signal.SIGTERM)

    def end_conversations_too(number: int, frame: FrameType | None) -> None:
        workbench.closing.set()
        if callable(end):
            end(number, frame)

    signal.signal(signal.SIGTERM, end_conversations_too)
