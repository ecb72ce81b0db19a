"""Which sessions a browser knows: a cookie that scripts cannot read, since the id of a session is its key.

Where a reverse proxy names the user, what they know on any machine is in the store too, and whose a session is.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence

from flask import Blueprint, current_app, g, request
from flask import Response as FlaskResponse
from itsdangerous import BadSignature, TimestampSigner
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response

from segmentation.web.routes.people import author_of_request
from segmentation.web.security.cookies import BEGINNER, SESSIONS, set_cookie, signer
from segmentation.web.security.headers import YEAR_SECONDS
from segmentation.web.store.people import People

KEY = "sessions"
MAX_SESSIONS = 100
"""Sessions that a browser remembers; a cookie holds about 4,000 characters."""

BROWSER = "browser-"
"""What the ids of browsers begin with, as owners of sessions."""

ONLY_ITS_OWNER = "Only the person who began this session may do that."
ONLY_ITS_BROWSER = (
    "Only the browser in which this session was begun can take its links back. A copy of it would be yours."
)

RENEWED_AFTER_SECONDS = 24 * 3600

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def known_sessions() -> list[str]:
    """The ids of the sessions that the browser remembers, or its user, the one that it met last first."""
    known, person = _read()[0], _person()
    return known if person is None else list(dict.fromkeys([*known, *_people().links(person)]))


def remember(response: Response, link: str) -> None:
    """Let the browser remember a link, for a year from its last use, and its user."""
    known, age = _read()
    person = _person()
    if person is not None:
        _people().remember(person, link)
    if link not in known or age > RENEWED_AFTER_SECONDS:
        _set_cookie(response, [link, *(one for one in known if one != link)])


def remember_only(response: Response, links: Iterable[str]) -> None:
    """Let the browser, and its user, remember these links and no others."""
    ids, person = list(links), _person()
    if person is not None:
        _people().forget(person, set(_people().links(person)).difference(ids))
    _set_cookie(response, ids)


def exchange(response: Response, old: str, new: str) -> None:
    """Let the browser, and its user, remember a link in the place of another."""
    person = _person()
    if person is not None:
        _people().forget(person, [old])
        _people().remember(person, new)
    _set_cookie(response, [new, *(one for one in _read()[0] if one not in (old, new))])


def own(session_id: str) -> None:
    """A session was begun: it is the user's, if a reverse proxy names one, or else of this browser."""
    _people().own(session_id, _person() or _browser())


def require_room(more: int = 0, *, copied: str | None = None) -> None:
    """Refuse to begin a session, or to copy one, for a user whose sessions would hold more than they may.

    Args:
        more: bytes that a new session has.
        copied: id of the one that is copied.

    Raises:
        StoreFullError: with a sentence.
    """
    g.keeps_browser = _person() is None
    _people().check_room(_person() or _browser(), more, copied)


def require_owner(session_id: str) -> None:
    """Refuse what only the one who began a session may do.

    Raises:
        Forbidden: with a sentence.
    """
    if not may_take_links_back(session_id):
        raise Forbidden(ONLY_ITS_OWNER if _person() is not None else ONLY_ITS_BROWSER)


def require_owner_where_named(session_id: str) -> None:
    """The same where a reverse proxy names people; where none does, whoever works in a session may do it.

    Raises:
        Forbidden: with a sentence.
    """
    if _person() is not None:
        require_owner(session_id)


def may_take_links_back(session_id: str) -> bool:
    """Whether who asks began a session, or it is not known who did."""
    owner, person = _people().owner(session_id), _person()
    if owner is None or (person is not None and owner.startswith(BROWSER)):
        return True
    return owner == (person or _browser())


def keep_browser(routes: Blueprint) -> None:
    """Let a browser that begins a session be known again, for a year from the last one that it begins."""

    @routes.after_request
    def keep(response: FlaskResponse) -> FlaskResponse:
        if g.get("keeps_browser") and response.status_code < 400:  # else nothing was begun, and the store may be away
            set_cookie(response, BEGINNER, _browser_signer().sign(_browser()).decode(), YEAR_SECONDS)
        return response


def _browser() -> str:
    """What is kept of a browser as the one that has begun a session: a random id, which its cookie holds."""
    if "browser" not in g:
        cookie = request.cookies.get(BEGINNER, "")
        known = cookie and _browser_signer().validate(cookie, max_age=YEAR_SECONDS)
        g.browser = cookie.split(".")[0] if known else BROWSER + secrets.token_urlsafe(16)
    return str(g.browser)


def _person() -> str | None:
    """The id of the user as an author, if a reverse proxy names them."""
    author = author_of_request(current_app.extensions["workbench"].settings.user_header)
    return None if author is None else author["id"]


def _people() -> People:
    return People(current_app.extensions["workbench"].store)


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
    return _signer_for("sessions_signer", b"squiggle sessions")


def _browser_signer() -> TimestampSigner:
    return _signer_for("browser_signer", b"squiggle browser")


def _signer_for(name: str, purpose: bytes) -> TimestampSigner:
    extensions = current_app.extensions
    if name not in extensions:
        extensions[name] = signer(extensions["workbench"].store.key(KEY), purpose)
    found: TimestampSigner = extensions[name]
    return found
