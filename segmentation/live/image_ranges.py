"""Ranges of the features of images, which are kept from stroke to stroke."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.features.cache import FeatureCache
from segmentation.features.ranges import feature_ranges
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.model.fit import LabelledImage

RANGES_CACHE_BYTES = 2**20
"""Those of 800 images of RGB at the default features."""


class CachedRanges:
    """The ranges of the features of images: what is not kept is computed, from smoothed tiles where there are.

    Args:
        cache: the features of tiles.
        threads: number of threads; None takes all cores. No result depends on it.
    """

    def __init__(self, cache: FeatureCache, threads: int | None) -> None:
        self._cache, self._threads = cache, threads
        self._kept: BoundedCache[tuple[str, FeatureSpec], NDArray[np.float32]] = BoundedCache(
            RANGES_CACHE_BYTES, lambda ranges: ranges.nbytes
        )

    def __call__(self, labelled: LabelledImage, spec: FeatureSpec) -> NDArray[np.float32]:
        """``(2, features)`` float32, see :func:`feature_ranges`."""
        return self.known(labelled.hash, labelled.read, spec)

    def known(self, image_hash: str, read: Callable[[], Image], spec: FeatureSpec) -> NDArray[np.float32]:
        """Those of an image of this hash, which is read if they are not kept."""
        key = image_hash, spec
        ranges = self._kept.get(key)
        if ranges is None:
            image = read()
            ranges = feature_ranges(
                image, spec, smoothed=lambda tile: self._cache.peek(image, spec, tile), threads=self._threads
            )
            self._kept.put(key, ranges)
        return ranges
