"""Windows and tiles of an image, and the order in which tiles are wanted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property

TILE_SIDE = 256
"""Pixels along a tile's side: few enough that the first is on screen at once, that what a stroke left alone need not
be sent again, and that many people are served in turn; enough for the halo to cost little."""


Bounds = tuple[float, float, float, float]
"""First row, last row, first column, last column, in image pixels."""


@dataclass(frozen=True)
class Window:
    """A rectangle of an image.

    Attributes:
        rows: the image rows that it covers.
        columns: the image columns that it covers.
    """

    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the window."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """First row, last row, first column, last column."""
        return self.rows.start, self.rows.stop - 1, self.columns.start, self.columns.stop - 1

    def place_in(self, around: Window) -> tuple[slice, slice]:
        """Where the window lies in an array that holds the window ``around`` it."""
        row, column = around.rows.start, around.columns.start
        return (
            slice(self.rows.start - row, self.rows.stop - row),
            slice(self.columns.start - column, self.columns.stop - column),
        )

    def split(self, height: int, width: int) -> tuple[Window, ...]:
        """The window cut into windows of at most this many rows and columns, row by row."""
        rows, columns = (
            [slice(start, min(start + length, whole.stop)) for start in range(whole.start, whole.stop, length)]
            for whole, length in ((self.rows, height), (self.columns, width))
        )
        return tuple(Window(row, column) for row in rows for column in columns)

    def touches(self, bounds: Bounds) -> bool:
        """Whether a pixel, which reaches half a pixel around its centre, lies partly within ``bounds``."""
        top, bottom, left, right = self.bounds
        first_row, last_row, first_column, last_column = bounds
        return (
            top - 0.5 <= last_row
            and bottom + 0.5 >= first_row
            and left - 0.5 <= last_column
            and right + 0.5 >= first_column
        )


@dataclass(frozen=True)
class Tile(Window):
    """A cell of a :class:`TileGrid`.

    Attributes:
        index: its place in the grid, row by row.
    """

    index: int


class TileGrid:
    """The tiles of an image; those of the last row and column may be smaller.

    Args:
        shape: rows and columns of the image (what follows is ignored).
        side: pixels along a tile's side.
    """

    def __init__(self, shape: tuple[int, ...], side: int = TILE_SIDE) -> None:
        if side < 1:
            raise ValueError("A tile needs at least one pixel along its side.")
        self.shape = (int(shape[0]), int(shape[1]))
        self.side = side

    @property
    def across(self) -> int:
        """Number of tiles beside each other."""
        return -(-self.shape[1] // self.side)

    def tile(self, index: int) -> Tile:
        """The tile at a place in the grid, without a look at the others."""
        top, left = (part * self.side for part in divmod(index, self.across))
        rows, columns = (
            slice(first, min(first + self.side, length)) for first, length in zip((top, left), self.shape, strict=True)
        )
        return Tile(rows, columns, index)

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, row by row."""
        cells = whole_window(self.shape).split(self.side, self.side)
        return tuple(Tile(cell.rows, cell.columns, index) for index, cell in enumerate(cells))

    def index_of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the tile that each pixel lies in."""
        return rows // self.side * self.across + columns // self.side

    def order(self, view: Bounds | None = None) -> list[Tile]:
        """All tiles, those that a person would miss most first.

        Args:
            view: what is on the screen; None for the whole image.

        Returns:
            The tiles that touch the view, from its middle outwards, then the others, the nearest first.
        """
        return self._by_urgency(self.tiles, view or (0, self.shape[0] - 1, 0, self.shape[1] - 1))

    def nearest(self, view: Bounds, most: int) -> list[Tile]:
        """The tiles that touch a view, from its middle outwards, and at most so many of them.

        Those of a grid of any size are found without a look at the others.

        Args:
            view: what is on the screen.
            most: how many.
        """
        first_row, last_row, first_column, last_column = view
        rows, columns = (
            self._around(first, last, length, most)
            for first, last, length in zip((first_row, first_column), (last_row, last_column), self.shape, strict=True)
        )
        tiles = [self.tile(row * self.across + column) for row in rows for column in columns]
        return self._by_urgency([tile for tile in tiles if tile.touches(view)], view)[:most]

    def _around(self, first: float, last: float, length: int, most: int) -> range:
        """Which rows, or columns, of tiles lie between two pixels; of too many those around the middle."""
        end = -(-length // self.side)
        start, stop = max(int(first // self.side) - 1, 0), min(int(last // self.side) + 2, end)
        middle = int((first + last) / 2 // self.side)
        return range(max(start, middle - most), min(stop, middle + most + 1))

    def _by_urgency(self, tiles: Iterable[Tile], view: Bounds) -> list[Tile]:
        """Those that touch a view, from its middle outwards, then the others, the nearest first."""
        middle_row, middle_column = (view[0] + view[1]) / 2, (view[2] + view[3]) / 2

        def urgency(tile: Tile) -> tuple[bool, float, int]:
            top, bottom, left, right = tile.bounds
            distance = ((top + bottom) / 2 - middle_row) ** 2 + ((left + right) / 2 - middle_column) ** 2
            return not tile.touches(view), distance, tile.index

        return sorted(tiles, key=urgency)


def whole_window(shape: tuple[int, ...]) -> Window:
    """The window that covers all of an image of this shape."""
    return Window(slice(0, shape[0]), slice(0, shape[1]))
