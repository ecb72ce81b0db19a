"""The borders of labelled regions: Numba kernels. Importing this compiles them, or loads what was compiled before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import typed_kernel

_LABELS = ("Array(uint8, 2, 'C', readonly=True)", "Array(int32, 2, 'C', readonly=True)")
"""Class ids, or numbers of objects."""


@typed_kernel("int64(int32[::1], int64)")
def _root(parents: NDArray[np.int32], at: int) -> int:
    while parents[at] != at:
        parents[at] = parents[parents[at]]
        at = parents[at]
    return at


@typed_kernel(*[f"void({one}, int32[::1])" for one in _LABELS])
def join(labels: NDArray[np.integer], parents: NDArray[np.int32]) -> None:
    """Let pixels of one region have one root: those of the same class that touch along a side.

    Args:
        labels: ``(rows, columns)`` class ids, or numbers of objects.
        parents: ``(rows * columns,)``, filled in; the root of a pixel is at the end of its parents.
    """
    rows, columns = labels.shape
    for row in range(rows):
        for column in range(columns):
            at = row * columns + column
            parents[at] = at
            if column > 0 and labels[row, column - 1] == labels[row, column]:
                parents[at] = _root(parents, at - 1)
            if row > 0 and labels[row - 1, column] == labels[row, column]:
                above, here = _root(parents, at - columns), _root(parents, at)
                parents[max(above, here)] = min(above, here)
    for at in range(rows * columns):
        parents[at] = _root(parents, at)


@typed_kernel(*[f"int64({one}, uint8[:, ::1], int32[:, ::1], int64[:, ::1])" for one in _LABELS])
def trace(
    padded: NDArray[np.integer], seen: NDArray[np.uint8], corners: NDArray[np.int32], rings: NDArray[np.int64]
) -> int:
    """The corners of all borders of regions, each border once around its region, which lies to the right.

    Args:
        padded: ``(rows + 2, columns + 2)`` class ids, or numbers of objects, with a rim of 0.
        seen: of the same shape, all 0; changed.
        corners: ``(most, 2)``, filled in: column and row of the pixel to whose upper left a corner lies, in ``padded``.
        rings: ``(most, 3)``, filled in: index of the first corner of a ring, and row and column of a pixel of its
            region in ``padded``.

    Returns:
        The number of rings, after which a row of ``rings`` holds the number of corners; -1 if they do not fit.
    """
    count, found = 0, 0
    for first_row in range(1, padded.shape[0] - 1):
        for first_column in range(1, padded.shape[1] - 1):
            value = padded[first_row, first_column]
            if value == 0 or padded[first_row - 1, first_column] == value or seen[first_row, first_column]:
                continue
            if found + 1 >= len(rings):
                return -1
            rings[found, 0], rings[found, 1], rings[found, 2] = count, first_row, first_column
            found += 1
            row, column, heading, turned = first_row, first_column, 0, True
            while True:
                if turned:
                    if count == len(corners):
                        return -1
                    corners[count, 0], corners[count, 1] = column, row
                    count += 1
                if heading == 0:
                    seen[row, column] = 1
                    column += 1
                    right, left = padded[row, column], padded[row - 1, column]
                elif heading == 1:
                    row += 1
                    right, left = padded[row, column - 1], padded[row, column]
                elif heading == 2:
                    column -= 1
                    right, left = padded[row - 1, column - 1], padded[row, column - 1]
                else:
                    row -= 1
                    right, left = padded[row - 1, column], padded[row - 1, column - 1]
                turned = right != value or left == value
                if right != value:
                    heading = (heading + 1) % 4
                elif left == value:
                    heading = (heading + 3) % 4
                if turned and heading == 0 and row == first_row and column == first_column:
                    break
    rings[found, 0] = count
    return found
