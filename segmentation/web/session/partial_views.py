"""What can be read of a part of an image of which some cannot: the rest is there, and the missing shown as such."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Pyramid

INCOMPLETE = "incomplete"
"""Key of the metadata of an image of which a part is missing, with the sentence that says why."""

CELL_SIDE = 1024
"""Pixels along the sides of what is read at once: about the chunks of the field, and a few tiles."""

LEAST_CELL_SIDE, CELL_BYTES = 128, 2**24

FINER = 4
"""Times that a cell of which a part cannot be read is longer than what is then read of it; and wider, unless the file
stores as one what is as wide as a cell."""

STRIP_BYTES = 2**25
"""Of all channels of what is read of a view at once, about."""

MAX_VIEW_PIXELS = 2**24

COMES_LATER = "comes_later"
"""Key of the same that is true if the missing may come the next time: it is not damaged."""

AGAIN_SECONDS = 5
"""After which what did not come this time is asked for again."""

SECONDS = 10.0
"""After which no more is asked for, once a part has failed."""


def cell_side(pyramid: Pyramid) -> int:
    """Pixels along the sides of what is read, and kept, at once: of many channels fewer."""
    side = CELL_SIDE
    while side > LEAST_CELL_SIDE and side * side * pyramid.channels * pyramid.dtype.itemsize > CELL_BYTES:
        side //= 2
    return side


def view_of(pyramid: Pyramid, rows: slice, columns: slice, step: int, channels: Sequence[int]) -> Image:
    """A part of a large image, every ``step``-th row and column, from the coarsest level that is fine enough.

    It is read strip by strip, so that channels which are not asked for take no memory for long.

    Args:
        pyramid: the image.
        rows: of the finest level.
        columns: of the finest level.
        step: between the pixels that are wanted.
        channels: which of them, in this order.

    Returns:
        ``(ceil(rows / step), ceil(columns / step))``, and the channels where they are several, each pixel the one in
        the middle of those that it stands for; without data where it cannot be read.

    Raises:
        ImageError: with a sentence, if nothing of it can be read.
    """
    number, down, across = _sampled(pyramid, rows, columns, step)
    left, right = int(across[0]), int(across[-1]) + 1
    side, row_bytes = cell_side(pyramid), (right - left) * pyramid.channels * pyramid.dtype.itemsize
    rows_at_once = side * max(1, STRIP_BYTES // (side * row_bytes))
    seen = Window(slice(int(down[0]), int(down[-1]) + 1), slice(left, right))
    missing, problems = np.ones((len(down), len(across)), bool), list[ImageError]()
    pixels: NDArray[Any] | None = None
    for part, read in _what_comes(pyramid, number, list(_parts(seen, rows_at_once, right)), side, problems):
        if pixels is None:
            about, pixels = read.metadata, np.zeros((*missing.shape, len(channels)), read.pixels.dtype)
        in_rows, in_columns = _within(down, part.rows), _within(across, part.columns)
        own = down[in_rows] - part.rows.start, across[in_columns] - part.columns.start
        place = np.ix_(in_rows, in_columns)
        pixels[place] = read.stacked[np.ix_(*own, np.array(channels))]
        missing[place] = False if read.no_data is None else read.no_data[np.ix_(*own)]
    if pixels is None:
        raise problems[0]
    if problems:
        later = any(isinstance(one, PassingError) for one in problems)
        about = about | {INCOMPLETE: str(problems[0]), COMES_LATER: later}
    return Image(pixels if len(channels) > 1 else pixels[..., 0], about, missing if missing.any() else None)


def _what_comes(
    pyramid: Pyramid, level: int, parts: Sequence[Window], side: int, problems: list[ImageError]
) -> Iterator[tuple[Window, Image]]:
    """Parts of a level that can be read, of others their cells that can, and of damaged ones what can, until they have
    had their time.

    Args:
        pyramid: the image.
        level: of the image.
        parts: what is wanted.
        side: of cells.
        problems: filled with what went wrong.
    """
    waiting, ends = list(parts)[::-1], math.inf
    while waiting and time.monotonic() < ends:
        part = waiting.pop()
        try:
            read = pyramid.read(part, level)
        except ImageError as problem:
            problems.append(problem)
            ends = min(ends, time.monotonic() + SECONDS)
            cuts = [(side, side)]
            if not isinstance(problem, PassingError):
                cuts.append((side // FINER, side if pyramid.piece[1] >= side else side // FINER))
            waiting += next((some for cut in cuts if len(some := list(_parts(part, *cut))) > 1), [])[::-1]
        else:
            yield part, read


def _sampled(
    pyramid: Pyramid, rows: slice, columns: slice, step: int
) -> tuple[int, NDArray[np.int64], NDArray[np.int64]]:
    """The level that a part is taken from, and its rows and columns that are shown."""
    number = pyramid.level_for(step)
    while True:
        level = pyramid.levels[number]
        down, across = (
            np.minimum(((np.arange(part.start, part.stop, step) + step / 2) / level.step).astype(int), length - 1)
            for part, length in zip((rows, columns), level.shape, strict=True)
        )
        seen = int(down[-1] + 1 - down[0]) * int(across[-1] + 1 - across[0])
        if seen <= MAX_VIEW_PIXELS or number == len(pyramid.levels) - 1:
            return number, down, across
        number += 1


def _within(places: NDArray[np.int64], part: slice) -> NDArray[np.intp]:
    return np.flatnonzero((places >= part.start) & (places < part.stop))


def _parts(window: Window, height: int, width: int) -> Iterator[Window]:
    """The window cut where rows and columns of the level are multiples of a height and a width."""
    for row in range(window.rows.start // height, -(-window.rows.stop // height)):
        rows = slice(max(row * height, window.rows.start), min((row + 1) * height, window.rows.stop))
        for column in range(window.columns.start // width, -(-window.columns.stop // width)):
            columns = slice(max(column * width, window.columns.start), min((column + 1) * width, window.columns.stop))
            yield Window(rows, columns)
