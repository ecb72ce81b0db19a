"""Requests of any shape end in an answer in words: too many, too large, or without sense.

The routes of sessions answer for themselves (``routes/``); this is for what comes before them and for Dash's routes.
"""

from __future__ import annotations

import logging
import math
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NoReturn

from flask import Flask, Response, current_app, g, jsonify, request
from flask.json.provider import DefaultJSONProvider
from werkzeug.exceptions import HTTPException

from segmentation._shared.checks import refuse_half_characters, refuse_many_values
from segmentation._shared.full_disk import is_full
from segmentation.web.http.connection import CROWDED, DISK_FULL, HAS_GONE
from segmentation.web.networks import neighbourhood
from segmentation.web.security.crowd import Crowd
from segmentation.web.security.ratelimit import RateLimit

AT_ONCE_OF_A_SESSION, PER_SECOND_OF_A_SESSION = 240, 40.0
"""Requests of a session; a person who draws and zooms at once asks ten times a second."""

AT_ONCE_OF_AN_ADDRESS, PER_SECOND_OF_AN_ADDRESS = 2400, 400.0
"""Requests from an address below whatever sessions it names; a whole course may sit behind one."""

LONGEST_KEY = 64
"""Characters of what is counted by: names that somebody invents may be long."""

STARTS_AT_ONCE, STARTS_PER_SECOND = 120, 2.0
"""New sessions from one address; a whole course may sit behind one."""

LONG_AT_ONCE, LONG_OF_AN_ADDRESS, LONG_OF_A_SESSION = 8, 6, 4
"""Uploads that are at work or wait for it, downloads, and questions that are computed on: a few of the threads each, so
that the others are there for strokes."""

SHOWN_AT_ONCE, SHOWN_OF_AN_ADDRESS, SHOWN_OF_A_SESSION = 16, 12, 4
"""Parts of images that are prepared for being shown, in tenths of a second each: a page needs one or two at once."""

THUMBNAILS_AT_ONCE, THUMBNAILS_OF_AN_ADDRESS, THUMBNAILS_OF_A_SESSION = 8, 8, 6
"""As many as a browser asks for at once."""

SEGMENTING_AT_ONCE, SEGMENTING_OF_AN_ADDRESS, SEGMENTING_OF_A_SESSION = 40, 32, 12
"""Windows that have their segmentation or wait for it; a whole course may draw at once behind one address. With all
that takes long there are threads left for what does not."""

SEGMENTING_WAIT = 2.0
"""Seconds after which a window may come again where there are too many of them."""

SEGMENTING = "squiggle segmenting"
"""Key in the extensions of the server: the crowd of those windows."""

WAIT_WHERE_CROWDED, WAIT_TO_BE_SHOWN = 5.0, 1.0
"""Seconds after which somebody may come again where there are too many of them, or of large bodies that come in; and
for what is shown, which takes less."""

MAX_CALLBACK_BYTES = 2**20
CALLBACKS, COMPONENTS = "/_dash-update-component", "/_dash-component-suites/"

TOO_OFTEN = "That is more than this server takes at once: it goes on in a moment."
NO_SENSE = "This request makes no sense: reload the page."
FULL = (
    "The disk of the server is full: there is no room for this until whoever runs it makes some. "
    "What you did before is safe."
)
FAILED = "The server failed at this. What you did before is safe; try again."

_SESSION = re.compile(r"/s/([^/]+)")
_LONG = (LONG_AT_ONCE, LONG_OF_AN_ADDRESS, LONG_OF_A_SESSION, WAIT_WHERE_CROWDED)
_SHOWN = (SHOWN_AT_ONCE, SHOWN_OF_AN_ADDRESS, SHOWN_OF_A_SESSION, WAIT_TO_BE_SHOWN)
_THUMBNAILS = (THUMBNAILS_AT_ONCE, THUMBNAILS_OF_AN_ADDRESS, THUMBNAILS_OF_A_SESSION, WAIT_TO_BE_SHOWN)
_CROWDS = {
    r"POST (/s/[^/]+/(images|addresses|classifiers|brought|mask-scores|series/[^/]+/files)|/sessions/import)": _LONG,
    r"POST /s/[^/]+/wholes/.+": _LONG,
    r"(GET|HEAD) /s/[^/]+/(download/.*|file|series/[^/]+/results\.zip|wholes/[^/]+/.+)": _LONG,
    r"(GET|HEAD) /s/[^/]+/(part|explain|probabilities|next-strokes|importance|leaving-out|drift)": _LONG,
    r"(GET|HEAD) /s/[^/]+/(images/[^/]+/(view|about|levels|values)|preparing/[^/]+)": _SHOWN,
    r"(GET|HEAD) /s/[^/]+/images/[^/]+/thumbnail": _THUMBNAILS,
}
"""What a few may ask for at once, and their bounds: of all, of an address, of a session; and the seconds to wait."""

_STARTS = re.compile(r"(GET|HEAD) /|POST (/sessions|/sessions/import|/s/[^/]+/duplicate)")

log = logging.getLogger(__name__)


class StrictJson(DefaultJSONProvider):
    """Reads JSON as its standard has it; whatever else is a ValueError."""

    def loads(self, s: str | bytes, **options: Any) -> Any:
        """The value; without NaN, very many values, too deep nesting, or halves of characters."""
        refuse_many_values(s.encode("utf-8", "surrogatepass") if isinstance(s, str) else s)
        try:
            value = super().loads(s, parse_constant=_refuse_constant, **options)
            refuse_half_characters(value, s if isinstance(s, str) else s.decode("utf-8"))
        except RecursionError:
            raise ValueError("nested too deeply") from None
        return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def harden(server: Flask, max_body_bytes: int) -> None:
    """Let a server answer requests of any shape in words.

    Args:
        server: the server, which has no routes yet.
        max_body_bytes: that a request may have; routes ask for less.
    """
    server.config["MAX_CONTENT_LENGTH"] = max_body_bytes
    server.json = StrictJson(server)
    _refuse_before_reading(server)
    _let_few_take_long(server)
    _answer_errors(server)


def _refuse_before_reading(server: Flask) -> None:
    of_sessions = RateLimit(AT_ONCE_OF_A_SESSION, PER_SECOND_OF_A_SESSION)
    of_addresses = RateLimit(AT_ONCE_OF_AN_ADDRESS, PER_SECOND_OF_AN_ADDRESS)
    starts = RateLimit(STARTS_AT_ONCE, STARTS_PER_SECOND)

    @server.before_request
    def refuse() -> tuple[Response, int, dict[str, str]] | tuple[Response, int] | None:
        if not request.path.isprintable():
            return jsonify(error=NO_SENSE), 400
        if request.environ.get(DISK_FULL):
            return _no_room()
        session, address = _SESSION.match(request.path), _address()
        wait = WAIT_WHERE_CROWDED if request.environ.get(CROWDED) else 0.0
        if session and not wait:
            wait = of_addresses.acquire(address) or of_sessions.acquire(session[1][:LONGEST_KEY])
        if not wait and _STARTS.fullmatch(f"{request.method} {request.path}"):
            wait = starts.acquire(address)
        if wait:
            return _come_again(wait)
        if request.path == CALLBACKS:
            request.max_content_length = MAX_CALLBACK_BYTES
        return None


def _let_few_take_long(server: Flask) -> None:
    crowds = [(re.compile(asked), Crowd(bounds[0]), *bounds[1:]) for asked, bounds in _CROWDS.items()]
    server.extensions[SEGMENTING] = Crowd(SEGMENTING_AT_ONCE)

    @server.before_request
    def enter() -> tuple[Response, int, dict[str, str]] | None:
        asked = f"{request.method} {request.path}"
        for pattern, crowd, of_an_address, of_a_session, wait in crowds:
            if pattern.fullmatch(asked):
                groups = {f"from {_address()}": of_an_address}
                if session := _SESSION.match(request.path):
                    groups[session[0]] = of_a_session
                g.leave = crowd.enter(groups, has_gone=request.environ.get(HAS_GONE, lambda: False))
                return None if g.leave else _come_again(wait)
        return None

    @server.after_request
    def leave(response: Response) -> Response:
        if not response.is_sequence and (leave := g.pop("leave", None)):  # what is there as a whole is no work any more
            response.response = _leaving_at_the_end(response.response, leave)
            response.call_on_close(leave)
        return response

    @server.teardown_request
    def leave_after_all(_error: BaseException | None) -> None:
        if leave := g.pop("leave", None):
            leave()


def _leaving_at_the_end(parts: Iterable[Any], leave: Callable[[], None]) -> Iterator[Any]:
    try:
        yield from parts
    finally:
        leave()


def enter_segmenting(session_id: str, window: str) -> Callable[[], None] | None:
    """Let the request that is answered be one of those that wait for a segmentation, until its answer has ended.

    Args:
        session_id: the session that is segmented.
        window: who waits: its newer request takes the place over.

    Returns:
        What leaves earlier; None if there are too many already: it is to come again after :data:`SEGMENTING_WAIT`.
    """
    crowd: Crowd = current_app.extensions[SEGMENTING]
    groups = {f"from {_address()}": SEGMENTING_OF_AN_ADDRESS, f"of {session_id}": SEGMENTING_OF_A_SESSION}
    g.leave = crowd.enter(groups, holder=f"{session_id} {window}")
    leave: Callable[[], None] | None = g.leave
    return leave


def _address() -> str:
    return neighbourhood(request.remote_addr or "")


def _no_room() -> tuple[Response, int]:
    return jsonify(error=FULL), 507


def what_failed(problem: Exception) -> str:
    """The sentence for an error that nobody expected."""
    return FULL if is_full(problem) else FAILED


def _come_again(wait: float) -> tuple[Response, int, dict[str, str]]:
    return jsonify(error=TOO_OFTEN), 429, {"Retry-After": str(math.ceil(wait))}


def _answer_errors(server: Flask) -> None:
    @server.errorhandler(HTTPException)
    def refused(error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:
            return error
        response = jsonify(error=error.description or NO_SENSE)
        response.status_code = error.code
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            response.headers["Allow"] = ", ".join(sorted(allowed))
        return response

    @server.errorhandler(Exception)
    def failed(error: Exception) -> tuple[Response, int]:
        if request.path.startswith(COMPONENTS):
            return jsonify(error="There is no such file."), 404
        if what_failed(error) == FULL:
            return _no_room()
        log.exception("request failed: %s %s", request.method, request.path[:200], exc_info=error)
        if request.path == CALLBACKS:
            return jsonify(error=NO_SENSE), 400
        return jsonify(error=FAILED), 500
