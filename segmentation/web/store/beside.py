"""Large files of sessions beside SQLite's database, each a file of its own in a folder.

SQLite writes each byte twice, into its log and then into its file: a stack of 1 GB takes it ten times as long as the
file system. What is small stays in the table, where it comes and goes with the rows, and costs no file.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from segmentation.web.store.blobs import AWAY, KEY, Blobs, ObjectBlobs, TableBlobs, UnknownBlobError, pieces, size_of
from segmentation.web.store.database import Database
from segmentation.web.store.errors import StoreAwayError, disk_told

LARGE_BYTES = 16 * 2**20
"""What has as many is a file of its own."""

PART = ".part"
"""What the name of a file ends with that is being written."""

STRAY_SECONDS = 24 * 3600
"""For so long a file stays that the database does not know, from when that was seen first: it may be another database
than it was, such as an older copy."""

DESCRIPTORS = "/proc/self/fd"
"""Where the system has this, a file without a name can get one."""

ROOM = 2
"""So many times what comes in must be free where it is to lie, for what others do meanwhile."""


class BesideTableBlobs(TableBlobs):
    """In a table of the database what is small, in a folder what is large.

    A file of the folder is written under another name, and is on the disk before it gets its own; it is never changed
    then. Older stores, and those that come out of a backup, may have large ones in the table too.

    Args:
        database: SQLite.
        folder: on the same machine; made when it is needed.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        super().__init__(database)
        self._folder = folder
        self._strays = folder.with_name(f"{folder.name}-strays.json")

    def put(self, key: str, content: bytes | BinaryIO) -> None:
        """Keep bytes, or those of a file, under a key."""
        if size_of(content) < LARGE_BYTES:
            super().put(key, content)
            self._remove(key)
            return
        with self._writing(key) as part:
            if isinstance(content, bytes) or not _named(content, part):
                with open(part, "wb") as file:
                    file.writelines(pieces(content))
                    file.flush()
                    os.fsync(file.fileno())
        super().delete(key)

    def get(self, key: str) -> bytes:
        """The bytes under a key."""
        file = self.opened(key)
        if file is None:
            return super().get(key)
        with _sentences(), file:
            return file.read()

    def write_to(self, key: str, file: BinaryIO) -> None:
        """Write the bytes under a key to a file."""
        content = self.opened(key)
        if content is None:
            super().write_to(key, file)
            return
        with content:
            file.writelines(pieces(content))

    def opened(self, key: str) -> BinaryIO | None:
        """The file under a key itself, to read; None if there is none, such as where it lies in the table."""
        with _sentences():
            try:
                return open(self._path(key), "rb")
            except FileNotFoundError:
                return None

    def incoming(self, size: int) -> BinaryIO | None:
        """An empty file of the folder, of which nothing is left unless :meth:`put` gives it a name."""
        if size < LARGE_BYTES or not (hasattr(os, "O_TMPFILE") and os.path.isdir(DESCRIPTORS)):
            return None
        try:
            self._make_folder()
            if shutil.disk_usage(self._folder).free < ROOM * size:
                return None
            descriptor = os.open(self._folder, os.O_RDWR | os.O_TMPFILE, 0o666)
            try:
                os.posix_fallocate(descriptor, 0, size)  # or all that come in at once count on the same room
                return open(descriptor, "w+b")
            except BaseException:
                os.close(descriptor)
                raise
        except OSError:
            return None

    def copy(self, key: str, to: str) -> None:
        """Keep the bytes of one key under another too; of a large file there is then a second name."""
        file = self.opened(key)
        if file is None:
            super().copy(key, to)
            return
        with file:
            try:
                with self._writing(to) as part:
                    os.link(self._path(key), part)
            except StoreAwayError:  # deleted just now; or a file has one name only here
                self.put(to, file)

    def delete(self, key: str) -> None:
        """Forget the bytes under a key."""
        self._remove(key)
        super().delete(key)

    def sweep(self, known: Callable[[], Mapping[str, bool]]) -> None:
        """Remove files that nothing leads to, such as those of what the database was before it was restored.

        Where the database knows of no file at all, it may be the wrong one: then all of them stay.
        """
        with _sentences():
            names = [path.name for path in self._folder.glob("*")]
            rows = known() if names else {}  # asked later: the row of a file is there before the file is
            seen, now = self._strays_seen(), time.time()
            since = {name: min(seen.get(name, now), now) for name in names if rows and _is_stray(name, rows)}
            for name in [name for name, then in since.items() if then < now - STRAY_SECONDS]:
                (self._folder / name).unlink(missing_ok=True)
                del since[name]
            self._note_strays(since)

    def _strays_seen(self) -> dict[str, float]:
        """Since when each stray is one."""
        try:
            seen = json.loads(self._strays.read_bytes())
            return {str(name): float(then) for name, then in seen.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):  # damaged: their day begins anew
            return {}

    def _note_strays(self, since: Mapping[str, float]) -> None:
        if since:
            part = self._strays.with_name(f"{self._strays.name}{PART}")
            part.write_text(json.dumps(since), encoding="utf-8")
            part.replace(self._strays)
        else:
            self._strays.unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        """Where a large file lies: no part of a key that leads elsewhere becomes one of a path."""
        if not KEY.fullmatch(key):
            raise UnknownBlobError(key)
        return self._folder / key.replace("/", ".")

    def _make_folder(self) -> None:
        if not self._folder.exists():
            self._folder.mkdir(exist_ok=True)
            _sync_names(self._folder.parent)

    @contextmanager
    def _writing(self, key: str) -> Iterator[Path]:
        """A path to write to; what lies there gets its own name once the block ends well, and else goes."""
        path = self._path(key)
        part = path.with_name(f"{path.name}{PART}")
        with _sentences():
            self._make_folder()
            try:
                part.unlink(missing_ok=True)
                yield part
                part.replace(path)
            except BaseException:
                with suppress(OSError):
                    part.unlink(missing_ok=True)
                raise
            _sync_names(self._folder)

    def _remove(self, key: str) -> None:
        with suppress(UnknownBlobError), _sentences():
            path = self._path(key)
            path.unlink(missing_ok=True)
            path.with_name(f"{path.name}{PART}").unlink(missing_ok=True)


def blobs_of(database: Database, objects: str) -> Blobs:
    """Where the files of a database's sessions lie.

    Args:
        database: the database.
        objects: fsspec URL of an object store; empty if they lie in the database, or beside it.

    Raises:
        ValueError: with a sentence, if there is no such kind of object store.
    """
    if objects:
        return ObjectBlobs(objects)
    return BesideTableBlobs(database, database.folder / "files") if database.folder else TableBlobs(database)


def _is_stray(name: str, rows: Mapping[str, bool]) -> bool:
    """Whether nothing leads to a file: it has no row, or its file is there and this the rest of a former try."""
    key = name.removesuffix(PART).replace(".", "/")
    return KEY.fullmatch(key) is not None and (key not in rows or (name.endswith(PART) and rows[key]))


def _named(file: BinaryIO, path: Path) -> bool:
    """Give a file that has no name, once it is on the disk, that one, if its system and its folder allow it.

    One that has a name is somebody's, who may change it: it keeps that alone.
    """
    try:
        descriptor = file.fileno()
        if os.fstat(descriptor).st_nlink:
            return False
        file.flush()
        os.fsync(descriptor)
        # Without the descriptor of a folder, link() of some systems is called, which gives the link itself a name.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.link(f"{DESCRIPTORS}/{descriptor}", path, src_dir_fd=folder, follow_symlinks=True)
        finally:
            os.close(folder)
    except (OSError, ValueError, NotImplementedError):  # UnsupportedOperation, of what lies in memory, is an OSError
        return False
    return True


def _sync_names(folder: Path) -> None:
    """Let the names in a folder be on the disk, where a system can say so of a folder."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sentences() -> AbstractContextManager[None]:
    """What goes wrong with the folder becomes a sentence."""
    return disk_told("the folder of large files failed", StoreAwayError(AWAY))
