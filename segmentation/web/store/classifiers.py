"""The classifier files that were opened in a session, each known by the hash of its bytes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from segmentation._shared.text import shown_name
from segmentation.web.store.blobs import UnknownBlobError
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import blobs, classifiers


class UnknownClassifierError(LookupError):
    """A session has no classifier file of that hash."""


@dataclass(frozen=True)
class StoredClassifier:
    """A classifier file of a session: the hash of its bytes and its name."""

    hash: str
    name: str


class Classifiers:
    """Keeps classifier files for sessions; its methods may raise what those of :class:`Store` may."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, session_id: str, content_hash: str, name: str, content: bytes) -> None:
        """Keep a classifier file for a session; a second time does nothing.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        if self._find(session_id, content_hash) is not None:
            return
        files = self._store.files
        with files.keeping(session_id, "classifier", content) as (connection, key):
            if self._row(connection, session_id, content_hash):
                files.release(connection, blobs.c.key == key)
            else:
                row = {"session_id": session_id, "hash": content_hash, "name": shown_name(name)}
                connection.execute(classifiers.insert().values(row | {"added": time.time(), "key": key}))

    def name(self, session_id: str, content_hash: str) -> str:
        """The name of a classifier file of a session.

        Raises:
            UnknownClassifierError: if the session has no such file.
        """
        return self._known(session_id, content_hash).name

    def content(self, session_id: str, content_hash: str) -> bytes:
        """A classifier file of a session.

        Raises:
            UnknownClassifierError: if the session has no such file.
        """
        try:
            return self._store.files.content(self._known(session_id, content_hash).key)
        except UnknownBlobError:
            raise UnknownClassifierError(content_hash) from None

    def of_session(self, session_id: str) -> list[StoredClassifier]:
        """The classifier files of a session, in the order in which they came."""
        query = sql.select(classifiers.c.hash, classifiers.c.name).where(classifiers.c.session_id == session_id)
        with self._store.database.reading() as connection:
            rows = connection.execute(query.order_by(classifiers.c.added, classifiers.c.hash))
            return [StoredClassifier(row.hash, row.name) for row in rows]

    def _known(self, session_id: str, content_hash: str) -> sql.Row[Any, Any]:
        row = self._find(session_id, content_hash)
        if row is None:
            raise UnknownClassifierError(content_hash)
        return row

    def _find(self, session_id: str, content_hash: str) -> sql.Row[Any, Any] | None:
        with self._store.database.reading() as connection:
            return self._row(connection, session_id, content_hash)

    @staticmethod
    def _row(connection: sql.Connection, session_id: str, content_hash: str) -> sql.Row[Any, Any] | None:
        query = sql.select(classifiers.c.name, classifiers.c.key)
        of_session = classifiers.c.session_id == session_id, classifiers.c.hash == content_hash
        return connection.execute(query.where(*of_session)).first()
