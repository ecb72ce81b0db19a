"""A long body lies where its application wants it, and its hash is known when it is there."""

import hashlib
from tempfile import TemporaryFile

import pytest

from segmentation.web.http.connection import BODY_DIGEST, LONG_BYTES, WHOLE_BODY

BODY = bytes(range(256)) * (LONG_BYTES // 256 + 1)


def read(environ, start_response):
    start_response("200 OK", [])
    body = environ[WHOLE_BODY] if WHOLE_BODY in environ else environ["wsgi.input"]
    return [body.read(), environ.get(BODY_DIGEST, "none").encode()]


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
