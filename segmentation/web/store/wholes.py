"""Whole images of sessions that are segmented in the background: each is a series of its own, of one item.

Workers claim, hold and end that item as those of all series. Its file is that of the image, so that nothing is sent or
kept twice.
"""

from __future__ import annotations

import secrets
import time
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

import sqlalchemy as sql

from segmentation.web.store.blobs import UnknownBlobError
from segmentation.web.store.errors import UnknownImageError
from segmentation.web.store.records import ClaimedItem, WholeFacts
from segmentation.web.store.series import UnknownSeriesError
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import blobs, images, series, series_items

NUMBER = 1
"""Of the only item."""

KEPT_SECONDS = 7 * 86_400
"""So long is kept what was done of an image of which a part failed."""

PIXELS_PER_BYTE = 8
"""Of a result, about: so much room there must be before it is begun."""


class WholeStore:
    """Keeps what is known of whole images; its methods may raise what those of :class:`Store` may."""

    def __init__(self, store: Store) -> None:
        self._files, self._database = store.files, store.database

    def begin(self, session_id: str, image_hash: str, classifier: bytes, pixels: int) -> str:
        """Begin to segment an image, or begin anew; until then it keeps the result that it has.

        Args:
            session_id: the session.
            image_hash: the image.
            classifier: the file of the classifier.
            pixels: that the image has.

        Returns:
            The id of the series.

        Raises:
            UnknownImageError: if the session has no such image.
            StoreFullError: if there is no room for the result.
        """
        self._files.require_room(session_id, pixels // PIXELS_PER_BYTE)
        anew = {"state": "waiting", "owner": "", "until": 0.0, "tries": 0, "ended": 0.0, "reason": "", "part": 0.0}
        released = list[str]()
        with self._files.keeping(session_id, "classifier", classifier) as (connection, key):
            known = connection.execute(_of_image(session_id, image_hash)).first()
            if known is not None:
                mine = series.c.session_id == session_id, series.c.id == known.id
                connection.execute(series.update().where(*mine).values(key=key, running=True))
                connection.execute(series_items.update().where(*_items(session_id, known.id)).values(anew))
                released = self._files.release(connection, blobs.c.key == known.key)
                series_id = str(known.id)
            else:
                series_id = secrets.token_urlsafe(12)
                named = images.c.session_id == session_id, images.c.hash == image_hash
                image = connection.execute(sql.select(images.c.name, images.c.key).where(*named)).first()
                if image is None:
                    raise UnknownImageError(image_hash)
                row = {"session_id": session_id, "id": series_id, "created": time.time(), "running": True, "key": key}
                connection.execute(series.insert().values(row | {"image": image_hash}))
                item = {"session_id": session_id, "series_id": series_id, "number": NUMBER, "name": image.name}
                item |= {"key": image.key, "bytes": 0, "pages": ""}
                connection.execute(series_items.insert().values(item | anew))
        self._files.remove(released)
        return series_id

    def find(self, session_id: str, image_hash: str) -> str | None:
        """The id of the series of an image; None if it was never begun."""
        with self._database.reading() as connection:
            row = connection.execute(_of_image(session_id, image_hash)).first()
        return None if row is None else str(row.id)

    def of_session(self, session_id: str) -> list[WholeFacts]:
        """The whole images of a session that were begun, in the order in which that was."""
        item = series_items.c
        query = sql.select(series.c.image, item.state, series.c.running, item.part, item.reason)
        query = query.select_from(series.join(series_items)).where(series.c.session_id == session_id)
        query = query.where(series.c.image.is_not(None)).order_by(series.c.created, series.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [WholeFacts(row.image, row.state, row.running, row.part or 0.0, row.reason) for row in rows]

    def result(self, session_id: str, image_hash: str) -> BinaryIO:
        """The class ids of an image, a TIFF, open for reading.

        Raises:
            UnknownSeriesError: if there are none.
        """
        query = sql.select(series_items.c.result_key).join(series).where(*_whole(session_id, image_hash))
        with self._database.reading() as connection:
            key = connection.execute(query).scalar()
        if key is None:
            raise UnknownSeriesError(image_hash)
        return self._opened(key)

    def image(self, item: ClaimedItem) -> BinaryIO:
        """The file of the image of an item, open for reading.

        Raises:
            UnknownSeriesError: if the series is gone.
        """
        return self._opened(item.key)

    def unfinished(self) -> set[str]:
        """The ids of the series of which an image that is read part by part waits, or is worked on, or has failed not
        long ago and may be tried again.
        """
        lately = (series_items.c.state == "failed") & (series_items.c.ended > time.time() - KEPT_SECONDS)
        waits = series_items.c.part.is_not(None), series_items.c.state.in_(("waiting", "working")) | lately
        with self._database.reading() as connection:
            return set(connection.execute(sql.select(series.c.id).join(series_items).where(*waits)).scalars())

    def _opened(self, key: str) -> BinaryIO:
        """A file itself where it is one on this machine, else a copy that is gone with whoever reads it."""
        own = self._files.blobs.opened(key)
        if own is not None:
            return own
        copy = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - whoever reads it closes it
        try:
            self._files.write_to(key, copy)
            copy.seek(0)
        except BaseException as error:
            copy.close()
            if isinstance(error, UnknownBlobError):
                raise UnknownSeriesError(key) from None
            raise
        return copy


def _whole(session_id: str, image_hash: str) -> tuple[sql.ColumnElement[bool], ...]:
    return series.c.session_id == session_id, series.c.image == image_hash


def _of_image(session_id: str, image_hash: str) -> sql.Select[Any]:
    return sql.select(series.c.id, series.c.key).where(*_whole(session_id, image_hash))


def _items(session_id: str, series_id: str) -> tuple[sql.ColumnElement[bool], ...]:
    return series_items.c.session_id == session_id, series_items.c.series_id == series_id
