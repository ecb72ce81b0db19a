"""Signing in with the password that the operator chose: a page, a signed cookie, and patience with guessing."""

from __future__ import annotations

import hashlib
import hmac
import math
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request
from itsdangerous import BadSignature
from werkzeug.wrappers import Response as AnyResponse

from segmentation.web.networks import neighbourhood
from segmentation.web.security.cookies import SESSIONS, SIGNED_IN, forget_cookie, set_cookie, signer
from segmentation.web.security.ratelimit import RateLimit

COOKIE_SECONDS = 30 * 24 * 3600
SIGNED = "in"
TRIES_AT_ONCE, TRIES_PER_SECOND = 5, 0.1
MAX_FORM_BYTES, MAX_FORM_FIELDS = 4_096, 10

WRONG = "That is not the password."
TOO_LONG = "That is longer than any password."


class SignIn:
    """Knows the password and who has given it.

    Equal passwords give equal keys, so that all processes and hosts believe each other's cookies; a new password signs
    everybody out.
    """

    def __init__(self, password: str) -> None:
        self._password = hashlib.sha256(password.encode()).digest()
        key = hashlib.scrypt(password.encode(), salt=b"squiggle sign-in cookie", n=2**14, r=8, p=1)
        self._signer = signer(key, b"squiggle")
        self._tries = RateLimit(TRIES_AT_ONCE, TRIES_PER_SECOND)

    def is_password(self, text: str) -> bool:
        """Whether this is the password; takes the same time whatever was typed."""
        return hmac.compare_digest(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), self._password)

    def wait_before_try(self, address: str) -> float:
        """Seconds that somebody at an address has to wait before another try; 0.0 counts as a try.

        Nobody else's tries count: whoever guesses from many addresses keeps none of the others out.
        """
        return self._tries.acquire(neighbourhood(address))

    def cookie(self) -> str:
        """What a browser keeps once it has signed in."""
        return self._signer.sign(SIGNED).decode()

    def is_signed_in(self, cookie: str) -> bool:
        """Whether a cookie is one of ours and not too old."""
        try:
            return self._signer.unsign(cookie, max_age=COOKIE_SECONDS).decode() == SIGNED
        except BadSignature:
            return False


def sign_in_routes(sign_in: SignIn) -> Blueprint:
    """The page to sign in, and the way out."""
    routes = Blueprint("sign-in", __name__)

    @routes.get("/sign-in")
    def show() -> Response:
        """Asks for the password."""
        return _page(_way_on(request.args.get("next", "")))

    @routes.post("/sign-in")
    def enter() -> AnyResponse:
        """Lets those in who know the password."""
        request.max_content_length, request.max_form_parts = MAX_FORM_BYTES, MAX_FORM_FIELDS
        if (request.content_length or 0) > MAX_FORM_BYTES:
            return _page("/", TOO_LONG, 413)
        way_on = _way_on(request.form.get("next", ""))
        wait = sign_in.wait_before_try(request.remote_addr or "")
        if wait:
            page = _page(way_on, f"Too many tries. Wait {math.ceil(wait)} seconds, then try again.", 429)
            page.headers["Retry-After"] = str(math.ceil(wait))
            return page
        if not sign_in.is_password(request.form.get("password", "")):
            return _page(way_on, WRONG, 403)
        response = redirect(request.script_root + way_on, 303)
        response.headers["Cache-Control"] = "no-store"
        set_cookie(response, SIGNED_IN, sign_in.cookie(), COOKIE_SECONDS)
        return response

    @routes.post("/sign-out")
    def leave() -> AnyResponse:
        """Forgets this browser, which forgets the links that it knew."""
        response = redirect(f"{request.script_root}/sign-in", 303)
        response.headers["Cache-Control"] = "no-store"
        for name in (SIGNED_IN, SESSIONS):
            forget_cookie(response, name)
        return response

    return routes


def sign_in_link(path: str) -> str:
    """Where to sign in, and to go on from there to a path of ours."""
    return f"{request.script_root}/sign-in?{urlencode({'next': _way_on(path)})}"


def _way_on(path: str) -> str:
    """A path of ours to go on to; anything else leads to the start."""
    ours = path.startswith("/") and not path.startswith("//") and path.isprintable() and "\\" not in path
    return path if ours and len(path) < 500 else "/"


def _page(way_on: str, problem: str = "", status: int = 200) -> Response:
    page = render_template("signin.html", problem=problem, next=way_on)
    response = Response(page, status=status, mimetype="text/html")
    response.headers["Cache-Control"] = "no-store"
    return response
