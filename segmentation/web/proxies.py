"""What a reverse proxy says about the request that it passes on, and from whom that is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from werkzeug.middleware.proxy_fix import ProxyFix

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
EVERYWHERE: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))

PEER = "squiggle.peer"
"""Key in the environment of a request: the address at the other end of the connection."""

FORWARDING_HEADERS = ("HTTP_FORWARDED", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_REAL_IP", "HTTP_VIA")


def read_networks(text: str) -> tuple[Network, ...]:
    """Addresses and networks from a list with commas; ``*`` is all of them.

    Raises:
        ValueError: if one of them is neither.
    """
    if text.strip() == "*":
        return EVERYWHERE
    return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def lies_in(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none but all of them together."""
    networks = tuple(networks)
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return networks == EVERYWHERE
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in networks)


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine itself, which nobody else reaches."""
    host = host.strip("[]").lower()
    return host == "localhost" or host.endswith(".localhost") or lies_in(host, LOOPBACK)


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
