"""Computing in turns: whoever asks for much waits no less than who asks for little."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Lets a few work at once, and those who wait one after the other, each a piece at a time.

    Args:
        at_once: how many may work at the same time.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, deque[threading.Event]] = OrderedDict()

    @contextmanager
    def of(self, who: str) -> Iterator[None]:
        """Work on one piece when it is somebody's turn."""
        with self._lock:
            turn = threading.Event()
            self._waiting.setdefault(who, deque()).append(turn)
            self._let_go_on()
        turn.wait()
        try:
            yield
        finally:
            with self._lock:
                self._free += 1
                self._let_go_on()

    def _let_go_on(self) -> None:
        while self._free and self._waiting:
            who, turns = self._waiting.popitem(last=False)
            turns.popleft().set()
            self._free -= 1
            if turns:
                self._waiting[who] = turns
