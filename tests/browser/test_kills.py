"""Server and window die while a person draws; no stroke is lost or doubled, and the person need not do anything."""

import json
import os
import random
import signal
import subprocess

import pytest
from playwright.sync_api import Error

from tests.support.server import Server

STROKES = 16


def kill_a_process(server):
    workers = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    os.kill(int(workers[0]), signal.SIGKILL)


def crash(page):
    """Let the window's process crash, as it does when its memory ends."""
    with pytest.raises(Error):
        page.goto("chrome://crash")


@pytest.fixture
def doomed_server(tmp_path):
    server = Server(tmp_path, WEB_CONCURRENCY="2")
    server.start()
    yield server
    server.stop()


def test_strokes_outlive_the_server_and_the_window(people, doomed_server):
    chance = random.Random(5)
    person = people(doomed_server.url, expect_offline=True)
    link = person.page.url
    drawn = 0

    def draw(times):
        nonlocal drawn
        for _ in range(times):
            x, y = 40 + 60 * (drawn % 7), 60 + 60 * (drawn // 7)
            person.draw_and_wait((x, y), (x + 20, y + 20))
            drawn += 1

    def lose_a_process():
        kill_a_process(doomed_server)

    def lose_the_server():
        doomed_server.kill()
        draw(2)
        doomed_server.start()

    def lose_the_window():
        crash(person.page)
        person.open(link)

    def lose_both():
        doomed_server.kill()
        draw(2)
        crash(person.page)
        doomed_server.start()
        person.open(link)

    losses = [lose_a_process, lose_the_server, lose_the_window, lose_both, lose_a_process]
    chance.shuffle(losses)
    for lose in losses:
        draw(chance.randint(1, 3))
        lose()
    draw(STROKES - drawn)
    person.wait_until_saved()
    person.open(link)
    assert person.stroke_counts() == [drawn, 0]
    strokes = json.loads(person.download("strokes.json"))["strokes"]
    assert len({stroke["path"] for stroke in strokes}) == len(strokes) == drawn
