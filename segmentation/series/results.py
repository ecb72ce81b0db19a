"""The folder in which the results of a series appear: only whole, and with a record of how they were made.

Beside the results there is a folder ``.squiggle``. Results are written there and moved to their
place when they are whole, and each image has a record there, completed last of all. So, even if the process is killed,
a result that is in its place is whole, and an image whose record is complete is finished.

The record names all files that were ever written for the image, before they appear. So what a run wrote can be told
from the images that people put there.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

RECORDS = ".squiggle"
PART = ".part"
MAX_NAME_BYTES = 255
"""Bytes that file systems allow for a name."""


def file_name(name: str, ending: str) -> str:
    """A name with an ending, cut so that file systems allow it; cut names differ where the whole ones do."""
    if len(os.fsencode(name + ending)) <= MAX_NAME_BYTES:
        return name + ending
    ending = f"~{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}{ending}"
    while len(os.fsencode(name + ending)) > MAX_NAME_BYTES:
        name = name[:-1]
    return name + ending


@dataclass(frozen=True)
class ResultFolder:
    """A folder for results.

    Attributes:
        path: where it is.
    """

    path: Path

    @property
    def records(self) -> Path:
        """The folder beside the results."""
        return self.path / RECORDS

    def prepare(self) -> None:
        """Makes the folder, if need be, and removes the half-written files of a run that was interrupted.

        Raises:
            ValueError: if it cannot be made or written to.
        """
        try:
            self.records.mkdir(parents=True, exist_ok=True)
            for part in self.records.glob(f"*{PART}"):
                part.unlink()
        except OSError as error:
            raise ValueError(f"The folder {self.path} cannot be used: {error.strerror}.") from error

    def finished(self, name: str, key: Mapping[str, Any]) -> dict[str, Any] | None:
        """The record of an image, if its results are in place and their key is the same.

        Args:
            name: of the image's results.
            key: what they depend on, plain JSON values.
        """
        record = self.record(name)
        if record is None or record.get("key") != key:
            return None
        sizes = record.get("outputs", {})
        return record if all(self._is_in_place(file, size) for file, size in sizes.items()) else None

    def _is_in_place(self, file_name: str, size: int | None) -> bool:
        path = self.path / file_name
        return path.is_dir() if size is None else path.is_file() and path.stat().st_size == size

    def finish(self, name: str, record: Mapping[str, Any]) -> None:
        """Completes the record of an image, after which its results count as finished."""
        write_json(self._record_path(name), {**record, "written": self._written(name, record["outputs"])})

    def begin(self, name: str, outputs: Iterable[str] = ()) -> None:
        """Notes that the results of an image are about to change, and that these files will be among them."""
        if written := self._written(name, outputs):
            write_json(self._record_path(name), {"written": written})

    def _written(self, name: str, outputs: Iterable[str]) -> list[str]:
        """The files that were ever written for an image, and these."""
        record = self.record(name) or {}
        return sorted({*record.get("written", record.get("outputs", ())), *outputs})

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of an image, None if there is none."""
        return read_json(self._record_path(name))

    def _record_path(self, name: str) -> Path:
        return self.records / file_name(name, ".json")

    @contextmanager
    def writing(self, name: str = "") -> Iterator[Staging]:
        """Files that appear in their places together when the block ends, and not at all if it fails.

        Args:
            name: of the image whose results they are, if they are.
        """
        staging = Staging(self, name)
        try:
            yield staging
            staging.publish()
        finally:
            staging.discard()

    def publish_folder(self, unfinished: Path, output: str) -> None:
        """Moves a whole folder to its place, instead of what is there."""
        place = self.path / output
        former = self.records / f"{secrets.token_hex(8)}.former"
        if place.exists():
            place.replace(former)
        unfinished.replace(place)
        if former.is_dir():
            shutil.rmtree(former)


class Staging:
    """Files in the making; see :meth:`ResultFolder.writing`.

    Attributes:
        sizes: bytes of each file by its name, once they are in place.
    """

    def __init__(self, folder: ResultFolder, name: str) -> None:
        self._folder, self._name = folder, name
        self._parts: dict[str, Path] = {}
        self._open: list[BinaryIO] = []
        self.sizes: dict[str, int | None] = {}

    def open(self, name: str) -> BinaryIO:
        """A file to be written until the end of the block, of which ``name`` is the name in the end."""
        part = self._folder.records / f"{secrets.token_hex(8)}{PART}"
        file = part.open("xb")
        self._parts[name] = part
        self._open.append(file)
        return file

    def write(self, name: str, data: bytes) -> None:
        """A file of these bytes, of which ``name`` is the name in the end."""
        self.open(name).write(data)
        _close_on_disk(self._open.pop())

    def publish(self) -> None:
        """Moves the files to their places."""
        while self._open:
            _close_on_disk(self._open.pop())
        self.sizes |= {name: part.stat().st_size for name, part in self._parts.items()}
        if self._name:
            self._folder.begin(self._name, self._parts)
        for name, part in self._parts.items():
            part.replace(self._folder.path / name)

    def discard(self) -> None:
        """Closes the files and removes those that are not in their places."""
        for file in self._open:
            file.close()
        for part in self._parts.values():
            part.unlink(missing_ok=True)


def _close_on_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()


def read_json(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file of ours, None if there is none."""
    try:
        values = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Writes a JSON object to a file that exists whole or not at all."""
    part = path.with_name(f"{secrets.token_hex(8)}{PART}")
    part.write_text(json.dumps(values))
    part.replace(path)


class EarlierResults:
    """Knows which files earlier runs wrote, by the records beside them."""

    def __init__(self) -> None:
        self._written: dict[Path, frozenset[str]] = {}

    def __contains__(self, path: Path) -> bool:
        return any(place.name in self._written_in(place.parent) for place in (path, *path.parents))

    def _written_in(self, folder: Path) -> frozenset[str]:
        if folder not in self._written:
            names: set[str] = set()
            records = folder / RECORDS
            for entry in os.listdir(records) if os.path.isdir(records) else ():
                record = (read_json(records / entry) if entry.endswith(".json") else None) or {}
                names |= {str(name) for name in (*record.get("outputs", ()), *record.get("written", ()))}
            self._written[folder] = frozenset(names)
        return self._written[folder]
