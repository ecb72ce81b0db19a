"""A web server with images, which also does what bad ones do."""

from __future__ import annotations

import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

HTML = b"<!doctype html><title>Sign in</title>"


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder; the first part of a path may say what goes wrong."""

    def do_GET(self):
        self.server.asked.append(self.path)
        first, _, rest = self.path[1:].partition("/")
        is_chunk = "/c/" in rest or rest.rpartition("/")[2].replace(".", "").isdigit()
        if self.server.away and self.server.away[0] in self.path:
            self._answer(503, b"")
            return
        match first:
            case "leads-elsewhere":
                self._answer(302, b"", ("Location", f"http://127.0.0.1:{self.server.server_port}/{rest}"))
            case "page":
                self._answer(200, HTML, ("Content-Type", "text/html; charset=utf-8"))
            case "private":
                self._answer(401, b"")
            case "fails":
                self._answer(500, b"")
            case "huge":
                self.send_response(200)
                self.send_header("Content-Length", str(2**40))
                self.end_headers()
            case "endless":
                self.send_response(200)
                self.end_headers()
                with_room = b" " * 2**16
                for _ in range(2**10):
                    self.wfile.write(with_room)
            case "slow":
                time.sleep(10)
                self._answer(404, b"")
            case "breaks-off" if is_chunk:
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"a part")
            case "chunks-fail" if is_chunk:
                self._answer(503, b"")
            case "chunks-lie" if is_chunk:
                self._answer(200, b"no pixels")
            case "breaks-off" | "chunks-fail" | "chunks-lie":
                self.path = f"/{rest}"
                super().do_GET()
            case _:
                super().do_GET()

    def _answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Nothing is logged."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Whoever was left in the middle of an answer is not told of."""


class Elsewhere:
    """Serves a folder on a port of this machine."""

    def __init__(self, folder):
        self._server = _Server(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        self._server.asked = self.asked = []
        self._server.away = self.away = []
        """Of a path that is not answered for a while, what is in it."""
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()
