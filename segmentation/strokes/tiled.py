"""Strokes -> labels of an image of any size: the tiles that the strokes touch, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiled_labels import TiledLabels
from segmentation._shared.tiling import TILE_SIDE, Tile, TileGrid, Window
from segmentation.strokes.classes import REGION, UNLABELLED
from segmentation.strokes.raster import paint_window, stroke_bounds
from segmentation.strokes.stroke import Stroke

MOST_TILES = 1024
"""Tiles with labels that an image may have: 64 MB of labels, and more than anybody draws by hand."""


def window_labels(strokes: Sequence[Stroke], window: Window, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The labels of a window of an image, as :func:`segmentation.strokes.raster.rasterise` has them there.

    Args:
        strokes: all that is drawn on the image, in its order.
        window: which part of it.
        shape: rows and columns of the image.

    Returns:
        ``(window rows, window columns)`` uint8.
    """
    labels = np.zeros(window.shape, np.uint8)
    for stroke in strokes:
        if stroke.class_id != REGION:
            _paint(labels, stroke, stroke.class_id, window, shape)
    region = window_region(strokes, window, shape)
    if region is not None:
        labels[~region] = UNLABELLED
    return labels


def window_region(strokes: Iterable[Stroke], window: Window, shape: tuple[int, int]) -> NDArray[np.bool_] | None:
    """Where a window of an image is worked on, ``(window rows, window columns)`` bool; None if it is everywhere."""
    outlines = [stroke for stroke in strokes if stroke.class_id == REGION]
    if not outlines:
        return None
    inside = np.zeros(window.shape, np.uint8)
    for outline in outlines:
        _paint(inside, outline, 1, window, shape)
    return inside.view(bool)


def _paint(labels: NDArray[np.uint8], stroke: Stroke, value: int, window: Window, shape: tuple[int, int]) -> None:
    """Paint the part of a stroke that lies in a window, of which these are the labels."""
    bounds = stroke_bounds(stroke, shape)
    if bounds is None:
        return
    row, stop_row = max(bounds[0], window.rows.start), min(bounds[1], window.rows.stop)
    column, stop_column = max(bounds[2], window.columns.start), min(bounds[3], window.columns.stop)
    if row < stop_row and column < stop_column:
        rows, columns = Window(slice(row, stop_row), slice(column, stop_column)).place_in(window)
        paint_window(labels[rows, columns], stroke, row, column, value)


def touched_tiles(stroke: Stroke, shape: tuple[int, int], most: int = MOST_TILES) -> set[int]:
    """The indices of the tiles that a stroke may label pixels of.

    Args:
        stroke: what is drawn.
        shape: rows and columns of the image.
        most: how many they may be.

    Raises:
        ValueError: with a sentence, if they are more.
    """
    bounds = stroke_bounds(stroke, shape)
    if bounds is None:
        return set()
    grid, found = TileGrid(shape), set[int]()
    for row, stop_row, column, stop_column in _boxes(stroke, bounds, shape):
        rows = range(row // TILE_SIDE, -(-stop_row // TILE_SIDE))
        columns = range(column // TILE_SIDE, -(-stop_column // TILE_SIDE))
        if len(rows) * len(columns) > most:
            raise ValueError(_TOO_MUCH)
        found |= {down * grid.across + right for down in rows for right in columns}
        if len(found) > most:
            raise ValueError(_TOO_MUCH)
    return found


_TOO_MUCH = (
    "The strokes on this image cover too much of it to be learnt from: draw smaller ones, where the classes are "
    "typical."
)


def _boxes(
    stroke: Stroke, bounds: tuple[int, int, int, int], shape: tuple[int, int]
) -> Iterable[tuple[int, int, int, int]]:
    """Rectangles within which a stroke labels pixels: of a path one for each of its pieces, else what bounds it."""
    if stroke.kind != "path":
        return [bounds]
    reach = max(stroke.width, 1.0) / 2
    parts = [stroke.points[start:stop] for start, stop in _parts(stroke)]
    boxes = []
    for points in parts:
        ends = points[1:] if len(points) > 1 else points
        low, high = np.minimum(points[: len(ends)], ends), np.maximum(points[: len(ends)], ends)
        first, last = np.floor(low - reach).astype(int), np.ceil(high + reach).astype(int) + 1
        rows, columns = np.clip([first[:, 1], last[:, 1]], 0, shape[0]), np.clip([first[:, 0], last[:, 0]], 0, shape[1])
        kept = (rows[0] < rows[1]) & (columns[0] < columns[1])
        boxes += list(zip(*(side[kept].tolist() for side in (*rows, *columns)), strict=True))
    return boxes


def _parts(stroke: Stroke) -> Iterable[tuple[int, int]]:
    """Where the lines of a path begin and end among its points."""
    starts = [*stroke.starts, len(stroke.points)]
    return pairwise(starts)


def tiled_labels(strokes: Sequence[Stroke], shape: tuple[int, int]) -> TiledLabels:
    """The labels of an image, as :func:`segmentation.strokes.raster.rasterise` has them, tile by tile.

    Args:
        strokes: all that is drawn on it, in its order.
        shape: rows and columns of the image.

    Raises:
        ValueError: with a sentence, if they cover more than :data:`MOST_TILES` tiles.
    """
    grid, touched = TileGrid(shape), dict[int, list[Stroke]]()
    outlines = [stroke for stroke in strokes if stroke.class_id == REGION]
    for stroke in strokes:
        if stroke.class_id in (REGION, UNLABELLED):
            continue
        for index in touched_tiles(stroke, shape):
            touched.setdefault(index, [])
        if len(touched) > MOST_TILES:
            raise ValueError(_TOO_MUCH)
    of_tiles = {}
    for index, there in _strokes_of(strokes, touched, grid).items():
        labels = window_labels([*there, *outlines], grid.tile(index), shape)
        if labels.any():
            of_tiles[index] = labels
    return TiledLabels(shape, of_tiles)


def _strokes_of(strokes: Sequence[Stroke], touched: dict[int, list[Stroke]], grid: TileGrid) -> dict[int, list[Stroke]]:
    """The strokes that may lie in each of the tiles, in their order."""
    tiles: list[Tile] = [grid.tile(index) for index in touched]
    ends = np.array([(t.rows.start, t.rows.stop, t.columns.start, t.columns.stop) for t in tiles]).reshape(-1, 4)
    for stroke in strokes:
        bounds = stroke_bounds(stroke, grid.shape)
        if bounds is None or stroke.class_id == REGION:
            continue
        row, stop_row, column, stop_column = bounds
        near = (ends[:, 0] < stop_row) & (ends[:, 1] > row) & (ends[:, 2] < stop_column) & (ends[:, 3] > column)
        for number in np.flatnonzero(near).tolist():
            touched[tiles[number].index].append(stroke)
    return touched
