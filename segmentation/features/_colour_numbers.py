"""The numbers in the formulas of colour, in float32, for the kernels and for what they are held equal to.

Logarithms and roots are made of additions and multiplications alone: what the mathematical libraries of
processors and versions give differs in the last bit, these do not.
"""

import numpy as np

ROOT_HALF_BITS = np.int32(0x3F3504F3)
"""The bits of the root of 1/2: a number is a power of 2 times what lies between it and the root of 2."""

LOG_POLYNOMIAL = tuple(
    np.float32(number)
    for number in (
        7.0376836292e-2,
        -1.1514610310e-1,
        1.1676998740e-1,
        -1.2420140846e-1,
        1.4249322787e-1,
        -1.6668057665e-1,
        2.0000714765e-1,
        -2.4999993993e-1,
        3.3333331174e-1,
    )
)
"""Of ``logf`` in Cephes (S. L. Moshier, netlib.org/cephes, single precision), the highest power first."""

LOG_TWO_HIGH, LOG_TWO_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
"""The logarithm of 2 in two parts, as there."""

FIFTH, SIX_FIFTHS, THIRD, FOUR_THIRDS = (np.float32(number) for number in (1 / 5, 6 / 5, 1 / 3, 4 / 3))
FIFTH_BITS, THIRD_BITS = np.float32(6 / 5 * 0x3F800000 - 4.9e5), np.float32(4 / 3 * 0x3F800000 - 5.6e5)
"""These, less a share of the bits of a number, are the bits of nearly the inverse of its root."""

ROOT_STEPS = 3
"""Steps of Newton's method from there to the last digits: each squares an error of at first 3 %."""

LINEAR_LIMIT, LINEAR_SLOPE = np.float32(0.04045), np.float32(1 / 12.92)
GAMMA_OFFSET, GAMMA_SCALE = np.float32(0.055), np.float32(1 / 1.055)
"""Of sRGB (IEC 61966-2-1), as :func:`skimage.color.rgb2xyz` has it."""

XYZ_OF_RGB = tuple(
    tuple(np.float32(share / white) for share in row)
    for row, white in (
        ((0.412453, 0.357580, 0.180423), 0.95047),
        ((0.212671, 0.715160, 0.072169), 1.0),
        ((0.019334, 0.119193, 0.950227), 1.08883),
    )
)
"""Shares of red, green and blue in X, Y and Z of the white of D65, as :func:`skimage.color.rgb2lab` has them."""

LAB_LIMIT, LAB_SLOPE, LAB_OFFSET = np.float32(0.008856), np.float32(7.787), np.float32(16 / 116)
"""Of CIE Lab (CIE 15), as :func:`skimage.color.xyz2lab` has it."""
