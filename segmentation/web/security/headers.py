"""What each answer tells the browser about what the page may do: nothing but talk to its own server."""

from __future__ import annotations

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


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""What the page may load and run."""


def send_security_headers(server: Flask) -> None:
    """Put the headers on all answers of a server; those that came through TLS ask for it for a year."""

    @server.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Cache-Control", "no-store")  # what may be kept says so itself
        if request.is_secure:
            response.headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_SECONDS}")
        return response
