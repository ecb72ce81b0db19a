"""How many requests of one kind may be at work, or wait, at the same time; the others are asked to come again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

FORMER_OF_A_HOLDER = 2
"""Requests that are at work still though their holder's newer one has taken their place over."""

GONE = "gone"
"""Those are counted by this that are at work still though nobody waits for their answer."""


@dataclass(eq=False)
class _Place:
    """Of somebody who is in: what they are counted by, and who knows whether they wait still."""

    groups: Mapping[str, int]
    has_gone: Callable[[], bool]
    former_of: str


class Crowd:
    """Counts those who are in.

    Those whose place was taken over, or given to others since they have gone, and who have not noticed yet, are counted
    apart: half as many as may be in.

    Args:
        most: how many may be in at the same time.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._inside: set[_Place] = set()
        self._by_key: Counter[str] = Counter()
        self._holders: dict[str, _Place] = {}
        self._former: Counter[str] = Counter()

    def enter(
        self, most_by_key: Mapping[str, int], holder: str = "", has_gone: Callable[[], bool] = lambda: False
    ) -> Callable[[], None] | None:
        """Come in.

        Args:
            most_by_key: of each group that somebody belongs to, such as an address, how many may be in.
            holder: who has one place only, and takes it over from what they asked for before; empty is nobody.
            has_gone: says whether they wait no longer: then others may have the place.

        Returns:
            What is to be called to leave again, once or more often; None if there are too many already.
        """
        place, has_left = _Place(most_by_key, has_gone, holder or GONE), False
        with self._lock:
            former = self._holders.get(holder)
            if former is not None and not self._may_be_former(holder):
                return None
            if self._is_full(most_by_key, former):
                self._leave_those_who_have_gone()
                if self._is_full(most_by_key, former):
                    return None
            if former is not None:
                self._leave(former)
                self._former[holder] += 1
            self._inside.add(place)
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
                    self._former -= Counter([place.former_of])
                    return
                self._leave(place)
                if holder:
                    del self._holders[holder]

        return leave

    def _is_full(self, most_by_key: Mapping[str, int], former: _Place | None) -> bool:
        """Whether there is no place for one more beside others than its former one."""
        own = Counter(former.groups if former is not None else ())
        others = len(self._inside) - (former is not None)
        return others >= self._most or any(self._by_key[key] - own[key] >= most for key, most in most_by_key.items())

    def _leave_those_who_have_gone(self) -> None:
        """Give their places away, as far as those may be counted apart."""
        for place in [one for one in self._inside if one.former_of == GONE and one.has_gone()]:
            if self._former.total() >= max(self._most // 2, 1):
                break
            self._leave(place)
            self._former[GONE] += 1

    def _may_be_former(self, holder: str) -> bool:
        return self._former[holder] < FORMER_OF_A_HOLDER and self._former.total() < max(self._most // 2, 1)

    def _leave(self, place: _Place) -> None:
        self._inside.discard(place)
        for key in place.groups:
            self._by_key[key] -= 1
            if not self._by_key[key]:
                del self._by_key[key]
