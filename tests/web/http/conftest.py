"""A server of a small application."""

import http.client
import socket
import threading
from contextlib import closing, contextmanager

import pytest

from segmentation.web.http.server import HttpServer
from tests.support import PATIENCE_SECONDS

LIMIT = 100_000


class Serving:
    """A server of a small application, in a thread of this process."""

    def __init__(self, application, limit=LIMIT, **named):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.logged = []
        self.asked, self.limit = [], limit
        self.server = HttpServer(application, [self.listening], self.body_limit, self.log_access, **named)
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def body_limit(self, environ):
        self.asked.append(environ)
        return self.limit

    def log_access(self, task, environ, seconds):
        self.logged.append((task.status, task.sent, environ["PATH_INFO"]))

    def serve(self):
        while not self.ends.is_set():
            self.server.serve_for(0.02)

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    def connections(self):
        return [one for listener in self.server._listeners for one in list(listener.active_channels.values())]

    @contextmanager
    def asking(self, method="GET", path="/", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        with closing(connection):
            connection.request(method, path, body, headers)
            yield connection.getresponse()

    def close(self):
        if self.ends.is_set():
            return
        self.ends.set()
        self.thread.join()
        self.server.dispatcher.shutdown()
        self.server.at_once.shutdown()
        self.server.close()


@pytest.fixture
def serving():
    opened = []

    def serve(application, **named):
        opened.append(Serving(application, **named))
        return opened[-1]

    yield serve
    for one in opened:
        one.close()
