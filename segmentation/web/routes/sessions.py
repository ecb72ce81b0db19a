"""Where sessions begin, are listed, named, copied, and end."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from segmentation.web.pages.startpage import start_page
from segmentation.web.routes.known_sessions import known_sessions, remember, remember_only
from segmentation.web.routes.requests import json_body
from segmentation.web.routes.responses import not_kept
from segmentation.web.session.sessions import Sessions


def session_routes(sessions: Sessions, *, sign_out: bool) -> Blueprint:
    """``/``, ``/sessions`` and what is done with a session as a whole.

    Args:
        sessions: of the server.
        sign_out: whether people have signed in, and can sign out.
    """
    routes = Blueprint("sessions", __name__)

    def page_of(shown: list[dict[str, Any]], known: list[dict[str, Any]]) -> Response:
        page = start_page(shown, request.script_root, sign_out=sign_out)
        return _forget_the_gone(Response(page, mimetype="text/html"), known)

    @routes.get("/")
    def start() -> AnyResponse:
        """The sessions that this browser knows; a browser that knows none goes straight into a new one."""
        known = sessions.listed(known_sessions())
        touched = [one for one in known if not one["untouched"]]
        if touched:
            return page_of(touched, known)
        session_id = known[0]["id"] if known else sessions.begin()
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

    @routes.post("/sessions")
    def begin() -> Response:
        """Begins a session; its link is in the answer."""
        return _made(sessions.begin())

    @routes.put("/s/<session_id>/name")
    def rename(session_id: str) -> Response:
        """Names a session: ``{"name": text}``."""
        sessions.rename(session_id, json_body(10_000).get("name"))
        return jsonify(session=session_id)

    @routes.post("/s/<session_id>/duplicate")
    def duplicate(session_id: str) -> Response:
        """Makes a copy of a session; its link is in the answer."""
        return _made(sessions.duplicate(session_id))

    @routes.delete("/s/<session_id>")
    def delete(session_id: str) -> Response:
        """Deletes a session with all that belongs to it."""
        sessions.delete(session_id)
        response = jsonify(session=session_id)
        remember_only(response, [one for one in known_sessions() if one != session_id])
        return response

    return routes


def _made(session_id: str) -> Response:
    response = jsonify(session=session_id)
    remember(response, session_id)
    return response


def _forget_the_gone(response: Response, existing: list[dict[str, Any]]) -> Response:
    """An answer for this browser alone, which forgets the sessions that are gone."""
    ids = {one["id"] for one in existing}
    known = known_sessions()
    if not ids.issuperset(known):
        remember_only(response, [one for one in known if one in ids])
    return not_kept(response)
