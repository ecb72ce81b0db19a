"""The compiled loops of :mod:`segmentation.features.volumes`: Gaussians along the planes, edges and eigenvalues.

Sums are those of scipy and scikit-image, in their order and with their roundings; eigenvalues are those of
:mod:`segmentation.features._volume_reference`, operation by operation.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation.features._derivative_kernels import neighbours

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]

_SIXTEENTH = np.float32(1 / 16)
_ROOT_THREE = np.float32(math.sqrt(3))


@kernel
def smooth_depth(
    planes: NDArray[Any],
    centre: int,
    weights: Doubles,
    radius: int,
    scale: np.float32,
    lowest: np.float32,
    out: Floats,
) -> None:
    """The Gaussian along the planes, at one of them; beyond the first and the last plane these are repeated.

    Args:
        planes: ``(planes, rows, columns)`` of any type that an image has.
        centre: which of them.
        weights: from its centre outwards.
        radius: the last tap.
        scale: what values are multiplied with to be features.
        lowest: the smallest value that there is then.
        out: ``(rows, columns)`` to be filled.
    """
    last, (rows, columns) = len(planes) - 1, out.shape
    total = np.empty(columns, np.float64)
    for r in range(rows):
        here = planes[centre, r]
        for x in range(columns):
            total[x] = weights[0] * np.float64(max(np.float32(here[x]) * scale, lowest))
        for tap in range(radius, 0, -1):
            weight = weights[tap]
            above, below = planes[max(centre - tap, 0), r], planes[min(centre + tap, last), r]
            for x in range(columns):
                pair = np.float64(max(np.float32(above[x]) * scale, lowest)) + np.float64(
                    max(np.float32(below[x]) * scale, lowest)
                )
                total[x] += weight * pair
        for x in range(columns):
            out[r, x] = np.float32(total[x])


@kernel
def write_edges(block: Floats, own: int, top: int, left: int, out: Floats) -> None:
    """The Sobel magnitude of a plane; beyond its sides the volume is mirrored.

    Args:
        block: ``(planes, rows, columns)`` smoothed, with what lies beside ``out``, as far as the volume goes.
        own: which of the planes.
        top, left: row and column of the first pixel of ``out`` in the block.
        out: ``(rows, columns)`` to be filled.
    """
    depth, height, width = block.shape
    rows, columns = out.shape
    length = columns + 2
    # Sums of a few float32 are exact in float64: rounded once, they are scipy's in any order.
    deep, down, whole = np.empty(length), np.empty(length), np.empty(length)
    before, after = max(own - 1, 0), min(own + 1, depth - 1)
    for r in range(rows):
        y = top + r
        up, low = max(y - 1, 0), min(y + 1, height - 1)
        for i in range(length):
            x = min(max(left + i - 1, 0), width - 1)
            a, b, c = (
                np.float64(block[before, up, x]),
                np.float64(block[before, y, x]),
                np.float64(block[before, low, x]),
            )
            d, e, f = np.float64(block[own, up, x]), np.float64(block[own, y, x]), np.float64(block[own, low, x])
            g, h, k = np.float64(block[after, up, x]), np.float64(block[after, y, x]), np.float64(block[after, low, x])
            deep[i] = (g + 2.0 * h + k) - (a + 2.0 * b + c)
            down[i] = (c + 2.0 * f + k) - (a + 2.0 * d + g)
            whole[i] = (a + 2.0 * b + c) + 2.0 * (d + 2.0 * e + f) + (g + 2.0 * h + k)
        for i in range(columns):
            along = _SIXTEENTH * np.float32(deep[i] + 2.0 * deep[i + 1] + deep[i + 2])
            vertical = _SIXTEENTH * np.float32(down[i] + 2.0 * down[i + 1] + down[i + 2])
            horizontal = _SIXTEENTH * np.float32(whole[i + 2] - whole[i])
            squares = along * along + vertical * vertical + horizontal * horizontal
            out[r, i] = np.float32(math.sqrt(squares)) / _ROOT_THREE


@part
def _normed(
    zz: np.float32, zy: np.float32, zx: np.float32, yy: np.float32, yx: np.float32, xx: np.float32
) -> tuple[float, float, float]:
    """Mean and spread of the eigenvalues of a symmetric matrix, and half the determinant of it without these."""
    a, b, c = np.float64(zz), np.float64(yy), np.float64(xx)
    d, e, f = np.float64(zy), np.float64(zx), np.float64(yx)
    mean = (a + b + c) / 3.0
    a, b, c = a - mean, b - mean, c - mean
    spread = math.sqrt((a * a + b * b + c * c + 2.0 * (d * d + e * e + f * f)) / 6.0)
    inverse = 1.0 / spread if spread > 0.0 else 0.0
    a, b, c = a * inverse, b * inverse, c * inverse
    d, e, f = d * inverse, e * inverse, f * inverse
    return mean, spread, (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) * 0.5


@part
def _single_roots(half: Doubles, roots: Doubles) -> None:
    """The root that lies alone, of each characteristic polynomial: a loop of its own, which LLVM turns into vectors."""
    for i in range(len(half)):
        m = min(abs(half[i]), 1.0)
        x = 1.7320508075688772 + m * 0.2679491924311228
        x = x - (x * x * x - 3.0 * x - 2.0 * m) / (3.0 * x * x - 3.0)
        x = x - (x * x * x - 3.0 * x - 2.0 * m) / (3.0 * x * x - 3.0)
        x = x - (x * x * x - 3.0 * x - 2.0 * m) / (3.0 * x * x - 3.0)
        roots[i] = x - (x * x * x - 3.0 * x - 2.0 * m) / (3.0 * x * x - 3.0)


@kernel
def write_texture(block: Floats, own: int, top: int, left: int, out: Floats) -> None:
    """The eigenvalues of the Hessian of a plane; beside the sides of the volume derivatives are one-sided.

    Args:
        block: ``(planes, rows, columns)`` smoothed, with two pixels beside ``out``, as far as the volume goes.
        own: which of the planes.
        top, left: row and column of the first pixel of ``out`` in the block.
        out: ``(3, rows, columns)`` to be filled, the largest first.
    """
    depth, height, width = block.shape
    _, rows, columns = out.shape
    before, after, through = neighbours(own, depth)
    b0, b1, b_step = neighbours(before, depth)
    a0, a1, a_step = neighbours(after, depth)
    plane = block[own]
    mean, spread, half, roots = np.empty(columns), np.empty(columns), np.empty(columns), np.empty(columns)
    for r in range(rows):
        y = top + r
        up, low, down = neighbours(y, height)
        u0, u1, u_step = neighbours(up, height)
        l0, l1, l_step = neighbours(low, height)
        for i in range(columns):
            x = left + i
            near, far, across = neighbours(x, width)
            n0, n1, n_step = neighbours(near, width)
            f0, f1, f_step = neighbours(far, width)
            zz = through * (a_step * (block[a1, y, x] - block[a0, y, x]) - b_step * (block[b1, y, x] - block[b0, y, x]))
            z_low, z_up = block[after, low, x] - block[before, low, x], block[after, up, x] - block[before, up, x]
            zy = down * (through * z_low - through * z_up)
            z_far, z_near = block[after, y, far] - block[before, y, far], block[after, y, near] - block[before, y, near]
            zx = across * (through * z_far - through * z_near)
            yy = down * (l_step * (plane[l1, x] - plane[l0, x]) - u_step * (plane[u1, x] - plane[u0, x]))
            yx = across * (down * (plane[low, far] - plane[up, far]) - down * (plane[low, near] - plane[up, near]))
            xx = across * (f_step * (plane[y, f1] - plane[y, f0]) - n_step * (plane[y, n1] - plane[y, n0]))
            mean[i], spread[i], half[i] = _normed(zz, zy, zx, yy, yx, xx)
        _single_roots(half, roots)
        for i in range(columns):
            x = roots[i]
            apart = math.sqrt(max(12.0 - 3.0 * x * x, 0.0))
            one, two, three = x, (apart - x) * 0.5, (-x - apart) * 0.5
            if half[i] < 0.0:
                one, two, three = -three, -two, -one
            out[0, r, i] = np.float32(mean[i] + spread[i] * one)
            out[1, r, i] = np.float32(mean[i] + spread[i] * two)
            out[2, r, i] = np.float32(mean[i] + spread[i] * three)
