"""Who may use a server.

On the machine itself everybody may. What others can reach must have been opened by its operator, in one of three
ways: a password, the word of a reverse proxy on who the user is, or open to everybody. A server that is reachable
and was not opened does not start; and if it was started past that check, it answers strangers with a refusal.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask, jsonify, redirect, request
from werkzeug.wrappers import Request, Response

from segmentation.web.asset_files import URL_PATH
from segmentation.web.networks import is_loopback, lies_in, user_at
from segmentation.web.security.cookies import SIGNED_IN
from segmentation.web.security.problempage import asked_by_a_person
from segmentation.web.security.proxies import PEER, BehindProxies, was_forwarded
from segmentation.web.security.signin import SignIn, sign_in_link, sign_in_routes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from segmentation.web.settings import Settings

PUBLIC_ASSETS = (
    *(f"style/{sheet}.css" for sheet in ("base", "popups", "small-screens", "signin", "sessions")),
    *("shared/theme.mjs", "logo.svg", "favicon.ico"),
)
PUBLIC_PATHS = frozenset(
    ("/health", "/ready", "/metrics", "/sign-in", "/sign-out", *(f"{URL_PATH}/{name}" for name in PUBLIC_ASSETS))
)
"""What is shown to people who are not let in yet."""

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
FROM_OURSELVES = ("same-origin", "none")
"""What browsers say where our own page, or the person, sends a request; another port of the host is another site."""

ROOT = 0
"""The user who may everything anyway, and as whom some systems pass on what a browser beside them asks."""

MAX_STRANGERS_BYTES = 2**13
"""Bytes of a body that are received from whoever is not let in: there is nothing to send but a password."""

NOT_OPENED = (
    "This server was not opened to others. Its operator sets SQUIGGLE_PASSWORD, SQUIGGLE_USER_HEADER or SQUIGGLE_OPEN."
)
SIGN_IN_FIRST = "You are signed out. Reload the page and sign in; what you did before is safe."
NO_USER = "The sign-in of this server did not say who you are. Sign in there, and try again."
FROM_ELSEWHERE = "Another site sent this request. Open the page itself."


class Gate:
    """Says whom a server lets in.

    Args:
        settings: of the server.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.sign_in = SignIn(settings.password) if settings.password else None

    def why_closed(self, request: Request) -> str:
        """Why whoever sends a request is not let in, as a sentence; empty if they are."""
        if self._settings.open:
            return ""
        if self.sign_in:
            return "" if self.sign_in.is_signed_in(request.cookies.get(SIGNED_IN, "")) else SIGN_IN_FIRST
        peer = str(request.environ.get(PEER) or request.environ.get("REMOTE_ADDR", ""))
        if self._settings.user_header:
            named = request.headers.get(self._settings.user_header, "").strip()
            return "" if named and lies_in(peer, self._settings.trusted_proxies) else NO_USER
        at_home = is_loopback(peer) and is_loopback(_host_name(request))
        passed_on = was_forwarded(request.environ) or _comes_from_a_service(request.environ) or _is_elsewhere(request)
        return NOT_OPENED if passed_on or not at_home else ""


def guard(server: Flask, settings: Settings, max_body_bytes: int) -> None:
    """Let only those into a server whom its settings let in; to be called before its routes are added.

    Args:
        server: the server; its extension ``body_limit`` says of the environment of a request, before its body is
            received, how many bytes that may have.
        settings: of the server.
        max_body_bytes: that those may send who are let in.
    """
    server.wsgi_app = BehindProxies(server.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    gate = Gate(settings)
    if gate.sign_in:
        server.register_blueprint(sign_in_routes(gate.sign_in))

    def body_limit(environ: WSGIEnvironment) -> int:
        return MAX_STRANGERS_BYTES if gate.why_closed(Request(environ)) else max_body_bytes

    server.extensions["body_limit"] = body_limit

    @server.before_request
    def refuse_strangers() -> Response | None:
        if request.method not in SAFE_METHODS and not _comes_from_our_page():
            return _refusal(FROM_ELSEWHERE, 403)
        closed = "" if request.path in PUBLIC_PATHS else gate.why_closed(request)
        if closed == SIGN_IN_FIRST:
            return _ask_to_sign_in()
        return _refusal(closed, 403) if closed else None


def _comes_from_our_page() -> bool:
    """Whether a browser says that a page of ours sent this; without TLS it names the page's origin only."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in FROM_OURSELVES
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2].lower() == request.host.lower()


def _comes_from_a_service(environ: WSGIEnvironment) -> bool:
    """Whether the other end is not a browser of whoever started this server, but a proxy that says nothing of itself.

    Such a proxy runs as a user of its own, as a packaged nginx does; and unless it is told otherwise it asks in the
    manner of HTTP/1.0, or closes the connection after each answer, which no browser does.
    """
    if environ.get("SERVER_PROTOCOL") == "HTTP/1.0" or environ.get("HTTP_CONNECTION", "").lower() == "close":
        return True
    ports = str(environ.get("REMOTE_PORT", "")), str(environ.get("SERVER_PORT", ""))
    if os.name == "nt" or not all(port.isdecimal() for port in ports):
        return False
    return user_at(int(ports[0]), int(ports[1])) not in (None, ROOT, os.getuid())


def _is_elsewhere(request: Request) -> bool:
    """Whether the page that asks has an address of another machine: a browser says that with all that it sends.

    So what is written through a proxy that rewrites the host is refused, whoever runs that.
    """
    origins = (request.headers.get(name) for name in ("Origin", "Referer"))
    return not all(is_loopback(urlsplit(one).hostname or "") for one in origins if one)


def _host_name(request: Request) -> str:
    """The host that the browser thinks it talks to; one that is not this machine's may be made to point to it."""
    host = request.host
    return host[: host.rindex("]") + 1] if "]" in host else host.partition(":")[0]


def _ask_to_sign_in() -> Response:
    if request.method == "GET" and asked_by_a_person():
        response = redirect(sign_in_link(request.full_path.rstrip("?")), 303)
    else:
        response = _refusal(SIGN_IN_FIRST, 401)
    response.headers["Cache-Control"] = "no-store"
    return response


def _refusal(sentence: str, status: int) -> Response:
    response = jsonify(error=sentence)
    response.status_code = status
    return response
