"""What a reverse proxy says about the request that it passes on, and from whom that is believed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

from segmentation.web.networks import Network, lies_in

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

PEER = "squiggle.peer"
"""Key in the environment of a request: the address at the other end of the connection."""

FORWARDING_HEADERS = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")


class BehindProxies:
    """Lets requests that come through a trusted proxy have the address, scheme and host that it names."""

    def __init__(self, application: WSGIApplication, trusted: tuple[Network, ...]) -> None:
        self._application = application
        self._through_proxy = ProxyFix(application, x_for=1, x_proto=1, x_host=1)
        self._trusted = trusted

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request."""
        peer = environ[PEER] = str(environ.get("REMOTE_ADDR", ""))
        serve: Any = self._through_proxy if lies_in(peer, self._trusted) else self._application
        return serve(environ, start_response)


def was_forwarded(environ: WSGIEnvironment) -> bool:
    """Whether a request came through a proxy that says so."""
    return any(header in environ for header in FORWARDING_HEADERS)
