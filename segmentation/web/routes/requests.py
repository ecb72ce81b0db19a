"""Reads what a request says, with a sentence for what makes no sense."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from urllib.parse import unquote

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from segmentation._shared.text import shown_name
from segmentation.web.http.connection import HAS_GONE, WHOLE_BODY

SMALL_BYTES = 8 * 2**20
"""Files up to this size wait in memory, larger ones on the disk."""

PART_BYTES = 2**20
FILES_AT_ONCE = 2
PATIENCE_SECONDS = 25

LONG_JSON_BYTES = 2**20
LONG_JSON_AT_ONCE = 2
"""Longer bodies of JSON that are read at the same time: each is in memory as a whole, and more than once."""

_being_opened = threading.BoundedSemaphore(FILES_AT_ONCE)
_being_read = threading.BoundedSemaphore(LONG_JSON_AT_ONCE)


class BadRequestError(ValueError):
    """A request that makes no sense; says why."""


def has_gone() -> Callable[[], bool]:
    """A question that says True once whoever asks has closed the connection."""
    asked: Callable[[], bool] = request.environ.get(HAS_GONE, lambda: False)
    return asked


def received(limit: int, limit_of: Callable[[bytes], int] | None = None) -> IO[bytes]:
    """The body as an open file of at most ``limit`` bytes, at its beginning; closing it removes it.

    What the server has received into a file is not copied into another.

    Args:
        limit: the most bytes that it may have.
        limit_of: tells from how it begins that a body may have more; None allows none more.

    Raises:
        RequestEntityTooLarge: with a sentence, if it is larger: at once if the request says so, else when it is read.
    """
    length = request.content_length or 0
    if limit_of is None:
        _check_length(length, limit)
        request.max_content_length = limit + 1  # what is too large is refused here, not without words by the stream
    body: IO[bytes] | None = request.environ.get(WHOLE_BODY)
    if body is not None:
        limit = limit if limit_of is None else limit_of(body.read(PART_BYTES))
        _check_length(body.seek(0, os.SEEK_END), limit)
        body.seek(0)
        return body
    file = SpooledTemporaryFile(SMALL_BYTES)  # noqa: SIM115 - closed by who reads it
    try:
        while part := request.stream.read(PART_BYTES):
            if limit_of is not None and not file.tell():
                limit = limit_of(part)
                _check_length(length, limit)
            file.write(part)
            if file.tell() > limit:
                raise RequestEntityTooLarge(f"The file is too large: this server takes at most {limit / 2**20:.0f} MB.")
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


def _check_length(length: int, limit: int) -> None:
    if length > limit:
        raise RequestEntityTooLarge(
            f"The file has {length / 2**20:.0f} MB; this server takes at most {limit / 2**20:.0f} MB."
        )


@contextmanager
def uploaded(limit: int) -> Iterator[bytes]:
    """The body, as :func:`uploaded_file` has it, but its bytes."""
    with uploaded_file(limit) as file:
        yield file.read()


@contextmanager
def uploaded_file(limit: int, limit_of: Callable[[bytes], int] | None = None) -> Iterator[IO[bytes]]:
    """The body, a file of at most ``limit`` bytes, or as many as :func:`received` has it.

    It waits while other people's files are opened, so that many at once do not fill the memory.

    Raises:
        RequestEntityTooLarge: if it is larger, with a sentence.
        ServiceUnavailable: if others take too long.
    """
    with received(limit, limit_of) as file:
        if not _being_opened.acquire(timeout=PATIENCE_SECONDS):
            raise ServiceUnavailable("Other files are being opened just now: try again in a moment.")
        try:
            yield file
        finally:
            _being_opened.release()


def json_body(limit: int) -> Mapping[str, Any]:
    """The body as a JSON object of at most ``limit`` bytes.

    Raises:
        RequestEntityTooLarge: if it is larger.
        ServiceUnavailable: if it is long and others take too long.
        BadRequestError: if it is none.
    """
    if (request.content_length or 0) > limit:
        raise RequestEntityTooLarge("That is more than a page says at once.")
    request.max_content_length = limit
    length = request.content_length
    with _reading() if length is None or length > LONG_JSON_BYTES else nullcontext():
        asked = request.get_json(silent=True, cache=False)
    if not isinstance(asked, Mapping):
        raise BadRequestError("The page sent something that is not JSON: reload it.")
    return asked


@contextmanager
def _reading() -> Iterator[None]:
    if not _being_read.acquire(timeout=PATIENCE_SECONDS):
        raise ServiceUnavailable("Others send very much just now: it goes on in a moment.")
    try:
        yield
    finally:
        _being_read.release()


def file_name(default: str) -> str:
    """The name of the file in the query, without folders and what cannot be shown; never used as a path."""
    text = request.args.get("name", "")
    return shown_name(unquote(text).replace("\\", "/").rsplit("/", 1)[-1]) or default


def whole(name: str, low: int, high: int) -> int:
    """A whole number of the query.

    Raises:
        BadRequestError: if it is missing or out of bounds.
    """
    try:
        value = int(request.args.get(name, ""))
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise BadRequestError(f"{name!r} must be a whole number from {low} to {high}.")
    return value


def span(name: str, length: int) -> slice:
    """Two whole numbers of the query as a slice within ``length``.

    Raises:
        BadRequestError: if they are none.
    """
    try:
        start, stop = (int(part) for part in request.args.get(name, "").split(","))
    except ValueError:
        start, stop = 0, 0
    if not 0 <= start < stop <= length:
        raise BadRequestError(f"{name!r} must be two whole numbers, the first below the second, up to {length}.")
    return slice(start, stop)
