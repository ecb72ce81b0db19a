"""What is summed over the pixels of objects: Numba kernels. Importing this compiles them, or loads what was compiled.

Scikit-image measures one object after the other, which takes milliseconds each: too long for 10,000 objects. These
kernels go over all objects at once, and give what ``skimage.measure.regionprops`` gives.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, typed_kernel

Labels = NDArray[np.int32]
_LABELS = "Array(int32, 2, 'C', readonly=True)"
_INTS = "int64[:, ::1]"


@typed_kernel(f"void({_LABELS}, {_INTS}, {_INTS})")
def extents(labels: Labels, sums: NDArray[np.int64], boxes: NDArray[np.int64]) -> None:
    """Pixels and bounding box of each object.

    Args:
        labels: ``(rows, columns)``, 0 where there is no object.
        sums: ``(objects, 3)``, all 0, filled in: pixels, sum of their rows, sum of their columns.
        boxes: ``(objects, 4)``, filled in: first row, first column, row after the last, column after the last.
    """
    rows, columns = labels.shape
    boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3] = rows, columns, 0, 0
    for row in range(rows):
        for column in range(columns):
            one = labels[row, column] - 1
            if one < 0:
                continue
            sums[one, 0] += 1
            sums[one, 1] += row
            sums[one, 2] += column
            boxes[one, 0] = min(boxes[one, 0], row)
            boxes[one, 1] = min(boxes[one, 1], column)
            boxes[one, 2] = row + 1
            boxes[one, 3] = max(boxes[one, 3], column + 1)


@typed_kernel(f"void({_LABELS}, float64[:, ::1], float64[:, ::1])")
def central_moments(labels: Labels, centroids: NDArray[np.float64], moments: NDArray[np.float64]) -> None:
    """Sums of squared distances from the centroid.

    Args:
        labels: ``(rows, columns)``.
        centroids: ``(objects, 2)``, row and column.
        moments: ``(objects, 3)``, all 0, filled in: of rows, of columns, and of their products.
    """
    rows, columns = labels.shape
    for row in range(rows):
        for column in range(columns):
            one = labels[row, column] - 1
            if one >= 0:
                down, right = row - centroids[one, 0], column - centroids[one, 1]
                moments[one, 0] += down * down
                moments[one, 1] += right * right
                moments[one, 2] += down * right


@typed_kernel(f"boolean({_LABELS}, int64, int64, int32)", inline="always")
def _on_border(labels: Labels, row: int, column: int, label: int) -> bool:
    """Whether a pixel is of an object, and one of its four neighbours is not."""
    rows, columns = labels.shape
    if row < 0 or column < 0 or row >= rows or column >= columns or labels[row, column] != label:
        return False
    return (
        row == 0
        or column == 0
        or row == rows - 1
        or column == columns - 1
        or labels[row - 1, column] != label
        or labels[row + 1, column] != label
        or labels[row, column - 1] != label
        or labels[row, column + 1] != label
    )


@typed_kernel(f"void({_LABELS}, {_INTS})")
def border_steps(labels: Labels, steps: NDArray[np.int64]) -> None:
    """How often the border of each object goes straight, aslant, and half of each, as of ``skimage.measure.perimeter``.

    Args:
        labels: ``(rows, columns)``.
        steps: ``(objects, 3)``, all 0, filled in: number of border pixels of length 1, √2 and (1 + √2) / 2.
    """
    rows, columns = labels.shape
    for row in range(rows):
        for column in range(columns):
            label = labels[row, column]
            if label == 0 or not _on_border(labels, row, column, label):
                continue
            beside, aslant = 0, 0
            for down in range(-1, 2):
                for right in range(-1, 2):
                    if (down != 0 or right != 0) and _on_border(labels, row + down, column + right, label):
                        if down == 0 or right == 0:
                            beside += 1
                        else:
                            aslant += 1
            pattern = 1 + 2 * beside + 10 * aslant
            if pattern in (5, 7, 15, 17, 25, 27):
                steps[label - 1, 0] += 1
            elif pattern in (21, 33):
                steps[label - 1, 1] += 1
            elif pattern in (13, 23):
                steps[label - 1, 2] += 1


@typed_kernel(f"void({_LABELS}, int64[::1], {_INTS}, {_INTS})")
def row_spans(labels: Labels, starts: NDArray[np.int64], boxes: NDArray[np.int64], spans: NDArray[np.int64]) -> None:
    """The first and the last column of each object in each of its rows.

    Args:
        labels: ``(rows, columns)``.
        starts: ``(objects,)``, where the rows of an object begin in ``spans``.
        boxes: as :func:`extents` gives them.
        spans: ``(rows of all objects, 2)``, all -1, filled in.
    """
    rows, columns = labels.shape
    for row in range(rows):
        for column in range(columns):
            one = labels[row, column] - 1
            if one >= 0:
                at = starts[one] + row - boxes[one, 0]
                if spans[at, 0] < 0:
                    spans[at, 0] = column
                spans[at, 1] = column


@typed_kernel(f"int64({_INTS}, int64, {_INTS})")
def _chain(spans: NDArray[np.int64], side: int, chain: NDArray[np.int64]) -> int:
    """One side of the convex hull of the middles of the pixels' sides, in half pixels: a pixel is two wide.

    Args:
        spans: ``(rows, 2)``, the first and last column of each row.
        side: 0 for the left side, 1 for the right.
        chain: ``(2 * rows + 1, 2)``, filled in: twice the row and the column of each corner, counted from the first.

    Returns:
        The number of corners.
    """
    sign = 1 - 2 * side
    count = 0
    for half in range(-1, 2 * len(spans)):
        if half % 2 == 0:
            across = 2 * spans[half // 2, side] - sign
        elif half < 0:
            across = 2 * spans[0, side]
        elif half == 2 * len(spans) - 1:
            across = 2 * spans[-1, side]
        else:
            above, below = 2 * spans[half // 2, side], 2 * spans[half // 2 + 1, side]
            across = sign * min(sign * above, sign * below)
        while count >= 2:
            down, right = chain[count - 1, 0] - chain[count - 2, 0], chain[count - 1, 1] - chain[count - 2, 1]
            if sign * (down * (across - chain[count - 2, 1]) - right * (half - chain[count - 2, 0])) > 0:
                break
            count -= 1
        chain[count, 0], chain[count, 1] = half, across
        count += 1
    return count


@typed_kernel("float64(int64[:, :, ::1], int64, int64, float64, float64)")
def _largest_distance(chains: NDArray[np.int64], lefts: int, rights: int, height: float, width: float) -> float:
    largest = 0.0
    for first in range(lefts + rights):
        row, column = chains[0, first] if first < lefts else chains[1, first - lefts]
        for second in range(first):
            other_row, other_column = chains[0, second] if second < lefts else chains[1, second - lefts]
            down, right = (row - other_row) * height, (column - other_column) * width
            largest = max(largest, down * down + right * right)
    return np.sqrt(largest)


@typed_kernel("int64(int64, int64)", inline="always")
def _ceiling(number: int, divisor: int) -> int:
    return -((-number) // divisor)


@typed_kernel(f"void({_INTS}, int64[::1], float64, float64, int64[::1], float64[::1])")
def convex_measures(
    spans: NDArray[np.int64],
    starts: NDArray[np.int64],
    height: float,
    width: float,
    areas: NDArray[np.int64],
    diameters: NDArray[np.float64],
) -> None:
    """Pixels of the convex hull of each object, and the largest distance between two points of the hull's outline.

    The hull is that of ``skimage.morphology.convex_hull_image``; its corners are the middles of the pixels' sides, and
    a pixel whose centre lies in it or on its border belongs to it. It is computed in whole numbers (monotone chains:
    A. M. Andrew, "Another efficient algorithm for convex hulls in two dimensions", Information Processing Letters 9,
    1979). Feret's diameter is that of ``regionprops``: between points midway between pixels in the hull and others.

    Args:
        spans: ``(rows of all objects, 2)``, as :func:`row_spans` gives them; changed.
        starts: ``(objects + 1,)``, where the rows of an object begin, and end.
        height, width: of a pixel.
        areas: ``(objects,)``, filled in.
        diameters: ``(objects,)``, filled in.
    """
    tallest = 0
    for one in range(len(areas)):
        tallest = max(tallest, starts[one + 1] - starts[one])
    chains = np.empty((2, 2 * tallest + 1, 2), np.int64)
    for one in range(len(areas)):
        rows = spans[starts[one] : starts[one + 1]]
        for side in range(2):
            count = _chain(rows, side, chains[side])
            corner = 0
            for row in range(len(rows)):
                while corner < count - 2 and chains[side, corner + 1, 0] < 2 * row:
                    corner += 1
                top, start = chains[side, corner]
                bottom, end = chains[side, corner + 1]
                across = start * (bottom - top) + (end - start) * (2 * row - top)
                divisor = 2 * (bottom - top)
                rows[row, side] = _ceiling(across, divisor) if side == 0 else across // divisor
        for row in range(len(rows)):
            areas[one] += rows[row, 1] - rows[row, 0] + 1
        lefts, rights = _chain(rows, 0, chains[0]), _chain(rows, 1, chains[1])
        diameters[one] = _largest_distance(chains, lefts, rights, height / 2, width / 2)


@kernel
def values(
    labels: Labels, pixels: NDArray[np.generic], found: NDArray[np.float64], squares: NDArray[np.float64]
) -> None:
    """Sum, smallest and largest value of each object in a channel, and the sum of squares around a value of it.

    Args:
        labels: ``(rows, columns)``.
        pixels: ``(rows, columns)``, one channel.
        found: ``(objects, 3)``, filled in: sum of the differences from the first value, smallest and largest value.
        squares: ``(objects, 2)``, filled in: the first value, and the sum of squared differences from it.
    """
    rows, columns = labels.shape
    found[:, 0], found[:, 1], found[:, 2] = 0.0, np.inf, -np.inf
    squares[:, 1] = 0.0
    for row in range(rows):
        for column in range(columns):
            one = labels[row, column] - 1
            if one >= 0:
                value = np.float64(pixels[row, column])
                if found[one, 1] == np.inf:
                    squares[one, 0] = value
                difference = value - squares[one, 0]
                found[one, 0] += difference
                squares[one, 1] += difference * difference
                found[one, 1] = min(found[one, 1], value)
                found[one, 2] = max(found[one, 2], value)
