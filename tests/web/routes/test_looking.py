"""The link that only lets look: everything can be seen and taken home, nothing can be changed."""

import re

import pytest

from segmentation.web.routes.looking import ONLY_LOOK
from segmentation.web.security.guard import SAFE_METHODS
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
    values = {"session_id": looking, "series_id": series, "what": "stop", "number": 1}
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
