"""How many requests of one kind may be at work, or wait, at the same time; the others are asked to come again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

FORMER_OF_A_HOLDER = 2
"""Requests that are at work still though their holder's newer one has taken their place over."""


class Crowd:
    """Counts those who are in.

    Those whose place was taken over, and who have not noticed yet, are counted apart: half as many as may be in.

    Args:
        most: how many may be in at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._inside: dict[object, Iterable[str]] = {}
        self._by_key: Counter[str] = Counter()
        self._holders: dict[str, object] = {}
        self._former: Counter[str] = Counter()

    def enter(self, most_by_key: Mapping[str, int], holder: str = "") -> Callable[[], None] | None:
        """Come in.

        Args:
            most_by_key: of each group that somebody belongs to, such as an address, how many may be in.
            holder: who has one place only, and takes it over from what they asked for before; empty is nobody.

        Returns:
            What is to be called to leave again, once or more often; None if there are too many already.
        """
        place, has_left = object(), False
        with self._lock:
            former = self._holders.get(holder)
            if former is not None and not self._may_be_former(holder):
                return None
            own = Counter(self._inside[former] if former is not None else ())
            others = len(self._inside) - (former is not None)
            if others >= self._most or any(self._by_key[key] - own[key] >= most for key, most in most_by_key.items()):
                return None
            if former is not None:
                self._leave(former)
                self._former[holder] += 1
            self._inside[place] = most_by_key.keys()
            self._by_key.update(most_by_key.keys())
            if holder:
                self._holders[holder] = place

        def leave() -> None:
            nonlocal has_left
            with self._lock:
                if has_left:
                    return
                has_left = True
                if place not in self._inside:  # it was taken over
                    self._former -= Counter([holder])
                    return
                self._leave(place)
                if holder:
                    del self._holders[holder]

        return leave

    def _may_be_former(self, holder: str) -> bool:
        return self._former[holder] < FORMER_OF_A_HOLDER and self._former.total() < max(self._most // 2, 1)

    def _leave(self, place: object) -> None:
        for key in self._inside.pop(place, ()):
            self._by_key[key] -= 1
            if not self._by_key[key]:
                del self._by_key[key]
