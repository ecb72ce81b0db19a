"""Who did what, and who is here."""

import json
import time

import pytest

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from tests.support.asking import converse, stroke_event

ANN = {"id": "ann", "name": "Ann"}
IMAGE = "a" * 64


@pytest.fixture
def behind_proxy(tmp_path):
    """Asks a server behind a proxy that signs people in."""
    app = create_app(Settings(data_folder=tmp_path, user_header="X-User"))
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


def journal_of(client, session):
    return [event["body"] for event in converse(client, session)[0]["events"]]


def test_an_event_keeps_its_author_and_gets_the_time_of_the_server(client, session):
    before = int(time.time())
    sent = stroke_event("a", IMAGE, 1, "M1,1L2,2") | {"author": ANN, "time": 12}
    converse(client, session, [sent])
    converse(client, session, [sent | {"author": {"id": "bob", "name": "Bob"}}])
    _, stroke = journal_of(client, session)
    assert stroke["author"] == ANN
    assert before <= stroke["time"] <= time.time()


def test_behind_a_proxy_that_signs_in_its_word_counts_and_not_the_browsers(behind_proxy):
    user = {"HTTP_X_USER": "Zoë Müller".encode().decode("latin-1")}
    behind_proxy.environ_base |= user
    session = behind_proxy.post("/sessions").json["session"]
    converse(behind_proxy, session, [stroke_event("a", IMAGE, 1, "M1,1L2,2") | {"author": ANN}])
    _, stroke = journal_of(behind_proxy, session)
    assert stroke["author"]["name"] == "Zoë Müller"
    facts = behind_proxy.get("/_dash-layout").get_data(as_text=True)
    assert stroke["author"]["id"] in facts


def test_a_header_is_nothing_where_no_proxy_signs_in(client, session):
    sent = stroke_event("a", IMAGE, 1, "M1,1L2,2") | {"author": ANN}
    client.post(f"/s/{session}/converse", json={"after": 0, "events": [sent], "window": "w"}, headers={"X-User": "eve"})
    assert journal_of(client, session)[1]["author"] == ANN


def here_of(client, link, **here):
    body = {"after": 0, "events": [], "window": "w", "segment": None}
    answer = client.post(f"/s/{link}/converse", json=body | {"here": {"image": IMAGE, "view": [0, 9, 0, 9]} | here})
    assert answer.status_code == 200, answer.text
    last = json.loads(answer.text.splitlines()[-1])
    assert last["kind"] == "here"
    return last["people"]


def test_people_see_who_is_here_and_where_they_look(client, session):
    assert here_of(client, session, author=ANN, image="") == []
    bob = {"id": "bob", "name": ""}
    assert here_of(client, session, author=bob) == [{"person": "ann", "name": "Ann", "image": "", "view": [0, 9, 0, 9]}]
    assert [one["person"] for one in here_of(client, session, author=ANN)] == ["bob"]


def test_who_only_looks_is_seen_and_takes_nobodys_place(client, session):
    looking = client.post(f"/s/{session}/looking").json["looking"]
    here_of(client, session, author=ANN)
    assert [one["name"] for one in here_of(client, looking, author=ANN | {"name": "Eve"})] == ["Ann"]
    assert [one["name"] for one in here_of(client, session, author={"id": "bob", "name": ""})] == ["Ann", "Eve"]


@pytest.mark.parametrize(
    "wrong",
    [
        "me",
        {"author": ANN},
        {"author": ANN, "image": "x", "view": [0, 1, 0, 1]},
        {"author": ANN, "image": IMAGE, "view": [0, 1, 0]},
        {"author": ANN, "image": IMAGE, "view": [0, 1, 0, 1e9]},
        {"author": {"id": "a b"}, "image": IMAGE, "view": [0, 1, 0, 1]},
    ],
)
def test_who_is_here_is_read_with_care(client, session, wrong):
    answer = client.post(f"/s/{session}/converse", json={"after": 0, "events": [], "window": "w", "here": wrong})
    assert answer.status_code == 422
    assert answer.json["error"].endswith(".")


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("\N{WOMAN}\N{ZERO WIDTH JOINER}\N{MICROSCOPE}", "\N{WOMAN} \N{MICROSCOPE}"),
        ("Ann\nBob\N{RIGHT-TO-LEFT OVERRIDE}", "Ann Bob"),
        ("x" * 10_000, "x" * 40),
        ("\0", ""),
    ],
)
def test_no_name_keeps_anybody_from_working(client, session, sent, kept):
    author = {"id": "ann", "name": sent}
    assert here_of(client, session, author=author) == []
    (journal,) = converse(client, session, [stroke_event("a", IMAGE, 1, "M1,1L2,2") | {"author": author}])
    assert journal["refused"] == []
    assert journal["events"][-1]["body"]["author"] == {"id": "ann", "name": kept}
    assert [one["name"] for one in here_of(client, session, author={"id": "bob"})] == [kept]
