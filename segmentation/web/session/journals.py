"""The journals of sessions: read from the store, folded into states that are kept, and written to."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.web.session.classifiers import ClassifierFile, ClassifierFiles
from segmentation.web.session.events import check_event
from segmentation.web.session.images import Images
from segmentation.web.session.journal_fold import JournalFold
from segmentation.web.session.large_images import NO_CORRECTIONS, NO_STACK_OF_LARGE, is_large_key
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.state import SessionState
from segmentation.web.store import NumberedEvent, Store, UnknownImageError
from segmentation.web.store.classifiers import UnknownClassifierError

JOURNAL_CACHE_BYTES = 96 * 2**20
"""Bytes of journals that are kept read; 10,000 strokes take about 20 MB."""

MAX_LOCKS = 10_000
SESSION_BYTES, VALUE_BYTES, READ_AGAIN = 2**14, 64, 2
"""What a session takes at least, and a value beside its characters; what is read of a stroke takes as much again."""

UPDATE_CHECK_SECONDS = 1.0


class CachedSession:
    """A session's journal as far as this process has read it, and what it adds up to; used under its lock."""

    def __init__(self) -> None:
        self.state: SessionState | None = None
        self._fold = JournalFold()
        self._event_bytes = SESSION_BYTES

    @property
    def number(self) -> int:
        """Of the last event that was read."""
        return len(self._fold.events)

    @property
    def bytes(self) -> int:
        """About the bytes that it takes."""
        return self._event_bytes + self._fold.nbytes

    def add(self, new: Sequence[NumberedEvent]) -> SessionState:
        """Fold further events in; returns the state that they lead to."""
        if new or self.state is None:
            self._event_bytes += READ_AGAIN * sum(_bytes_of(event.body) for event in new)
            self._fold.add(event.body for event in new)
            self.state = self._fold.state()
        return self.state


def _bytes_of(value: Any) -> int:
    """About the bytes that a value from JSON takes in memory."""
    if isinstance(value, str):
        return VALUE_BYTES + len(value)
    if isinstance(value, Mapping):
        return VALUE_BYTES + sum(VALUE_BYTES + _bytes_of(one) for one in value.values())
    return VALUE_BYTES + sum(map(_bytes_of, value)) if isinstance(value, list) else VALUE_BYTES


class Journals:
    """The journals of all sessions.

    Args:
        store: where they are kept.
        images: say what an image is that an event opens.
        classifiers: say what a classifier file is that an event opens.
    """

    def __init__(self, store: Store, images: Images, classifiers: ClassifierFiles) -> None:
        self._store = store
        self._images = images
        self._classifiers = classifiers
        self._sessions: BoundedCache[str, CachedSession] = BoundedCache(
            JOURNAL_CACHE_BYTES, lambda session: session.bytes
        )
        self._locks: BoundedCache[str, threading.Lock] = BoundedCache(MAX_LOCKS)

    def state(self, session_id: str) -> SessionState:
        """What the session's journal adds up to now.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        with self.locked(session_id) as state:
            return state

    @contextmanager
    def locked(self, session_id: str) -> Iterator[SessionState]:
        """The same; no other thread reads this session's state until the ``with`` block ends.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        with self._locks.setdefault(session_id, threading.Lock()):
            session = self._sessions.get(session_id) or CachedSession()
            new = self._store.events(session_id, after=session.number)
            if new:
                self._sessions.pop(session_id)
            state = session.add(new)
            if new:
                self._sessions.put(session_id, session)
            yield state

    def events(self, session_id: str) -> list[Mapping[str, Any]]:
        """All that was done in the session, in order.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        return [event.body for event in self._store.events(session_id)]

    def watch(self, session_id: str, number: int) -> Callable[[], bool]:
        """A question that says True once the journal has more than ``number`` events; looked up once a second."""
        grown, looked = False, time.monotonic()

        def has_grown() -> bool:
            nonlocal grown, looked
            if not grown and time.monotonic() - looked >= UPDATE_CHECK_SECONDS:
                grown = bool(self._store.events(session_id, number))
                looked = time.monotonic()
            return grown

        return has_grown

    def record(
        self, session_id: str, bodies: Sequence[Any], author: Mapping[str, str] | None = None, *, after: int | None
    ) -> tuple[list[NumberedEvent], list[dict[str, Any]]]:
        """Write a browser's events to the journal, each with the time, and read what is new.

        Args:
            session_id: the session.
            bodies: the events.
            author: who did all that; None leaves it to what the events say.
            after: number of the last event that the browser knows; None reads nothing.

        Returns:
            The events with numbers above ``after``, in order, and those of the browser that make no sense, each with
            the reason why, for the person.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        checked, refused = [], []
        for body in bodies:
            try:
                event = self._checked(session_id, body) | {"time": int(time.time())}
                checked.append(event if author is None else event | {"author": dict(author)})
            except ValueError as reason:
                refused.append({"id": body.get("id") if isinstance(body, Mapping) else None, "reason": str(reason)})
        if checked:
            events = self._store.append(session_id, checked, after)
        else:
            events = [] if after is None else self._store.events(session_id, after)
        for event in checked:
            if event["type"] == "session.rename":
                self._store.rename_session(session_id, event["name"])
        return events, refused

    def forget(self, session_id: str) -> None:
        """Drop what is cached of a session that is deleted."""
        self._sessions.pop(session_id)

    def _checked(self, session_id: str, body: Any) -> dict[str, Any]:
        """An event that opens a file says what the file says, whatever the browser made of it."""
        event = check_event(self._with_facts_of_classifier(session_id, body))
        if event["type"] == "correction.add" and is_large_key(event["image"]):
            raise ValueError(NO_CORRECTIONS)
        if event["type"] == "stack.make" and any(map(is_large_key, event["images"])):
            raise ValueError(NO_STACK_OF_LARGE)
        if event["type"] == "image.open":
            try:
                event["image"] = self._images.facts(session_id, event["image"]["hash"], event["image"]["name"])
            except UnknownImageError:
                raise ValueError("This session has no such image.") from None
        return event

    def _with_facts_of_classifier(self, session_id: str, body: Any) -> Any:
        facts = body.get("classifier") if isinstance(body, Mapping) and body.get("type") == "classifier.open" else None
        content_hash = facts.get("hash") if isinstance(facts, Mapping) else None
        if not isinstance(content_hash, str):
            return body
        try:
            return {**body, **self.opening(session_id, self._classifiers.get(session_id, content_hash))}
        except UnknownClassifierError:
            raise ValueError("This session has no such classifier.") from None

    def opening(self, session_id: str, file: ClassifierFile) -> dict[str, Any]:
        """The fields of the event that opens a classifier in a session, its strokes on planes and older names too.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        images, places = self.state(session_id).images, dict[str, str]()
        planes: defaultdict[int | None, list[str]] = defaultdict(list)
        for one, facts in images.items():
            planes[page_in_file(facts)].append(one)
        learnt = {one["hash"]: one for one in file.contents.training.get("images", ())}
        for image_hash in file.contents.strokes_by_image():
            if image_hash in images:
                continue
            about = learnt.get(image_hash, {})
            if page := about.get("page"):
                same = (one for one in planes[page] if self._images.pixel_hash(session_id, one) == image_hash)
                found = next(same, "")
            else:
                sides = [about.get(side) for side in ("rows", "columns")]
                alike = [one for one in planes[None] if [images[one]["rows"], images[one]["columns"]] == sides]
                found = self._images.large.known_before(session_id, alike, image_hash)
            if found:
                places[image_hash] = found
        return file.event(places)
