"""The pixels under strokes by NumPy: what :mod:`segmentation.strokes._kernels` paints, with the same arguments.

Of each segment the ends of all of its rows are found together, and what they cover is counted and painted at the end.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.strokes._borders import ROUNDING, SLACK

Floats = NDArray[np.float64]
Places = NDArray[np.int64]

_silently = np.errstate(all="ignore")
"""What a segment or an ellipse without height divides by zero is compared, and found to lie nowhere."""


@_silently
def paint_path(
    window: NDArray[np.uint8],
    points: Floats,
    starts: Places,
    reach_squared: float,
    value: int,
    row: int,
    column: int,
    dense: bool,
) -> bool:
    """Paint the pixels within sqrt(``reach_squared``) of polylines, and those that their points lie in."""
    coverage = _Coverage(window.shape, row, column)
    radius = float(np.sqrt(reach_squared))
    for begin, end in _parts(points, starts):
        line = points[begin:end]
        for a, b in zip(line, line[1:] if len(line) > 1 else line, strict=False):
            coverage.add_segment(a, b, reach_squared, radius)
    own = np.rint(points[:, ::-1]).astype(np.int64) - (row, column)
    own = own[((own >= 0) & (own < window.shape)).all(axis=1)]
    coverage.add(own[:, 0], own[:, 1], own[:, 1])
    return coverage.paint(window, value)


@_silently
def paint_polygon(window: NDArray[np.uint8], points: Floats, starts: Places, value: int, row: int, column: int) -> bool:
    """Paint the pixels inside rings by the even-odd rule, and those on their border."""
    coverage = _Coverage(window.shape, row, column)
    crossed = np.zeros((window.shape[0], window.shape[1] + 1), np.bool_)
    for begin, end in _parts(points, starts):
        for a, b in zip(points[begin:end], np.roll(points[begin:end], -1, axis=0), strict=True):
            coverage.add_segment(a, b, SLACK, 1)
            y = np.arange(*coverage.rows_near(a[1], b[1], 1))
            y = y[(a[1] <= y) != (b[1] <= y)]
            crossing = np.ceil(a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1])) - column
            crossed[y - row, crossing.clip(0, window.shape[1]).astype(np.int64)] ^= True
    inside = np.logical_xor.accumulate(crossed[:, :-1], axis=1)
    window[inside] = value
    return coverage.paint(window, value) or bool(inside.any())


@_silently
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
    """Paint the pixels inside an ellipse with axes along rows and columns, and those on its border."""
    if radius_x <= 0 or radius_y <= 0:
        return False
    y = np.arange(len(window))
    room = 1 + SLACK - ((y + row - centre_y) / radius_y) ** 2
    y, half = y[room >= 0], radius_x * np.sqrt(room[room >= 0])
    first = np.maximum(np.ceil(centre_x - half) - column, 0).astype(np.int64)
    last = np.minimum(np.floor(centre_x + half) - column, window.shape[1] - 1).astype(np.int64)
    coverage = _Coverage(window.shape, row, column)
    coverage.add(y, first, last)
    return coverage.paint(window, value)


def _parts(points: Floats, starts: Places) -> Any:
    """The first point of each line or ring, and the one after its last."""
    return zip(starts.tolist(), [*starts[1:].tolist(), len(points)], strict=True)


class _Coverage:
    """How often the pixels of a part of an image, which begins at a row and column, are covered."""

    def __init__(self, shape: tuple[int, ...], row: int, column: int) -> None:
        self._row, self._column = row, column
        self._steps = np.zeros((shape[0], shape[1] + 1), np.int32)

    def rows_near(self, ay: float, by: float, reach: float) -> tuple[int, int]:
        """The first of the rows, and the one after the last, that come near what lies between two heights."""
        top = max(min(ay, by) - reach, self._row)
        bottom = min(max(ay, by) + reach, self._row + len(self._steps) - 1)
        return int(np.floor(top)), int(np.ceil(bottom)) + 1

    def add_segment(self, a: Floats, b: Floats, reach_squared: float, reach: float) -> None:
        """Cover the pixels within sqrt(``reach_squared``) of a segment, which lie in rows within ``reach`` of it."""
        y = np.arange(*self.rows_near(a[1], b[1], reach))
        low, high = self._column, self._column + self._steps.shape[1] - 2
        first, last = _spans(y, a, b - a, reach_squared, low, high)
        self.add(y - self._row, first - self._column, last - self._column)

    def add(self, rows: Places, first: Places, last: Places) -> None:
        """Cover the columns from the first to the last of each row; if the first comes after it, none."""
        some = first <= last
        np.add.at(self._steps, (rows[some], first[some]), 1)
        np.add.at(self._steps, (rows[some], last[some] + 1), -1)

    def paint(self, window: NDArray[np.uint8], value: int) -> bool:
        """Paint what is covered; whether anything is."""
        covered = self._steps[:, :-1].cumsum(axis=1, dtype=np.int32) > 0
        window[covered] = value
        return bool(covered.any())


def _spans(y: Places, a: Floats, d: Floats, reach_squared: float, low: int, high: int) -> tuple[Places, Places]:
    """First and last column of each row, between two, within sqrt(``reach_squared``) of the segment from a to a + d.

    They are estimated from the two end discs and the two long sides, then moved to where the exact comparison agrees.
    """
    (ax, ay), (dx, dy) = a.tolist(), d.tolist()
    length_squared = dx * dx + dy * dy
    left, right = np.full(len(y), np.inf), np.full(len(y), -np.inf)

    def widen(some: NDArray[np.bool_], begin: Any, end: Any) -> None:
        left[some] = np.minimum(left, begin)[some]
        right[some] = np.maximum(right, end)[some]

    for end in range(2):
        room = reach_squared - (y - ay - end * dy) ** 2
        half = np.sqrt(np.maximum(room, 0))
        widen(room >= 0, ax + end * dx - half, ax + end * dx + half)
    if dy != 0:
        middle, side = (y - ay) * dx / dy, np.sqrt(reach_squared * length_squared) / dy
        for offset in (middle - side, middle + side):
            along = offset * dx + (y - ay) * dy
            widen((along >= 0) & (along <= length_squared), ax + offset, ax + offset)
    there = (left <= right) & (left - ROUNDING <= high) & (right + ROUNDING >= low)
    first, last = np.zeros(len(y), np.int64), np.full(len(y), -1)
    first[there] = np.maximum(np.ceil(left[there] - ROUNDING), low)
    last[there] = np.minimum(np.floor(right[there] + ROUNDING), high)

    def outside(x: Places, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / length_squared, 0, 1) if length_squared > 0 else 0.0
        return among & ((x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2 > reach_squared)

    while (moved := outside(first, first <= last)).any():
        first[moved] += 1
    while (moved := outside(last, last > first)).any():
        last[moved] -= 1
    return first, last
