"""Every environment variable that the page reads, with its meaning."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from segmentation.features.cache import DEFAULT_CACHE_MEGABYTES, DEFAULT_DRAFT_MEGABYTES
from segmentation.web.networks import LOOPBACK, Network, is_loopback, read_networks


def _default_data_folder() -> Path:
    return Path(platformdirs.user_data_dir("squiggle", appauthor=False))


@dataclass(frozen=True)
class Settings:
    """How one server is set up; each of :data:`VARIABLES` names the environment variable behind each value.

    Attributes:
        host: address that the server listens on.
        port: port that the server listens on.
        processes: server processes that share the work.
        password: what people sign in with; empty if they do not.
        user_header: header in which a reverse proxy names the user; empty if none does.
        open: let everybody in.
        trusted_proxies: from where headers about the origin of a request are believed.
        data_folder: where the store lies.
        database_url: the PostgreSQL database that the store is in; empty for SQLite in the data folder.
        objects: fsspec URL of the object store that holds the files of sessions; empty if the database does.
        keep_seconds: after which a session that nobody opens is removed; 0 keeps all.
        quota_bytes: what all sessions together may hold; 0 sets no limit.
        session_bytes: what one session may hold; 0 sets no limit.
        max_upload_bytes: largest file that may be uploaded.
        max_pixels: largest image that may be opened, in pixels.
        decoding_bytes: memory that reading one image may take.
        image_cache_bytes: bytes of decoded images that a process keeps at hand.
        feature_cache_bytes: bytes of features that a process keeps at hand.
        draft_cache_bytes: bytes of features that a process keeps at hand for drafts of segmentations.
        threads: threads of one computation.
        series_in_web: whether server processes work on series too, or leave them to workers.
        series_images: images that a series may have.
        series_bytes: what the image files of all series of a session may have together.
    """

    host: str = "127.0.0.1"
    port: int = 8050
    processes: int = 1
    password: str = field(default="", repr=False)
    user_header: str = ""
    open: bool = False
    trusted_proxies: tuple[Network, ...] = LOOPBACK
    data_folder: Path = field(default_factory=_default_data_folder)
    database_url: str = field(default="", repr=False)
    objects: str = ""
    keep_seconds: float = 0
    quota_bytes: int = 0
    session_bytes: int = 0
    max_upload_bytes: int = 256 * 2**20
    max_pixels: int = 64_000_000
    decoding_bytes: int = 2**31
    image_cache_bytes: int = 256 * 2**20
    feature_cache_bytes: int = DEFAULT_CACHE_MEGABYTES * 2**20
    draft_cache_bytes: int = DEFAULT_DRAFT_MEGABYTES * 2**20
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)
    series_in_web: bool = True
    series_images: int = 1000
    series_bytes: int = 4 * 2**30


@dataclass(frozen=True)
class Variable:
    """An environment variable: which attribute of :class:`Settings` it sets, how it is read, what it means."""

    name: str
    attribute: str
    read: Callable[[str], Any]
    meaning: str


def _megabytes(text: str) -> int:
    return int(_amount(text) * 2**20)


def _amount(text: str) -> float:
    amount = float(text)
    if not 0 <= amount < math.inf:
        raise ValueError("it must be a number from 0 up")
    return amount


def _count(text: str) -> int:
    if int(text) < 1:
        raise ValueError(text)
    return int(text)


def _yes_or_no(text: str) -> bool:
    return {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}[
        text.lower()
    ]


VARIABLES = (
    Variable("HOST", "host", str, "address that the server listens on"),
    Variable("PORT", "port", int, "port that the server listens on"),
    Variable("WEB_CONCURRENCY", "processes", _count, "server processes that share the work"),
    Variable("SQUIGGLE_PASSWORD", "password", str, "password that people sign in with"),
    Variable(
        "SQUIGGLE_USER_HEADER", "user_header", str, "header in which a reverse proxy names the user whom it has let in"
    ),
    Variable("SQUIGGLE_OPEN", "open", _yes_or_no, "`1` lets everybody in who can reach the server"),
    Variable(
        "SQUIGGLE_TRUSTED_PROXIES",
        "trusted_proxies",
        read_networks,
        "addresses of reverse proxies whose headers are believed, with commas; `*` is all, unset this machine",
    ),
    Variable("SQUIGGLE_DATA", "data_folder", Path, "folder of the store; created where it is missing"),
    Variable(
        "DATABASE_URL", "database_url", str, "PostgreSQL database of the store; unless set, SQLite in that folder"
    ),
    Variable(
        "SQUIGGLE_OBJECTS",
        "objects",
        str,
        "object store for image files, as an fsspec URL (`s3://…`, `file:///…`); unless set, they lie in the database",
    ),
    Variable(
        "SQUIGGLE_KEEP_DAYS",
        "keep_seconds",
        lambda text: _amount(text) * 24 * 3600,
        "days after which a session that nobody opens is removed; unless set, or 0, sessions are kept for ever",
    ),
    Variable(
        "SQUIGGLE_QUOTA_MB",
        "quota_bytes",
        _megabytes,
        "what all sessions together may hold, in megabytes; unless set, or 0, as much as the disk",
    ),
    Variable(
        "SQUIGGLE_SESSION_MB",
        "session_bytes",
        _megabytes,
        "what one session may hold, in megabytes; unless set, or 0, as much as all",
    ),
    Variable("SQUIGGLE_MAX_UPLOAD_MB", "max_upload_bytes", _megabytes, "largest file that may be opened, in megabytes"),
    Variable(
        "SQUIGGLE_MAX_MEGAPIXELS",
        "max_pixels",
        lambda text: int(float(text) * 1e6),
        "largest image that may be opened, in megapixels",
    ),
    Variable(
        "SQUIGGLE_DECODING_MB", "decoding_bytes", _megabytes, "memory that reading one image may take, in megabytes"
    ),
    Variable(
        "SQUIGGLE_IMAGE_CACHE_MB",
        "image_cache_bytes",
        _megabytes,
        "decoded images that a process keeps at hand, in megabytes",
    ),
    Variable(
        "SQUIGGLE_FEATURE_CACHE_MB",
        "feature_cache_bytes",
        _megabytes,
        "features that a process keeps at hand, in megabytes",
    ),
    Variable(
        "SQUIGGLE_DRAFT_CACHE_MB",
        "draft_cache_bytes",
        _megabytes,
        "features that a process keeps at hand for drafts of segmentations, in megabytes: 5 for each image that is "
        "worked on at the same time",
    ),
    Variable("SQUIGGLE_THREADS", "threads", int, "threads of one computation; all cores unless set"),
    Variable(
        "SQUIGGLE_SERIES_IN_WEB",
        "series_in_web",
        _yes_or_no,
        "`0` leaves series to processes of their own, `python -m segmentation.web worker`",
    ),
    Variable("SQUIGGLE_SERIES_IMAGES", "series_images", _count, "images that a series may have"),
    Variable(
        "SQUIGGLE_SERIES_MB",
        "series_bytes",
        _megabytes,
        "what the image files of all series of a session may have together, in megabytes",
    ),
)


WAYS_IN = ("password", "user_header", "open")
"""Attributes of which at most one says who may use the server."""


def settings_from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings that the environment asks for.

    Raises:
        ValueError: naming the variable whose value cannot be read.
    """
    values: dict[str, Any] = {}
    for variable in VARIABLES:
        text = environment.get(variable.name, "").strip()
        if text:
            try:
                values[variable.attribute] = variable.read(text)
            except (ValueError, KeyError):
                raise ValueError(f"{variable.name}={text!r} cannot be read: it sets the {variable.meaning}.") from None
    chosen = [v.name for v in VARIABLES if v.attribute in WAYS_IN and values.get(v.attribute)]
    if len(chosen) > 1:
        raise ValueError(f"{' and '.join(chosen)} contradict each other: set one of them.")
    return Settings(**values)


def settings_or_exit() -> Settings:
    """The settings that the environment asks for; ends the program with a sentence if they cannot be read."""
    try:
        return settings_from_environment()
    except ValueError as problem:
        sys.exit(f"Squiggle does not start: {problem}")


def why_not_to_serve(settings: Settings, hosts: Iterable[str]) -> str:
    """Why a server must not listen on these hosts' addresses, as a sentence for its operator; empty if it may."""
    if settings.password or settings.user_header or settings.open:
        return ""
    reachable = [host for host in hosts if not is_loopback(host)]
    if not reachable:
        return ""
    return (
        f"it would listen on {reachable[0]}, where others can reach it, and nobody has said who may use it. Set "
        "SQUIGGLE_PASSWORD to a password to sign in with, or SQUIGGLE_USER_HEADER to the header in which a reverse "
        "proxy names the user, or SQUIGGLE_OPEN=1 to let everybody in; or HOST=127.0.0.1 to keep it to this machine."
    )
