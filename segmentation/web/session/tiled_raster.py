"""The labels of an image that is read part by part, updated with its strokes: only tiles that they touch are kept."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiled_labels import TiledLabels
from segmentation._shared.tiling import TileGrid
from segmentation.io.limits import ImageError
from segmentation.strokes.classes import REGION, UNLABELLED
from segmentation.strokes.raster import stroke_bounds
from segmentation.strokes.stroke import Stroke
from segmentation.strokes.tiled import tiled_labels, touched_tiles, window_labels

STROKE_BYTES = 750
"""What a stroke takes beside its points, about."""


class TiledRaster:
    """As :class:`segmentation.web.session.labels.LabelRaster`, of an image of any size.

    A stroke that is added costs the tiles that it touches; one that goes or changes, all tiles with labels.

    Attributes:
        labels: class ids by tiles.
        pixels_by_class: ``(256,)`` int64, number of labelled pixels by class id.
        region: nothing is kept of it here: it is drawn in each tile that is looked at.
        nbytes: about the bytes that it takes, its strokes included.
    """

    region: NDArray[np.bool_] | None = None

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels = TiledLabels(shape, {})
        self.pixels_by_class = np.zeros(256, np.int64)
        self._strokes: tuple[Stroke, ...] = ()

    @property
    def nbytes(self) -> int:
        """About the bytes that it takes."""
        return self.labels.nbytes + sum(STROKE_BYTES + one.points.nbytes for one in self._strokes)

    @property
    def strokes_outside(self) -> int:
        """How many strokes label nothing, since all of each lies outside of where the image is worked on."""
        outlines = [one for one in self._strokes if one.class_id == REGION]
        if not outlines:
            return 0
        shape = self.labels.shape
        bounds = [stroke_bounds(one, shape) for one in outlines]
        return sum(
            all(around is None or not _touch(here, around) for around in bounds)
            for one in self._strokes
            if one.class_id not in (REGION, UNLABELLED) and (here := stroke_bounds(one, shape)) is not None
        )

    def snapshot(self) -> TiledLabels:
        """The labels as they are now; they never change."""
        return self.labels

    def update(self, strokes: tuple[Stroke, ...]) -> None:
        """Let the labels be those of ``strokes``; later strokes win.

        Raises:
            ImageError: with a sentence, if they cover too much.
        """
        if strokes == self._strokes:
            return
        shape = self.labels.shape
        new = strokes[len(self._strokes) :]
        try:
            if strokes[: len(self._strokes)] != self._strokes or any(one.class_id == REGION for one in new):
                labels = tiled_labels(strokes, shape)
            else:
                labels = self._with(new, strokes)
        except ValueError as problem:
            raise ImageError(str(problem)) from problem
        self.labels, self._strokes = labels, strokes
        self.pixels_by_class = labels.pixels_by_class

    def _with(self, new: tuple[Stroke, ...], strokes: tuple[Stroke, ...]) -> TiledLabels:
        """The labels with strokes that were added at the end."""
        grid, of_tiles = TileGrid(self.labels.shape), dict(self.labels.of_tiles)
        touched = {index for one in new if one.class_id != UNLABELLED for index in touched_tiles(one, grid.shape)}
        erased = [bounds for one in new if one.class_id == UNLABELLED if (bounds := stroke_bounds(one, grid.shape))]
        for index in of_tiles:
            tile = grid.tile(index)
            here = tile.rows.start, tile.rows.stop, tile.columns.start, tile.columns.stop
            if any(_touch(here, bounds) for bounds in erased):
                touched.add(index)
        for index in touched:
            of_tiles[index] = window_labels(strokes, grid.tile(index), grid.shape)
        return TiledLabels(grid.shape, of_tiles)


def _touch(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether two rectangles, given by rows and columns from start to stop, have pixels in common."""
    return one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
