"""The browser's last session, so that the start leads back to it."""

from __future__ import annotations

from flask import request
from werkzeug.wrappers import Response

from segmentation.web.routes.requests import YEAR_SECONDS

LAST_SESSION_COOKIE = "squiggle_last_session"


def remember(response: Response, session_id: str) -> None:
    """Let the browser remember its last session."""
    response.set_cookie(
        LAST_SESSION_COOKIE, session_id, max_age=YEAR_SECONDS, httponly=True, samesite="Lax", secure=request.is_secure
    )


def last_session() -> str:
    """The id of the session that the browser remembers, or nothing."""
    return request.cookies.get(LAST_SESSION_COOKIE, "")
