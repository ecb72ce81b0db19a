"""A server that has too much to do: the page says so, and goes on once it has less."""

import json
import socket
import threading
import urllib.request
from urllib.parse import urlsplit

from segmentation.web.security.hardening import SEGMENTING_OF_A_SESSION, SEGMENTING_OF_AN_ADDRESS, TOO_OFTEN
from tests.support.page import THIRD, draw_two

STROKES, POINTS = 600, 2_000
"""Of a journal that is longer than what the server writes for somebody who does not read."""


HELD_SECONDS = 20
MORE = 10
"""Windows beyond the places that there are, which ask one after the other: a place that is left is taken soon."""


class Crowd:
    """Windows of other sessions at the same address that ask for their segmentation and read nothing of the answer."""

    def __init__(self, url):
        self.url = url
        self.has_ended = threading.Event()
        self.threads = []
        while len(self.threads) < SEGMENTING_OF_AN_ADDRESS + MORE:
            session = self.session_with_a_long_journal()
            for window in range(SEGMENTING_OF_A_SESSION):
                late = HELD_SECONDS * max(0, len(self.threads) - SEGMENTING_OF_AN_ADDRESS) / MORE
                self.threads.append(threading.Thread(target=self.hold, args=(session, f"w{window}", late)))
        for thread in self.threads:
            thread.start()

    def ask(self, path, body):
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return [json.loads(line) for line in answer.read().splitlines()]

    def session_with_a_long_journal(self):
        (begun,) = self.ask("/sessions", {})
        path = f"/s/{begun['session']}/converse"
        (journal,) = self.ask(path, self.said())
        image = journal["events"][0]["body"]["image"]["hash"]
        line = "M1,1L" + "L".join(f"{n % 500}.25,{n % 490}.75" for n in range(POINTS))
        strokes = [{"id": f"s{n}", "class_id": 1, "kind": "path", "path": line, "width": 3} for n in range(STROKES)]
        for first in range(0, STROKES, 100):
            events = [{"id": one["id"], "type": "stroke.add", "image": image, "stroke": one} for one in strokes]
            self.ask(path, self.said(events=events[first : first + 100], after=10**6))
        return path

    @staticmethod
    def said(window="w", after=0, events=(), segment=None):
        return {"after": after, "events": list(events), "segment": segment, "window": window}

    def hold(self, path, window, late):
        """After some seconds hold a place for as long as the server bears with it, and again."""
        address = urlsplit(self.url)
        body = json.dumps(self.said(window, segment={"view": [0, 9, 0, 9], "known": {}})).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
        self.has_ended.wait(late)
        while not self.has_ended.is_set():
            with socket.create_connection((address.hostname, address.port)) as connection:
                connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                self.has_ended.wait(HELD_SECONDS)

    def end(self):
        self.has_ended.set()
        for thread in self.threads:
            thread.join()


def test_a_page_that_has_to_wait_for_its_segmentation_says_so_and_has_it_once_others_have_gone(people, server):
    person = people(server.url)
    draw_two(person)
    crowd = Crowd(server.url)
    try:
        person.wait_for(lambda: draw_and_look(person) == TOO_OFTEN, "the sentence")
        person.wait_until_saved()
        assert person.status == TOO_OFTEN
        assert not person.page.locator("#message.visible").count()
    finally:
        crowd.end()
    person.wait_for_segmentation()


def draw_and_look(person):
    """What the page says of a further stroke while the answer is to come."""
    person.draw(*THIRD)
    person.wait_for(lambda: person.status != "Learning from the strokes…")
    return person.status


def test_what_a_busy_server_does_not_show_is_asked_for_again(people, server):
    person = people(server.url, expect_offline=True)
    refused = set()

    def refuse_once(route):
        url = route.request.url
        if url in refused:
            return route.continue_()
        refused.add(url)
        return route.fulfill(status=429, headers={"Retry-After": "1"}, json={"error": TOO_OFTEN})

    person.page.route("**/images/**", refuse_once)
    person.page.reload()
    person.wait_until_ready()
    person.wait_until_view_rests()
    person.wait_until_painted()
    shown = person.screenshot()
    assert {url.partition("?")[0].rpartition("/")[2] for url in refused} >= {"view"}
    assert shown.std() > 10
    person.errors.clear()
