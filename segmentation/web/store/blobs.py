"""Where the files of sessions lie, under keys that we make: a table of the database, or an object store; beside SQLite
also a folder (``beside.py``).

All hold bytes and know nothing else; which blob belongs to whom, and how large it is, says the table ``blobs``.
"""

from __future__ import annotations

import io
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, BinaryIO, Protocol

import sqlalchemy as sql

from segmentation._shared.full_disk import is_full
from segmentation.web.store.database import Database
from segmentation.web.store.errors import DiskFullError, StoreAwayError
from segmentation.web.store.tables import contents

PART_BYTES = 4 * 2**20
KEY = re.compile("[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
"""What keys look like: no part of a path that would lead elsewhere."""

AWAY = "The store of the images does not answer at the moment; try again in a moment."

log = logging.getLogger(__name__)


class UnknownBlobError(LookupError):
    """Nothing is kept under a key."""


class Blobs(Protocol):
    """Bytes under keys. Each call may raise a StoreAwayError, and those that write a DiskFullError."""

    def put(self, key: str, content: bytes | BinaryIO) -> None:
        """Keep bytes, or those of a file from its beginning, under a key; they are safe once this returns."""

    def get(self, key: str) -> bytes:
        """The bytes under a key; raises an UnknownBlobError if there are none."""

    def write_to(self, key: str, file: BinaryIO) -> None:
        """Write the bytes under a key to a file; raises an UnknownBlobError if there are none."""

    def opened(self, key: str) -> BinaryIO | None:
        """The file under a key itself, to read, where one lies on this machine; None elsewhere."""

    def incoming(self, size: int) -> BinaryIO | None:
        """An empty file without a name, which :meth:`put` need not copy once it has those bytes; None elsewhere."""

    def copy(self, key: str, to: str) -> None:
        """Keep the bytes of one key under another too; raises an UnknownBlobError if there are none."""

    def delete(self, key: str) -> None:
        """Forget the bytes under a key, if there are any."""

    def sweep(self, known: Callable[[], Mapping[str, bool]]) -> None:
        """Remove what lies there under keys that are not known.

        Args:
            known: gives the keys, and of each whether its bytes belong to a session; others may be on their way.
        """


class TableBlobs:
    """In a table of the database, in parts, so that no driver has to hold a large file several times over."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, key: str, content: bytes | BinaryIO) -> None:
        """Keep bytes, or those of a file, under a key.

        Part by part, so that strokes of others are written in between, and SQLite's log stays short.
        """
        for part, piece in enumerate(pieces(content)):
            with self._database.adding(len(piece)) as connection:
                if not part:
                    connection.execute(contents.delete().where(contents.c.key == key))
                connection.execute(contents.insert().values({"key": key, "part": part, "content": piece}))

    def get(self, key: str) -> bytes:
        """The bytes under a key."""
        content = io.BytesIO()
        self.write_to(key, content)
        return content.getvalue()

    def write_to(self, key: str, file: BinaryIO) -> None:
        """Write the bytes under a key to a file."""
        with self._database.reading() as connection:
            for part in count():
                query = sql.select(contents.c.content).where(contents.c.key == key, contents.c.part == part)
                row = connection.execute(query).first()
                if row is None and part == 0:
                    raise UnknownBlobError(key)
                if row is None:
                    return
                file.write(row.content)

    def opened(self, key: str) -> BinaryIO | None:
        """None: there are no files."""
        return None

    def incoming(self, size: int) -> BinaryIO | None:
        """None: what comes in is copied into the table."""
        return None

    def copy(self, key: str, to: str) -> None:
        """Keep the bytes of one key under another too."""
        with self._database.writing() as connection:
            rows = sql.select(sql.literal(to), contents.c.part, contents.c.content).where(contents.c.key == key)
            insert = contents.insert().from_select(["key", "part", "content"], rows)
            if not connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount:
                raise UnknownBlobError(key)

    def delete(self, key: str) -> None:
        """Forget the bytes under a key."""
        with self._database.writing() as connection:
            connection.execute(contents.delete().where(contents.c.key == key))

    def sweep(self, known: Callable[[], Mapping[str, bool]]) -> None:
        """Nothing: what is in the table came with a key, and goes with it."""


class ObjectBlobs:
    """In the folder or bucket that an fsspec URL names."""

    def __init__(self, url: str) -> None:
        """Prepare for the object store at a URL; it is reached when it is first used.

        Raises:
            ValueError: with a sentence, if no such kind of store is known or its package is missing.
        """
        from fsspec import get_filesystem_class
        from fsspec.core import split_protocol

        protocol, _ = split_protocol(url)
        try:
            get_filesystem_class(protocol)
        except (ImportError, ValueError) as problem:
            raise ValueError(f"SQUIGGLE_OBJECTS names a store that cannot be used: {problem}") from None
        if not protocol:
            raise ValueError("SQUIGGLE_OBJECTS must be a URL, such as s3://bucket/folder or file:///srv/squiggle.")
        self._url = url
        self._lock = threading.Lock()
        self._reached: tuple[Any, str] | None = None

    def put(self, key: str, content: bytes | BinaryIO) -> None:
        """Keep bytes, or those of a file, under a key."""
        with self._reaching(key) as (system, path):
            if "file" in system.protocol:
                _write_to_disk(path, content)
                return
            try:
                if isinstance(content, bytes):
                    system.pipe_file(path, content)
                    return
                with system.open(path, "wb") as file:
                    file.writelines(pieces(content))
            except FileNotFoundError as error:  # the bucket: there is nothing else to be found yet
                raise OSError(str(error)) from error

    def has(self, key: str) -> bool:
        """Whether there are bytes under a key."""
        with self._reaching(key) as (system, path):
            return bool(system.exists(path))

    def get(self, key: str) -> bytes:
        """The bytes under a key."""
        with self._reaching(key) as (system, path):
            return bytes(system.cat_file(path))

    def write_to(self, key: str, file: BinaryIO) -> None:
        """Write the bytes under a key to a file."""
        with self._reaching(key) as (system, path), system.open(path, "rb") as content:
            shutil.copyfileobj(content, file, PART_BYTES)

    def opened(self, key: str) -> BinaryIO | None:
        """None: its files are elsewhere."""
        return None

    def incoming(self, size: int) -> BinaryIO | None:
        """None: what comes in is sent there."""
        return None

    def copy(self, key: str, to: str) -> None:
        """Keep the bytes of one key under another too."""
        self.put(to, self.get(key))

    def delete(self, key: str) -> None:
        """Forget the bytes under a key."""
        with suppress(UnknownBlobError), self._reaching(key) as (system, path):
            system.rm_file(path)

    def sweep(self, known: Callable[[], Mapping[str, bool]]) -> None:
        """Nothing: what lies there may be that of others too."""

    @contextmanager
    def _reaching(self, key: str) -> Iterator[tuple[Any, str]]:
        """The file system and the path of a key in it; what goes wrong there becomes a sentence."""
        if not KEY.fullmatch(key):  # whatever a table says, nothing beside our folder is touched
            raise UnknownBlobError(key)
        try:
            system, root = self._reach()
            yield system, f"{root}/{key}"
        except FileNotFoundError as error:
            raise UnknownBlobError(key) from error
        except Exception as error:
            if is_full(error):
                raise DiskFullError from error
            log.warning("the object store failed: %s", " ".join(f"{type(error).__name__}: {error}".split()))
            raise StoreAwayError(AWAY) from error

    def _reach(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        with self._lock:
            self._reached = self._reached or url_to_fs(self._url)
            return self._reached


def size_of(content: bytes | BinaryIO) -> int:
    """The bytes of a file."""
    return len(content) if isinstance(content, bytes) else content.seek(0, os.SEEK_END)


def pieces(content: bytes | BinaryIO) -> Iterator[bytes]:
    """The bytes in parts, at least one; those of a file from its beginning."""
    file = io.BytesIO(content) if isinstance(content, bytes) else content
    file.seek(0)
    piece = file.read(PART_BYTES)
    yield piece
    while piece := file.read(PART_BYTES):
        yield piece


def _write_to_disk(path: str, content: bytes | BinaryIO) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.writelines(pieces(content))
        file.flush()
        os.fsync(file.fileno())
