"""Features of a tile as bits, from which a forest with bins segments it at once.

They take three quarters of the memory of the smoothed tile, and are made again only where the range of a feature has
changed over which its bins lie.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation._shared.tiling import Window
from segmentation.features.pieces import MAX_FREE_BUFFER_BYTES, reused_memory, rows_of_piece
from segmentation.features.smoothed import Room, Smoothed, planes_of
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import BLOCK, Bins, count_blocks, packed_bytes, packed_room
from segmentation.forest.forest import Forest
from segmentation.forest.weighing import Weights
from segmentation.io.image import Image


class BitPlanes:
    """The bins of features of a window as bits, see :meth:`segmentation.forest.bins.Bins.pack`.

    They hold the features that a forest has looked at, in the bins that were asked for last; threads that ask for
    others at the same time wait for each other.

    Args:
        spec: which features, with constants if it needs some.
        channels: number of channels of the image.
        window: which part of the image.
    """

    def __init__(self, spec: FeatureSpec, channels: int, window: Window) -> None:
        self._spec, self._channels, self._window = spec, channels, window
        self._packed: NDArray[np.uint8] | None = None
        self._ends = np.full((2, spec.count(channels)), np.nan, np.float32)
        """Low and scale of the bins that each feature is in; not a number where it is in none."""

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

    def classes_and_probabilities(
        self,
        forest: Forest,
        image: Image,
        smoothed: Smoothed | None,
        weights: Weights | None = None,
        *,
        threads: int | None = None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """What :meth:`classes` and :meth:`probabilities` give, in one walk."""
        rows, columns = self._window.shape
        with self._lock:
            packed = self._in_bins(forest, image, smoothed, threads)
            classes, counts = forest.program.classes_and_counts(packed, rows * columns, weights, threads=threads)
        probabilities = forest.shares_of_votes(counts, weights)
        return classes.reshape(rows, columns), probabilities.reshape(-1, rows, columns)

    def mostly_differ(self, forest: Forest) -> bool:
        """Whether most features are in other bins than a forest's, so that all of the window must be smoothed."""
        assert forest.bins is not None
        differing = self._differing(forest.bins) & forest.used_features
        return bool(2 * np.count_nonzero(differing) > len(differing))

    def _differing(self, bins: Bins) -> NDArray[np.bool_]:
        """Which features are in other bins than these, or in none yet."""
        return np.asarray((self._ends != np.stack([bins.low, bins.scale])).any(axis=0))

    def _in_bins(
        self, forest: Forest, image: Image, smoothed: Smoothed | None, threads: int | None
    ) -> NDArray[np.uint8]:
        """The bits in the bins of a forest; features whose bins they were in already cost nothing."""
        bins = forest.bins
        assert bins is not None
        count = self._ends.shape[1]
        if self._packed is None:
            rows, columns = self._window.shape
            self._packed = packed_room(count_blocks(rows * columns), count)
        ends = np.stack([bins.low, bins.scale])
        differing = self._differing(bins)
        wanted = differing & forest.used_features
        if not wanted.any():
            return self._packed
        with reused_memory() as room:
            if smoothed is None:
                needed = self._planes_of(wanted)
                smoothed = self._smoothed(image, needed, room, threads)
                wanted = differing & self._follow_from(needed)
            self._ends[:, wanted] = np.nan  # until all are there, should an error come between
            self._pack(bins, wanted, smoothed, threads)
            self._ends[:, wanted] = ends[:, wanted]
        return self._packed

    def _smoothed(self, image: Image, planes: NDArray[np.bool_], room: Room, threads: int | None) -> Smoothed:
        """The window smoothed, as far as some planes are needed."""
        rows, columns = self._window.rows, self._window.columns
        return Smoothed.compute(image.pixels, self._spec, rows, columns, wanted=planes, room=room, threads=threads)

    def _planes_of(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which smoothed planes the features that are wanted follow from."""
        return planes_of(self._spec, self._channels, wanted)

    def _follow_from(self, planes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which features follow from some smoothed planes: the next forest may look at others than this one."""
        spec = self._spec
        pointwise = spec.pointwise(self._channels)
        return np.concatenate([np.repeat(planes, spec.kinds_per_sigma), pointwise.follow_from(planes)])

    def _pack(self, bins: Bins, wanted: NDArray[np.bool_], smoothed: Smoothed, threads: int | None) -> None:
        """Put some features into bins."""
        spec, window, packed = self._spec, self._window, self._packed
        assert packed is not None
        numbers, width = np.flatnonzero(wanted).astype(np.int32), window.shape[1]
        step = BLOCK // math.gcd(BLOCK, width)
        touched = int(np.count_nonzero(wanted) + 4 * np.count_nonzero(self._planes_of(wanted)))
        rows = min(
            -(-rows_of_piece(touched, width) // step), max(1, MAX_FREE_BUFFER_BYTES // (4 * len(wanted) * width * step))
        )
        strips = window.split(rows * step, width)

        def work(tasks: Iterator[Window]) -> None:
            with reused_memory() as planes_for:
                for strip in tasks:
                    planes = planes_for(len(wanted), strip)
                    smoothed.features(spec, strip.rows, strip.columns, out=planes, wanted=wanted)
                    first = (strip.rows.start - window.rows.start) * width // BLOCK
                    blocks = packed[first : first + count_blocks(strip.shape[0] * width)]
                    bins.pack_blocks(planes.reshape(len(wanted), -1), numbers, numbers, 0, blocks)

        share(strips, work, threads)


def bit_planes_bytes(spec: FeatureSpec, channels: int, window: Window) -> int:
    """Bytes that the bit planes of a window take, of an image with ``channels`` channels."""
    return packed_bytes(count_blocks(window.shape[0] * window.shape[1]), spec.count(channels))
