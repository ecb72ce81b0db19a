"""Holding a claim: it is renewed in a thread of its own while another one works on what is claimed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from segmentation.web.store.errors import StoreAwayError, StoreFullError

CLAIM_SECONDS = 15.0
"""A claim ends after so many seconds without a heartbeat."""

_HEARTBEATS = 15
"""In that time, so that a store that is away for some seconds costs nobody a claim."""

log = logging.getLogger(__name__)


class ClaimHolder:
    """Holds the claims of one worker, one after the other.

    Args:
        name: of what is worked on, for threads and log.

    Attributes:
        lost: set once the claim that is held has ended, so that the work is to be left to others.
        turn_ended: set once others are to come first.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.lost, self.turn_ended = threading.Event(), threading.Event()

    @contextmanager
    def holding(
        self, heartbeat: Callable[[], bool], turn_seconds: float, others_wait: Callable[[], bool]
    ) -> Iterator[None]:
        """Hold a claim as long as the context lasts.

        Args:
            heartbeat: renews it; False if it has ended, or nobody wants the work any more.
            turn_seconds: after which others come first that wait.
            others_wait: whether there are some.
        """
        self.lost.clear()
        self.turn_ended.clear()
        over = threading.Event()

        def hold() -> None:
            try:
                self._hold(over, heartbeat, turn_seconds, others_wait)
            except Exception:
                log.exception("a claim on %s cannot be held", self._name)
                self.lost.set()

        thread = threading.Thread(target=hold, name=f"{self._name}-hold", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _hold(
        self,
        over: threading.Event,
        heartbeat: Callable[[], bool],
        turn_seconds: float,
        others_wait: Callable[[], bool],
    ) -> None:
        begun = since = time.monotonic()
        while not over.wait(CLAIM_SECONDS / _HEARTBEATS):
            try:
                if not heartbeat():
                    self.lost.set()
                    return
                since = time.monotonic()
                if since - begun > turn_seconds and others_wait():
                    self.turn_ended.set()
            except (StoreAwayError, StoreFullError):
                if time.monotonic() - since > CLAIM_SECONDS:
                    self.lost.set()
                    return
