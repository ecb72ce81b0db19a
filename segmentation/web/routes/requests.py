"""Reading what a request says, with a sentence for what makes no sense."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import SpooledTemporaryFile
from typing import Any
from urllib.parse import unquote

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from segmentation._shared.text import shown_name

YEAR_SECONDS = 365 * 24 * 3600
SMALL_BYTES = 8 * 2**20
"""Files up to this size wait in memory."""
FILES_AT_ONCE = 2
PATIENCE_SECONDS = 25

_turns = threading.BoundedSemaphore(FILES_AT_ONCE)


class BadRequestError(ValueError):
    """A request that makes no sense; says why."""


def refuse_larger_than(limit: int) -> None:
    """Refuse a body of more than ``limit`` bytes: at once if it says so, else when that many were read.

    Raises:
        RequestEntityTooLarge: with a sentence.
    """
    request.max_content_length = limit
    length = request.content_length or 0
    if length > limit:
        raise RequestEntityTooLarge(
            f"The file has {length / 2**20:.0f} MB; this server takes at most {limit / 2**20:.0f} MB."
        )


@contextmanager
def uploaded(limit: int) -> Iterator[bytes]:
    """The body, a file of at most ``limit`` bytes.

    It waits on the disk while other people's files are worked on, so that many at once do not fill the memory.

    Raises:
        RequestEntityTooLarge: if it is larger, with a sentence.
        ServiceUnavailable: if others take too long.
    """
    refuse_larger_than(limit)
    with SpooledTemporaryFile(SMALL_BYTES) as file:
        shutil.copyfileobj(request.stream, file, 2**20)
        if not _turns.acquire(timeout=PATIENCE_SECONDS):
            raise ServiceUnavailable("Other files are being opened just now: try again in a moment.")
        try:
            file.seek(0)
            yield file.read()
        finally:
            _turns.release()


def json_body(limit: int) -> Mapping[str, Any]:
    """The body as a JSON object of at most ``limit`` bytes.

    Raises:
        RequestEntityTooLarge: if it is larger.
        BadRequestError: if it is none.
    """
    if (request.content_length or 0) > limit:
        raise RequestEntityTooLarge("That is more than a page says at once.")
    request.max_content_length = limit
    asked = request.get_json(silent=True, cache=False)
    if not isinstance(asked, Mapping):
        raise BadRequestError("The page sent something that is not JSON: reload it.")
    return asked


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
