"""A draft of a segmentation, shown while the segmentation is computed: each of its pixels stands for those around it.

The features of its pixels are kept from one segmentation to the next, so that a draft costs a fraction of it, however
large the image is. Each of its pixels has the class that the segmentation has there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation._shared.tiling import Tile, Window
from segmentation.model.classifier import PixelClassifier

DRAFT_PIXELS = 2**14
"""About as many pixels as a draft has: one stands for some 6 x 6 pixels of a screen that shows all of the image, and
their 162 features of RGB take 11 MB: thirty people share a host of 512 MB."""


@dataclass(frozen=True)
class DraftPixels:
    """Which pixels of a tile a draft has.

    Attributes:
        step: rows and columns from one to the next; 1 for an image so small that it needs no draft.
    """

    step: int

    @classmethod
    def for_shape(cls, shape: tuple[int, int]) -> DraftPixels:
        """The pixels of a draft of an image with this many rows and columns."""
        return cls(math.ceil(math.sqrt(shape[0] * shape[1] / DRAFT_PIXELS)))

    @property
    def first(self) -> int:
        """The first row and column of a tile that has a draft pixel: in the middle of those that it stands for."""
        return (self.step - 1) // 2

    def shape(self, tile: Tile) -> tuple[int, int]:
        """Rows and columns of a tile's draft."""
        rows, columns = (self.among(0, length).stop for length in tile.shape)
        return rows, columns

    def of(self, tile: Tile) -> tuple[slice, slice]:
        """The rows and columns of the image that a tile's draft has."""
        rows, columns = (slice(part.start + self.first, part.stop, self.step) for part in (tile.rows, tile.columns))
        return rows, columns

    def among(self, start: int, stop: int) -> slice:
        """Which rows, or columns, of the draft lie among those of the tile from ``start`` up to ``stop``."""
        begin, end = (max(-(-(at - self.first) // self.step), 0) for at in (start, stop))
        return slice(begin, end)


class TileSample:
    """The features of a draft's pixels in a tile, sampled piece by piece.

    Args:
        pixels: which pixels.
        tile: the tile.
        features: number of features.

    Attributes:
        planes: ``(features, draft rows, draft columns)`` float32.
    """

    def __init__(self, pixels: DraftPixels, tile: Tile, features: int) -> None:
        self._pixels = pixels
        self._tile = tile
        self.planes = np.empty((features, *pixels.shape(tile)), np.float32)

    def add(self, piece: Window, planes: NDArray[np.float32]) -> None:
        """Sample a piece of the tile, ``planes`` being its ``(features, piece rows, piece columns)``."""
        step, first = self._pixels.step, self._pixels.first
        parts = piece.place_in(self._tile)
        rows, columns = (self._pixels.among(part.start, part.stop) for part in parts)
        top, left = (first + of.start * step - part.start for of, part in zip((rows, columns), parts, strict=True))
        self.planes[:, rows, columns] = planes[:, top::step, left::step]


def draft(
    classifier: PixelClassifier, samples: Sequence[NDArray[np.float32]], *, threads: int | None = None
) -> list[NDArray[np.uint8]]:
    """The class ids of a draft's pixels.

    Args:
        classifier: the classifier.
        samples: of each tile the features, as :attr:`TileSample.planes` has them.
        threads: number of threads; None takes all cores. No result depends on it.

    Returns:
        For each tile ``(draft rows, draft columns)`` uint8.
    """
    drafts = [np.empty(0, np.uint8)] * len(samples)

    def work(queue: Iterator[int]) -> None:
        for index in queue:
            drafts[index] = classifier.classes_[
                classifier.forest_.predict(samples[index], classifier.weights, threads=1)
            ]

    share(range(len(samples)), work, threads)
    return drafts
