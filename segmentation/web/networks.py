"""Addresses and networks: from where a server can be reached, and whom it believes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from pathlib import Path

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
EVERYWHERE: tuple[Network, ...] = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


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


def neighbourhood(address: str) -> str:
    """What limits count by: an address, or the network of 64 bits that one person has of version 6."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))


def user_at(port: int, connected_to: int) -> int | None:
    """The user of this machine whose process has the other end of a connection within it.

    Args:
        port: of that end.
        connected_to: the port of our end.

    Returns:
        The number of the user; None where the system does not say, as on Windows and macOS.
    """
    ends = f":{port:04X}", f":{connected_to:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[1].endswith(ends[0]) and fields[2].endswith(ends[1]):
                return int(fields[7])
    return None
