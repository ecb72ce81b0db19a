"""Features of a tile as bits, from which a forest with bins segments it at once.

They take three quarters of the memory of the smoothed tile, and are made again only where the range of a feature has
changed over which its bins lie.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation._shared.tiling import Window
from segmentation.features.pieces import SMOOTHED_PIECE
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import BLOCK, Bins, count_blocks, packed_bytes, packed_room
from segmentation.forest.forest import Forest
from segmentation.forest.weighing import Weights
from segmentation.io.image import Image


@dataclass(frozen=True)
class _Task:
    """Some features of a part of the window that is to be put into bins.

    Attributes:
        spec: these features.
        numbers: their numbers in the whole spec.
        smoothed: what they follow from.
        part: a part of the window whose pixels begin with a block.
    """

    spec: FeatureSpec
    numbers: NDArray[np.int32]
    smoothed: Smoothed
    part: Window


class BitPlanes:
    """The bins of all features of a window as bits, see :meth:`segmentation.forest.bins.Bins.pack`.

    They hold the bins that were asked for last; threads that ask for others at the same time wait for each other.

    Args:
        spec: which features.
        channels: number of channels of the image.
        window: which part of the image.
    """

    def __init__(self, spec: FeatureSpec, channels: int, window: Window) -> None:
        self._spec, self._window = spec, window
        self._features = spec.count(channels)
        self._packed: NDArray[np.uint8] | None = None
        self._bins: Bins | None = None
        self._lock = threading.Lock()
        self.nbytes = bit_planes_bytes(spec, channels, window)

    def classes(
        self,
        forest: Forest,
        image: Image,
        smoothed: Smoothed | None,
        weights: Weights | None = None,
        *,
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        """The index of each pixel's class, as :meth:`Forest.predict` gives it.

        Args:
            forest: a forest that is walked on bits.
            image: the image, for the features whose bins are not there yet.
            smoothed: the window smoothed, if it is cached.
            weights: of the classes; None leaves all as they are.
            threads: number of threads; None takes all cores.

        Returns:
            ``(window rows, window columns)`` uint8.
        """
        with self._lock:
            packed = self._in_bins(forest, image, smoothed, threads)
            rows, columns = self._window.shape
            found = forest.program.classes(packed, rows * columns, weights, threads=threads)
        return found.reshape(rows, columns)

    def probabilities(
        self,
        forest: Forest,
        image: Image,
        smoothed: Smoothed | None,
        weights: Weights | None = None,
        *,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """``(classes, window rows, window columns)`` float32; else as :meth:`classes`."""
        with self._lock:
            packed = self._in_bins(forest, image, smoothed, threads)
            rows, columns = self._window.shape
            counts = forest.program.counts(packed, rows * columns, threads=threads)
        return forest.shares_of_votes(counts, weights).reshape(-1, rows, columns)

    def _in_bins(
        self, forest: Forest, image: Image, smoothed: Smoothed | None, threads: int | None
    ) -> NDArray[np.uint8]:
        """The bits in the bins of a forest; features whose bins they were in already cost nothing."""
        bins = forest.bins
        assert bins is not None
        if self._packed is None:
            rows, columns = self._window.shape
            self._packed = packed_room(count_blocks(rows * columns), self._features)
        packed, differing = self._packed, bins.differing(self._bins)
        if len(differing):
            self._bins = None  # until all are there, should an error come between
            tasks = self._tasks(image, differing, smoothed, threads)
            share(tasks, partial(self._pack, bins=bins, differing=differing, packed=packed), threads)
        self._bins = bins
        return packed

    def _tasks(
        self, image: Image, differing: NDArray[np.int32], smoothed: Smoothed | None, threads: int | None
    ) -> list[_Task]:
        """What is to be computed: all features strip by strip, or if few differ, those of single smoothed planes."""
        window, kinds = self._window, self._spec.kinds_per_sigma
        of_planes = np.unique(differing // kinds)
        if 2 * len(of_planes) * kinds > self._features:
            whole = smoothed or Smoothed.compute(image.pixels, self._spec, window.rows, window.columns, threads=threads)
            numbers = np.arange(self._features, dtype=np.int32)
            height = max(SMOOTHED_PIECE[0], BLOCK // math.gcd(BLOCK, window.shape[1]))
            strips = window.split(height, window.shape[1])
            return [_Task(self._spec, numbers, whole, strip) for strip in strips]
        tasks = []
        for plane in of_planes.tolist():
            spec = self._spec.of_plane(plane, image.channels)
            one = smoothed.plane(plane) if smoothed else None
            one = one or Smoothed.compute(image.pixels, spec, window.rows, window.columns, threads=threads)
            tasks.append(_Task(spec, np.arange(plane * kinds, (plane + 1) * kinds, dtype=np.int32), one, window))
        return tasks

    def _pack(
        self, tasks: Iterator[_Task], bins: Bins, differing: NDArray[np.int32], packed: NDArray[np.uint8]
    ) -> None:
        """Put the features that differ into bins."""
        memory = np.empty(0, np.float32)
        for task in tasks:
            shape, count = task.part.shape, len(task.numbers)
            size = shape[0] * shape[1]
            if memory.size < count * size:
                memory = np.empty(count * size, np.float32)
            planes = memory[: count * size].reshape(count, *shape)
            task.smoothed.features(task.spec, task.part.rows, task.part.columns, out=planes)
            numbers, at, _ = np.intersect1d(task.numbers, differing, assume_unique=True, return_indices=True)
            first = (task.part.rows.start - self._window.rows.start) * shape[1] // BLOCK
            blocks = packed[first : first + count_blocks(size)]
            bins.of(task.numbers).pack_blocks(planes.reshape(count, -1), at.astype(np.int32), numbers, 0, blocks)


def bit_planes_bytes(spec: FeatureSpec, channels: int, window: Window) -> int:
    """Bytes that the bit planes of a window take, of an image with ``channels`` channels."""
    return packed_bytes(count_blocks(window.shape[0] * window.shape[1]), spec.count(channels))
