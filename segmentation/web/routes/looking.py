"""Links that only let look: ``/s/look-…`` shows all that ``/s/<session>`` shows, and nothing can be changed there."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, request

from segmentation.web.routes.known_sessions import require_owner
from segmentation.web.security.guard import SAFE_METHODS
from segmentation.web.store.looking import LookingLinks, is_looking_id

ONLY_LOOK = "With this link you can look, not change. Ask for the other one to work in this session."
CONVERSE = "converse"
"""Name of the one route that is asked by POST of those who look too: it refuses their events itself."""


def looking_routes(links: LookingLinks) -> Blueprint:
    """``/s/<session>/looking``."""
    routes = Blueprint("looking", __name__)

    @routes.post("/s/<session_id>/looking")
    def link(session_id: str) -> Response:
        """Answers with the id in the session's link that only lets look."""
        return jsonify(looking=links.of(session_id))

    @routes.delete("/s/<session_id>/looking")
    def take_back(session_id: str) -> Response:
        """Lets that link lead nowhere; another one can be asked for."""
        require_owner(session_id)
        links.take_back(session_id)
        return jsonify(session=session_id)

    return routes


def let_only_look(routes: Blueprint, links: LookingLinks) -> None:
    """Let routes below ``/s/<session>`` be asked for by links that only let look, but for what changes something."""

    @routes.before_request
    def find_session() -> tuple[Response, int] | None:
        asked = (request.view_args or {}).get("session_id", "")
        g.link_id, g.only_looks = asked, is_looking_id(asked)
        if not g.only_looks:
            return None
        if request.method not in SAFE_METHODS and not str(request.endpoint).endswith(f".{CONVERSE}"):
            return refusal()
        session_id = links.sessions_behind([asked]).get(asked)
        if request.view_args and session_id:
            request.view_args["session_id"] = session_id
        return None


def refusal() -> tuple[Response, int]:
    """What is answered to those who only look, when they ask for a change."""
    return jsonify(error=ONLY_LOOK), 403


def link_id() -> str:
    """The id in the link that was asked for: that of the session, or of its link that only lets look."""
    return str(g.link_id)


def only_looks() -> bool:
    """Whether it is a link that only lets look."""
    return bool(g.only_looks)
