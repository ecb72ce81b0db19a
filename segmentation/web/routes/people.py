"""Who asks, where a reverse proxy says so."""

from __future__ import annotations

from contextlib import suppress

from flask import request

from segmentation.web.session.authors import author_of_user


def author_of_request(user_header: str) -> dict[str, str] | None:
    """The author whom the header of a reverse proxy names; None where no header is set, and the browser is believed.

    Only a trusted proxy's header comes this far: ``security/guard.py`` refuses all other requests.
    """
    named = request.headers.get(user_header, "").strip() if user_header else ""
    if not named:
        return None
    with suppress(UnicodeError):
        named = named.encode("latin-1").decode("utf-8")  # WSGI hands the bytes of headers over as Latin-1
    return author_of_user(named)
