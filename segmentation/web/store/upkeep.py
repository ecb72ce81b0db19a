"""Removes what is not wanted any more, now and then, in the background."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import sqlalchemy as sql

from segmentation.web.store.errors import StoreError, UnknownSessionError
from segmentation.web.store.tables import chores, sessions

if TYPE_CHECKING:
    from segmentation.web.store.sessions import Store

SWEEP_SECONDS = 3600

log = logging.getLogger(__name__)


class Upkeep:
    """The sweeps of a store: old sessions, and files that belong to none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._due = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def now_and_then(self) -> None:
        """Sweep in the background, if that is due; returns at once. Meant to be called with any request."""
        if time.monotonic() < self._due:
            return
        with self._lock:
            if time.monotonic() >= self._due:
                self._due = time.monotonic() + SWEEP_SECONDS
                self._thread = threading.Thread(target=self._sweep_quietly, name="sweep", daemon=True)
                self._thread.start()

    def finish(self) -> None:
        """Wait for a sweep that is under way."""
        if self._thread is not None:
            self._thread.join()

    def sweep(self) -> None:
        """Remove sessions that nobody used for longer than the limits say, and files that belong to none.

        Of all processes on all hosts one does it, once an hour; the others return at once.

        Raises:
            StoreError: if the store fails; the next sweep goes on.
        """
        if not self._is_ours():
            return
        if self._store.limits.unused_seconds:
            self._remove_sessions_unused_since(time.time() - self._store.limits.unused_seconds)
        self._store.files.remove_ownerless()
        self._store.database.give_back_room()

    def _sweep_quietly(self) -> None:
        try:
            self.sweep()
        except StoreError as problem:
            log.warning("the sweep was not finished: %s", problem)

    def _is_ours(self) -> bool:
        now = time.time()
        due = chores.update().where(chores.c.name == "sweep", chores.c.due <= now).values(due=now + SWEEP_SECONDS)
        with self._store.database.writing() as connection:
            return bool(connection.execute(due).rowcount)

    def _remove_sessions_unused_since(self, then: float) -> None:
        with self._store.database.reading() as connection:
            ids = list(connection.execute(sql.select(sessions.c.id).where(sessions.c.used < then)).scalars())
        for session_id in ids:
            with suppress(UnknownSessionError):
                self._store.delete_session(session_id, unused_since=then)
