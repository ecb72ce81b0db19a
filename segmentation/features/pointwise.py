"""Features that follow from those of scikit-image pixel by pixel, without another look at a pixel's neighbours.

With ``I(c, s)`` for the smoothed value of channel ``c`` at sigma ``s``, they come after the others in this order:

- *differences*, channel by channel: ``I(c, s) - I(c, s')`` for all ``s < s'``, differences of Gaussians (Marr and
  Hildreth, Theory of edge detection, 1980; Lowe, Distinctive image features from scale-invariant keypoints, 2004), and
  at each sigma the trace of the Hessian, the larger and the smaller eigenvalue added, which is the Laplacian;
- *colour*, sigma by sigma: of up to four channels for each two of them the logarithm of their ratio, ``log(max(I(c, s)
  - low, 0) + offset) - log(max(I(c', s) - low, 0) + offset)``, which does not change with the light (Finlayson, Drew
  and Lu, Intrinsic images by entropy minimization, 2004); of more channels such a logarithm less the mean of those of
  all (Aitchison, The statistical analysis of compositional data, 1982); for ``low`` and ``offset`` see
  :class:`~segmentation.features.constants.ColourConstants`;
- of three channels, CIE Lab of the smoothed values, cut off at 0 and 1, as :func:`skimage.color.rgb2lab` has it, at the
  sigmas that are nearest to 0.5, 2 and 8.

Each is one or two float32 operations on what is there already, or a formula with the numbers of
:mod:`~segmentation.features._colour_numbers`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.parallel import share
from segmentation.features import _pointwise_reference as formulas
from segmentation.features.constants import ColourConstants, standardised_constants
from segmentation.features.spec import FeatureSpec
from segmentation.features.table import DIFFERENCE, LAB, RATIO, TRACE, Pointwise

NO_CONSTANTS = ColourConstants(0.0, 1.0)
"""Where nothing depends on them."""

_PIXELS_PER_TASK = 2**15


def with_constants(spec: FeatureSpec, image: NDArray[Any]) -> FeatureSpec:
    """The spec with constants, which are those of the image if it needs some and has none."""
    channels = 1 if image.ndim == 2 else image.shape[2]
    if not lacks_constants(spec, channels):
        return spec
    seen = spec.network_channels(channels)
    return replace(
        spec, constants=standardised_constants(seen) if spec.standardise else ColourConstants.of_pixels(image, seen)
    )


def lacks_constants(spec: FeatureSpec, image_channels: int) -> bool:
    """Whether the spec needs constants for such images, and has none."""
    return spec.constants is None and (spec.learned or spec.pointwise(image_channels).compares_channels)


def fill_features(
    out: NDArray[np.float32],
    spec: FeatureSpec,
    image_channels: int,
    fill: Callable[[NDArray[np.float32]], None],
    *,
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    derive: Derive | None = None,
) -> None:
    """Fill an array with all features, of which ``fill`` computes scikit-image's.

    Args:
        out: ``(features, rows, columns)`` float32.
        spec: which features, with constants if it needs some.
        image_channels: number of channels of the image.
        fill: called with an array for the features of ``spec.basic``.
        wanted, threads: see :func:`~segmentation.features.compute.compute_planes`.
        derive: computes the pointwise features; None takes kernels, as soon as they are ready.
    """
    own, whole = spec.count_basic(image_channels), spec.basic
    basic = out[:own]
    if whole.kinds_per_sigma == spec.kinds_per_sigma:
        fill(basic)
    else:
        planes: NDArray[np.float32] = np.empty((whole.count(image_channels), *out.shape[1:]), np.float32)
        fill(planes)
        basic[...] = planes[_own_kinds(spec, whole, len(planes))]
        basic = planes
    some = None if wanted is None else wanted[own:]
    if lacks_constants(spec, image_channels):
        raise ValueError("Features that compare channels need constants: learn from an image first.")
    if derive is None:
        derive = derive_by_kernels if kernels_are_ready() else derive_by_numpy
    derive(basic, spec, image_channels, out[own:], some, threads)


def _own_kinds(spec: FeatureSpec, whole: FeatureSpec, count: int) -> NDArray[np.bool_]:
    """Which of scikit-image's features that are computed are wanted for themselves."""
    kinds = (
        [spec.intensity] * whole.intensity
        + [spec.edges] * whole.edges
        + [spec.texture] * spec.dimensions * whole.texture
    )
    return np.resize(np.array(kinds), count)


Derive = Callable[
    [NDArray[np.float32], FeatureSpec, int, NDArray[np.float32], NDArray[np.bool_] | None, int | None], None
]
"""A function with the arguments of :func:`derive_by_kernels`."""


def derive_by_kernels(
    basic: NDArray[np.float32],
    spec: FeatureSpec,
    image_channels: int,
    out: NDArray[np.float32],
    wanted: NDArray[np.bool_] | None,
    threads: int | None,
) -> None:
    """Compute the pointwise features.

    Args:
        basic: ``(features, ...)`` float32, C-contiguous: scikit-image's features of ``spec.basic``.
        spec: which features; with its constants, if channels are compared.
        image_channels: number of channels of the image.
        out: ``(pointwise features, ...)`` float32, C-contiguous, to be filled.
        wanted: which of them; None takes all. The others are left as they are.
        threads: number of threads; None takes all cores.
    """
    table = spec.pointwise(image_channels)
    rows = _rows_of(table, None if wanted is None else wanted.tobytes())
    if len(rows) == 0:
        return
    from segmentation.features._pointwise_kernels import derive_pointwise

    constants, kinds = spec.constants or NO_CONSTANTS, spec.basic.kinds_per_sigma
    pixels, filled = basic.reshape(len(basic), -1), out.reshape(len(out), -1)
    layout = table.sigmas, table.channels, kinds, kinds - 2
    dark = np.float32(constants.low), np.float32(constants.offset)

    def work(starts: Iterator[int]) -> None:
        for start in starts:
            derive_pointwise(pixels, filled, start, min(start + _PIXELS_PER_TASK, pixels.shape[1]), rows, layout, *dark)

    share(range(0, pixels.shape[1], _PIXELS_PER_TASK), work, threads)


@lru_cache(maxsize=64)
def _rows_of(table: Pointwise, chosen: bytes | None) -> NDArray[np.int32]:
    """``(features, 4)``: the rows of the table of features that are wanted, and their numbers."""
    numbers = np.arange(len(table.rows)) if chosen is None else np.flatnonzero(np.frombuffer(chosen, np.bool_))
    rows = np.concatenate([table.rows[numbers], numbers[:, None]], axis=1, dtype=np.int32)
    rows.flags.writeable = False
    return rows


def derive_by_numpy(
    basic: NDArray[np.float32],
    spec: FeatureSpec,
    image_channels: int,
    out: NDArray[np.float32],
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> None:
    """What :func:`derive_by_kernels` gives, with the same arguments, by NumPy in one thread."""
    table = spec.pointwise(image_channels)
    constants, sigmas = spec.constants or NO_CONSTANTS, table.sigmas
    planes = basic.reshape(table.channels * sigmas, -1, *basic.shape[1:])

    def log_above(plane: NDArray[np.float32]) -> NDArray[np.float32]:
        above = np.maximum(plane - np.float32(constants.low), np.float32(0))
        return formulas.logarithm(above + np.float32(constants.offset))

    for number, (kind, first, second) in enumerate(table.rows.tolist()):
        if wanted is not None and not wanted[number]:
            continue
        if kind == DIFFERENCE:
            out[number] = planes[first, 0] - planes[second, 0]
        elif kind == TRACE:
            out[number] = np.add.reduce(planes[first, -spec.dimensions :], axis=0)
        elif kind == LAB:
            out[number] = formulas.lab(planes[first::sigmas, 0])[second]
        elif kind == RATIO:
            out[number] = log_above(planes[first, 0]) - log_above(planes[second, 0])
        else:
            logarithms = [log_above(plane) for plane in planes[first::sigmas, 0]]
            total = logarithms[0].copy()
            for one in logarithms[1:]:
                total += one
            out[number] = logarithms[second] - total * np.float32(1 / len(logarithms))
