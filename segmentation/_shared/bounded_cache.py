"""A cache with a limit on what its values take."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """Values that fit a budget together; what was used least recently is dropped first. Safe among threads.

    Args:
        budget: the most that the sizes of the kept values may add up to.
        size: the size of a value, in the budget's unit.
    """

    def __init__(self, budget: int, size: Callable[[Value], int]) -> None:
        self.budget = budget
        self.used = 0
        self.size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The kept value, or None."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keeps a value, instead of the key's former one; one that is larger than the budget is not kept."""
        size = self.size(value)
        with self._lock:
            if key in self._values:
                self.used -= self.size(self._values.pop(key))
            if size <= self.budget:
                self._drop_until(self.budget - size)
                self._values[key] = value
                self.used += size

    def make_room(self, size: int) -> None:
        """Drops values until one of this size would fit, if the budget allows it at all."""
        with self._lock:
            if size <= self.budget:
                self._drop_until(self.budget - size)

    def _drop_until(self, used: int) -> None:
        while self.used > used:
            self.used -= self.size(self._values.popitem(last=False)[1])
