"""Features of a tile as bits, from which a forest with bins segments it at once.

They take three quarters of the memory of the smoothed tile, and are made again only where the range of a feature has
changed over which its bins lie.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation._shared.reused_memory import MAX_FREE_BYTES, Room, reused_memory
from segmentation._shared.tiling import Window
from segmentation.features.pieces import compute_of, rows_of_piece
from segmentation.features.planes_on_disk import RoomOnDisk
from segmentation.features.smoothed import Smoothed, planes_of
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import BLOCK, Bins, count_blocks, packed_room, packed_shape
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
        on_disk: where they lie between two uses; None holds them in memory.
    """

    def __init__(self, spec: FeatureSpec, channels: int, window: Window, on_disk: RoomOnDisk | None = None) -> None:
        self._spec, self._channels, self._window, self._on_disk = spec, channels, window, on_disk
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
        rows, columns = self._window.shape
        with self._in_bins(_bins_of(forest), forest.used_features, image, smoothed, threads) as packed:
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
        rows, columns = self._window.shape
        with self._in_bins(_bins_of(forest), forest.used_features, image, smoothed, threads) as packed:
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
        with self._in_bins(_bins_of(forest), forest.used_features, image, smoothed, threads) as packed:
            classes, counts = forest.program.classes_and_counts(packed, rows * columns, weights, threads=threads)
        probabilities = forest.shares_of_votes(counts, weights)
        return classes.reshape(rows, columns), probabilities.reshape(-1, rows, columns)

    def fill(self, bins: Bins, image: Image, smoothed: Smoothed | None = None, *, threads: int | None = None) -> None:
        """Put all features into some bins, those that a forest is expected to have; else as :meth:`classes`."""
        with self._in_bins(bins, np.full(bins.n_features, True), image, smoothed, threads):
            pass

    def are_at_hand(self, forest: Forest) -> bool:
        """Whether all that a forest looks at is in its bins, so that it only has to be walked."""
        return not (self._differing(_bins_of(forest)) & forest.used_features).any()

    def _differing(self, bins: Bins) -> NDArray[np.bool_]:
        """Which features are in other bins than these, or in none yet."""
        return np.asarray((self._ends != np.stack([bins.low, bins.scale])).any(axis=0))

    @contextmanager
    def _in_bins(
        self, bins: Bins, used: NDArray[np.bool_], image: Image, smoothed: Smoothed | None, threads: int | None
    ) -> Iterator[NDArray[np.uint8]]:
        """The bits of the features that are used, in some bins, which nobody changes meanwhile."""
        with self._lock, self._held(used & ~self._differing(bins)) as packed:
            changed = self._put_in_bins(packed, bins, used, image, smoothed, threads)
            if changed.any() and self._on_disk is not None and not self._on_disk.write(packed, changed):
                self._ends[:] = np.nan
            yield packed

    @contextmanager
    def _held(self, needed: NDArray[np.bool_]) -> Iterator[NDArray[np.uint8]]:
        """Memory with the bits as they are, as far as they are needed."""
        rows, columns = self._window.shape
        blocks, count = count_blocks(rows * columns), self._ends.shape[1]
        if self._on_disk is None:
            if self._packed is None:
                self._packed = packed_room(blocks, count)
            yield self._packed
            return
        with reused_memory() as room:
            packed = room(packed_shape(blocks, count), np.uint8)
            if needed.any() and not self._on_disk.read(packed, needed):
                self._ends[:] = np.nan
            yield packed

    def _put_in_bins(
        self,
        packed: NDArray[np.uint8],
        bins: Bins,
        used: NDArray[np.bool_],
        image: Image,
        smoothed: Smoothed | None,
        threads: int | None,
    ) -> NDArray[np.bool_]:
        """Put the features that are used into some bins; which were in others."""
        ends = np.stack([bins.low, bins.scale])
        differing = self._differing(bins)
        wanted = differing & used
        if not wanted.any():
            return wanted
        with reused_memory() as room:
            if smoothed is None and not self._spec.looks_around:
                needed = self._planes_of(wanted)
                smoothed = self._smoothed(image, needed, room, threads)
                wanted = differing & self._follow_from(needed)
            self._ends[:, wanted] = np.nan  # until all are there, should an error come between
            self._pack(packed, bins, wanted, image, smoothed, threads)
            self._ends[:, wanted] = ends[:, wanted]
        return wanted

    def _smoothed(self, image: Image, planes: NDArray[np.bool_], room: Room, threads: int | None) -> Smoothed:
        """The window smoothed, as far as some planes are needed."""
        rows, columns = self._window.rows, self._window.columns
        return Smoothed.compute(
            image.pixels, self._spec.local, rows, columns, wanted=planes, room=room, threads=threads
        )

    def _planes_of(self, wanted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which smoothed planes the features that are wanted follow from."""
        spec = self._spec.local
        return planes_of(spec, self._channels, wanted[: spec.count(self._channels)])

    def _follow_from(self, planes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which features follow from some smoothed planes: the next forest may look at others than this one."""
        spec = self._spec
        pointwise = spec.pointwise(self._channels)
        local = np.concatenate([np.repeat(planes, spec.kinds_per_sigma), pointwise.follow_from(planes)])
        return np.append(local, np.full(len(self._ends[0]) - len(local), True))

    def _pack(
        self,
        packed: NDArray[np.uint8],
        bins: Bins,
        wanted: NDArray[np.bool_],
        image: Image,
        smoothed: Smoothed | None,
        threads: int | None,
    ) -> None:
        """Put some features into bins."""
        spec, window = self._spec, self._window
        numbers, width = np.flatnonzero(wanted).astype(np.int32), window.shape[1]
        step = BLOCK // math.gcd(BLOCK, width)
        strips = self._strips(wanted, step)

        def work(tasks: Iterator[Window]) -> None:
            with reused_memory() as room:
                for strip in tasks:
                    planes = room((len(wanted), *strip.shape), np.float32)
                    rows, columns = strip.rows, strip.columns
                    compute_of(image, spec, rows, columns, out=planes, wanted=wanted, threads=1, smoothed=smoothed)
                    first = (strip.rows.start - window.rows.start) * width // BLOCK
                    blocks = packed[first : first + count_blocks(strip.shape[0] * width)]
                    bins.pack_blocks(planes.reshape(len(wanted), -1), numbers, numbers, 0, blocks)

        share(strips, work, threads)

    def _strips(self, wanted: NDArray[np.bool_], step: int) -> Sequence[Window]:
        """The window in parts that begin with a block of bits; whole where each part would smooth a halo of its own."""
        window, width = self._window, self._window.shape[1]
        if self._spec.looks_around:
            return [window]
        touched = int(np.count_nonzero(wanted) + 4 * np.count_nonzero(self._planes_of(wanted)))
        rows = min(
            -(-rows_of_piece(touched, width) // step), max(1, MAX_FREE_BYTES // (4 * len(wanted) * width * step))
        )
        return window.split(rows * step, width)


def bit_planes_bytes(spec: FeatureSpec, channels: int, window: Window) -> int:
    """Bytes that the bit planes of a window take, of an image with ``channels`` channels."""
    return math.prod(packed_shape(count_blocks(window.shape[0] * window.shape[1]), spec.count(channels)))


def _bins_of(forest: Forest) -> Bins:
    """The bins of a forest that is walked on bits."""
    assert forest.bins is not None
    return forest.bins
