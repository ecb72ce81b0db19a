"""Who did what, and who is here."""

import json
import time

import numpy as np
import pytest

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from tests.support.asking import converse, stroke_event
from tests.support.files import png

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


class User:
    """A browser of somebody whom the proxy names."""

    def __init__(self, app, name):
        self.client = app.server.test_client()
        self.client.environ_base |= {"HTTP_X_USER": name}

    def begins(self):
        return self.client.post("/sessions").json["session"]

    def lists(self):
        return {one["id"] for one in self.client.get("/sessions/list").json}


@pytest.fixture
def app(tmp_path):
    """A server behind a proxy that signs people in, with little room for each."""
    settings = Settings(data_folder=tmp_path, user_header="X-User", user_bytes=3_000_000)
    app = create_app(settings)
    yield app
    app.server.extensions["workbench"].store.close()


def test_a_user_finds_their_sessions_on_any_machine_and_nobody_elses(app):
    at_work, at_home, other = User(app, "ann"), User(app, "ann"), User(app, "bob")
    session = at_work.begins()
    converse(at_work.client, session, [stroke_event("a", IMAGE, 1, "M1,1L2,2")])
    assert at_home.lists() == {session}
    assert other.lists() == set()
    converse(other.client, session)
    assert User(app, "bob").lists() == {session}, "who has met a link finds it again"
    at_home.client.post("/sessions/leave", json={"session": session})
    assert User(app, "ann").lists() == set()
    assert User(app, "bob").lists() == {session}
    converse(at_home.client, session)
    assert User(app, "ann").lists() == {session}
    assert at_home.client.delete(f"/s/{session}").status_code == 200
    assert User(app, "bob").lists() == set()


def test_who_began_a_session_alone_takes_its_looking_link_back_and_deletes_it(app):
    ann, bob = User(app, "ann").client, User(app, "bob").client
    session = ann.post("/sessions").json["session"]
    looking = bob.post(f"/s/{session}/looking").json["looking"]
    for refused in (bob.delete(f"/s/{session}/looking"), bob.delete(f"/s/{session}")):
        assert refused.status_code == 403
        assert "who began this session" in refused.json["error"]
    assert ann.delete(f"/s/{looking}/looking").status_code == 403
    assert converse(bob, looking)[0]["kind"] == "journal"
    assert ann.delete(f"/s/{session}/looking").status_code == 200
    assert converse(bob, looking)[0]["kind"] == "gone"
    assert bob.get(f"/s/{looking}/file").status_code == 404
    again = ann.post(f"/s/{session}/looking").json["looking"]
    assert again != looking
    assert converse(bob, again)[0]["kind"] == "journal"


def test_who_began_a_session_alone_takes_the_link_to_work_in_it_back(app):
    at_work, at_home, bob = (User(app, name) for name in ("ann", "ann", "bob"))
    session = at_work.begins()
    for one in (at_work, bob):
        converse(one.client, session, [stroke_event("a", IMAGE, 1, "M1,1L2,2")])
    refused = bob.client.delete(f"/s/{session}/link")
    assert (refused.status_code, "who began this session" in refused.json["error"]) == (403, True)
    new = at_home.client.delete(f"/s/{session}/link").json["session"]
    assert bob.lists() == set()
    assert "taken back" in converse(bob.client, session)[0]["reason"]
    assert at_work.lists() == at_home.lists() == User(app, "ann").lists() == {new}
    converse(bob.client, new)
    assert bob.lists() == {new}


def test_a_link_that_was_left_is_found_again_whichever_process_is_asked(app, tmp_path):
    other = create_app(Settings(data_folder=tmp_path, user_header="X-User"))
    here, there = User(app, "ann"), User(other, "ann")
    session = here.begins()
    converse(here.client, session, [stroke_event("a", IMAGE, 1, "M1,1L2,2")])
    there.client.post("/sessions/leave", json={"session": session})
    assert User(app, "ann").lists() == set()
    converse(here.client, session)
    assert User(app, "ann").lists() == {session}
    other.server.extensions["workbench"].store.close()


def test_sessions_that_browsers_began_are_everybodys_once_a_proxy_names_people(app, tmp_path):
    nameless = create_app(Settings(data_folder=tmp_path))
    session = nameless.server.test_client().post("/sessions").json["session"]
    assert User(app, "ann").client.delete(f"/s/{session}").status_code == 200
    nameless.server.extensions["workbench"].store.close()


def test_without_a_proxy_whoever_works_in_a_session_takes_the_link_back(client, session):
    looking = client.post(f"/s/{session}/looking").json["looking"]
    assert client.delete(f"/s/{session}/looking").status_code == 200
    assert converse(client, looking)[0]["kind"] == "gone"


def test_what_a_user_copies_or_brings_counts_before_it_is_kept(app):
    bob = User(app, "bob")
    session = bob.begins()
    noise = np.random.default_rng(0).integers(0, 256, (800, 800, 3)).astype(np.uint8)
    facts = bob.client.post(f"/s/{session}/images?name=a.png", data=png(noise)).json
    converse(bob.client, session, [{"id": "open", "type": "image.open", "image": facts}])
    whole = bob.client.get(f"/s/{session}/file").data
    ann = User(app, "ann")
    own = ann.begins()
    facts = ann.client.post(f"/s/{own}/images?name=b.png", data=png(noise[:600])).json
    assert "hash" in facts
    copied = ann.client.post(f"/s/{session}/duplicate")
    assert (copied.status_code, "that you have begun hold" in copied.json["error"]) == (507, True)
    brought = ann.client.post("/sessions/import", data=whole)
    assert "that you have begun hold" in json.loads(brought.text.splitlines()[-1])["error"]
    assert ann.client.delete(f"/s/{own}").status_code == 200
    assert "session" in json.loads(ann.client.post("/sessions/import", data=whole).text.splitlines()[-1])


def test_the_sessions_of_one_user_together_are_bounded(app):
    ann, bob = User(app, "ann").client, User(app, "bob").client
    sessions = [ann.post("/sessions").json["session"] for _ in range(2)]
    copies = 0
    while (answer := ann.post(f"/s/{sessions[0]}/duplicate")).status_code == 200:
        copies += 1
        assert copies < 100
    assert answer.status_code == 507
    assert "that you have begun hold" in answer.json["error"]
    assert ann.post("/sessions").status_code == 507, "what a session begins with counts as the copy did"
    assert ann.post("/sessions/import", data=b"PK" + bytes(600_000)).status_code == 507
    assert bob.post("/sessions").status_code == 200
    for session in sessions:
        assert ann.delete(f"/s/{session}").status_code == 200
    assert ann.post("/sessions").status_code == 200
