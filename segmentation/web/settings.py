"""Every setting of the server, said once: the attribute, its environment variable, default, bounds and meaning."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Self

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from segmentation.features.budget import DEFAULT_DRAFT_MEGABYTES, default_cache_bytes
from segmentation.io.addresses import Places
from segmentation.web.networks import LOOPBACK, Network, is_loopback, read_networks

LEAST_BASIN_BYTES = 32 * 2**20
"""Of how objects split: those of two classes of 4 megapixels."""

WAYS_IN = ("password", "user_header", "open")
"""Attributes of which at most one says who may use the server."""


def _text_in(unit: float, kind: type[int] | type[float] = int) -> BeforeValidator:
    """Reads the text of a variable as a number of units; a number that the program gives is in the attribute's own."""

    def convert(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not math.isfinite(amount := float(value) * unit):
            raise ValueError("it must be a number")
        return kind(amount)

    return BeforeValidator(convert)


def _checked_places(text: str) -> str:
    Places.parse(text)
    return text


def _default_data_folder() -> Path:
    return Path(platformdirs.user_data_dir("squiggle", appauthor=False))


Megabytes = Annotated[int, _text_in(2**20), Field(ge=0)]
Megapixels = Annotated[int, _text_in(1e6), Field(ge=1)]
Days = Annotated[float, _text_in(24 * 3600, float), Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Networks = Annotated[
    tuple[Network, ...],
    NoDecode,
    BeforeValidator(lambda value: read_networks(value) if isinstance(value, str) else value),
]

Remote = Annotated[str, AfterValidator(_checked_places)]


class Settings(BaseModel):
    """How one server is set up.

    Each field names the environment variable behind it and says what that means, in the variable's unit; the fields
    themselves are in bytes, seconds and pixels.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    host: str = Field(default="127.0.0.1", validation_alias="HOST", description="address that the server listens on")
    port: int = Field(
        default=8050, validation_alias="PORT", ge=0, le=65535, description="port that the server listens on"
    )
    processes: Count = Field(
        default=1, validation_alias="WEB_CONCURRENCY", description="server processes that share the work"
    )
    password: str = Field(
        default="", validation_alias="SQUIGGLE_PASSWORD", repr=False, description="password that people sign in with"
    )
    user_header: str = Field(
        default="",
        validation_alias="SQUIGGLE_USER_HEADER",
        description="header in which a reverse proxy names the user whom it has let in",
    )
    open: bool = Field(
        default=False, validation_alias="SQUIGGLE_OPEN", description="`1` lets everybody in who can reach the server"
    )
    metrics_token: str = Field(
        default="",
        validation_alias="SQUIGGLE_METRICS_TOKEN",
        pattern=r"^(|.{16,})$",
        repr=False,
        description="secret of at least 16 characters that Prometheus shows to read `/metrics`; unless set, there is "
        "no such page",
    )
    trusted_proxies: Networks = Field(
        default=LOOPBACK,
        validation_alias="SQUIGGLE_TRUSTED_PROXIES",
        description="addresses of reverse proxies whose headers are believed, with commas; `*` is all, unset this "
        "machine",
    )
    data_folder: Path = Field(
        default_factory=_default_data_folder,
        validation_alias="SQUIGGLE_DATA",
        description="folder of the store; created where it is missing",
    )
    database_url: str = Field(
        default="",
        validation_alias="DATABASE_URL",
        repr=False,
        description="PostgreSQL database of the store; unless set, SQLite in that folder",
    )
    objects: str = Field(
        default="",
        validation_alias="SQUIGGLE_OBJECTS",
        description="object store for image files, as an fsspec URL (`s3://…`, `file:///…`); unless set, they lie in "
        "the database",
    )
    remote: Remote = Field(
        default="",
        validation_alias="SQUIGGLE_REMOTE",
        description="what people may open by its address, with commas: `https://images.example.org/public`, "
        "`s3://bucket/folder`, a folder of this server, or `https://*` for all public hosts; unless set, nothing",
    )
    keep_seconds: Days = Field(
        default=0.0,
        validation_alias="SQUIGGLE_KEEP_DAYS",
        description="days after which a session that nobody opens is removed; unless set, or 0, sessions are kept for "
        "ever",
    )
    quota_bytes: Megabytes = Field(
        default=0,
        validation_alias="SQUIGGLE_QUOTA_MB",
        description="what all sessions together may hold, in megabytes; unless set, or 0, as much as the disk",
    )
    session_bytes: Megabytes = Field(
        default=0,
        validation_alias="SQUIGGLE_SESSION_MB",
        description="what one session may hold, in megabytes; unless set, or 0, as much as all",
    )
    user_bytes: Megabytes = Field(
        default=0,
        validation_alias="SQUIGGLE_USER_MB",
        description="what all sessions that one user has begun may hold together, in megabytes (where no reverse proxy "
        "names the users: one browser); unless set, or 0, as much as all",
    )
    max_upload_bytes: Megabytes = Field(
        default=256 * 2**20,
        validation_alias="SQUIGGLE_MAX_UPLOAD_MB",
        description="largest file that may be opened, in megabytes",
    )
    max_stack_bytes: Megabytes = Field(
        default=2**30,
        validation_alias="SQUIGGLE_MAX_STACK_MB",
        description="largest file of a stack (such as a TIFF whose images are all alike), or of an image that is read "
        "part by part, that may be opened, in megabytes; where they do not lie beside SQLite, a process keeps up to "
        "three such files among the temporary ones",
    )
    max_pixels: Megapixels = Field(
        default=64_000_000,
        validation_alias="SQUIGGLE_MAX_MEGAPIXELS",
        description="largest image that is read as a whole, in megapixels; larger ones are read part by part where "
        "their file allows it (TIFF, zipped OME-Zarr, an address), and refused elsewhere; coarser levels are made of "
        "those that lack them",
    )
    decoding_bytes: Megabytes = Field(
        default=2**31,
        validation_alias="SQUIGGLE_DECODING_MB",
        description="memory that reading one image may take, in megabytes",
    )
    image_cache_bytes: Megabytes = Field(
        default=256 * 2**20,
        validation_alias="SQUIGGLE_IMAGE_CACHE_MB",
        description="decoded images that a process keeps in memory, in megabytes; the coarsest level of one that is "
        "read part by part may come on top",
    )
    feature_cache_bytes: Megabytes = Field(
        default_factory=lambda known: default_cache_bytes(known.get("processes", 1)),
        validation_alias="SQUIGGLE_FEATURE_CACHE_MB",
        description="features that a process keeps in memory, in megabytes: 122 for each megapixel of RGB at the "
        "default features; unless set, all processes together take a quarter of the memory beyond 512 MB, and each "
        "at least 32; an eighth of it, and at least 32, comes on top for how objects of lately split: 4 for each "
        "megapixel, and as much for each further class",
    )
    planes_on_disk_bytes: Megabytes = Field(
        default=4 * 2**30,
        validation_alias="SQUIGGLE_PLANES_ON_DISK_MB",
        description="features that a process keeps on the disk, beside the data, where they do not fit its memory, in "
        "megabytes: 122 for each megapixel of RGB; at least 512 of the disk stay free; `0` computes them anew",
    )
    draft_cache_bytes: Megabytes = Field(
        default=DEFAULT_DRAFT_MEGABYTES * 2**20,
        validation_alias="SQUIGGLE_DRAFT_CACHE_MB",
        description="features that a process keeps in memory for drafts of segmentations, in megabytes: 11 for each "
        "image that is worked on at the same time and too large to be kept",
    )
    threads: Count = Field(
        default_factory=lambda: os.cpu_count() or 1,
        validation_alias="SQUIGGLE_THREADS",
        description="threads of one computation; all cores unless set",
    )
    series_in_web: bool = Field(
        default=True,
        validation_alias="SQUIGGLE_SERIES_IN_WEB",
        description="`0` leaves series to processes of their own, `python -m segmentation.web worker`",
    )
    series_images: Count = Field(
        default=1000, validation_alias="SQUIGGLE_SERIES_IMAGES", description="images that a series may have"
    )
    series_bytes: Megabytes = Field(
        default=4 * 2**30,
        validation_alias="SQUIGGLE_SERIES_MB",
        description="what the image files of all series of a session may have together, in megabytes",
    )

    @property
    def places(self) -> Places:
        """From which people may open images by their addresses."""
        return Places.parse(self.remote)

    @property
    def basin_bytes(self) -> int:
        """What splitting has found of objects lately, in bytes, that a process keeps in memory."""
        return max(LEAST_BASIN_BYTES, self.feature_cache_bytes // 8)

    @property
    def largest_upload_bytes(self) -> int:
        """Of what may be opened in a session, whatever it is."""
        return max(self.max_upload_bytes, self.max_stack_bytes)

    @model_validator(mode="before")
    @classmethod
    def _pass_over_blank_text(cls, values: dict[str, Any]) -> dict[str, Any]:
        stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
        return {name: value for name, value in stripped.items() if value != ""}

    @model_validator(mode="after")
    def _allow_one_way_in(self) -> Self:
        chosen = [_variable_of(attribute) for attribute in WAYS_IN if getattr(self, attribute)]
        if len(chosen) > 1:
            raise ValueError(f"{' and '.join(chosen)} contradict each other: set one of them.")
        return self


class _FromEnvironment(BaseSettings, Settings):
    """Settings that are read from the environment: from the documented variables, and from none like the attributes."""

    model_config = SettingsConfigDict(case_sensitive=True, validate_by_name=False, validate_by_alias=True)


def _variable_of(attribute: str) -> str:
    return str(Settings.model_fields[attribute].validation_alias)


def meanings_of_variables() -> dict[str, str]:
    """What each environment variable means, by its name."""
    return {_variable_of(attribute): field.description or "" for attribute, field in Settings.model_fields.items()}


def settings_from_environment() -> Settings:
    """The settings that the environment asks for.

    Raises:
        ValueError: naming the variable whose value cannot be read.
    """
    try:
        return _FromEnvironment()
    except ValidationError as problem:
        raise ValueError(_sentence(problem)) from None


def _sentence(problem: ValidationError) -> str:
    error = problem.errors()[0]
    if not error["loc"]:
        return str(error["ctx"]["error"])
    variable = str(error["loc"][0])
    is_secret = any(not one.repr for one in Settings.model_fields.values() if one.validation_alias == variable)
    text = "" if is_secret else f"={os.environ[variable].strip()!r}"
    return f"{variable}{text} cannot be read; it means: {meanings_of_variables()[variable]}."


def settings_or_exit() -> Settings:
    """The settings that the environment asks for; ends the program with a sentence if they cannot be read."""
    try:
        return settings_from_environment()
    except ValueError as problem:
        sys.exit(f"Squiggle does not start: {problem}")


def is_for_its_own_machine(settings: Settings) -> bool:
    """Whether nobody has said who may use the server, so that only browsers on this machine may."""
    return not (settings.password or settings.user_header or settings.open)


def why_not_to_serve(settings: Settings, hosts: Iterable[str]) -> str:
    """Why a server must not listen on these hosts' addresses, as a sentence for its operator; empty if it may."""
    if not is_for_its_own_machine(settings):
        return ""
    reachable = [host for host in hosts if not is_loopback(host)]
    if not reachable:
        return ""
    return (
        f"it would listen on {reachable[0]}, where others can reach it, and nobody has said who may use it. Set "
        "SQUIGGLE_PASSWORD to a password to sign in with, or SQUIGGLE_USER_HEADER to the header in which a reverse "
        "proxy names the user, or SQUIGGLE_OPEN=1 to let everybody in; or HOST=127.0.0.1 to keep it to this machine."
    )
