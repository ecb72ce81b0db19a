"""The links of a session: one to work in it, and one with which one can look and change nothing."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable

import sqlalchemy as sql

from segmentation.web.store.rows import lock_session
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import former_links, sessions

LOOKING, WORKING = "look-", "work-"
"""What ids in links begin with: those that only let look, and those to work that came in the place of others. Ids of
sessions, which the first links have, are shorter."""

RANDOM_BYTES = 16
MAX_FORMER = 100
"""Links of a session that were taken back and are still told so; of older ones it is said that they lead nowhere."""

_NEW = re.compile(rf"({LOOKING}|{WORKING})[A-Za-z0-9_-]{{{len(secrets.token_urlsafe(RANDOM_BYTES))}}}")
_FIRST = re.compile("[A-Za-z0-9_-]{1,32}")


def is_looking_id(link_id: str) -> bool:
    """Whether an id in a link is of this kind."""
    return link_id.startswith(LOOKING) and _NEW.fullmatch(link_id) is not None


class Links:
    """Keeps these links; its methods may raise what those of :class:`Store` may.

    A link is kept in the session's row, so that every host that shares the database knows it; the first one to work is
    the session's id, until it is taken back. Nothing leads from one link to the other but that row.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def looking(self, session_id: str) -> str:
        """The id in the link that only lets look at a session, 128 random bits; made when it is first asked for.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        row = sessions.c.id == session_id
        with self._store.database.writing() as connection:
            looking = _locked_link(connection, session_id, sessions.c.looking)
            if looking is None:
                looking = LOOKING + secrets.token_urlsafe(RANDOM_BYTES)
                connection.execute(sessions.update().where(row).values(looking=looking))
        return str(looking)

    def take_looking_back(self, session_id: str) -> None:
        """Let the link that was given out lead nowhere; who asks for one then gets another.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        row = sessions.c.id == session_id
        with self._store.database.writing() as connection:
            looking = _locked_link(connection, session_id, sessions.c.looking)
            connection.execute(sessions.update().where(row).values(looking=None))
            if looking is not None:
                _note_former(connection, session_id, looking)

    def take_working_back(self, session_id: str) -> str:
        """Let the link to work in a session lead nowhere; returns the id in the new one, 128 random bits.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        row, new = sessions.c.id == session_id, WORKING + secrets.token_urlsafe(RANDOM_BYTES)
        with self._store.database.writing() as connection:
            working = _locked_link(connection, session_id, sessions.c.working)
            connection.execute(sessions.update().where(row).values(working=new))
            _note_former(connection, session_id, working or session_id)
        return new

    def sessions_behind(self, link_ids: Iterable[str]) -> dict[str, str]:
        """The ids of the sessions to which links lead, by the ids in these; those that lead nowhere are left out."""
        ids = list(dict.fromkeys(link_ids))
        new, first = ([one for one in ids if form.fullmatch(one)] for form in (_NEW, _FIRST))
        found: dict[str, str] = {}
        with self._store.database.reading() as connection:
            for column in (sessions.c.looking, sessions.c.working):
                if new:
                    rows = connection.execute(sql.select(column, sessions.c.id).where(column.in_(new)))
                    found |= {str(link): str(session_id) for link, session_id in rows}
            if first:
                never_changed = sessions.c.id.in_(first), sessions.c.working.is_(None)
                rows = connection.execute(sql.select(sessions.c.id).where(*never_changed))
                found |= {str(row.id): str(row.id) for row in rows}
        return found

    def was_taken_back(self, link_id: str) -> bool:
        """Whether a link led to a session that is still there, and was taken back."""
        query = sql.select(former_links.c.link).where(former_links.c.link == link_id)
        with self._store.database.reading() as connection:
            return connection.execute(query).first() is not None


def _locked_link(connection: sql.Connection, session_id: str, column: sql.Column[str]) -> str | None:
    """The id in a link of a session, which nobody else changes until the transaction ends."""
    lock_session(connection, session_id)
    return connection.execute(sql.select(column).where(sessions.c.id == session_id)).scalar()


def _note_former(connection: sql.Connection, session_id: str, link: str) -> None:
    of_session = former_links.c.session_id == session_id
    connection.execute(former_links.insert().values(link=link, session_id=session_id, since=time.time()))
    latest = sql.select(former_links.c.link).where(of_session).order_by(former_links.c.since.desc()).limit(MAX_FORMER)
    kept = connection.execute(latest).scalars().all()
    connection.execute(former_links.delete().where(of_session, former_links.c.link.not_in(kept)))
