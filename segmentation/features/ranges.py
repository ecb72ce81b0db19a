"""Between which values the features of an image lie, as far as some blocks of its pixels tell.

All of an image would have to be computed to know it, and the labelled pixels alone know too little of it: each further
stroke would widen some ranges, and bins lie over these.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isqrt

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Tile, TileGrid, Window
from segmentation.features.compute import compute_planes
from segmentation.features.pieces import PIECE, ComputePlanes, for_each_piece
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import joined_ranges
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Pyramid

PIXELS = 2**16
"""About the number of pixels that are looked at, together."""

MOST_BLOCKS = 16


def blocks_in_tiles(shape: tuple[int, ...]) -> list[tuple[Tile, Window]]:
    """The blocks of an image that are looked at, each in the middle of a tile, and that tile.

    Args:
        shape: rows and columns of the image.

    Returns:
        At most :data:`MOST_BLOCKS`, evenly spread.
    """
    grid = TileGrid(shape)
    high, wide = (-(-length // grid.side) for length in grid.shape)
    rows = min(high, max(isqrt(MOST_BLOCKS), MOST_BLOCKS // wide))
    columns = min(wide, MOST_BLOCKS // rows)
    side = isqrt(PIXELS // (rows * columns))
    numbers = [
        (2 * row + 1) * high // (2 * rows) * wide + (2 * column + 1) * wide // (2 * columns)
        for row in range(rows)
        for column in range(columns)
    ]
    return [(tile, Window(_middle(tile.rows, side), _middle(tile.columns, side))) for tile in map(grid.tile, numbers)]


def _middle(part: slice, length: int) -> slice:
    """The middle of some rows or columns, at most of this length."""
    over = max(part.stop - part.start - length, 0)
    return slice(part.start + over // 2, part.stop - (over - over // 2))


def feature_ranges(
    image: Image,
    spec: FeatureSpec,
    *,
    smoothed: Callable[[Tile], Smoothed | None] = lambda tile: None,
    compute: ComputePlanes = compute_planes,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """The smallest and the largest value of each feature in blocks of an image, see :func:`blocks_in_tiles`.

    Args:
        image: the image.
        spec: which features, with constants if it needs some.
        smoothed: gives a smoothed tile, if there is one.
        compute: computes features where there is none.
        threads: number of threads; None takes all cores. The result does not depend on it, nor on ``smoothed``.

    Returns:
        ``(2, features)`` float32; not a number where no pixel of the blocks holds data.
    """
    found: list[NDArray[np.float32]] = [np.full((2, spec.count(image.channels)), np.nan, np.float32)]

    def look(block: Window, planes: NDArray[np.float32]) -> None:
        found.extend(_ends(image, block, planes))

    elsewhere: list[Window] = []
    for tile, block in blocks_in_tiles(image.shape):
        known = smoothed(tile)
        if known is None:
            elsewhere += block.split(*PIECE)
        else:
            for_each_piece(image, spec, block.split(*PIECE), look, smoothed=known, threads=1)
    for_each_piece(image, spec, elsewhere, look, compute=compute, threads=threads)
    return joined_ranges(found)


def _ends(image: Image, block: Window, planes: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """The smallest and the largest value of each feature in a block; nothing if no pixel of it holds data."""
    held = slice(None) if image.no_data is None else ~image.no_data[block.rows, block.columns].ravel()
    values = planes.reshape(len(planes), -1)[:, held]
    if not values.shape[1]:
        return []
    return [np.stack([values.min(axis=1), values.max(axis=1)])]


def pyramid_ranges(
    pyramid: Pyramid, spec: FeatureSpec, *, compute: ComputePlanes = compute_planes, threads: int | None = None
) -> NDArray[np.float32]:
    """The same of an image of any size, of which only these blocks are read; those that are damaged do not count.

    Raises:
        PassingError: with a sentence, if one of them did not come this time.
    """
    found: list[NDArray[np.float32]] = [np.full((2, spec.count(pyramid.channels)), np.nan, np.float32)]
    for _, block in blocks_in_tiles(pyramid.shape):
        try:
            image, inner = pyramid.block(block, spec.halo)
        except PassingError:
            raise
        except ImageError:
            continue

        def look(piece: Window, planes: NDArray[np.float32], image: Image = image) -> None:
            found.extend(_ends(image, piece, planes))

        for_each_piece(image, spec, inner.split(*PIECE), look, compute=compute, threads=threads)
    return joined_ranges(found)
