"""Which sessions a browser knows: a cookie that scripts cannot read, since the id of a session is its key."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import current_app, request
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.wrappers import Response

from segmentation.web.security.cookies import SESSIONS, set_cookie, signer
from segmentation.web.security.headers import YEAR_SECONDS

KEY = "sessions"
MAX_SESSIONS = 100
"""Sessions that a browser remembers; a cookie holds about 4,000 characters."""

RENEWED_AFTER_SECONDS = 24 * 3600

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def known_sessions() -> list[str]:
    """The ids of the sessions that the browser remembers, the one that it met last first."""
    return _read()[0]


def remember(response: Response, session_id: str) -> None:
    """Let the browser remember a session, for a year from its last use."""
    known, age = _read()
    if session_id not in known or age > RENEWED_AFTER_SECONDS:
        remember_only(response, [session_id, *(one for one in known if one != session_id)])


def remember_only(response: Response, session_ids: Iterable[str]) -> None:
    """Let the browser remember these sessions and no others."""
    value = _signer().sign(".".join(list(session_ids)[:MAX_SESSIONS])).decode()
    set_cookie(response, SESSIONS, value, YEAR_SECONDS)


def _read() -> tuple[list[str], float]:
    """The ids in the cookie, if it is one of ours and not too old, and the seconds since it was signed."""
    cookie = request.cookies.get(SESSIONS, "")
    if not cookie:
        return [], 0.0
    try:
        value, signed = _signer().unsign(cookie, max_age=YEAR_SECONDS, return_timestamp=True)
    except BadSignature:
        return [], 0.0
    known = [one for one in value.decode().split(".") if _ID.fullmatch(one)]
    return known[:MAX_SESSIONS], _signer().get_timestamp() - signed.timestamp()


def _signer() -> TimestampSigner:
    extensions = current_app.extensions
    if "sessions_signer" not in extensions:
        extensions["sessions_signer"] = signer(extensions["workbench"].store.key(KEY), b"squiggle sessions")
    found: TimestampSigner = extensions["sessions_signer"]
    return found
