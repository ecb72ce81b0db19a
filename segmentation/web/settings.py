"""Every environment variable that the page reads, with its meaning."""

from __future__ import annotations

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
        max_upload_bytes: largest file that may be uploaded.
        max_pixels: largest image that may be opened, in pixels.
        image_cache_bytes: bytes of decoded images that a process keeps at hand.
        feature_cache_bytes: bytes of features that a process keeps at hand.
        threads: threads of one computation.
    """

    host: str = "127.0.0.1"
    port: int = 8050
    data_folder: Path = field(default_factory=_default_data_folder)
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
    return int(float(text) * 2**20)


VARIABLES = (
    Variable("HOST", "host", str, "address that `python app.py` listens on"),
    Variable("PORT", "port", int, "port that the server listens on"),
    Variable("SQUIGGLE_DATA", "data_folder", Path, "folder of the store; created where it is missing"),
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
