"""What each answer tells the browser about what the page may do: nothing but talk to its own server."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, request

YEAR_SECONDS = 365 * 24 * 3600

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def content_security_policy(script_hashes: Sequence[str]) -> str:
    """What the page may load and run.

    Args:
        script_hashes: hashes of the scripts that stand in the page itself, as :meth:`dash.Dash.csp_hashes` gives them.
    """
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def send_security_headers(server: Flask, script_hashes: Sequence[str]) -> None:
    """Put the headers on all answers of a server; those that came through TLS ask for it for a year."""
    policy = content_security_policy(script_hashes)

    @server.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", policy)
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_SECONDS}")
        return response
