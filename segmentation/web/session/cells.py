"""Cells of the levels of large images, which are kept decoded for a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, groupby
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import Tile, TileGrid, Window
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Pyramid
from segmentation.web.session.partial_views import cell_side

MAX_CELLS = 16
"""Cells of a window that is put together of them; a larger one is decoded as it is."""

DAMAGED = 10_000
"""Cells of which is known that a part of them cannot be read."""

ROW_BYTES = 2**26
"""Of cells beside each other that are decoded at once, at most."""

ROW_SHARE = 4
"""As large a part of what is kept is decoded at once, or a cell: a reader takes it, and what it takes beside it."""

Decoded = Callable[[Window, int], Image]
"""Decodes a window of a level."""


class Cells:
    """The cells of all large images.

    Args:
        cache_bytes: bytes of pixels that are kept.
    """

    def __init__(self, cache_bytes: int) -> None:
        self._kept: BoundedCache[tuple[str, int, int], Image] = BoundedCache(
            cache_bytes, lambda image: image.pixels.nbytes
        )
        self._row_bytes = min(ROW_BYTES, cache_bytes // ROW_SHARE)
        self._last = threading.local()
        self._damaged: BoundedCache[tuple[str, int, int], bool] = BoundedCache(DAMAGED)

    def clear(self) -> None:
        """Keep none of them any longer, where memory is short."""
        self._kept.clear()

    def missing(
        self, key: str, pyramid: Pyramid, window: Window, level: int, decoded: Decoded
    ) -> NDArray[np.bool_] | None:
        """Where a window of a level of an image, known by its key, holds no data; its values are asked for next."""
        pixels, missing = self._read(key, pyramid, window, level, decoded)
        self._last.read = (key, level, window), pixels
        return missing

    def values(self, key: str, pyramid: Pyramid, window: Window, level: int, decoded: Decoded) -> NDArray[Any]:
        """The pixels of a window of a level; of the one that :meth:`missing` was asked for just now they are there."""
        last, self._last.read = getattr(self._last, "read", None), None
        if last is not None and last[0] == (key, level, window):
            return cast("NDArray[Any]", last[1])
        return self._read(key, pyramid, window, level, decoded)[0]

    def _read(
        self, key: str, pyramid: Pyramid, window: Window, level: int, decoded: Decoded
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """The pixels of a window of a level, and where they hold no data: put together of cells that are kept, or
        read as they are where a part of these is damaged, which the window may not touch.
        """
        grid = TileGrid(pyramid.levels[level].shape, self._side(pyramid))
        rows, columns = (
            range(part.start // grid.side, -(-part.stop // grid.side)) for part in (window.rows, window.columns)
        )
        touched = [(key, level, row * grid.across + column) for row in rows for column in columns]
        if len(touched) <= MAX_CELLS and not any(self._damaged.get(cell) for cell in touched):
            try:
                return self._of_cells(pyramid, window, grid, touched, decoded)
            except PassingError:
                raise
            except ImageError:
                if len(touched) == 1:
                    self._damaged.put(touched[0], True)
                if _is_of_cells(window, grid):
                    raise
        image = decoded(window, level)
        return image.pixels, image.no_data

    def _side(self, pyramid: Pyramid) -> int:
        """Rows and columns of a cell: so many that those of a window are kept together, but no less than a piece."""
        side, pixel_bytes = cell_side(pyramid), pyramid.channels * pyramid.dtype.itemsize
        while side // 2 >= max(pyramid.piece) and side * side * pixel_bytes > self._kept.budget // MAX_CELLS:
            side //= 2
        return side

    def _of_cells(
        self,
        pyramid: Pyramid,
        window: Window,
        grid: TileGrid,
        touched: Sequence[tuple[str, int, int]],
        decoded: Decoded,
    ) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        shape = (*window.shape, pyramid.channels) if pyramid.channels > 1 else window.shape
        pixels, missing, lacks = np.empty(shape, pyramid.dtype), np.zeros(window.shape, bool), False
        for cell, image in chain.from_iterable(
            self._row(touched[0][:2], grid, [index for _, _, index in row], pyramid, decoded)
            for _, row in groupby(touched, lambda cell: cell[2] // grid.across)
        ):
            part = Window(
                slice(max(cell.rows.start, window.rows.start), min(cell.rows.stop, window.rows.stop)),
                slice(max(cell.columns.start, window.columns.start), min(cell.columns.stop, window.columns.stop)),
            )
            pixels[part.place_in(window)] = image.pixels[part.place_in(cell)]
            if image.no_data is not None:
                missing[part.place_in(window)], lacks = image.no_data[part.place_in(cell)], True
        return pixels, missing if lacks else None

    def _row(
        self,
        place: tuple[str, int],
        grid: TileGrid,
        indices: Sequence[int],
        pyramid: Pyramid,
        decoded: Decoded,
    ) -> Iterator[tuple[Tile, Image]]:
        """Cells beside each other; those that are not kept are decoded together, since they may lie in the same strips.

        Args:
            place: what the image is known by, and the level.
            grid: of the level.
            indices: of the cells.
            pyramid: the image.
            decoded: reads a window.
        """
        cells = {index: self._kept.get((*place, index)) for index in indices}
        lacking = [grid.tile(index) for index, image in cells.items() if image is None]
        most = max(1, self._row_bytes // (grid.side**2 * pyramid.channels * pyramid.dtype.itemsize))
        for some in (lacking[start : start + most] for start in range(0, len(lacking), most)):
            span = Window(some[0].rows, slice(some[0].columns.start, some[-1].columns.stop))
            image = decoded(span, place[1])
            for cell in some:
                part = cell.place_in(span)
                gaps = None if image.no_data is None else image.no_data[part].copy()
                cells[cell.index] = one = Image(image.pixels[part].copy(), image.metadata, gaps)
                self._kept.put((*place, cell.index), one)
        return ((grid.tile(index), image) for index, image in cells.items() if image is not None)


def _is_of_cells(window: Window, grid: TileGrid) -> bool:
    """Whether a window touches no cell that it does not cover."""
    return all(
        part.start % grid.side == 0 and (part.stop % grid.side == 0 or part.stop == length)
        for part, length in zip((window.rows, window.columns), grid.shape, strict=True)
    )
