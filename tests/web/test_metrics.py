"""What a server measures is told to whoever has the token, by any of its processes for all of them."""

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support import PATIENCE_SECONDS
from tests.support.asking import stroke_event
from tests.support.server import Server

TOKEN = "a token that nobody guesses"


def ask(server, path, body=None, token=None):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    data = None if body is None else json.dumps(body).encode()
    headers |= {"Content-Type": "application/json"} if data else {}
    with urllib.request.urlopen(urllib.request.Request(server.url + path, data, headers), timeout=60) as answer:
        return answer.read()


def status_of(server, path, token=None):
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(server, path, token=token)
    with refused.value as answer:
        return answer.code


def measured(server):
    text = ask(server, "/metrics", token=TOKEN).decode()
    samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
    return {(one.name, *one.labels.values()): one.value for one in samples if "pid" not in one.labels}


def draw(server, number):
    session = json.loads(ask(server, "/sessions", {}))["session"]
    told = ask(server, f"/s/{session}/converse", {"after": 0, "events": [], "segment": None, "window": "w"})
    image = json.loads(told.splitlines()[0])["events"][0]["body"]["image"]["hash"]
    paths = [(1, "M250,60L262,75L250,90"), (2, "M60,250L75,262L90,250")]
    events = [stroke_event(f"{number}-{n}", image, class_id, path) for n, (class_id, path) in enumerate(paths)]
    body = {"after": 1, "events": events, "window": "w", "segment": {"view": [0, 512, 0, 512], "known": {}}}
    assert b'"done"' in ask(server, f"/s/{session}/converse", body)
    ask(server, f"/s/{session}/converse", body)  # the same strokes again are no new ones


@pytest.mark.slow
def test_all_processes_are_measured_together_and_those_that_end_are_not_forgotten(tmp_path):
    left = tmp_path / "metrics" / "999999999"
    left.mkdir(parents=True)
    server = Server(tmp_path, WEB_CONCURRENCY="2", SQUIGGLE_METRICS_TOKEN=TOKEN)
    server.start()
    try:
        assert not left.exists()
        assert status_of(server, "/metrics") == 401
        assert status_of(server, "/metrics", "another token that is long") == 401
        for number in range(3):
            draw(server, number)
        before = measured(server)
        assert before["squiggle_strokes_total",] == 6
        assert before["squiggle_whole_overlay_seconds_count",] == 6
        assert before["squiggle_first_overlay_seconds_count",] == 6
        assert before["squiggle_waiting_tasks",] == 0
        assert before["squiggle_memory_bytes",] > 50e6
        assert before["squiggle_refusals_total", "401"] == 2
        assert ("squiggle_refusals_total", "431") not in before
        with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE_SECONDS) as no_request:
            no_request.sendall(b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 2**16 + b"\r\n\r\n")
            assert b" 431 " in no_request.recv(1000)
        assert measured(server)["squiggle_refusals_total", "431"] == 1
        assert before["squiggle_answers_total", "200"] >= 9
        workers = server.workers()
        for process in workers:
            os.kill(int(process), signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while set(server.workers()) & set(workers) or len(server.workers()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        draw(server, 3)
        assert measured(server)["squiggle_strokes_total",] == 8
    finally:
        server.stop()


def test_without_a_token_nothing_is_measured(client):
    answer = client.get("/metrics", headers={"Authorization": "Bearer "})
    assert answer.status_code == 404
