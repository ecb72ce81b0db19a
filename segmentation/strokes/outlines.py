"""Labels -> strokes: polygons along the borders of labelled regions, which label the very same pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.strokes.stroke import Stroke

MAX_CORNERS = 400_000
"""Most corners that the borders of all regions may have; as JSON they take about 6 MB."""

REGIONS_APART = 2_000
"""Up to so many regions each becomes a stroke of its own; of more, neighbours share a stroke."""

SHARED_CORNERS = 5_000
LARGEST_STROKE = 50_000
"""Corners of a region that is cut into quarters, each of which is a stroke."""

_ROOM_AT_FIRST = 1 << 16

TILE = 4_096
"""Larger labels are cut into tiles, which bounds the memory that it takes."""


def outline_strokes(labels: NDArray[np.uint8 | np.int32], prefix: str) -> list[Stroke]:
    """Strokes that label what labels label: painted on an empty image they give the same labels, pixel by pixel.

    The corners lie between pixels, at halves, so that no pixel centre lies on a border and holes stay free (even-odd).

    Args:
        labels: ``(rows, columns)`` uint8 or int32 class ids, 0 = unlabelled, 256 = where the image is worked on.
        prefix: of the ids of the strokes, which a number follows.

    Raises:
        ValueError: with a sentence, if the borders have more than 400,000 corners.
    """
    pieces = []
    for row in range(0, labels.shape[0], TILE):
        for column in range(0, labels.shape[1], TILE):
            pieces += _traced(labels[row : row + TILE, column : column + TILE], row, column)
            check_corners(sum(len(points) for _, points, _ in pieces))
    return [
        Stroke(f"{prefix}{number}", class_id, "polygon", points, starts=starts)
        for number, (class_id, points, starts) in enumerate(pieces, start=1)
    ]


@dataclass(frozen=True, eq=False)
class Rings:
    """The borders of regions: pixels of one value that touch along a side.

    Attributes:
        corners: ``(corners, 2)`` int32, column and row of the pixel to whose upper left each corner lies.
        starts: ``(rings + 1,)``, where the corners of each ring begin, and end. A ring goes around its region, which
            lies to the right; the first of a region is its outer border, the others are those of its holes.
        regions: ``(rings,)``, a number of the region that each ring belongs to.
        labels: ``(rings,)``, the value of the pixels of that region.
    """

    corners: NDArray[np.int32]
    starts: NDArray[np.int64]
    regions: NDArray[np.int32]
    labels: NDArray[Any]


def trace_rings(labels: NDArray[Any], most: int) -> Rings | None:
    """The borders of all regions of labels; None if they have more than ``most`` corners.

    Args:
        labels: ``(rows, columns)`` uint8 or int32, 0 where there is no region.
        most: corners that are possible.
    """
    from segmentation.strokes import _outline_kernels

    padded = np.pad(labels, 1)
    room, found = min(most, _ROOM_AT_FIRST), -1
    while found < 0:
        corners, rings = np.empty((room, 2), np.int32), np.empty((room // 4 + 1, 3), np.int64)
        found = _outline_kernels.trace(padded, np.zeros(padded.shape, np.uint8), corners, rings)
        if found < 0 and room == most:
            return None
        room = min(most, 8 * room)
    parents = np.empty(padded.size, np.int32)
    _outline_kernels.join(padded, parents)
    starts = rings[: found + 1, 0].copy()
    places = rings[:found, 1:]
    regions = parents[places[:, 0] * padded.shape[1] + places[:, 1]]
    return Rings(corners[: starts[-1]] - 1, starts, regions, padded[places[:, 0], places[:, 1]])


_Piece = tuple[int, NDArray[np.float64], tuple[int, ...]]


def _traced(labels: NDArray[np.uint8 | np.int32], row: int, column: int) -> list[_Piece]:
    """Class, points and starts of each stroke of a part of labels that begins at a row and column."""
    if not labels.any():
        return []
    traced = trace_rings(labels, MAX_CORNERS)
    if traced is None:
        raise ValueError(_TOO_FINE)
    starts, regions, classes = traced.starts, traced.regions, traced.labels
    lengths = np.diff(starts)
    _, at, sizes = np.unique(regions, return_inverse=True, return_counts=True)
    if np.bincount(at, lengths).max() > LARGEST_STROKE and max(labels.shape) > 2:
        return _quarters(labels, row, column)
    points = traced.corners + np.array([column - 0.5, row - 0.5])
    order = np.lexsort((regions, classes))
    apart = len(sizes) <= REGIONS_APART
    return [
        (
            int(classes[group[0]]),
            np.concatenate([points[starts[ring] : starts[ring + 1]] for ring in group]),
            tuple(np.cumsum([0, *lengths[group[:-1]]]).tolist()),
        )
        for group in _groups(order, classes, regions, lengths, apart)
    ]


def _groups(
    order: NDArray[np.intp],
    classes: NDArray[np.uint8 | np.int32],
    regions: NDArray[np.int32],
    lengths: NDArray[np.int64],
    apart: bool,
) -> Iterator[list[int]]:
    """Which rings make a stroke: those of a region, or of neighbouring regions of a class."""
    group: list[int] = []
    corners = 0
    for ring in order.tolist():
        if group:
            other_region = regions[ring] != regions[group[-1]]
            full = apart or corners + lengths[ring] > SHARED_CORNERS
            if classes[ring] != classes[group[-1]] or (other_region and full):
                yield group
                group, corners = [], 0
        group.append(ring)
        corners += int(lengths[ring])
    if group:
        yield group


def _quarters(labels: NDArray[np.uint8 | np.int32], row: int, column: int) -> list[_Piece]:
    middle, centre = (labels.shape[0] + 1) // 2, (labels.shape[1] + 1) // 2
    return [
        piece
        for rows, top in ((slice(0, middle), 0), (slice(middle, None), middle))
        for columns, left in ((slice(0, centre), 0), (slice(centre, None), centre))
        for piece in _traced(labels[rows, columns], row + top, column + left)
    ]


_TOO_FINE = f"The borders of its regions have more than {MAX_CORNERS:,} corners: smooth it, or take a part of it."


def check_corners(corners: int) -> None:
    """Refuse borders with more corners than strokes of one file may have.

    Raises:
        ValueError: with a sentence.
    """
    if corners > MAX_CORNERS:
        raise ValueError(_TOO_FINE)
