"""The links of sessions: ``/s/look-…`` shows all that ``/s/<session>`` shows, and nothing can be changed there."""

from __future__ import annotations

from flask import Blueprint, Response, g, jsonify, request

from segmentation.web.routes.errors import LOOKING_TAKEN_BACK, TAKEN_BACK
from segmentation.web.routes.known_sessions import exchange, may_take_links_back, require_owner
from segmentation.web.security.guard import SAFE_METHODS
from segmentation.web.store.links import Links, is_looking_id

ONLY_LOOK = "With this link you can look, not change. Ask for the other one to work in this session."
CONVERSE = "converse"
"""Name of the one route that is asked by POST of those who look too: it refuses their events itself, and says itself
that a link was taken back."""

NOWHERE = ""
"""What stands for the id of the session where a link leads to none: no session has it."""


def link_routes(links: Links) -> Blueprint:
    """``/s/<session>/looking`` and ``/s/<session>/link``."""
    routes = Blueprint("links", __name__)

    @routes.post("/s/<session_id>/looking")
    def link(session_id: str) -> Response:
        """Answers with the id in the session's link that only lets look, and whether its links may be taken back."""
        return jsonify(looking=links.looking(session_id), mine=may_take_links_back(session_id))

    @routes.delete("/s/<session_id>/looking")
    def take_looking_back(session_id: str) -> Response:
        """Lets that link lead nowhere; another one can be asked for."""
        require_owner(session_id)
        links.take_looking_back(session_id)
        return jsonify(session=link_id())

    @routes.delete("/s/<session_id>/link")
    def take_working_back(session_id: str) -> Response:
        """Lets the link that was asked for lead nowhere; answers with the id in the new one."""
        require_owner(session_id)
        new = links.take_working_back(session_id)
        response = jsonify(session=new)
        exchange(response, link_id(), new)
        return response

    return routes


def find_sessions(routes: Blueprint, links: Links) -> None:
    """Let routes below ``/s/<session>`` be asked for by the links of the session; those that only let look ask for
    nothing that changes something.
    """

    @routes.before_request
    def find_session() -> tuple[Response, int] | None:
        asked = (request.view_args or {}).get("session_id")
        g.link_id, g.only_looks, g.taken_back = asked or "", is_looking_id(asked or ""), False
        if request.view_args is None or asked is None:
            return None
        answers_itself = str(request.endpoint).endswith(f".{CONVERSE}")
        if g.only_looks and request.method not in SAFE_METHODS and not answers_itself:
            return refusal()
        session_id = links.sessions_behind([asked]).get(asked, NOWHERE)
        g.taken_back = session_id == NOWHERE and links.was_taken_back(asked)
        if g.taken_back and not answers_itself:
            return jsonify(error=taken_back()), 404
        request.view_args["session_id"] = session_id
        return None


def refusal() -> tuple[Response, int]:
    """What is answered to those who only look, when they ask for a change."""
    return jsonify(error=ONLY_LOOK), 403


def link_id() -> str:
    """The id in the link that was asked for."""
    return str(g.link_id)


def only_looks() -> bool:
    """Whether it is a link that only lets look."""
    return bool(g.only_looks)


def was_taken_back() -> bool:
    """Whether it leads nowhere since it was taken back."""
    return bool(g.taken_back)


def taken_back() -> str:
    """What is said of a link that was taken back."""
    return LOOKING_TAKEN_BACK if only_looks() else TAKEN_BACK
