"""Windows and tiles of an image, and the order in which tiles are wanted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

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

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """All tiles, row by row."""
        cells = whole_window(self.shape).split(self.side, self.side)
        return tuple(Tile(cell.rows, cell.columns, index) for index, cell in enumerate(cells))

    def index_of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the tile that each pixel lies in."""
        return rows // self.side * -(-self.shape[1] // self.side) + columns // self.side

    def order(self, view: Bounds | None = None) -> list[Tile]:
        """All tiles, those that a person would miss most first.

        Args:
            view: what is on the screen; None for the whole image.

        Returns:
            The tiles that touch the view, from its middle outwards, then the others, the nearest first.
        """
        shown = view or (0, self.shape[0] - 1, 0, self.shape[1] - 1)
        middle_row, middle_column = (shown[0] + shown[1]) / 2, (shown[2] + shown[3]) / 2

        def urgency(tile: Tile) -> tuple[bool, float, int]:
            top, bottom, left, right = tile.bounds
            distance = ((top + bottom) / 2 - middle_row) ** 2 + ((left + right) / 2 - middle_column) ** 2
            return not tile.touches(shown), distance, tile.index

        return sorted(self.tiles, key=urgency)


def whole_window(shape: tuple[int, ...]) -> Window:
    """The window that covers all of an image of this shape."""
    return Window(slice(0, shape[0]), slice(0, shape[1]))
