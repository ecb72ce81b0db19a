"""The compiled loops of :mod:`segmentation.forest.bins`: plain loops over bytes, which LLVM turns into vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.simd import kernel, part
from segmentation.forest._bit_layout import BINS, BITS, BLOCK, ROW

_FIRST = np.float32(0)
_LAST = np.float32(BINS - 1)
_NONE = np.uint8(0)

Floats = NDArray[np.float32]
Bytes = NDArray[np.uint8]


@part
def _bin(value: np.float32, low: np.float32, scale: np.float32) -> np.int32:
    """The bin of a value; 0 for what is not a number."""
    steps = (value - low) * scale
    steps = steps if steps > _FIRST else _FIRST
    steps = steps if steps < _LAST else _LAST
    return np.int32(steps)


@kernel
def bin_rows(rows: Floats, low: Floats, scale: Floats, columns: Bytes) -> None:
    """The bins of rows of features, feature by feature.

    Args:
        rows: ``(pixels, features)``.
        low, scale: see :class:`segmentation.forest.bins.Bins`.
        columns: ``(features, pixels)`` to be filled.
    """
    for pixel in range(len(rows)):
        for feature in range(len(columns)):
            columns[feature, pixel] = _bin(rows[pixel, feature], low[feature], scale[feature])


@kernel
def pack_blocks(
    planes: Floats,
    features: NDArray[np.int32],
    places: NDArray[np.int32],
    first: int,
    low: Floats,
    scale: Floats,
    packed: Bytes,
) -> None:
    """The bins of some features of some blocks of pixels, as bits.

    Args:
        planes: ``(features, pixels)``.
        features: which of them.
        places: where each of these goes.
        first: the first of the blocks.
        low, scale: see :class:`segmentation.forest.bins.Bins`.
        packed: ``(blocks, features, BITS, ROW)`` to be filled.
    """
    bins = np.empty(BLOCK, np.uint8)
    for block in range(len(packed)):
        start = (first + block) * BLOCK
        for number in range(len(features)):
            feature, place_of = np.uint64(features[number]), np.uint64(places[number])
            values = planes[feature, start : start + BLOCK]
            lowest, bins_per_unit = low[feature], scale[feature]
            for pixel in range(len(values)):
                bins[pixel] = _bin(values[pixel], lowest, bins_per_unit)
            for pixel in range(len(values), BLOCK):
                bins[pixel] = _NONE
            for digit in range(BITS):
                asked = np.uint8(1 << digit)
                row = packed[block, place_of, digit]
                for place in range(ROW):
                    byte = _NONE
                    for bit in range(8):
                        byte |= np.uint8(1 << bit) if bins[bit * ROW + place] & asked else _NONE
                    row[place] = byte
