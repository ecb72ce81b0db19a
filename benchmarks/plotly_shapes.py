"""Plotly shapes -> strokes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared import checks
from segmentation.strokes.stroke import Kind, Stroke, trace_stroke
from segmentation.strokes.svgpath import parse_path


def stroke_from_shape(
    shape: Mapping[str, Any], class_id: int, *, id: str, width: float | None = None, kind: Kind | None = None
) -> Stroke:
    """The stroke that a shape of Plotly's ``layout.shapes`` stands for.

    Args:
        shape: as ``relayoutData`` has it, of type path, line, rect or circle, in the data units of an image.
        class_id: 1 to 255.
        id: of the stroke.
        width: of a path, in image pixels; None takes the shape's ``line.width``, which Plotly means in screen pixels.
        kind: ``"path"`` or ``"polygon"``, for a shape of type path whose drawing mode is known. None looks at it:
            Plotly ends a closed path with Z, except where its last point is the first; then only ``fillrule``, which
            ``drawopenpath`` does not set, tells it from an open one.

    Raises:
        ValueError: if the shape is none of these, is not in data units, or has a value that is not possible.
    """
    if not isinstance(shape, Mapping):
        raise ValueError("A shape must be a JSON object.")
    for axis in "xy":
        in_data_units = re.fullmatch(rf"{axis}\d*", str(shape.get(f"{axis}ref", axis)))
        if not in_data_units or shape.get(f"{axis}sizemode") == "pixel":
            raise ValueError("The shape is not in the pixels of the image.")
    match shape.get("type"):
        case "rect":
            return Stroke(id, class_id, "rectangle", _corners(shape))
        case "circle":
            return Stroke(id, class_id, "circle", _corners(shape))
        case "line":
            return Stroke(id, class_id, "path", _corners(shape), _width(shape, width))
        case "path":
            path = shape.get("path")
            if not isinstance(path, str):
                raise ValueError("A shape of type path lacks its path.")
            if kind is None:
                kind = "polygon" if _is_closed(shape, path) else "path"
            return trace_stroke(id, class_id, kind, path, _width(shape, width) if kind == "path" else 1.0)
    raise ValueError("A shape must be a path, a line, a rect or a circle.")


def strokes_from_shapes(
    shapes: Iterable[Mapping[str, Any]], classes_by_colour: Mapping[str, int], *, pixels_per_screen_pixel: float = 1.0
) -> list[Stroke]:
    """The strokes of a whole ``layout.shapes``, in its order.

    Args:
        shapes: as ``relayoutData`` has them.
        classes_by_colour: the class that a ``line.color`` stands for.
        pixels_per_screen_pixel: image pixels that one screen pixel shows, by which the widths are multiplied.

    Returns:
        Strokes with the ids ``"1"``, ``"2"``...

    Raises:
        ValueError: as :func:`stroke_from_shape`, or if a colour is no class's.
    """
    class_ids = {colour.lower(): class_id for colour, class_id in classes_by_colour.items()}
    strokes = []
    for position, shape in enumerate(shapes, 1):
        line = shape.get("line") if isinstance(shape, Mapping) else None
        colour = str(line.get("color")).lower() if isinstance(line, Mapping) else None
        if colour not in class_ids:
            raise ValueError(f"Shape {position} has a colour that is no class's.")
        width = _width(shape, None) * pixels_per_screen_pixel
        strokes.append(stroke_from_shape(shape, class_ids[colour], id=str(position), width=width))
    return strokes


def _width(shape: Mapping[str, Any], given: float | None) -> float:
    line = shape.get("line")
    width = line.get("width") if given is None and isinstance(line, Mapping) else given
    return checks.number(width, "The width of a stroke")


def _corners(shape: Mapping[str, Any]) -> NDArray[np.float64]:
    values = [checks.number(shape.get(key), f"{key} of a shape") for key in ("x0", "y0", "x1", "y1")]
    return np.reshape(values, (2, 2))


def _is_closed(shape: Mapping[str, Any], path: str) -> bool:
    if path.rstrip()[-1:] in ("Z", "z"):
        return True
    return "fillrule" in shape and all(
        len(part.points) > 3 and bool((part.points[0] == part.points[-1]).all()) for part in parse_path(path)
    )
