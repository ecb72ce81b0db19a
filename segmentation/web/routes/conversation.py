"""The conversation of a browser window with a session: events come in, updates and the segmentation go back."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from flask import Blueprint, Response, request

from segmentation.live.layers import FEATURE, Layer
from segmentation.objects.steps import steps_from_json
from segmentation.strokes.classes import LARGEST_CLASS_ID
from segmentation.web.routes.errors import NO_SESSION
from segmentation.web.routes.known_sessions import remember
from segmentation.web.routes.links import link_id, only_looks, refusal, taken_back, was_taken_back
from segmentation.web.routes.people import author_of_request
from segmentation.web.routes.requests import BadRequestError, has_gone, json_body
from segmentation.web.routes.responses import as_it_comes
from segmentation.web.security.hardening import SEGMENTING_WAIT, enter_segmenting
from segmentation.web.session.authors import checked_author
from segmentation.web.session.conversation import BUSY, Conversations
from segmentation.web.session.tile_request import ScoresRequest, TileRequest
from segmentation.web.store import Store, StoreAwayError, UnknownImageError, UnknownSessionError
from segmentation.web.store.links import LOOKING
from segmentation.web.store.presences import Presence

MAX_CONVERSE_BYTES = 32 * 2**20
SHORT_BYTES = 2**16
"""Longer requests are read only for a session that there is."""

MAX_EVENTS_AT_ONCE = 5_000
MAX_LAYER_NAME = 200
ENDS = ("done", "passing", "here", "scores")
"""Kinds of messages that come when all is segmented."""

GONE = {"kind": "gone", "reason": NO_SESSION}

_HASH_OR_NONE = re.compile(r"([0-9a-f]{64})?")

log = logging.getLogger(__name__)


def conversation_routes(conversations: Conversations, store: Store, user_header: str) -> Blueprint:
    """``POST /s/<session>/converse``; ``user_header`` is the one in which a reverse proxy names the user."""
    routes = Blueprint("conversation", __name__)

    @routes.post("/s/<session_id>/converse")
    def converse(session_id: str) -> Response | tuple[Response, int]:
        """Reads events, and answers with those of others and the segmentation, a line of JSON a message."""
        author = author_of_request(user_header)
        is_long = request.content_length is None or request.content_length > SHORT_BYTES
        if was_taken_back() or (is_long and not store.has_session(session_id)):
            gone = GONE | ({"reason": taken_back()} if was_taken_back() else {})
            return Response(_line(gone), mimetype="application/x-ndjson")
        asked = _read_request(author)
        if asked["bodies"] and only_looks():
            return refusal()
        leave = None if asked["tiles"] is None else enter_segmenting(session_id, asked["client_id"])
        is_crowded = asked["tiles"] is not None and leave is None
        if is_crowded:  # what was drawn is stored all the same
            asked["tiles"] = None
        messages = conversations.answer(session_id, **asked, author=author, has_gone=has_gone())
        try:
            first = next(messages)
        except UnknownSessionError:
            first = GONE
        rest = chain(messages, [BUSY]) if is_crowded and first["kind"] != "gone" else messages
        response = as_it_comes(Response(_lines(first, rest, leave or (lambda: None)), mimetype="application/x-ndjson"))
        if first["kind"] != "gone":
            remember(response, link_id())
        if is_crowded:
            response.headers["Retry-After"] = f"{SEGMENTING_WAIT:.0f}"
        return response

    return routes


def _lines(first: Mapping[str, Any], rest: Iterator[Mapping[str, Any]], leave: Callable[[], None]) -> Iterator[str]:
    """The messages as lines; calls ``leave`` once the segmentation has ended, for which no others have to wait."""
    yield _line(first)
    try:
        for message in rest:
            if message["kind"] in ENDS:
                leave()
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


def _read_request(author: Mapping[str, str] | None) -> dict[str, Any]:
    asked = json_body(MAX_CONVERSE_BYTES)
    after, bodies, client_id, tiles, here = (asked.get(key) for key in ("after", "events", "window", "segment", "here"))
    if not isinstance(after, int) or isinstance(after, bool) or not 0 <= after < 2**53:
        raise BadRequestError("The page did not say how much of the journal it knows: reload it.")
    if not isinstance(bodies, list) or len(bodies) > MAX_EVENTS_AT_ONCE:
        raise BadRequestError("The page did not send its events as a list: reload it.")
    if not isinstance(client_id, str) or len(client_id) > 64:
        raise BadRequestError("The page did not name its window: reload it.")
    return {
        "after": after,
        "bodies": bodies,
        "client_id": client_id,
        "tiles": _read_tile_request(tiles),
        "here": _read_presence(here, author),
    }


def _read_presence(here: Any, author: Mapping[str, str] | None) -> Presence | None:
    if here is None:
        return None
    if not isinstance(here, Mapping):
        raise BadRequestError("The page did not say properly who looks at it: reload it.")
    person = author or checked_author(here.get("author"))
    image = here.get("image")
    if not isinstance(image, str) or not _HASH_OR_NONE.fullmatch(image):
        raise BadRequestError("The page did not name the image by its hash: reload it.")
    person_id = f"{LOOKING}{person['id']}"[:64] if only_looks() else person["id"]  # so that nobody is overwritten
    return Presence(person_id, person["name"], image, _read_view(here.get("view")))


def _read_view(view: Any) -> tuple[int, int, int, int]:
    if (
        not isinstance(view, list)
        or len(view) != 4
        or not all(isinstance(edge, int) and not isinstance(edge, bool) and abs(edge) < 2**31 for edge in view)
    ):
        raise BadRequestError("The page did not say which part of the image is on screen: reload it.")
    return view[0], view[1], view[2], view[3]


def _read_tile_request(asked: Any) -> TileRequest | None:
    if asked is None:
        return None
    view = _read_view(asked.get("view") if isinstance(asked, Mapping) else None)
    known = asked.get("known")
    if not isinstance(known, Mapping):
        raise BadRequestError("The page did not say which part of the image it knows: reload it.")
    image_hash = asked.get("image")
    if image_hash is not None and not isinstance(image_hash, str):
        raise BadRequestError("The page did not name the image by its hash: reload it.")
    steps = asked.get("clean_up")
    try:
        tried = None if steps is None else steps_from_json(steps)
    except ValueError as problem:
        raise BadRequestError(f"{problem} Reload the page.") from problem
    scores, layer = _read_scores_request(asked.get("scores")), _read_layer(asked.get("layer"))
    return TileRequest(image_hash, view, known, scores, tried, layer)


def _read_scores_request(asked: Any) -> ScoresRequest | None:
    if asked is None:
        return None
    newest = asked.get("newest") if isinstance(asked, Mapping) else ()
    if newest is None:
        return ScoresRequest()
    if not isinstance(newest, list) or len(newest) != 2 or not all(isinstance(one, str) for one in newest):
        raise BadRequestError("The page did not name its newest stroke properly: reload it.")
    return ScoresRequest((newest[0], newest[1]))


def _read_layer(layer: Any) -> Layer | None:
    """``"uncertainty"``, ``"feature:"`` and its name, or the id of the class whose probability is shown."""
    if isinstance(layer, str) and layer.startswith(FEATURE) and len(layer) <= MAX_LAYER_NAME:
        return Layer(feature=layer.removeprefix(FEATURE))
    if layer in (None, "uncertainty"):
        return None if layer is None else Layer()
    if not isinstance(layer, int) or isinstance(layer, bool) or not 1 <= layer <= LARGEST_CLASS_ID:
        raise BadRequestError("The page asked for a layer that the server does not know: reload it.")
    return Layer(layer)
