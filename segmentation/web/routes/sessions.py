"""Where sessions begin."""

from __future__ import annotations

from flask import Blueprint, jsonify, redirect, request
from werkzeug.wrappers import Response

from segmentation.web.routes.remember import last_session, remember
from segmentation.web.workbench import Workbench


def start_routes(workbench: Workbench) -> Blueprint:
    """``GET /`` and ``POST /sessions``."""
    routes = Blueprint("sessions", __name__)

    @routes.get("/")
    def start() -> Response:
        """Goes on with this browser's last session, or makes one."""
        last = last_session()
        if last and workbench.store.has_session(last):
            return _to_session(last)
        return _to_session(workbench.new_session())

    @routes.post("/sessions")
    def new_session() -> Response:
        """Makes a session; its link is in the answer."""
        session_id = workbench.new_session()
        response = jsonify(session=session_id)
        remember(response, session_id)
        return response

    return routes


def _to_session(session_id: str) -> Response:
    response = redirect(f"{request.script_root}/s/{session_id}")
    response.headers["Cache-Control"] = "no-store"
    remember(response, session_id)
    return response
