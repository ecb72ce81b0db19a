"""How many requests of one kind may be at work, or wait, at the same time; the others are asked to come again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping


class Crowd:
    """Counts those who are in.

    Args:
        most: how many may be in at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._inside = 0
        self._by_key: Counter[str] = Counter()

    def enter(self, most_by_key: Mapping[str, int]) -> Callable[[], None] | None:
        """Come in.

        Args:
            most_by_key: of each group that somebody belongs to, such as an address, how many may be in.

        Returns:
            What is to be called to leave again; None if there are too many already.
        """
        with self._lock:
            if self._inside >= self._most or any(self._by_key[key] >= most for key, most in most_by_key.items()):
                return None
            self._inside += 1
            self._by_key.update(most_by_key.keys())
        return lambda: self._leave(most_by_key)

    def _leave(self, most_by_key: Mapping[str, int]) -> None:
        with self._lock:
            self._inside -= 1
            for key in most_by_key:
                self._by_key[key] -= 1
                if not self._by_key[key]:
                    del self._by_key[key]
