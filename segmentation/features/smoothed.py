"""Smoothed images, from which features are computed at a third of the cost, in a quarter of their memory.

Most of the time of the features goes into the Gaussians; the derivatives of the smoothed image are cheap. So the
smoothed image is cached between strokes, and the features are computed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.reused_memory import Room
from segmentation._shared.tiling import Window
from segmentation.features.compute import compute_planes
from segmentation.features.pointwise import fill_features
from segmentation.features.reference import derive_plane
from segmentation.features.spec import DERIVATIVE_REACH, FeatureSpec
from segmentation.features.table import TRACE


@dataclass(frozen=True, eq=False)
class Smoothed:
    """A window of an image after each Gaussian of a feature spec.

    Attributes:
        planes: ``(channels x sigmas, rows, columns)`` float32, of the window and a few pixels of the image around it.
        rows: the rows of the image that ``planes`` has, those around the window too.
        columns: the columns of the image that ``planes`` has.
        image_shape: rows and columns of the image.
        channels: number of channels of the image.
    """

    planes: NDArray[np.float32]
    rows: slice
    columns: slice
    image_shape: tuple[int, int]
    channels: int

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self.planes.nbytes

    @classmethod
    def compute(
        cls,
        pixels: NDArray[Any],
        spec: FeatureSpec,
        rows: slice,
        columns: slice,
        *,
        wanted: NDArray[np.bool_] | None = None,
        room: Room | None = None,
        threads: int | None = None,
    ) -> Smoothed:
        """Smooths a window of an image.

        Args:
            pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
            spec: which channels and Gaussians.
            rows: the window's rows.
            columns: the window's columns.
            wanted: ``(channels x sigmas,)`` bool, which planes are needed; the others are left as they are in memory.
            room: gives the memory; None makes some.
            threads: number of threads; None takes all cores.
        """
        shape = pixels.shape[0], pixels.shape[1]
        image_channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        channels = spec.channel_indices(image_channels)
        around = with_apron(rows, shape[0]), with_apron(columns, shape[1])
        count, whole = len(channels) * len(spec.sigmas), Window(*around)
        planes = (np.empty if room is None else room)((count, *whole.shape), np.float32)
        gaussians = spec.smoothing
        if wanted is None:
            compute_planes(pixels, gaussians, rows=around[0], columns=around[1], out=planes, threads=threads)
        elif 2 * np.count_nonzero(wanted) > count:  # one by one they cost more
            return cls.compute(pixels, spec, rows, columns, room=room, threads=threads)
        else:
            for plane in np.flatnonzero(wanted).tolist():
                one, out = gaussians.of_plane(plane, image_channels), planes[plane : plane + 1]
                compute_planes(pixels, one, rows=around[0], columns=around[1], out=out, threads=threads)
        planes.flags.writeable = False
        return cls(planes, *around, shape, image_channels)

    def features(
        self,
        spec: FeatureSpec,
        rows: slice,
        columns: slice,
        *,
        out: NDArray[np.float32] | None = None,
        wanted: NDArray[np.bool_] | None = None,
    ) -> NDArray[np.float32]:
        """The features of a window within this one, equal to the last bit to those of ``compute_planes``.

        Args:
            spec: which features, with constants if it needs some; its channels and Gaussians must be those of the
                smoothed window.
            rows: the window's rows in the image.
            columns: the window's columns in the image.
            out: C-contiguous float32 array of the shape that is returned, to be filled; None makes one.
            wanted: ``(features,)`` bool, which of them are needed; others may be left as they are. None takes all.

        Returns:
            ``(features, window rows, window columns)`` float32.
        """
        size = rows.stop - rows.start, columns.stop - columns.start
        features = np.empty((spec.count(self.channels), *size), np.float32) if out is None else out
        needed = kinds_of(spec, self.channels, wanted)

        def fill(basic: NDArray[np.float32]) -> None:
            self._derive(spec.basic, needed, rows, columns, basic)

        fill_features(features, spec, self.channels, fill, wanted=wanted, threads=1)
        return features

    def _derive(
        self, spec: FeatureSpec, needed: NDArray[np.int32], rows: slice, columns: slice, out: NDArray[np.float32]
    ) -> None:
        """scikit-image's features of a window, of the planes that are needed."""
        size = out.shape[1:]
        if not kernels_are_ready():
            here, there = (
                slice(window.start - own.start, window.stop - own.start)
                for window, own in ((rows, self.rows), (columns, self.columns))
            )
            of_planes = out.reshape(len(self.planes), -1, *size)
            for plane, _, edges, texture in needed.tolist():
                smooth, filled = self.planes[plane], of_planes[plane]
                derive_plane(smooth, spec, here, there, filled, edges=bool(edges), texture=bool(texture))
            return
        from segmentation.features._derivative_kernels import derive_from_planes, smooth_scratch

        around = with_apron(rows, self.image_shape[0]), with_apron(columns, self.image_shape[1])
        above, before = rows.start - around[0].start, columns.start - around[1].start
        apron = above, around[0].stop - rows.stop, before, around[1].stop - columns.stop
        start = rows.start - self.rows.start, columns.start - self.columns.start
        kinds = spec.intensity, spec.edges, spec.texture
        derive_from_planes(self.planes, needed, start, size, apron, kinds, smooth_scratch(1, *size)[0], out)


def planes_of(spec: FeatureSpec, image_channels: int, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which smoothed planes some features follow from, ``(channels x sigmas,)``."""
    needed = np.zeros(len(spec.channel_indices(image_channels)) * len(spec.sigmas), np.bool_)
    needed[kinds_of(spec, image_channels, wanted)[:, 0]] = True
    return needed


def kinds_of(spec: FeatureSpec, image_channels: int, wanted: NDArray[np.bool_] | None) -> NDArray[np.int32]:
    """The smoothed planes that features follow from, and what of them has to be computed.

    Args:
        spec: which features there are.
        image_channels: number of channels of the image.
        wanted: ``(features,)``, which of them are wanted; None takes all.

    Returns:
        ``(planes, 4)`` int32: the number of the plane, and whether its intensity, edges and texture are needed.
    """
    return _kinds_of(spec, image_channels, None if wanted is None else wanted.tobytes())


@lru_cache(maxsize=64)
def _kinds_of(spec: FeatureSpec, image_channels: int, chosen: bytes | None) -> NDArray[np.int32]:
    """What is computed is the same for all pieces of an image."""
    whole, count = spec.basic, len(spec.channel_indices(image_channels)) * len(spec.sigmas)
    needed = np.zeros((count, 3), np.bool_)
    if chosen is None:
        needed[:] = whole.intensity, whole.edges, whole.texture
    else:
        wanted, own = np.frombuffer(chosen, np.bool_), spec.count_basic(image_channels)
        of_planes = wanted[:own].reshape(count, spec.kinds_per_sigma)
        kinds = [0] * spec.intensity + [1] * spec.edges + [2] * spec.dimensions * spec.texture
        for number, kind in enumerate(kinds):
            needed[:, kind] |= of_planes[:, number]
        pointwise, some = spec.pointwise(image_channels), np.flatnonzero(wanted[own:])
        traces = pointwise.rows[some, 0] == TRACE
        needed[:, 0] |= pointwise.planes(some[~traces])
        needed[:, 2] |= pointwise.planes(some[traces])
    planes = np.flatnonzero(needed.any(axis=1))
    rows = np.concatenate([planes[:, None], needed[planes]], axis=1, dtype=np.int32)
    rows.flags.writeable = False
    return rows


def with_apron(window: slice, length: int) -> slice:
    """A window of rows or columns with those around it that derivatives look at, as far as the image goes."""
    return slice(max(window.start - DERIVATIVE_REACH, 0), min(window.stop + DERIVATIVE_REACH, length))


def smoothed_bytes(spec: FeatureSpec, channels: int, shape: tuple[int, int]) -> int:
    """The most bytes that a smoothed window of this shape takes, of an image with ``channels`` channels."""
    rows, columns = (length + 2 * DERIVATIVE_REACH for length in shape)
    return 4 * len(spec.channel_indices(channels)) * len(spec.sigmas) * rows * columns
