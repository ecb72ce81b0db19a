"""The compiled loops of :mod:`segmentation.forest.bins`: plain loops over bytes, which LLVM turns into vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.simd import kernel, part
from segmentation.forest._bit_layout import BINS, BITS, BLOCK, ROW
from segmentation.forest._lanes import fetch_line

_FIRST = np.float32(0)
_LAST = np.float32(BINS - 1)
_NONE = np.uint8(0)
_ROW = np.uint64(ROW)  # counted without a sign, since Numba lets negative indices count from the end

LINE = 16
"""Float32 numbers of a cache line."""

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
        count = min(planes.shape[1] - start, BLOCK)
        for number in range(len(features)):
            if count == BLOCK:
                following = number + 1 if number + 1 < len(features) else 0
                ahead = start if following else min(start + BLOCK, planes.shape[1] - BLOCK)
                for place in range(0, BLOCK, LINE):
                    fetch_line(planes, features[following], ahead + place)
            feature, place_of = np.uint64(features[number]), np.uint64(places[number])
            lowest, bins_per_unit = low[feature], scale[feature]
            for pixel in range(count):
                bins[pixel] = _bin(planes[feature, np.uint64(start + pixel)], lowest, bins_per_unit)
            for pixel in range(count, BLOCK):
                bins[pixel] = _NONE
            for digit in range(BITS):
                asked = np.uint8(1 << digit)
                for place in range(_ROW):
                    byte = _NONE
                    for bit in range(8):
                        byte |= np.uint8(1 << bit) if bins[np.uint64(bit) * _ROW + place] & asked else _NONE
                    packed[block, place_of, digit, place] = byte
