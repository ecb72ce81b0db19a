"""A long body lies where its application wants it, and its hash is known when it is there."""

import errno
import hashlib
import io
import shutil
import socket
import tempfile
import threading
from tempfile import TemporaryFile

import pytest

from segmentation.web.http import server
from segmentation.web.http.connection import BODY_DIGEST, DISK_FULL, HAS_GONE, LONG_BYTES, WHOLE_BODY
from tests.support import PATIENCE_SECONDS
from tests.support.small_disk import SmallDisk
from tests.support.waiting import wait_for

BODY = bytes(range(256)) * (LONG_BYTES // 256 + 1)


def read(environ, start_response):
    start_response("200 OK", [])
    body = environ[WHOLE_BODY] if WHOLE_BODY in environ else environ["wsgi.input"]
    return [b"full" if environ[DISK_FULL] else body.read(), environ.get(BODY_DIGEST, "none").encode()]


@pytest.fixture
def asked_for():
    return []


@pytest.fixture
def at(serving, asked_for):
    def body_file(size):
        asked_for.append(size)
        return TemporaryFile() if size % 2 else None

    return serving(read, limit=len(BODY) + 100, body_file=body_file)


@pytest.mark.parametrize("body", [BODY, BODY + b"!"], ids=["any file", "a file of the application"])
def test_a_long_body_is_whole_and_its_hash_known(at, asked_for, body):
    for _ in range(2):
        with at.asking("POST", body=body) as answer:
            assert answer.read() == body + hashlib.sha256(body).hexdigest().encode()
    assert asked_for == [len(body)] * 2


def test_a_short_body_and_one_in_chunks_have_no_hash(at, asked_for):
    with at.asking("POST", body=b"short") as answer:
        assert answer.read() == b"shortnone"
    with at.asking("POST", body=iter([BODY])) as answer:
        assert answer.read() == BODY + b"none"
    assert asked_for == []


def test_there_is_no_file_for_a_body_that_is_refused_and_the_next_has_one_of_its_own(at, asked_for):
    with at.asking("POST", body=BODY + bytes(101)) as answer:
        assert answer.read() == b"none"
    assert asked_for == []
    with at.asking("POST", body=BODY) as answer:
        assert answer.read().startswith(BODY)


HEADER = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(BODY)


class FullDisk(io.RawIOBase):
    """A file that has room for so many bytes."""

    def __init__(self, room):
        self.room = room

    def readable(self):
        return True

    def writable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=0):
        return offset

    def write(self, part):
        if len(part) > self.room:
            raise OSError(errno.ENOSPC, "full")
        self.room -= len(part)
        return len(part)


@pytest.mark.parametrize("room", [0, len(BODY) - 1], ids=["from the first byte", "at the last"])
def test_who_sends_a_body_to_a_full_disk_has_an_answer_and_the_server_goes_on(serving, monkeypatch, caplog, room):
    monkeypatch.setattr(server, "PART_BYTES", 1460)  # what a slow sender gives waits to be written
    files = []

    def body_file(_size):
        files.append(io.BufferedRandom(FullDisk(room)))
        return files[-1]

    at = serving(read, limit=len(BODY), body_file=body_file)
    with at.asking("POST", body=BODY) as answer:
        assert answer.read() == b"fullnone"
    with at.asking("POST", body=b"short") as answer:
        assert answer.read() == b"shortnone"
    wait_for(lambda: at.server.is_idle and files[0].closed)
    assert "Exception when servicing" not in caplog.text


def test_a_body_for_which_there_is_no_room_in_the_temporary_folder_is_not_received(serving, monkeypatch):
    disk = SmallDisk(megabytes=1)
    try:
        monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
        at = serving(read, limit=2 * len(BODY))
        with at.connect() as sender:
            sender.sendall(HEADER)
            assert sender.recv(65536).startswith(b"HTTP/1.1 200 OK"), "before any of it was sent"
        with at.asking("POST", body=BODY) as answer:
            assert answer.read() == b"fullnone"
        wait_for(lambda: at.server.is_idle)
        assert shutil.disk_usage(disk.folder).used == 0
    finally:
        disk.unmount()


@pytest.fixture
def files():
    """Of the bodies that came in."""
    return []


@pytest.fixture
def body_file(files):
    def new(_size):
        files.append(TemporaryFile())  # noqa: SIM115 - the server is to close it
        return files[-1]

    return new


def test_the_file_of_half_a_body_is_closed_when_its_sender_leaves_and_when_the_server_ends(serving, files, body_file):
    at = serving(read, limit=len(BODY), body_file=body_file)
    with at.connect() as leaves:
        leaves.sendall(HEADER + BODY[:-1])
        wait_for(lambda: files)
    wait_for(lambda: files[0].closed)
    with at.connect() as stays:
        stays.sendall(HEADER + BODY[:-1])
        wait_for(lambda: len(files) == 2)
        at.close()
    assert files[1].closed


def test_the_file_of_a_body_is_closed_though_its_sender_has_left_and_the_application_fails(
    serving, monkeypatch, files, body_file
):
    monkeypatch.setattr(server, "THREADS", 1)
    first_ends, failed = threading.Event(), threading.Event()

    def fail(environ, start_response):
        if environ["PATH_INFO"] == "/first":
            assert first_ends.wait(PATIENCE_SECONDS)
            return read(environ, start_response)
        assert environ[HAS_GONE]()
        failed.set()
        raise ValueError

    at = serving(fail, limit=len(BODY), body_file=body_file)
    with at.connect() as first:
        first.sendall(b"GET /first HTTP/1.1\r\nHost: x\r\n\r\n")
        with at.connect() as leaves:
            leaves.sendall(HEADER + BODY)
        wait_for(lambda: files and len(at.connections()) == 1)
        first_ends.set()
        assert failed.wait(PATIENCE_SECONDS)
        wait_for(lambda: files[0].closed)


def test_the_file_of_a_second_body_is_closed_when_the_connection_ends_as_the_first_is_answered(
    serving, files, body_file
):
    at_work, may_go_on = threading.Event(), threading.Event()

    def late(environ, start_response):
        at_work.set()
        start_response("200 OK", [("Content-Length", "2")])
        yield b"!"
        assert may_go_on.wait(PATIENCE_SECONDS)
        yield b"!"
        wait_for(environ[HAS_GONE])

    at = serving(late, limit=len(BODY), body_file=body_file)
    with at.connect() as both:
        both.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" + HEADER + BODY)
        assert at_work.wait(PATIENCE_SECONDS)
        wait_for(lambda: [len(one.requests) for one in at.connections()] == [2])
        assert both.recv(1, socket.MSG_PEEK)  # what is not taken lets the server's next write fail
    may_go_on.set()
    wait_for(lambda: files[0].closed)


def test_the_file_of_a_body_whose_turn_does_not_come_is_closed_when_the_server_ends(
    serving, monkeypatch, files, body_file
):
    monkeypatch.setattr(server, "THREADS", 1)
    at_work, first_ends = threading.Event(), threading.Event()

    def late(environ, start_response):
        at_work.set()
        assert first_ends.wait(PATIENCE_SECONDS)
        return read(environ, start_response)

    at = serving(late, limit=len(BODY), body_file=body_file)
    with at.connect() as first, at.connect() as second:
        first.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert at_work.wait(PATIENCE_SECONDS)
        second.sendall(HEADER + BODY)
        wait_for(lambda: sum(len(one.requests) for one in at.connections()) == 2)
        at.server.dispatcher.shutdown(timeout=0)
        assert files[0].closed
        first_ends.set()
