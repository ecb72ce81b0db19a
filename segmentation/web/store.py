"""What must not be lost: sessions, their journals of events, and the images, in one database.

The server keeps everything else only as a cache, so that any process can answer any request and each may be
killed at any moment. An event is on the disk before :meth:`Store.append` returns.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sql

metadata = sql.MetaData()

sessions = sql.Table(
    "sessions",
    metadata,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("created", sql.Float, nullable=False),
)
events = sql.Table(
    "events",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("event_id", sql.String(64), nullable=False),
    sql.Column("body", sql.Text, nullable=False),
    sql.UniqueConstraint("session_id", "event_id"),
)
images = sql.Table(
    "images",
    metadata,
    sql.Column("session_id", sql.ForeignKey("sessions.id"), primary_key=True),
    sql.Column("hash", sql.String(64), primary_key=True),
    sql.Column("name", sql.Text, nullable=False),
    sql.Column("content", sql.LargeBinary, nullable=False),
)


class UnknownSessionError(LookupError):
    """There is no session behind a link."""


class UnknownImageError(LookupError):
    """A session has no image of that hash."""


@dataclass(frozen=True)
class NumberedEvent:
    """An event as the journal holds it.

    Attributes:
        number: its place in the session's journal, from 1 without gaps.
        body: the event, with the id that the browser gave it under ``"id"``.
    """

    number: int
    body: dict[str, Any]


class Store:
    """Sessions, journals and images in an SQL database."""

    def __init__(self, url: str) -> None:
        """Open the database at an SQLAlchemy URL and make its tables where they are missing."""
        self._engine = sql.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            _prepare_sqlite(self._engine)
        self._reader = self._engine.execution_options(begin="DEFERRED")
        metadata.create_all(self._engine)

    @classmethod
    def in_folder(cls, folder: Path) -> Store:
        """The store in a folder, which is made where it is missing.

        Raises:
            OSError: if the folder cannot be made.
        """
        folder.mkdir(parents=True, exist_ok=True)
        return cls(f"sqlite:///{folder / 'squiggle.sqlite3'}")

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def create_session(self, first_events: Iterable[dict[str, Any]] = ()) -> str:
        """Start a session whose journal begins with some events; returns its id (128 random bits)."""
        session_id = secrets.token_urlsafe(16)
        with self._engine.begin() as connection:
            connection.execute(sessions.insert().values(id=session_id, created=time.time()))
            _insert_events(connection, session_id, 0, list(first_events))
        return session_id

    def has_session(self, session_id: str) -> bool:
        """Whether there is such a session."""
        with self._reader.connect() as connection:
            return connection.execute(sql.select(sessions.c.id).where(sessions.c.id == session_id)).first() is not None

    def append(self, session_id: str, bodies: Sequence[dict[str, Any]]) -> None:
        """Write events to a session's journal, in order; those it has already (by their id) are passed over.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        with self._engine.begin() as connection:
            locked = connection.execute(
                sql.select(sessions.c.id).where(sessions.c.id == session_id).with_for_update()
            ).first()
            if locked is None:
                raise UnknownSessionError(session_id)
            ids = [body["id"] for body in bodies]
            known = set(
                connection.execute(
                    sql.select(events.c.event_id).where(events.c.session_id == session_id, events.c.event_id.in_(ids))
                ).scalars()
            )
            new: dict[str, dict[str, Any]] = {}
            for body in bodies:
                if body["id"] not in known:
                    new.setdefault(body["id"], body)
            last = connection.execute(
                sql.select(sql.func.max(events.c.number)).where(events.c.session_id == session_id)
            ).scalar()
            _insert_events(connection, session_id, last or 0, list(new.values()))

    def events(self, session_id: str, after: int = 0) -> list[NumberedEvent]:
        """The events of a session with numbers above ``after``, in order.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        with self._reader.connect() as connection:
            rows = connection.execute(
                sql.select(events.c.number, events.c.body)
                .where(events.c.session_id == session_id, events.c.number > after)
                .order_by(events.c.number)
            ).all()
        if not rows and not self.has_session(session_id):
            raise UnknownSessionError(session_id)
        return [NumberedEvent(row.number, json.loads(row.body)) for row in rows]

    def put_image(self, session_id: str, image_hash: str, name: str, content: bytes) -> None:
        """Keep an image file for a session, known by the hash of its pixels; a second time does nothing."""
        with self._engine.begin() as connection:
            if not self._has_image(connection, session_id, image_hash):
                connection.execute(
                    images.insert().values(session_id=session_id, hash=image_hash, name=name, content=content)
                )

    def has_image(self, session_id: str, image_hash: str) -> bool:
        """Whether the session has that image."""
        with self._reader.connect() as connection:
            return self._has_image(connection, session_id, image_hash)

    def image(self, session_id: str, image_hash: str) -> tuple[str, bytes]:
        """Name and file of an image of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        with self._reader.connect() as connection:
            row = connection.execute(
                sql.select(images.c.name, images.c.content).where(
                    images.c.session_id == session_id, images.c.hash == image_hash
                )
            ).first()
        if row is None:
            raise UnknownImageError(image_hash)
        return row.name, row.content

    @staticmethod
    def _has_image(connection: sql.Connection, session_id: str, image_hash: str) -> bool:
        query = sql.select(images.c.hash).where(images.c.session_id == session_id, images.c.hash == image_hash)
        return connection.execute(query).first() is not None


def _insert_events(connection: sql.Connection, session_id: str, last: int, bodies: Sequence[dict[str, Any]]) -> None:
    if bodies:
        connection.execute(
            events.insert(),
            [
                {
                    "session_id": session_id,
                    "number": number,
                    "event_id": body["id"],
                    "body": json.dumps(body, separators=(",", ":"), allow_nan=False),
                }
                for number, body in enumerate(bodies, start=last + 1)
            ],
        )


def _prepare_sqlite(engine: sql.Engine) -> None:
    """Writers take turns from their first statement on, readers go beside them, each commit is synced to the disk."""

    @sql.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=15000", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @sql.event.listens_for(engine, "begin")
    def on_begin(connection: sql.Connection) -> None:
        connection.exec_driver_sql("BEGIN " + connection.get_execution_options().get("begin", "IMMEDIATE"))
