"""Who gets in, asked directly."""

import ipaddress
import re

import pytest

from segmentation.web.application import create_app
from segmentation.web.networks import is_loopback, lies_in, read_networks
from segmentation.web.security import signin
from segmentation.web.security.guard import PUBLIC_PATHS
from segmentation.web.security.ratelimit import RateLimit
from segmentation.web.settings import Settings, settings_from_environment, why_not_to_serve

pytestmark = pytest.mark.slow

PASSWORD = "a squiggle ⌇ nobody guesses"


@pytest.fixture
def client_of(tmp_path):
    """Makes a client of an application with some settings."""
    apps = []

    def make(**settings):
        apps.append(create_app(Settings(data_folder=tmp_path, **settings)))
        return apps[-1].server.test_client()

    yield make
    for app in apps:
        app.server.extensions["workbench"].store.close()


def from_address(address):
    return {"environ_base": {"REMOTE_ADDR": address}}


def everything(client):
    """A request to each of the application's routes, with something in each of their places."""
    for rule in client.application.url_map.iter_rules():
        path = re.sub(r"<[^>]*>", "x", rule.rule)
        for method in rule.methods - {"OPTIONS", "HEAD"}:
            yield method, path


def sign_in(client, password=PASSWORD, **more):
    return client.post("/sign-in", data={"password": password, "next": "/s/abc"}, **more)


# ---- this machine only


def test_at_home_everybody_is_let_in(client_of):
    assert client_of().get("/").status_code == 302


@pytest.mark.parametrize(
    "request_of_a_stranger",
    [
        from_address("192.0.2.7"),
        from_address("::ffff:192.0.2.7"),
        from_address(""),
        {"headers": {"X-Forwarded-For": "127.0.0.1"}},
        {"headers": {"X-Forwarded-For": "127.0.0.1, 192.0.2.7"}},
        {"headers": {"Forwarded": "for=127.0.0.1"}},
        {"headers": {"Via": "1.1 proxy"}},
        {"headers": {"Host": "rebound.example"}},
        {"headers": {"Host": "127.0.0.1.rebound.example:8050"}},
    ],
)
def test_a_server_that_was_not_opened_refuses_strangers_at_every_route(client_of, request_of_a_stranger):
    client = client_of()
    refused = 0
    for method, path in everything(client):
        if path not in PUBLIC_PATHS:
            response = client.open(path, method=method, **request_of_a_stranger)
            assert response.status_code == 403, (method, path)
            assert response.json["error"].startswith("This server was not opened")
            refused += 1
    assert refused > 12


def test_what_others_can_reach_must_have_been_opened():
    assert why_not_to_serve(Settings(), ["127.0.0.1", "localhost", "::1"]) == ""
    for host in ("0.0.0.0", "::", "192.0.2.1", "lab.example", ""):
        assert "SQUIGGLE_PASSWORD" in why_not_to_serve(Settings(), ["127.0.0.1", host])
        for opened in ({"password": "x"}, {"user_header": "X-User"}, {"open": True}):
            assert why_not_to_serve(Settings(**opened), [host]) == ""


def test_two_ways_in_contradict_each_other(monkeypatch):
    monkeypatch.setenv("SQUIGGLE_PASSWORD", "x")
    monkeypatch.setenv("SQUIGGLE_OPEN", "1")
    with pytest.raises(ValueError, match="SQUIGGLE_PASSWORD and SQUIGGLE_OPEN contradict"):
        settings_from_environment()
    assert PASSWORD not in repr(Settings(password=PASSWORD))
    monkeypatch.delenv("SQUIGGLE_PASSWORD")
    monkeypatch.setenv("SQUIGGLE_OPEN", "perhaps")
    with pytest.raises(ValueError, match="SQUIGGLE_OPEN='perhaps' cannot be read"):
        settings_from_environment()


# ---- a password


def test_without_the_password_every_route_is_closed(client_of):
    client = client_of(password=PASSWORD)
    for method, path in everything(client):
        response = client.open(path, method=method, headers={"Accept": "application/json"})
        if path in PUBLIC_PATHS:
            assert response.status_code < 500, (method, path)
        else:
            assert response.status_code == 401, (method, path)
            assert "sign in" in response.json["error"]


def test_the_password_lets_in_until_signing_out(client_of):
    client = client_of(password=PASSWORD)
    asked = client.get("/s/abc?x=1", headers={"Accept": "text/html"})
    assert asked.status_code == 303
    assert asked.headers["Location"] == "/sign-in?next=%2Fs%2Fabc%3Fx%3D1"
    page = client.get(asked.headers["Location"])
    assert b'name="next" value="/s/abc?x=1"' in page.data

    wrong = sign_in(client, "a squiggle")
    assert wrong.status_code == 403
    assert signin.WRONG in wrong.text
    assert client.get("/").status_code != 302 or "sign-in" in client.get("/").headers["Location"]

    right = sign_in(client)
    assert right.status_code == 303
    assert right.headers["Location"] == "/s/abc"
    assert client.get("/").headers["Location"].startswith("/s/")
    assert client.post("/sign-out").status_code == 303
    assert client.get("/").status_code == 401


def test_the_cookie_is_guarded(client_of):
    client = client_of(password=PASSWORD)
    (cookie,) = sign_in(client).headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    (cookie,) = sign_in(client, headers={"X-Forwarded-Proto": "https"}).headers.getlist("Set-Cookie")
    assert "Secure" in cookie


def test_processes_agree_on_cookies_and_a_new_password_signs_out():
    cookie = signin.SignIn(PASSWORD).cookie()
    assert signin.SignIn(PASSWORD).is_signed_in(cookie)
    assert not signin.SignIn(PASSWORD + "!").is_signed_in(cookie)
    name, when, signature = cookie.split(".")
    for forged in ("", "in", f"out.{when}.{signature}", f"{name}.{when}x.{signature}", cookie[:-1], "\x00", "é.é.é"):
        assert not signin.SignIn(PASSWORD).is_signed_in(forged)


def test_guessing_is_slowed_down_for_who_guesses(client_of, monkeypatch):
    monkeypatch.setattr(signin, "TRIES_PER_SECOND", 0.001)
    client = client_of(password=PASSWORD)
    guesser, other = from_address("192.0.2.7"), from_address("192.0.2.8")
    answers = [sign_in(client, f"guess {n}", **guesser).status_code for n in range(20)]
    assert answers == [403] * signin.TRIES_AT_ONCE + [429] * (20 - signin.TRIES_AT_ONCE)
    late = sign_in(client, **guesser)
    assert late.status_code == 429
    assert int(late.headers["Retry-After"]) >= 1
    assert "Wait" in late.text
    assert sign_in(client, **other).status_code == 303


def test_tries_from_many_addresses_keep_nobody_out(client_of):
    client = client_of(password=PASSWORD)
    for number in range(400):
        assert (
            sign_in(client, f"guess {number}", **from_address(f"192.0.{number // 250}.{number % 250}")).status_code
            == 403
        )
    assert sign_in(client, **from_address("198.51.100.1")).status_code == 303


def test_whoever_has_a_network_of_version_6_has_the_tries_of_one_address(client_of):
    client = client_of(password=PASSWORD)
    answers = [sign_in(client, "guess", **from_address(f"2001:db8::{n:x}")).status_code for n in range(20)]
    assert answers.count(403) == signin.TRIES_AT_ONCE
    assert sign_in(client, **from_address("2001:db8:0:1::1")).status_code == 303


def test_a_form_is_bounded_before_it_is_read_and_is_no_try(client_of):
    client = client_of(password=PASSWORD)
    for _ in range(2 * signin.TRIES_AT_ONCE):
        assert sign_in(client, "x" * signin.MAX_FORM_BYTES).status_code == 413
        many = client.post("/sign-in", data={f"field{n}": "" for n in range(50)}, content_type="multipart/form-data")
        assert many.status_code == 413
    assert sign_in(client).status_code == 303


def test_little_is_received_from_whoever_is_not_let_in(client_of):
    client = client_of(password=PASSWORD)
    limit = client.application.extensions["body_limit"]
    asked = {"REQUEST_METHOD": "POST", "PATH_INFO": "/sessions/import", "REMOTE_ADDR": "192.0.2.7"}
    assert limit(asked) == 8 * 1024
    sign_in(client)
    cookies = "; ".join(f"{one.key}={one.value}" for one in client._cookies.values())
    assert limit(asked | {"HTTP_COOKIE": cookies}) > 2**20
    assert limit(asked | {"HTTP_COOKIE": cookies[:-1]}) == 8 * 1024


@pytest.mark.slow
@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/a\nb", "x"]
)
def test_signing_in_leads_nowhere_else(client_of, elsewhere):
    client = client_of(password=PASSWORD)
    response = client.post("/sign-in", data={"password": PASSWORD, "next": elsewhere})
    assert response.headers["Location"] == "/"


def test_what_is_typed_cannot_become_markup(client_of):
    page = client_of(password=PASSWORD).get('/sign-in?next=/"><script>alert(1)</script>')
    assert b"<script" not in page.data


def test_rate_limits_refill():
    now = [0.0]
    limit = RateLimit(2, 0.5, clock=lambda: now[0])
    assert [limit.acquire("a") for _ in range(3)] == [0, 0, 2]
    assert limit.acquire("b") == 0
    now[0] = 2.0
    assert [limit.acquire("a"), limit.acquire("a")] == [0, 2]


# ---- the word of a proxy


def test_the_user_header_is_believed_only_from_the_proxy(client_of):
    client = client_of(user_header="X-Remote-User", trusted_proxies=read_networks("10.1.0.0/16"))
    named = {"X-Remote-User": "ada"}
    assert client.get("/", headers=named, **from_address("10.1.2.3")).status_code == 302
    for refused in (
        client.get("/", headers=named, **from_address("10.2.0.1")),
        client.get("/", headers=named, **from_address("127.0.0.1")),
        client.get("/", headers=named | {"X-Forwarded-For": "10.1.2.3"}, **from_address("10.2.0.1")),
        client.get("/", **from_address("10.1.2.3")),
        client.get("/", headers={"X-Remote-User": "  "}, **from_address("10.1.2.3")),
    ):
        assert refused.status_code == 403
        assert "who you are" in refused.json["error"]


def test_a_trusted_proxy_says_that_there_is_tls(client_of):
    client = client_of(open=True, trusted_proxies=read_networks("10.1.0.0/16"))
    https = {"X-Forwarded-Proto": "https"}
    cookie = client.post("/sessions", headers=https, **from_address("10.1.2.3")).headers["Set-Cookie"]
    assert "Secure" in cookie
    cookie = client.post("/sessions", headers=https, **from_address("10.2.0.1")).headers["Set-Cookie"]
    assert "Secure" not in cookie


def test_addresses_are_read():
    assert read_networks("10.0.0.1, 2001:db8::/32") == (
        ipaddress.ip_network("10.0.0.1/32"),
        ipaddress.ip_network("2001:db8::/32"),
    )
    with pytest.raises(ValueError, match="proxy"):
        read_networks("proxy")
    assert lies_in("anything", read_networks("*"))
    assert not lies_in("anything", read_networks("0.0.0.0/0"))
    assert is_loopback("[::1]")
    assert is_loopback("127.8.9.1")
    assert not is_loopback("localhost.example")


# ---- other sites


def test_other_sites_cannot_act_through_a_browser(client_of):
    client = client_of()
    for elsewhere in ("cross-site", "same-site", "Same-Origin", ""):
        assert client.post("/sessions", headers={"Sec-Fetch-Site": elsewhere}).status_code == 403
    for origin in (
        "null",
        "",
        "https://elsewhere.org",
        "http://localhost:8051",
        "http://localhost.elsewhere.org",
        "http://[",
    ):
        assert client.post("/sessions", headers={"Origin": origin}).status_code == 403
    assert client.post("/sessions", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
    assert client.post("/sessions", headers={"Origin": "http://localhost"}).status_code == 200
    assert client.get("/", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 302


# ---- what answers say about themselves


def test_every_answer_carries_the_security_headers(client_of):
    client = client_of(password=PASSWORD)
    sign_in(client)
    for method, path in everything(client):
        headers = client.open(path, method=method, headers={"X-Forwarded-Proto": "https"}).headers
        assert headers["X-Content-Type-Options"] == "nosniff", path
        assert headers["Referrer-Policy"] == "no-referrer", path
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"], path
        assert headers["Strict-Transport-Security"].startswith("max-age="), path
    assert "Strict-Transport-Security" not in client.get("/health").headers
