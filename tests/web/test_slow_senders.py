"""Five hundred connections that are slow or silent, before any sign-in: nobody else notices them."""

import json
import resource
import socket
import urllib.parse
import urllib.request
from contextlib import ExitStack, closing, contextmanager

import pytest

from segmentation.web.security.cookies import SIGNED_IN
from tests.support import PATIENCE_SECONDS
from tests.support.server import Server

pytestmark = pytest.mark.slow

CONNECTIONS = 500
PASSWORD = "squiggle ⌇ slowly"

FORM = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\npassword="
ATTACKS = {
    "nothing": b"",
    "half a header": b"GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "a slow form": b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + FORM % 5_000,
    "a long form": b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + FORM % 100_000,
    "a file from a stranger": b"POST /s/abc/images HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n\x89PNG",
    "a body in chunks": b"POST /s/abc/converse HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{'a':",
}


@pytest.fixture
def server(tmp_path):
    """One for each attack, since an address may try to sign in five times at once, with the right password too."""
    server = Server(tmp_path, SQUIGGLE_OPEN="", SQUIGGLE_PASSWORD=PASSWORD)
    server.start()
    yield server
    server.stop()


@contextmanager
def slow_connections(port, sent):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(max(soft, 2 * CONNECTIONS), hard), hard))
    with ExitStack() as opened:
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
            opened.enter_context(closing(connection)).sendall(sent)
        yield


def ask(server, path, body=None, **headers):
    request = urllib.request.Request(f"{server.url}{path}", body, headers)
    return urllib.request.build_opener(Unredirected).open(request, timeout=PATIENCE_SECONDS)


class Unredirected(urllib.request.HTTPErrorProcessor):
    def http_response(self, request, response):
        return response


@pytest.mark.parametrize("attack", ATTACKS)
def test_slow_connections_keep_nobody_waiting(server, attack):
    with slow_connections(server.port, ATTACKS[attack]):
        with ask(server, "/health") as answer:
            assert json.load(answer) == {"alive": True}
        with ask(server, "/sign-in", urllib.parse.urlencode({"password": PASSWORD}).encode()) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
            assert cookie.startswith(SIGNED_IN)
        with ask(server, "/sessions", b"", Cookie=cookie) as answer:
            session = json.load(answer)["session"]
        words = json.dumps({"after": 0, "events": [], "window": "w", "segment": None}).encode()
        with ask(
            server, f"/s/{session}/converse", words, Cookie=cookie, **{"Content-Type": "application/json"}
        ) as answer:
            assert json.loads(answer.readline())["kind"] == "journal"
