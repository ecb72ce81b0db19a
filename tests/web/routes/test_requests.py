"""A body is read up to a limit, however the request says its length, and refused with a sentence beyond it."""

import io
import json
import threading
from tempfile import TemporaryFile

import pytest
from flask import Flask

from segmentation.web.http.connection import WHOLE_BODY
from segmentation.web.routes.requests import (
    LONG_JSON_AT_ONCE,
    LONG_JSON_BYTES,
    SMALL_BYTES,
    json_body,
    received,
    uploaded,
)

LIMIT = 3 * 2**20


@pytest.fixture(params=["with its length", "in chunks", "in a file of the server"])
def send(request):
    """Sends a body to a server that answers with what it has received."""
    server = Flask("received")

    @server.post("/received")
    def receive():
        with received(LIMIT) as file:
            return file.read()

    @server.post("/uploaded")
    def upload():
        with uploaded(LIMIT) as content:
            return content

    def to(path, body):
        terminated = {"wsgi.input_terminated": True}
        if request.param == "in a file of the server":
            with TemporaryFile() as file:
                file.write(body)
                file.seek(0)
                return server.test_client().post(path, environ_overrides={WHOLE_BODY: file})
        if request.param == "with its length":
            return server.test_client().post(path, data=body, environ_overrides=terminated)
        return server.test_client().post(
            path, input_stream=io.BytesIO(body), headers={"Transfer-Encoding": "chunked"}, environ_overrides=terminated
        )

    return to


@pytest.mark.parametrize("path", ["/received", "/uploaded"])
def test_a_body_of_just_the_limit_comes_whole(send, path):
    body = bytes(range(256)) * (LIMIT // 256)
    answer = send(path, body)
    assert (answer.status_code, answer.data) == (200, body)


@pytest.mark.parametrize("path", ["/received", "/uploaded"])
def test_a_body_beyond_the_limit_is_refused_with_a_sentence(send, path):
    answer = send(path, bytes(LIMIT + 1))
    assert answer.status_code == 413
    assert "this server takes at most 3 MB." in answer.text


def test_a_few_long_bodies_are_in_memory_at_the_same_time_and_short_ones_wait_for_none(monkeypatch):
    server = Flask("read")
    at_work, may_end, statuses = threading.Semaphore(0), threading.Event(), []

    def loads(text):
        if len(text) > LONG_JSON_BYTES:
            at_work.release()
            assert may_end.wait(60)
        return json.loads(text)

    monkeypatch.setattr(server.json, "loads", loads)

    @server.post("/")
    def read():
        return json_body(4 * LONG_JSON_BYTES)

    def send(size):
        return server.test_client().post("/", json={"padding": "x" * size}).status_code

    threads = [
        threading.Thread(target=lambda: statuses.append(send(LONG_JSON_BYTES))) for _ in range(LONG_JSON_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
        assert at_work.acquire(timeout=60)
    monkeypatch.setattr("segmentation.web.routes.requests.PATIENCE_SECONDS", 0.01)
    assert send(LONG_JSON_BYTES) == 503
    assert send(10) == 200
    may_end.set()
    for thread in threads:
        thread.join()
    assert statuses == [200] * LONG_JSON_AT_ONCE
    assert send(LONG_JSON_BYTES) == 200


def test_a_large_body_waits_on_the_disk():
    server = Flask("received")
    with server.test_request_context(method="POST", data=bytes(SMALL_BYTES + 1)), received(SMALL_BYTES + 1) as file:
        assert file._rolled
    with server.test_request_context(method="POST", data=bytes(SMALL_BYTES)), received(SMALL_BYTES) as file:
        assert not file._rolled
