"""The pixels under strokes: Numba kernels. Importing this compiles them, or loads what was compiled before.

All of them paint into a window of an image: ``window`` is that part of the image as an array, ``row`` and ``column``
are where it begins. A pixel is compared by its centre, which has integer coordinates. Each returns whether it painted.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import typed_kernel
from segmentation.strokes._borders import ROUNDING, SLACK

_POINTS = "Array(float64, 2, 'C', readonly=True)"
_PLACES = "Array(int64, 1, 'C', readonly=True)"


@typed_kernel("boolean(float64, float64, float64, float64, float64, float64, float64, float64)")
def _within(
    x: float, y: float, ax: float, ay: float, dx: float, dy: float, length_squared: float, reach_squared: float
) -> bool:
    """Whether (x, y) is within sqrt(``reach_squared``) of the segment from a to a + d; ``length_squared`` is d.d."""
    t = 0.0
    if length_squared > 0:
        t = min(max(((x - ax) * dx + (y - ay) * dy) / length_squared, 0.0), 1.0)
    return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 <= reach_squared


@typed_kernel("UniTuple(int64, 2)(float64, float64, float64, float64, float64, float64, int64, int64)")
def _span(
    y: float, ax: float, ay: float, dx: float, dy: float, reach_squared: float, low: int, high: int
) -> tuple[int, int]:
    """First and last column of row ``y``, between ``low`` and ``high``, within sqrt(``reach_squared``) of a segment.

    The pixels near a segment are convex, so those of one row are neighbours. Their ends are computed from the two
    end discs and the two long sides, then moved to where the exact comparison agrees. First > last means none.
    """
    length_squared = dx * dx + dy * dy
    left, right = np.inf, -np.inf
    for end in range(2):
        room = reach_squared - (y - ay - end * dy) ** 2
        if room >= 0:
            centre = ax + end * dx
            left = min(left, centre - math.sqrt(room))
            right = max(right, centre + math.sqrt(room))
    if dy != 0:
        middle = (y - ay) * dx / dy
        side = math.sqrt(reach_squared * length_squared) / dy
        for offset in (middle - side, middle + side):
            if 0 <= offset * dx + (y - ay) * dy <= length_squared:
                left = min(left, ax + offset)
                right = max(right, ax + offset)
    if left > right or left - ROUNDING > high or right + ROUNDING < low:
        return 0, -1
    first = max(low, math.ceil(left - ROUNDING)) if left > low else low
    last = min(high, math.floor(right + ROUNDING)) if right < high else high
    while first <= last and not _within(first, y, ax, ay, dx, dy, length_squared, reach_squared):
        first += 1
    while last > first and not _within(last, y, ax, ay, dx, dy, length_squared, reach_squared):
        last -= 1
    return first, last


@typed_kernel(
    "Tuple((boolean, int64))(uint8[:, :], int32[:, :], boolean[:], float64, float64, float64, float64, float64, uint8, "
    "int64, int64)",
)
def _paint_segment(
    window: NDArray[np.uint8],
    counts: NDArray[np.int32],
    full: NDArray[np.bool_],
    ax: float,
    ay: float,
    bx: float,
    by: float,
    reach_squared: float,
    value: int,
    row: int,
    column: int,
) -> tuple[bool, int]:
    """Paint the pixels within sqrt(``reach_squared``) of the segment from a to b, or count them if there are counts.

    Rows that are marked as full are passed over; while counting, a row that the segment covers whole becomes full.
    Returns whether a pixel was painted, and how many rows became full.
    """
    rows, columns = window.shape
    radius = math.sqrt(reach_squared)
    painted, filled = False, 0
    if max(ax, bx) + radius < column or min(ax, bx) - radius > column + columns - 1:
        return painted, filled
    top = max(min(ay, by) - radius, row)
    bottom = min(max(ay, by) + radius, row + rows - 1)
    for y in range(math.floor(top), math.ceil(bottom) + 1):
        if full[y - row]:
            continue
        first, last = _span(y, ax, ay, bx - ax, by - ay, reach_squared, column, column + columns - 1)
        first, stop = first - column, last - column + 1
        if first >= stop:
            continue
        painted = True
        if len(counts):
            counts[y - row, first] += 1
            counts[y - row, stop] -= 1
            if stop - first == columns:
                full[y - row] = True
                filled += 1
        else:
            window[y - row, first:stop] = value
    return painted, filled


@typed_kernel(f"boolean(uint8[:, :], {_POINTS}, {_PLACES}, float64, uint8, int64, int64, boolean)")
def paint_path(
    window: NDArray[np.uint8],
    points: NDArray[np.float64],
    starts: NDArray[np.int64],
    reach_squared: float,
    value: int,
    row: int,
    column: int,
    dense: bool,
) -> bool:
    """Paint the pixels within sqrt(``reach_squared``) of polylines, and those that their points lie in.

    Args:
        window: part of an image.
        points: ``(n, 2)``, x and y.
        starts: index of the first point of each polyline.
        reach_squared: square of the largest distance.
        value: what to paint.
        row: the window's first row.
        column: the window's first column.
        dense: count how many segments cover a pixel and paint at the end, instead of painting at each segment; needs
            four bytes a pixel, and no longer than one look at each row for each segment, however wide the path.
    """
    rows, columns = window.shape
    counts = np.zeros((rows, columns + 1) if dense else (0, 0), np.int32)
    full = np.zeros(rows, np.bool_)
    open_rows = rows
    painted = False
    part = 0
    for i in range(len(points)):
        if part + 1 < len(starts) and starts[part + 1] == i:
            part += 1
        ax, ay = points[i]
        own = int(np.rint(ay)) - row, int(np.rint(ax)) - column
        if 0 <= own[0] < rows and 0 <= own[1] < columns:
            window[own] = value
            painted = True
        last = i + 1 == len(points) or (part + 1 < len(starts) and starts[part + 1] == i + 1)
        if open_rows == 0 or (last and starts[part] != i):
            continue
        bx, by = points[i] if last else points[i + 1]
        any_pixel, filled = _paint_segment(window, counts, full, ax, ay, bx, by, reach_squared, value, row, column)
        painted |= any_pixel
        open_rows -= filled
    if dense:
        for y in range(rows):
            covering = 0
            for x in range(columns):
                covering += counts[y, x]
                if covering:
                    window[y, x] = value
    return painted


@typed_kernel(f"boolean(uint8[:, :], {_POINTS}, {_PLACES}, uint8, int64, int64)")
def paint_polygon(
    window: NDArray[np.uint8],
    points: NDArray[np.float64],
    starts: NDArray[np.int64],
    value: int,
    row: int,
    column: int,
) -> bool:
    """Paint the pixels inside rings by the even-odd rule, and those on their border.

    Args:
        window: part of an image.
        points: ``(n, 2)``, x and y.
        starts: index of the first point of each ring.
        value: what to paint.
        row: the window's first row.
        column: the window's first column.
    """
    rows, columns = window.shape
    crossed = np.zeros((rows, columns), np.bool_)
    painted = False
    part = 0
    for i in range(len(points)):
        if part + 1 < len(starts) and starts[part + 1] == i:
            part += 1
        last = i + 1 == len(points) or (part + 1 < len(starts) and starts[part + 1] == i + 1)
        ax, ay = points[i]
        bx, by = points[starts[part]] if last else points[i + 1]
        top = max(min(ay, by) - 1, row)
        bottom = min(max(ay, by) + 1, row + rows - 1)
        for y in range(math.floor(top), math.ceil(bottom) + 1):
            first, stop = _span(y, ax, ay, bx - ax, by - ay, SLACK, column, column + columns - 1)
            if first <= stop:
                window[y - row, first - column : stop - column + 1] = value
                painted = True
            if (ay <= y) != (by <= y):
                crossing = math.ceil(ax + (y - ay) * (bx - ax) / (by - ay))
                if crossing < column + columns:
                    crossed[y - row, max(0, crossing - column)] ^= True
    for y in range(rows):
        inside = False
        for x in range(columns):
            inside ^= crossed[y, x]
            if inside:
                window[y, x] = value
                painted = True
    return painted


@typed_kernel("boolean(uint8[:, :], float64, float64, float64, float64, uint8, int64, int64)")
def paint_ellipse(
    window: NDArray[np.uint8],
    centre_x: float,
    centre_y: float,
    radius_x: float,
    radius_y: float,
    value: int,
    row: int,
    column: int,
) -> bool:
    """Paint the pixels inside an ellipse with axes along rows and columns, and those on its border.

    Args:
        window: part of an image.
        centre_x: of the ellipse.
        centre_y: of the ellipse.
        radius_x: half its width.
        radius_y: half its height.
        value: what to paint.
        row: the window's first row.
        column: the window's first column.
    """
    rows, columns = window.shape
    painted = False
    if radius_x <= 0 or radius_y <= 0:
        return painted
    for y in range(rows):
        room = 1 + SLACK - ((y + row - centre_y) / radius_y) ** 2
        if room < 0:
            continue
        half = radius_x * math.sqrt(room)
        first = max(0, math.ceil(centre_x - half) - column)
        stop = min(columns, math.floor(centre_x + half) - column + 1)
        if first < stop:
            window[y, first:stop] = value
            painted = True
    return painted
