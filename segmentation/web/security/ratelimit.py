"""How often something may be asked: token buckets that refill, one for each address or session."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from segmentation._shared.bounded_cache import BoundedCache

MAX_BUCKETS = 10_000
"""Of one limit; those that were used least recently are dropped, which fills them."""


class RateLimit:
    """So many requests at once, then so many a second, for each key, such as an address or a session.

    Args:
        burst: requests that may come at once after a rest.
        per_second: requests a second that may go on for ever.
        clock: seconds that pass.
    """

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets = BoundedCache[str, tuple[float, float]](MAX_BUCKETS)
        self._lock = threading.Lock()

    def acquire(self, key: str) -> float:
        """Use one of the requests that a key has left.

        Returns:
            0.0 if there was one left; else the seconds until there is, and none is used.
        """
        now = self._clock()
        with self._lock:
            left, then = self._buckets.get(key) or (self._burst, now)
            left = min(self._burst, left + (now - then) * self._per_second)
            wait = 0.0 if left >= 1 else (1 - left) / self._per_second
            self._buckets.put(key, (left if wait else left - 1, now))
        return wait
