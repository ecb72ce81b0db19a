"""A part of a level of a pyramid, a quarter as long and as wide: what its coarser levels are made of.

It is read as its file stores it, piece by piece, so that no strip is decoded again and again. A piece that is damaged
becomes pixels without data, and the rest is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.io.halving import halved_by_means, halved_where_all
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.no_data import not_numbers, together
from segmentation.io.pyramid import Pyramid
from segmentation.io.unread import UNREAD_PIXELS

STEP = 4
"""Rows, and columns, of the level that one of the part stands for."""

BAND_BYTES = 2**25
"""Of the level that are read at once, about."""

MOST_BAND_BYTES = 2**28
LEAST_SIDE = 64
"""Rows and columns of what is left out of a damaged part at least, so that few are tried one by one."""


def read_reduced(pyramid: Pyramid, window: Window, level: int) -> Image:
    """A window of a level, each pixel the mean of :data:`STEP` x :data:`STEP` of it that hold data.

    Args:
        pyramid: the image.
        window: whose first row and first column are multiples of :data:`STEP`, and its end too, unless it is that of
            the level.
        level: of the image.

    Returns:
        ``(ceil(rows / STEP), ceil(columns / STEP))``, or with channels, of the type that the pyramid has; without data
        where none of the pixels hold any, or can be read. How many of them cannot be read its metadata say under
        :data:`segmentation.io.unread.UNREAD_PIXELS`.

    Raises:
        PassingError: with a sentence, if a part of it did not come this time.
    """
    row_bytes = window.shape[1] * pyramid.channels * pyramid.dtype.itemsize
    pieces = max(1, BAND_BYTES // (row_bytes * pyramid.piece[0]))
    rows = min(pieces * pyramid.piece[0], MOST_BAND_BYTES // row_bytes) // STEP * STEP
    found = [_reduced(pyramid, band, level) for band in window.split(max(rows, STEP), window.shape[1])]
    pixels = np.concatenate([values for values, _, _ in found], axis=-2)
    missing = np.concatenate([gaps for _, gaps, _ in found])
    upright = np.ascontiguousarray(np.moveaxis(pixels, 0, -1)) if pyramid.channels > 1 else pixels
    about = pyramid.about(level) | {UNREAD_PIXELS: sum(unread for _, _, unread in found)}
    return Image(upright, about, missing if missing.any() else None)


def _reduced(pyramid: Pyramid, band: Window, level: int) -> tuple[NDArray[Any], NDArray[np.bool_], int]:
    """The values, ``(channels, rows, columns)`` or ``(rows, columns)``, where there are none, and how many of the
    pixels that they are made of cannot be read.
    """
    values, missing, unread = _what_comes(pyramid, band, level)
    values = np.moveaxis(values, -1, 0) if values.ndim == 3 else values
    for _ in range(2):
        values = halved_by_means(values, missing)
        missing = None if missing is None else halved_where_all(missing)
    return values, np.zeros(values.shape[-2:], bool) if missing is None else missing, unread


def _what_comes(pyramid: Pyramid, band: Window, level: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None, int]:
    """The values of a part of a level, where there are none, since it says so or cannot be read, and how many of them
    cannot be.
    """
    try:
        return *_values(pyramid, band, level), 0
    except PassingError:
        raise
    except ImageError:
        shape = (*band.shape, pyramid.channels) if pyramid.channels > 1 else band.shape
        values, missing = np.zeros(shape, pyramid.dtype), np.ones(band.shape, bool)
    unread = missing.size
    for part in _parts(band, pyramid.piece):
        try:
            found, gaps = _values(pyramid, part, level)
        except PassingError:
            raise
        except ImageError:
            continue
        place = part.place_in(band)
        values[place] = found
        missing[place] = False if gaps is None else gaps
        unread -= part.shape[0] * part.shape[1]
    return values, missing, unread


def _values(pyramid: Pyramid, window: Window, level: int) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    values = pyramid.values(window, level)
    values = values[..., 0] if values.ndim == 3 and pyramid.channels == 1 else values
    told = None if pyramid.missing is None else pyramid.missing(window, level)
    missing = together(told, not_numbers(values))
    with np.errstate(over="ignore"):
        return np.asarray(values).astype(pyramid.dtype, copy=False), missing


def _parts(band: Window, piece: tuple[int, int]) -> Iterator[Window]:
    """The band cut where pieces of the file end, into parts that are not too small."""
    cuts = []
    for part, length in zip((band.rows, band.columns), piece, strict=True):
        side = -(-LEAST_SIDE // length) * length
        cuts.append(
            [slice(max(start, part.start), min(start + side, part.stop))
             for start in range(part.start // side * side, part.stop, side)]
        )  # fmt: skip
    for rows in cuts[0]:
        for columns in cuts[1]:
            yield Window(rows, columns)
