"""The files of sessions: their content among the blobs, their owner and size in the table ``blobs``.

A file is safe before a row names it. On its way in and out it belongs to no session, so that a kill in between
leaves nothing but what a sweep removes.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from typing import BinaryIO

import sqlalchemy as sql

from segmentation.web.store.blobs import Blobs, UnknownBlobError, size_of
from segmentation.web.store.database import Database
from segmentation.web.store.errors import StoreError, StoreFullError
from segmentation.web.store.records import Limits
from segmentation.web.store.room import check_room
from segmentation.web.store.rows import lock_session
from segmentation.web.store.tables import blobs

OWNERLESS_SECONDS = 3600
"""A file without a session for that long is not on its way any more."""

log = logging.getLogger(__name__)


FAILURES = 3
"""Files that cannot be removed, after which the store is taken to be away: each may have been waited for."""

HASH_DIGITS = 32
"""Of the SHA-256 of a file, those that its key has."""


def content_hash(content: bytes) -> str:
    """What the key of a file says of its content."""
    return sha256(content).hexdigest()[:HASH_DIGITS]


PAGE_DIGITS = 8
"""Of what a plane of a stack is known by, those that say which page of the file it is."""


def stack_key(digest: str) -> str:
    """What a stack is known by, from the SHA-256 of its file."""
    return digest[:-PAGE_DIGITS] + "0" * PAGE_DIGITS


LARGE = "f" * PAGE_DIGITS
"""What the key of an image that is read part by part ends with: no plane of a stack has that number."""


def large_key(pyramid_hash: str, digest: str) -> str:
    """What an image that is read part by part is known by, from the hash of its pyramid and the SHA-256 of its file.

    The hash of a pyramid is of a few of its pixels only, which another file may have too; its own bytes it has alone.
    """
    return sha256(f"{pyramid_hash} {digest}".encode()).hexdigest()[:-PAGE_DIGITS] + LARGE


def hash_in_key(key: str) -> str:
    """The :func:`content_hash` of the file under a key."""
    return key.rpartition("/")[2].partition("-")[0]


class Files:
    """Keeps the files of sessions, each under a key of its own.

    Attributes:
        blobs: where their content lies.
    """

    def __init__(self, database: Database, blobs: Blobs, limits: Limits) -> None:
        self._database = database
        self.blobs = blobs
        self._limits = limits

    @contextmanager
    def keeping(
        self, session_id: str, kind: str, content: bytes | BinaryIO, digest: str = ""
    ) -> Iterator[tuple[sql.Connection, str]]:
        """Keep a file for a session, together with the row that names its key.

        ::

            with files.keeping(session_id, "classifier", content) as (connection, key):
                connection.execute(classifiers.insert().values(session_id=session_id, key=key, name=name))

        Args:
            session_id: the session; its row is locked while the block runs.
            kind: what it is, a word of letters; becomes part of the key.
            content: the file: its bytes, or open for reading.
            digest: its SHA-256 as hexadecimal digits, if that is known.

        Where the block :meth:`release` s the file again, since it is not needed, it is removed.

        Raises:
            UnknownSessionError: if there is no such session.
            StoreFullError: if there is no room for it.
        """
        with self.on_their_way() as keys:
            keys.append(self.put(session_id, kind, content, digest))
            with self._database.writing() as connection:
                lock_session(connection, session_id)
                self.assign(connection, keys[0], session_id)
                yield connection, keys[0]
                ownerless = sql.select(blobs.c.key).where(blobs.c.key == keys[0], blobs.c.session_id.is_(None))
                keys[:] = connection.execute(ownerless).scalars()

    def require_room(self, session_id: str, more: int) -> None:
        """Make sure that a session may have a further file of so many bytes.

        Raises:
            StoreFullError: with a sentence, if it may not.
        """
        with self._database.reading() as connection:
            check_room(connection, self._limits, session_id, more, file=True)

    @contextmanager
    def on_their_way(self) -> Iterator[list[str]]:
        """Keys of files that are put in the block: those that are left in the list when it ends are removed.

        It is to be emptied before what names them is committed: whether a commit that fails was done is not known.
        """
        keys: list[str] = []
        try:
            yield keys
        finally:
            self.remove(keys)

    def put(self, session_id: str, kind: str, content: bytes | BinaryIO, digest: str = "") -> str:
        """Write a file that is meant for a session, and belongs to none yet; returns its key."""
        digest, size = (digest, size_of(content)) if digest else digest_and_size(content)
        key = f"{session_id}/{kind}/{digest[:HASH_DIGITS]}-{secrets.token_hex(4)}"
        with self._registered(session_id, key, size):
            self.blobs.put(key, content)
        return key

    def copy(self, key: str, size: int, session_id: str) -> str:
        """Copy a file for another session, to which it does not belong yet; returns the copy's key."""
        _, kind, _ = key.split("/")
        copied = f"{session_id}/{kind}/{hash_in_key(key)}-{secrets.token_hex(4)}"
        with self._registered(session_id, copied, size):
            self.blobs.copy(key, copied)
        return copied

    def assign(self, connection: sql.Connection, key: str, session_id: str) -> None:
        """Let a file that was put belong to its session, in the transaction of the row that names it."""
        connection.execute(blobs.update().where(blobs.c.key == key).values(session_id=session_id))

    def content(self, key: str) -> bytes:
        """The file under a key.

        Raises:
            UnknownBlobError: if there is none (any more).
        """
        content = self.blobs.get(key)
        with self._database.reading() as connection:
            size = connection.execute(sql.select(blobs.c.size).where(blobs.c.key == key)).scalar()
        if size != len(content):
            raise UnknownBlobError(key)
        return content

    def write_to(self, key: str, file: BinaryIO) -> None:
        """Write the file under a key to another one.

        Raises:
            UnknownBlobError: if there is none (any more).
        """
        self.blobs.write_to(key, file)

    def release(self, connection: sql.Connection, where: sql.ColumnElement[bool]) -> list[str]:
        """Let files belong to no session any more; :meth:`remove` their keys once that is committed."""
        keys = list(connection.execute(sql.select(blobs.c.key).where(where)).scalars())
        connection.execute(blobs.update().where(where).values(session_id=None, since=0.0))
        return keys

    def remove(self, keys: Sequence[str]) -> None:
        """Remove files that belong to no session; what cannot be removed now is left to the sweep."""
        failures = 0
        for key in keys:
            try:
                self.blobs.delete(key)
                with self._database.writing() as connection:
                    connection.execute(blobs.delete().where(blobs.c.key == key, blobs.c.session_id.is_(None)))
            except StoreError as problem:
                log.warning("a file that was let go stays until the next sweep: %s", problem)
                failures += 1
                if failures == FAILURES:
                    return

    def remove_ownerless(self) -> None:
        """Remove what never came to belong to a session, or does no longer, and what nothing leads to."""
        overdue = blobs.c.since < time.time() - OWNERLESS_SECONDS
        with self._database.reading() as connection:
            query = sql.select(blobs.c.key).where(blobs.c.session_id.is_(None), overdue)
            keys = list(connection.execute(query).scalars())
        self.remove(keys)
        self.blobs.sweep(self._known)

    def _known(self) -> dict[str, bool]:
        """Of all keys whether their file belongs to a session."""
        with self._database.reading() as connection:
            return {row.key: row.session_id is not None for row in connection.execute(sql.select(blobs))}

    @contextmanager
    def _registered(self, session_id: str, key: str, size: int) -> Iterator[None]:
        """Let a sweep find a file that is written in the block."""
        with self._database.adding() as connection:
            check_room(connection, self._limits, session_id, size, file=True)
            connection.execute(blobs.insert().values(key=key, session_id=None, size=size, since=time.time()))
        try:
            yield
        except (StoreFullError, UnknownBlobError):  # what is there of it takes room that is missing
            self.remove([key])
            raise


def digest_and_size(content: bytes | BinaryIO) -> tuple[str, int]:
    """The SHA-256 of a file, as hexadecimal digits, and its bytes."""
    if isinstance(content, bytes):
        return sha256(content).hexdigest(), len(content)
    digest = sha256()
    content.seek(0)
    while part := content.read(2**20):
        digest.update(part)
    return digest.hexdigest(), content.tell()
