"""The compiled loops of the network.

Lanes are channels, which lie side by side, so that each sum is added in one order whatever the registers, the place in
the image, and the number of pixels at a time; nothing is fused. :mod:`._network_reference` adds in the same order.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation._shared.simd import FLOATS, load_run
from segmentation.features.learned._lanes import clipped, put_run

Floats = NDArray[np.float32]

_SIX = np.float32(6)


@part
def _pointwise(x: Floats, weights: Floats, bias: Floats, clips: bool, out: Floats) -> None:
    """``out[p] = bias + x[p] @ weights``, perhaps cut off at 0 and 6; eight pixels at a time keep their sums."""
    count, inputs = out.shape[0], weights.shape[0]
    for o in range(0, weights.shape[1], FLOATS):
        p = 0
        while p + 8 <= count:
            a = b = c = d = e = f = g = h = load_run(bias, 0, o)
            for i in range(inputs):
                weight = load_run(weights, i, o)
                a = a + weight * x[p, i]
                b = b + weight * x[p + 1, i]
                c = c + weight * x[p + 2, i]
                d = d + weight * x[p + 3, i]
                e = e + weight * x[p + 4, i]
                f = f + weight * x[p + 5, i]
                g = g + weight * x[p + 6, i]
                h = h + weight * x[p + 7, i]
            if clips:
                a, b, c, d = clipped(a, _SIX), clipped(b, _SIX), clipped(c, _SIX), clipped(d, _SIX)
                e, f, g, h = clipped(e, _SIX), clipped(f, _SIX), clipped(g, _SIX), clipped(h, _SIX)
            put_run(out, p, o, a)
            put_run(out, p + 1, o, b)
            put_run(out, p + 2, o, c)
            put_run(out, p + 3, o, d)
            put_run(out, p + 4, o, e)
            put_run(out, p + 5, o, f)
            put_run(out, p + 6, o, g)
            put_run(out, p + 7, o, h)
            p += 8
        while p < count:
            a = load_run(bias, 0, o)
            for i in range(inputs):
                a = a + load_run(weights, i, o) * x[p, i]
            put_run(out, p, o, clipped(a, _SIX) if clips else a)
            p += 1


@part
def _depthwise(
    ring: Floats, starts: NDArray[np.int64], weights: Floats, bias: Floats, side: int, stride: int, out: Floats
) -> None:
    """A row of ``(columns, channels)`` from rows that begin at ``starts`` of the ring, cut off at 0 and 6."""
    for o in range(0, weights.shape[1], FLOATS):
        for p in range(out.shape[0]):
            total = load_run(bias, 0, o)
            for r in range(side):
                at = starts[r] + p * stride
                for c in range(side):
                    total = total + load_run(weights, r * side + c, o) * load_run(ring, at + c, o)
            put_run(out, p, o, clipped(total, _SIX))


@kernel
def stem(image: Floats, weights: Floats, bias: Floats, taps: Floats, out: Floats) -> None:
    """The first layer, 3 x 3 with a stride of 2; 0 stands beyond the image.

    Args:
        image: ``(rows, columns, 3)``.
        weights: ``(27, channels)``.
        bias: ``(1, channels)``.
        taps: ``(columns / 2, 27)``, room to work in.
        out: ``(rows / 2, columns / 2, channels)`` to be filled.
    """
    rows, columns, channels = image.shape
    for r in range(out.shape[0]):
        for p in range(out.shape[1]):
            tap = 0
            for y in range(2 * r - 1, 2 * r + 2):
                for x in range(2 * p - 1, 2 * p + 2):
                    for c in range(channels):
                        inside = 0 <= y < rows and 0 <= x < columns
                        taps[p, tap] = image[y, x, c] if inside else np.float32(0)
                        tap += 1
        _pointwise(taps, weights, bias, True, out[r])


@kernel
def block(
    x: Floats,
    expand: tuple[Floats, Floats],
    deep: tuple[Floats, Floats],
    project: tuple[Floats, Floats],
    shape: tuple[int, int, int, int],
    ring: Floats,
    row: Floats,
    out: Floats,
) -> None:
    """An inverted residual block, row by row, of whose expanded rows only those are in memory that are looked at.

    Args:
        x: ``(rows, columns, channels)``.
        expand, deep, project: weights and bias of each of its three layers.
        shape: side of the kernel, stride, and whether the first layer is there and ``x`` is added to the result.
        ring: ``((side + 1) x (columns + side - 1), expanded channels)``, room to work in.
        row: ``(columns / stride, expanded channels)``, likewise.
        out: ``(rows / stride, columns / stride, channels)`` to be filled.
    """
    side, stride, expands, adds = shape
    rows, columns = x.shape[0], x.shape[1]
    pad = side // 2
    width = columns + 2 * pad
    ring[:] = 0  # the last row stays so: it stands beyond the image
    starts = np.empty(side, np.int64)
    done = 0
    for r in range(out.shape[0]):
        top = r * stride - pad
        while done < min(top + side, rows):
            begin = (done % side) * width + pad
            if expands:
                _pointwise(x[done], expand[0], expand[1], True, ring[begin : begin + columns])
            else:
                ring[begin : begin + columns] = x[done]
            done += 1
        for number in range(side):
            y = top + number
            starts[number] = (y % side if 0 <= y < rows else side) * width
        _depthwise(ring, starts, deep[0], deep[1], side, stride, row)
        _pointwise(row, project[0], project[1], False, out[r])
        if adds:
            out[r] += x[r]


@kernel
def interpolate(
    cells: Floats,
    numbers: NDArray[np.int32],
    stride: int,
    first: tuple[int, int],
    window: NDArray[np.int64],
    out: Floats,
) -> None:
    """Features of pixels between cells, bilinear.

    Args:
        cells: ``(features, rows, columns)``.
        numbers: which features are wanted.
        stride: pixels from one cell to the next.
        first: row and column of the window's first pixel, counted from the first cell.
        window: ``(2, 2)``, first and last but one row and column of ``out`` that are filled.
        out: ``(features, rows, columns)``.
    """
    width = cells.shape[2]
    line = np.empty(width, np.float32)
    (top, bottom), (left, right) = window
    for number in numbers:
        for y in range(bottom - top):
            cell, step = divmod(first[0] + y, stride)
            low = np.float32(step / stride)
            for c in range(width):
                line[c] = cells[number, cell, c] * (np.float32(1) - low) + cells[number, cell + 1, c] * low
            x = 0
            while x < right - left:
                cell, step = divmod(first[1] + x, stride)
                here, there = line[cell], line[cell + 1]
                for p in range(min(stride - step, right - left - x)):
                    part = np.float32((step + p) / stride)
                    out[number, top + y, left + x + p] = here * (np.float32(1) - part) + there * part
                x += stride - step
