"""A window of an image, piece by piece: features are computed, a forest is walked, and the features are forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.parallel import share
from segmentation._shared.reused_memory import MAX_FREE_BYTES, reused_memory
from segmentation._shared.tiling import Window
from segmentation.features.compute import compute_planes
from segmentation.features.pieces import PIECE, for_each_piece, rows_of_piece
from segmentation.features.pointwise import with_constants
from segmentation.features.smoothed import Smoothed, planes_of
from segmentation.features.spec import FeatureSpec
from segmentation.forest.forest import Forest
from segmentation.forest.weighing import Weights
from segmentation.io.image import Image
from segmentation.model.engines import Engine

SMOOTHED = 256, 256
"""Rows and columns of what is smoothed at a time where pieces with all their features do not fit the cache."""

OnPiece = Callable[[Window, NDArray[np.float32]], None]
"""Called with a piece of a window and its features, ``(features, piece rows, piece columns)`` float32."""


@dataclass(frozen=True)
class Prediction:
    """What is predicted, and how.

    Attributes:
        forest: the trees.
        spec: the features that they see.
        weights: of the classes; None leaves all as they are.
        engine: what computes.
        threads: number of threads; None takes all cores.
    """

    forest: Forest
    spec: FeatureSpec
    weights: Weights | None
    engine: Engine
    threads: int | None

    def classes(
        self, image: Image, window: Window, smoothed: Smoothed | None, on_piece: OnPiece | None
    ) -> NDArray[np.uint8]:
        """The index of each pixel's class, ``(window rows, window columns)`` uint8.

        Only the features that the forest looks at are computed, unless ``on_piece`` asks for all.
        """
        classes = np.empty(window.shape, np.uint8)

        def segment(piece: Window, planes: NDArray[np.float32]) -> None:
            if on_piece is not None:
                on_piece(piece, planes)
            classes[piece.place_in(window)] = self.engine.classes(self.forest, planes, self.weights)

        self._for_each_piece(image, window, smoothed, segment, all_features=on_piece is not None)
        return classes

    def probabilities(
        self, image: Image, window: Window, smoothed: Smoothed | None, on_piece: OnPiece
    ) -> NDArray[np.float32]:
        """``(classes, window rows, window columns)`` float32."""
        probabilities = np.empty((self.forest.n_classes, *window.shape), np.float32)

        def estimate(piece: Window, planes: NDArray[np.float32]) -> None:
            on_piece(piece, planes)
            probabilities[:, *piece.place_in(window)] = self.engine.proba(self.forest, planes, self.weights)

        self._for_each_piece(image, window, smoothed, estimate)
        return probabilities

    def _for_each_piece(
        self, image: Image, window: Window, smoothed: Smoothed | None, work: OnPiece, *, all_features: bool = False
    ) -> None:
        spec = with_constants(self.spec, image.pixels)
        some = not all_features and spec.count(image.channels) == self.forest.n_features
        wanted = self.forest.used_features if some else None

        def of_smoothed(part: Window, smoothed: Smoothed, threads: int | None) -> None:
            pieces = part.split(rows_of_piece(self.forest.n_features, PIECE[1]), PIECE[1])
            for_each_piece(image, spec, pieces, work, smoothed=smoothed, wanted=wanted, threads=threads)

        def smooth(parts: Iterator[Window]) -> None:
            local = spec.local.count(image.channels)
            planes = None if wanted is None else planes_of(spec.local, image.channels, wanted[:local])
            with reused_memory() as room:
                for part in parts:
                    rows, columns = part.rows, part.columns
                    own = Smoothed.compute(image.pixels, spec.local, rows, columns, wanted=planes, room=room, threads=1)
                    of_smoothed(part, own, 1)

        if smoothed is not None:
            of_smoothed(window, smoothed, self.threads)
        elif spec.looks_around:
            pieces, compute = window.split(*SMOOTHED), self.engine.planes
            for_each_piece(image, spec, pieces, work, compute=compute, wanted=wanted, threads=self.threads)
        elif self._smooths_first(spec, image.channels):
            share(window.split(*SMOOTHED), smooth, self.threads)
        else:
            pieces, compute = window.split(*PIECE), self.engine.planes
            for_each_piece(image, spec, pieces, work, compute=compute, wanted=wanted, threads=self.threads)

    def _smooths_first(self, spec: FeatureSpec, channels: int) -> bool:
        """Whether a piece with all its features would not stay in the processor's cache."""
        large = 4 * spec.count(channels) * PIECE[0] * PIECE[1] > MAX_FREE_BYTES
        return large and self.engine.planes is compute_planes and kernels_are_ready()
