"""Sessions as a whole: the start, the list that a browser gets, names, copies, the end."""

import html
import json
import re

import pytest

from segmentation.web.application import SAMPLE
from segmentation.web.routes.known_sessions import MAX_SESSIONS
from segmentation.web.security.cookies import SESSIONS
from segmentation.web.store.tables import sessions
from tests.support.asking import converse, stroke_event


def draw(client, session):
    converse(client, session, [stroke_event("a", SAMPLE.image.hash, 1, "M1,1L9,9")])


def listed(client):
    return client.get("/sessions/list").json


def on_page(response):
    """The sessions that a start page shows."""
    assert response.status_code == 200
    return json.loads(html.unescape(re.search('data-sessions="([^"]*)"', response.text)[1]))


def test_a_browser_that_knows_no_session_goes_straight_into_one_and_comes_back_to_it_until_it_is_used(client):
    first = client.get("/")
    assert first.status_code == 302
    assert "HttpOnly" in first.headers["Set-Cookie"]
    assert client.get("/").headers["Location"] == first.headers["Location"]
    assert client.get(first.headers["Location"]).status_code == 200
    client.delete_cookie(SESSIONS)
    assert client.get("/").headers["Location"] != first.headers["Location"]


def test_a_person_who_comes_back_finds_her_sessions(client, session):
    draw(client, session)
    client.post("/sessions")
    (shown,) = on_page(client.get("/"))
    assert shown["id"] == session
    assert (shown["images"], shown["strokes"], shown["thumbnail"]) == (1, 1, SAMPLE.image.hash)
    assert len(on_page(client.get("/sessions"))) == 2


def test_the_sample_does_not_count_beside_images_of_ones_own(client, session, halves):
    (entry,) = listed(client)
    assert (entry["images"], entry["strokes"], entry["thumbnail"]) == (1, 2, halves["hash"])


def test_a_link_that_was_opened_is_remembered_and_nobody_elses_is_listed(client, session):
    draw(client, session)
    other = client.application.test_client()
    assert listed(other) == []
    converse(other, session)
    assert [one["id"] for one in listed(other)] == [session]
    stranger = client.application.test_client()
    stranger.set_cookie(SESSIONS, "..%2F.*._.'; DROP TABLE sessions." + "x" * 33)
    assert listed(stranger) == []


@pytest.mark.slow
def test_a_browser_remembers_no_more_than_a_cookie_holds(client):
    for _ in range(MAX_SESSIONS + 5):
        last = client.post("/sessions").json["session"]
    assert len(client.get_cookie(SESSIONS).value) < 4000
    assert len(listed(client)) == MAX_SESSIONS
    assert last in {one["id"] for one in listed(client)}


def test_a_session_is_named_for_every_window_and_every_list(client, session):
    assert client.put(f"/s/{session}/name", json={"name": "Colon, <June>"}).status_code == 200
    (entry,) = on_page(client.get("/"))
    assert entry["name"] == "Colon, <June>"
    (journal,) = converse(client, session, after=1)
    assert journal["events"][0]["body"]["name"] == "Colon, <June>"
    converse(client, session, [{"id": "n", "type": "session.rename", "name": "Colon, July"}])
    assert listed(client)[0]["name"] == "Colon, July"
    for name in ("x" * 101, None, 3, "two\nlines"):
        answer = client.put(f"/s/{session}/name", json={"name": name})
        assert answer.status_code == 422
        assert "one line" in answer.json["error"]
    assert listed(client)[0]["name"] == "Colon, July"


def test_a_copy_has_everything_and_goes_its_own_way(client, session, halves):
    client.put(f"/s/{session}/name", json={"name": "Colon"})
    copy = client.post(f"/s/{session}/duplicate").json["session"]
    before = client.get(f"/s/{session}/download/segmentation.tif").data
    assert client.get(f"/s/{copy}/download/segmentation.tif").data == before
    assert {one["id"]: one["name"] for one in listed(client)} == {session: "Colon", copy: "Copy of Colon"}
    converse(client, copy, [stroke_event("c", halves["hash"], 2, "M20,5L60,30")])
    assert client.get(f"/s/{session}/download/segmentation.tif").data == before
    assert client.get(f"/s/{copy}/download/segmentation.tif").data != before


def test_a_deleted_session_is_gone_with_all_that_belonged_to_it(client, session, halves):
    copy = client.post(f"/s/{session}/duplicate").json["session"]
    assert client.delete(f"/s/{session}").status_code == 200
    assert [one["id"] for one in listed(client)] == [copy]
    assert converse(client, session)[0]["kind"] == "gone"
    for path in ("download/strokes.json", "file", f"images/{halves['hash']}/thumbnail"):
        assert client.get(f"/s/{session}/{path}").status_code == 404
    assert client.delete(f"/s/{session}").status_code == 404
    assert client.get(f"/s/{copy}/images/{halves['hash']}/thumbnail").status_code == 200


@pytest.mark.parametrize("session_id", ["nobody", "x" * 40, "%2e%2e"])
def test_what_is_done_with_an_unknown_session_is_refused_with_a_sentence(client, session_id):
    for method, path in (("put", "/name"), ("post", "/duplicate"), ("delete", ""), ("get", "/file")):
        answer = getattr(client, method)(
            f"/s/{session_id}{path}", **({"json": {"name": "a"}} if path == "/name" else {})
        )
        assert answer.status_code == 404
        assert "no session" in answer.json["error"]
    assert converse(client, "nobody")[0]["kind"] == "gone"
    assert client.get_cookie(SESSIONS) is None


def test_the_list_counts_what_is_there_now(client, session, halves):
    erase = {"id": "e", "type": "stroke.erase", "image": halves["hash"], "strokes": ["a"]}
    converse(client, session, [erase, {"id": "u", "type": "undo", "event": "event-b"}])
    assert [(one["images"], one["strokes"]) for one in listed(client)] == [(1, 0)]
    converse(client, session, [{"id": "r", "type": "redo", "event": "event-b"}])
    assert [(one["images"], one["strokes"]) for one in listed(client)] == [(1, 1)]


def test_to_look_at_the_list_is_not_to_use_the_sessions(client, session):
    store = client.application.extensions["workbench"].store
    with store.database.writing() as connection:
        connection.execute(sessions.update().values(used=1000.0))
    assert [one["used"] for one in listed(client)] == [1000.0]
    assert [one["used"] for one in listed(client)] == [1000.0]


def test_who_leaves_a_session_takes_it_from_their_own_list_alone(client, session):
    draw(client, session)
    other = client.application.test_client()
    converse(other, session)
    assert client.post("/sessions/leave", json={"session": session}).status_code == 200
    assert listed(client) == []
    assert [one["id"] for one in listed(other)] == [session]
    for nonsense in ({}, {"session": 5}, {"session": "../x"}):
        assert other.post("/sessions/leave", json=nonsense).status_code == 200
    assert [one["id"] for one in listed(other)] == [session]
