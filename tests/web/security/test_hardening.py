"""What is refused before anything of a request is read."""

import json
import threading
from contextlib import ExitStack

import pytest

from segmentation.web.application import create_app
from segmentation.web.http.connection import HAS_GONE
from segmentation.web.security import hardening
from segmentation.web.settings import Settings
from segmentation.web.store import UnknownImageError
from tests.support.asking import converse, tile_request
from tests.support.waiting import wait_for


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Asks a server that lets two sessions be begun."""
    monkeypatch.setattr(hardening, "STARTS_AT_ONCE", 2)
    monkeypatch.setattr(hardening, "STARTS_PER_SECOND", 1e-9)
    app = create_app(Settings(data_folder=tmp_path))
    yield app.server.test_client(use_cookies=False)
    app.server.extensions["workbench"].store.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("HEAD", "/"),
        ("POST", "/sessions"),
        ("POST", "/sessions/import"),
        ("POST", "/s/{}/duplicate"),
    ],
)
def test_every_way_to_begin_a_session_is_counted(client, method, path):
    session = client.post("/sessions").json["session"]
    path = path.format(session)
    assert client.open(path, method=method).status_code < 400
    assert client.open(path, method=method).status_code == 429
    assert client.get(f"/s/{session}/file").status_code == 200


def test_names_that_somebody_invents_are_no_way_around_the_limit(client, monkeypatch):
    monkeypatch.setattr(hardening, "AT_ONCE_OF_AN_ADDRESS", 20)
    monkeypatch.setattr(hardening, "PER_SECOND_OF_AN_ADDRESS", 1e-9)
    monkeypatch.setattr(hardening, "AT_ONCE_OF_A_SESSION", 5)
    app = create_app(Settings(data_folder=client.application.extensions["workbench"].settings.data_folder, open=True))
    invents = app.server.test_client(use_cookies=False)
    statuses = [invents.get(f"/s/invented-{n}/file").status_code for n in range(30)]
    assert statuses == [404] * 20 + [429] * 10
    elsewhere = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}
    assert invents.get("/s/invented/file", **elsewhere).status_code == 404
    app.server.extensions["workbench"].store.close()


class Held:
    """Requests that are at work until they may end."""

    def __init__(self, client):
        self.client = client
        self.may_end = threading.Event()
        self.at_work = threading.Semaphore(0)
        self.threads = []
        self.statuses = []

    def work(self, *_, **__):
        self.at_work.release()
        assert self.may_end.wait(60)
        return b"done", "text/plain"

    def begin(self, path, method="GET", has_gone=lambda: False):
        def ask():
            client = self.client.application.test_client(use_cookies=False)
            asked = {"method": method, "data": b"x" if method == "POST" else None}
            self.statuses.append(client.open(path, **asked, environ_overrides={HAS_GONE: has_gone}).status_code)

        self.threads.append(threading.Thread(target=ask))
        self.threads[-1].start()
        assert self.at_work.acquire(timeout=60)

    def end(self):
        self.may_end.set()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def held(client):
    held = Held(client)
    yield held
    held.end()


def test_a_few_downloads_of_a_session_are_at_work_and_the_others_come_again(client, held, monkeypatch):
    monkeypatch.setattr(client.application.extensions["workbench"].downloads, "make", held.work)
    session, other = (client.post("/sessions").json["session"] for _ in range(2))
    for _ in range(hardening.LONG_OF_A_SESSION):
        held.begin(f"/s/{session}/download/shares.csv")
    refused = client.get(f"/s/{session}/download/shares.csv")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json["error"] == hardening.TOO_OFTEN
    for asked in ("download/all.zip", "file", f"series/{'a' * 32}/results.zip"):
        assert client.head(f"/s/{session}/{asked}").status_code == 429, asked
    assert client.get(f"/s/{session}").status_code == 200
    for _ in range(hardening.LONG_OF_AN_ADDRESS - hardening.LONG_OF_A_SESSION):
        held.begin(f"/s/{other}/download/shares.csv")
    assert client.get(f"/s/{other}/download/shares.csv").status_code == 429
    held.end()
    assert held.statuses == [200] * hardening.LONG_OF_AN_ADDRESS
    assert client.get(f"/s/{other}/download/shares.csv").status_code == 200


def test_a_few_uploads_wait_and_the_others_come_again(client, held, monkeypatch):
    monkeypatch.setattr(client.application.extensions["workbench"].images, "add", lambda *_, **__: held.work() and {})
    monkeypatch.setattr("segmentation.web.routes.requests._being_opened", threading.BoundedSemaphore(100))
    session = client.post("/sessions").json["session"]
    for _ in range(hardening.LONG_OF_A_SESSION):
        held.begin(f"/s/{session}/images", "POST")
    refused = client.post(f"/s/{session}/images", data=b"x")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.post(f"/s/{session}/addresses", json={"address": "/srv"}).status_code == 429
    held.end()
    assert held.statuses == [200] * hardening.LONG_OF_A_SESSION
    assert client.post(f"/s/{session}/images", data=b"x").status_code == 200


@pytest.mark.parametrize("asked", ["explain", "probabilities"])
def test_a_few_questions_of_a_session_are_at_work_and_the_others_come_again(client, held, monkeypatch, asked):
    explanations = client.application.extensions["workbench"].explanations
    monkeypatch.setattr(explanations, asked, lambda *_, **__: held.work() and {})
    session = client.post("/sessions").json["session"]
    for _ in range(hardening.LONG_OF_A_SESSION):
        held.begin(f"/s/{session}/{asked}?row=1&column=1")
    for other in ("part", "explain", "probabilities", "next-strokes", "importance", "leaving-out", "drift"):
        for method in ("GET", "HEAD"):
            assert client.open(f"/s/{session}/{other}?row=1&column=1", method=method).status_code == 429, other
    held.end()
    assert held.statuses == [200] * hardening.LONG_OF_A_SESSION
    assert client.get(f"/s/{session}/{asked}?row=1&column=1").status_code == 200


SHOWN, THUMBNAILS = ("view", "levels", "values", "about"), ("thumbnail",)


@pytest.mark.parametrize(
    ("asked", "others", "most"),
    [(one, SHOWN, hardening.SHOWN_OF_A_SESSION) for one in SHOWN]
    + [("thumbnail", THUMBNAILS, hardening.THUMBNAILS_OF_A_SESSION)],
)
def test_a_few_parts_of_images_are_prepared_for_a_session_and_the_others_come_again(
    client, held, monkeypatch, asked, others, most
):
    images = client.application.extensions["workbench"].images

    def refuse_later(*_):
        held.work()
        raise UnknownImageError("gone meanwhile")

    monkeypatch.setattr(images, "_get", refuse_later)
    session = client.post("/sessions").json["session"]
    for _ in range(most):
        held.begin(f"/s/{session}/images/{'a' * 64}/{asked}")
    for other in others:
        for method in ("GET", "HEAD"):
            refused = client.open(f"/s/{session}/images/{'a' * 64}/{other}", method=method)
            assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1"), other
    assert client.get(f"/s/{session}/download/strokes.json").status_code == 200
    held.end()
    assert held.statuses == [404] * most
    assert client.get(f"/s/{session}/images/{'a' * 64}/{asked}").status_code == 404


def test_who_turns_planes_waits_for_none_that_they_have_left(client, held, monkeypatch):
    read, turned = [], threading.Event()

    def shown(*_, **__):
        read.append(held.work())
        raise UnknownImageError("gone meanwhile")

    monkeypatch.setattr(client.application.extensions["workbench"].images, "shown", shown)
    session = client.post("/sessions").json["session"]
    view = f"/s/{session}/images/{'a' * 64}/view"
    for _ in range(hardening.SHOWN_OF_A_SESSION):
        held.begin(view, has_gone=turned.is_set)
    assert client.get(view).status_code == 429
    turned.set()
    held.begin(f"/s/{session}/images/{'a' * 64}/about")
    assert client.get(view, environ_overrides={HAS_GONE: turned.is_set}).status_code == 499, "it is not even read"
    held.end()
    assert held.statuses == [404] * (1 + hardening.SHOWN_OF_A_SESSION)
    assert len(read) == len(held.statuses)


def test_masks_that_are_scored_count_as_uploads(client, held, monkeypatch):
    workbench = client.application.extensions["workbench"]
    monkeypatch.setattr(workbench.mask_scorer, "score", lambda *_, **__: held.work() and {})
    monkeypatch.setattr("segmentation.web.routes.requests._being_opened", threading.BoundedSemaphore(100))
    session = client.post("/sessions").json["session"]
    for _ in range(hardening.LONG_OF_A_SESSION):
        held.begin(f"/s/{session}/mask-scores", "POST")
    assert client.post(f"/s/{session}/mask-scores", data=b"x").status_code == 429
    assert client.post(f"/s/{session}/images", data=b"x").status_code == 429


def waits_for_a_segmentation(client, session, window, events=()):
    return client.post(
        f"/s/{session}/converse",
        json={"after": 0, "events": list(events), "segment": tile_request(10, 10) | {"image": None}, "window": window},
        buffered=True,
    )


def test_a_few_windows_of_a_session_wait_for_its_segmentation_and_the_others_come_again(client, held, monkeypatch):
    workbench = client.application.extensions["workbench"]
    monkeypatch.setattr(hardening, "SEGMENTING_OF_A_SESSION", 3)
    monkeypatch.setattr(hardening, "SEGMENTING_OF_AN_ADDRESS", 5)
    session, other = (client.post("/sessions").json["session"] for _ in range(2))

    def begin(one):
        window = f"window {len(held.threads)}"
        held.threads.append(threading.Thread(target=lambda: held.statuses.append(asks(one, window).status_code)))
        held.threads[-1].start()
        assert held.at_work.acquire(timeout=60)

    def asks(one, window, **body):
        return waits_for_a_segmentation(client.application.test_client(use_cookies=False), one, window, **body)

    monkeypatch.setattr(workbench.conversations._trainer, "training_set", held.work)
    for _ in range(3):
        begin(session)
    renames = {"id": "named", "type": "session.rename", "name": "drawn all the same"}
    refused = asks(session, "late", events=[renames])
    assert float(refused.headers["Retry-After"]) > 0
    journal, busy = map(json.loads, refused.text.splitlines())
    assert [event["body"]["id"] for event in journal["events"]][-1] == "named"
    assert busy == {"kind": "busy", "reason": hardening.TOO_OFTEN, "seconds": hardening.SEGMENTING_WAIT}
    for _ in range(2):
        begin(other)
    assert "Retry-After" in asks(other, "late").headers
    assert len(converse(client, other)) == 1
    held.end()
    assert held.statuses == [200] * 5
    monkeypatch.undo()
    assert "busy" not in asks(session, "late").text


def test_a_window_that_asks_anew_takes_its_place_over_and_waits_no_longer_for_the_former_answer(
    client, halves, session
):
    """The former answer would have waited for its turn, and kept its place as long."""
    workbench, answers = client.application.extensions["workbench"], []

    def ask(window):
        asking = client.application.test_client(use_cookies=False)
        answer = waits_for_a_segmentation(asking, session, window)
        answers.append([json.loads(line)["kind"] for line in answer.text.splitlines()])

    def begin(window):
        threads.append(threading.Thread(target=ask, args=(window,)))
        threads[-1].start()
        wait_for(lambda: workbench.scheduler._urgent, "a window waits for its turn")

    threads = []
    with ExitStack() as at_work:
        for _ in range(workbench.scheduler._all):
            at_work.enter_context(workbench.scheduler.turn("others"))
        begin("w")
        for number in range(2 * hardening.SEGMENTING_OF_A_SESSION):
            begin("w")
            threads[number].join(60)
            assert not threads[number].is_alive()
        assert [kinds for kinds in answers if {"busy", "done"} & {*kinds}] == []
    threads[-1].join(60)
    assert answers[-1][-1] == "done"


def test_who_has_the_segmentation_and_waits_for_scores_keeps_nobody_away(client, held, halves, session, monkeypatch):
    workbench = client.application.extensions["workbench"]
    monkeypatch.setattr(hardening, "SEGMENTING_OF_A_SESSION", 1)
    monkeypatch.setattr(workbench.conversations._scorer, "score", lambda *_, **__: [held.work() and {"kind": "scores"}])

    def ask():
        asking = client.application.test_client(use_cookies=False)
        segment = tile_request(10, 10) | {"image": halves["hash"], "scores": {"newest": None}}
        body = {"after": 0, "events": [], "segment": segment, "window": "first"}
        held.statuses.append(asking.post(f"/s/{session}/converse", json=body, buffered=True).status_code)

    held.threads.append(threading.Thread(target=ask))
    held.threads[-1].start()
    assert held.at_work.acquire(timeout=60)
    assert "busy" not in waits_for_a_segmentation(client, session, "second").text
    held.end()


def test_places_are_left_again_whatever_came_of_it(client):
    session = client.post("/sessions").json["session"]
    for _ in range(3 * hardening.LONG_AT_ONCE):
        assert client.get(f"/s/{session}/download/nothing").status_code == 404
        assert client.post(f"/s/{session}/images", data=b"no image").status_code == 200
        assert client.get(f"/s/{session}/download/segmentation.png").status_code == 422
