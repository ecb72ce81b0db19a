"""Who is in a session now: rows that are written every few seconds, and forgotten soon after."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sql
from sqlalchemy.exc import IntegrityError

from segmentation.web.store.errors import StoreError
from segmentation.web.store.links import LOOKING
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import presences

WRITTEN_SECONDS = 3.0
"""A person's row is written again after that time at the earliest, unless the name is another."""

GONE_SECONDS = 15.0
"""Who was not seen for that time is gone."""

MAX_PEOPLE = 50
"""People of a session who are seen; more are not written down."""

MAX_LOOKERS = MAX_PEOPLE // 2
"""Those among them who only look: they leave room for those who work in the session."""


@dataclass(frozen=True)
class Presence:
    """Somebody who is in a session.

    Attributes:
        person: id of the author; with ``look-`` before it, if they only look.
        name: that they gave themselves; may be empty.
        image: hash of the image that they look at; empty if there is none yet.
        view: the part of it that they see: first row, row after the last, first column, column after the last.
    """

    person: str
    name: str
    image: str
    view: tuple[int, int, int, int]


class Presences:
    """Who is in each session; its methods may raise what those of :class:`Store` may.

    Args:
        store: where this is kept, so that people who are served by different hosts see each other.
        clock: seconds since 1970.
    """

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._database = store.database
        self._clock = clock

    def meet(self, session_id: str, somebody: Presence) -> list[Presence]:
        """Note that somebody is in a session, if that was not noted just before; returns the others who are."""
        now = self._clock()
        here = (presences.c.session_id == session_id, presences.c.seen > now - GONE_SECONDS)
        query = sql.select(presences).where(*here).order_by(presences.c.person).limit(MAX_PEOPLE)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        mine = next((row for row in rows if row.person == somebody.person), None)
        if mine is None:
            lookers = [row for row in rows if row.person.startswith(LOOKING)]
            full = somebody.person.startswith(LOOKING) and len(lookers) >= MAX_LOOKERS
            due = len(rows) < MAX_PEOPLE and not full
        else:
            due = mine.name != somebody.name or abs(now - mine.seen) >= WRITTEN_SECONDS
        if due:
            # nothing depends on it: a full disk, or a session that was deleted meanwhile, is somebody else's to tell
            with suppress(StoreError, IntegrityError):
                self._note(session_id, somebody, now)
        return [Presence(r.person, r.name, r.image, tuple(json.loads(r.view))) for r in rows if r is not mine]

    def _note(self, session_id: str, somebody: Presence, now: float) -> None:
        values = {
            "name": somebody.name,
            "image": somebody.image,
            "view": json.dumps(somebody.view),
            "seen": now,
        }
        key = (presences.c.session_id == session_id, presences.c.person == somebody.person)
        old = (presences.c.session_id == session_id, presences.c.seen <= now - GONE_SECONDS)
        with self._database.writing() as connection:
            connection.execute(presences.delete().where(*old))
            if not connection.execute(presences.update().where(*key).values(values)).rowcount:
                row = {"session_id": session_id, "person": somebody.person}
                connection.execute(presences.insert().values(row | values))
