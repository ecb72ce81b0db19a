"""Series of images in the store: what is to be done, who is at it, and what came out.

Whoever works on an item holds it for a while and says again and again that it is still at it. When that stops, since
its process was killed, another takes the item over; what the former one may still want to write is then refused. So
each item ends once, whoever dies when.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sql

from segmentation.web.store.blobs import UnknownBlobError
from segmentation.web.store.database import Database
from segmentation.web.store.errors import StoreFullError
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.rows import lock_session
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import blobs, series, series_items

HELD_SECONDS = 15.0
"""After so many seconds without a word from whoever is at an item, others take it over."""

MOST_TRIES = 3
DIED = f"The process that worked on it ended {MOST_TRIES} times: perhaps the memory of the server does not suffice."


class UnknownSeriesError(LookupError):
    """A session has no such series, or the series no such result."""


@dataclass(frozen=True)
class SeriesFacts:
    """A series: its id, when it was begun, and whether it is being worked on."""

    id: str
    created: float
    running: bool


@dataclass(frozen=True)
class HeldItem:
    """An item that somebody is at.

    Attributes:
        session_id: whose it is.
        series_id: of which series.
        number: which item.
        name: of the image.
        key: of the image's file.
        classifier_key: of the file of the classifier.
        owner: names whoever is at it, this time.
    """

    session_id: str
    series_id: str
    number: int
    name: str
    key: str
    classifier_key: str
    owner: str


class SeriesStore:
    """Keeps series for sessions; its methods may raise what those of :class:`Store` may."""

    def __init__(self, store: Store) -> None:
        self._files = store.files
        self._database: Database = store.database

    # ---- what people do

    def begin(self, session_id: str, classifier: bytes) -> str:
        """Begin a series with a classifier file; returns its id.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        series_id = secrets.token_urlsafe(12)
        with self._files.keeping(session_id, "classifier", classifier) as (connection, key):
            row = {"session_id": session_id, "id": series_id, "created": time.time(), "running": True, "key": key}
            connection.execute(series.insert().values(row))
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
        of_series = _of(series_items, session_id, series_id)
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
            held = connection.execute(
                sql.select(sql.func.coalesce(sql.func.sum(series_items.c.bytes), 0)).where(
                    series_items.c.session_id == session_id
                )
            ).scalar_one()
            if held + len(content) > max_bytes:
                raise StoreFullError(
                    f"The images of all series of a session may have {max_bytes / 2**20:,.0f} MB together: delete a "
                    "series that you have taken home."
                )
            new = {"state": "waiting", "owner": "", "until": 0.0, "tries": 0, "ended": 0.0, "reason": "", "pages": ""}
            row = {"session_id": session_id, "series_id": series_id, "number": last + 1, "name": name, "key": key}
            connection.execute(series_items.insert().values(row | new | {"bytes": len(content)}))
            return int(last) + 1

    def of_session(self, session_id: str) -> list[SeriesFacts]:
        """The series of a session, the latest first."""
        query = sql.select(series).where(series.c.session_id == session_id).order_by(series.c.created.desc())
        with self._database.reading() as connection:
            return [SeriesFacts(row.id, row.created, row.running) for row in connection.execute(query)]

    def facts(self, session_id: str, series_id: str) -> SeriesFacts:
        """A series of a session.

        Raises:
            UnknownSeriesError: if the session has none of that id.
        """
        with self._database.reading() as connection:
            row = self._require(connection, session_id, series_id)
        return SeriesFacts(row.id, row.created, row.running)

    def items(self, session_id: str, series_id: str) -> list[SeriesItem]:
        """The items of a series in their order.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        query = sql.select(series_items).where(_of(series_items, session_id, series_id))
        with self._database.reading() as connection:
            self._require(connection, session_id, series_id)
            rows = connection.execute(query.order_by(series_items.c.number)).all()
        return [
            SeriesItem(r.number, r.name, r.bytes, r.state, r.ended, r.reason, json.loads(r.pages or "[]")) for r in rows
        ]

    def run(self, session_id: str, series_id: str, *, running: bool) -> None:
        """Let a series be worked on, or not.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.writing() as connection:
            change = series.update().where(series.c.session_id == session_id, series.c.id == series_id)
            if not connection.execute(change.values(running=running)).rowcount:
                raise UnknownSeriesError(series_id)

    def delete(self, session_id: str, series_id: str) -> None:
        """Remove a series with its images and results.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.writing() as connection:
            lock_session(connection, session_id)
            kept = {self._require(connection, session_id, series_id).key}
            of_series = _of(series_items, session_id, series_id)
            named = (series_items.c.key, series_items.c.result_key, series_items.c.picture_key)
            for row in connection.execute(sql.select(*named).where(of_series)):
                kept |= {key for key in row if key}
            connection.execute(series_items.delete().where(of_series))
            connection.execute(series.delete().where(series.c.session_id == session_id, series.c.id == series_id))
            keys = self._files.release(connection, blobs.c.key.in_(kept))
        self._files.remove(keys)

    def classifier(self, session_id: str, series_id: str) -> bytes:
        """The classifier file of a series.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        with self._database.reading() as connection:
            key = self._require(connection, session_id, series_id).key
        return self._content(key)

    def result(self, session_id: str, series_id: str, number: int) -> bytes:
        """The class ids of an item that is done, a TIFF.

        Raises:
            UnknownSeriesError: if there is none.
        """
        return self._content(self._item_key(session_id, series_id, number, series_items.c.result_key))

    def picture(self, session_id: str, series_id: str, number: int) -> bytes:
        """The small picture of an item that is done, a JPEG.

        Raises:
            UnknownSeriesError: if there is none.
        """
        return self._content(self._item_key(session_id, series_id, number, series_items.c.picture_key))

    # ---- what workers do

    def take(self) -> HeldItem | None:
        """The next item that nobody is at, which is then held; None if there is none."""
        owner = secrets.token_urlsafe(12)
        while True:
            now = time.time()
            free = (series_items.c.state == "waiting") | (
                (series_items.c.state == "working") & (series_items.c.until < now)
            )
            query = sql.select(series_items, series.c.key.label("classifier_key")).join(series)
            query = query.where(series.c.running, free).order_by(series_items.c.number, series.c.created).limit(1)
            with self._database.reading() as connection:
                row = connection.execute(query).first()
            if row is None:
                return None
            given_up = row.state == "working" and row.tries >= MOST_TRIES
            change = (
                {"state": "failed", "owner": "", "reason": DIED, "ended": now}
                if given_up
                else {"state": "working", "owner": owner, "until": now + HELD_SECONDS, "tries": row.tries + 1}
            )
            as_it_was = (series_items.c.owner == row.owner, series_items.c.until == row.until)
            item = series_items.c.session_id == row.session_id, _numbered(row.series_id, row.number)
            with self._database.writing() as connection:
                same = (*item, series_items.c.state == row.state, *as_it_was)
                taken = connection.execute(series_items.update().where(*same).values(change)).rowcount
            if taken and not given_up:
                return HeldItem(row.session_id, row.series_id, row.number, row.name, row.key, row.classifier_key, owner)

    def image(self, item: HeldItem) -> bytes:
        """The image file of an item, or an UnknownSeriesError if the series is gone."""
        return self._content(item.key)

    def classifier_of(self, item: HeldItem) -> bytes:
        """The classifier file for an item, or an UnknownSeriesError if the series is gone."""
        return self._content(item.classifier_key)

    def still(self, item: HeldItem) -> bool:
        """Say that somebody is still at an item; False if it is not theirs any more, or not to be done any more."""
        running = sql.select(series.c.running).where(series.c.session_id == item.session_id)
        running = running.where(series.c.id == item.series_id)
        with self._database.writing() as connection:
            held = series_items.update().where(*_held(item)).values(until=time.time() + HELD_SECONDS)
            return bool(connection.execute(held).rowcount) and bool(connection.execute(running).scalar())

    def give_back(self, item: HeldItem) -> None:
        """Leave an item to others, undone."""
        undone = {"state": "waiting", "owner": "", "until": 0.0, "tries": series_items.c.tries - 1}
        with self._database.writing() as connection:
            connection.execute(series_items.update().where(*_held(item)).values(undone))

    def fail(self, item: HeldItem, reason: str) -> None:
        """An item could not be done."""
        failed = {"state": "failed", "owner": "", "reason": reason, "ended": time.time()}
        with self._database.writing() as connection:
            connection.execute(series_items.update().where(*_held(item)).values(failed))

    def finish(self, item: HeldItem, result: bytes, picture: bytes, pages: Sequence[dict[str, Any]]) -> bool:
        """An item is done; returns whether that counts, which it does not if the item is another's by now."""
        keys = [self._files.put(item.session_id, kind, one) for kind, one in (("result", result), ("picture", picture))]
        done = {"state": "done", "owner": "", "ended": time.time(), "pages": json.dumps(pages)}
        with self._database.writing() as connection:
            change = series_items.update().where(*_held(item))
            counts = connection.execute(change.values(done | {"result_key": keys[0], "picture_key": keys[1]})).rowcount
            for key in keys if counts else []:
                self._files.give(connection, key, item.session_id)
        if not counts:
            self._files.remove(keys)
        return bool(counts)

    # ---- rows

    def _content(self, key: str) -> bytes:
        try:
            return self._files.content(key)
        except UnknownBlobError:
            raise UnknownSeriesError(key) from None

    def _item_key(self, session_id: str, series_id: str, number: int, column: sql.ColumnElement[str | None]) -> str:
        query = sql.select(column).where(series_items.c.session_id == session_id, _numbered(series_id, number))
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


def _of(table: sql.Table, session_id: str, series_id: str) -> sql.ColumnElement[bool]:
    return (table.c.session_id == session_id) & (table.c.series_id == series_id)


def _numbered(series_id: str, number: int) -> sql.ColumnElement[bool]:
    return (series_items.c.series_id == series_id) & (series_items.c.number == number)


def _held(item: HeldItem) -> Iterator[sql.ColumnElement[bool]]:
    yield series_items.c.session_id == item.session_id
    yield _numbered(item.series_id, item.number)
    yield series_items.c.state == "working"
    yield series_items.c.owner == item.owner
