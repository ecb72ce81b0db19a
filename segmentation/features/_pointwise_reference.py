"""The formulas of :mod:`segmentation.features.pointwise` in NumPy: slower, and equal to the kernels to the last bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation.features import _colour_numbers as numbers

Floats = NDArray[np.float32]


def logarithm(values: Floats) -> Floats:
    """The natural logarithm of positive normal numbers, within a few units of the last place."""
    bits = values.view(np.int32)
    exponents = (bits - numbers.ROOT_HALF_BITS) >> 23
    f = (bits - (exponents << 23)).view(np.float32) - np.float32(1)
    e = exponents.astype(np.float32)
    square = f * f
    y = np.full_like(f, numbers.LOG_POLYNOMIAL[0])
    for number in numbers.LOG_POLYNOMIAL[1:]:
        y = y * f + number
    y = y * f * square + e * numbers.LOG_TWO_LOW - np.float32(0.5) * square
    return f + y + e * numbers.LOG_TWO_HIGH


def linear(values: Floats) -> Floats:
    """sRGB values from 0 to 1 as amounts of light: the cube of a number times the inverse of its fifth root."""
    x: Floats = (np.maximum(values, numbers.LINEAR_LIMIT) + numbers.GAMMA_OFFSET) * numbers.GAMMA_SCALE
    root = _inverse_root(x, numbers.FIFTH, numbers.FIFTH_BITS)
    for _ in range(numbers.ROOT_STEPS):
        square = root * root
        root *= numbers.SIX_FIFTHS - x * numbers.FIFTH * (square * square * root)
    power = x * root
    return np.where(values > numbers.LINEAR_LIMIT, power * power * power, values * numbers.LINEAR_SLOPE)


def compressed(values: Floats) -> Floats:
    """The cube roots of amounts of light, as Lab takes them, and below its limit the straight line."""
    x: Floats = np.maximum(values, numbers.LAB_LIMIT)
    root = _inverse_root(x, numbers.THIRD, numbers.THIRD_BITS)
    for _ in range(numbers.ROOT_STEPS):
        root *= numbers.FOUR_THIRDS - x * numbers.THIRD * (root * root * root)
    return np.where(values > numbers.LAB_LIMIT, x * root * root, values * numbers.LAB_SLOPE + numbers.LAB_OFFSET)


def _inverse_root(x: Floats, share: np.float32, bits: np.float32) -> Floats:
    """Nearly the inverse of a root of positive numbers."""
    return (bits - x.view(np.int32).astype(np.float32) * share).astype(np.int32).view(np.float32)


def lab(values: Floats) -> Floats:
    """CIE Lab of ``(3, ...)`` float32 values, cut off at 0 and 1: as :func:`skimage.color.rgb2lab` within rounding."""
    r, g, b = (linear(np.minimum(np.maximum(one, np.float32(0)), np.float32(1))) for one in values)
    x, y, z = (compressed(of[0] * r + of[1] * g + of[2] * b) for of in numbers.XYZ_OF_RGB)
    return np.stack([np.float32(116) * y - np.float32(16), np.float32(500) * (x - y), np.float32(200) * (y - z)])
