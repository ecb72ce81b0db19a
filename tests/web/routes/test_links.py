"""The links of a session: with one that only lets look nothing can be changed; each can be taken back."""

import json
import re

import pytest

from segmentation.web.routes.errors import LOOKING_TAKEN_BACK, TAKEN_BACK
from segmentation.web.routes.links import ONLY_LOOK
from segmentation.web.security.cookies import BEGINNER
from segmentation.web.security.guard import SAFE_METHODS
from segmentation.web.store.tables import sessions
from tests.support.asking import converse, stroke_event, tile_request
from tests.support.images import HALVES

CHANGES_NO_SESSION = {
    "/sessions": "begins one",
    "/sessions/import": "begins one",
    "/sessions/leave": "concerns the browser's own list",
    "/sign-in": "concerns the browser",
    "/sign-out": "concerns the browser",
    "/_dash-update-component": "checks settings, and keeps nothing",
}
"""What may be asked to change something by whoever may use the server at all."""

DOWNLOADS = [
    "segmentation.png",
    "segmentation.tif",
    "segmentation.ome.tif",
    "all.zip",
    "overlay.png",
    "probabilities.tif",
    "labels.tif",
    "strokes.json",
    "shares.csv",
    "objects.csv",
    "objects.zip",
    "objects.bin",
    "report.html",
    "log.csv",
    "classifier.squiggle?along=strokes,pixels",
]


@pytest.fixture
def looking(client, session):
    return client.post(f"/s/{session}/looking").json["looking"]


@pytest.fixture
def looker(client):
    """Asks from another browser, which knows no session."""
    return client.application.test_client()


def changing_rules(client):
    return [rule for rule in client.application.url_map.iter_rules() if rule.methods - SAFE_METHODS]


def test_every_request_that_changes_a_session_is_refused_with_a_sentence(client, session, halves, looking, looker):
    series = client.post(f"/s/{session}/series", json={"image": halves["hash"]}).json["series"]
    before = client.get(f"/s/{session}/file").data
    values = {"session_id": looking, "series_id": series, "what": "stop", "number": 1, "image_hash": 64 * "0"}
    tried = 0
    for rule in changing_rules(client):
        if "session_id" not in rule.arguments:
            assert re.sub("<.*>", "", rule.rule) in CHANGES_NO_SESSION, f"{rule} changes what?"
            continue
        for method in rule.methods - SAFE_METHODS:
            path = rule.build({name: values[name] for name in rule.arguments}, append_unknown=False)[1]
            body = {"after": 0, "events": [stroke_event("new", halves["hash"], 1, "M1,1L9,9")], "window": "w"}
            answer = looker.open(path, method=method, json=body | {"name": "Mine"})
            assert (answer.status_code, answer.json["error"]) == (403, ONLY_LOOK), (method, path)
            tried += 1
    assert tried >= 10
    assert client.get(f"/s/{session}/file").data == before


def test_all_can_be_seen_and_taken_home_and_nothing_says_the_id_of_the_session(
    client, session, halves, looking, looker
):
    client.post(f"/s/{session}/series", json={"image": halves["hash"]})
    answers = {"page": looker.get(f"/s/{looking}")}
    rows, columns = HALVES.shape[:2]
    messages = converse(looker, looking, segment=tile_request(rows, columns))
    assert messages[-1]["kind"] == "done"
    body = {"after": 0, "events": [], "window": "w", "segment": tile_request(rows, columns)}
    answers["converse"] = looker.post(f"/s/{looking}/converse", json=body)
    paths = [f"download/{name}" for name in DOWNLOADS] + ["file", "series"]
    paths += [f"images/{halves['hash']}/{shown}" for shown in ("thumbnail", "view?rows=0,9&columns=0,9&step=1")]
    for path in paths:
        answers[path] = looker.get(f"/s/{looking}/{path}")
        assert answers[path].status_code == 200, path
        assert answers[path].data == client.get(f"/s/{session}/{path}").data, path
    answers["list"] = looker.get("/sessions/list")
    answers["layout"] = looker.get("/_dash-layout")
    answers["refused"] = looker.delete(f"/s/{looking}")
    answers["unknown"] = looker.get(f"/s/{looking}/download/no.txt")
    for name, answer in answers.items():
        assert session.encode() not in answer.data, name
        assert session not in str(answer.headers), name
    assert [(one["id"], one["looking"]) for one in answers["list"].json] == [(looking, True)]
    assert looker.get("/sessions").status_code == 200


def test_whoever_knows_both_links_finds_the_session_once(client, session, looking):
    converse(client, looking)
    assert [(one["id"], one["looking"]) for one in client.get("/sessions/list").json] == [(session, False)]


def test_a_link_that_leads_nowhere_says_so(client, session, looking):
    client.delete(f"/s/{session}")
    for link in (looking, "look-" + "x" * 22):
        assert converse(client, link)[0]["kind"] == "gone"
        assert client.get(f"/s/{link}/file").status_code == 404


# ---- links that are taken back


def routes_of_sessions(client):
    for rule in client.application.url_map.iter_rules():
        if "session_id" in rule.arguments:
            yield from ((rule, method) for method in rule.methods - {"HEAD", "OPTIONS"})


def test_a_link_that_was_taken_back_says_so_at_every_route_and_the_new_one_does_all(client, session, halves, looker):
    converse(looker, session)
    before = client.get(f"/s/{session}/file").data
    new = client.delete(f"/s/{session}/link").json["session"]
    assert new.startswith("work-")
    values = {"session_id": session, "series_id": "x", "what": "stop", "number": 1, "image_hash": halves["hash"]}
    for browser in (client, looker):
        for rule, method in routes_of_sessions(client):
            unknown = dict.fromkeys(rule.arguments - values.keys(), "objects.csv")
            path = rule.build(values | unknown, append_unknown=False)[1]
            body = {"after": 0, "events": [stroke_event("new", halves["hash"], 1, "M1,1L9,9")], "window": "w"}
            answer = browser.open(path, method=method, json=body)
            if path.endswith("/converse"):
                assert answer.text.splitlines()[-1] == json.dumps(
                    {"kind": "gone", "reason": TAKEN_BACK}, separators=(",", ":")
                )
            else:
                assert (answer.status_code, answer.json["error"]) == (404, TAKEN_BACK), (method, path)
    assert client.get(f"/s/{new}/file").data == before
    assert [(one["id"], one["strokes"]) for one in client.get("/sessions/list").json] == [(new, 2)]
    assert looker.get("/sessions/list").json == []
    converse(client, new, [stroke_event("later", halves["hash"], 1, "M1,1L9,9")])
    assert client.get("/sessions/list").json[0]["strokes"] == 3
    assert client.put(f"/s/{new}/name", json={"name": "Mine"}).json == {"session": new}
    assert client.delete(f"/s/{new}").json == {"session": new}
    assert client.get("/sessions/list").json == []
    assert "Start a new one" in client.get(f"/s/{session}/file").json["error"], "nothing is said of what is deleted"


def test_every_link_that_was_taken_back_is_told_so_and_the_one_to_look_stays(client, session, looking, looker):
    links = [session]
    for _ in range(3):
        links.append(client.delete(f"/s/{links[-1]}/link").json["session"])
        assert converse(looker, looking)[0]["kind"] == "journal"
    assert len(set(links)) == 4
    for former in links[:-1]:
        assert converse(client, former) == [{"kind": "gone", "reason": TAKEN_BACK}]
    assert client.post(f"/s/{links[-1]}/looking").json == {"looking": looking, "mine": True}
    assert links[-1].encode() not in looker.get(f"/s/{looking}/file").data
    client.delete(f"/s/{links[-1]}/looking")
    assert converse(looker, looking) == [{"kind": "gone", "reason": LOOKING_TAKEN_BACK}]
    assert "what you drew" not in LOOKING_TAKEN_BACK, "who looks has drawn nothing"


def test_only_the_browser_that_began_a_session_takes_its_links_back(client, looker):
    session = client.post("/sessions").json["session"]
    converse(looker, session)
    asked = looker.post(f"/s/{session}/looking").json
    assert asked["mine"] is False
    for kind in ("link", "looking"):
        refused = looker.delete(f"/s/{session}/{kind}")
        assert refused.status_code == 403
        assert "the browser in which this session was begun" in refused.json["error"]
    assert converse(looker, asked["looking"])[0]["kind"] == "journal"
    looker.set_cookie(BEGINNER, client.get_cookie(BEGINNER).value.replace("browser-", "browser-x"))
    assert looker.delete(f"/s/{session}/link").status_code == 403, "a cookie that somebody made"
    client.post("/sessions")
    assert client.delete(f"/s/{session}/link").status_code == 200, "the browser stays the same"


def test_who_brings_a_session_as_a_file_has_begun_it(client, session, looker):
    whole = client.get(f"/s/{session}/file").data
    brought = json.loads(looker.post("/sessions/import", data=whole).text.splitlines()[-1])["session"]
    assert client.delete(f"/s/{brought}/link").status_code == 403
    assert looker.delete(f"/s/{brought}/link").status_code == 200


def test_sessions_from_before_somebody_asked_who_began_them_are_everybodys(client, session, looker):
    with client.application.extensions["workbench"].store.database.writing() as connection:
        connection.execute(sessions.update().values(owner=None))
    assert looker.delete(f"/s/{session}/link").status_code == 200
