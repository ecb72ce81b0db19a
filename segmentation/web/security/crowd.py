"""How many requests of one kind may be at work, or wait, at the same time; the others are asked to come again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping


class Crowd:
    """Counts those who are in.

    Args:
        most: how many may be in at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._inside: dict[object, Iterable[str]] = {}
        self._by_key: Counter[str] = Counter()
        self._holders: dict[str, object] = {}

    def enter(self, most_by_key: Mapping[str, int], holder: str = "") -> Callable[[], None] | None:
        """Come in.

        Args:
            most_by_key: of each group that somebody belongs to, such as an address, how many may be in.
            holder: who has one place only, and takes it over from what they asked for before; empty is nobody.

        Returns:
            What is to be called to leave again, once or more often; None if there are too many already.
        """
        place = object()
        with self._lock:
            self._leave(self._holders.get(holder))
            if len(self._inside) >= self._most or any(self._by_key[key] >= most for key, most in most_by_key.items()):
                return None
            self._inside[place] = most_by_key.keys()
            self._by_key.update(most_by_key.keys())
            if holder:
                self._holders[holder] = place

        def leave() -> None:
            with self._lock:
                self._leave(place)
                if self._holders.get(holder) is place:
                    del self._holders[holder]

        return leave

    def _leave(self, place: object) -> None:
        for key in self._inside.pop(place, ()):
            self._by_key[key] -= 1
            if not self._by_key[key]:
                del self._by_key[key]
