"""Features of some thousand pixels of an image, kept for what is asked of them beside its segmentation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.assessment.next_stroke import Grid
from segmentation.features.pieces import feature_rows
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.model.classifier import PixelClassifier
from segmentation.web.session.whole_results import Turn

CACHED_BYTES = 32 * 2**20
"""Features of the grids of some twenty images of RGB at the default features."""


class GridFeatures:
    """Those of all sessions."""

    def __init__(self) -> None:
        self._features: BoundedCache[tuple[str, FeatureSpec], NDArray[np.float32]] = BoundedCache(
            CACHED_BYTES, lambda rows: rows.nbytes
        )

    def rows(self, turn: Turn, image: Image, classifier: PixelClassifier, grid: Grid) -> NDArray[np.float32]:
        """``(grid pixels, features)`` float32, computed a megapixel at a time, so that others have their turns.

        Args:
            turn: of who asks; entered for each megapixel.
            image: one that is adapted to the classifier.
            classifier: says which features.
            grid: over the image.
        """
        key = (image.seen_hash, classifier.spec_)
        features = self._features.get(key)
        if features is None:
            parts = []
            for places in np.array_split(grid.places, max(1, image.shape[0] * image.shape[1] >> 20)):
                with turn():
                    parts.append(feature_rows(image, classifier.spec_, places, threads=1))
            features = np.concatenate(parts)
            self._features.put(key, features)
        return features
