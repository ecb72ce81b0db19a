"""The network in NumPy: slower, and equal to the kernels to the last bit, since it adds in the same order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Layer = tuple[Floats, Floats]


def _clipped(values: Floats) -> Floats:
    above = np.where(values > 0, values, np.float32(0))
    return np.where(above < 6, above, np.float32(6))


def _pointwise(x: Floats, layer: Layer) -> Floats:
    weights, bias = layer
    out: Floats = np.repeat(bias, x.size // x.shape[-1], axis=0).reshape(*x.shape[:-1], -1)
    for number, of_channel in enumerate(weights):
        out += of_channel * x[..., number, None]
    return out


def stem(image: Floats, layer: Layer) -> Floats:
    """``(rows / 2, columns / 2, channels)`` of ``(rows, columns, 3)``."""
    rows, columns, _ = image.shape
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    taps = [padded[r : r + rows : 2, c : c + columns : 2] for r in range(3) for c in range(3)]
    return _clipped(_pointwise(np.concatenate(taps, axis=2), layer))


def block(x: Floats, expand: Layer, deep: Layer, project: Layer, shape: tuple[int, int, int, int]) -> Floats:
    """``(rows / stride, columns / stride, channels)`` of ``(rows, columns, channels)``; see the kernel."""
    side, stride, expands, adds = shape
    wide = _clipped(_pointwise(x, expand)) if expands else x
    pad, (rows, columns) = side // 2, wide.shape[:2]
    padded = np.pad(wide, ((pad, pad), (pad, pad), (0, 0)))
    places = [(r, c) for r in range(side) for c in range(side)]
    total: Floats = np.repeat(deep[1], -(-rows // stride) * -(-columns // stride), axis=0)
    total = total.reshape(-(-rows // stride), -(-columns // stride), -1)
    for weights, (r, c) in zip(deep[0], places, strict=True):
        total += weights * padded[r : r + rows : stride, c : c + columns : stride]
    out = _pointwise(_clipped(total), project)
    return out + x if adds else out


def interpolate(
    cells: Floats,
    numbers: NDArray[np.int32],
    stride: int,
    first: tuple[int, int],
    window: NDArray[np.int64],
    out: Floats,
) -> None:
    """Features of pixels between cells; see the kernel."""
    (top, bottom), (left, right) = window
    rows, down = np.divmod(first[0] + np.arange(bottom - top), stride)
    columns, across = np.divmod(first[1] + np.arange(right - left), stride)
    low, part = (np.asarray(steps / stride, np.float32) for steps in (down[:, None], across))
    for number in numbers:
        lines = cells[number, rows] * (1 - low) + cells[number, rows + 1] * low
        out[number, top:bottom, left:right] = lines[:, columns] * (1 - part) + lines[:, columns + 1] * part
