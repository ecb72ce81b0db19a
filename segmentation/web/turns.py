"""Computing in turns: whoever asks for much waits no less than who asks for little."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

AHEAD_IN_A_ROW = 4
"""Pieces of those who go ahead before one of the others has its turn."""


@dataclass
class Place:
    """Somebody's place among those who wait.

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


class Turns:
    """Lets a few work at once, and those who wait one after the other, each a few pieces at a time.

    A piece may go ahead of others: the first that somebody sees of a new answer. Others are not forgotten over that.

    Args:
        at_once: how many pieces may be worked on at the same time.
        pieces: of how many pieces a turn is. With one, all who ask at the same time have their answer late, and ask
            anew at the same time; with as many as an answer has, one after the other has it, and the last no later.
    """

    def __init__(self, at_once: int, pieces: int = 1) -> None:
        self._free = at_once
        self._pieces = pieces
        self._lock = threading.Lock()
        self._numbers = count()
        self._ahead: OrderedDict[str, deque[threading.Event]] = OrderedDict()
        self._others: dict[str, Place] = {}
        self._in_a_row = 0

    @contextmanager
    def place(self, who: str) -> Iterator[None]:
        """Keep somebody's place between the pieces of an answer."""
        with self._lock:
            self._keep(who)
        try:
            yield
        finally:
            with self._lock:
                self._leave(who)

    @contextmanager
    def of(self, who: str, *, ahead: bool = False) -> Iterator[None]:
        """Work on one piece when it is somebody's turn."""
        turn = threading.Event()
        with self._lock:
            if ahead:
                self._ahead.setdefault(who, deque()).append(turn)
            else:
                self._keep(who).waiting.append(turn)
            self._let_go_on()
        turn.wait()
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                if not ahead:
                    self._leave(who)
                self._let_go_on()

    def _keep(self, who: str) -> Place:
        if who not in self._others:
            self._others[who] = Place(next(self._numbers))
        self._others[who].kept += 1
        return self._others[who]

    def _leave(self, who: str) -> None:
        self._others[who].kept -= 1
        if not self._others[who].kept:
            del self._others[who]

    def _let_go_on(self) -> None:
        while self._free:
            others = [place for place in self._others.values() if place.waiting]
            if self._ahead and (self._in_a_row < AHEAD_IN_A_ROW or not others):
                self._in_a_row += 1
                self._begin_ahead()
            elif others:
                self._in_a_row = 0
                self._begin_piece(min(others, key=lambda place: place.number))
            else:
                return
            self._free -= 1

    def _begin_ahead(self) -> None:
        who, waiting = self._ahead.popitem(last=False)
        waiting.popleft().set()
        if waiting:
            self._ahead[who] = waiting

    def _begin_piece(self, place: Place) -> None:
        place.waiting.popleft().set()
        place.pieces += 1
        if place.pieces == self._pieces:
            place.number, place.pieces = next(self._numbers), 0
