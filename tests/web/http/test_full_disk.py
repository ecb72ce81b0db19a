"""The disk of the server is full while a person brings something large."""

import http.client
import json
import tempfile

import numpy as np
import pytest

from segmentation.web.application import create_app
from segmentation.web.settings import Settings
from tests.support.files import tiff
from tests.support.small_disk import SmallDisk
from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

LARGE = tiff(np.random.default_rng(0).integers(0, 255, (4_200, 5_000)).astype(np.uint8))


@pytest.fixture
def small_disk(monkeypatch):
    """A disk of 24 MB, on which temporary files lie too."""
    disk = SmallDisk(megabytes=24)
    monkeypatch.setattr(tempfile, "tempdir", str(disk.folder))
    yield disk
    disk.unmount()


@pytest.fixture
def at(serving, small_disk):
    app = create_app(Settings(data_folder=small_disk.folder, open=True)).server
    yield serving(app, limit=2 * len(LARGE), body_file=app.extensions["body_file"])
    app.extensions["workbench"].store.close()


def asked(at, method, path, body=None):
    with at.asking(method, path, body) as answer:
        return answer.status, answer.read()


PARTS = [bytes([number]) * 2**18 for number in range(64)]
ANSWER = b"".join(PARTS)


def large_answer(environ, start_response):
    start_response("200 OK", [] if environ["PATH_INFO"] == "/in-chunks" else [("Content-Length", str(len(ANSWER)))])
    return iter([ANSWER] if environ["PATH_INFO"] == "/at-once" else PARTS)


def taken(sender):
    answer = http.client.HTTPResponse(sender)
    answer.begin()
    return answer.read()


@pytest.mark.parametrize("path", ["/told", "/in-chunks", "/at-once"])
def test_who_takes_an_answer_slowly_from_a_full_disk_keeps_nobody_waiting_and_has_all_of_it(
    serving, small_disk, path, caplog
):
    at = serving(large_answer)
    small_disk.fill()
    with at.connect() as slow, at.connect() as leaves:
        for one in (slow, leaves):
            one.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        wait_for(lambda: [one.total_outbufs_len > 2**17 for one in at.connections()] == [True] * 2)
        leaves.close()
        with at.asking(path=path) as other:
            assert other.read() == ANSWER, "though it is more than fits the memory"
        assert taken(slow) == ANSWER
    small_disk.make_room()
    with at.asking(path=path) as again:
        assert again.read() == ANSWER
    wait_for(lambda: at.server.is_idle and not at.connections())
    assert "xception" not in caplog.text


@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")  # by waitress
@pytest.mark.parametrize("chunked", [False, True], ids=["told its length", "in chunks"])
def test_who_uploads_more_than_there_is_room_for_has_a_sentence_and_keeps_what_there_was(at, small_disk, chunked):
    session = json.loads(asked(at, "POST", "/sessions")[1])["session"]
    before = asked(at, "GET", f"/s/{session}/file")[1]
    small_disk.fill()
    for path in (f"/s/{session}/images?name=a.tif", f"/s/{session}/brought?name=a.tif", "/sessions/import"):
        parts = (LARGE[first : first + 2**20] for first in range(0, len(LARGE), 2**20))
        status, content = asked(at, "POST", path, parts if chunked else LARGE)
        assert (status, "disk of the server is full" in json.loads(content)["error"]) == (507, True), path
    small_disk.make_room()
    assert len(asked(at, "GET", f"/s/{session}/file")[1]) == len(before)
    assert asked(at, "POST", f"/s/{session}/images?name=a.tif", tiff(np.zeros((9, 9), np.uint8)))[0] == 200
