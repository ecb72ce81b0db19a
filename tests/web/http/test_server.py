"""What comes in slowly, is too long, or is not taken."""

import http.client
import itertools
import socket
import threading
from contextlib import closing

import pytest

from segmentation.web import metrics
from segmentation.web.http import connection, server
from segmentation.web.http.connection import CROWDED, HAS_GONE
from tests.support import PATIENCE_SECONDS
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow


@pytest.fixture
def counted(monkeypatch):
    """Why connections were given up, as a server's figures tell it."""
    reasons = []
    monkeypatch.setattr(metrics, "count_closed", reasons.append)
    return reasons


def echo(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response(
        "200 OK", [("X-Length", environ.get("CONTENT_LENGTH", "none")), ("X-Crowded", str(environ[CROWDED]))]
    )
    return [b"%d bytes" % len(body)]


def reads(connection, text):
    """What comes, up to some text that must be in it."""
    came = b""
    while text not in came:
        came += (part := connection.recv(65536))
        assert part, came
    return came


def is_closed(connection):
    """Waits until the other side has closed."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_request_is_worked_on_once_it_is_whole(serving):
    at = serving(echo)
    with at.connect() as slow:
        slow.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345")
        with at.asking("POST", "/y", b"abc") as answer:
            assert answer.read() == b"3 bytes"
        wait_for(lambda: at.server.dispatcher.active_count == 0)
        slow.sendall(b"67890")
        assert reads(slow, b"10 bytes")
    wait_for(lambda: len(at.logged) == 2)
    assert at.logged[0] == ("200 OK", 7, "/y")


def test_whether_it_is_well_is_answered_though_all_threads_are_at_work(serving):
    at_work, may_end = threading.Semaphore(0), threading.Event()

    def busy(environ, start_response):
        if environ["PATH_INFO"] != "/health":
            at_work.release()
            assert may_end.wait(PATIENCE_SECONDS)
        start_response("200 OK", [])
        return [b"well"]

    at = serving(busy)
    waiting = [at.connect() for _ in range(2 * server.THREADS)]
    for one in waiting:
        one.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    for _ in range(server.THREADS):
        assert at_work.acquire(timeout=PATIENCE_SECONDS)
    for _ in range(3):
        with at.asking(path="/health") as answer:
            assert answer.read() == b"well"
    may_end.set()
    for one in waiting:
        assert reads(one, b"well")
        one.close()


@pytest.mark.parametrize("body", [b"x" * 200_000, (b"x" * 20_000 for _ in range(30))], ids=["whole", "chunks"])
def test_a_body_that_is_too_long_is_not_received_but_answered(serving, body):
    at = serving(echo)
    with at.asking("POST", "/x", body) as answer:
        assert int(answer.headers["X-Length"]) > at.limit
        assert answer.headers["Connection"] == "close"
        assert answer.read() == b"0 bytes"
    assert at.asked[0]["REQUEST_METHOD"] == "POST"
    assert at.asked[0]["PATH_INFO"] == "/x"
    assert at.asked[0]["REMOTE_ADDR"] == "127.0.0.1"


def test_whoever_waits_for_leave_to_send_too_much_is_answered_at_once(serving):
    at = serving(echo)
    with at.connect() as polite:
        polite.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\nExpect: 100-continue\r\n\r\n")
        assert reads(polite, b"0 bytes").startswith(b"HTTP/1.1 200")
    with at.connect() as polite:
        polite.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        assert polite.recv(65536).startswith(b"HTTP/1.1 100 Continue")
        polite.sendall(b"abc")
        assert reads(polite, b"3 bytes")


def test_lengths_of_chunks_without_end_are_not_collected(serving):
    at = serving(echo)
    with at.connect() as endless:
        endless.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;" + b"x" * 5_000)
        assert reads(endless, b"0 bytes")


def test_many_long_bodies_at_once_are_asked_to_come_again(serving, monkeypatch):
    monkeypatch.setattr(connection, "LONG_BYTES", 1_000)
    monkeypatch.setattr(connection, "LONG_BODIES", 2)
    at = serving(echo)
    with at.connect() as first, at.connect() as second:
        for one in (first, second):
            one.sendall(b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 2000\r\n\r\nabc")
        wait_for(lambda: len(at.asked) == 2)
        with at.asking("POST", "/y", b"x" * 2_000) as answer:
            assert answer.headers["X-Crowded"] == "True"
        with at.asking("POST", "/y", b"x" * 1_000) as answer:
            assert answer.headers["X-Crowded"] == "False"
        first.sendall(b"x" * 1_997)
        assert reads(first, b"2000 bytes")
        with at.asking("POST", "/y", b"x" * 2_000) as answer:
            assert answer.headers["X-Crowded"] == "False"


@pytest.mark.parametrize(
    ("sent", "bounds", "reason"),
    [
        (b"", {"IDLE_SECONDS": 0.0}, "idle"),
        (b"GET / HTTP/1.1\r\nX-Slow: ", {"HEADER_SECONDS": 0.0}, "slow"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", {"SLOW_SECONDS": 0.0}, "slow"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc",
            {"SLOW_SECONDS": 0.0},
            "slow",
        ),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", {"IDLE_SECONDS": 0.0}, "idle"),
    ],
    ids=["nothing", "half a header", "half a body", "half a chunk", "an answered request"],
)
def test_whoever_has_had_time_enough_is_not_waited_for(serving, monkeypatch, counted, sent, bounds, reason):
    for name, value in bounds.items():
        monkeypatch.setattr(connection, name, value)
    at = serving(echo)
    with at.connect() as slow:
        slow.sendall(sent)
        assert is_closed(slow)
    assert counted == [reason]


def test_whoever_takes_nothing_of_an_answer_does_not_keep_its_thread(serving, monkeypatch, counted):
    monkeypatch.setattr(connection, "SLOW_SECONDS", 0.2)
    given_up = threading.Event()

    def endless(environ, start_response):
        start_response("200 OK", [])
        try:
            yield from itertools.repeat(b"x" * 65_536)
        finally:
            given_up.set()

    at = serving(endless)
    with at.connect() as deaf:
        deaf.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert given_up.wait(PATIENCE_SECONDS)
    assert at.server.is_idle
    assert counted == ["slow"]


def test_an_answer_that_nobody_waits_for_any_more_is_noticed(serving):
    noticed = threading.Event()

    def patient(environ, start_response):
        wait_for(environ[HAS_GONE])
        noticed.set()
        start_response("200 OK", [])
        return [b"late"]

    at = serving(patient)
    with at.connect() as impatient:
        impatient.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert noticed.wait(PATIENCE_SECONDS)


def test_what_came_in_whole_is_done_though_its_sender_has_left(serving):
    done = []

    def slow(environ, start_response):
        wait_for(environ[HAS_GONE])
        done.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"late"]

    at = serving(slow)
    for number in range(100):
        with at.connect() as hasty:
            hasty.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n%03d" % number)
    wait_for(lambda: len(done) == 100)
    assert sorted(done) == [b"%03d" % number for number in range(100)]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 2**16 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
    ],
)
def test_what_the_application_never_sees_is_counted_too(serving, monkeypatch, sent, status):
    statuses = []
    monkeypatch.setattr(metrics, "count_answer", statuses.append)
    at = serving(echo)
    with at.connect() as odd:
        odd.sendall(sent)
        assert reads(odd, b"\r\n\r\n").split()[1] == b"%d" % status
    assert statuses == [status]


def test_lines_come_while_they_are_made_and_the_connection_stays(serving):
    more = threading.Event()

    def lines(environ, start_response):
        start_response("200 OK", [])
        yield b"first\n"
        assert more.wait(PATIENCE_SECONDS)
        yield b"second\n"

    at = serving(lines)
    connection = http.client.HTTPConnection("127.0.0.1", at.port, timeout=PATIENCE_SECONDS)
    with closing(connection):
        for _ in range(2):
            connection.request("GET", "/")
            sock = connection.sock
            answer = connection.getresponse()
            assert answer.readline() == b"first\n"
            more.set()
            assert answer.read() == b"second\n"
            assert connection.sock is sock
            more.clear()


def test_for_one_connection_too_many_the_one_that_waited_longest_is_closed(serving, monkeypatch, counted):
    monkeypatch.setattr(server, "CONNECTIONS", 3)
    at = serving(echo)
    opened = [at.connect() for _ in range(3)]
    for begun, one in enumerate(opened, start=1):
        one.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        wait_for(lambda begun=begun: sum(other.request is not None for other in at.connections()) == begun)
    with at.asking() as answer:
        assert answer.read() == b"0 bytes"
    assert is_closed(opened[0])
    assert counted == ["many"]
    for one in opened:
        one.close()


def test_a_path_above_the_application_is_believed_from_nobody(serving):
    def where(environ, start_response):
        start_response("200 OK", [])
        return [f"{environ['SCRIPT_NAME']}|{environ['PATH_INFO']}".encode()]

    at = serving(where)
    for name in ("SCRIPT_NAME", "Script-Name", "SCRIPT-NAME"):
        with at.asking(path="/s/x", **{name: "/elsewhere"}) as answer:
            assert answer.read() == b"|/s/x"


def test_those_who_wait_have_their_answers_when_it_ends(serving):
    more = threading.Event()

    def slow(environ, start_response):
        assert more.wait(PATIENCE_SECONDS)
        start_response("200 OK", [])
        return [b"at last"]

    at = serving(slow)
    with at.connect() as waiting:
        waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: not at.server.is_idle)
        at.server.stop_accepting()
        socket.create_server(("127.0.0.1", at.port)).close()
        more.set()
        assert reads(waiting, b"at last")
    wait_for(lambda: at.server.is_idle)
