"""Whether the file of an SQLite database is still what it was: SQLite itself writes on into one that is deleted."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path

from segmentation.web.store.errors import StoreLostError
from segmentation.web.store.sqlite_log import SqliteLog

HEADER_BYTES = 100
MAGIC = b"SQLite format 3\0"
BACKFILLED = slice(96, 100)
"""Where the index of the log says how many of its frames are in the file, and are not looked into any more."""

LOOKS, LOOK_AGAIN_SECONDS = 20, 0.05
"""Another process may just be making the file, or making it longer: it is looked at again before it is called cut."""

log = logging.getLogger(__name__)


class _OpenFile:
    """A file that stays open as long as anybody in this process reads its header.

    Once a process closes a file, all its POSIX locks on it are gone, SQLite's too; another process would then take
    itself for the last one and remove the log of what was written ("How To Corrupt An SQLite Database File", 2.2).
    """

    def __init__(self, path: Path) -> None:
        self.descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self.indexes: dict[tuple[int, int], _OpenFile] = {}  # of its log, on which SQLite has locks too
        weakref.finalize(self, os.close, self.descriptor)


_open_files: weakref.WeakValueDictionary[tuple[int, int], _OpenFile] = weakref.WeakValueDictionary()
_reading = threading.Lock()


class SqliteFile:
    """A database file, watched from its beginning or from when the server started.

    Args:
        path: of the file; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._index = path.with_name(f"{path.name}-shm")
        self._logged = SqliteLog(self._log)
        self._identity: tuple[int, int] | None = None
        self._file: _OpenFile | None = None

    def make(self, pragmas: Iterable[str]) -> None:
        """Make it where there never was one; it gets its name once it is a database, be the disk full or this killed.

        An empty file would be taken for one that was cut.

        Args:
            pragmas: that write its first page.

        Raises:
            sqlite3.Error: if it cannot be written.
        """
        if self._identity or self._path.exists():
            return
        part = self._path.with_name(f"{self._path.name}.{secrets.token_hex(4)}")
        try:
            with closing(sqlite3.connect(part, isolation_level=None)) as connection:
                for pragma in pragmas:
                    connection.execute(f"PRAGMA {pragma}")
            with suppress(OSError):  # another was quicker; or a file has one name only here, and SQLite makes it
                os.link(part, self._path)
        finally:
            for path in part.parent.glob(f"{part.name}*"):
                path.unlink(missing_ok=True)

    def check(self, *, is_open: bool) -> None:
        """Make sure that it is there, the same as before, and whole.

        Args:
            is_open: whether this process has it open, so that what was written last lies in a file beside it.

        Raises:
            StoreLostError: with a sentence, if it is not.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._identity is None:
                return
            raise StoreLostError from None
        identity = (found.st_dev, found.st_ino)
        self._identity = self._identity or identity
        if identity != self._identity or (is_open and not self._log.exists()):
            raise StoreLostError
        if not self._is_whole(is_open):
            reason = f"{self._path.name} is cut off, or not a database"
            log.error(reason)
            raise StoreLostError from ValueError(reason)

    def close(self) -> None:
        """Close the file, unless another in this process watches it too."""
        self._file = None

    def _is_whole(self, is_open: bool) -> bool:
        """Whether each page is in the file or still in the log.

        The log goes into the file page by page, and the first page, which says how many there are, before most others:
        for a while, and where a kill or a full disk has put an end to it or somebody still reads what was before, the
        file is shorter than it says.
        """
        for look in range(LOOKS):
            if look:
                time.sleep(LOOK_AGAIN_SECONDS)
            header, size = self._header_and_size()
            if not header.startswith(MAGIC):
                continue
            page_bytes, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
            page_bytes = 2**16 if page_bytes == 1 else page_bytes
            if size >= pages * page_bytes:
                return True
            backfilled = self._backfilled() if is_open else 0
            if self._logged.holds(header, size // page_bytes + 1, after=backfilled, anew=look > 0):
                return True
        return False

    def _backfilled(self) -> int:
        """Frames of the log that this process does not look into any more, since they are in the file."""
        with _reading:
            if self._file is None:
                return 0
            try:
                found = self._index.stat()
                identity = found.st_dev, found.st_ino
                index = self._file.indexes.get(identity) or _OpenFile(self._index)
            except FileNotFoundError:
                return 0
            self._file.indexes[identity] = index
            os.lseek(index.descriptor, 0, os.SEEK_SET)
            return int.from_bytes(os.read(index.descriptor, BACKFILLED.stop)[BACKFILLED], sys.byteorder)

    def _header_and_size(self) -> tuple[bytes, int]:
        with _reading:
            if self._file is None:
                found = self._path.stat()
                identity = found.st_dev, found.st_ino
                self._file = _open_files.get(identity) or _OpenFile(self._path)
                _open_files[identity] = self._file
            os.lseek(self._file.descriptor, 0, os.SEEK_SET)
            return os.read(self._file.descriptor, HEADER_BYTES), os.fstat(self._file.descriptor).st_size


def log_fits(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the disk has room for what of the log its file has not: to try takes what room deleting needs.

    Args:
        connection: to the database.
        path: of its file.

    Raises:
        sqlite3.Error: if the database cannot be read.
    """
    pages, page_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    try:
        return bool(pages * page_bytes - path.stat().st_size <= shutil.disk_usage(path.parent).free)
    except OSError:
        return False
