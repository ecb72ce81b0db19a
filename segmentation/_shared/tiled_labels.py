"""Labels of an image of any size: only the tiles that something is drawn in are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Tile, TileGrid


@dataclass(frozen=True, eq=False)
class TiledLabels:
    """Class ids of the pixels of an image, 0 wherever no tile is kept.

    Attributes:
        shape: rows and columns of the image.
        of_tiles: by the index of a tile its ``(tile rows, tile columns)`` uint8 class ids. Not to be written to.
    """

    shape: tuple[int, int]
    of_tiles: Mapping[int, NDArray[np.uint8]]

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return sum(one.nbytes for one in self.of_tiles.values())

    @property
    def pixels_by_class(self) -> NDArray[np.int64]:
        """``(256,)`` int64, number of labelled pixels by class id; 0 of class 0."""
        counts = np.zeros(256, np.int64)
        for labels in self.of_tiles.values():
            counts += np.bincount(labels.ravel(), minlength=256)
        counts[0] = 0
        return counts

    def tiles(self) -> Iterator[tuple[Tile, NDArray[np.uint8]]]:
        """The tiles that are kept, row by row, and what is drawn in them."""
        grid = TileGrid(self.shape)
        for index in sorted(self.of_tiles):
            yield grid.tile(index), self.of_tiles[index]

    def places(self) -> NDArray[np.int64]:
        """Raster indices in the whole image of the labelled pixels, ascending."""
        found = [np.empty(0, np.int64)]
        for tile, labels in self.tiles():
            rows, columns = np.nonzero(labels)
            found.append((rows + tile.rows.start) * np.int64(self.shape[1]) + columns + tile.columns.start)
        return np.sort(np.concatenate(found))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.uint8]:
        """``(places,)`` uint8, the class ids at raster indices of the whole image."""
        rows, columns = np.divmod(places, self.shape[1])
        grid = TileGrid(self.shape)
        tile_of = grid.index_of(rows, columns)
        found = np.zeros(len(places), np.uint8)
        for index in np.unique(tile_of).tolist():
            labels = self.of_tiles.get(index)
            if labels is not None:
                inside, tile = np.flatnonzero(tile_of == index), grid.tile(index)
                found[inside] = labels[rows[inside] - tile.rows.start, columns[inside] - tile.columns.start]
        return found
