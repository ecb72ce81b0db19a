"""How often somebody may ask: buckets of tokens that refill, one for each who asks."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_ASKERS = 10_000


class Allowance:
    """So many requests at once, then so many a second, for each who asks.

    Args:
        burst: requests that may come at once after a rest.
        per_second: requests a second that may go on for ever.
        clock: seconds that pass.
    """

    def __init__(self, burst: float, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, asker: str) -> float:
        """Take one request out of somebody's allowance.

        Returns:
            0.0 if there was one left; else the seconds until there is, and nothing is taken.
        """
        now = self._clock()
        with self._lock:
            left, then = self._left.get(asker, (self._burst, now))
            left = min(self._burst, left + (now - then) * self._per_second)
            wait = 0.0 if left >= 1 else (1 - left) / self._per_second
            self._left[asker] = (left if wait else left - 1, now)
            self._left.move_to_end(asker)
            while len(self._left) > MAX_ASKERS:
                self._left.popitem(last=False)
        return wait
