"""The compiled Gaussians of :mod:`segmentation.features.compute`.

Each number is computed with the roundings of scipy and scikit-image: Gaussian sums in float64, from the outermost
tap inwards, rounded to float32 after each of the two passes. The smoothed pixels are therefore those of scikit-image to
the last bit, and the result depends on no piece, vector lane or thread.

A piece is worked through a few rows at a time: all Gaussians along the columns at once (from ``panels`` to ``middle``),
since they weight the same sums of pixels, then each along the rows (from ``middle`` to ``smooth``). What lies between
stays in a core's own cache. Both Gaussians go down a panel and transpose what they write; they work on whole blocks and
run over the piece's end into slack: see :func:`panels_shape` and :func:`scratch`.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.aligned import on_cache_lines
from segmentation._shared.compiled import kernel, part
from segmentation.features._derivative_kernels import MARGIN, Apron, smooth_scratch
from segmentation.features._lanes import (
    SIDE,
    append_row,
    load_block,
    prepend_row,
    store_block,
    store_transposed,
)
from segmentation.features.spec import DERIVATIVE_REACH

Doubles = NDArray[np.float64]
Floats = NDArray[np.float32]
Block: TypeAlias = Any
"""Lanes of float64, see :mod:`segmentation.features._lanes`."""


def panels_shape(rows: int, columns: int) -> tuple[int, int, int]:
    """Shape of an array for a plane of ``rows x columns`` pixels as panels, with slack.

    A panel is a few columns wide, and its rows lie one after the other in memory. So what a filter along the columns
    reads is fetched ahead by the processor, and takes a few pages of memory instead of one for each row.
    """
    return -(-columns // SIDE), rows + SIDE, SIDE


def scratch(rows: int, columns: int, radii: NDArray[np.int64]) -> tuple[Doubles, Doubles, Floats]:
    """``pairs``, ``middle`` and ``smooth`` for pieces of up to ``rows x columns`` pixels and Gaussians of these radii.

    ``pairs`` is ``(taps x SIDE, SIDE)``, blocks one below the other; ``middle``, ``(sigmas, columns, SIDE)``, is a
    panel of rows for each Gaussian.
    """
    length = columns + 2 * DERIVATIVE_REACH + 2 * int(radii.max()) + 3 * SIDE
    return (
        on_cache_lines((int(radii.max() + 1) * SIDE, SIDE), np.float64),
        on_cache_lines((len(radii), length, SIDE), np.float64),
        smooth_scratch(len(radii), rows, columns),
    )


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
        weights, radii, pairs: see :func:`smooth_piece`.
        middle: its panels one below the other.
        place: the row of the first panel of ``middle`` that the block goes to.
        length: rows of a panel of ``middle``.
    """
    first, last, shared = sigmas
    block = load_block(panel, centre, 0)
    store_block(pairs, 0, block)
    total = weights[last, 0] * block
    tap = radii[last]
    higher, lower = load_block(panel, centre - tap, 0), load_block(panel, centre + tap, 0)
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
        store_transposed(middle, number * length + place, 0, _weighted(pairs, weights[number], radii[number]))


@part
def _weighted(pairs: Doubles, weights: Doubles, radius: int) -> Block:
    """A Gaussian of a block, from the sums of the pixels as far above as below."""
    total = weights[0] * load_block(pairs, 0, 0)
    for tap in range(radius, 0, -1):
        total = total + weights[tap] * load_block(pairs, tap * SIDE, 0)
    return total


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


@kernel
def smooth_piece(
    panels: Floats,
    start: tuple[int, int],
    sides: tuple[int, int],
    size: tuple[int, int],
    apron: Apron,
    weights: Doubles,
    radii: NDArray[np.int64],
    pairs: Doubles,
    middle: Doubles,
    smooth: Floats,
) -> None:
    """All Gaussians of a piece of one channel and its apron, into ``smooth`` behind its margin.

    Args:
        panels: the channel, with at least the largest radius and ``DERIVATIVE_REACH`` more pixels around the piece.
        start: row and column of the piece's first pixel in the panels.
        sides: the image's first column in the panels, and that after its last; beyond them its border is repeated.
        size: rows and columns of the piece.
        apron: see :data:`Apron`.
        weights: ``(sigmas, taps)``, each Gaussian from its centre outwards.
        radii: the last tap of each, the largest last.
        pairs, middle, smooth: see :func:`scratch`.
    """
    above, below, before, after = apron
    extent = (above + size[0] + below, before + size[1] + after)
    _smooth(panels, start[0] - above, start[1] - before, sides, extent, weights, radii, pairs, middle, smooth)
