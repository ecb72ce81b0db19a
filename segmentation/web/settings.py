"""Every environment variable that the page reads, with its meaning."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

from segmentation.tiles import DEFAULT_CACHE_MEGABYTES


def _default_data_folder() -> Path:
    return Path(platformdirs.user_data_dir("squiggle", appauthor=False))


@dataclass(frozen=True)
class Settings:
    """How one server is set up; each of :data:`VARIABLES` names the environment variable behind each value.

    Attributes:
        host: address that ``python app.py`` listens on.
        port: port that ``python app.py`` listens on.
        data_folder: where the store lies.
        database_url: the PostgreSQL database that the store is in; empty for SQLite in the data folder.
        objects: fsspec URL of the object store that holds the files of sessions; empty if the database does.
        keep_seconds: after which a session that nobody opens is removed; 0 keeps all.
        quota_bytes: what all sessions together may hold; 0 sets no limit.
        session_bytes: what one session may hold; 0 sets no limit.
        max_upload_bytes: largest file that may be uploaded.
        max_pixels: largest image that may be opened, in pixels.
        image_cache_bytes: bytes of decoded images that a process keeps at hand.
        feature_cache_bytes: bytes of features that a process keeps at hand.
        threads: threads of one computation.
    """

    host: str = "127.0.0.1"
    port: int = 8050
    data_folder: Path = field(default_factory=_default_data_folder)
    database_url: str = field(default="", repr=False)
    objects: str = ""
    keep_seconds: float = 0
    quota_bytes: int = 0
    session_bytes: int = 0
    max_upload_bytes: int = 256 * 2**20
    max_pixels: int = 64_000_000
    image_cache_bytes: int = 256 * 2**20
    feature_cache_bytes: int = DEFAULT_CACHE_MEGABYTES * 2**20
    threads: int = field(default_factory=lambda: os.cpu_count() or 1)


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


VARIABLES = (
    Variable("HOST", "host", str, "address that `python app.py` listens on"),
    Variable("PORT", "port", int, "port that the server listens on"),
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
    Variable("SQUIGGLE_THREADS", "threads", int, "threads of one computation; all cores unless set"),
)


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
            except ValueError:
                raise ValueError(f"{variable.name}={text!r} cannot be read: it sets the {variable.meaning}.") from None
    return Settings(**values)
