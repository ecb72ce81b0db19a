"""The compiled inner loops of :mod:`segmentation.features.compute`.

Each number is computed with the roundings of scipy and scikit-image: Gaussian sums in float64, from the outermost
tap inwards, rounded to float32 after each of the two passes, and derivatives in float32. The features are therefore
those of scikit-image to the last bit, and no tile, vector lane or thread can make a difference.

A tile is worked through a few rows at a time: all Gaussians along the columns at once (from ``panels`` to ``middle``),
since they weight the same sums of pixels, then each along the rows (from ``middle`` to ``smooth``). The derivatives
follow when ``smooth`` is complete. What lies between stays in a core's own cache. Both Gaussians go down a panel and
transpose what they write; they work on whole blocks and run over the tile's end into slack: see :func:`panels_shape`
and :func:`scratch`.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.simd import FLOATS, kernel, load_run, part, store_run
from segmentation.features._lanes import (
    SIDE,
    append_row,
    load_block,
    load_wide_run,
    narrow,
    prepend_row,
    store_block,
    store_transposed,
    store_wide_run,
)

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Number: TypeAlias = Any
"""A float32, or lanes of them."""
Box = tuple[int, int, int, int]

REACH = 2
"""Pixels that the second derivatives look beyond a pixel."""

CACHE_LINE = 64
"""Bytes that processors fetch and keep together."""

MARGIN = 2
"""Columns of ``smooth`` before its first, which the derivatives read along with it."""

_HALF = np.float32(0.5)
_ONE = np.float32(1)
_QUARTER = np.float32(0.25)
_ROOT_TWO = np.float32(math.sqrt(2))


def panels_shape(rows: int, columns: int) -> tuple[int, int, int]:
    """Shape of an array for a plane of ``rows x columns`` pixels as panels, with slack.

    A panel is a few columns wide, and its rows lie one after the other in memory. So what a filter along the columns
    reads is fetched ahead by the processor, and takes a few pages of memory instead of one for each row.
    """
    return -(-columns // SIDE), rows + SIDE, SIDE


def on_cache_lines(shape: tuple[int, ...], dtype: type[np.floating[Any]]) -> NDArray[Any]:
    """An array to be filled that starts with a cache line.

    Its rows of ``SIDE`` numbers then lie in one line each. Where they lie across two, as they do by chance in what
    NumPy allocates, each takes the time of two.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)


def scratch(rows: int, columns: int, radii: NDArray[np.int64]) -> tuple[Doubles, Doubles, Floats]:
    """``pairs``, ``middle`` and ``smooth`` for tiles of up to ``rows x columns`` pixels and Gaussians of these radii.

    ``pairs`` is ``(taps x SIDE, SIDE)``, blocks one below the other; ``middle``, ``(sigmas, columns, SIDE)``, is a
    panel of rows for each Gaussian.
    """
    length = columns + 2 * REACH + 2 * int(radii.max()) + 3 * SIDE
    return (
        on_cache_lines((int(radii.max() + 1) * SIDE, SIDE), np.float64),
        on_cache_lines((len(radii), length, SIDE), np.float64),
        smooth_scratch(len(radii), rows, columns),
    )


def smooth_scratch(sigmas: int, rows: int, columns: int) -> Floats:
    """``smooth``, ``(sigmas, rows, columns)`` with slack, for tiles of up to ``rows x columns`` pixels."""
    rows, columns = rows + 2 * REACH, columns + 2 * REACH
    return np.empty((sigmas, -(-rows // SIDE) * SIDE, _odd_lines(columns + 2 * MARGIN + 2 * FLOATS)), np.float32)


def _odd_lines(floats: int) -> int:
    """A length for rows of float32, so that they lie an odd number of cache lines apart and share no places there."""
    return (-(-floats // 16) | 1) * 16


@kernel
def pack(strip: Floats, panels: Floats, first: int) -> None:
    """Write the rows of a strip, ``(rows, panels * SIDE)``, into panels from row ``first`` on."""
    for r in range(len(strip)):
        for panel in range(len(panels)):
            for x in range(SIDE):
                panels[panel, first + r, x] = strip[r, panel * SIDE + x]


@part
def _smooth_down(
    panel: Floats,
    centre: int,
    sigmas: tuple[int, int, int],
    weights: Doubles,
    radii: NDArray[np.int64],
    pairs: Doubles,
    middle: Doubles,
    place: int,
    length: int,
) -> None:
    """The Gaussians down a panel, at a block of rows from ``centre`` on, transposed into the panels of ``middle``.

    What all Gaussians weight, the sums of the pixels as far above as below, the last adds up for the others.

    Args:
        panel: the pixels.
        centre: the first row of the block.
        sigmas: the first Gaussian that is wanted here, the last of all, and the largest radius of the others.
        weights, radii: see :func:`tile_features`.
        pairs: see :func:`scratch`.
        middle: its panels one below the other.
        place: the row of the first panel of ``middle`` that the block goes to.
        length: rows of a panel of ``middle``.
    """
    first, last, shared = sigmas
    block = load_block(panel, centre, 0)
    store_block(pairs, 0, block)
    total = weights[last, 0] * block
    tap = radii[last]
    higher = load_block(panel, centre - tap, 0)
    lower = load_block(panel, centre + tap, 0)
    while tap >= shared + SIDE:  # after as many taps as it has rows, a block is in the registers again where it was
        for step in range(SIDE):
            total = total + weights[last, tap - step] * (higher + lower)
            higher = append_row(higher, panel, centre - tap + step + SIDE, 0)
            lower = prepend_row(lower, panel, centre + tap - step - 1, 0)
        tap -= SIDE
    while tap > shared:
        total = total + weights[last, tap] * (higher + lower)
        higher = append_row(higher, panel, centre - tap + SIDE, 0)
        lower = prepend_row(lower, panel, centre + tap - 1, 0)
        tap -= 1
    while tap >= SIDE:
        for step in range(SIDE):
            pair = higher + lower
            store_block(pairs, (tap - step) * SIDE, pair)
            total = total + weights[last, tap - step] * pair
            higher = append_row(higher, panel, centre - tap + step + SIDE, 0)
            lower = prepend_row(lower, panel, centre + tap - step - 1, 0)
        tap -= SIDE
    while tap > 0:
        pair = higher + lower
        store_block(pairs, tap * SIDE, pair)
        total = total + weights[last, tap] * pair
        higher = append_row(higher, panel, centre - tap + SIDE, 0)
        lower = prepend_row(lower, panel, centre + tap - 1, 0)
        tap -= 1
    store_transposed(middle, last * length + place, 0, total)
    for number in range(first, last):
        total = weights[number, 0] * load_block(pairs, 0, 0)
        for tap in range(radii[number], 0, -1):
            total = total + weights[number, tap] * load_block(pairs, tap * SIDE, 0)
        store_transposed(middle, number * length + place, 0, total)


@part
def _smooth_across(
    middle: Doubles, first: int, count: int, weights: Doubles, radius: int, smooth: Floats, row: int
) -> None:
    """The Gaussian down a panel of rows, at ``count`` places from ``first`` on, transposed back into ``smooth``."""
    for start in range(0, count, SIDE):
        centre = first + start
        total = weights[0] * load_block(middle, centre, 0)
        higher = load_block(middle, centre - radius, 0)
        lower = load_block(middle, centre + radius, 0)
        tap = radius
        while tap >= SIDE:
            for step in range(SIDE):
                total = total + weights[tap - step] * (higher + lower)
                higher = append_row(higher, middle, centre - tap + step + SIDE, 0)
                lower = prepend_row(lower, middle, centre + tap - step - 1, 0)
            tap -= SIDE
        while tap > 0:
            total = total + weights[tap] * (higher + lower)
            higher = append_row(higher, middle, centre - tap + SIDE, 0)
            lower = prepend_row(lower, middle, centre + tap - 1, 0)
            tap -= 1
        store_transposed(smooth, row, MARGIN + start, total)


@part
def _smooth(
    panels: Floats,
    row: int,
    column: int,
    sides: tuple[int, int],
    extent: tuple[int, int],
    weights: Doubles,
    radii: NDArray[np.int64],
    pairs: Doubles,
    middle: Doubles,
    smooth: Floats,
) -> None:
    """The Gaussians of the pixels from ``row`` and ``column`` of the panels on, into ``smooth`` behind its margin.

    Columns beyond the image's ``sides`` have what its border has, which is copied.
    """
    height, width = extent
    last = len(radii) - 1
    reach = radii[last]
    shared = radii[last - 1] if last else 0
    count, panel_rows, _ = panels.shape
    pixels = panels.reshape(count * panel_rows, SIDE)
    _, length, _ = middle.shape
    between = middle.reshape(len(radii) * length, SIDE)
    first = (column - reach) // SIDE
    begin = max(first, sides[0] // SIDE)
    end = min(column + width + reach - 1, sides[1] - 1) // SIDE + 1
    for start in range(0, height, SIDE):
        for number in range(begin, end):
            before, after = column - (number + 1) * SIDE, number * SIDE - column - width
            near = 0
            while near < last and (before >= radii[near] or after >= radii[near]):
                near += 1
            centre = number * panel_rows + row + start
            sigmas = near, last, shared
            _smooth_down(pixels, centre, sigmas, weights, radii, pairs, between, (number - first) * SIDE, length)
        for sigma in range(len(radii)):
            origin = sigma * length - first * SIDE
            for at in range(column - radii[sigma], begin * SIDE):
                for r in range(SIDE):
                    between[origin + at, r] = between[origin + sides[0], r]
            for at in range(end * SIDE, column + width + radii[sigma]):
                for r in range(SIDE):
                    between[origin + at, r] = between[origin + sides[1] - 1, r]
            _smooth_across(between, origin + column, width, weights[sigma], radii[sigma], smooth[sigma], start)


@part
def _neighbours(at: int, count: int) -> tuple[int, int, np.float32]:
    """The places between which numpy.gradient takes the derivative at a place, and one over their distance."""
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
def _write_intensity(smooth: Floats, tile: Box, out: Floats, place: tuple[int, int]) -> None:
    """The smoothed pixels themselves."""
    top, left, rows, columns = tile
    for r in range(rows):
        for x in range(0, columns, FLOATS):
            here = load_run(smooth, top + r, MARGIN + left + x)
            store_run(out, place[0] + r, place[1] + x, here, columns - x)


@part
def _write_edges(smooth: Floats, extent: tuple[int, int], tile: Box, out: Floats, place: tuple[int, int]) -> None:
    """The Sobel magnitude; beyond its sides the image is mirrored."""
    height, width = extent
    top, left, rows, columns = tile
    # Sums of a few float32 are exact in float64: rounded once, they are scipy's, whatever the order.
    differences = np.empty((1, columns + 2 + FLOATS), np.float64)
    sums = np.empty((1, columns + 2 + FLOATS), np.float64)
    for y in range(height):
        smooth[y, MARGIN - 1] = smooth[y, MARGIN]
        smooth[y, MARGIN + width] = smooth[y, MARGIN + width - 1]
    for r in range(rows):
        y = top + r
        up, down, _ = _neighbours(y, height)
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
    smooth: Floats, extent: tuple[int, int], tile: Box, larger: Floats, smaller: Floats, place: tuple[int, int]
) -> None:
    """The eigenvalues of the Hessian, as if no column lay near a side of the image."""
    height, _ = extent
    top, left, rows, columns = tile
    for r in range(rows):
        y = top + r
        up, down, scale = _neighbours(y, height)
        up_up, up_down, up_scale = _neighbours(up, height)
        down_up, down_down, down_scale = _neighbours(down, height)
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
    smooth: Floats, extent: tuple[int, int], tile: Box, larger: Floats, smaller: Floats, place: tuple[int, int]
) -> None:
    """The eigenvalues within two columns of the sides of the image, where derivatives are one-sided."""
    height, width = extent
    top, left, rows, columns = tile
    for x in (0, 1, width - 2, width - 1):
        if not left <= x < left + columns:
            continue
        before, after, step = _neighbours(x, width)
        first, second, step_before = _neighbours(before, width)
        third, fourth, step_after = _neighbours(after, width)
        for r in range(rows):
            y = top + r
            up, down, scale = _neighbours(y, height)
            up_up, up_down, up_scale = _neighbours(up, height)
            down_up, down_down, down_scale = _neighbours(down, height)
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
    tile: Box,
    kinds: tuple[bool, bool, bool],
    out: Floats,
    feature: int,
    place: tuple[int, int],
) -> int:
    """Write the features that follow from ``smooth``, of which the first is ``out[feature]``; returns the next."""
    intensity, edges, texture = kinds
    if intensity:
        _write_intensity(smooth, tile, out[feature], place)
        feature += 1
    if edges:
        _write_edges(smooth, extent, tile, out[feature], place)
        feature += 1
    if texture:
        _write_texture(smooth, extent, tile, out[feature], out[feature + 1], place)
        _mend_texture(smooth, extent, tile, out[feature], out[feature + 1], place)
        feature += 2
    return feature


@kernel
def tile_features(
    panels: Floats,
    start: tuple[int, int],
    sides: tuple[int, int],
    size: tuple[int, int],
    apron: Box,
    weights: Doubles,
    radii: NDArray[np.int64],
    kinds: tuple[bool, bool, bool],
    pairs: Doubles,
    middle: Doubles,
    smooth: Floats,
    out: Floats,
    place: tuple[int, int],
) -> None:
    """All features of a tile of one channel.

    Args:
        panels: the channel, with at least the largest radius and ``REACH`` more pixels around the tile.
        start: row and column of the tile's first pixel in the panels.
        sides: the image's first column in the panels, and that after its last; beyond them its border is repeated.
        size: rows and columns of the tile.
        apron: how many pixels of the image, at most ``REACH``, there are above, below, before and after the tile.
        weights: ``(sigmas, taps)``, each Gaussian from its centre outwards.
        radii: the last tap of each, the largest last.
        kinds: whether intensity, edges and texture are wanted.
        pairs, middle, smooth: see :func:`scratch`.
        out: ``(features of the channel, rows, columns)``.
        place: row and column of the tile's first pixel in ``out``.
    """
    above, below, before, after = apron
    extent = (above + size[0] + below, before + size[1] + after)
    tile = (above, before, size[0], size[1])
    feature = 0
    _smooth(panels, start[0] - above, start[1] - before, sides, extent, weights, radii, pairs, middle, smooth)
    for number in range(len(radii)):
        feature = _derive(smooth[number], extent, tile, kinds, out, feature, place)


@kernel
def smoothed_features(
    planes: Floats,
    start: tuple[int, int],
    size: tuple[int, int],
    apron: Box,
    kinds: tuple[bool, bool, bool],
    smooth: Floats,
    out: Floats,
) -> None:
    """All features of a tile whose channels are smoothed already.

    Args:
        planes: ``(channels x sigmas, rows, columns)``, with the apron around the tile.
        start: row and column of the tile's first pixel in each plane.
        size: rows and columns of the tile.
        apron: as for :func:`tile_features`.
        kinds: whether intensity, edges and texture are wanted.
        smooth: see :func:`smooth_scratch`, of one sigma.
        out: ``(features, rows, columns)``.
    """
    above, below, before, after = apron
    extent = (above + size[0] + below, before + size[1] + after)
    tile = (above, before, size[0], size[1])
    top, left = start[0] - above, start[1] - before
    feature = 0
    for number in range(len(planes)):
        for y in range(extent[0]):
            for x in range(extent[1]):
                smooth[y, MARGIN + x] = planes[number, top + y, left + x]
        feature = _derive(smooth, extent, tile, kinds, out, feature, (0, 0))
