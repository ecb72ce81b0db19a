"""Behind nginx with TLS, as docs/deploy.md sets it up; the main job is done there in test_main_job.py."""

import http.client
import json
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import tifffile

from tests.support import PATIENCE_SECONDS
from tests.support.deployment import nginx_in_front_of, user_header_line
from tests.support.page import GLAND, TISSUE
from tests.support.person import PASSWORD
from tests.support.server import unit

UNVERIFIED = ssl._create_unverified_context()
DEFAULT_LIMIT = 2**20
"""What nginx takes unless it is told otherwise."""


@contextmanager
def answer(nginx, path, method="GET", headers=None):
    connection = http.client.HTTPSConnection("127.0.0.1", nginx.port, timeout=PATIENCE_SECONDS, context=UNVERIFIED)
    try:
        connection.request(method, path, headers=headers or {})
        yield connection.getresponse()
    finally:
        connection.close()


def test_cookies_stay_within_tls_and_tls_is_asked_for(people, behind_nginx):
    person = people(behind_nginx.url)
    cookies = person.context.cookies()
    assert {"squiggle_signed_in"} < {cookie["name"] for cookie in cookies}
    for cookie in cookies:
        assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "Lax"), cookie["name"]
    assert person.page.reload().headers["strict-transport-security"].startswith("max-age=")
    person.wait_until_ready()


def test_without_the_password_nginx_lets_nobody_further(behind_nginx):
    with answer(behind_nginx, "/sessions", "POST") as refused:
        assert refused.status == 401
    with answer(behind_nginx, "/", headers={"Accept": "text/html"}) as sent_on:
        assert sent_on.status == 303
        assert sent_on.headers["Location"].startswith("/sign-in")


def test_a_file_that_nginx_would_refuse_unless_told_is_opened(people, behind_nginx, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (900, 800, 3)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "noise.tif", pixels)
    assert (tmp_path / "noise.tif").stat().st_size > 2 * DEFAULT_LIMIT
    person = people(behind_nginx.url)
    person.upload(tmp_path / "noise.tif")
    person.wait_for(lambda: person.page.inner_text("#image-name") == "noise.tif", "the image")


def test_what_nginx_refuses_is_a_sentence_and_the_page_goes_on(people, behind_nginx, tmp_path):
    with (tmp_path / "huge.png").open("wb") as huge:
        huge.truncate(1100 * 2**20)
    person = people(behind_nginx.url)
    person.within("async ({ load }) => { (await load('page/context.mjs')).facts().maxUploadBytes = Infinity; }")
    person.upload(tmp_path / "huge.png")
    person.wait_for(lambda: person.page.locator("#message.visible").count() == 1, "the sentence")
    assert "“huge.png” was not opened. It is larger than what stands in front of this server" in person.message
    person.draw_and_wait(*GLAND)
    person.wait_until_saved()
    assert all("413" in error for error in person.errors)
    person.errors.clear()


def test_what_a_proxy_refuses_is_sent_again(people, behind_nginx):
    person = people(behind_nginx.url)
    person.wait_until_saved()
    refusal = "<html>413 Request Entity Too Large</html>"
    person.page.route("**/converse", lambda route: route.fulfill(status=413, content_type="text/html", body=refusal))
    person.draw_and_wait(*GLAND)
    person.wait_for(lambda: "1 change is kept here" in person.connection, "the reconnecting sign")
    person.page.unroute("**/converse")
    person.wait_until_saved()
    assert person.stroke_counts() == [1, 0]
    assert all("413" in error for error in person.errors)
    person.errors.clear()


def test_what_is_drawn_while_nginx_is_away_arrives_when_it_is_back(people, behind_nginx):
    person = people(behind_nginx.url, expect_offline=True)
    person.draw_and_wait(*GLAND)
    person.wait_until_saved()
    behind_nginx.stop()
    try:
        person.press("2")
        person.draw_and_wait(*TISSUE)
        person.wait_for(lambda: "Reconnecting" in person.connection, "the reconnecting sign")
    finally:
        behind_nginx.start()
    person.wait_for_segmentation()
    person.page.reload()
    person.wait_until_ready()
    assert person.stroke_counts() == [1, 1]


def test_what_is_drawn_while_the_server_behind_it_is_away_arrives_when_it_is_back(people, tmp_path):
    server = unit(tmp_path, SQUIGGLE_PASSWORD=PASSWORD)
    server.start()
    with nginx_in_front_of(server.port) as nginx:
        try:
            person = people(nginx.url, expect_offline=True)
            server.kill()
            person.draw_and_wait(*GLAND)
            person.wait_for(lambda: "Reconnecting" in person.connection, "the reconnecting sign")
            server.start()
            person.wait_until_saved()
        finally:
            server.stop()


def test_an_answer_comes_through_line_by_line():
    """The other end says its second line only once the first one has been heard."""
    heard = threading.Event()

    class TwoLines(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", "12")
            self.end_headers()
            self.wfile.write(b"first\n")
            self.wfile.flush()
            if heard.wait(timeout=PATIENCE_SECONDS):
                self.wfile.write(b"other\n")

        def log_message(self, *_):
            """Say nothing."""

    upstream = ThreadingHTTPServer(("127.0.0.1", 0), TwoLines)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    try:
        with nginx_in_front_of(upstream.server_port) as nginx, answer(nginx, "/") as lines:
            assert lines.readline() == b"first\n"
            heard.set()
            assert lines.readline() == b"other\n"
    finally:
        upstream.shutdown()
        upstream.server_close()


@pytest.fixture(scope="module")
def naming_users(tmp_path_factory):
    """A server that lets in whom nginx names."""
    server = unit(tmp_path_factory.mktemp("users"), SQUIGGLE_USER_HEADER="X-Remote-User")
    server.start()
    yield server
    server.stop()


def test_whom_nginx_has_let_in_needs_no_password(people, naming_users):
    with nginx_in_front_of(
        naming_users.port, f'auth_basic "lab"; auth_basic_user_file users; {user_header_line()}'
    ) as nginx:
        (nginx.folder / "users").write_text("ada:{PLAIN}lovelace\n")
        with answer(nginx, "/") as stranger:
            assert stranger.status == 401
        person = people(nginx.url, expect_offline=True, http_credentials={"username": "ada", "password": "lovelace"})
        person.draw_and_wait(*GLAND)
        person.wait_until_saved()


@pytest.mark.parametrize("name", ["X-Remote-User", "x-remote-user", "X_Remote_User"])
def test_a_user_header_that_somebody_brings_along_is_not_believed(naming_users, name):
    with (
        nginx_in_front_of(naming_users.port, user_header_line()) as nginx,
        answer(nginx, "/sessions", "POST", {name: "eve"}) as refused,
    ):
        assert refused.status == 403
        assert "who you are" in json.load(refused)["error"]
