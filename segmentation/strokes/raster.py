"""Strokes -> labels.

- A path labels each pixel whose centre lies within half its width of it (so ends and joins are round), and those that
  its points lie in. A path counts as at least one pixel wide, so that a thin one has no gaps.
- A filled shape labels each pixel whose centre lies inside (even-odd) or on its border. One so small or thin that it
  has no pixel centre inside labels the pixel under its first point (a rectangle or circle: under its middle).
- What lies outside the image is cut off.
- Later strokes win; one of class 0, the eraser's, leaves its pixels unlabelled.
- Where there are outlines of class 256, nothing is labelled outside of all of them, whenever they were drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation.strokes._borders import SLACK
from segmentation.strokes.classes import REGION
from segmentation.strokes.stroke import Stroke

STRIP_PIXELS = 1 << 22
"""A stroke is painted in strips of rows of about so many pixels, which bounds the memory that it takes."""

NEAR = 32
"""A filled shape without a pixel centre inside so near its first point, in pixels, labels the pixel under it."""


def paint(labels: NDArray[np.uint8], strokes: Iterable[Stroke]) -> None:
    """Paint strokes over labels, in place.

    Args:
        labels: ``(rows, columns)`` uint8, which is changed.
        strokes: what is painted, in its order.
    """
    drawn = list(strokes)
    for stroke in drawn:
        if stroke.class_id != REGION:
            _paint(labels, stroke, stroke.class_id)
    region = region_of(drawn, labels.shape)
    if region is not None:
        labels[~region] = 0


def region_of(strokes: Iterable[Stroke], shape: Sequence[int]) -> NDArray[np.bool_] | None:
    """Where an image is worked on: within any outline of class 256.

    Args:
        strokes: all that is drawn on the image.
        shape: rows and columns of the image; what follows does not matter.

    Returns:
        ``(rows, columns)`` bool; None if there is no such outline, so that all of it is worked on.
    """
    outlines = [stroke for stroke in strokes if stroke.class_id == REGION]
    if not outlines:
        return None
    inside = np.zeros(tuple(shape[:2]), np.uint8)
    for outline in outlines:
        _paint(inside, outline, 1)
    return inside.view(bool)


def _paint(labels: NDArray[np.uint8], stroke: Stroke, value: int) -> None:
    bounds = stroke_bounds(stroke, labels.shape)
    if bounds is not None:
        row, stop_row, column, stop_column = bounds
        paint_window(labels[row:stop_row, column:stop_column], stroke, row, column, value)


def stroke_pixels(stroke: Stroke, shape: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pixels of one stroke.

    Args:
        stroke: what is drawn.
        shape: rows and columns of the image.

    Returns:
        Rows and columns of the pixels, row by row; ``labels[stroke_pixels(...)]`` gives their values.
    """
    bounds = stroke_bounds(stroke, shape)
    if bounds is None:
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    row, stop_row, column, stop_column = bounds
    window = np.zeros((stop_row - row, stop_column - column), np.uint8)
    paint_window(window, stroke, row, column, 1)
    rows, columns = np.nonzero(window)
    return rows + row, columns + column


def stroke_bounds(stroke: Stroke, shape: Sequence[int]) -> tuple[int, int, int, int] | None:
    """The part of an image outside of which a stroke labels nothing.

    Args:
        stroke: what is drawn.
        shape: rows and columns of the image.

    Returns:
        First row, row after the last, first column, column after the last; None if the stroke is outside the image.
    """
    reach = _radius(stroke) if stroke.kind == "path" else 0.0
    left, top = np.floor(stroke.points.min(axis=0) - reach)
    right, bottom = np.ceil(stroke.points.max(axis=0) + reach) + 1
    row, stop_row = max(int(top), 0), min(int(bottom), shape[0])
    column, stop_column = max(int(left), 0), min(int(right), shape[1])
    return (row, stop_row, column, stop_column) if row < stop_row and column < stop_column else None


def _radius(stroke: Stroke) -> float:
    return max(stroke.width, 1.0) / 2


def paint_window(window: NDArray[np.uint8], stroke: Stroke, row: int, column: int, value: int) -> None:
    """Paint a stroke into the part of an image that begins at a row and column."""
    strip = max(1, STRIP_PIXELS // window.shape[1])
    for start in range(0, window.shape[0], strip):
        _paint_shape(window[start : start + strip], stroke, row + start, column, value)
    if stroke.kind == "path":
        return
    # whether the shape is too small must not depend on where the image ends: so it is looked for around its first point
    first = stroke.points[0] if stroke.kind == "polygon" else stroke.points.mean(axis=0)
    x, y = np.rint(first).astype(int).tolist()
    if row <= y < row + window.shape[0] and column <= x < column + window.shape[1]:
        around = np.zeros((2 * NEAR + 1, 2 * NEAR + 1), np.uint8)
        if not _paint_shape(around, stroke, y - NEAR, x - NEAR, 1):
            window[y - row, x - column] = value


def _paint_shape(window: NDArray[np.uint8], stroke: Stroke, row: int, column: int, value: int) -> bool:
    """Paint a stroke by the rule of its kind alone; returns whether that painted a pixel."""
    if kernels_are_ready():
        from segmentation.strokes._kernels import paint_ellipse, paint_path, paint_polygon
    else:
        from segmentation.strokes._reference import (
            paint_ellipse,
            paint_path,
            paint_polygon,
        )
    points, starts = stroke.points, np.array(stroke.starts, np.int64)
    if stroke.kind == "path":
        radius = _radius(stroke)
        length = np.hypot(*np.diff(points, axis=0).T).sum()
        dense = bool((length + 2 * radius * len(points)) * 2 * radius > 4 * window.size + 10_000)
        return paint_path(window, points, starts, radius**2 + SLACK, value, row, column, dense)
    if stroke.kind == "polygon":
        return paint_polygon(window, points, starts, value, row, column)
    (x0, y0), (x1, y1) = points.tolist()
    if stroke.kind == "rectangle":
        ring = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
        return paint_polygon(window, ring, starts, value, row, column)
    return paint_ellipse(window, (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2, value, row, column)


def as_stroke(value: Stroke | Mapping[str, Any], *, id: str) -> Stroke:
    """The stroke that a stroke or a plain mapping stands for.

    Args:
        value: a stroke; or what :meth:`Stroke.to_json` gives; or a mapping with ``points`` and a class as ``cls`` or
            ``class_id``, and perhaps ``width`` and ``kind``.
        id: for a mapping without one.

    Raises:
        ValueError: if it is none of these, or a value is not possible.
    """
    if isinstance(value, Stroke):
        return value
    if not isinstance(value, Mapping):
        raise ValueError("A stroke must be a Stroke or a mapping.")
    if "points" not in value:
        return Stroke.from_json({"id": id, **value})
    class_id = value.get("cls", value.get("class_id"))
    return Stroke(value.get("id", id), class_id, value.get("kind", "path"), value["points"], value.get("width", 1.0))


def rasterise(strokes: Iterable[Stroke | Mapping[str, Any]], shape: Sequence[int]) -> NDArray[np.uint8]:
    """The labels of an image; :mod:`segmentation.strokes.raster` says which pixels a stroke labels.

    Args:
        strokes: strokes, or mappings that :func:`as_stroke` understands; later ones win.
        shape: rows and columns of the image; what follows, such as a number of channels, does not matter.

    Returns:
        ``(rows, columns)`` uint8, the class of each pixel, 0 where there is none.

    Raises:
        ValueError: if a stroke is not possible.
    """
    labels = np.zeros(tuple(shape[:2]), np.uint8)
    paint(labels, [as_stroke(stroke, id=str(position)) for position, stroke in enumerate(strokes, 1)])
    return labels
