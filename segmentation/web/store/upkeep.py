"""Removes sessions that nobody opens and files that belong to none, once an hour, in the background."""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress
from typing import Protocol

import sqlalchemy as sql

from segmentation.web.store.database import Database
from segmentation.web.store.errors import StoreError, UnknownSessionError
from segmentation.web.store.files import Files
from segmentation.web.store.tables import chores, sessions

SWEEP_SECONDS = 3600

log = logging.getLogger(__name__)


class DeleteSession(Protocol):
    """What deletes a session for the sweeps."""

    def __call__(self, session_id: str, *, unused_since: float) -> None:
        """Delete it unless it was used since that time; raises an UnknownSessionError if it is gone already."""


class Upkeep:
    """The sweeps of a store: old sessions, and files that belong to none.

    Args:
        database: which is swept.
        files: of its sessions.
        unused_seconds: after which a session that nobody opens is deleted; 0 keeps all.
        delete_session: deletes one of them.
    """

    def __init__(
        self, database: Database, files: Files, *, unused_seconds: float, delete_session: DeleteSession
    ) -> None:
        self._database = database
        self._files = files
        self._unused_seconds = unused_seconds
        self._delete_session = delete_session
        self._due = 0.0
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def sweep_if_due(self) -> None:
        """Sweep in the background, if that is due; returns at once. Called with each request."""
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
        if self._unused_seconds:
            self._delete_sessions_unused_since(time.time() - self._unused_seconds)
        self._files.remove_ownerless()
        self._database.shrink()

    def _sweep_quietly(self) -> None:
        try:
            self.sweep()
        except StoreError as problem:
            log.warning("the sweep was not finished: %s", problem)

    def _is_ours(self) -> bool:
        now = time.time()
        due = chores.update().where(chores.c.name == "sweep", chores.c.due <= now).values(due=now + SWEEP_SECONDS)
        with self._database.writing() as connection:
            return bool(connection.execute(due).rowcount)

    def _delete_sessions_unused_since(self, then: float) -> None:
        with self._database.reading() as connection:
            ids = list(connection.execute(sql.select(sessions.c.id).where(sessions.c.used < then)).scalars())
        for session_id in ids:
            with suppress(UnknownSessionError):
                self._delete_session(session_id, unused_since=then)
