"""Ranges of the features of images, and of their channels, which are kept from stroke to stroke."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.features.cache import FeatureCache
from segmentation.features.constants import Ends
from segmentation.features.ranges import feature_ranges, pyramid_ranges
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.pyramid import Pyramid
from segmentation.model.fit import Labelled
from segmentation.model.labelled import LabelledPyramid

RANGES_CACHE_BYTES = 2**20
"""Those of 800 images of RGB at the default features."""

ENDS_CACHE_IMAGES = 1_000


class CachedEnds:
    """What is dark and what bright in channels of images, see :func:`~segmentation.features.constants.channel_ends`."""

    def __init__(self) -> None:
        self._kept: BoundedCache[tuple[str, tuple[int, ...]], Ends] = BoundedCache(ENDS_CACHE_IMAGES)

    def __call__(self, labelled: Labelled, channels: tuple[int, ...]) -> Ends:
        """Those of some channels of an image."""
        key = labelled.hash, channels
        ends = self._kept.get(key)
        if ends is None:
            ends = labelled.ends(channels)
            self._kept.put(key, ends)
        return ends


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

    def __call__(self, labelled: Labelled, spec: FeatureSpec) -> NDArray[np.float32]:
        """``(2, features)`` float32, see :func:`feature_ranges`."""
        if isinstance(labelled, LabelledPyramid):
            return self.of_pyramid(labelled.pyramid, spec)
        return self.known(labelled.hash, labelled.read, spec)

    def of_pyramid(self, pyramid: Pyramid, spec: FeatureSpec) -> NDArray[np.float32]:
        """Those of an image of any size."""
        key = pyramid.hash, spec
        ranges = self._kept.get(key)
        if ranges is None:
            ranges = pyramid_ranges(pyramid, spec, threads=self._threads)
            self._kept.put(key, ranges)
        return ranges

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
