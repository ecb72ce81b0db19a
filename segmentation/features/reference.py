"""The features by scikit-image's own functions: slower, and equal to the last bit.

:func:`skimage.feature.multiscale_basic_features` makes them all at once, and of the halo too, for which a tile takes
200 MB; here one smoothed plane after the other is made, and its derivatives where they are wanted only.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation.features.pointwise import derive_by_numpy, fill_features, with_constants
from segmentation.features.spec import DERIVATIVE_REACH, FeatureSpec


def reference_planes(
    pixels: NDArray[Any],
    spec: FeatureSpec,
    *,
    rows: slice,
    columns: slice,
    out: NDArray[np.float32] | None = None,
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """What :func:`~segmentation.features.compute.compute_planes` gives, with the same arguments.

    Raises:
        ValueError: if the image has pixels that are not a number, infinite or too large.
    """
    image = pixels[..., None] if pixels.ndim == 2 else pixels
    channels = image.shape[2]
    shape = spec.count(channels), rows.stop - rows.start, columns.stop - columns.start
    planes = np.empty(shape, np.float32) if out is None else out

    def fill(basic: NDArray[np.float32]) -> None:
        reference_basic(image, spec.basic, rows, columns, out=basic, threads=threads)

    whole = with_constants(spec, image)
    fill_features(planes, whole, channels, fill, wanted=wanted, threads=threads, derive=derive_by_numpy)
    return planes


def reference_basic(
    image: NDArray[Any],
    spec: FeatureSpec,
    rows: slice,
    columns: slice,
    *,
    out: NDArray[np.float32],
    threads: int | None = None,
) -> None:
    """Fill ``(features, window rows, window columns)`` with scikit-image's features of a window of an image.

    Args:
        image: ``(rows, columns, channels)``.
        spec: which features, of scikit-image's kinds alone.
        rows: the window's rows.
        columns: the window's columns.
        out: float32, to be filled.
        threads: number of threads; None takes all cores.
    """
    from skimage.filters import gaussian

    channels = spec.channel_indices(image.shape[2])
    shape = out.shape[1:]
    around = [
        slice(max(part.start - spec.halo, 0), part.stop + spec.halo)  # what is beyond the image is cut off
        for part in (rows, columns)
    ]
    part = _as_float32(image[around[0], around[1]][..., list(channels)])
    inside = [
        slice(window.start - outer.start, window.stop - outer.start)
        for window, outer in zip((rows, columns), around, strict=True)
    ]
    of_planes = out.reshape(len(channels), len(spec.sigmas), spec.kinds_per_sigma, *shape)

    def work(planes: Iterator[tuple[int, int]]) -> None:
        for channel, number in planes:
            smooth = gaussian(part[channel], sigma=spec.sigmas[number], preserve_range=False)
            derive_plane(smooth, spec, inside[0], inside[1], of_planes[channel, number])

    share(product(range(len(channels)), range(len(spec.sigmas))), work, threads)


def derive_plane(
    smooth: NDArray[np.float32],
    spec: FeatureSpec,
    rows: slice,
    columns: slice,
    out: NDArray[np.float32],
    *,
    edges: bool = True,
    texture: bool = True,
) -> None:
    """The features that follow from one smoothed plane.

    Args:
        smooth: the plane; it reaches :data:`DERIVATIVE_REACH` pixels beyond the window, as far as the image goes.
        spec: which kinds of features.
        rows: the window's rows in the plane.
        columns: its columns.
        out: ``(kinds, window rows, window columns)`` float32 to be filled.
        edges: whether they are needed, if there is place for them.
        texture: likewise.
    """
    from skimage.feature import hessian_matrix_eigvals
    from skimage.filters import sobel

    around = [slice(max(part.start - DERIVATIVE_REACH, 0), part.stop + DERIVATIVE_REACH) for part in (rows, columns)]
    top, left = rows.start - around[0].start, columns.start - around[1].start
    window = slice(top, top + out.shape[1]), slice(left, left + out.shape[2])
    near = smooth[around[0], around[1]]
    if spec.intensity:
        out[0] = near[window]
    if spec.edges and edges:
        out[int(spec.intensity)] = sobel(near)[window]
    if spec.texture and texture:
        first = [_gradient(near, axis) for axis in (0, 1)]
        second = [_gradient(first[one], other) for one, other in ((0, 0), (0, 1), (1, 1))]
        for filled, eigenvalues in zip(out[-2:], hessian_matrix_eigvals(second), strict=True):
            filled[...] = eigenvalues[window]


def _gradient(plane: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """The derivative along an axis; 0 along one of a single pixel."""
    if plane.shape[axis] == 1:
        return np.zeros_like(plane)
    derivative: NDArray[np.float32] = np.gradient(plane, axis=axis)
    return derivative


def _as_float32(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """``(channels, rows, columns)`` of ``(rows, columns, channels)``, as scikit-image scales them."""
    from skimage.util import img_as_float32

    with np.errstate(over="ignore"):
        values = pixels.astype(np.float32) if pixels.dtype.kind == "f" else pixels
    if not np.isfinite(values).all():
        raise ValueError(
            "The image has pixels that are not a number (NaN), infinite or too large: give them a value first."
        )
    return np.ascontiguousarray(np.moveaxis(img_as_float32(values), -1, 0))
