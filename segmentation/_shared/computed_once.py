"""What several threads ask for at the same time, and one of them computes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ComputedOnce(Generic[Key, Value]):
    """Values that are computed once at a time: who asks for one that is being computed waits for it."""

    def __init__(self) -> None:
        self._at_work: dict[Key, Future[Value]] = {}
        self._lock = threading.Lock()

    def value(self, key: Key, known: Callable[[], Value | None], compute: Callable[[], Value]) -> Value:
        """A value, which all who wait for it share; where it cannot be computed all have the same error.

        Args:
            key: of the value.
            known: gives it if it is cached.
            compute: computes and caches it.
        """
        mine: Future[Value] = Future()
        with self._lock:
            found = known()
            if found is not None:
                return found
            at_work = self._at_work.setdefault(key, mine)
        if at_work is not mine:
            return at_work.result()
        try:
            mine.set_result(compute())
        except BaseException as error:
            mine.set_exception(error)
        finally:
            with self._lock:
                del self._at_work[key]
        return mine.result()
