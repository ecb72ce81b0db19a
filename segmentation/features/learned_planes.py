"""The outputs of the network at the pixels of a window, from cells that are computed once for each tile of an image.

Cells lie on a grid that belongs to the whole image, so that a part that is read with its halo has the same ones. Beyond
the image its pixels are mirrored.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.computed_once import ComputedOnce
from segmentation._shared.tiling import TILE_SIDE
from segmentation.features.compute import to_float32
from segmentation.features.learned.layout import CHANNELS, COUNT, REACH, STRIDE
from segmentation.features.learned.network import cells_of, interpolate
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image

CACHE_BYTES = 16_000_000
"""Cells that are kept from stroke to stroke: those of 11 megapixels."""

MOST_SCALE = float(np.finfo(np.float32).max)
"""Ends may lie closer together than float32 can divide by."""

Floats = NDArray[np.float32]
_Key = tuple[str, tuple[int, int], tuple[int, int], FeatureSpec, range, range]

_kept: BoundedCache[_Key, Floats] = BoundedCache(CACHE_BYTES, lambda cells: cells.nbytes)
_computing: ComputedOnce[_Key, Floats] = ComputedOnce()


def fill_learned(
    image: Image,
    spec: FeatureSpec,
    rows: slice,
    columns: slice,
    out: Floats,
    wanted: NDArray[np.bool_] | None = None,
) -> None:
    """Fill the learned features of a window of an image.

    Args:
        image: the image, or a part of one with the halo of the window.
        spec: says which channels are looked at, and with its constants what is dark and what bright.
        rows: the window's rows.
        columns: the window's columns.
        out: ``(80, window rows, window columns)`` float32, C-contiguous, to be filled.
        wanted: ``(80,)``, which of them are wanted; None takes all. The others are left as they are.
    """
    numbers = np.arange(COUNT, dtype=np.int32) if wanted is None else np.flatnonzero(wanted).astype(np.int32)
    if not len(numbers):
        return
    windows = [_in_whole(part, corner) for part, corner in zip((rows, columns), image.corner, strict=True)]
    for high in _parts(image, 0, windows[0]):
        for wide in _parts(image, 1, windows[1]):
            inside = [
                (max(part.start, window.start), min(part.stop, window.stop))
                for part, window in zip((high, wide), windows, strict=True)
            ]
            first = inside[0][0] - _first_cell(high), inside[1][0] - _first_cell(wide)
            filled = np.array(inside) - [[windows[0].start], [windows[1].start]]
            interpolate(_cells(image, spec, high, wide), numbers, first, filled, out)


def keep_cells(image: Image, spec: FeatureSpec, rows: slice, columns: slice) -> None:
    """Compute what :func:`fill_learned` needs of a window, and keep it as long as there is room."""
    windows = [_in_whole(part, corner) for part, corner in zip((rows, columns), image.corner, strict=True)]
    for high in _parts(image, 0, windows[0]):
        for wide in _parts(image, 1, windows[1]):
            _cells(image, spec, high, wide)


def _in_whole(part: slice, corner: int) -> range:
    return range(part.start + corner, part.stop + corner)


def _parts(image: Image, axis: int, window: range) -> list[range]:
    """The rows, or columns, of tiles of the whole image that hold some of a window, as far as the image goes."""
    start = image.corner[axis]
    stop = start + image.shape[axis]
    tiles = range(window.start // TILE_SIDE * TILE_SIDE, window.stop, TILE_SIDE)
    return [range(max(tile, start), min(tile + TILE_SIDE, stop)) for tile in tiles]


def _first_cell(part: range) -> int:
    """Row, or column, of the first cell that pixels are interpolated from."""
    return part.start // STRIDE * STRIDE


def _cells(image: Image, spec: FeatureSpec, rows: range, columns: range) -> Floats:
    """``(80, rows of cells, columns of cells)`` of a part of an image, from memory if they were computed before."""
    seen = replace(spec.seen_by_network, channels=spec.network_channels(image.channels))
    key = image.hash, image.corner, image.shape, seen, rows, columns  # blocks of one corner end at different places

    def compute() -> Floats:
        cells = cells_of(_input(image, seen, _around(rows), _around(columns)))
        inner = slice(REACH // STRIDE, 1 - REACH // STRIDE)
        cells = np.ascontiguousarray(cells[:, inner, inner])
        cells.flags.writeable = False
        _kept.put(key, cells)
        return cells

    return _computing.value(key, lambda: _kept.get(key), compute)


def _around(part: range) -> range:
    """The pixels of the whole image on which the cells of a part depend, and those beyond it."""
    last = (part.stop - 1) // STRIDE * STRIDE + STRIDE
    return range(_first_cell(part) - REACH, last + REACH)


def _input(image: Image, spec: FeatureSpec, rows: range, columns: range) -> Floats:
    """What the network sees: three channels, of which dark is about -1 and bright about 1."""
    places = [
        _mirrored(np.arange(around.start, around.stop) - corner, length)
        for around, corner, length in zip((rows, columns), image.corner, image.shape, strict=True)
    ]
    if spec.channels is None or spec.constants is None or spec.constants.ends is None:
        raise ValueError("Learned texture needs constants: learn from an image first.")
    if len(spec.constants.ends) != len(spec.channels):
        raise ValueError("The constants of learned texture are of another number of channels than it sees.")
    values: Floats = np.empty((CHANNELS, len(rows), len(columns)), np.float32)
    for number, (channel, (low, high)) in enumerate(zip(spec.channels, spec.constants.ends, strict=True)):
        to_float32(image.stacked[..., channel][np.ix_(*places)], values[number])
        scale = np.float32(min(1 / (high - low), MOST_SCALE) if high > low else 0)
        with np.errstate(over="ignore"):
            np.clip((values[number] - np.float32(low)) * scale, 0, 1, out=values[number])
    if len(spec.channels) == 1:
        values[1:] = values[0]
    elif len(spec.channels) == 2:
        values[2] = (values[0] + values[1]) * np.float32(0.5)
    values *= np.float32(255 / 128)
    values -= np.float32(127 / 128)
    return np.ascontiguousarray(np.moveaxis(values, 0, 2))


def _mirrored(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Where what lies beyond an image is mirrored from, its border once."""
    if length == 1:
        return np.zeros_like(places)
    places = np.abs(places) % (2 * length - 2)
    return np.minimum(places, 2 * length - 2 - places)
