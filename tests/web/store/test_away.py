"""A database that is away, or cuts its connections: a sentence, no event lost or doubled, and back by itself."""

import json
import random
import threading

import pytest

from segmentation.web.application import create_app
from segmentation.web.session.workbench import Workbench
from segmentation.web.settings import Settings
from segmentation.web.store import Store, StoreAwayError
from tests.support.asking import converse, stroke_event
from tests.support.postgres import Postgres


def event(number):
    return {"id": f"event-{number}", "type": "undo"}


@pytest.fixture
def own_postgres():
    """A server that a test may stop."""
    server = Postgres()
    server.start()
    yield server
    server.stop()
    server.remove()


def test_connections_that_are_cut_while_they_rest_are_not_noticed(postgres, postgres_url):
    store = Store.of(Settings(database_url=postgres_url))
    session = store.create_session()
    for number in range(5):
        postgres.terminate_connections(postgres_url.rsplit("/", 1)[1])
        store.append(session, [event(number)])
    assert [e.number for e in store.events(session)] == [1, 2, 3, 4, 5]
    store.close()


def test_connections_that_are_cut_at_any_moment_lose_and_double_nothing(postgres, postgres_url):
    store = Store.of(Settings(database_url=postgres_url))
    session = store.create_session()
    over, chance = threading.Event(), random.Random(1)
    failures = []

    def write(thread):
        for number in range(40):
            while True:
                try:
                    store.append(session, [event(f"{thread}-{number}")])
                    break
                except StoreAwayError as problem:
                    failures.append(problem)

    def cut():
        while not over.wait(chance.uniform(0, 0.03)):
            postgres.terminate_connections(postgres_url.rsplit("/", 1)[1])

    threads = [threading.Thread(target=write, args=(i,)) for i in range(3)]
    cutter = threading.Thread(target=cut)
    for thread in (cutter, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    cutter.join()
    assert failures
    events = store.events(session)
    assert [e.number for e in events] == list(range(1, 121))
    for i in range(3):
        own = [e.body["id"] for e in events if e.body["id"].startswith(f"event-{i}-")]
        assert own == [f"event-{i}-{number}" for number in range(40)]
    store.close()


def test_a_server_is_there_before_its_database_and_outlives_it(own_postgres):
    own_postgres.execute("CREATE DATABASE late")
    url = own_postgres.url("late")
    own_postgres.stop()
    app = create_app(Settings(database_url=url))
    client, store = app.server.test_client(), app.server.extensions["workbench"].store
    away = client.post("/sessions")
    assert away.status_code == 503
    assert "does not answer" in away.json["error"]
    assert away.headers["Retry-After"]
    assert client.get("/ready").status_code == 503
    own_postgres.start()
    unmade = client.post("/sessions")
    assert unmade.status_code == 503
    assert "python -m segmentation.web migrate" in unmade.json["error"]
    store.database.migrate()
    session = client.post("/sessions").json["session"]
    own_postgres.stop()
    body = {"after": 1, "events": [event(0)], "segment": None, "window": "w"}
    assert client.post(f"/s/{session}/converse", json=body).status_code == 503
    page = client.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 503
    assert page.mimetype == "text/html"
    assert page.headers["Refresh"]
    assert "does not answer" in page.text
    own_postgres.start()
    assert client.get("/ready").status_code == 200
    (journal,) = converse(client, session, [stroke_event("a", "a" * 64, 1, "M1,1L9,9")], after=1)
    assert [e["number"] for e in journal["events"]] == [2]
    store.close()


def test_a_store_that_goes_away_in_the_middle_of_an_answer_is_said_and_the_events_stay(store_settings, monkeypatch):
    app = create_app(store_settings)
    client, workbench = app.server.test_client(), app.server.extensions["workbench"]
    session = client.post("/sessions").json["session"]

    def away(*_arguments):
        raise StoreAwayError

    monkeypatch.setattr(Workbench, "training_set", away)
    wish = {"view": [0, 9, 0, 9], "known": {}}
    body = {"after": 0, "events": [event(0)], "segment": wish, "window": "w"}
    lines = client.post(f"/s/{session}/converse", json=body).text.splitlines()
    told = [json.loads(line) for line in lines]
    journal, last = (message for message in told if message["kind"] != "status")  # it may still be getting ready
    assert journal["kind"] == "journal"
    assert last["kind"] == "away"
    assert "does not answer" in last["reason"]
    workbench.store.close()
