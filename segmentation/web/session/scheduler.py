"""Computing in turns: whoever asks for much waits no less than who asks for little."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from itertools import count

AHEAD_IN_A_ROW = 4
"""Pieces of those who go ahead before one of the others has its turn."""


@dataclass
class Place:
    """Somebody's place in a line.

    Attributes:
        number: whoever has a smaller one comes first.
        pieces: how many were begun in this turn.
        kept: by how many the place is kept; nobody else knows of it once there is none.
        waiting: pieces that are not begun, to be set when they may.
    """

    number: int
    pieces: int = 0
    kept: int = 0
    waiting: deque[threading.Event] = field(default_factory=deque)


class Line:
    """Those who wait, one after the other, each a few pieces at a time.

    Args:
        pieces: of how many pieces a turn is.

    Attributes:
        places: by who has them.
    """

    def __init__(self, pieces: int) -> None:
        self.places: dict[str, Place] = {}
        self._pieces = pieces
        self._numbers = count()

    def keep(self, who: str) -> None:
        """Keep somebody's place once more, at the end if there is none."""
        if who not in self.places:
            self.places[who] = Place(next(self._numbers))
        self.places[who].kept += 1

    def leave(self, who: str) -> None:
        """Keep somebody's place once less."""
        self.places[who].kept -= 1
        if not self.places[who].kept:
            del self.places[who]

    def first(self) -> Place | None:
        """The first place with a piece that waits."""
        waiting = (place for place in self.places.values() if place.waiting)
        return min(waiting, key=lambda place: place.number, default=None)

    def begin(self, place: Place) -> None:
        """Let a piece begin, which may end the turn."""
        place.waiting.popleft().set()
        place.pieces += 1
        if place.pieces == self._pieces:
            place.number, place.pieces = next(self._numbers), 0


class Turns:
    """Lets a few work at once, and those who wait one after the other, each a few pieces at a time.

    A piece may go ahead of others: the first that somebody sees of a new answer. Such pieces come in the order in which
    they were asked for, and others are not forgotten over them.

    Args:
        at_once: how many pieces may be worked on at the same time.
        pieces: of how many pieces a turn is. With one, all who ask at the same time have their answer late, and ask
            anew at the same time; with as many as an answer has, one after the other has it, and the last no later.
    """

    def __init__(self, at_once: int, pieces: int = 1) -> None:
        self._free = at_once
        self._lock = threading.Lock()
        self._ahead: deque[threading.Event] = deque()
        self._others = Line(pieces)
        self._in_a_row = 0

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """Keep somebody's place between the pieces of an answer."""
        with self._lock:
            self._others.keep(who)
        try:
            yield
        finally:
            with self._lock:
                self._others.leave(who)

    @contextmanager
    def of(self, who: str, *, ahead: bool = False) -> Iterator[None]:
        """Work on one piece when it is somebody's turn."""
        turn = threading.Event()
        with nullcontext() if ahead else self.place(who):
            with self._lock:
                (self._ahead if ahead else self._others.places[who].waiting).append(turn)
                self._let_go_on()
            turn.wait()
            try:
                yield
            finally:
                with self._lock:
                    self._free += 1
                    self._let_go_on()

    def _let_go_on(self) -> None:
        while self._free:
            other = self._others.first()
            if self._ahead and (self._in_a_row < AHEAD_IN_A_ROW or not other):
                self._in_a_row += 1
                self._ahead.popleft().set()
            elif other:
                self._in_a_row = 0
                self._others.begin(other)
            else:
                return
            self._free -= 1
