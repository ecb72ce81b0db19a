"""What the page asks the server for, as plain HTTP below a session's link ``/s/<id>``."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.wrappers import Response as AnyResponse

from segmentation.images import ImageError, display_pixels, display_range, encode_jpeg, encode_png
from segmentation.web.downloads import UnknownFileError, download
from segmentation.web.store import UnknownImageError, UnknownSessionError
from segmentation.web.workbench import Workbench

LAST_SESSION_COOKIE = "squiggle_last_session"
YEAR_SECONDS = 365 * 24 * 3600
MAX_CONVERSE_BYTES = 32 * 2**20
MAX_EVENTS_AT_ONCE = 5_000
MAX_VIEW_PIXELS = 6_000_000
LOSSLESS_PIXELS = 1_500_000
NO_SESSION = "There is no session behind this link (any more). Start a new one."

log = logging.getLogger(__name__)


class BadRequestError(ValueError):
    """A request that makes no sense; says why."""


def session_routes(workbench: Workbench) -> Blueprint:
    """The routes of all sessions of a workbench."""
    routes = Blueprint("sessions", __name__)
    warmed = threading.Event()

    def warm_up_once() -> None:
        if not warmed.is_set():
            warmed.set()
            threading.Thread(target=workbench.warm_up, name="warm-up", daemon=True).start()

    @routes.get("/")
    def start() -> AnyResponse:
        """Goes on with this browser's last session, or makes one."""
        warm_up_once()
        last = request.cookies.get(LAST_SESSION_COOKIE, "")
        if last and workbench.store.has_session(last):
            return _to_session(last)
        return _to_session(workbench.new_session())

    @routes.post("/sessions")
    def new_session() -> AnyResponse:
        """Makes a session; its link is in the answer."""
        session_id = workbench.new_session()
        response = jsonify(session=session_id)
        _remember(response, session_id)
        return response

    @routes.before_app_request
    def warm_up_for_open_pages() -> None:
        if request.path.startswith("/s/"):
            warm_up_once()

    @routes.post("/s/<session_id>/converse")
    def converse(session_id: str) -> Response:
        """Takes events and answers with the journal's news and the segmentation, a line of JSON a message."""
        asked = _read_conversation()
        messages = workbench.converse(session_id, **asked)
        try:
            first = next(messages)
        except UnknownSessionError:
            first = {"kind": "gone", "reason": NO_SESSION}
        response = Response(_lines(first, messages), mimetype="application/x-ndjson")
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Accel-Buffering"] = "no"
        _remember(response, session_id)
        return response

    @routes.post("/s/<session_id>/images")
    def add_image(session_id: str) -> Response:
        """Takes an image file as the body, its name in the query; answers with the image's facts.

        A file that is no image is an answer too, ``{"error": sentence}``, and none that browsers log as a failure.
        """
        if not workbench.store.has_session(session_id):
            raise UnknownSessionError(session_id)
        limit = workbench.settings.max_upload_bytes
        if (request.content_length or 0) > limit:
            raise RequestEntityTooLarge(
                f"The file has {(request.content_length or 0) / 2**20:.0f} MB; this server takes at most "
                f"{limit / 2**20:.0f} MB."
            )
        name = _file_name(request.args.get("name", ""))
        try:
            return jsonify(workbench.add_image(session_id, request.get_data(cache=False), name))
        except ImageError as reason:
            return jsonify(error=str(reason))

    @routes.get("/s/<session_id>/images/<image_hash>/view")
    def view(session_id: str, image_hash: str) -> Response:
        """A part of an image as it is shown: ``rows=a,b&columns=a,b&step=n``."""
        image = workbench.image(session_id, image_hash)
        rows = _span("rows", image.shape[0])
        columns = _span("columns", image.shape[1])
        step = _whole("step", 1, 4096)
        if (rows.stop - rows.start) * (columns.stop - columns.start) > MAX_VIEW_PIXELS * step * step:
            raise BadRequestError("That part of the image is too large to show at that step.")
        pixels = display_pixels(image, rows=rows, columns=columns, step=step, ranges=display_range(image))
        if pixels.shape[0] * pixels.shape[1] <= LOSSLESS_PIXELS:
            response = Response(encode_png(pixels), mimetype="image/png")
        else:
            response = Response(encode_jpeg(pixels), mimetype="image/jpeg")
        response.headers["Cache-Control"] = f"private, max-age={YEAR_SECONDS}, immutable"
        return response

    @routes.get("/s/<session_id>/download/<file_name>")
    def take_home(session_id: str, file_name: str) -> Response:
        """One of the files to take home."""
        opacity = _whole("opacity", 0, 100) if "opacity" in request.args else 50
        content, mimetype = download(workbench, session_id, file_name, opacity=opacity / 100)
        response = Response(content, mimetype=mimetype)
        response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
        response.headers["Cache-Control"] = "no-store"
        return response

    @routes.errorhandler(UnknownSessionError)
    def no_session(_error: UnknownSessionError) -> tuple[Response, int]:
        return jsonify(error=NO_SESSION), 404

    @routes.errorhandler(UnknownImageError)
    def no_image(_error: UnknownImageError) -> tuple[Response, int]:
        return jsonify(error="This session has no such image."), 404

    @routes.errorhandler(UnknownFileError)
    def no_file(_error: UnknownFileError) -> tuple[Response, int]:
        return jsonify(error="There is no such file to take home."), 404

    @routes.errorhandler(ValueError)
    def bad_request(error: ValueError) -> tuple[Response, int]:
        return jsonify(error=str(error)), 422

    @routes.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> tuple[Response, int]:
        return jsonify(error=error.description), error.code or 500

    @routes.errorhandler(Exception)
    def failure(error: Exception) -> tuple[Response, int]:
        log.exception("request failed: %s %s", request.method, request.path, exc_info=error)
        return jsonify(error="The server failed at this. What you did before is safe; try again."), 500

    return routes


def _to_session(session_id: str) -> AnyResponse:
    response = redirect(f"{request.script_root}/s/{session_id}")
    response.headers["Cache-Control"] = "no-store"
    _remember(response, session_id)
    return response


def _remember(response: AnyResponse, session_id: str) -> None:
    response.set_cookie(
        LAST_SESSION_COOKIE, session_id, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
    )


def _lines(first: Mapping[str, Any], rest: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    yield _line(first)
    try:
        for message in rest:
            yield _line(message)
    except Exception:
        log.exception("conversation failed")
        yield _line({"kind": "failed", "reason": "The server failed at this. Your strokes are safe; try again."})


def _line(message: Mapping[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":")) + "\n"


def _read_conversation() -> dict[str, Any]:
    if (request.content_length or 0) > MAX_CONVERSE_BYTES:
        raise RequestEntityTooLarge("That is more than a page says at once.")
    asked = request.get_json(silent=True, cache=False)
    if not isinstance(asked, Mapping):
        raise BadRequestError("The page sent something that is not JSON: reload it.")
    after, bodies, window, wish = (asked.get(key) for key in ("after", "events", "window", "segment"))
    if not isinstance(after, int) or isinstance(after, bool) or after < 0:
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
    return {"view": view, "known": known}


def _file_name(text: str) -> str:
    name = "".join(c for c in unquote(text).replace("\\", "/").rsplit("/", 1)[-1] if c.isprintable()).strip()
    return name[:200] or "image"


def _whole(name: str, low: int, high: int) -> int:
    try:
        value = int(request.args.get(name, ""))
    except ValueError:
        value = low - 1
    if not low <= value <= high:
        raise BadRequestError(f"{name!r} must be a whole number from {low} to {high}.")
    return value


def _span(name: str, length: int) -> slice:
    try:
        start, stop = (int(part) for part in request.args.get(name, "").split(","))
    except ValueError:
        start, stop = 0, 0
    if not 0 <= start < stop <= length:
        raise BadRequestError(f"{name!r} must be two whole numbers, the first below the second, up to {length}.")
    return slice(start, stop)
