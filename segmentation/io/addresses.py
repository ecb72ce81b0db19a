"""Addresses of images that lie elsewhere, and the places that an operator allows.

What somebody types is taken apart, refused if it could be read in two ways, and put together anew; only then is it
compared, part by part.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from ipaddress import IPv4Address, IPv6Network, ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlsplit

from segmentation._shared.text import shown_name
from segmentation.io.limits import ImageError

if TYPE_CHECKING:
    from zarr.abc.store import Store

SCHEMES = ("https", "http", "s3")
"""Of addresses that are opened."""

LONGEST = 2_000
"""Characters that an address may have."""

ANY_HOST = "*"
KEPT_STORES = 16
"""Whose connections are kept."""

_WRAPS_IPV4 = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv6 networks whose last four bytes are an IPv4 address, which a translator or the system may ask."""

_PORTS = {"https": 443, "http": 80, "s3": None}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_NAMED = re.compile(r"(?:.*\.)?[a-z][a-z0-9-]*")
_UNCLEAR = re.compile(r"[\x00-\x20\x7f\\?#%]")


@dataclass(frozen=True)
class Address:
    """An address that is clear.

    Attributes:
        scheme: one of :data:`SCHEMES`.
        host: in small letters, a name, an IP address, or the name of a bucket.
        port: of the host; None for a bucket.
        parts: of its path, as they are meant, none of them empty, ``.`` or ``..``.
    """

    scheme: str
    host: str
    port: int | None
    parts: tuple[str, ...]

    @property
    def url(self) -> str:
        """The address as it is asked for."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}/{'/'.join(quote(part, safe='') for part in self.parts)}"

    @property
    def name(self) -> str:
        """The last part, fit to be shown."""
        return shown_name(self.parts[-1] if self.parts else self.host)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Take an address apart.

        Raises:
            ImageError: with a sentence, if it is none that is opened, or could be read in two ways.
        """
        text = text.strip()
        found = _SCHEME.match(text)
        scheme = found[1].lower() if found else ""
        if scheme not in SCHEMES:
            raise ImageError("An address begins with https://, http:// or s3://.")
        if len(text) > LONGEST or not text.isprintable():
            raise ImageError(f"The address has more than {LONGEST} characters, or some that are not seen.")
        try:
            split = urlsplit(text)
            port, host = split.port, (split.hostname or "").lower()
        except ValueError as error:
            raise ImageError("The address is not understood: its host or port is none.") from error
        if "@" in split.netloc or split.username or split.password:
            raise ImageError("The address names a user: leave out what stands before the @.")
        if split.query or split.fragment or "?" in text or "#" in text:
            raise ImageError("The address has a ? or # in it: leave out what follows.")
        if scheme == "s3":
            if port is not None or not _BUCKET.fullmatch(host) or ".." in host:
                raise ImageError("The address names no bucket: it looks like s3://bucket/folder/image.zarr.")
        elif not (_HOST.fullmatch(host) or _is_ip(host)) or "%" in host or port == 0:
            raise ImageError("The address is not understood: its host is none.")
        parts = tuple(unquote(part, errors="strict") if _decodes(part) else "\\" for part in split.path.split("/"))
        parts = parts[1:] if parts and not parts[0] else parts
        parts = parts[:-1] if parts and not parts[-1] else parts
        if any(part in ("", ".", "..") or "/" in part or _UNCLEAR.search(part.replace(" ", "")) for part in parts):
            raise ImageError("The address is not clear: write its path without .., //, \\ and %.")
        return cls(scheme, host, _PORTS[scheme] if port is None else port, parts)

    def within(self, place: Address) -> bool:
        """Whether it is, or lies below, a place; of ``*`` as host, whether its host has a name."""
        hosts = _NAMED.fullmatch(self.host) is not None if place.host == ANY_HOST else self.host == place.host
        same = (self.scheme, self.port) == (place.scheme, place.port) and hosts
        return same and self.parts[: len(place.parts)] == place.parts


def _decodes(part: str) -> bool:
    try:
        unquote(part, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet reaches; also of one that is wrapped in another."""
    try:
        found: Any = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if found.version == 6:
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if any(found in network for network in _WRAPS_IPV4):
            inner = IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return bool(found.is_global and not found.is_multicast)


class AddressPath(type(Path())):  # type: ignore[misc]
    """An address, where images are named by their paths; nothing lies there on this machine."""

    def __str__(self) -> str:
        """The address with the two slashes, which paths have only one of."""
        return str(super().__str__()).replace(":/", "://", 1)

    def __fspath__(self) -> str:
        return str(self)


def image_path(text: str | os.PathLike[str]) -> Path:
    """What somebody typed as a path; as an :class:`AddressPath` if it is an address.

    Raises:
        ImageError: with a sentence, if it is an address that is not clear.
    """
    if isinstance(text, AddressPath):
        return text
    text = os.fspath(text)
    is_address = text.partition("://")[0].lower() in SCHEMES and "://" in text
    return AddressPath(Address.parse(text).url) if is_address else Path(text)


@dataclass(frozen=True)
class Places:
    """What an operator allows people to open.

    Attributes:
        addresses: below which everything is allowed.
        folders: of the server, below which everything is allowed.
    """

    addresses: tuple[Address, ...] = ()
    folders: tuple[Path, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Places:
        """Places with commas between them, such as ``"https://images.org/public, s3://slides, /srv/images"``.

        ``https://*`` stands for every host with a name that leads to a public address.

        Raises:
            ValueError: with a sentence, if one of them is no place.
        """
        addresses: list[Address] = []
        folders: list[Path] = []
        for one in filter(None, (part.strip() for part in text.split(","))):
            if re.fullmatch(r"https?://\*/?", one):
                scheme = one.partition(":")[0]
                addresses.append(Address(scheme, ANY_HOST, _PORTS[scheme], ()))
            elif os.path.isabs(one):
                folders.append(Path(os.path.realpath(one)))
            else:
                try:
                    addresses.append(Address.parse(one))
                except ImageError as error:
                    raise ValueError(f"{one!r} is no place from which images can be opened. {error}") from error
        return cls(tuple(addresses), tuple(folders))

    def __bool__(self) -> bool:
        return bool(self.addresses or self.folders)

    def find(self, text: str) -> Address | Path:
        """The address that somebody typed, or the folder on this server, if it lies in one of the places.

        A path is not put together from what was typed: the entries of each folder are listed, and the one of that name
        is taken.

        Raises:
            ImageError: with a sentence, if it is none, or not allowed.
        """
        text = text.strip()
        if os.path.isabs(text):
            return self._folder(text)
        address = Address.parse(text)
        if not any(address.within(place) for place in self.addresses):
            raise ImageError(_NOT_ALLOWED)
        return address

    def names_host(self, address: Address) -> bool:
        """Whether the operator named the host of an address, which may be a private one then."""
        return any(place.host == address.host and address.within(place) for place in self.addresses)

    def _folder(self, text: str) -> Path:
        wanted = [part for part in text.split("/") if part]
        for folder in self.folders:
            own = [part for part in folder.as_posix().split("/") if part]
            if wanted[: len(own)] == own and ".." not in wanted and "." not in wanted:
                found = _listed(folder, wanted[len(own) :])
                if found is not None:
                    return found
        raise ImageError(_NOT_ALLOWED)


_NOT_ALLOWED = "This server does not open images from there, or there is none: ask who runs it what it allows."


def _listed(folder: Path, names: list[str]) -> Path | None:
    """What lies below a folder by these names, found in its listings; None if there is none, or it leads out of it."""
    place = folder
    for name in names:
        try:
            with os.scandir(place) as entries:
                found = next((entry.path for entry in entries if entry.name == name and entry.is_dir()), None)
        except OSError:
            return None
        if found is None:
            return None
        place = Path(found)
    return place if place.resolve().is_relative_to(folder) else None


def open_store(address: str, allowed: Places | None = None) -> Store:
    """The Zarr store at an address, for reading only.

    Args:
        address: such as ``"https://host/images/cells.zarr"`` or ``"s3://bucket/cells.zarr"``; if there is something
            allowed, also a folder of this server.
        allowed: what an operator allows; None allows every address, as to somebody who types it on their own machine.

    Raises:
        ImageError: with a sentence, if it is no address or not allowed, or what reads it is not installed.
    """
    place = Address.parse(address) if allowed is None else allowed.find(address)
    if isinstance(place, Path):
        return _opener().folder_store(place)
    return _opened(place, allowed is None or allowed.names_host(place), os.getpid())


@lru_cache(maxsize=KEPT_STORES)
def _opened(address: Address, private: bool, process: int) -> Store:
    """The store at an address, of each process its own, with its connections."""
    return _opener().remote_store(address, private)


def _opener() -> Any:
    try:
        return import_module("segmentation.io.remote")
    except ModuleNotFoundError as error:
        raise ImageError(
            "What opens addresses is not installed here: pip install squiggle[remote], or copy the image first."
        ) from error
