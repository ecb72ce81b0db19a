"""The compiled derivatives of :mod:`segmentation.features.compute`, of what the Gaussians leave.

They are computed in float32 with the roundings of scipy and scikit-image, so that the result depends on no piece,
vector lane or thread.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation._shared.simd import FLOATS, load_run, store_run
from segmentation.features._lanes import SIDE, load_wide_run, narrow, store_wide_run
from segmentation.features.spec import DERIVATIVE_REACH

Floats = NDArray[np.float32]
Number: TypeAlias = Any
"""A float32, or lanes of them."""
Box = tuple[int, int, int, int]
"""First row, first column, rows and columns."""
Apron = tuple[int, int, int, int]
"""How many pixels of the image there are above, below, before and after a piece, at most ``DERIVATIVE_REACH``."""

MARGIN = 2
"""Columns of ``smooth`` before its first, which the derivatives read along with it: at least ``DERIVATIVE_REACH``."""

_HALF = np.float32(0.5)
_ONE = np.float32(1)
_QUARTER = np.float32(0.25)
_ROOT_TWO = np.float32(math.sqrt(2))


def smooth_scratch(sigmas: int, rows: int, columns: int) -> Floats:
    """``smooth``, ``(sigmas, rows, columns)`` with slack, for pieces of up to ``rows x columns`` pixels."""
    rows, columns = rows + 2 * DERIVATIVE_REACH, columns + 2 * DERIVATIVE_REACH
    return np.empty((sigmas, -(-rows // SIDE) * SIDE, _odd_lines(columns + 2 * MARGIN + 2 * FLOATS)), np.float32)


def _odd_lines(floats: int) -> int:
    """A length for rows of float32, so that they lie an odd number of cache lines apart and share no places there."""
    return (-(-floats // 16) | 1) * 16


@part
def neighbours(at: int, count: int) -> tuple[int, int, np.float32]:
    """The indices between which numpy.gradient differentiates at an index, and one over their distance."""
    before, after = max(at - 1, 0), min(at + 1, count - 1)
    return before, after, _HALF if after - before == 2 else _ONE


@part
def _eigenvalues(vertical: Number, mixed: Number, horizontal: Number) -> tuple[Number, Number]:
    """Eigenvalues of the symmetric matrix ((vertical, mixed), (mixed, horizontal)), the larger first."""
    mean = _HALF * (vertical + horizontal)
    difference = _HALF * (vertical - horizontal)
    distance = math.sqrt(mixed * mixed + difference * difference)
    return mean + distance, mean - distance


@part
def _write_intensity(smooth: Floats, piece: Box, out: Floats, place: tuple[int, int]) -> None:
    """The smoothed pixels themselves."""
    top, left, rows, columns = piece
    for r in range(rows):
        for x in range(0, columns, FLOATS):
            here = load_run(smooth, top + r, MARGIN + left + x)
            store_run(out, place[0] + r, place[1] + x, here, columns - x)


@part
def _write_edges(smooth: Floats, extent: tuple[int, int], piece: Box, out: Floats, place: tuple[int, int]) -> None:
    """The Sobel magnitude; beyond its sides the image is mirrored."""
    height, width = extent
    top, left, rows, columns = piece
    # Sums of a few float32 are exact in float64: rounded once, they are scipy's in any order.
    differences = np.empty((1, columns + 2 + FLOATS), np.float64)
    sums = np.empty((1, columns + 2 + FLOATS), np.float64)
    for y in range(height):
        smooth[y, MARGIN - 1] = smooth[y, MARGIN]
        smooth[y, MARGIN + width] = smooth[y, MARGIN + width - 1]
    for r in range(rows):
        y = top + r
        up, down, _ = neighbours(y, height)
        for x in range(0, columns + 2, FLOATS):
            at = MARGIN + left + x - 1
            upper, lower = load_wide_run(smooth, up, at), load_wide_run(smooth, down, at)
            store_wide_run(differences, 0, x, lower - upper)
            store_wide_run(sums, 0, x, upper + lower + 2.0 * load_wide_run(smooth, y, at))
        for x in range(0, columns, FLOATS):
            outer = load_wide_run(differences, 0, x) + load_wide_run(differences, 0, x + 2)
            vertical = narrow(outer + 2.0 * load_wide_run(differences, 0, x + 1))
            horizontal = narrow(load_wide_run(sums, 0, x + 2) - load_wide_run(sums, 0, x))
            magnitude = _QUARTER * (math.sqrt(vertical * vertical + horizontal * horizontal) / _ROOT_TWO)
            store_run(out, place[0] + r, place[1] + x, magnitude, columns - x)


@part
def _write_texture(
    smooth: Floats, extent: tuple[int, int], piece: Box, larger: Floats, smaller: Floats, place: tuple[int, int]
) -> None:
    """The eigenvalues of the Hessian, as if no column lay near a side of the image."""
    height, _ = extent
    top, left, rows, columns = piece
    for r in range(rows):
        y = top + r
        up, down, scale = neighbours(y, height)
        up_up, up_down, up_scale = neighbours(up, height)
        down_up, down_down, down_scale = neighbours(down, height)
        for x in range(0, columns, FLOATS):
            at = MARGIN + left + x
            slope_up = up_scale * (load_run(smooth, up_down, at) - load_run(smooth, up_up, at))
            slope_down = down_scale * (load_run(smooth, down_down, at) - load_run(smooth, down_up, at))
            across_before = scale * (load_run(smooth, down, at - 1) - load_run(smooth, up, at - 1))
            across_after = scale * (load_run(smooth, down, at + 1) - load_run(smooth, up, at + 1))
            here = load_run(smooth, y, at)
            slope_before = _HALF * (here - load_run(smooth, y, at - 2))
            slope_after = _HALF * (load_run(smooth, y, at + 2) - here)
            high, low = _eigenvalues(
                scale * (slope_down - slope_up),
                _HALF * (across_after - across_before),
                _HALF * (slope_after - slope_before),
            )
            store_run(larger, place[0] + r, place[1] + x, high, columns - x)
            store_run(smaller, place[0] + r, place[1] + x, low, columns - x)


@part
def _mend_texture(
    smooth: Floats, extent: tuple[int, int], piece: Box, larger: Floats, smaller: Floats, place: tuple[int, int]
) -> None:
    """The eigenvalues within two columns of the sides of the image, where derivatives are one-sided."""
    height, width = extent
    top, left, rows, columns = piece
    for x in (0, 1, width - 2, width - 1):
        if not left <= x < left + columns:
            continue
        before, after, step = neighbours(x, width)
        first, second, step_before = neighbours(before, width)
        third, fourth, step_after = neighbours(after, width)
        for r in range(rows):
            y = top + r
            up, down, scale = neighbours(y, height)
            up_up, up_down, up_scale = neighbours(up, height)
            down_up, down_down, down_scale = neighbours(down, height)
            slope_up = up_scale * (smooth[up_down, MARGIN + x] - smooth[up_up, MARGIN + x])
            slope_down = down_scale * (smooth[down_down, MARGIN + x] - smooth[down_up, MARGIN + x])
            across_before = scale * (smooth[down, MARGIN + before] - smooth[up, MARGIN + before])
            across_after = scale * (smooth[down, MARGIN + after] - smooth[up, MARGIN + after])
            slope_before = step_before * (smooth[y, MARGIN + second] - smooth[y, MARGIN + first])
            slope_after = step_after * (smooth[y, MARGIN + fourth] - smooth[y, MARGIN + third])
            high, low = _eigenvalues(
                scale * (slope_down - slope_up),
                step * (across_after - across_before),
                step * (slope_after - slope_before),
            )
            larger[place[0] + r, place[1] + x - left] = high
            smaller[place[0] + r, place[1] + x - left] = low


@part
def _derive(
    smooth: Floats,
    extent: tuple[int, int],
    piece: Box,
    kinds: tuple[bool, bool, bool],
    out: Floats,
    feature: int,
    place: tuple[int, int],
) -> int:
    """Write the features that follow from ``smooth``, of which the first is ``out[feature]``; returns the next."""
    intensity, edges, texture = kinds
    if intensity:
        _write_intensity(smooth, piece, out[feature], place)
        feature += 1
    if edges:
        _write_edges(smooth, extent, piece, out[feature], place)
        feature += 1
    if texture:
        _write_texture(smooth, extent, piece, out[feature], out[feature + 1], place)
        _mend_texture(smooth, extent, piece, out[feature], out[feature + 1], place)
        feature += 2
    return feature


@kernel
def derive(
    smooth: Floats,
    size: tuple[int, int],
    apron: Apron,
    kinds: tuple[bool, bool, bool],
    out: Floats,
    place: tuple[int, int],
) -> None:
    """All features of a piece of one channel that is smoothed.

    Args:
        smooth: ``(sigmas, rows, columns)``, see :func:`smooth_scratch`: the piece and its apron, behind the margin.
        size: rows and columns of the piece.
        apron: see :data:`Apron`.
        kinds: whether intensity, edges and texture are wanted.
        out: ``(features of the channel, rows, columns)``.
        place: row and column of the piece's first pixel in ``out``.
    """
    above, below, before, after = apron
    extent = (above + size[0] + below, before + size[1] + after)
    piece = (above, before, size[0], size[1])
    feature = 0
    for number in range(len(smooth)):
        feature = _derive(smooth[number], extent, piece, kinds, out, feature, place)


@kernel
def derive_from_planes(
    planes: Floats,
    needed: NDArray[np.int32],
    start: tuple[int, int],
    size: tuple[int, int],
    apron: Apron,
    kinds: tuple[bool, bool, bool],
    smooth: Floats,
    out: Floats,
) -> None:
    """The features of a piece whose channels are smoothed already.

    Args:
        planes: ``(channels x sigmas, rows, columns)``, with the apron around the piece.
        needed: ``(planes, 4)``, the planes of which something is wanted, and whether intensity, edges and texture are.
        start: row and column of the piece's first pixel in each plane.
        size: rows and columns of the piece.
        apron: see :data:`Apron`.
        kinds: whether there is place for intensity, edges and texture.
        smooth: see :func:`smooth_scratch`, of one sigma.
        out: ``(features, rows, columns)``.
    """
    above, below, before, after = apron
    extent = (above + size[0] + below, before + size[1] + after)
    piece = (above, before, size[0], size[1])
    top, left = start[0] - above, start[1] - before
    of_a_plane, place = len(out) // len(planes), (0, 0)
    for row in range(len(needed)):
        number, feature = needed[row, 0], needed[row, 0] * of_a_plane
        for y in range(extent[0]):
            for x in range(extent[1]):
                smooth[y, MARGIN + x] = planes[number, top + y, left + x]
        if needed[row, 1]:
            _write_intensity(smooth, piece, out[feature], place)
        feature += kinds[0]
        if needed[row, 2]:
            _write_edges(smooth, extent, piece, out[feature], place)
        feature += kinds[1]
        if needed[row, 3]:
            _write_texture(smooth, extent, piece, out[feature], out[feature + 1], place)
            _mend_texture(smooth, extent, piece, out[feature], out[feature + 1], place)
