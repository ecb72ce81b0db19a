"""What :mod:`segmentation.features._volume_kernels` computes, by scipy, scikit-image and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def smooth_depth(planes: Floats, centre: int, sigma: float) -> Floats:
    """The Gaussian along the planes, ``(planes, rows, columns)`` float32, at one of them: ``(rows, columns)``."""
    from scipy.ndimage import gaussian_filter1d

    smooth: Floats = gaussian_filter1d(planes, sigma, axis=0, mode="nearest", truncate=4.0)[centre]
    return smooth


def write_edges(block: Floats, own: int, top: int, left: int, out: Floats) -> None:
    """The Sobel magnitude of a plane, see the kernel."""
    from skimage.filters import sobel

    rows, columns = out.shape
    out[...] = sobel(block)[own, top : top + rows, left : left + columns]


def write_texture(block: Floats, own: int, top: int, left: int, out: Floats) -> None:
    """The eigenvalues of the Hessian of a plane, see the kernel."""
    _, rows, columns = out.shape
    window = slice(top, top + rows), slice(left, left + columns)
    _write_eigenvalues(_hessian(block, own)[:, *window], out)


def _write_eigenvalues(hessian: Floats, out: Floats) -> None:
    """The eigenvalues of symmetric matrices, the largest first.

    They are the roots of the characteristic polynomial (Smith, Eigenvalues of a symmetric 3 x 3 matrix, 1961), of which
    the one that lies alone is found by four of Newton's steps and the others follow, so that nothing but basic
    operations and roots is needed, which all processors round alike.

    Args:
        hessian: ``(6, rows, columns)``: zz, zy, zx, yy, yx, xx.
        out: ``(3, rows, columns)`` to be filled.
    """
    values: NDArray[Any] = hessian.astype(np.float64)
    a, d, e, b, f, c = values
    mean = (a + b + c) / 3.0
    a, b, c = a - mean, b - mean, c - mean
    spread = np.sqrt((a * a + b * b + c * c + 2.0 * (d * d + e * e + f * f)) / 6.0)
    inverse = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    a, b, c, d, e, f = (one * inverse for one in (a, b, c, d, e, f))
    half = (a * (b * c - f * f) - d * (d * c - f * e) + e * (d * f - b * e)) * 0.5
    m = np.minimum(np.abs(half), 1.0)
    x = 1.7320508075688772 + m * 0.2679491924311228
    for _ in range(4):
        x = x - (x * x * x - 3.0 * x - 2.0 * m) / (3.0 * x * x - 3.0)
    root = np.sqrt(np.maximum(12.0 - 3.0 * x * x, 0.0))
    one, two, three = x, (root - x) * 0.5, (-x - root) * 0.5
    negative = half < 0.0
    out[0] = mean + spread * np.where(negative, -three, one)
    out[1] = mean + spread * np.where(negative, -two, two)
    out[2] = mean + spread * np.where(negative, -one, three)


def _hessian(block: Floats, own: int) -> Floats:
    """The second derivatives of one plane of a block, ``(6, rows, columns)``: zz, zy, zx, yy, yx, xx."""
    through = _gradient(block, 0)
    down, across = _gradient(block[own], 0), _gradient(block[own], 1)
    return np.stack(
        [
            _gradient(through, 0)[own],
            _gradient(through[own], 0),
            _gradient(through[own], 1),
            _gradient(down, 0),
            _gradient(down, 1),
            _gradient(across, 1),
        ]
    )


def _gradient(values: Floats, axis: int) -> Floats:
    """The derivative along an axis; 0 along one of a single pixel."""
    if values.shape[axis] == 1:
        return np.zeros_like(values)
    derivative: Floats = np.gradient(values, axis=axis)
    return derivative
