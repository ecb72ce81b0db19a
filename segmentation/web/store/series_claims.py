"""The workers' claims on the items of series, and how these end.

A worker claims an item for some seconds and renews its claim by heartbeats. When these end, since its process was
killed, another worker claims the item, and the store refuses what the former one still writes. So each item ends once,
whichever processes die.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sql

from segmentation.web.store.files import hash_in_key
from segmentation.web.store.holding import CLAIM_SECONDS
from segmentation.web.store.records import ClaimedItem, ItemResult
from segmentation.web.store.series import RESULT_KEYS, content_of, is_item
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import blobs, series, series_items

POSTPONED_SECONDS = 60.0

MOST_TRIES = 3
DIED = f"The process that worked on it ended {MOST_TRIES} times: perhaps the memory of the server does not suffice."


class SeriesClaims:
    """Claims on the items of all series; its methods may raise what those of :class:`Store` may."""

    def __init__(self, store: Store) -> None:
        self._database, self._files = store.database, store.files

    def claim(self, *, wholes: bool = False) -> ClaimedItem | None:
        """Claim the next item that no worker has a claim on; None if there is none.

        Args:
            wholes: of those that are read part by part, whole images of sessions and others; else of all others.
        """
        owner = secrets.token_urlsafe(12)
        while True:
            now = time.time()
            of_series = series.c.key.label("classifier_key"), series.c.corrections_key, series.c.image
            query = sql.select(series_items, *of_series).join(series).where(*_free(now, wholes))
            had_turn = [series_items.c.until] if wholes else []
            query = query.order_by(*had_turn, series_items.c.number, series.c.created).limit(1)
            with self._database.reading() as connection:
                row = connection.execute(query).first()
            if row is None:
                return None
            given_up = row.state == "working" and row.tries >= MOST_TRIES
            tried = {"until": now + CLAIM_SECONDS, "tries": row.tries + 1, "reason": ""}
            change = (
                {"state": "failed", "owner": "", "reason": row.reason or DIED, "ended": now}
                if given_up
                else {"state": "working", "owner": owner, **tried}
            )
            as_it_was = (series_items.c.owner == row.owner, series_items.c.until == row.until)
            item = series_items.c.session_id == row.session_id, is_item(row.series_id, row.number)
            with self._database.writing() as connection:
                same = (*item, series_items.c.state == row.state, *as_it_was)
                claimed = connection.execute(series_items.update().where(*same).values(change)).rowcount
            if claimed and not given_up:
                keys = row.key, row.classifier_key, row.corrections_key
                return ClaimedItem(row.session_id, row.series_id, row.number, *keys, owner, row.image or "", row.name)

    def others_wait(self, *, wholes: bool) -> bool:
        """Whether there is an item that no worker has a claim on, of those that :meth:`claim` tells apart."""
        query = sql.select(series_items.c.number).join(series).where(*_free(time.time(), wholes)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def give_way(self, item: ClaimedItem) -> None:
        """End the claim on an item that is not done yet, so that others come first; it goes on after them."""
        self._wait(item, {"until": time.time()})

    def hand_over(self, item: ClaimedItem) -> None:
        """End the claim on an item that is to be read part by part, which others do."""
        self._wait(item, {"until": 0.0, "part": 0.0})

    def _wait(self, item: ClaimedItem, change: dict[str, Any]) -> None:
        undone = {"state": "waiting", "owner": "", "tries": series_items.c.tries - 1}
        with self._database.writing() as connection:
            connection.execute(series_items.update().where(*_claimed_by(item)).values(undone | change))

    def image(self, item: ClaimedItem) -> bytes:
        """The image file of an item, or an UnknownSeriesError if the series is gone."""
        return content_of(self._files, item.key)

    def classifier_of(self, item: ClaimedItem) -> bytes:
        """The classifier file for an item, or an UnknownSeriesError if the series is gone."""
        return content_of(self._files, item.classifier_key)

    def corrections_of(self, item: ClaimedItem) -> bytes:
        """The file of what was painted into results, empty if there is none, or an UnknownSeriesError if it is gone."""
        return content_of(self._files, item.corrections_key) if item.corrections_key else b""

    def heartbeat(self, item: ClaimedItem, part: float | None = None) -> bool:
        """Renew the claim on an item, and say what part is done, if known; False if it or its series has ended.

        The part never falls, and where it has grown the tries start anew: what comes further, however often it is
        begun, is not given up.
        """
        running = sql.select(series.c.running).where(series.c.session_id == item.session_id)
        running = running.where(series.c.id == item.series_id)
        change: dict[str, Any] = {"until": time.time() + CLAIM_SECONDS}
        if part is not None:
            further = sql.func.coalesce(series_items.c.part, 0.0) < part
            change["part"] = sql.case((further, part), else_=series_items.c.part)
            change["tries"] = sql.case((further, 0), else_=series_items.c.tries)
        with self._database.writing() as connection:
            renewed = series_items.update().where(*_claimed_by(item)).values(change)
            return bool(connection.execute(renewed).rowcount) and bool(connection.execute(running).scalar())

    def release(self, item: ClaimedItem, reason: str = "", *, counts: bool = True) -> None:
        """End the claim on an item that was not done; another worker may claim it.

        Args:
            item: that is claimed.
            reason: what is told meanwhile; with one it may be claimed in a while.
            counts: whether it is given up when that happens again and again.
        """
        if not reason:
            self._wait(item, {"until": 0.0})
            return
        postponed: dict[str, Any] = {"owner": "", "until": time.time() + POSTPONED_SECONDS, "reason": reason}
        postponed |= {} if counts else {"tries": series_items.c.tries - 1}
        with self._database.writing() as connection:
            connection.execute(series_items.update().where(*_claimed_by(item)).values(postponed))

    def fail(self, item: ClaimedItem, reason: str) -> None:
        """End an item that could not be done, with the reason."""
        failed = {"state": "failed", "owner": "", "reason": reason, "ended": time.time()}
        with self._database.writing() as connection:
            connection.execute(series_items.update().where(*_claimed_by(item)).values(failed))

    def finish(self, item: ClaimedItem, found: ItemResult) -> bool:
        """End an item with its result; returns whether that counts, which it does not once the claim has ended."""
        contents = (("result", found.result), ("picture", found.picture), ("objects", found.objects))
        keys = [self._files.put(item.session_id, kind, one) for kind, one in contents]
        done = {"state": "done", "owner": "", "ended": time.time(), "pages": json.dumps(found.pages)}
        done |= {"made_by": hash_in_key(item.classifier_key)}
        with self._database.writing() as connection:
            former = connection.execute(sql.select(*RESULT_KEYS).where(*_claimed_by(item))).first() or ()
            change = series_items.update().where(*_claimed_by(item))
            named = dict(zip((column.name for column in RESULT_KEYS), keys, strict=True))
            counts = connection.execute(change.values(done | named)).rowcount
            for key in keys if counts else []:
                self._files.assign(connection, key, item.session_id)
            gone = self._files.release(connection, blobs.c.key.in_([key for key in former if key])) if counts else keys
        self._files.remove(gone)
        return bool(counts)


def _free(now: float, by_parts: bool) -> Iterator[sql.ColumnElement[bool]]:
    """What no worker has a claim on: of what is read part by part, which has a part that is done, or of all others."""
    item = series_items.c
    is_by_parts = series.c.image.is_not(None) | item.part.is_not(None)
    yield series.c.running
    yield is_by_parts if by_parts else ~is_by_parts
    yield (item.state == "waiting") | ((item.state == "working") & (item.until < now))


def _claimed_by(item: ClaimedItem) -> Iterator[sql.ColumnElement[bool]]:
    yield series_items.c.session_id == item.session_id
    yield is_item(item.series_id, item.number)
    yield series_items.c.state == "working"
    yield series_items.c.owner == item.owner
