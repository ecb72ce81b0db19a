"""Sessions as a whole: begun, named, copied, and deleted."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from segmentation.web.routes.known_sessions import (
    known_sessions,
    own,
    remember,
    remember_only,
    require_owner_where_named,
    require_room,
)
from segmentation.web.routes.links import link_id
from segmentation.web.routes.requests import json_body
from segmentation.web.session.sessions import Sessions


def session_routes(sessions: Sessions) -> Blueprint:
    """``POST /sessions``, and what is done with ``/s/<session>`` as a whole."""
    routes = Blueprint("sessions", __name__)

    @routes.post("/sessions")
    def begin() -> Response:
        """Begins a session; its link is in the answer."""
        require_room(sessions.begin_bytes)
        return _made(sessions.begin())

    @routes.put("/s/<session_id>/name")
    def rename(session_id: str) -> Response:
        """Names a session: ``{"name": text}``."""
        sessions.rename(session_id, json_body(10_000).get("name"))
        return jsonify(session=link_id())

    @routes.post("/s/<session_id>/duplicate")
    def duplicate(session_id: str) -> Response:
        """Makes a copy of a session; its link is in the answer."""
        require_room(copied=session_id)
        return _made(sessions.duplicate(session_id))

    @routes.post("/sessions/leave")
    def leave() -> Response:
        """Lets the browser forget a link, ``{"session": id}``; for others nothing changes."""
        left = json_body(10_000).get("session")
        response = jsonify(session=left)
        remember_only(response, [one for one in known_sessions() if one != left])
        return response

    @routes.delete("/s/<session_id>")
    def delete(session_id: str) -> Response:
        """Deletes a session with all that belongs to it."""
        require_owner_where_named(session_id)
        sessions.delete(session_id)
        response = jsonify(session=link_id())
        remember_only(response, [one for one in known_sessions() if one != link_id()])
        return response

    return routes


def _made(session_id: str) -> Response:
    response = jsonify(session=session_id)
    own(session_id)
    remember(response, session_id)
    return response
