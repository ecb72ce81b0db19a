"""The coarser levels that are made of images which lack them: who wants them, who makes them, and their files.

A process claims the making of one for some seconds and renews its claim by heartbeats; when these end, since it was
killed, another goes on. Of an image that several sessions have, one process makes them at a time, and the others get a
copy of its file.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import sqlalchemy as sql

from segmentation.web.store.blobs import UnknownBlobError
from segmentation.web.store.errors import UnknownImageError
from segmentation.web.store.holding import CLAIM_SECONDS
from segmentation.web.store.rows import lock_session
from segmentation.web.store.sessions import Store
from segmentation.web.store.tables import blobs, images, pyramids

POSTPONED_SECONDS = 60.0
"""So long is left what did not go on."""

MOST_TRIES = 3
DIED = "The server ended several times while it prepared this image, which is probably too large for it."


@dataclass(frozen=True)
class Preparing:
    """The coarser levels of an image of a session.

    Attributes:
        hash: of the image.
        name: of its file.
        part: that is made, from 0 to 1.
        reason: why they cannot be made; empty otherwise.
        done: whether they are there.
        waits: whether they did not go on just now, and are left for a while.
        hindrance: why that is, if it is to be told; empty otherwise.
    """

    hash: str
    name: str
    part: float
    reason: str
    done: bool
    waits: bool
    hindrance: str


@dataclass(frozen=True)
class Claim:
    """That a process makes the levels of an image: whose it is, its hash, and a random name of the claim."""

    session_id: str
    hash: str
    owner: str


class Pyramids:
    """The coarser levels of the images of all sessions; its methods may raise what those of :class:`Store` may."""

    def __init__(self, store: Store) -> None:
        self._database, self._files = store.database, store.files

    def want(self, session_id: str, image_hash: str) -> None:
        """Let levels be made of an image of a session; once they are wanted, this does nothing.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        of_image = _of(session_id, image_hash)
        with self._database.reading() as connection:
            if connection.execute(sql.select(pyramids.c.hash).where(*of_image)).first():
                return
        row = {"session_id": session_id, "hash": image_hash, "wanted": time.time(), "part": 0.0, "reason": ""}
        with self._database.writing() as connection:
            lock_session(connection, session_id)
            if not connection.execute(sql.select(pyramids.c.hash).where(*of_image)).first():
                connection.execute(pyramids.insert().values(row | {"owner": "", "until": 0.0, "tries": 0}))

    def check_room(self, session_id: str, size: int) -> None:
        """Make sure that a session may grow by so many bytes.

        Raises:
            StoreFullError: with a sentence, if it may not.
        """
        self._files.require_room(session_id, size)

    def of_session(self, session_id: str) -> list[Preparing]:
        """Those of a session, in the order in which they were wanted."""
        query = sql.select(pyramids, images.c.name).where(
            pyramids.c.session_id == session_id,
            images.c.session_id == session_id,
            images.c.hash == pyramids.c.hash,
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(pyramids.c.wanted, pyramids.c.hash)).all()
        return [_preparing(row) for row in rows]

    def forget(self, session_id: str, image_hash: str) -> None:
        """Want them no more, and give up the file of the image, too: nothing has been done with it yet.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        with self._database.deleting():
            with self._database.writing() as connection:
                lock_session(connection, session_id)
                of_image = images.c.session_id == session_id, images.c.hash == image_hash
                keys = [
                    key
                    for table, where in ((pyramids, _of(session_id, image_hash)), (images, of_image))
                    for key in connection.execute(sql.select(table.c.key).where(*where)).scalars()
                    if key is not None
                ]
                connection.execute(pyramids.delete().where(*_of(session_id, image_hash)))
                connection.execute(images.delete().where(*of_image))
                gone = self._files.release(connection, blobs.c.key.in_(keys))
            self._files.remove(gone)

    # ---- their files, as those of stacks are found

    def opened_image(self, session_id: str, image_hash: str) -> BinaryIO | None:
        """The file itself, to read, where it is one on this machine; None elsewhere.

        Raises:
            UnknownImageError: if it is not made (yet).
        """
        return self._files.blobs.opened(self._key(session_id, image_hash))

    def write_image(self, session_id: str, image_hash: str, file: BinaryIO) -> None:
        """Write the file to another one.

        Raises:
            UnknownImageError: if it is not made (yet).
        """
        try:
            self._files.write_to(self._key(session_id, image_hash), file)
        except UnknownBlobError:
            raise UnknownImageError(image_hash) from None

    def _key(self, session_id: str, image_hash: str) -> str:
        with self._database.reading() as connection:
            key = connection.execute(sql.select(pyramids.c.key).where(*_of(session_id, image_hash))).scalar()
        if key is None:
            raise UnknownImageError(image_hash)
        return key

    # ---- what those do who make them

    def claim(self) -> Claim | None:
        """Claim what is wanted, and nobody makes for any session; None if there is nothing.

        The session comes first in which the last claim has ended longest ago, and of a session the image of which the
        same is true: none that waits has to wait for all that another one wants.
        """
        now = time.time()
        free = _free(now)
        beside = pyramids.alias()
        served = sql.select(sql.func.max(beside.c.until)).where(beside.c.session_id == pyramids.c.session_id)
        in_turn = served.scalar_subquery(), pyramids.c.until, pyramids.c.wanted
        first = sql.select(pyramids).where(*free).order_by(*in_turn).limit(1)
        while True:
            with self._database.reading() as connection:
                row = connection.execute(first).first()
            if row is None:
                return None
            owner, of_row = secrets.token_urlsafe(12), _of(row.session_id, row.hash)
            with self._database.writing() as connection:
                # Whoever claims it for another session waits here, and then finds that it is held.
                connection.execute(sql.select(pyramids.c.hash).where(pyramids.c.hash == row.hash).with_for_update())
                if not connection.execute(sql.select(pyramids.c.hash).where(*of_row, *free)).first():
                    continue
                died = row.tries >= MOST_TRIES
                change = {"reason": DIED} if died else {"owner": owner, "until": now + CLAIM_SECONDS}
                connection.execute(pyramids.update().where(*of_row).values(change | {"tries": row.tries + 1}))
            if not died:
                return Claim(row.session_id, row.hash, owner)

    def others_wait(self) -> bool:
        """Whether levels of any image are wanted that nobody makes."""
        query = sql.select(pyramids.c.hash).where(*_free(time.time())).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def heartbeat(self, claim: Claim, part: float) -> bool:
        """Renew a claim, and say how much is made; False if it has ended, or nobody wants them any more.

        Who begins anew after a server was killed comes further only once more is made than ever before.
        """
        further = pyramids.c.part < part
        change: dict[str, Any] = {
            "until": time.time() + CLAIM_SECONDS,
            "part": sql.case((further, part), else_=pyramids.c.part),
            "tries": sql.case((further, 0), else_=pyramids.c.tries),
        }
        with self._database.writing() as connection:
            renewed = pyramids.update().where(*_claimed_by(claim)).values(change)
            return bool(connection.execute(renewed).rowcount)

    def release(self, claim: Claim) -> None:
        """End a claim on what is not made; another process may go on."""
        self._end(claim, {"until": 0.0, "tries": pyramids.c.tries - 1})

    def give_way(self, claim: Claim) -> None:
        """End a claim on what is not made, so that others come first; this goes on after them."""
        self._end(claim, {"until": time.time(), "tries": pyramids.c.tries - 1})

    def postpone(self, claim: Claim, reason: str = "", *, hindrance: str = "") -> None:
        """End a claim on what did not go on just now; a process may go on in a while.

        Args:
            claim: that ends.
            reason: why they cannot be made, if it got nowhere as often as :data:`MOST_TRIES`; empty if that is no
                fault of the image, which is tried again however often it is.
            hindrance: what is told meanwhile.
        """
        left: dict[str, Any] = {"tries": pyramids.c.tries - 1, "hindrance": hindrance}
        if reason:
            left = {"reason": sql.case((pyramids.c.tries >= MOST_TRIES, reason), else_=""), "hindrance": hindrance}
        self._end(claim, left | {"until": time.time() + POSTPONED_SECONDS})

    def fail(self, claim: Claim, reason: str) -> None:
        """Say why they cannot be made."""
        self._end(claim, {"until": time.time(), "reason": reason})

    def _end(self, claim: Claim, change: dict[str, Any]) -> None:
        with self._database.writing() as connection:
            connection.execute(pyramids.update().where(*_claimed_by(claim)).values(change | {"owner": ""}))

    def finish(self, claim: Claim, file: BinaryIO) -> bool:
        """Keep their file; returns whether that counts, which it does not once the claim has ended."""
        return self._keep(claim, self._files.put(claim.session_id, "pyramid", file))

    def copied(self, claim: Claim) -> bool:
        """Take the file of another session that has them of the same image; whether there is one."""
        query = sql.select(blobs.c.key, blobs.c.size).join(pyramids).where(pyramids.c.hash == claim.hash).limit(1)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return False
        try:
            return self._keep(claim, self._files.copy(row.key, row.size, claim.session_id))
        except UnknownBlobError:  # deleted just now
            return False

    def _keep(self, claim: Claim, key: str) -> bool:
        done = {"owner": "", "until": time.time(), "part": 1.0, "key": key}
        with self._files.on_their_way() as keys:
            keys.append(key)
            with self._database.writing() as connection:
                counts = connection.execute(pyramids.update().where(*_claimed_by(claim)).values(done)).rowcount
                if counts:
                    self._files.assign(connection, key, claim.session_id)
                    keys.clear()
        return bool(counts)

    def unfinished(self) -> set[str]:
        """The hashes of the images of which they are wanted and not made."""
        query = sql.select(pyramids.c.hash).where(pyramids.c.key.is_(None), pyramids.c.reason == "")
        with self._database.reading() as connection:
            return set(connection.execute(query).scalars())


def _preparing(row: Any) -> Preparing:
    done = row.key is not None
    waits = not (done or row.reason or row.owner) and row.until > time.time()
    return Preparing(row.hash, row.name, row.part, row.reason, done, waits, (row.hindrance or "") if waits else "")


def _free(now: float) -> tuple[sql.ColumnElement[bool], ...]:
    """What is wanted, and nobody makes for any session."""
    other = pyramids.alias()
    held = sql.exists().where(
        other.c.hash == pyramids.c.hash, other.c.until > now, other.c.key.is_(None), other.c.reason == ""
    )
    return pyramids.c.key.is_(None), pyramids.c.reason == "", ~held


def _of(session_id: str, image_hash: str) -> tuple[sql.ColumnElement[bool], ...]:
    return pyramids.c.session_id == session_id, pyramids.c.hash == image_hash


def _claimed_by(claim: Claim) -> Iterator[sql.ColumnElement[bool]]:
    yield from _of(claim.session_id, claim.hash)
    yield pyramids.c.owner == claim.owner
