"""Which sessions a browser knows: a cookie that scripts cannot read, since the id of a session is its key."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import request
from werkzeug.wrappers import Response

from segmentation.web.security.headers import YEAR_SECONDS

COOKIE = "squiggle_sessions"
MAX_SESSIONS = 100
"""Sessions that a browser remembers; a cookie holds about 4,000 characters."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def known_sessions() -> list[str]:
    """The ids of the sessions that the browser remembers, the one that it met last first."""
    return [one for one in request.cookies.get(COOKIE, "").split(".") if _ID.fullmatch(one)][:MAX_SESSIONS]


def remember(response: Response, session_id: str) -> None:
    """Let the browser remember a session."""
    known = known_sessions()
    if session_id not in known:
        remember_only(response, [session_id, *known])


def remember_only(response: Response, session_ids: Iterable[str]) -> None:
    """Let the browser remember these sessions and no others."""
    response.set_cookie(
        COOKIE,
        ".".join(list(session_ids)[:MAX_SESSIONS]),
        max_age=YEAR_SECONDS,
        path=f"{request.script_root}/",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
