"""Features of a tile as bits, from which a forest with bins segments it at once.

They take three quarters of the memory of the smoothed tile, and are made again only where the range of a feature has
changed over which its bins lie.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation._shared.tiling import Window
from segmentation.features.pieces import SMOOTHED_PIECE
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import BLOCK, Bins, count_blocks, packed_bytes, packed_room
from segmentation.forest.forest import Forest
from segmentation.io.image import Image


@dataclass(frozen=True)
class _Part:
    """Some features of a window: their spec, their numbers in the whole spec, and the window smoothed for them."""

    spec: FeatureSpec
    features: NDArray[np.int32]
    smoothed: Smoothed


class BitPlanes:
    """The bins of all features of a window as bits, strip by strip, each of which begins with a block.

    They hold the bins that were asked for last; threads that ask for others at the same time wait for each other.

    Args:
        spec: which features.
        channels: number of channels of the image.
        window: which part of the image.
    """

    def __init__(self, spec: FeatureSpec, channels: int, window: Window) -> None:
        self._spec, self._window = spec, window
        self._strips = _strips(window)
        *self._firsts, self._blocks = _first_blocks(self._strips)
        self._features = spec.count(channels)
        self._packed: NDArray[np.uint8] | None = None
        self._bins: Bins | None = None
        self._lock = threading.Lock()
        self.nbytes = packed_bytes(self._blocks, self._features)

    def classes(
        self, forest: Forest, image: Image, smoothed: Smoothed | None, *, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """The index of each pixel's class, as :meth:`Forest.predict` gives it.

        Args:
            forest: a forest that is walked on bits.
            image: the image, for the features whose bins are not there yet.
            smoothed: the window smoothed, if it is cached.
            threads: number of threads; None takes all cores.

        Returns:
            ``(window rows, window columns)`` uint8.
        """
        with self._lock:
            packed = self._in_bins(forest, image, smoothed, threads)
            return self._unpadded(forest.program.classes(packed, len(packed) * BLOCK, threads=threads))

    def probabilities(
        self, forest: Forest, image: Image, smoothed: Smoothed | None, *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """``(classes, window rows, window columns)`` float32; else as :meth:`classes`."""
        with self._lock:
            packed = self._in_bins(forest, image, smoothed, threads)
            counts = forest.program.counts(packed, len(packed) * BLOCK, threads=threads)
        return np.stack([self._unpadded(shares) for shares in forest.shares_of_votes(counts)])

    def _in_bins(
        self, forest: Forest, image: Image, smoothed: Smoothed | None, threads: int | None
    ) -> NDArray[np.uint8]:
        """The bits in the bins of a forest; features whose bins they were in already cost nothing."""
        bins = forest.bins
        assert bins is not None
        if self._packed is None:
            self._packed, self._bins = packed_room(self._blocks, self._features), None
        packed, differing = self._packed, bins.differing(self._bins)
        if len(differing):
            self._bins = None  # until all are there, should an error come between
            parts = self._parts(image, differing, smoothed, threads)
            share(range(len(self._strips)), partial(self._pack, parts=parts, bins=bins, packed=packed), threads)
        self._bins = bins
        return packed

    def _parts(
        self, image: Image, features: NDArray[np.int32], smoothed: Smoothed | None, threads: int | None
    ) -> list[_Part]:
        """What features follow from: few of them from the planes that they need, many from all planes at once."""
        kinds = self._spec.kinds_per_sigma
        planes = np.unique(features // kinds)
        rows, columns = self._window.rows, self._window.columns
        if 2 * len(planes) * kinds > self._features:
            whole = smoothed or Smoothed.compute(image.pixels, self._spec, rows, columns, threads=threads)
            return [_Part(self._spec, np.arange(self._features, dtype=np.int32), whole)]
        parts = []
        for plane in planes.tolist():
            spec = self._spec.of_plane(plane, image.channels)
            one = smoothed.plane(plane) if smoothed else None
            one = one or Smoothed.compute(image.pixels, spec, rows, columns, threads=threads)
            parts.append(_Part(spec, np.arange(plane * kinds, (plane + 1) * kinds, dtype=np.int32), one))
        return parts

    def _pack(self, strips: Iterator[int], parts: list[_Part], bins: Bins, packed: NDArray[np.uint8]) -> None:
        """Put the features of strips into bins."""
        most = max(len(part.features) for part in parts)
        memory = np.empty(most * SMOOTHED_PIECE[0] * self._window.shape[1], np.float32)
        of_parts = [bins.of(part.features) for part in parts]
        for index in strips:
            strip, first = self._strips[index], self._firsts[index]
            size = strip.shape[0] * strip.shape[1]
            blocks = packed[first : first + count_blocks(size)]
            for part, of_part in zip(parts, of_parts, strict=True):
                planes = memory[: len(part.features) * size].reshape(len(part.features), *strip.shape)
                part.smoothed.features(part.spec, strip.rows, strip.columns, out=planes)
                of_part.pack_blocks(planes.reshape(len(planes), -1), of_part.differing(None), part.features, 0, blocks)

    def _unpadded(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """The pixels of blocks as those of the window."""
        rows, columns = self._window.shape
        if SMOOTHED_PIECE[0] * columns % BLOCK == 0:
            return pixels[: rows * columns].reshape(rows, columns)
        sizes = [strip.shape[0] * columns for strip in self._strips]
        parts = [pixels[first * BLOCK :][:size] for first, size in zip(self._firsts, sizes, strict=True)]
        return np.concatenate(parts).reshape(rows, columns)


def bit_planes_bytes(spec: FeatureSpec, channels: int, window: Window) -> int:
    """Bytes that the bit planes of a window take, of an image with ``channels`` channels."""
    return packed_bytes(_first_blocks(_strips(window))[-1], spec.count(channels))


def _strips(window: Window) -> tuple[Window, ...]:
    """The window from top to bottom, some rows at a time."""
    return window.split(SMOOTHED_PIECE[0], window.shape[1])


def _first_blocks(strips: tuple[Window, ...]) -> list[int]:
    """The first block of each strip, and the number of all."""
    return [0, *np.cumsum([count_blocks(strip.shape[0] * strip.shape[1]) for strip in strips]).tolist()]
