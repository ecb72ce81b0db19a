"""Features of a plane of a stack that look at the planes around it too.

Those of three dimensions are :func:`skimage.feature.multiscale_basic_features` of the volume: intensity to the last
bit, edges and the three eigenvalues of the Hessian within rounding. Along the planes sigmas are divided by the distance
of planes in pixels, so that a Gaussian is as wide in the world along each axis; derivatives are of what it leaves, from
plane to plane. What follows pixel by pixel (:mod:`segmentation.features.pointwise`) comes after them as in two
dimensions, with all three eigenvalues in the sum.

The cheap way, ``planes_around``, are the features of two dimensions of the planes above and below beside those of a
pixel's own plane; at the ends of the stack the last plane stands for those that are not there.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation.features import _volume_reference
from segmentation.features.compute import compute_planes, gaussians, to_float32
from segmentation.features.pointwise import derive_by_numpy, fill_features, with_constants
from segmentation.features.reference import reference_planes
from segmentation.features.smoothed import kinds_of, with_apron
from segmentation.features.spec import DERIVATIVE_REACH, FeatureSpec, gaussian_radius
from segmentation.io.image import Image
from segmentation.io.slab import Slab
from segmentation.io.volumes import volume_planes

Floats = NDArray[np.float32]


def compute_volume_features(pixels: ArrayLike, spec: FeatureSpec, *, threads: int | None = None) -> Floats:
    """Features of every pixel of a volume.

    Args:
        pixels: ``(planes, rows, columns)`` or ``(planes, rows, columns, channels)``, integer, float or bool.
        spec: which features; they look at planes around.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Returns:
        ``(planes, rows, columns, features)``, float32.

    Raises:
        ValueError: if the pixels are no volume, or lack a channel.
    """
    planes = volume_planes(pixels, spec.depth_halo)
    whole = with_constants(spec, np.concatenate([plane.pixels for plane in planes]))
    rows, columns = (slice(0, length) for length in planes[0].shape)
    found = [around_planes(plane, whole, rows=rows, columns=columns, threads=threads) for plane in planes]
    return np.moveaxis(np.stack(found), 1, -1)


def around_planes(
    image: Image,
    spec: FeatureSpec,
    *,
    rows: slice,
    columns: slice,
    out: Floats | None = None,
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    compute: Callable[..., Floats] = compute_planes,
) -> Floats:
    """Features of a window of a plane of a stack, for a spec that looks at planes around.

    Args:
        image: the plane, with its slab.
        spec, rows, columns, out, wanted, threads: see :func:`~segmentation.features.compute.compute_planes`.
        compute: computes the features of single planes: that function, or its reference, with which all is computed.

    Returns:
        ``(features, window rows, window columns)`` float32.

    Raises:
        ValueError: if it is not known what lies around the plane.
    """
    slab = image.slab
    if slab is None:
        raise ValueError("These features look at several planes: give a stack of images along z.")
    shape = spec.count(image.channels), rows.stop - rows.start, columns.stop - columns.start
    out = np.empty(shape, np.float32) if out is None else out
    if spec.dimensions == 3:
        work = _Block(slab, spec.basic, rows, columns, compute)

        def fill(basic: Floats) -> None:
            work.fill(basic, kinds_of(spec, image.channels, wanted), image.channels)

        fill_features(out, spec, image.channels, fill, wanted=wanted, threads=threads, derive=derive_by_numpy)
        return out
    count = spec.flat.count(image.channels)
    for number, offset in enumerate(spec.offsets):
        part = slice(number * count, (number + 1) * count)
        plane = slab.planes[min(max(slab.own + offset, 0), len(slab.planes) - 1)]
        some = None if wanted is None else wanted[part]
        if some is None or some.any():
            compute(plane, spec.flat, rows=rows, columns=columns, out=out[part], wanted=some, threads=threads)
    return out


class _Block:
    """A window of a plane of a slab, and what its features of three dimensions follow from."""

    def __init__(
        self, slab: Slab, spec: FeatureSpec, rows: slice, columns: slice, compute: Callable[..., Floats]
    ) -> None:
        self._slab, self._spec, self._window, self._compute = slab, spec, (rows, columns), compute
        self._compiled = compute is not reference_planes and kernels_are_ready()
        self._shape = slab.planes[0].shape[:2]
        self._around = with_apron(rows, self._shape[0]), with_apron(columns, self._shape[1])

    def fill(self, out: Floats, needed: NDArray[np.int32], image_channels: int) -> None:
        """Fill scikit-image's features, of the smoothed planes that are needed, see :func:`kinds_of`."""
        channels, sigmas = self._spec.channel_indices(image_channels), len(self._spec.sigmas)
        of_planes = out.reshape(len(channels) * sigmas, -1, *out.shape[1:])
        for plane, _, edges, texture in needed.tolist():
            channel, number = divmod(plane, sigmas)
            block, own = self._smoothed(channels[channel], number)
            self._derive(block, own, of_planes[plane], bool(edges), bool(texture))

    def _smoothed(self, channel: int, number: int) -> tuple[Floats, int]:
        """The window and what derivatives look at around it, smoothed: ``(planes, rows, columns)``; its own plane."""
        own, last = self._slab.own, len(self._slab.planes) - 1
        places = range(max(own - DERIVATIVE_REACH, 0), min(own + DERIVATIVE_REACH, last) + 1)
        return np.stack([self._smooth(place, channel, number) for place in places]), own - places.start

    def _smooth(self, place: int, channel: int, number: int) -> Floats:
        """A plane of the slab after the Gaussians of one sigma, from memory if it was computed for another plane."""
        sigma, deep = self._spec.sigmas[number], self._spec.depth_sigmas[number]
        around = self._around
        key = (
            self._slab.first + place,
            channel,
            sigma,
            deep,
            self._compiled,
            *((one.start, one.stop) for one in around),
        )
        known = self._slab.smoothing.get(key)
        if known is not None:
            return known
        reach = gaussian_radius(sigma)
        wide = [
            slice(max(one.start - reach, 0), min(one.stop + reach, length))
            for one, length in zip(around, self._shape, strict=True)
        ]
        through = self._through(place, channel, deep, wide[0], wide[1])
        inside = [slice(one.start - all_.start, one.stop - all_.start) for one, all_ in zip(around, wide, strict=True)]
        smooth: Floats = self._compute(through, _gaussian(sigma), rows=inside[0], columns=inside[1], threads=1)[0]
        self._slab.smoothing.put(key, smooth)
        return smooth

    def _through(self, place: int, channel: int, deep: float, rows: slice, columns: slice) -> Floats:
        """A window of a plane of the slab after the Gaussian along the planes."""
        radius, planes = gaussian_radius(deep), self._slab.planes
        first = max(place - radius, 0)
        near = planes[first : place + radius + 1]
        part = np.stack([(one[rows, columns] if one.ndim == 2 else one[rows, columns, channel]) for one in near])
        if not self._compiled:
            values = np.empty(part.shape, np.float32)
            to_float32(part, values)
            return _volume_reference.smooth_depth(values, place - first, deep)
        from segmentation.features._volume_kernels import smooth_depth

        weights, _ = gaussians((deep,))
        whole = part.dtype.kind in "ui"
        scale = np.float32(1 / np.iinfo(part.dtype).max) if whole else np.float32(1)
        out = np.empty(part.shape[1:], np.float32)
        smooth_depth(part, place - first, weights[0], radius, scale, np.float32(-1 if whole else -np.inf), out)
        return out

    def _derive(self, block: Floats, own: int, out: Floats, edges: bool, texture: bool) -> None:
        """The features of a channel at a sigma, ``(kinds, rows, columns)``."""
        if self._compiled:
            from segmentation.features._volume_kernels import write_edges, write_texture
        else:
            from segmentation.features._volume_reference import write_edges, write_texture
        spec = self._spec
        top, left = (one.start - all_.start for one, all_ in zip(self._window, self._around, strict=True))
        window = slice(top, top + out.shape[1]), slice(left, left + out.shape[2])
        if spec.intensity:
            out[0] = block[own, *window]
        if spec.edges and edges:
            write_edges(block, own, top, left, out[int(spec.intensity)])
        if spec.texture and texture:
            write_texture(block, own, top, left, out[-3:])


@lru_cache(maxsize=64)
def _gaussian(sigma: float) -> FeatureSpec:
    """One Gaussian of one plane."""
    spec = FeatureSpec(
        edges=False, texture=False, differences=False, colour=False, sigma_min=0.1, sigma_max=64, num_sigma=1
    )
    vars(spec)["sigmas"] = (sigma,)
    return spec
