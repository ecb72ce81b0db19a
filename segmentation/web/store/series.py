"""Series of images in the store: their items, and the results; workers claim these in ``series_claims.py``."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Collection
from typing import Any

import sqlalchemy as sql

from segmentation.web.store.blobs import UnknownBlobError
from segmentation.web.store.database import Database
from segmentation.web.store.errors import StoreFullError
from segmentation.web.store.files import Files, content_hash, hash_in_key
from segmentation.web.store.records import SeriesFacts, SeriesItem
from segmentation.web.store.rows import lock_session
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import blobs, images, series, series_items

RESULT_KEYS = (series_items.c.result_key, series_items.c.picture_key, series_items.c.objects_key)
"""Of what an item that is done gave."""


class UnknownSeriesError(LookupError):
    """A session has no such series, or the series no such result."""


class SeriesStore:
    """Keeps series for sessions; its methods may raise what those of :class:`Store` may."""

    def __init__(self, store: Store) -> None:
        self._files = store.files
        self._database: Database = store.database

    def begin(self, session_id: str, classifier: bytes, corrections: bytes = b"") -> str:
        """Begin a series with a classifier file, and one of what was painted into results, if it is; returns its id.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        series_id, painted = secrets.token_urlsafe(12), self._put_corrections(session_id, corrections)
        with self._files.keeping(session_id, "classifier", classifier) as (connection, key):
            row = {"session_id": session_id, "id": series_id, "created": time.time(), "running": True, "key": key}
            connection.execute(series.insert().values(row | {"corrections_key": painted}))
            if painted:
                self._files.assign(connection, painted, session_id)
        return series_id

    def add(
        self, session_id: str, series_id: str, name: str, content: bytes, *, max_images: int, max_bytes: int
    ) -> int:
        """Add an image file to a series; returns its number, from 1.

        Args:
            session_id: the session.
            series_id: the series.
            name: of the image; the same name and content a second time is the same image.
            content: its file.
            max_images: that a series may have.
            max_bytes: that the images of all series of the session may have together.

        Raises:
            UnknownSeriesError: if the session has no such series.
            StoreFullError: with a sentence, if there may be no more.
        """
        of_series = _belongs_to_series(series_items, session_id, series_id)
        with self._files.keeping(session_id, "series", content) as (connection, key):
            self._require(connection, session_id, series_id)
            same = sql.select(series_items.c.number).where(
                of_series, series_items.c.name == name, series_items.c.key.startswith(key.rpartition("-")[0])
            )
            known = connection.execute(same).scalar()
            if known is not None:
                self._files.release(connection, blobs.c.key == key)
                return int(known)
            last = connection.execute(sql.select(sql.func.max(series_items.c.number)).where(of_series)).scalar() or 0
            if last >= max_images:
                raise StoreFullError(f"A series may have {max_images:,} images: begin another one for the others.")
            kept_bytes = connection.execute(
                sql.select(sql.func.coalesce(sql.func.sum(series_items.c.bytes), 0)).where(
                    series_items.c.session_id == session_id
                )
            ).scalar_one()
            if kept_bytes + len(content) > max_bytes:
                raise StoreFullError(
                    f"The images of all series of a session may have {max_bytes / 2**20:,.0f} MB together: delete a "
                    "series that you have taken home."
                )
            new = {"state": "waiting", "owner": "", "until": 0.0, "tries": 0, "ended": 0.0, "reason": "", "pages": ""}
            row = {"session_id": session_id, "series_id": series_id, "number": last + 1, "name": name, "key": key}
            connection.execute(series_items.insert().values(row | new | {"bytes": len(content)}))
            return int(last) + 1

    def of_session(self, session_id: str) -> list[SeriesFacts]:
        """The series of a session, the latest first; without those of whole images (``wholes.py``)."""
        query = sql.select(series).where(series.c.session_id == session_id, series.c.image.is_(None))
        query = query.order_by(series.c.created.desc())
        with self._database.reading() as connection:
            return [_facts(row) for row in connection.execute(query)]

    def facts(self, session_id: str, series_id: str) -> SeriesFacts:
        """A series of a session.

        Raises:
            UnknownSeriesError: if the session has none of that id.
        """
        with self._database.reading() as connection:
            return _facts(self._require(connection, session_id, series_id))

    def items(self, session_id: str, series_id: str) -> list[SeriesItem]:
        """The items of a series in their order.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        query = sql.select(series_items).where(_belongs_to_series(series_items, session_id, series_id))
        with self._database.reading() as connection:
            made_by = hash_in_key(self._require(connection, session_id, series_id).key)
            rows = connection.execute(query.order_by(series_items.c.number)).all()
        return [
            SeriesItem(
                row.number, row.name, row.bytes, row.state, row.ended, row.reason, json.loads(row.pages or "[]"),
                row.made_by or made_by, hash_in_key(row.picture_key or ""), row.part or 0.0,
            )
            for row in rows
        ]  # fmt: skip

    def run(self, session_id: str, series_id: str, *, running: bool) -> None:
        """Let a series be worked on, or not.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.writing() as connection:
            change = series.update().where(series.c.session_id == session_id, series.c.id == series_id)
            if not connection.execute(change.values(running=running)).rowcount:
                raise UnknownSeriesError(series_id)

    def do_again(
        self, session_id: str, series_id: str, classifier: bytes, corrections: bytes = b"", also: Collection[int] = ()
    ) -> int:
        """Let the images be done again whose results are those of another classifier than this one, and some others.

        Until then they keep the results that they have.

        Args:
            session_id: the session.
            series_id: the series.
            classifier: the file of the classifier.
            corrections: the file of what was painted into results; empty if there is none.
            also: the numbers of further images, of those that are done or being worked on.

        Returns:
            How many there are.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        mine, released = content_hash(classifier), list[str]()
        item, painted = series_items.c, self._put_corrections(session_id, corrections)
        with self._files.keeping(session_id, "classifier", classifier) as (connection, key):
            row = self._require(connection, session_id, series_id)
            former = row.key
            of_series = _belongs_to_series(series_items, session_id, series_id)
            unnamed = series_items.update().where(of_series, item.state == "done", item.made_by.is_(None))
            connection.execute(unnamed.values(made_by=hash_in_key(former)))
            of_another = (item.state == "working") | ((item.state == "done") & (item.made_by != mine))
            if hash_in_key(former) == mine:
                of_another = (item.state == "done") & (item.made_by != mine)
            of_another |= item.state.in_(("working", "done")) & item.number.in_(also)
            anew: dict[str, Any] = {"state": "waiting", "owner": "", "until": 0.0, "tries": 0, "ended": 0.0}
            anew |= {"reason": "", "part": sql.case((item.part.is_not(None), 0.0))}
            changed = connection.execute(series_items.update().where(of_series, of_another).values(anew)).rowcount
            this = series.update().where(series.c.session_id == session_id, series.c.id == series_id)
            connection.execute(this.values(key=key, corrections_key=painted, running=True))
            if painted:
                self._files.assign(connection, painted, session_id)
            released += self._files.release(connection, blobs.c.key.in_([former, row.corrections_key or former]))
        self._files.remove(released)
        return changed

    def delete(self, session_id: str, series_id: str) -> None:
        """Remove a series with its images and results.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.deleting():
            with self._database.writing() as connection:
                lock_session(connection, session_id)
                this = self._require(connection, session_id, series_id)
                kept = {key for key in (this.key, this.corrections_key) if key}
                of_series = _belongs_to_series(series_items, session_id, series_id)
                named = (series_items.c.key, *RESULT_KEYS)
                for row in connection.execute(sql.select(*named).where(of_series)):
                    kept |= {key for key in row if key}
                connection.execute(series_items.delete().where(of_series))
                connection.execute(series.delete().where(series.c.session_id == session_id, series.c.id == series_id))
                of_images = sql.select(images.c.key).where(images.c.session_id == session_id)
                keys = self._files.release(connection, blobs.c.key.in_(kept) & blobs.c.key.not_in(of_images))
            self._files.remove(keys)

    def classifier(self, session_id: str, series_id: str) -> bytes:
        """The classifier file of a series.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.reading() as connection:
            key = self._require(connection, session_id, series_id).key
        return content_of(self._files, key)

    def corrections(self, session_id: str, series_id: str) -> bytes:
        """The file of what was painted into the results of a series; empty if there is none.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.reading() as connection:
            key = self._require(connection, session_id, series_id).corrections_key
        return content_of(self._files, key) if key else b""

    def result(self, session_id: str, series_id: str, number: int) -> bytes:
        """The class ids of an item that is done, a TIFF.

        Raises:
            UnknownSeriesError: if there is none.
        """
        return content_of(self._files, self._item_key(session_id, series_id, number, series_items.c.result_key))

    def file(self, session_id: str, series_id: str, number: int) -> tuple[str, bytes]:
        """The name of an item's image, with folders, and its file.

        Raises:
            UnknownSeriesError: if there is none.
        """
        key, name = (self._item_key(session_id, series_id, number, series_items.c[one]) for one in ("key", "name"))
        return name, content_of(self._files, key)

    def picture(self, session_id: str, series_id: str, number: int) -> bytes:
        """The small picture of an item that is done, a JPEG.

        Raises:
            UnknownSeriesError: if there is none.
        """
        return content_of(self._files, self._item_key(session_id, series_id, number, series_items.c.picture_key))

    def objects(self, session_id: str, series_id: str, number: int) -> bytes:
        """The packed tables of the objects of an item that is done.

        Raises:
            UnknownSeriesError: if there is none.
        """
        return content_of(self._files, self._item_key(session_id, series_id, number, series_items.c.objects_key))

    # ---- rows

    def _put_corrections(self, session_id: str, corrections: bytes) -> str | None:
        return self._files.put(session_id, "corrections", corrections) if corrections else None

    def _item_key(self, session_id: str, series_id: str, number: int, column: sql.ColumnElement[str | None]) -> str:
        query = sql.select(column).where(series_items.c.session_id == session_id, is_item(series_id, number))
        with self._database.reading() as connection:
            key = connection.execute(query).scalar()
        if key is None:
            raise UnknownSeriesError(series_id)
        return key

    @staticmethod
    def _require(connection: sql.Connection, session_id: str, series_id: str) -> Any:
        query = sql.select(series).where(series.c.session_id == session_id, series.c.id == series_id)
        row = connection.execute(query).first()
        if row is None:
            raise UnknownSeriesError(series_id)
        return row


def content_of(files: Files, key: str) -> bytes:
    """A file of a series.

    Raises:
        UnknownSeriesError: if it is gone.
    """
    try:
        return files.content(key)
    except UnknownBlobError:
        raise UnknownSeriesError(key) from None


def is_item(series_id: str, number: int) -> sql.ColumnElement[bool]:
    """Whether a row is that item of that series, whichever session has it."""
    return (series_items.c.series_id == series_id) & (series_items.c.number == number)


def _facts(row: Any) -> SeriesFacts:
    return SeriesFacts(row.id, row.created, row.running, hash_in_key(row.key))


def _belongs_to_series(table: sql.Table, session_id: str, series_id: str) -> sql.ColumnElement[bool]:
    return (table.c.session_id == session_id) & (table.c.series_id == series_id)
