"""A cache that is bounded by the size of its values, or by their number.

The caches of cachetools leave the locking to their callers and raise an error for a value that is larger than the
whole cache; ours are used by many threads, and such a value is simply not kept.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import count
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

PATIENCE = 5_000
"""Requests to a cache after which a precious value that none of them was for is dropped before others: more than those
of thirty people for all tiles of their images, or of one person for those of the largest."""


class BoundedCache(Generic[Key, Value]):
    """Values that fit a budget together; what was used least recently is dropped first. Safe among threads.

    Args:
        budget: the most that the sizes of the kept values may add up to.
        size: the size of a value, in the budget's unit; by default each counts as 1.
        precious: whether others are dropped before a value, unless nobody has asked for it in a long time; these are
            not kept where that would cost a precious one.
    """

    def __init__(
        self,
        budget: int,
        size: Callable[[Value], int] = lambda value: 1,
        precious: Callable[[Value], bool] = lambda value: True,
    ) -> None:
        self.budget = budget
        self.used = 0
        self.size = size
        self._precious = precious
        self._values: dict[bool, OrderedDict[Key, tuple[int, Value]]] = {True: OrderedDict(), False: OrderedDict()}
        self._requests = count()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The kept value, or None."""
        with self._lock:
            return self._get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keeps a value, instead of the key's former one; one that is larger than the budget is not kept."""
        with self._lock:
            self._drop(key)
            self._keep(key, value)

    def setdefault(self, key: Key, value: Value) -> Value:
        """The kept value; where there is none, ``value`` is kept and returned."""
        with self._lock:
            kept = self._get(key)
            if kept is None:
                self._keep(key, value)
            return value if kept is None else kept

    def pop(self, key: Key) -> Value | None:
        """The value, which is not kept any longer, or None."""
        with self._lock:
            return self._drop(key)

    def clear(self) -> None:
        """Keeps none of the values any longer."""
        with self._lock:
            for values in self._values.values():
                values.clear()
            self.used = 0

    def make_room(self, size: int, *, precious: bool = True) -> bool:
        """Drops values until one of this size would fit, if the budget allows it at all; whether it would."""
        with self._lock:
            return self._make_room(size, precious)

    def _get(self, key: Key) -> Value | None:
        request = next(self._requests)
        for values in self._values.values():
            if key in values:
                value = values[key][1]
                values[key] = request, value
                values.move_to_end(key)
                return value
        return None

    def _keep(self, key: Key, value: Value) -> None:
        precious, size = self._precious(value), self.size(value)
        if self._make_room(size, precious):
            self._values[precious][key] = next(self._requests), value
            self.used += size

    def _drop(self, key: Key) -> Value | None:
        for values in self._values.values():
            if key in values:
                value = values.pop(key)[1]
                self.used -= self.size(value)
                return value
        return None

    def _make_room(self, size: int, precious: bool) -> bool:
        """Drop values until one of this size fits; whether it does."""
        if size > self.budget:
            return False
        while self.used + size > self.budget:
            values = self._next_to_go(precious)
            if not values:
                return False
            self.used -= self.size(values.popitem(last=False)[1][1])
        return True

    def _next_to_go(self, precious: bool) -> OrderedDict[Key, tuple[int, Value]]:
        """The values of which the first is to make room for another."""
        best, others = self._values[True], self._values[False]
        forgotten = best and next(self._requests) - next(iter(best.values()))[0] > PATIENCE
        return best if forgotten or (precious and not others) else others
