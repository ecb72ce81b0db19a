"""The compiled formulas of :mod:`segmentation.features.pointwise`: plain loops, which LLVM turns into vectors.

They are those of :mod:`segmentation.features._pointwise_reference`, operation by operation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation.features._colour_numbers import (
    FIFTH,
    FIFTH_BITS,
    FOUR_THIRDS,
    GAMMA_OFFSET,
    GAMMA_SCALE,
    LAB_LIMIT,
    LAB_OFFSET,
    LAB_SLOPE,
    LINEAR_LIMIT,
    LINEAR_SLOPE,
    LOG_POLYNOMIAL,
    LOG_TWO_HIGH,
    LOG_TWO_LOW,
    ROOT_HALF_BITS,
    ROOT_STEPS,
    SIX_FIFTHS,
    THIRD,
    THIRD_BITS,
    XYZ_OF_RGB,
)
from segmentation.features.table import DIFFERENCE, LAB, RATIO, RATIO_TO_MEAN, TRACE

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

CHUNK = 1024
"""Pixels of which all features are computed while what they are made of is in the processor's nearest cache."""

_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8 = LOG_POLYNOMIAL
(_XR, _XG, _XB), (_YR, _YG, _YB), (_ZR, _ZG, _ZB) = XYZ_OF_RGB
_A, _B, _L, _L0 = (np.float32(number) for number in (500, 200, 116, 16))


@part
def _logarithms(values: Floats, low: np.float32, offset: np.float32, exponents: Floats, logarithms: Floats) -> None:
    """``log(max(values - low, 0) + offset)``, as Cephes computes it."""
    bits = logarithms.view(np.int32)
    for i in range(len(values)):
        above = values[i] - low
        logarithms[i] = (above if above > _ZERO else _ZERO) + offset
    for i in range(len(values)):
        exponent = np.int32(np.int32(bits[i] - ROOT_HALF_BITS) >> 23)
        exponents[i] = np.float32(exponent)
        bits[i] = np.int32(bits[i] - np.int32(exponent << 23))
    for i in range(len(values)):
        f = logarithms[i] - _ONE
        square = f * f
        y = ((((((((_P0 * f + _P1) * f + _P2) * f + _P3) * f + _P4) * f + _P5) * f + _P6) * f + _P7) * f + _P8) * f
        y = y * square + exponents[i] * LOG_TWO_LOW - _HALF * square
        logarithms[i] = f + y + exponents[i] * LOG_TWO_HIGH


@part
def _linear(values: Floats, roots: Floats, linear: Floats) -> None:
    """sRGB values, cut off at 0 and 1, as amounts of light."""
    bits = roots.view(np.int32)
    for i in range(len(values)):
        value = values[i] if values[i] > _ZERO else _ZERO
        value = value if value < _ONE else _ONE
        linear[i] = value
        value = value if value > LINEAR_LIMIT else LINEAR_LIMIT
        roots[i] = (value + GAMMA_OFFSET) * GAMMA_SCALE
    for i in range(len(values)):
        x = roots[i]
        bits[i] = np.int32(FIFTH_BITS - np.float32(bits[i]) * FIFTH)
        root, share = roots[i], x * FIFTH
        for _ in range(ROOT_STEPS):
            square = root * root
            root = root * (SIX_FIFTHS - share * (square * square * root))
        power = x * root
        linear[i] = power * power * power if linear[i] > LINEAR_LIMIT else linear[i] * LINEAR_SLOPE


@part
def _compressed(values: Floats, roots: Floats) -> None:
    """The cube roots of Lab, in place of the values, and below its limit the straight line."""
    bits = roots.view(np.int32)
    for i in range(len(values)):
        roots[i] = values[i] if values[i] > LAB_LIMIT else LAB_LIMIT
    for i in range(len(values)):
        x = roots[i]
        bits[i] = np.int32(THIRD_BITS - np.float32(bits[i]) * THIRD)
        root, share = roots[i], x * THIRD
        for _ in range(ROOT_STEPS):
            root = root * (FOUR_THIRDS - share * (root * root * root))
        values[i] = x * root * root if values[i] > LAB_LIMIT else values[i] * LAB_SLOPE + LAB_OFFSET


@part
def _lab(red: Floats, green: Floats, blue: Floats, scratch: Floats, lab: Floats) -> None:
    """Lightness, green to red and blue to yellow, ``(3, pixels)``."""
    count = len(red)
    roots = scratch[3, :count]
    _linear(red, roots, scratch[0, :count])
    _linear(green, roots, scratch[1, :count])
    _linear(blue, roots, scratch[2, :count])
    for i in range(count):
        r, g, b = scratch[0, i], scratch[1, i], scratch[2, i]
        lab[0, i] = _XR * r + _XG * g + _XB * b
        lab[1, i] = _YR * r + _YG * g + _YB * b
        lab[2, i] = _ZR * r + _ZG * g + _ZB * b
    for component in range(3):
        _compressed(lab[component, :count], roots)
    for i in range(count):
        x, y, z = lab[0, i], lab[1, i], lab[2, i]
        lab[0, i] = _L * y - _L0
        lab[1, i] = _A * (x - y)
        lab[2, i] = _B * (y - z)


@part
def _subtract(one: Floats, other: Floats, out: Floats) -> None:
    for i in range(len(out)):
        out[i] = one[i] - other[i]


@part
def _add(one: Floats, other: Floats, out: Floats) -> None:
    for i in range(len(out)):
        out[i] = one[i] + other[i]


@part
def _mean(rows: Floats, count: int, out: Floats) -> None:
    """The mean of rows, added one after the other."""
    for i in range(count):
        out[i] = rows[0, i]
    for row in range(1, len(rows)):
        for i in range(count):
            out[i] += rows[row, i]
    share = np.float32(1 / len(rows))
    for i in range(count):
        out[i] *= share


@kernel
def derive_pointwise(
    basic: Floats,
    out: Floats,
    begin: int,
    end: int,
    rows: Ints,
    layout: tuple[int, int, int, int],
    low: np.float32,
    offset: np.float32,
) -> None:
    """The pointwise features of some pixels.

    Args:
        basic: ``(features, pixels)``, scikit-image's features of all channels and sigmas, intensity first and the
            eigenvalues last.
        out: ``(pointwise features, pixels)`` to be filled.
        begin, end: the first pixel, and that after the last.
        rows: ``(features, 4)``: see :class:`segmentation.features.table.Pointwise`, and the number in ``out``.
        layout: number of sigmas, of channels, of features of a plane, and the place of the larger eigenvalue there.
        low, offset: see :class:`segmentation.features.constants.ColourConstants`.
    """
    sigmas, channels, kinds, larger = layout
    logarithms, scratch = np.empty((channels + 1, CHUNK), np.float32), np.empty((4, CHUNK), np.float32)
    lab = np.empty((3, CHUNK), np.float32)
    for start in range(begin, end, CHUNK):
        stop = min(start + CHUNK, end)
        count = stop - start
        logged, seen = -1, -1
        for number in range(len(rows)):
            kind, first, second = rows[number, 0], rows[number, 1], rows[number, 2]
            to = out[rows[number, 3], start:stop]
            if kind == DIFFERENCE:
                _subtract(basic[first * kinds, start:stop], basic[second * kinds, start:stop], to)
            elif kind == TRACE:
                at = first * kinds + larger
                _add(basic[at, start:stop], basic[at + 1, start:stop], to)
            elif kind == LAB:
                if seen != first:
                    red, green = basic[first * kinds, start:stop], basic[(first + sigmas) * kinds, start:stop]
                    _lab(red, green, basic[(first + 2 * sigmas) * kinds, start:stop], scratch, lab)
                    seen = first
                to[:] = lab[second, :count]
            else:
                sigma = first % sigmas
                if logged != sigma:
                    for channel in range(channels):
                        values = basic[(channel * sigmas + sigma) * kinds, start:stop]
                        _logarithms(values, low, offset, scratch[0, :count], logarithms[channel, :count])
                    if kind == RATIO_TO_MEAN:
                        _mean(logarithms[:channels], count, logarithms[channels])
                    logged = sigma
                if kind == RATIO:
                    _subtract(logarithms[first // sigmas, :count], logarithms[second // sigmas, :count], to)
                else:
                    _subtract(logarithms[second, :count], logarithms[channels, :count], to)
