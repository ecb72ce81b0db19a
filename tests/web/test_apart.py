"""One session cannot reach what is another's, by any route there is."""

import html
import json
import re

import pytest

from segmentation.web.application import create_app
from segmentation.web.security.cookies import SESSIONS
from segmentation.web.settings import Settings
from tests.support import ROOT
from tests.support.asking import converse, stroke_event, tile_request
from tests.support.files import png
from tests.support.images import scene

SECRET_NAME = "secret-sample-of-ada.png"
CLASSIFIER = (ROOT / "tests/golden/waves_second_channel.squiggle").read_bytes()
PATH = "M1.25,1.5L9.75,9.5"


@pytest.fixture
def client(tmp_path):
    app = create_app(Settings(data_folder=tmp_path))
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


@pytest.fixture
def ada(client):
    """A session with an image, strokes, classes and a classifier of its own; what must not get out of it."""
    session = client.post("/sessions").json["session"]
    image = client.post(f"/s/{session}/images?name={SECRET_NAME}", data=png(scene(0, 3, 12, 17))).json
    classifier = client.post(f"/s/{session}/classifiers?name=secret-of-ada.squiggle", data=CLASSIFIER).json
    events = [
        {"id": "open", "type": "image.open", "image": {k: v for k, v in image.items() if k != "notes"}},
        {"id": "class", "type": "class.change", "class_id": 1, "name": "secret-class-of-ada"},
        stroke_event("a", image["hash"], 1, PATH),
        stroke_event("b", image["hash"], 2, "M12,2L15,9"),
    ]
    (journal,) = converse(client, session, events)
    assert journal["refused"] == []
    secrets = {SECRET_NAME, "secret-of-ada", "secret-class-of-ada", PATH, session}
    return {"session": session, "image": image["hash"], "classifier": json.dumps(classifier), "secrets": secrets}


def places(rule, ada, session):
    """A path for a rule, with another's ids wherever one fits, below somebody's own session."""
    values = {"session_id": session, "image_hash": ada["image"]}
    return re.sub(r"<(?:\w+(?:\([^)]*\))?:)?(\w+)>", lambda found: values.get(found[1], "strokes.json"), rule)


def test_no_route_of_ones_own_session_leads_into_anothers(client, ada):
    eve = client.post("/sessions").json["session"]
    client.delete_cookie(SESSIONS)
    queries = (
        "",
        "rows=0,9&columns=0,9&step=1",
        f"image={ada['image']}",
        f"session={ada['session']}&image={ada['image']}",
    )
    tried = 0
    for rule in client.application.url_map.iter_rules():
        for session in (eve, "nobody", ""):
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                for query in queries:
                    path = places(rule.rule, ada, session)
                    response = client.open(f"{path}?{query}", method=method, json={} if method == "POST" else None)
                    text = response.get_data().decode("utf-8", "replace")
                    said = text + str(response.headers)
                    for asked in (query, html.escape(query)):
                        said = said.replace(f"?{asked}", "")  # a redirection repeats what was asked for
                    leaked = [secret for secret in ada["secrets"] if secret in said]
                    assert not leaked, (method, path, query)
                    if "<image_hash>" in rule.rule and session:
                        assert response.status_code in (404, 405), (method, path)
                    tried += 1
    assert tried > 100


def test_no_event_brings_anothers_image_strokes_or_classifier(client, ada):
    eve = client.post("/sessions").json["session"]
    fields = json.loads(ada["classifier"])
    image = {"hash": ada["image"], "name": "x", "rows": 12, "columns": 17, "channels": 3, "dtype": "uint8"}
    events = [
        {"id": "e1", "type": "image.open", "image": image},
        {
            "id": "e2",
            "type": "classifier.open",
            **{k: v for k, v in fields.items() if k not in ("id", "type", "notes")},
        },
        {"id": "a", "type": "undo", "event": "event-a"},
    ]
    messages = converse(client, eve, events, segment=tile_request(12, 17))
    text = json.dumps([message for message in messages if message["kind"] != "journal"])
    assert not [secret for secret in ada["secrets"] if secret in text]
    journal = next(message for message in messages if message["kind"] == "journal")
    assert {"e1", "e2"} <= {refusal["id"] for refusal in journal["refused"]}
    strokes = client.get(f"/s/{eve}/download/strokes.json").json["strokes"]
    assert strokes == []


def test_the_start_lists_nobody_elses_sessions(client, ada):
    client.delete_cookie(SESSIONS)
    answer = client.get("/", follow_redirects=True)
    assert not [secret for secret in ada["secrets"] if secret.encode() in answer.data]
    assert ada["session"] not in answer.request.path


def test_every_cookie_is_out_of_reach_of_scripts_and_other_sites(client):
    for cookie in client.get("/").headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
    secure = client.get("/", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1"})
    assert secure.status_code == 403
