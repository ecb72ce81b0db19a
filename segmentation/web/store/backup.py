"""A whole store as one file, and back: from SQLite or PostgreSQL to either, with the files of an object store.

The file is a ZIP archive: ``backup.json`` says what it is and which schema its tables have, ``tables/<name>.jsonl`` has
a row a line, and ``files/<key>`` what lies under a key. It is read at one moment of the store, whatever is written
meanwhile. An older one is brought up to date as an older database is. Into SQLite large files come back into the table,
as part of the one transaction that brings all or nothing.
"""

from __future__ import annotations

import json
import logging
import lzma
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from segmentation._shared.checks import refuse_many_values
from segmentation.web.store.blobs import KEY, PART_BYTES, Blobs, ObjectBlobs, TableBlobs, UnknownBlobError, pieces
from segmentation.web.store.database import COPIES, SCHEMA, Database
from segmentation.web.store.errors import StoreError

FORMAT = "squiggle backup"
ROWS_AT_ONCE = 500
ROW_BYTES_AT_ONCE = 2**24
ROW_VALUES = 100
"""More than a row of any table has: what is in the journal is a text in it."""

ITS_OWNER_ALONE = 0o600
"""Who may read a backup from the moment that there is one: it holds the links, and the key that signs."""

MAX_ABOUT_BYTES = 2**16
MAX_ROW_BYTES = 2**27
"""Of a row as text; events come in requests of 32 MB, in which a character may take six as JSON."""

NOT_KEPT = ("alembic_version", "contents", "presences")
"""Tables that are not rows of a backup: what its schema is, the files, and who was there just then."""

log = logging.getLogger(__name__)

_DAMAGED = (
    *(zipfile.BadZipFile, zlib.error, struct.error, lzma.LZMAError, EOFError, RuntimeError),  # the archive
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, SQLAlchemyError),  # what is in it
)


class BackupError(Exception):
    """A backup cannot be made, or not be restored; the text is a sentence."""


def write_backup(database: Database, blobs: Blobs, path: Path) -> dict[str, int]:
    """Write all of a store to a new file.

    Args:
        database: the store's.
        blobs: where its files lie.
        path: of the file.

    Returns:
        How many ``sessions`` and ``files`` it holds, and how many files are ``missing`` since their session was deleted
        while it was written.

    Raises:
        BackupError: if there is such a file already, or it cannot be written.
        StoreError: if the store does not answer.
    """
    if path.exists():
        raise BackupError(f"{path} is there already: name another file.")
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, ITS_OWNER_ALONE)) as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                told = _write(database, blobs, archive)
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as problem:
        raise BackupError(f"{path} cannot be written ({problem.strerror or problem}).") from problem
    finally:
        part.unlink(missing_ok=True)
    return told


def _write(database: Database, blobs: Blobs, archive: zipfile.ZipFile) -> dict[str, int]:
    told = {"sessions": 0, "files": 0, "missing": 0}
    with database.snapshot() as connection:
        schema = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
        tables = _tables(connection)
        for table in tables.values():
            if table.name in NOT_KEPT:
                continue
            query = sql.select(table).execution_options(stream_results=True, yield_per=ROWS_AT_ONCE)
            if table.name == "blobs":
                query = query.where(table.c.session_id.is_not(None))  # the others are on their way in or out
            with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as lines:
                for row in connection.execute(query):
                    lines.write(json.dumps(dict(row._mapping), allow_nan=False).encode() + b"\n")
                    told["sessions"] += table.name == "sessions"
        stored = tables["blobs"]
        keys = connection.execute(sql.select(stored.c.key).where(stored.c.session_id.is_not(None))).scalars().all()
        for key in keys:
            try:
                _write_file(archive, key, _parts(connection, tables["contents"], blobs, key))
                told["files"] += 1
            except UnknownBlobError:
                told["missing"] += 1
        archive.writestr("backup.json", json.dumps({"format": FORMAT, "version": 1, "schema": schema} | told))
    return told


def _write_file(archive: zipfile.ZipFile, key: str, parts: Iterator[bytes]) -> None:
    first = next(parts)
    info = zipfile.ZipInfo(f"files/{key}")  # stored as it is: images are packed already
    with archive.open(info, "w", force_zip64=True) as file:
        file.write(first)
        for part in parts:
            file.write(part)


def _parts(connection: sql.Connection, contents: sql.Table, blobs: Blobs, key: str) -> Iterator[bytes]:
    """What lies under a key, piece by piece, the first one at least.

    Raises:
        UnknownBlobError: if nothing does.
    """
    file = blobs.opened(key)
    if file is not None:
        with file:
            yield from pieces(file)
        return
    if not isinstance(blobs, TableBlobs):
        yield blobs.get(key)
        return
    numbers = sql.select(contents.c.part).where(contents.c.key == key).order_by(contents.c.part)
    found = connection.execute(numbers).scalars().all()
    if not found:
        raise UnknownBlobError(key)
    for number in found:
        query = sql.select(contents.c.content).where(contents.c.key == key, contents.c.part == number)
        yield connection.execute(query).scalar_one()


def restore_backup(database: Database, blobs: Blobs, path: Path) -> dict[str, int]:
    """Let an empty store hold what a backup does: all of it, or nothing.

    Args:
        database: of the store, whose tables may be missing, or hold no session.
        blobs: where its files are to lie.
        path: of the backup.

    Returns:
        As :func:`write_backup`.

    Raises:
        BackupError: if the file is no backup, or damaged, or the store holds sessions or has no room for it.
        StoreError: if the store does not answer.
    """
    with _sentences(path), zipfile.ZipFile(path) as archive:
        about = _about(archive)
        _check_room(database, blobs, archive)
        with _kept_as_a_whole(blobs) as keep, database.changing_tables() as (connection, upgrade):
            _empty(connection)
            upgrade(about["schema"])
            tables = _tables(connection)
            for name, table in tables.items():
                if name not in NOT_KEPT:
                    _read_rows(connection, table, archive)
            stored = tables["blobs"]
            known = set(connection.execute(sql.select(stored.c.key)).scalars())
            if not all(KEY.fullmatch(key) for key in known):
                raise ValueError("a key that is not one of ours")
            for key in known & {name.removeprefix("files/") for name in archive.namelist()}:
                if archive.getinfo(f"files/{key}").compress_type != zipfile.ZIP_STORED:
                    raise ValueError("a file that unfolds")
                with archive.open(f"files/{key}") as file:
                    if isinstance(blobs, TableBlobs):
                        _read_file(connection, tables["contents"], key, file)
                    else:
                        keep(key, cast(BinaryIO, file))
            upgrade("head")
    return {name: about[name] for name in ("sessions", "files", "missing")}


def _check_room(database: Database, blobs: Blobs, archive: zipfile.ZipFile) -> None:
    """Make sure that the disk has room for what comes out of an archive: tables unfold, and the archive says how far.

    Raises:
        BackupError: if it has not.
    """
    free = database.free_bytes()
    here = "" if isinstance(blobs, TableBlobs) else "tables/"
    needed = sum(member.file_size for member in archive.infolist() if member.filename.startswith(here))
    if free is not None and COPIES * needed > free:
        raise BackupError(
            f"It unfolds to {needed / 2**20:,.0f} MB, which SQLite writes twice, and the disk of the store has room "
            f"for {free / 2**20:,.0f} MB."
        )


@contextmanager
def _kept_as_a_whole(blobs: Blobs) -> Iterator[Callable[[str, BinaryIO], None]]:
    """What keeps a file in an object store; those that were not there before go again if the block does not end well.

    Files that were there stay: the object store may have outlived the database that is restored.
    """
    new: list[str] = []

    def keep(key: str, file: BinaryIO) -> None:
        if isinstance(blobs, ObjectBlobs) and not blobs.has(key):
            new.append(key)
        blobs.put(key, file)

    try:
        yield keep
    except BaseException:
        try:
            for key in new:
                blobs.delete(key)
        except StoreError as problem:
            log.warning("files of a backup that was not restored stay in the object store: %s", problem)
        raise


def _about(archive: zipfile.ZipFile) -> dict[str, Any]:
    with archive.open("backup.json") as file:
        about = json.loads(file.read(MAX_ABOUT_BYTES))
    if about["format"] != FORMAT or about["version"] != 1 or not re.fullmatch(r"[0-9]{4}", about["schema"]):
        raise ValueError("another format")
    if about["schema"] > SCHEMA:
        raise BackupError(
            f"It was made by a newer Squiggle (its tables are number {about['schema']}, this version knows {SCHEMA}): "
            "restore it with that version."
        )
    return dict(about)


def _empty(connection: sql.Connection) -> None:
    """Drop tables without sessions.

    Raises:
        BackupError: if there are sessions.
    """
    tables = _tables(connection)
    if "sessions" in tables and connection.execute(sql.select(tables["sessions"].c.id).limit(1)).first():
        raise BackupError("The store holds sessions: a backup is restored into an empty one, so that nothing is lost.")
    for table in reversed(tables.values()):
        table.drop(connection)


def _tables(connection: sql.Connection) -> dict[str, sql.Table]:
    """The tables as they are, those first that others point to."""
    found = sql.MetaData()
    found.reflect(connection)
    return {table.name: table for table in found.sorted_tables}


def _read_rows(connection: sql.Connection, table: sql.Table, archive: zipfile.ZipFile) -> None:
    connection.execute(table.delete())  # what migrations write into new tables
    with archive.open(f"tables/{table.name}.jsonl") as lines:
        for rows in _some_rows(lines):
            if any(row.keys() != set(table.c.keys()) for row in rows):
                raise ValueError("a row of another table")
            connection.execute(table.insert(), rows)


def _some_rows(file: IO[bytes]) -> Iterator[list[dict[str, Any]]]:
    """The rows of a table, a few at a time: none is longer than a row can be, and together they take little memory."""
    rows: list[dict[str, Any]] = []
    size = 0
    while line := file.readline(MAX_ROW_BYTES):
        if not line.endswith(b"\n"):
            raise ValueError("a line without an end")
        refuse_many_values(line, ROW_VALUES)
        rows.append(json.loads(line))
        size += len(line)
        if len(rows) == ROWS_AT_ONCE or size > ROW_BYTES_AT_ONCE:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


def _read_file(connection: sql.Connection, contents: sql.Table, key: str, file: IO[bytes]) -> None:
    content, number = file.read(PART_BYTES), 0
    while content or number == 0:
        connection.execute(contents.insert().values(key=key, part=number, content=content))
        content, number = file.read(PART_BYTES), number + 1


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise BackupError(f"There is no file {path}.") from None
    except OSError as problem:
        raise BackupError(f"{path} cannot be read ({problem.strerror or problem}).") from problem
    except _DAMAGED as problem:
        raise BackupError(f"{path} is no backup of Squiggle's, or it is damaged; nothing was restored.") from problem
