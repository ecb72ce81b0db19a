"""The conversation of a page with its session: events there, the journal's news and the segmentation back."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response

from segmentation.web.routes.remember import remember
from segmentation.web.routes.requests import BadRequestError, json_body
from segmentation.web.session.workbench import Workbench
from segmentation.web.store import StoreAwayError, UnknownImageError, UnknownSessionError

MAX_CONVERSE_BYTES = 32 * 2**20
MAX_EVENTS_AT_ONCE = 5_000
NO_SESSION = "There is no session behind this link (any more). Start a new one."
GONE = {"kind": "gone", "reason": NO_SESSION}

log = logging.getLogger(__name__)


def conversation_routes(workbench: Workbench) -> Blueprint:
    """``POST /s/<session>/converse``."""
    routes = Blueprint("conversation", __name__)

    @routes.post("/s/<session_id>/converse")
    def converse(session_id: str) -> Response:
        """Takes events and answers with the journal's news and the segmentation, a line of JSON a message."""
        asked = _read_conversation()
        messages = workbench.converse(session_id, **asked)
        try:
            first = next(messages)
        except UnknownSessionError:
            first = GONE
        response = Response(_lines(first, messages), mimetype="application/x-ndjson")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        if first["kind"] != "gone":
            remember(response, session_id)
        return response

    return routes


def _lines(first: Mapping[str, Any], rest: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield _line(first)
    try:
        for message in rest:
            yield _line(message)
    except (UnknownSessionError, UnknownImageError):  # with a session that is deleted go its images
        yield _line(GONE)
    except StoreAwayError as reason:
        yield _line({"kind": "away", "reason": str(reason)})
    except Exception:
        log.exception("conversation failed")
        yield _line({"kind": "failed", "reason": "The server failed at this. Your strokes are safe; try again."})


def _line(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":")) + "\n"


def _read_conversation() -> dict[str, Any]:
    asked = json_body(MAX_CONVERSE_BYTES)
    after, bodies, window, wish = (asked.get(key) for key in ("after", "events", "window", "segment"))
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 2**53:
        raise BadRequestError("The page did not say how much of the journal it knows: reload it.")
    if not isinstance(bodies, list) or len(bodies) > MAX_EVENTS_AT_ONCE:
        raise BadRequestError("The page did not send its events as a list: reload it.")
    if not isinstance(window, str) or len(window) > 64:
        raise BadRequestError("The page did not name its window: reload it.")
    return {"after": after, "bodies": bodies, "window": window, "wish": _read_wish(wish)}


def _read_wish(wish: Any) -> dict[str, Any] | None:
    if wish is None:
        return None
    view = wish.get("view") if isinstance(wish, Mapping) else None
    known = wish.get("known") if isinstance(wish, Mapping) else None
    if (
        not isinstance(view, list)
        or len(view) != 4
        or not all(isinstance(edge, int) and not isinstance(edge, bool) and abs(edge) < 2**31 for edge in view)
        or not isinstance(known, Mapping)
    ):
        raise BadRequestError("The page did not say which part of the image is on screen: reload it.")
    image = wish.get("image")
    if image is not None and not isinstance(image, str):
        raise BadRequestError("The page did not name the image by its hash: reload it.")
    return {"image": image, "view": view, "known": known}
