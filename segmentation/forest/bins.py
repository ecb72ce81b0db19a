"""Features as bins: each value is known by its place among 64 even steps over the range of what is learnt from.

A forest that asks only for bins can be grown on bytes and walked on bits. Its thresholds are edges between bins, and
are float32 numbers too: what :meth:`Bins.thresholds` gives divides all float32 numbers exactly as the bins do, so that
any other program that compares floats comes to the same answer.

The range of a feature depends on the rows that are learnt from, on what else it is said to cover, and on nothing else.
It is rounded outwards to a grid, so that a further stroke moves few ranges. If that has two steps at least, 32 or more
of the 64 bins still lie within the range itself; with eight, 51 or more, which segment no better.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.aligned import on_cache_lines
from segmentation._shared.cached_property import cached_property
from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.parallel import share
from segmentation.forest._bit_layout import BINS as BINS
from segmentation.forest._bit_layout import BITS, ROW
from segmentation.forest._bit_layout import BLOCK as BLOCK

_LARGEST = np.finfo(np.float32).max
_BLOCKS_PER_TASK = 8
_NEAR = 16
"""Float32 numbers on each side of where an edge lies without rounding, among which it is found soon."""


@dataclass(frozen=True, eq=False)
class Bins:
    """Into which bins features fall.

    The bin of a float32 value is ``(value - low) * scale``, rounded after each of the two operations to float32, cut
    off after the point, and at least 0 and at most 63. Both operations keep the order of values, so that each bin is
    an interval of float32 numbers.

    Attributes:
        low: ``(features,)`` float32, finite: what bin 0 begins with.
        scale: ``(features,)`` float32, finite, bins for each unit of the feature; 0 for a feature that has one value
            only. Since it is finite, a range below 2e-37 has fewer bins.

    Raises:
        ValueError: if the arrays are not as described.
    """

    low: NDArray[np.float32]
    scale: NDArray[np.float32]

    def __post_init__(self) -> None:
        for name in ("low", "scale"):
            values = getattr(self, name)
            if not isinstance(values, np.ndarray) or values.dtype != np.float32 or values.ndim != 1:
                raise ValueError(f"The {name} of the bins is not an array of float32 in 1 dimension.")
            if not np.isfinite(values).all():
                raise ValueError(f"The {name} of the bins has values that are not finite numbers.")
        if len(self.low) != len(self.scale):
            raise ValueError("The bins have as many lowest values as scales, one for each feature.")
        if (self.scale < 0).any():
            raise ValueError("A scale of the bins is negative.")

    @classmethod
    def of_rows(
        cls,
        rows: NDArray[np.float32],
        steps: int = 2,
        ranges: NDArray[np.float32] | None = None,
        margin: float = 0.0,
    ) -> Bins:
        """The bins over the range of these rows.

        Args:
            rows: ``(pixels, features)`` float32, at least one pixel, finite.
            steps: how many steps of the grid there are at least between the ends of a range, a power of two.
            ranges: ``(2, features)`` float32, what they cover besides, finite, or not a number where that is nothing.
            margin: how far beyond these, in parts of their width, rows lie that are not covered for it.
        """
        low, high = (np.asarray(end, np.float64) for end in (rows.min(axis=0), rows.max(axis=0)))
        if ranges is not None:
            lowest, highest = np.asarray(ranges, np.float64)
            beyond = margin * (highest - lowest)
            low = np.where(low >= lowest - beyond, lowest, np.fmin(low, lowest))
            high = np.where(high <= highest + beyond, highest, np.fmax(high, highest))
        exponent = np.frexp(high - low)[1] - steps.bit_length()
        step = np.where(high > low, np.ldexp(1.0, exponent), 1.0)
        rounded_low = np.where(high > low, np.floor(low / step) * step, low)
        rounded_high = np.where(high > low, np.ceil(high / step) * step, high)
        width = rounded_high - rounded_low
        scale = np.divide(BINS, width, out=np.zeros_like(width), where=width > 0)
        return cls(
            rounded_low.clip(-_LARGEST, _LARGEST).astype(np.float32), scale.clip(max=_LARGEST).astype(np.float32)
        )

    @classmethod
    def of_ranges(cls, ranges: NDArray[np.float32], steps: int = 2) -> Bins:
        """Those that :meth:`of_rows` gives for rows that lie within these ranges, the arguments as there."""
        return cls.of_rows(np.nan_to_num(ranges), steps)

    @property
    def n_features(self) -> int:
        """Number of features."""
        return len(self.low)

    def of(self, features: NDArray[np.int32]) -> Bins:
        """Those of some features."""
        return Bins(self.low[features], self.scale[features])

    def differing(self, others: Bins | None) -> NDArray[np.int32]:
        """The features, int32, whose bins are not the same as others; all if there are no others."""
        if others is None:
            return np.arange(self.n_features, dtype=np.int32)
        return np.flatnonzero((self.low != others.low) | (self.scale != others.scale)).astype(np.int32)

    def columns(self, rows: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The bins of rows of features, feature by feature.

        Args:
            rows: ``(pixels, features)`` float32.

        Returns:
            ``(features, pixels)`` uint8, from 0 to 63.
        """
        if not kernels_are_ready():
            return self.of_values(np.arange(self.n_features)[:, None], np.asarray(rows.T, np.float32))
        from segmentation.forest._bin_kernels import bin_rows

        columns = np.empty(rows.shape[::-1], np.uint8)
        bin_rows(_read_only(np.ascontiguousarray(rows, np.float32)), self.low, self.scale, columns)
        return columns

    def pack(
        self,
        planes: NDArray[np.float32],
        out: NDArray[np.uint8] | None = None,
        *,
        features: NDArray[np.int32] | None = None,
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        """The bins of planes of features, as bits.

        Args:
            planes: ``(features, ...)`` float32, C-contiguous.
            out: uint8 array of the shape that is returned, to be filled; None makes one.
            features: which of them are wanted, int32; None takes all.
            threads: number of threads; None takes all cores.

        Returns:
            ``(blocks, features, BITS, ROW)`` uint8, the lowest digit first, see :data:`ROW`. Where the last block goes
            beyond the pixels, its bits are 0.

        Raises:
            ValueError: if there are not as many planes as there are bins for.
        """
        if planes.ndim < 1 or len(planes) != self.n_features or planes.dtype != np.float32:
            raise ValueError(
                f"There are bins for {self.n_features} float32 features, one plane each, "
                f"but these are {planes.dtype} of shape {planes.shape}."
            )
        wanted = self.differing(None) if features is None else features
        places = np.arange(len(wanted), dtype=np.int32)
        pixels = np.ascontiguousarray(planes).reshape(self.n_features, -1)
        blocks = count_blocks(pixels.shape[1])
        packed = packed_room(blocks, len(wanted)) if out is None else out

        def work(starts: Iterator[int]) -> None:
            for start in starts:
                self.pack_blocks(pixels, wanted, places, start, packed[start : start + _BLOCKS_PER_TASK])

        share(range(0, blocks, _BLOCKS_PER_TASK), work, threads)
        return packed

    def pack_blocks(
        self,
        pixels: NDArray[np.float32],
        features: NDArray[np.int32],
        places: NDArray[np.int32],
        first: int,
        packed: NDArray[np.uint8],
    ) -> None:
        """The bins of some blocks of pixels, as bits.

        Args:
            pixels: ``(features, pixels)`` float32, C-contiguous.
            features: those that are wanted, int32.
            places: where each of these goes among the packed ones, int32.
            first: the first of the blocks.
            packed: ``(blocks, features, BITS, ROW)`` uint8 to be filled.
        """
        from segmentation.forest._bin_kernels import pack_blocks

        pack_blocks(_read_only(pixels), features, places, first, self.low, self.scale, packed)

    def of_values(self, features: NDArray[np.integer[Any]], values: NDArray[np.float32]) -> NDArray[np.uint8]:
        """The bin of each value: the definition in NumPy, which the kernels are held equal to.

        Args:
            features: which feature each value is of.
            values: float32, of a shape that goes together with ``features``.

        Returns:
            uint8; 0 for what is not a number.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            steps = (values - self.low[features]) * self.scale[features]
        return np.fmin(np.fmax(steps, 0), BINS - 1).astype(np.uint8)

    def thresholds(self, features: NDArray[np.integer[Any]], bins: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """The largest float32 of each bin, or of those before it, if it has none: above it begins the next.

        A value is above the threshold if and only if its bin is above the bin.

        Args:
            features: which feature each bin is of.
            bins: from 0 to 62.

        Returns:
            ``(bins,)`` float32; the largest finite number if no number has a higher bin.
        """
        low, high = self._around(features, bins)
        while (low < high).any():
            middle = (low + high + 1) >> 1
            within = self.of_values(features, _with_ordinal(middle)) <= bins
            low, high = np.where(within, middle, low), np.where(within, high, middle - 1)
        return _with_ordinal(low)

    def _around(
        self, features: NDArray[np.integer[Any]], bins: NDArray[np.integer[Any]]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ordinals of float32 numbers that have the largest of each bin between them."""
        lowest, highest = (np.full(len(bins), _ordinals(end), np.int64) for end in (-_LARGEST, _LARGEST))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            guess = self.low[features] + (bins + 1) / self.scale[features].astype(np.float64)
        near = _ordinals(np.nan_to_num(guess, nan=0.0).clip(-_LARGEST, _LARGEST).astype(np.float32))
        low, high = (np.clip(near + steps, lowest, highest) for steps in (-_NEAR, _NEAR))
        low = np.where(self.of_values(features, _with_ordinal(low)) <= bins, low, lowest)
        return low, np.where(self.of_values(features, _with_ordinal(high)) > bins, high, highest)

    @cached_property
    def edges(self) -> NDArray[np.float32]:
        """``(features, 63)`` float32, ascending: the threshold above each bin but the last."""
        features, bins = np.divmod(np.arange(self.n_features * (BINS - 1)), BINS - 1)
        return self.thresholds(features, bins).reshape(self.n_features, BINS - 1)


def joined_ranges(ranges: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """What ranges of features cover together, each ``(2, features)`` float32, of which there is one at least."""
    lows, highs = np.stack(ranges, axis=1)
    return np.stack([np.fmin.reduce(lows), np.fmax.reduce(highs)])


def count_blocks(pixels: int) -> int:
    """Number of blocks that hold this many pixels."""
    return -(-pixels // BLOCK)


def packed_room(blocks: int, features: int) -> NDArray[np.uint8]:
    """``(blocks, features, BITS, ROW)`` uint8 to be filled with bits."""
    return on_cache_lines(packed_shape(blocks, features), np.uint8)


def packed_shape(blocks: int, features: int) -> tuple[int, int, int, int]:
    """How many blocks, features, digits and bytes there are of bits."""
    return blocks, features, BITS, ROW


def _ordinals(values: NDArray[np.float32] | np.float32) -> NDArray[np.int64]:
    """The numbers of finite float32 among all of them, 0 being that of zero."""
    bits = np.asarray(values, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits >= 0, bits, -(bits & 0x7FFFFFFF))


def _with_ordinal(numbers: NDArray[np.int64]) -> NDArray[np.float32]:
    """The float32 with these ordinals."""
    magnitudes = np.abs(numbers).astype(np.int32).view(np.float32)
    return np.where(numbers < 0, -magnitudes, magnitudes)


def _read_only(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same memory, not to be written: for Numba an array that can be written is of another type."""
    view = array.view()
    view.flags.writeable = False
    return view
