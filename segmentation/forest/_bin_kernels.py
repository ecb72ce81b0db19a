"""The compiled loops of :mod:`segmentation.forest.bins`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation.forest._bit_layout import BINS, BITS, BLOCK, ROW
from segmentation.forest._lanes import BINS_AT_ONCE, fetch_line, pack_bins

_FIRST = np.float32(0)
_LAST = np.float32(BINS - 1)

_ROWS_AT_ONCE = 32
"""Rows of features that stay in the processor's nearest cache while they become columns."""

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
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        for feature in range(len(columns)):
            for pixel in range(start, min(start + _ROWS_AT_ONCE, len(rows))):
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
    rows, n_features = packed.reshape(packed.size // ROW, ROW), packed.shape[1]
    rest = np.empty((1, BLOCK), np.float32)
    for block in range(len(packed)):
        start = (first + block) * BLOCK
        count = min(planes.shape[1] - start, BLOCK)
        for number in range(len(features)):
            feature, place = features[number], (block * n_features + places[number]) * BITS
            if count == BLOCK:
                following = number + 1 if number + 1 < len(features) else 0
                ahead = start if following else min(start + BLOCK, planes.shape[1] - BLOCK)
                for byte in range(0, ROW, BINS_AT_ONCE):
                    for column in range(8 * byte, 8 * (byte + BINS_AT_ONCE), LINE):
                        fetch_line(planes, features[following], ahead + column)
                    pack_bins(planes, feature, start, low[feature], scale[feature], rows, place, byte)
            else:
                rest[:] = np.nan
                rest[0, :count] = planes[feature, start:]
                for byte in range(0, ROW, BINS_AT_ONCE):
                    pack_bins(rest, 0, 0, low[feature], scale[feature], rows, place, byte)
