"""The records that the store accepts and returns. Times are in seconds since 1970."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, BinaryIO


@dataclass(frozen=True)
class NumberedEvent:
    """An event as the journal holds it.

    Attributes:
        number: its place in the session's journal, from 1 without gaps.
        body: the event, with the id that the browser gave it under ``"id"``.
    """

    number: int
    body: dict[str, Any]


@dataclass(frozen=True)
class NewImage:
    """An image file for a new session: the hash of its pixels, its name, the file."""

    hash: str
    name: str
    content: bytes


@dataclass(frozen=True)
class StoredImage:
    """An image of a session: the hash of its pixels, its name, and the bytes of its file."""

    hash: str
    name: str
    size: int


@dataclass(frozen=True)
class SessionSummary:
    """What a list of sessions shows of one.

    Attributes:
        id: its id.
        name: what a person called it; empty if nobody did.
        created: when it was made.
        used: when it was last drawn in or looked at (to some hours).
        images: number of its images.
        strokes_drawn: number of strokes ever drawn in it, those that were erased or undone since among them.
        number: of the last event of its journal.
        size: bytes of its journal and its files.
    """

    id: str
    name: str
    created: float
    used: float
    images: int
    strokes_drawn: int
    number: int
    size: int


@dataclass(frozen=True)
class Limits:
    """What the store may hold; 0 is no limit.

    Attributes:
        total_bytes: of all sessions together.
        session_bytes: of one session.
        unused_seconds: after which a session that nobody opens is removed.
        user_bytes: of all sessions that one person has begun.
    """

    total_bytes: int = 0
    session_bytes: int = 0
    unused_seconds: float = 0
    user_bytes: int = 0


@dataclass(frozen=True)
class SeriesItem:
    """An image of a series.

    Attributes:
        number: its place in the series, from 1.
        name: what the person called it, with the folders that it came in.
        size: bytes of its file.
        state: ``"waiting"``, ``"working"``, ``"done"`` or ``"failed"``.
        ended: when it was done or failed; 0 before.
        reason: why it failed.
        pages: the outcome for each image of its file: ``rows``, ``columns`` and ``pixels`` by class id.
        made_by: the hash of the classifier's file that they come from, as :func:`content_hash` has it.
        picture: the hash of the small picture, in the same way; empty if there is none.
        part: of it that is done while it is worked on, from 0 to 1; 0 where that is not known.
    """

    number: int
    name: str
    size: int
    state: str
    ended: float
    reason: str
    pages: list[dict[str, Any]]
    made_by: str
    picture: str = ""
    part: float = 0.0

    @property
    def result_is_there(self) -> bool:
        """Whether it has results, perhaps those of a former classifier, which are to be made again."""
        return bool(self.pages) and self.state != "failed"


@dataclass(frozen=True)
class ItemResult:
    """What an image of a series gives.

    Attributes:
        result: class ids, a TIFF: its bytes, or the file.
        picture: a JPEG with the classes painted over.
        objects: the tables of its objects, packed.
        pages: the outcome for each image of its file, plain JSON values.
    """

    result: bytes | BinaryIO
    picture: bytes
    objects: bytes
    pages: list[dict[str, Any]]


@dataclass(frozen=True)
class SeriesFacts:
    """A series: its id, when it was begun, whether it is being worked on, and the hash of its classifier's file."""

    id: str
    created: float
    running: bool
    classifier: str


@dataclass(frozen=True)
class WholeFacts:
    """A whole image that is segmented in the background, or was.

    Attributes:
        image: its hash.
        state: ``"waiting"``, ``"working"``, ``"done"`` or ``"failed"``.
        running: whether it is worked on, and not cancelled.
        part: of it that is done, from 0 to 1.
        reason: why it failed, or does not go on just now; empty otherwise.
    """

    image: str
    state: str
    running: bool
    part: float
    reason: str


@dataclass(frozen=True)
class ClaimedItem:
    """An item that a worker has claimed.

    Attributes:
        session_id: whose it is.
        series_id: of which series.
        number: which item.
        key: of the image's file.
        classifier_key: of the file of the classifier.
        corrections_key: of the file of what was painted into results; None if there is none.
        owner: a random name of this claim.
        image: hash of the image of the session of which it is the whole; empty of an image that was sent to a series.
        name: of its file, perhaps with folders.
    """

    session_id: str
    series_id: str
    number: int
    key: str
    classifier_key: str
    corrections_key: str | None
    owner: str
    image: str = ""
    name: str = ""
