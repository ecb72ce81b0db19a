"""Where a further stroke helps most.

A place is worth a stroke where the votes do not agree (margin sampling: Settles, Active Learning Literature Survey,
2009, section 3.1) and no stroke is near. Places lie on a grid of some thousand pixels. That a place is unlike what is
labelled, or that much of the image is like it, was tried as well, alone and together: with either a stroke gains less.
``benchmarks/next_stroke.py`` says how many strokes this saves.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.model.classifier import PixelClassifier

GRID_PIXELS = 2_500
MOST_COMPARED = 400
"""Labelled pixels that the distance of each place is measured to."""

REACH = 0.1
"""Of the shorter side of an image: within it a second place tells little beside the first, nor does a stroke's own."""


@dataclass(frozen=True)
class Place:
    """A place for a stroke.

    Attributes:
        row: of the image.
        column: of the image.
        worth: how much a stroke is worth there, to be compared between places of images that were learnt from alike.
    """

    row: int
    column: int
    worth: float


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixels of an image, evenly spread.

    Attributes:
        rows: ``(grid rows,)`` int64, image rows.
        columns: ``(grid columns,)`` int64, image columns.
        image_shape: rows and columns of the image.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    image_shape: tuple[int, int]

    @classmethod
    def over(cls, shape: tuple[int, int]) -> Grid:
        """The grid over an image of this shape."""
        step = max(1, math.isqrt(shape[0] * shape[1] // GRID_PIXELS))
        rows, columns = (np.arange(min(step // 2, side - 1), side, step, dtype=np.int64) for side in shape)
        return cls(rows, columns, shape)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the grid."""
        return len(self.rows), len(self.columns)

    @property
    def places(self) -> NDArray[np.int64]:
        """Raster indices of the pixels, ascending."""
        return (self.rows[:, None] * self.image_shape[1] + self.columns).ravel()


def places_to_draw(
    classifier: PixelClassifier,
    grid: Grid,
    features: NDArray[np.float32],
    drawn: NDArray[np.int64],
    count: int = 5,
    *,
    left_out: NDArray[np.bool_] | None = None,
) -> list[Place]:
    """The places of an image where a stroke helps most, the best first.

    Args:
        classifier: what the image is segmented with.
        grid: of the image.
        features: ``(grid pixels, features)`` float32, those of the grid's pixels.
        drawn: raster indices of labelled pixels of the image: near a stroke there is no place.
        count: how many places at most.
        left_out: ``(rows, columns)`` of the image, where there is no place.
    """
    planes = np.ascontiguousarray(features.T)
    votes = np.sort(classifier.forest_.predict_proba(planes, classifier.weights, threads=1), axis=0)
    unsure = (1 - (votes[-1] - votes[-2])).reshape(grid.shape)
    reach = REACH * min(grid.image_shape)
    worth = unsure * np.minimum(1, _distance_to(drawn, grid) / reach)
    if left_out is not None:
        worth[left_out[np.ix_(grid.rows, grid.columns)]] = 0
    return _spread(worth, grid, reach, count)


def _distance_to(drawn: NDArray[np.int64], grid: Grid) -> NDArray[np.float64]:
    """How far each place is from what is labelled, in pixels; infinite if nothing is."""
    if not len(drawn):
        return np.full(grid.shape, np.inf)
    row, column = np.divmod(drawn[:: max(1, len(drawn) // MOST_COMPARED)], grid.image_shape[1])
    down, across = grid.rows[:, None] - row, grid.columns[:, None] - column
    return np.sqrt((down[:, None] ** 2 + across[None] ** 2).min(axis=-1))


def _spread(worth: NDArray[np.float64], grid: Grid, reach: float, count: int) -> list[Place]:
    """The best places, each of which makes those around it worth less."""
    left, places = worth.astype(np.float64), list[Place]()
    for _ in range(count):
        row, column = np.unravel_index(int(left.argmax()), left.shape)
        if left[row, column] <= 0:
            break
        places.append(Place(int(grid.rows[row]), int(grid.columns[column]), float(left[row, column])))
        squares = (grid.rows[:, None] - grid.rows[row]) ** 2 + (grid.columns - grid.columns[column]) ** 2
        left *= 1 - np.exp(-squares / (2 * reach**2))
    return places


def best_of_all(places: Sequence[tuple[str, Place]], count: int) -> list[tuple[str, Place]]:
    """The best places of several images, named by their hash, the best first."""
    return sorted(places, key=lambda one: (-one[1].worth, one[0], one[1].row, one[1].column))[:count]
