"""Behind an nginx that says nothing of itself, a server that nobody has opened answers nobody."""

import http.client
import os
import subprocess
import sys
from contextlib import closing

import pytest

from segmentation.web.networks import user_at
from tests.support import PATIENCE_SECONDS
from tests.support.deployment import Nginx
from tests.support.server import unit

pytestmark = pytest.mark.slow

BROWSER = {
    "Host": "squiggle.example.org",
    "Accept": "text/html",
    "Connection": "keep-alive",
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
}


class BareNginx(Nginx):
    """Passes everything on, with what nginx says by itself and some lines more."""

    def __init__(self, upstream, location="", head=""):
        self.head = head
        super().__init__(upstream, location)

    def _configuration(self, upstream, location):
        self.url = f"http://127.0.0.1:{self.port}"
        temporary = "\n".join(
            f"{kind}_temp_path {self.folder / kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        server = f"listen 127.0.0.1:{self.port}; location / {{ proxy_pass http://127.0.0.1:{upstream}; {location} }}"
        return (
            f"{self.head} daemon off; pid {self.folder / 'pid'}; error_log {self.folder / 'error.log'};\n"
            f"events {{}}\nhttp {{ access_log off; {temporary} server {{ {server} }} }}\n"
        )


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = unit(tmp_path_factory.mktemp("bare"))
    server.start()
    yield server
    server.stop()


def status(port, method="GET", path="/", headers=BROWSER):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        connection.request(method, path, headers=headers)
        with connection.getresponse() as answer:
            return answer.status


@pytest.mark.parametrize(
    "location",
    [
        "",
        "proxy_http_version 1.1;",
        pytest.param(
            'proxy_http_version 1.1; proxy_set_header Connection "";',
            marks=pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="nginx would be the same user"),
        ),
    ],
)
def test_what_a_proxy_passes_on_without_a_word_is_refused(server, location):
    nginx = BareNginx(server.port, location)
    try:
        nginx.start()
        for method, path in (("GET", "/"), ("GET", "/sessions"), ("POST", "/sessions"), ("GET", "/s/x/file")):
            assert status(nginx.port, method, path) == 403, (method, path)
        assert status(nginx.port, path="/health") == 200
        nginx.stop()
    finally:
        nginx.remove()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="nginx is the same user anyway")
def test_pages_of_another_address_are_refused_through_a_proxy_of_the_same_user_too(server):
    nginx = BareNginx(server.port, 'proxy_http_version 1.1; proxy_set_header Connection "";', head="user root;")
    try:
        nginx.start()
        elsewhere = {"Origin": "https://squiggle.example.org", "Sec-Fetch-Site": "same-origin"}
        for method, path in (("POST", "/sessions"), ("POST", "/s/x/converse"), ("DELETE", "/s/x")):
            assert status(nginx.port, method, path, BROWSER | elsewhere) == 403, (method, path)
            here = elsewhere | {"Origin": f"http://127.0.0.1:{server.port}"}
            assert status(nginx.port, method, path, BROWSER | here) != 403
        assert status(nginx.port, headers=BROWSER | {"Referer": "https://squiggle.example.org/"}) == 403
        nginx.stop()
    finally:
        nginx.remove()


def test_a_browser_beside_the_server_is_let_in(server):
    here = BROWSER | {"Host": f"127.0.0.1:{server.port}"}
    assert status(server.port, headers=here) == 302
    assert status(server.port, "POST", "/sessions", headers=here | {"Sec-Fetch-Site": "same-origin"}) == 200
    assert status(server.port, headers=BROWSER) == 403


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="another user is needed")
def test_another_user_of_the_same_machine_is_not_let_in(server):
    code = (
        f"import http.client; c = http.client.HTTPConnection('127.0.0.1', {server.port}, timeout=60);"
        "c.request('GET', '/', headers={'Connection': 'keep-alive'}); print(c.getresponse().status)"
    )
    asked = subprocess.run(
        ["/usr/bin/env", "python3", "-c", code], capture_output=True, text=True, user=65534, check=False
    )
    if asked.returncode:
        pytest.skip(f"another user has no Python here: {asked.stderr[-200:]}")
    assert asked.stdout.strip() == "403"


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not say")
def test_the_system_says_whose_connection_it_is(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        connection.connect()
        assert user_at(connection.sock.getsockname()[1], server.port) == os.getuid()
    assert user_at(1, server.port) is None
