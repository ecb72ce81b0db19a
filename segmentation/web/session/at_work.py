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


LARGE_BYTES = 2**25
"""What an image that is read part by part takes."""


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
        self._holders: Counter[tuple[str, int]] = Counter()
        self._used = Counter[bool]()
        """Bytes of the small images, and of the large ones."""
        self._refused = Counter[bool]()
        """How often there was no room for a small image, and for a large one."""

    def watch(self, facts: Mapping[str, Any], planes: int = 1) -> Callable[[], bool]:
        """A question that says True once somebody lacked room to which an image gives some when it is given up.

        Small images lack it to small ones and large ones, large images to large ones only.

        Args:
            facts: of the image, as an ``image.open`` event has them.
            planes: with how many planes of its stack it is in memory, itself among them.
        """
        helped = (False, True) if self._is_large(_size(facts, planes)) else (False,)

        def refused() -> int:
            return sum(self._refused[large] for large in helped)

        before = refused()
        return lambda: refused() > before

    @contextmanager
    def holding(self, facts: Mapping[str, Any], planes: int = 1) -> Iterator[None]:
        """Hold an image in the ``with`` block.

        Args:
            facts, planes: as of :meth:`watch`.

        Raises:
            CrowdedError: if there is no room for it now.
        """
        key, size = (facts["hash"], planes), _size(facts, planes)
        large = self._is_large(size)
        with self._lock:
            if key not in self._holders:
                if self._is_crowded(size, large):
                    self._refused[large] += 1
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

    @property
    def _part(self) -> int:
        return self._budget // LARGE_SHARE

    def _is_large(self, size: int) -> bool:
        return size > self._part

    def _is_crowded(self, size: int, large: bool) -> bool:
        part, together = self._part, self._used[large] + size
        if large:
            return self._used[True] > 0 and together > self._budget - part
        return together > part and self._used.total() + size > self._budget


def _size(facts: Mapping[str, Any], planes: int) -> int:
    """Bytes of its pixels, and of those of the planes around it, that are in memory."""
    if "levels" in facts:
        return LARGE_BYTES
    return int(facts["rows"] * facts["columns"] * facts["channels"] * np.dtype(facts["dtype"]).itemsize) * planes
