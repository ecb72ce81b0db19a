"""An image of any size as tiles, and what is held of them between strokes.

A tile's features are computed from the tile and a halo around it (see ``compute_planes``), so that what is
segmented tile by tile equals, to the last bit, what the whole image would give.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from segmentation.budget import cache_bytes_from_environment
from segmentation.features import FeatureSpec
from segmentation.images import Image
from segmentation.smoothed import Smoothed, smoothed_bytes

TILE_SIDE = 256
"""Pixels along a tile's side: few enough that the first is on screen at once, that what a stroke left alone need not
be sent again, and that many can have their turns; enough for the halo to cost little."""

Bounds = tuple[float, float, float, float]
"""First row, last row, first column, last column, in image pixels."""

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True)
class Tile:
    """A rectangle of an image.

    Attributes:
        index: its place in the grid, row by row.
        rows: the image rows that it covers.
        columns: the image columns that it covers.
    """

    index: int
    rows: slice
    columns: slice

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the tile."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """First row, last row, first column, last column."""
        return self.rows.start, self.rows.stop - 1, self.columns.start, self.columns.stop - 1

    def place_in(self, window: Tile) -> tuple[slice, slice]:
        """Where the tile lies in an array that holds ``window``."""
        row, column = window.rows.start, window.columns.start
        return (
            slice(self.rows.start - row, self.rows.stop - row),
            slice(self.columns.start - column, self.columns.stop - column),
        )

    def pieces(self, height: int, width: int) -> tuple[Tile, ...]:
        """The tile cut into pieces of at most this many rows and columns, row by row."""
        rows, columns = (
            [slice(start, min(start + length, whole.stop)) for start in range(whole.start, whole.stop, length)]
            for whole, length in ((self.rows, height), (self.columns, width))
        )
        return tuple(
            Tile(index, row, column)
            for index, (row, column) in enumerate((row, column) for row in rows for column in columns)
        )

    def touches(self, bounds: Bounds) -> bool:
        """Whether a pixel of the tile, which reaches half a pixel around its centre, lies partly within ``bounds``."""
        top, bottom, left, right = self.bounds
        first_row, last_row, first_column, last_column = bounds
        return (
            top - 0.5 <= last_row
            and bottom + 0.5 >= first_row
            and left - 0.5 <= last_column
            and right + 0.5 >= first_column
        )


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
        return whole_of(self.shape).pieces(self.side, self.side)

    def index_of(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the tile that each pixel lies in."""
        return rows // self.side * -(-self.shape[1] // self.side) + columns // self.side

    def touching(self, bounds: Bounds) -> list[Tile]:
        """The tiles with a pixel within ``bounds``, row by row."""
        return [tile for tile in self.tiles if tile.touches(bounds)]

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


def whole_of(shape: tuple[int, ...]) -> Tile:
    """An image of this shape as one tile."""
    return Tile(0, slice(0, shape[0]), slice(0, shape[1]))


class BoundedCache(Generic[Key, Value]):
    """Values that fit a budget together; what was used least recently is dropped first. Safe among threads.

    Args:
        budget: the most that the sizes of the kept values may add up to.
        size: the size of a value, in the budget's unit.
    """

    def __init__(self, budget: int, size: Callable[[Value], int]) -> None:
        self.budget = budget
        self.used = 0
        self.size = size
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The kept value, or None."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> None:
        """Keeps a value, instead of the key's former one; one that is larger than the budget is not kept."""
        size = self.size(value)
        with self._lock:
            if key in self._values:
                self.used -= self.size(self._values.pop(key))
            if size <= self.budget:
                self._drop_until(self.budget - size)
                self._values[key] = value
                self.used += size

    def make_room(self, size: int) -> None:
        """Drops values until one of this size would fit, if the budget allows it at all."""
        with self._lock:
            if size <= self.budget:
                self._drop_until(self.budget - size)

    def _drop_until(self, used: int) -> None:
        while self.used > used:
            self.used -= self.size(self._values.popitem(last=False)[1])


WindowKey = tuple[str, tuple[int, ...], tuple[float, ...], tuple[int, int, int, int]]
"""Image hash, channels, sigmas and bounds."""


class FeatureCache:
    """The smoothed images from which the features of tiles follow, within a number of bytes.

    One for all sessions of a process. Two threads that want the same tile compute it once.

    Args:
        byte_budget: the most bytes to hold; None takes the megabytes that the environment variable
            ``SQUIGGLE_FEATURE_CACHE_MB`` names.

    Raises:
        ValueError: if that variable is not a number of megabytes.
    """

    def __init__(self, byte_budget: int | None = None) -> None:
        budget = cache_bytes_from_environment() if byte_budget is None else byte_budget
        self._held: BoundedCache[WindowKey, Smoothed] = BoundedCache(budget, lambda smoothed: smoothed.planes.nbytes)
        self._computing: dict[WindowKey, Future[Smoothed]] = {}
        self._lock = threading.Lock()

    @property
    def budget(self) -> int:
        """The most bytes that are held."""
        return self._held.budget

    @property
    def used(self) -> int:
        """Bytes that are held now."""
        return self._held.used

    def peek(self, image: Image, spec: FeatureSpec, tile: Tile) -> Smoothed | None:
        """The smoothed tile if it is held, else None."""
        return self._held.get(window_key(image, spec, tile))

    def smoothed(self, image: Image, spec: FeatureSpec, tile: Tile, *, threads: int | None = None) -> Smoothed:
        """The smoothed tile, computed if it is not held, and then held if it fits.

        Args:
            image: the image.
            spec: which channels and Gaussians.
            tile: which part of the image.
            threads: number of threads; None takes all cores.
        """
        key = window_key(image, spec, tile)
        mine: Future[Smoothed] = Future()
        with self._lock:
            held = self._held.get(key)
            if held is not None:
                return held
            computing = self._computing.setdefault(key, mine)
        if computing is not mine:
            return computing.result()
        try:
            self._held.make_room(smoothed_bytes(spec, image.channels, tile.shape))
            smoothed = Smoothed.of(image.pixels, spec, tile.rows, tile.columns, threads=threads)
            self._held.put(key, smoothed)
            mine.set_result(smoothed)
        except BaseException as error:
            mine.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._computing[key]
        return smoothed


def window_key(image: Image, spec: FeatureSpec, tile: Tile) -> WindowKey:
    """What a smoothed tile depends on."""
    return image.hash, spec.channel_indices(image.channels), spec.sigmas, tile.bounds
