"""What is refused or goes wrong: a page with a sentence for a person who asks, JSON for a script, in every case."""

import pytest

from segmentation.web.application import create_app
from segmentation.web.routes.errors import NO_SESSION
from segmentation.web.security import hardening
from segmentation.web.security.guard import NOT_OPENED, SIGN_IN_FIRST
from segmentation.web.session.sessions import Sessions
from segmentation.web.settings import Settings
from segmentation.web.store import StoreAwayError, StoreFullError

PERSON = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8",
    "Accept-Encoding": "gzip",
    "Sec-Fetch-Mode": "navigate",
}
SCRIPTS = [{"Accept": "*/*", "Sec-Fetch-Mode": "cors"}, {"Accept": "*/*"}, PERSON | {"Sec-Fetch-Mode": "cors"}]
AGAIN, ELSEWHERE = "Try again", "Your sessions"


@pytest.fixture
def failing(client, monkeypatch):
    """Lets the start page fail with an error."""

    def fail(error):
        def begin(_sessions):
            raise error

        monkeypatch.setattr(Sessions, "begin", begin)
        return client

    return fail


def assert_page_for_people_and_json_for_scripts(client, path, status, sentence, way_on, *, method="GET", **more):
    answer = client.open(path, method=method, headers=PERSON, **more)
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.headers["Cache-Control"] == "no-store"
    page = answer.text
    assert f'<p class="problem" role="alert">{sentence}</p>' in page
    assert way_on in page
    assert {AGAIN, ELSEWHERE}.difference([way_on]).pop() not in page
    for headers in SCRIPTS:
        told = client.open(path, method=method, headers=headers, **more)
        assert (told.status_code, told.json) == (status, {"error": sentence})
        assert "Refresh" not in told.headers
    return answer


def test_who_comes_too_often_reads_so_and_the_page_comes_by_itself(tmp_path, monkeypatch):
    monkeypatch.setattr(hardening, "STARTS_AT_ONCE", 1)
    monkeypatch.setattr(hardening, "STARTS_PER_SECOND", 0.01)
    client = create_app(Settings(data_folder=tmp_path)).server.test_client()
    assert client.get("/", headers=PERSON).status_code == 302
    answer = assert_page_for_people_and_json_for_scripts(client, "/", 429, hardening.TOO_OFTEN, AGAIN)
    assert answer.headers["Refresh"] == answer.headers["Retry-After"]
    client.application.extensions["workbench"].store.close()


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (RuntimeError("secret"), 500, hardening.FAILED),
        (StoreAwayError("Away <now>."), 503, "Away &lt;now&gt;."),
        (StoreFullError("Full."), 507, "Full."),
    ],
)
def test_what_fails_is_said_on_a_page(failing, error, status, sentence):
    client = failing(error)
    page = client.get("/", headers=PERSON)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert f'role="alert">{sentence}</p>' in page.text
    assert AGAIN in page.text
    assert ("Refresh" in page.headers) == (status == 503)
    told = client.get("/", headers=SCRIPTS[0])
    assert (told.status_code, told.mimetype, "Refresh" in told.headers) == (status, "application/json", False)


def test_what_is_not_there_or_too_large_leads_to_the_sessions(client, session):
    missing = "There is no such file to take home."
    assert_page_for_people_and_json_for_scripts(client, f"/s/{session}/download/nothing", 404, missing, ELSEWHERE)
    assert_page_for_people_and_json_for_scripts(client, "/s/nobody/file", 404, NO_SESSION, ELSEWHERE)
    assert_page_for_people_and_json_for_scripts(client, "/%00", 400, hardening.NO_SENSE, ELSEWHERE)
    large = "The file has 6 MB; this server takes at most 5 MB."
    assert_page_for_people_and_json_for_scripts(
        client, f"/s/{session}/images?name=x", 413, large, ELSEWHERE, method="POST", data=bytes(6 * 2**20)
    )


def test_who_is_not_let_in_reads_why_on_a_page_with_its_looks(tmp_path):
    client = create_app(Settings(data_folder=tmp_path)).server.test_client()
    stranger = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    page = assert_page_for_people_and_json_for_scripts(client, "/", 403, NOT_OPENED, AGAIN, **stranger).text
    assets = [part.split('"')[0] for part in page.split('="/assets/')[1:]]
    assert len(assets) == 6
    for name in assets:
        with client.get(f"/assets/{name}", **stranger) as asset:
            assert asset.status_code == 200
    client.application.extensions["workbench"].store.close()


def test_who_is_signed_out_is_led_to_sign_in_and_a_form_that_was_sent_says_so(tmp_path):
    client = create_app(Settings(data_folder=tmp_path, password="x")).server.test_client()
    assert client.get("/", headers=PERSON).status_code == 303
    assert_page_for_people_and_json_for_scripts(client, "/sessions", 401, SIGN_IN_FIRST, AGAIN, method="POST")
    client.application.extensions["workbench"].store.close()


def test_what_an_operator_asks_for_stays_as_it_is(client, monkeypatch):
    monkeypatch.setattr("segmentation.web.store.Store.check", lambda _store: (_ for _ in ()).throw(StoreAwayError()))
    ready = client.get("/ready", headers=PERSON)
    assert (ready.status_code, ready.mimetype) == (503, "application/json")
