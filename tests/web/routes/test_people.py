"""Who did what, and who is here."""

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
