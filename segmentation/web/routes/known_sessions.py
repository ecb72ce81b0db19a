"""Which sessions a browser knows: a cookie that scripts cannot read, since the id of a session is its key.

Where a reverse proxy names the user, what they know on any machine is in the store too, and whose a session is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from flask import current_app, request
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.web.routes.people import author_of_request
from segmentation.web.security.cookies import SESSIONS, set_cookie, signer
from segmentation.web.security.headers import YEAR_SECONDS
from segmentation.web.store.people import People

KEY = "sessions"
MAX_SESSIONS = 100
"""Sessions that a browser remembers; a cookie holds about 4,000 characters."""

MAX_REMEMBERED = 10_000
ONLY_ITS_OWNER = "Only the person who began this session may do that."

RENEWED_AFTER_SECONDS = 24 * 3600

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def known_sessions() -> list[str]:
    """The ids of the sessions that the browser remembers, or its user, the one that it met last first."""
    known, person = _read()[0], _person()
    return known if person is None else list(dict.fromkeys([*known, *_people().links(person)]))


def remember(response: Response, session_id: str) -> None:
    """Let the browser remember a session, for a year from its last use, and its user."""
    known, age = _read()
    person = _person()
    if person is not None and _remembered().get((person, session_id)) is None:
        _people().remember(person, session_id)
        _remembered().put((person, session_id), True)
    if session_id not in known or age > RENEWED_AFTER_SECONDS:
        _set_cookie(response, [session_id, *(one for one in known if one != session_id)])


def remember_only(response: Response, session_ids: Iterable[str]) -> None:
    """Let the browser, and its user, remember these sessions and no others."""
    ids, person = list(session_ids), _person()
    if person is not None:
        left = set(_people().links(person)).difference(ids)
        _people().forget(person, left)
        for one in left:
            _remembered().pop((person, one))
    _set_cookie(response, ids)


def own(session_id: str) -> None:
    """A session was begun: it is the user's, if a reverse proxy names one."""
    person = _person()
    if person is not None:
        _people().own(session_id, person)


def require_room(copied: str | None = None) -> None:
    """Refuse to begin a session, or to copy one, for a user whose sessions would hold more than they may.

    Raises:
        StoreFullError: with a sentence.
    """
    person = _person()
    if person is not None:
        _people().check_room(person, copied)


def require_owner(session_id: str) -> None:
    """Refuse what only the one who began a session may do, where a reverse proxy names people.

    Raises:
        Forbidden: with a sentence.
    """
    person = _person()
    if person is not None and _people().owner(session_id) not in (None, person):
        raise Forbidden(ONLY_ITS_OWNER)


def _person() -> str | None:
    """The id of the user as an author, if a reverse proxy names them."""
    author = author_of_request(current_app.extensions["workbench"].settings.user_header)
    return None if author is None else author["id"]


def _people() -> People:
    return People(current_app.extensions["workbench"].store)


def _remembered() -> BoundedCache[tuple[str, str], bool]:
    """What this process has written lately of links that people have met: each request meets one."""
    found: BoundedCache[tuple[str, str], bool] = current_app.extensions.setdefault(
        "remembered", BoundedCache(MAX_REMEMBERED)
    )
    return found


def _set_cookie(response: Response, session_ids: Sequence[str]) -> None:
    value = _signer().sign(".".join(session_ids[:MAX_SESSIONS])).decode()
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
