"""The start page: the sessions that a browser knows, or straight into a new one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from segmentation.web.pages.startpage import start_page
from segmentation.web.routes.known_sessions import known_sessions, own, remember, remember_only, require_room
from segmentation.web.routes.responses import not_kept
from segmentation.web.session.sessions import Sessions


def start_routes(sessions: Sessions, *, sign_out: bool) -> Blueprint:
    """``/``, ``/sessions`` and ``/sessions/list``.

    Args:
        sessions: of the server.
        sign_out: whether people have signed in, and can sign out.
    """
    routes = Blueprint("start", __name__)

    def page_of(shown: list[dict[str, Any]], known: list[dict[str, Any]]) -> Response:
        page = start_page(shown, sign_out=sign_out)
        return _forget_the_gone(Response(page, mimetype="text/html"), known)

    def begun() -> str:
        require_room(sessions.begin_bytes)
        session_id = sessions.begin()
        own(session_id)
        return session_id

    @routes.get("/")
    def start() -> AnyResponse:
        """The sessions that this browser knows; a browser that knows none goes straight into a new one."""
        known = sessions.listed(known_sessions())
        touched = [one for one in known if not one["untouched"]]
        if touched:
            return page_of(touched, known)
        session_id = known[0]["id"] if known else begun()
        response = not_kept(redirect(f"{request.script_root}/s/{session_id}"))
        remember(response, session_id)
        return response

    @routes.get("/sessions")
    def all_sessions() -> Response:
        """The same list, whatever is in it."""
        known = sessions.listed(known_sessions())
        return page_of(known, known)

    @routes.get("/sessions/list")
    def list_sessions() -> Response:
        """What the page lists."""
        known = sessions.listed(known_sessions())
        return _forget_the_gone(jsonify(known), known)

    return routes


def _forget_the_gone(response: Response, existing: list[dict[str, Any]]) -> Response:
    """An answer for this browser alone, which forgets the sessions that are gone."""
    ids = {one["id"] for one in existing}
    known = known_sessions()
    if not ids.issuperset(known):
        remember_only(response, [one for one in known if one in ids])
    return not_kept(response)
