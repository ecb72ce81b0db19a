"""The fold of a journal: what the events of a session add up to, kept up as further ones are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from segmentation.strokes.stroke import Stroke
from segmentation.web.session.folding import Folding
from segmentation.web.session.state import SessionState

UNDOABLE = frozenset(
    {"image.remove", "image.measure", "sample.leave", "stroke.add", "strokes.add", "stroke.change", "stroke.erase"}
    | {"class.add", "class.change", "class.remove", "class.weigh", "class.import", "class.merge", "class.order"}
    | {"clean_up.change", "classifier.open", "classifier.keep", "classifier.close"}
    | {"stack.make", "correction.add", "correction.erase", "correction.learn"}
)

KEEP_EVERY = 32
"""Events between one kept state and the next, at least."""

KEPT_BYTES = 6 * 2**20
"""Bytes of the states that are kept of one journal; of 10,000 strokes these are some ten states."""

NUMBER_BYTES = 100
"""What the number of an event takes, about."""


@dataclass(frozen=True)
class _UnreadStroke:
    """What has to be known of a stroke to count it."""

    id: str
    class_id: int

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Any:
        return cls(values["id"], values["class_id"])


@dataclass(frozen=True)
class _Kept:
    """What the first ``number`` events add up to, not to be changed."""

    number: int
    folding: Folding


class JournalFold:
    """Folds events as they come; those that are undone are passed over.

    An event costs what it changes. One that undoes or redoes another costs the events since that one, for which some
    earlier states are kept, the more the nearer to the end.

    Args:
        parsed: strokes by the event that brought them; filled in, so that each is read only once.
        read: reads a stroke.

    Attributes:
        events: all that were added, in the journal's order.
    """

    def __init__(
        self,
        parsed: dict[str, Stroke] | None = None,
        read: Callable[[Mapping[str, Any]], Stroke] = Stroke.from_json,
    ) -> None:
        self.events: list[Mapping[str, Any]] = []
        self._empty = Folding({} if parsed is None else parsed, read)
        self._now = self._empty.copy()
        self._folded = 0
        self._undone: set[str] = set()
        self._numbers: dict[str, int] = {}
        self._kept: list[_Kept] = []

    @property
    def nbytes(self) -> int:
        """About the bytes that all this takes, events and strokes left out."""
        kept = sum(one.folding.nbytes for one in self._kept)
        return kept + self._now.nbytes + NUMBER_BYTES * len(self._numbers)

    def add(self, events: Iterable[Mapping[str, Any]]) -> None:
        """Fold further events in.

        Args:
            events: checked (see :mod:`segmentation.web.session.events`), the next ones of the journal, which begins
                with ``session.start``.
        """
        changed = self._folded
        for event in events:
            self._numbers.setdefault(event["id"], len(self.events))
            self.events.append(event)
            if event["type"] in ("undo", "redo"):
                (self._undone.add if event["type"] == "undo" else self._undone.discard)(event["event"])
                changed = min(changed, self._numbers.get(event["event"], changed))
        if changed < self._folded:
            self._go_back_to(changed)
        self._go_on()

    def state(self) -> SessionState:
        """The state that the events lead to."""
        return self._now.state()

    def _go_back_to(self, number: int) -> None:
        """Forget what events after the first ``number`` have changed, and perhaps some more."""
        while self._kept and self._kept[-1].number > number:
            self._kept.pop()
        last = self._kept[-1] if self._kept else _Kept(0, self._empty)
        self._now, self._folded = last.folding.copy(), last.number

    def _go_on(self) -> None:
        """Fold the events that are not folded yet."""
        for event in self.events[self._folded :]:
            if event["id"] not in self._undone or event["type"] not in UNDOABLE:
                self._now.apply(event)
            self._folded += 1
            if self._folded - (self._kept[-1].number if self._kept else 0) >= KEEP_EVERY:
                self._keep()

    def _keep(self) -> None:
        self._kept.append(_Kept(self._folded, self._now.copy()))
        while len(self._kept) > 2 and sum(one.folding.nbytes for one in self._kept) > KEPT_BYTES:
            gaps = zip(self._kept, self._kept[1:], self._kept[2:], strict=False)
            spread = [(after.number - before.number) / (self._folded - one.number) for before, one, after in gaps]
            del self._kept[1 + spread.index(min(spread))]


def count(events: Iterable[Mapping[str, Any]]) -> tuple[tuple[str, ...], int]:
    """The hashes of the images that are in a session, of a stack that of the first, and the number of strokes on all,
    without reading these.
    """
    state = _whole(list(events), Folding({}, _UnreadStroke.from_json))
    images = tuple(one for one, image in state.images.items() if image.get("page", 1) == 1)
    return images, sum(map(len, state.drawn.values()))


def fold(events: Iterable[Mapping[str, Any]], parsed: dict[str, Stroke] | None = None) -> SessionState:
    """The state that events lead to; those that are undone are passed over.

    Args:
        events: checked (see :mod:`segmentation.web.session.events`), in the journal's order, ``session.start`` first.
        parsed: strokes by the event that brought them; filled in, so that each is read only once.
    """
    return _whole(list(events), Folding({} if parsed is None else parsed))


def _whole(events: Sequence[Mapping[str, Any]], folding: Folding) -> SessionState:
    undone: set[str] = set()
    for event in events:
        if event["type"] == "undo":
            undone.add(event["event"])
        elif event["type"] == "redo":
            undone.discard(event["event"])
    for event in events:
        if event["id"] not in undone or event["type"] not in UNDOABLE:
            folding.apply(event)
    return folding.state()
