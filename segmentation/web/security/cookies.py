"""The cookies of browsers: who has signed in, and which sessions are known; signed, and kept from scripts."""

from __future__ import annotations

import hashlib

from flask import request
from itsdangerous import TimestampSigner
from werkzeug.wrappers import Response

SIGNED_IN = "squiggle_signed_in"
SESSIONS = "squiggle_sessions"
BEGINNER = "squiggle_browser"


def signer(key: bytes, purpose: bytes) -> TimestampSigner:
    """Signs the values of a cookie, with the time; what is signed for one purpose is not valid for another."""
    return TimestampSigner(key, salt=purpose, digest_method=hashlib.sha256, key_derivation="hmac")


def set_cookie(response: Response, name: str, value: str, seconds: int) -> None:
    """Let the browser keep a value for so long, for this application alone."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=f"{request.script_root}/",
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )


def forget_cookie(response: Response, name: str) -> None:
    """Let the browser forget a value."""
    response.delete_cookie(
        name, path=f"{request.script_root}/", httponly=True, samesite="Lax", secure=request.is_secure
    )
