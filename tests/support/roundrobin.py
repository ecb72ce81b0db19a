"""A reverse proxy that gives each request to the next server, whoever asks, and passes on what comes as it comes."""

from __future__ import annotations

import http.client
import itertools
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PART_BYTES = 2**16
PATIENCE_SECONDS = 120
"""As that of the proxy in docs/deploy.md."""

OF_THE_CONNECTION = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


class RoundRobin:
    """Serves on a port of its own until it is stopped.

    Attributes:
        url: where it is.
        served: the ports of the servers that answered, in order.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self.served: list[int] = []
        turn = itertools.cycle(ports)
        served = self.served

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self) -> None:
                port = next(turn)
                served.append(port)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {k: v for k, v in self.headers.items() if k.lower() not in OF_THE_CONNECTION}
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
                try:
                    upstream.request(self.command, self.path, body, headers | {"Connection": "close"})
                    try:
                        answer = upstream.getresponse()
                    except TimeoutError:
                        self.send_error(504)
                        return
                    self.give_back(answer)
                except OSError:
                    self.close_connection = True
                finally:
                    upstream.close()

            def give_back(self, answer: http.client.HTTPResponse) -> None:
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in OF_THE_CONNECTION:
                        self.send_header(name, value)
                chunked = answer.length is None and self.command != "HEAD" and answer.status not in (204, 304)
                if chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while part := answer.read1(PART_BYTES):
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
                    self.wfile.flush()
                if chunked:
                    self.wfile.write(b"0\r\n\r\n")

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = pass_on

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
