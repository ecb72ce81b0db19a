"""Computing in turns: whoever asks for much waits no less than who asks for little."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeAlias

Waiting: TypeAlias = "OrderedDict[str, deque[threading.Event]]"


AHEAD_IN_A_ROW = 4
"""Pieces of those who go ahead before one of the others has its turn."""


class Turns:
    """Lets a few work at once, and those who wait one after the other, each a piece at a time.

    A piece may go ahead of others: the first that somebody sees of a new answer. Others are not forgotten over that.

    Args:
        at_once: how many may work at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lock = threading.Lock()
        self._ahead: Waiting = OrderedDict()
        self._others: Waiting = OrderedDict()
        self._in_a_row = 0

    @contextmanager
    def of(self, who: str, *, ahead: bool = False) -> Iterator[None]:
        """Work on one piece when it is somebody's turn."""
        turn = threading.Event()
        with self._lock:
            (self._ahead if ahead else self._others).setdefault(who, deque()).append(turn)
            self._let_go_on()
        turn.wait()
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._let_go_on()

    def _let_go_on(self) -> None:
        while self._free and (self._ahead or self._others):
            ahead = bool(self._ahead) and (self._in_a_row < AHEAD_IN_A_ROW or not self._others)
            self._in_a_row = self._in_a_row + 1 if ahead else 0
            waiting = self._ahead if ahead else self._others
            who, turns = waiting.popitem(last=False)
            turns.popleft().set()
            self._free -= 1
            if turns:
                waiting[who] = turns
