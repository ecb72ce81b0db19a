"""Processes are killed and connections are cut at random moments of 200 strokes: none is lost, none is doubled."""

import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
from contextlib import suppress

import pytest

from tests.support import PATIENCE_SECONDS
from tests.support.server import Server

pytestmark = pytest.mark.slow

STROKES = 200
PACE_SECONDS = 0.03
RETRY_SECONDS = 0.1


class Window:
    """A window of the page as far as its conversation goes: what is not acknowledged is said again."""

    def __init__(self, server, session):
        self.server = server
        self.session = session
        self.image = "a" * 64
        self.drawn = []
        self.unsent = []
        self.number = 0
        self.failures = 0
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._converse_on_and_on, daemon=True)
        self._thread.start()

    def draw(self, number):
        stroke = {"id": f"s{number}", "class_id": 1, "kind": "path", "path": f"M{number},1L{number},9", "width": 5}
        with self._lock:
            self.drawn.append(f"e{number}")
            self.unsent.append({"id": f"e{number}", "type": "stroke.add", "image": self.image, "stroke": stroke})

    def close(self):
        self._closed.set()
        self._thread.join()

    def journal(self):
        """All events, as a window that is opened afterwards gets them."""
        return converse(self.server, self.session, 0, [])["events"]

    def _converse_on_and_on(self):
        while not self._closed.is_set():
            with self._lock:
                sent = list(self.unsent)
            try:
                journal = converse(self.server, self.session, self.number, sent)
            except (OSError, http.client.HTTPException, ValueError):
                self.failures += 1
                time.sleep(RETRY_SECONDS)
                continue
            done = {event["id"] for event in sent}
            with self._lock:
                self.unsent = [event for event in self.unsent if event["id"] not in done]
            self.number += len(journal["events"])


def converse(server, session, after, events):
    """The journal's line of an answer; anything else than an acknowledgement is a ValueError."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    try:
        body = {"after": after, "events": events, "segment": None, "window": "w"}
        connection.request("POST", f"/s/{session}/converse", json.dumps(body), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        line = answer.readline()
    finally:
        connection.close()
    if answer.status >= 500:
        raise ValueError(line)
    assert answer.status == 200, line
    journal = json.loads(line)
    assert journal["kind"] == "journal", journal
    assert journal["refused"] == []
    return journal


def new_session(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
    connection.request("POST", "/sessions")
    session = json.loads(connection.getresponse().read())["session"]
    connection.close()
    return session


def kill_a_worker(server, chance):
    workers = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True
    ).stdout.split()
    if workers:
        with suppress(ProcessLookupError):
            os.kill(int(chance.choice(workers)), signal.SIGKILL)


def kill_all(server, _chance):
    server.kill()
    server.start()


@pytest.fixture(params=["sqlite", "postgresql"])
def hosted(request, tmp_path):
    """A server of two processes, and the ways in which it suffers."""
    ways, environment = [kill_a_worker] * 3 + [kill_all], {}
    if request.param == "postgresql":
        postgres, url = (request.getfixturevalue(name) for name in ("postgres", "postgres_url"))
        environment["DATABASE_URL"] = url
        ways += [lambda *_: postgres.terminate_connections(url.rsplit("/", 1)[1])] * 3
    server = Server(tmp_path, WEB_CONCURRENCY="2", **environment)
    server.start()
    yield server, ways
    server.stop()


@pytest.mark.parametrize("seed", [1, 2])
def test_two_hundred_strokes_survive_whatever_is_killed(hosted, seed):
    server, ways = hosted
    chance = random.Random(seed)
    moments = sorted(chance.sample(range(STROKES), 2 * len(ways)))
    window = Window(server, new_session(server))
    hand = threading.Thread(target=draw_all, args=(window, chance.random()), daemon=True)
    hand.start()
    for moment, way in zip(moments, chance.sample(ways * 2, len(moments)), strict=True):
        while len(window.drawn) < moment:
            time.sleep(chance.uniform(0, PACE_SECONDS))
        way(server, chance)
    hand.join()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while window.unsent:
        assert time.monotonic() < deadline, "the strokes do not arrive"
        time.sleep(RETRY_SECONDS)
    window.close()
    assert window.failures
    events = window.journal()
    assert [event["number"] for event in events] == list(range(1, STROKES + 2))
    assert [event["body"]["id"] for event in events] == ["start", *window.drawn]


def draw_all(window, seed):
    chance = random.Random(seed)
    for number in range(STROKES):
        window.draw(number)
        time.sleep(chance.uniform(0, 2 * PACE_SECONDS))
