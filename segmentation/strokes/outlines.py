"""Labels -> strokes: polygons along the borders of labelled regions, which label the very same pixels."""

from __future__ import annotations

from collections.abc import Iterator

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

TILE = 4_096
"""Larger labels are cut into tiles, which bounds the memory that it takes."""


def outline_strokes(labels: NDArray[np.uint8], prefix: str) -> list[Stroke]:
    """Strokes that label what labels label: painted on an empty image they give the same labels, pixel by pixel.

    The corners lie between pixels, at halves, so that no pixel centre lies on a border and holes stay free (even-odd).

    Args:
        labels: ``(rows, columns)`` uint8 class ids, 0 = unlabelled.
        prefix: of the ids of the strokes, which a number follows.

    Raises:
        ValueError: with a sentence, if the borders have more than 400,000 corners.
    """
    pieces = []
    for row in range(0, labels.shape[0], TILE):
        for column in range(0, labels.shape[1], TILE):
            pieces += _traced(labels[row : row + TILE, column : column + TILE], row, column)
            _check(sum(len(points) for _, points, _ in pieces))
    return [
        Stroke(f"{prefix}{number}", class_id, "polygon", points, starts=starts)
        for number, (class_id, points, starts) in enumerate(pieces, start=1)
    ]


_Piece = tuple[int, NDArray[np.float64], tuple[int, ...]]


def _traced(labels: NDArray[np.uint8], row: int, column: int) -> list[_Piece]:
    """Class, points and starts of each stroke of a part of labels that begins at a row and column."""
    from segmentation.strokes import _outline_kernels

    if not labels.any():
        return []
    padded = np.pad(labels, 1)
    corners, rings = np.empty((MAX_CORNERS, 2), np.int32), np.empty((MAX_CORNERS // 4 + 1, 3), np.int64)
    found = _outline_kernels.trace(padded, np.zeros_like(padded), corners, rings)
    if found < 0:
        _check(MAX_CORNERS + 1)
    parents = np.empty(padded.size, np.int32)
    _outline_kernels.join(padded, parents)
    starts = rings[: found + 1, 0]
    regions = parents[rings[:found, 1] * padded.shape[1] + rings[:found, 2]]
    classes = padded[rings[:found, 1], rings[:found, 2]]
    lengths = np.diff(starts)
    _, at, sizes = np.unique(regions, return_inverse=True, return_counts=True)
    if np.bincount(at, lengths).max() > LARGEST_STROKE and max(labels.shape) > 2:
        return _quarters(labels, row, column)
    points = corners[: starts[-1]] + np.array([column - 1.5, row - 1.5])
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
    classes: NDArray[np.uint8],
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


def _quarters(labels: NDArray[np.uint8], row: int, column: int) -> list[_Piece]:
    middle, centre = (labels.shape[0] + 1) // 2, (labels.shape[1] + 1) // 2
    return [
        piece
        for rows, top in ((slice(0, middle), 0), (slice(middle, None), middle))
        for columns, left in ((slice(0, centre), 0), (slice(centre, None), centre))
        for piece in _traced(labels[rows, columns], row + top, column + left)
    ]


def _check(corners: int) -> None:
    if corners > MAX_CORNERS:
        raise ValueError(
            f"The borders of its regions have more than {MAX_CORNERS:,} corners: smooth it, or take a part of it."
        )
