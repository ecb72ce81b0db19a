"""The features of each pixel: local, at several scales.

The first are those of :func:`skimage.feature.multiscale_basic_features`, in the same order; those of
:mod:`segmentation.features.pointwise` follow from them pixel by pixel.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.aligned import on_cache_lines
from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.parallel import share
from segmentation.features.pointwise import fill_features, with_constants
from segmentation.features.reference import reference_basic
from segmentation.features.spec import DERIVATIVE_REACH, GAUSSIAN_TRUNCATE, FeatureSpec

PIECE_ROWS = 124
"""Rows of the pieces that threads share: enough of them for all threads, small enough for a core's cache.

With the rows that derivatives need around them they are a multiple of those that the kernels compute at once.
"""

PIECE_COLUMNS = 1024
"""Largest number of columns of such a piece."""


def compute_planes(
    pixels: NDArray[Any],
    spec: FeatureSpec = FeatureSpec(),
    *,
    rows: slice = slice(None),
    columns: slice = slice(None),
    out: NDArray[np.float32] | None = None,
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Features of a window of an image, one plane a feature.

    The first are those of :func:`skimage.feature.multiscale_basic_features`: intensity and texture to the last
    bit, edges within rounding. Along an axis of one pixel, where scikit-image gives up, derivatives are 0. Those that
    follow from them come after, see :mod:`segmentation.features.pointwise`.

    The window's features are, to the last bit, those that the whole image has there, but only the window and its
    halo are looked at.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``, integer, float or bool. Integers are scaled by
            the range of their type, as :func:`skimage.util.img_as_float32` does.
        spec: which features, none of them learned. Where channels are compared and it has no constants, they are taken
            from the whole image. If it says ``standardise``, the pixels are those of a standardised image.
        rows: the window's rows, without a step.
        columns: the window's columns, without a step.
        out: C-contiguous float32 array of the shape that is returned, to be filled; None makes one. Fresh memory
            adds about a third to the time of the features.
        wanted: ``(features,)`` bool, which features are needed; others may be left as they are. None takes all.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Returns:
        ``(features, window rows, window columns)``, float32: channel by channel, sigma by sigma, and of each the
        kinds in the order intensity, edges, larger and smaller eigenvalue; then the pointwise features.

    Raises:
        ValueError: if the pixels are not an image, lack a channel, or are not finite in the window and its halo; if
            the window has a step; if ``out`` does not fit.
    """
    if spec.learned:
        raise ValueError("Learned features are of images: see compute_of.")
    image = _as_image(pixels)
    channels = spec.channel_indices(image.shape[2])
    window = _window(rows, image.shape[0], "rows"), _window(columns, image.shape[1], "columns")
    shape = (spec.count(image.shape[2]), len(window[0]), len(window[1]))
    out = _output(out, shape)
    if out.size == 0:
        return out

    def fill(basic: NDArray[np.float32]) -> None:
        if not kernels_are_ready():
            parts = (slice(part.start, part.stop) for part in window)
            reference_basic(image, spec.basic, *parts, out=basic, threads=threads)
            return
        panels = _float_panels(image, channels, window, spec.halo, threads)
        of_channels = basic.reshape(len(channels), -1, *shape[1:])
        _fill(of_channels, panels, window, image.shape[:2], spec.basic, threads)

    fill_features(out, with_constants(spec, image), image.shape[2], fill, wanted=wanted, threads=threads)
    return out


def _fill(
    out: NDArray[np.float32],
    panels: NDArray[np.float32],
    window: tuple[range, range],
    image_shape: tuple[int, ...],
    spec: FeatureSpec,
    threads: int | None,
) -> None:
    """Fill ``out``, ``(channels, features of a channel, rows, columns)``, by pieces, from the panels of a window."""
    from segmentation.features._derivative_kernels import derive
    from segmentation.features._smoothing_kernels import scratch, smooth_piece

    weights, radii = gaussians(spec.sigmas)
    halo, (rows, columns) = spec.halo, out.shape[2:]
    kinds = spec.intensity, spec.edges, spec.texture
    height, width = min(PIECE_ROWS, rows), -(-columns // -(-columns // PIECE_COLUMNS))
    sides = halo - window[1].start, halo - window[1].start + image_shape[1]

    def work(pieces: Iterator[tuple[int, int, int]]) -> None:
        pairs, middle, smooth = scratch(height, width, radii)
        for channel, row, column in pieces:
            size = min(height, rows - row), min(width, columns - column)
            top, left = window[0][row], window[1][column]
            around = top, image_shape[0] - top - size[0], left, image_shape[1] - left - size[1]
            apron = tuple(min(pixels, DERIVATIVE_REACH) for pixels in around)
            start = halo + row, halo + column
            smooth_piece(panels[channel], start, sides, size, apron, weights, radii, pairs, middle, smooth)
            derive(smooth, size, apron, kinds, out[channel], (row, column))

    share(product(range(len(out)), range(0, rows, height), range(0, columns, width)), work, threads)


def _as_image(pixels: NDArray[Any]) -> NDArray[Any]:
    """The pixels as ``(rows, columns, channels)``."""
    if pixels.ndim not in (2, 3) or pixels.size == 0:
        raise ValueError(f"An image has rows, columns and perhaps channels, but this has the shape {pixels.shape}.")
    if pixels.dtype.kind not in "buif":
        raise ValueError(f"The pixels of an image must be integers or real numbers, but these are {pixels.dtype}.")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _window(chosen: slice, count: int, name: str) -> range:
    """The indices that a slice selects of ``count``."""
    window = range(count)[chosen]
    if window.step != 1:
        raise ValueError(f"A window cannot skip {name}.")
    return window


def _output(out: NDArray[np.float32] | None, shape: tuple[int, ...]) -> NDArray[np.float32]:
    if out is None:
        return np.empty(shape, np.float32)
    if out.shape != shape or out.dtype != np.float32 or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(f"The array to be filled must be a writable, C-contiguous float32 array of shape {shape}.")
    return out


@lru_cache(maxsize=16)
def gaussians(sigmas: tuple[float, ...]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Weights of truncated Gaussians from their centres outwards, ``(sigmas, taps)``, and the last tap of each.

    They are rounded as scipy's are, which are normalised over both sides.
    """
    radii = np.array([int(GAUSSIAN_TRUNCATE * sigma + 0.5) for sigma in sigmas])
    weights = np.zeros((len(sigmas), radii.max() + 1))
    for sigma, radius, row in zip(sigmas, radii, weights, strict=True):
        both_sides = np.exp(-0.5 / (sigma * sigma) * np.arange(-radius, radius + 1) ** 2)
        row[: radius + 1] = (both_sides / both_sides.sum())[radius:]
    weights.flags.writeable = radii.flags.writeable = False
    return weights, radii


def _float_panels(
    image: NDArray[Any], channels: tuple[int, ...], window: tuple[range, range], halo: int, threads: int | None
) -> NDArray[np.float32]:
    """A window and its halo as float32 panels of each channel; beyond the image its border is repeated."""
    from segmentation.features._smoothing_kernels import pack, panels_shape

    height, width = len(window[0]) + 2 * halo, len(window[1]) + 2 * halo
    panels = on_cache_lines((len(channels), *panels_shape(height, width)), np.float32)
    top, left = window[0].start - halo, window[1].start - halo
    inner = slice(max(left, 0), min(left + width, image.shape[1]))
    first, last = inner.start - left, inner.stop - left
    begin, end = max(top, 0), min(top + height, image.shape[0])

    def work(strips: Iterator[tuple[int, int]]) -> None:
        strip = np.empty((PIECE_ROWS, panels.shape[1] * panels.shape[3]), np.float32)
        for channel, start in strips:
            rows = strip[: min(PIECE_ROWS, end - start)]
            to_float32(image[start : start + len(rows), inner, channels[channel]], rows[:, first:last])
            rows[:, :first] = rows[:, first, None]
            rows[:, last:] = rows[:, last - 1, None]
            pack(rows, panels[channel], start - top)

    share(product(range(len(channels)), range(begin, end, PIECE_ROWS)), work, threads)
    panels[:, :, : begin - top] = panels[:, :, begin - top, None]
    panels[:, :, end - top :] = panels[:, :, end - top - 1, None]
    return panels


def to_float32(values: NDArray[Any], out: NDArray[np.float32]) -> None:
    """Convert the values as :func:`skimage.util.img_as_float32` does, into ``out``."""
    kind = values.dtype.kind
    if kind in "ui":
        precision = np.float32 if values.dtype.itemsize <= 4 else np.float64
        np.multiply(values, 1 / np.iinfo(values.dtype).max, out=out, dtype=precision, casting="unsafe")
        if kind == "i":
            np.maximum(out, -1, out=out)
        return
    with np.errstate(over="ignore"):
        out[...] = values
    if not np.isfinite(out).all():
        raise ValueError(
            "The image has pixels that are not a number (NaN), infinite or too large: give them a value first."
        )
