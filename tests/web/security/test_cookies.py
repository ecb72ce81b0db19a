"""What browsers keep: signed, for as long as it is said, and gone with signing out."""

import time

import pytest
from itsdangerous import TimestampSigner

from segmentation.web.application import create_app
from segmentation.web.security.cookies import SESSIONS, SIGNED_IN, signer
from segmentation.web.settings import Settings

PASSWORD = "a squiggle ⌇ nobody guesses"
DAY = 24 * 3600


@pytest.fixture
def app(tmp_path):
    app = create_app(Settings(data_folder=tmp_path, password=PASSWORD)).server
    yield app
    app.extensions["workbench"].store.close()


def signed_in(app):
    client = app.test_client()
    assert client.post("/sign-in", data={"password": PASSWORD}).status_code == 303
    return client


def known(client):
    return {one["id"] for one in client.get("/sessions/list").json}


def later(monkeypatch, days):
    now = time.time() + days * DAY
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: int(now))


def test_a_list_of_sessions_that_we_did_not_write_is_not_believed(app):
    client = signed_in(app)
    session = client.post("/sessions").json["session"]
    ours = client.get_cookie(SESSIONS).value
    assert known(client) == {session}
    value, when, signature = ours.rsplit(".", 2)
    other_purpose = signer(app.extensions["workbench"].store.key("sessions"), b"squiggle").sign(session).decode()
    for forged in (session, f"{session}.{session}", f"x{ours}", f"{value}.{when}x.{signature}", other_purpose, "é.x.y"):
        client.set_cookie(SESSIONS, forged)
        assert known(client) == set()
    client.set_cookie(SESSIONS, ours)
    assert known(client) == {session}


def test_another_process_on_the_same_store_believes_it(app, tmp_path):
    client = signed_in(app)
    session = client.post("/sessions").json["session"]
    other = create_app(Settings(data_folder=tmp_path, password=PASSWORD)).server
    elsewhere = signed_in(other)
    elsewhere.set_cookie(SESSIONS, client.get_cookie(SESSIONS).value)
    assert known(elsewhere) == {session}
    other.extensions["workbench"].store.close()


def test_it_lasts_a_year_from_its_last_use(app, monkeypatch):
    client = signed_in(app)
    session = client.post("/sessions").json["session"]
    words = {"after": 0, "events": [], "segment": None, "window": "w"}
    first = client.get_cookie(SESSIONS).value
    later(monkeypatch, 300)
    client.post("/sign-in", data={"password": PASSWORD})
    client.post(f"/s/{session}/converse", json=words)
    assert client.get_cookie(SESSIONS).value != first
    later(monkeypatch, 600)
    client.post("/sign-in", data={"password": PASSWORD})
    assert known(client) == {session}
    client.set_cookie(SESSIONS, first)
    assert known(client) == set()


def test_signing_out_forgets_the_sessions_too(app):
    client = signed_in(app)
    client.post("/sessions")
    client.post("/sign-out")
    assert client.get_cookie(SESSIONS) is None
    assert client.get_cookie(SIGNED_IN) is None
    client.post("/sign-in", data={"password": PASSWORD})
    assert known(client) == set()


def test_pages_of_sessions_are_not_kept_and_assets_are(app):
    client = signed_in(app)
    session = client.post("/sessions").json["session"]
    for path in ("/", "/sessions", f"/s/{session}", "/_dash-layout", "/_dash-dependencies", f"/s/{session}/series"):
        assert client.get(path, buffered=True).headers["Cache-Control"] == "no-store", path
    page = client.get(f"/s/{session}").text
    for part in page.split('"'):
        if part.startswith(("/assets/", "/_dash-component-suites/")):
            assert "max-age=31536000" in client.get(part, buffered=True).headers["Cache-Control"], part
