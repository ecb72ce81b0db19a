"""How much there is in the store, and whether more may come."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sql

from segmentation.web.store.errors import StoreFullError
from segmentation.web.store.records import Limits
from segmentation.web.store.tables import blobs, sessions

STROKES_RESERVE = 0.05
"""Share of the limits that files leave to strokes, so that a lab that has filled its disk can still draw."""


def check_room(connection: sql.Connection, limits: Limits, session_id: str | None, more: int, *, file: bool) -> None:
    """Make sure that a session may grow.

    Args:
        connection: to the store.
        limits: what it may hold.
        session_id: the session; none while it is not made yet.
        more: bytes that shall be added.
        file: whether they are a file, which must leave room for strokes.

    Raises:
        StoreFullError: with a sentence that says which limit is in the way.
    """
    share = 1 - STROKES_RESERVE if file else 1
    if limits.session_bytes and session_id is not None:
        held = sizes(connection, [session_id]).get(session_id, 0)
        if held + more > limits.session_bytes * share:
            raise StoreFullError(
                f"This session is full: it may hold {_megabytes(limits.session_bytes)}. Delete a series that you no "
                "longer need, or go on in a new session."
            )
    if limits.user_bytes and session_id is not None:
        owner = connection.execute(sql.select(sessions.c.owner).where(sessions.c.id == session_id)).scalar()
        if owner is not None:
            check_room_of(connection, limits, owner, more, file=file)
    if limits.total_bytes:
        files = sql.select(sql.func.coalesce(sql.func.sum(blobs.c.size), 0)).scalar_subquery()
        journals = sql.select(sql.func.coalesce(sql.func.sum(sessions.c.journal_bytes), 0)).scalar_subquery()
        if int(connection.execute(sql.select(files + journals)).scalar_one()) + more > limits.total_bytes * share:
            raise StoreFullError(
                f"The room on this server is used up: all sessions together may hold {_megabytes(limits.total_bytes)}. "
                "Delete sessions that you no longer need, or ask whoever runs it for more."
            )


def check_room_of(connection: sql.Connection, limits: Limits, owner: str, more: int, *, file: bool) -> None:
    """Make sure that the sessions of a person may grow together; the arguments are those of :func:`check_room`.

    Raises:
        StoreFullError: with a sentence, if they may not.
    """
    if not limits.user_bytes:
        return
    theirs = sql.select(sessions.c.id).where(sessions.c.owner == owner)
    held = sum(sizes(connection, list(connection.execute(theirs).scalars())).values())
    if held + more > limits.user_bytes * (1 - STROKES_RESERVE if file else 1):
        raise StoreFullError(
            f"The sessions that you have begun hold {_megabytes(held)}, and each person's may hold "
            f"{_megabytes(limits.user_bytes)} here. Delete some that you no longer need."
        )


def sizes(connection: sql.Connection, session_ids: Sequence[str]) -> dict[str, int]:
    """Bytes of the journals and files of sessions, by their ids."""
    files = sql.select(sql.func.coalesce(sql.func.sum(blobs.c.size), 0)).where(blobs.c.session_id == sessions.c.id)
    query = sql.select(sessions.c.id, (sessions.c.journal_bytes + files.scalar_subquery()).label("size"))
    rows = connection.execute(query.where(sessions.c.id.in_(session_ids)))
    return {row.id: int(row.size) for row in rows}


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f} MB"
