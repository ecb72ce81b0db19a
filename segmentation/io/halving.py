"""Coarser levels of images and of results, each half as long and half as wide as the one before, block by block.

Values are halved by means of 2 x 2 pixels. Class ids are not: of each 2 x 2 the first is taken, so that a level holds
only classes that are there, and the pixels of a level are those of the finest at every second, fourth... place.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window, whole_window

COARSEST_SIDE = 512
"""Levels are made until the longer side is no longer than this."""


def level_shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Rows and columns of each level of an image, the finest first."""
    shapes = [shape]
    while max(shapes[-1]) > COARSEST_SIDE:
        shapes.append(half_of(shapes[-1]))
    return shapes


def half_of(shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the level that is made from one of this shape."""
    return -(-shape[0] // 2), -(-shape[1] // 2)


def halved_by_means(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> NDArray[Any]:
    """Means of 2 x 2 values, of those at the end of an odd length of what there is; halves are rounded up.

    Args:
        values: ``(..., rows, columns)`` of integers or floats; of floats those that are no number count nowhere.
        missing: ``(rows, columns)`` bool, where values count nowhere; None counts all.

    Returns:
        ``(..., (rows + 1) // 2, (columns + 1) // 2)`` of the same type; where nothing counts, 0, or of floats NaN.
    """
    fours = _fours(values)
    whole = values.dtype.kind in "iu"
    counts = [None] * 4 if missing is None else [~one for one in _fours(missing)]
    if not whole:
        finite = [np.isfinite(one) for one in fours]
        counts = [one if some is None else one & some for one, some in zip(finite, counts, strict=True)]
    sums = np.zeros(fours[0].shape, np.float64 if not whole else np.int32 if values.dtype.itemsize < 4 else np.int64)
    for one, some in zip(fours, counts, strict=True):
        np.add(sums, one, out=sums, where=True if some is None else some)
    if whole and missing is None:
        return ((sums + 2) >> 2).astype(values.dtype)
    count = np.zeros(sums.shape[-2:] if whole else sums.shape, np.int8)
    for some in counts:
        count += 1 if some is None else some
    if whole:
        return ((2 * sums + count) // (2 * np.maximum(count, 1))).astype(values.dtype)
    with np.errstate(invalid="ignore"):
        return (sums / np.where(count, count, np.nan)).astype(values.dtype)


def halved_where_all(missing: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Where all of 2 x 2 are true: of ``(rows, columns)`` bool half as many, of which :func:`halved_by_means` tells."""
    first, *others = _fours(missing)
    found = first.copy()
    for one in others:
        found &= one
    return found


def _fours(values: NDArray[Any]) -> list[NDArray[Any]]:
    """The upper left, upper right, lower left and lower right of each 2 x 2; at the end of an odd length the same."""
    odd = [(0, 0)] * (values.ndim - 2) + [(0, length % 2) for length in values.shape[-2:]]
    padded = np.pad(values, odd, mode="edge") if any(after for _, after in odd) else values
    return [padded[..., row::2, column::2] for row in (0, 1) for column in (0, 1)]


def halved_by_first(values: NDArray[Any]) -> NDArray[Any]:
    """The first of 2 x 2 class ids: ``(..., rows, columns)`` become ``(..., (rows + 1) // 2, (columns + 1) // 2)``."""
    return values[..., ::2, ::2]


def halve(
    shape: tuple[int, int],
    block_side: int,
    halved: Callable[[NDArray[Any]], NDArray[Any]],
    read: Callable[[Window], NDArray[Any]],
    write: Callable[[Window, NDArray[Any]], None],
    is_there: Callable[[Window], bool] = lambda window: False,
) -> None:
    """Make a level from the one before it.

    Args:
        shape: rows and columns of the level before it.
        block_side: rows and columns of what is written at a time.
        halved: what halves values.
        read: gives a window of the level before it, ``(..., rows, columns)``.
        write: takes a window of the level.
        is_there: whether a window of the level is written already.
    """
    for window in whole_window(half_of(shape)).split(block_side, block_side):
        if is_there(window):
            continue
        doubled = [
            slice(2 * part.start, min(2 * part.stop, length))
            for part, length in zip((window.rows, window.columns), shape, strict=True)
        ]
        write(window, halved(read(Window(*doubled))))
