"""Statements on the rows of a session that more than one method needs."""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sql

from segmentation._shared.text import shown_name
from segmentation.web.store.errors import UnknownSessionError
from segmentation.web.store.tables import blobs, classifiers, images, pyramids, sessions


def lock_session(connection: sql.Connection, session_id: str) -> sql.Row[Any, Any, Any, Any]:
    """Lock a session's row until the transaction ends; returns its number, strokes_drawn, journal_bytes and used.

    Raises:
        UnknownSessionError: if there is no such session.
    """
    columns = sessions.c.number, sessions.c.strokes_drawn, sessions.c.journal_bytes, sessions.c.used
    row = connection.execute(sql.select(*columns).where(sessions.c.id == session_id).with_for_update()).first()
    if row is None:
        raise UnknownSessionError(session_id)
    return row


def insert_session(connection: sql.Connection, session_id: str, name: str) -> None:
    """Make a session with an empty journal."""
    now = time.time()
    row = {"id": session_id, "name": shown_name(name), "created": now, "used": now}
    connection.execute(sessions.insert().values(row | {"number": 0, "strokes_drawn": 0, "journal_bytes": 0}))


def find_image(connection: sql.Connection, session_id: str, image_hash: str) -> sql.Row[Any, Any] | None:
    """Name and key of an image of a session, if it has it."""
    query = sql.select(images.c.name, images.c.key)
    return connection.execute(query.where(images.c.session_id == session_id, images.c.hash == image_hash)).first()


def insert_image(connection: sql.Connection, session_id: str, image_hash: str, name: str, key: str) -> None:
    """Record an image of a session."""
    row = {"session_id": session_id, "hash": image_hash, "name": shown_name(name), "added": time.time(), "key": key}
    connection.execute(images.insert().values(row))


def rows_with_files(connection: sql.Connection, session_id: str) -> list[tuple[sql.Table, sql.Row[Any, Any]]]:
    """What a session has files of, each with its table and with the ``size`` of its file."""
    return [
        (table, row)
        for table in (images, pyramids, classifiers)
        for row in connection.execute(
            sql.select(table, blobs.c.size).join(blobs).where(table.c.session_id == session_id)
        )
    ]
