"""The second link of a session, with which one can look and change nothing."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

import sqlalchemy as sql

from segmentation.web.store.rows import lock_session
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import sessions

PREFIX = "look-"
RANDOM_BYTES = 16


def is_looking_id(link_id: str) -> bool:
    """Whether an id in a link is of this kind; those of sessions are shorter."""
    return link_id.startswith(PREFIX) and len(link_id) == len(PREFIX) + len(secrets.token_urlsafe(RANDOM_BYTES))


class LookingLinks:
    """Keeps these links; its methods may raise what those of :class:`Store` may.

    A link is kept in the session's row, so that every host that shares the database knows it. Nothing leads from it to
    the id of the session but that row.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, session_id: str) -> str:
        """The id in the link that only lets look at a session, 128 random bits; made when it is first asked for.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        row = sessions.c.id == session_id
        with self._store.database.writing() as connection:
            lock_session(connection, session_id)
            looking = connection.execute(sql.select(sessions.c.looking).where(row)).scalar()
            if looking is None:
                looking = PREFIX + secrets.token_urlsafe(RANDOM_BYTES)
                connection.execute(sessions.update().where(row).values(looking=looking))
        return str(looking)

    def take_back(self, session_id: str) -> None:
        """Let the link that was given out lead nowhere; who asks for one then gets another.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        with self._store.database.writing() as connection:
            lock_session(connection, session_id)
            connection.execute(sessions.update().where(sessions.c.id == session_id).values(looking=None))

    def sessions_behind(self, link_ids: Iterable[str]) -> dict[str, str]:
        """The ids of the sessions behind such links; other ids, and those of sessions that are gone, are left out."""
        ids = [one for one in link_ids if is_looking_id(one)]
        if not ids:
            return {}
        query = sql.select(sessions.c.looking, sessions.c.id).where(sessions.c.looking.in_(ids))
        with self._store.database.reading() as connection:
            return {str(row.looking): str(row.id) for row in connection.execute(query)}
