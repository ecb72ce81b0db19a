"""What is known of people whom a reverse proxy names, or of browsers: their sessions, the links that they have met,
their room."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from segmentation.web.store.room import check_room_of, sizes
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import known_links, sessions

MAX_LINKS = 1_000
"""Links of one person that are remembered."""


class People:
    """Keeps that; its methods may raise what those of :class:`Store` may.

    People are known by the ids that they have as authors of events.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def own(self, session_id: str, person: str) -> None:
        """Let a session that was just begun be a person's, unless it is somebody's."""
        mine = sessions.update().where(sessions.c.id == session_id, sessions.c.owner.is_(None)).values(owner=person)
        with self._store.database.writing() as connection:
            connection.execute(mine)

    def owner(self, session_id: str) -> str | None:
        """Whose session it is; None if that is not known, or there is no such session."""
        with self._store.database.reading() as connection:
            return connection.execute(sql.select(sessions.c.owner).where(sessions.c.id == session_id)).scalar()

    def check_room(self, person: str, more: int = 0, copied: str | None = None) -> None:
        """Make sure that a person may begin another session, or copy the one with that id.

        Args:
            person: who it is.
            more: bytes that the new session has.
            copied: id of the session that is copied.

        Raises:
            StoreFullError: with a sentence, if theirs hold as much as they may.
        """
        with self._store.database.reading() as connection:
            more += sizes(connection, [copied]).get(copied, 0) if copied else 0
            check_room_of(connection, self._store.limits, person, more, file=True)

    def links(self, person: str) -> list[str]:
        """The ids in the links that a person has met, the latest first."""
        query = sql.select(known_links.c.link).where(known_links.c.person == person)
        with self._store.database.reading() as connection:
            latest = query.order_by(known_links.c.since.desc(), known_links.c.link).limit(MAX_LINKS)
            return list(connection.execute(latest).scalars())

    def remember(self, person: str, link: str) -> None:
        """A person has met a link; asked with each request, it is written once."""
        row = sql.and_(known_links.c.person == person, known_links.c.link == link)
        with self._store.database.reading() as connection:
            if connection.execute(sql.select(known_links.c.link).where(row)).first():
                return
        with suppress(IntegrityError), self._store.database.writing() as connection:  # by another at the same time
            connection.execute(known_links.insert().values(person=person, link=link, since=time.time()))

    def forget(self, person: str, links: Iterable[str]) -> None:
        """A person does not want to see links any more, or they lead nowhere."""
        gone = sql.and_(known_links.c.person == person, known_links.c.link.in_(list(links)))
        with self._store.database.writing() as connection:
            connection.execute(known_links.delete().where(gone))
