"""Sessions, their journals and their images, as the page needs them."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, BinaryIO

import sqlalchemy as sql

from segmentation._shared.text import shown_name
from segmentation.web import metrics
from segmentation.web.store import tables
from segmentation.web.store.beside import blobs_of
from segmentation.web.store.blobs import UnknownBlobError
from segmentation.web.store.database import Database
from segmentation.web.store.errors import (
    SchemaError,
    StoreAwayError,
    StoreError,
    UnknownImageError,
    UnknownSessionError,
)
from segmentation.web.store.files import Files
from segmentation.web.store.records import Limits, NewImage, NumberedEvent, SessionSummary, StoredImage
from segmentation.web.store.room import check_room, sizes
from segmentation.web.store.rows import find_image, insert_image, insert_session, lock_session, rows_with_files
from segmentation.web.store.tables import events, sessions
from segmentation.web.store.upkeep import Upkeep

USED_AGAIN_SECONDS = 6 * 3600

_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_HASH = re.compile(r"[0-9a-f]{64}")


class Store:
    """Sessions, journals and images in an SQL database.

    An event is on the disk before :meth:`append` returns. Any method may raise a StoreAwayError, and those that
    write a StoreFullError; both carry a sentence for the person, and nothing is half-written then.

    Attributes:
        database: where the tables are, for other tables than those of this class.
        files: keeps the files that rows of these tables name.
        limits: what it may hold.
        upkeep: removes sessions that nobody opens.
    """

    def __init__(self, url: sql.URL, *, objects: str = "", limits: Limits | None = None) -> None:
        """Open a database; SQLite's tables are brought up to date.

        Args:
            url: the database.
            objects: fsspec URL of the object store in which files lie; empty if they lie in the database, or beside it.
            limits: what the store may hold.

        Raises:
            SchemaError: if the tables are not those of this version.
            StoreAwayError: if SQLite's file cannot be used. A PostgreSQL that does not answer may in a moment.
            ValueError: with a sentence, if there is no such kind of object store.
        """
        self.database = Database(url)
        self.limits = limits or Limits()
        self.files = Files(self.database, blobs_of(self.database, objects), self.limits)
        self.upkeep = Upkeep(
            self.database,
            self.files,
            unused_seconds=self.limits.unused_seconds,
            delete_session=self.delete_session,
        )
        try:
            self.database.check_schema()
        except StoreAwayError as problem:
            if self.database.is_sqlite or isinstance(problem, SchemaError):
                raise
        finally:
            self.database.close()

    def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreError: with a sentence, if it does not answer, or its tables are not those of this version.
        """
        with self.database.reading() as connection:
            connection.execute(sql.select(sessions.c.id).limit(1))

    def key(self, name: str) -> bytes:
        """A secret that all processes on the same database share; it does not change."""
        with self.database.reading() as connection:
            query = sql.select(tables.keys.c.value).where(tables.keys.c.name == name)
            return bytes.fromhex(connection.execute(query).scalar_one())

    def close(self) -> None:
        """Close all connections, once a sweep that is under way has ended."""
        self.upkeep.finish()
        self.database.close()

    # ---- sessions

    def create_session(
        self, first_events: Iterable[dict[str, Any]] = (), *, name: str = "", images: Iterable[NewImage] = ()
    ) -> str:
        """Start a session with a name, the first events of its journal, and images; all of it appears at once.

        Returns:
            Its id, 128 random bits.
        """
        session_id = secrets.token_urlsafe(16)
        with self.files.on_their_way() as keys:
            kept = []
            for image in images:
                keys.append(self.files.put(session_id, "image", image.content))
                kept.append((image.hash, image.name, keys[-1]))
            with self.database.adding() as connection:
                insert_session(connection, session_id, name)
                self._append(connection, session_id, list(first_events))
                for image_hash, image_name, key in kept:
                    self.files.assign(connection, key, session_id)
                    insert_image(connection, session_id, image_hash, image_name, key)
                keys.clear()
        return session_id

    def duplicate_session(self, session_id: str, *, name: str) -> str:
        """A new session with all events, images and opened classifiers of another; returns its id.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        bodies = [event.body for event in self.events(session_id)]
        with self.database.reading() as connection:  # after the events: a file is there before an event names it
            rows = rows_with_files(connection, session_id)
        copy_id = secrets.token_urlsafe(16)
        with self.files.on_their_way() as keys:
            copied = []
            for table, row in rows:
                try:
                    keys.append(self.files.copy(row.key, row.size, copy_id))
                except UnknownBlobError:
                    raise UnknownSessionError(session_id) from None
                copied.append((table, row, keys[-1]))
            with self.database.adding() as connection:
                insert_session(connection, copy_id, name)
                self._append(connection, copy_id, bodies)
                for table, row, key in copied:
                    self.files.assign(connection, key, copy_id)
                    values = {column.name: getattr(row, column.name) for column in table.c}
                    connection.execute(table.insert().values(values | {"session_id": copy_id, "key": key}))
                keys.clear()
        return copy_id

    def has_session(self, session_id: str) -> bool:
        """Whether there is such a session."""
        if not _SESSION_ID.fullmatch(session_id):
            return False
        with self.database.reading() as connection:
            return connection.execute(sql.select(sessions.c.id).where(sessions.c.id == session_id)).first() is not None

    def rename_session(self, session_id: str, name: str) -> None:
        """Give a session a name; what cannot be printed is left out, and what is too long cut off.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        _check_id(session_id)
        with self.database.writing() as connection:
            lock_session(connection, session_id)
            connection.execute(sessions.update().where(sessions.c.id == session_id).values(name=shown_name(name)))

    def summaries(self, session_ids: Sequence[str]) -> list[SessionSummary]:
        """What a list shows of some sessions, in the order of their ids; those that are gone are left out."""
        ids = [session_id for session_id in session_ids if _SESSION_ID.fullmatch(session_id)]
        images = tables.images
        counted = sql.select(sql.func.count()).where(images.c.session_id == sessions.c.id).scalar_subquery()
        with self.database.reading() as connection:
            query = sql.select(sessions, counted.label("images")).where(sessions.c.id.in_(ids))
            rows = {row.id: row for row in connection.execute(query)}
            size = sizes(connection, ids)
        return [
            SessionSummary(
                i, row.name, row.created, row.used, row.images, row.strokes_drawn, row.number, size.get(i, 0)
            )
            for i, row in ((i, rows[i]) for i in dict.fromkeys(ids) if i in rows)
        ]

    def delete_session(self, session_id: str, *, unused_since: float | None = None) -> None:
        """Remove a session with its journal and all its files; with a time, only if it was not used since then.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        _check_id(session_id)
        with self.database.deleting():
            with self.database.writing() as connection:
                session = lock_session(connection, session_id)
                if unused_since is not None and session.used >= unused_since:
                    return
                keys = self._delete(connection, session_id)
            self.files.remove(keys)

    def _delete(self, connection: sql.Connection, session_id: str) -> list[str]:
        """Delete all that belongs to a session; returns the keys of files that are to be removed after the commit."""
        for table in tables.BELONGING_TO_A_SESSION:
            connection.execute(table.delete().where(table.c.session_id == session_id))
        keys = self.files.release(connection, tables.blobs.c.session_id == session_id)
        connection.execute(sessions.delete().where(sessions.c.id == session_id))
        return keys

    # ---- the journal

    def append(
        self, session_id: str, bodies: Sequence[dict[str, Any]], after: int | None = None
    ) -> list[NumberedEvent]:
        """Write events to a session's journal, in order; those it has already (by their id) are passed over.

        Returns:
            What the journal then has with numbers above ``after``, in order: nothing if that is None. It is on the
            disk, and costs no further question.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        _check_id(session_id)
        with self.database.adding() as connection:
            before, added = self._append(connection, session_id, bodies)
            if after is None or after >= before:
                news = [event for event in added if after is not None and event.number > after]
            else:
                news = _events_above(connection, session_id, after)
        metrics.count_strokes(sum(event.body.get("type") == "stroke.add" for event in added))
        return news

    def events(self, session_id: str, after: int = 0, *, use: bool = True) -> list[NumberedEvent]:
        """The events of a session with numbers above ``after``, in order. Who asks, uses the session, if ``use``.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        _check_id(session_id)
        with self.database.reading() as connection:
            found = _events_above(connection, session_id, after)
            used = connection.execute(sql.select(sessions.c.used).where(sessions.c.id == session_id)).scalar()
        if used is None:
            raise UnknownSessionError(session_id)
        if use and time.time() - used > USED_AGAIN_SECONDS:
            with suppress(StoreError), self.database.writing() as connection:
                connection.execute(sessions.update().where(sessions.c.id == session_id).values(used=time.time()))
        return found

    def _append(
        self, connection: sql.Connection, session_id: str, bodies: Sequence[dict[str, Any]]
    ) -> tuple[int, list[NumberedEvent]]:
        """Write events; returns the number of the last one before them, and those that are new."""
        session = lock_session(connection, session_id)
        known: set[str] = set()
        if session.number:
            ids = [body["id"] for body in bodies]
            query = sql.select(events.c.event_id).where(events.c.session_id == session_id, events.c.event_id.in_(ids))
            known = set(connection.execute(query).scalars())
        new: dict[str, dict[str, Any]] = {}
        for body in bodies:
            if body["id"] not in known:
                new.setdefault(body["id"], body)
        if not new:
            return session.number, []
        rows = [
            {
                "session_id": session_id,
                "number": number,
                "event_id": body["id"],
                "body": json.dumps(body, separators=(",", ":"), allow_nan=False),
            }
            for number, body in enumerate(new.values(), start=session.number + 1)
        ]
        size = sum(len(row["body"]) for row in rows)
        check_room(connection, self.limits, session_id, size, file=False)
        connection.execute(events.insert(), rows)
        connection.execute(
            sessions.update()
            .where(sessions.c.id == session_id)
            .values(
                used=time.time(),
                number=session.number + len(rows),
                strokes_drawn=session.strokes_drawn + sum(body.get("type") == "stroke.add" for body in new.values()),
                journal_bytes=session.journal_bytes + size,
            )
        )
        added = [NumberedEvent(number, body) for number, body in enumerate(new.values(), session.number + 1)]
        return session.number, added

    # ---- images

    def put_image(
        self, session_id: str, image_hash: str, name: str, content: bytes | BinaryIO, digest: str = ""
    ) -> None:
        """Keep an image file for a session, known by the hash of its pixels, or of a stack by that of the file; a
        second time does nothing.

        Its ``digest`` is its SHA-256, if that is known.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        _check_id(session_id)
        if self.has_image(session_id, image_hash):
            return
        with self.files.keeping(session_id, "image", content, digest) as (connection, key):
            if find_image(connection, session_id, image_hash):
                self.files.release(connection, tables.blobs.c.key == key)
            else:
                insert_image(connection, session_id, image_hash, name, key)

    def has_image(self, session_id: str, image_hash: str) -> bool:
        """Whether the session has that image."""
        return self._image(session_id, image_hash) is not None

    def kept_images(self, session_id: str, image_hashes: Iterable[str]) -> set[str]:
        """Which of some images the session has."""
        if not _SESSION_ID.fullmatch(session_id):
            return set()
        images = tables.images.c
        known = images.hash.in_([one for one in image_hashes if _HASH.fullmatch(one)])
        query = sql.select(images.hash).where(images.session_id == session_id, known)
        with self.database.reading() as connection:
            return set(connection.execute(query).scalars())

    def image(self, session_id: str, image_hash: str) -> tuple[str, bytes]:
        """Name and file of an image of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        row = self._image(session_id, image_hash)
        if row is None:
            raise UnknownImageError(image_hash)
        try:
            return row.name, self.files.content(row.key)
        except UnknownBlobError:
            raise UnknownImageError(image_hash) from None

    def write_image(self, session_id: str, image_hash: str, file: BinaryIO) -> None:
        """Write the file of an image of a session to another one.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        row = self._image(session_id, image_hash)
        if row is None:
            raise UnknownImageError(image_hash)
        try:
            self.files.write_to(row.key, file)
        except UnknownBlobError:
            raise UnknownImageError(image_hash) from None

    def opened_image(self, session_id: str, image_hash: str) -> BinaryIO | None:
        """The file of an image of a session itself, to read, where it is one on this machine; None elsewhere.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        row = self._image(session_id, image_hash)
        if row is None:
            raise UnknownImageError(image_hash)
        return self.files.blobs.opened(row.key)

    def images(self, session_id: str) -> list[StoredImage]:
        """The images of a session, in the order in which they came."""
        _check_id(session_id)
        images = tables.images
        query = sql.select(images.c.hash, images.c.name, tables.blobs.c.size).join(tables.blobs)
        query = query.where(images.c.session_id == session_id).order_by(images.c.added, images.c.hash)
        with self.database.reading() as connection:
            return [StoredImage(row.hash, row.name, row.size) for row in connection.execute(query)]

    def _image(self, session_id: str, image_hash: str) -> sql.Row[Any, Any] | None:
        if not (_SESSION_ID.fullmatch(session_id) and _HASH.fullmatch(image_hash)):
            return None
        with self.database.reading() as connection:
            return find_image(connection, session_id, image_hash)


def _check_id(session_id: str) -> None:
    if not _SESSION_ID.fullmatch(session_id):
        raise UnknownSessionError(session_id)


def _events_above(connection: sql.Connection, session_id: str, after: int) -> list[NumberedEvent]:
    rows = connection.execute(
        sql.select(events.c.number, events.c.body)
        .where(events.c.session_id == session_id, events.c.number > after)
        .order_by(events.c.number)
    ).all()
    return [NumberedEvent(row.number, json.loads(row.body)) for row in rows]
