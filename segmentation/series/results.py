"""The folder in which the results of a series appear: only whole, and with a record of how they were made.

Beside the results there is a folder ``.squiggle``. In it results are written, to be moved to their place when they are
whole, and each image has a record there, written last of all. So whatever is killed, whatever is in place is whole,
and what has a record is finished.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

RECORDS = ".squiggle"
PART = ".part"


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
        """Makes the folder, if need be, and sweeps out what was half-written when a former run ended.

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
        """The record of an image, if its results are in place and were made from the same with the same.

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
        """Writes the record of an image, after which its results count as finished."""
        write_json(self._record_path(name), record)

    def begin(self, name: str) -> None:
        """Drops the record of an image whose results are about to change."""
        self._record_path(name).unlink(missing_ok=True)

    def record(self, name: str) -> dict[str, Any] | None:
        """The record of an image, None if there is none."""
        return read_json(self._record_path(name))

    def _record_path(self, name: str) -> Path:
        return self.records / f"{name}.json"

    @contextmanager
    def writing(self) -> Iterator[Staging]:
        """Files that appear in their places together when the block ends, and not at all if it fails."""
        staging = Staging(self)
        try:
            yield staging
            staging.publish()
        finally:
            staging.discard()

    def publish_folder(self, unfinished: Path, name: str) -> None:
        """Moves a whole folder to its place, instead of what is there."""
        place = self.path / name
        former = self.records / f"{name}.{secrets.token_hex(4)}.former"
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

    def __init__(self, folder: ResultFolder) -> None:
        self._folder = folder
        self._parts: dict[str, Path] = {}
        self._open: list[BinaryIO] = []
        self.sizes: dict[str, int | None] = {}

    def open(self, name: str) -> BinaryIO:
        """A file to be written until the end of the block, of which ``name`` is the name in the end."""
        part = self._folder.records / f"{name}.{secrets.token_hex(4)}{PART}"
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
    """Writes a JSON object to a file that is there whole or not at all."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}{PART}")
    part.write_text(json.dumps(values))
    part.replace(path)
