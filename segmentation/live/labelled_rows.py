"""Feature rows of labelled pixels, which are kept from stroke to stroke."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Tile, TileGrid
from segmentation.features.cache import FeatureCache
from segmentation.features.cached_rows import CachedRows
from segmentation.features.pieces import feature_rows, groups
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.sampling import MAX_TRAINING_PIXELS
from segmentation.io.image import Image
from segmentation.model.fit import Labelled
from segmentation.model.labelled import LabelledPyramid

ROW_CACHE_BYTES = 16_000_000
"""Feature rows of some sessions; a flood of labels of RGB at the default features takes 6.5 MB, and as much again for
strokes that were undone."""


class LabelledRows:
    """The feature rows of labelled pixels: those that are not kept are computed, from smoothed tiles where there are.

    Args:
        cache: the features of tiles.
        threads: number of threads; None takes all cores. No result depends on it.

    Attributes:
        kept: by image hash and spec.
    """

    def __init__(self, cache: FeatureCache, threads: int | None) -> None:
        self._cache, self._threads = cache, threads
        self.kept: BoundedCache[tuple[str, FeatureSpec], CachedRows] = BoundedCache(
            ROW_CACHE_BYTES, lambda rows: rows.nbytes
        )

    def __call__(self, labelled: Labelled, spec: FeatureSpec, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """``(pixels, features)`` float32 of an image, for the raster indices of the pixels."""
        key = (labelled.hash, spec)
        cached = self.kept.get(key) or CachedRows.empty(spec.count(labelled.channels))
        rows, kept = cached.filled(places, lambda missing: self._of(labelled, spec, missing), 2 * MAX_TRAINING_PIXELS)
        if kept is not cached:
            self.kept.put(key, kept)
        return rows

    def _of(self, labelled: Labelled, spec: FeatureSpec, places: NDArray[np.int64]) -> NDArray[np.float32]:
        if isinstance(labelled, LabelledPyramid):

            def peek(image: Image, tile: Tile) -> Smoothed | None:
                return self._cache.peek(image, spec, tile)

            return labelled.rows(spec, places, smoothed=peek, threads=self._threads)
        return self._compute(labelled.read(), spec, places)

    def _compute(self, image: Image, spec: FeatureSpec, places: NDArray[np.int64]) -> NDArray[np.float32]:
        rows = np.empty((len(places), spec.count(image.channels)), np.float32)
        grid = TileGrid(image.shape)
        tile_of = grid.index_of(*np.divmod(places, image.shape[1]))
        elsewhere = np.ones(len(places), bool)
        for inside in groups(tile_of):
            smoothed = self._cache.peek(image, spec, grid.tile(int(tile_of[inside[0]])))
            if smoothed is not None:
                rows[inside] = feature_rows(image, spec, places[inside], smoothed=smoothed, threads=self._threads)
                elsewhere[inside] = False
        rows[elsewhere] = feature_rows(image, spec, places[elsewhere], threads=self._threads)
        return rows
