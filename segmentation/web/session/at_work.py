"""How many bytes of images answers hold at the same time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

LARGE_SHARE = 4
"""Images that take more than this part of the budget are large, and leave one of these parts to the others."""


class CrowdedError(Exception):
    """Too many large images are at work already."""


class ImagesAtWork:
    """Bounds the bytes of the images that answers hold; one that several hold counts once.

    Large images wait for large ones only, and small ones for small ones only: neither keeps the other away for good.

    Args:
        budget: bytes of pixels; a single image may have more where no other large one is at work.
    """

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._holders: Counter[str] = Counter()
        self._used = Counter[bool]()
        """Bytes of the small images, and of the large ones."""
        self._refused = 0

    def watch(self) -> Callable[[], bool]:
        """A question that says True once there was no room for somebody: who can do without gives theirs up."""
        refused = self._refused
        return lambda: self._refused > refused

    @contextmanager
    def holding(self, facts: Mapping[str, Any]) -> Iterator[None]:
        """Hold an image in the ``with`` block.

        Args:
            facts: of the image, as an ``image.open`` event has them.

        Raises:
            CrowdedError: if there is no room for it now.
        """
        key, size = facts["hash"], _size(facts)
        part = self._budget // LARGE_SHARE
        large = size > part
        with self._lock:
            if key not in self._holders:
                if self._is_crowded(size, part, large):
                    self._refused += 1
                    raise CrowdedError
                self._used[large] += size
            self._holders[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders[key] -= 1
                if not self._holders[key]:
                    del self._holders[key]
                    self._used[large] -= size

    def _is_crowded(self, size: int, part: int, large: bool) -> bool:
        together = self._used[large] + size
        if large:
            return self._used[True] > 0 and together > self._budget - part
        return together > part and self._used.total() + size > self._budget


def _size(facts: Mapping[str, Any]) -> int:
    """Bytes of its pixels."""
    return int(facts["rows"] * facts["columns"] * facts["channels"] * np.dtype(facts["dtype"]).itemsize)
