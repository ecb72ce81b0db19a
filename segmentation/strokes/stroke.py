"""Strokes: what a person drew; :mod:`segmentation.strokes.raster` makes labels of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared import checks
from segmentation.strokes.classes import REGION, UNLABELLED
from segmentation.strokes.svgpath import MAX_COORDINATE, MAX_POINTS, Subpath, format_path, parse_path

Kind = Literal["path", "polygon", "rectangle", "circle"]

MAX_WIDTH = 10_000.0
"""Largest width of a path, in pixels."""

MAX_STROKES = 100_000
"""Most strokes in one document, on one image."""

_BOX = ("x0", "y0", "x1", "y1")
_ID = re.compile(r"[\w.:-]{1,64}", re.ASCII)


@dataclass(frozen=True, eq=False)
class Stroke:
    """One squiggle, or one filled shape.

    Attributes:
        id: 1 to 64 letters, digits and ``_ . : -``.
        class_id: 1 to 255; 0 for a stroke of the eraser, under which nothing is labelled; 256 for an outline of where
            the image is worked on: what lies outside of all such outlines is neither learnt from nor segmented.
        kind: ``"path"`` is an open line with a width; ``"polygon"``, ``"rectangle"`` and ``"circle"`` (any ellipse
            along the axes) are filled.
        points: ``(n, 2)`` float64, read-only, x and y in image pixels. Of a rectangle or circle the corner with the
            smallest coordinates and the one with the largest.
        width: of a path, in image pixels; 1 for filled shapes.
        starts: index of the first point of each separate part of a path or polygon.

    Raises:
        ValueError: if a value is not possible.
    """

    id: str
    class_id: int
    kind: Kind
    points: NDArray[np.float64]
    width: float = 1.0
    starts: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not _ID.fullmatch(self.id):
            raise ValueError("The id of a stroke must have 1 to 64 letters, digits or the signs _ . : -")
        if self.kind not in get_args(Kind):
            raise ValueError(f"The kind of a stroke must be one of {', '.join(get_args(Kind))}.")
        points, width, starts = _checked_points(self.points), 1.0, tuple(self.starts)
        if self.kind == "path":
            width = checks.number(self.width, "The width of a stroke", 0, MAX_WIDTH)
            if width == 0:
                raise ValueError("The width of a stroke must be above 0.")
        if self.kind in ("rectangle", "circle"):
            if len(points) != 2 or starts != (0,):
                raise ValueError(f"A {self.kind} has two points, opposite corners.")
            points.sort(axis=0)
        if starts[:1] != (0,) or any(a >= b for a, b in zip(starts, [*starts[1:], len(points)], strict=True)):
            raise ValueError("The starts of a stroke's parts must rise from 0 and stay below the number of its points.")
        points.flags.writeable = False
        class_id = checks.whole_number(self.class_id, "The class of a stroke", UNLABELLED, REGION)
        if class_id == REGION and self.kind == "path":
            raise ValueError("Where an image is worked on must be outlined: a line has no inside.")
        for name, value in {"class_id": class_id, "points": points, "width": width, "starts": starts}.items():
            object.__setattr__(self, name, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Stroke) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self.id)

    def _key(self) -> tuple[Any, ...]:
        return self.id, self.class_id, self.kind, self.width, self.starts, self.points.tobytes()

    @property
    def has_class(self) -> bool:
        """Whether it labels pixels: neither one of the eraser, nor an outline of where the image is worked on."""
        return UNLABELLED < self.class_id < REGION

    @property
    def path(self) -> str:
        """SVG path data of the points of a path or polygon, in image pixels."""
        parts = np.split(self.points, self.starts[1:])
        return format_path([Subpath(part, closed=self.kind == "polygon") for part in parts])

    def to_json(self) -> dict[str, Any]:
        """The stroke as plain JSON values.

        Returns:
            ``id``, ``class_id`` and ``kind``; for a path ``path`` (SVG path data) and ``width``, for a polygon
            ``path``, for a rectangle or circle ``x0``, ``y0``, ``x1`` and ``y1``; all in image pixels.
        """
        values: dict[str, Any] = {"id": self.id, "class_id": self.class_id, "kind": self.kind}
        if self.kind in ("rectangle", "circle"):
            return values | dict(zip(_BOX, self.points.ravel().tolist(), strict=True))
        return values | {"path": self.path} | ({"width": self.width} if self.kind == "path" else {})

    @classmethod
    def from_json(cls, values: object) -> Stroke:
        """The stroke that :meth:`to_json` described.

        Its path may also have curves, and a filled shape may have a width, which does not matter.

        Raises:
            ValueError: if a value is missing, unknown or not possible.
        """
        kind = values.get("kind") if isinstance(values, Mapping) else None
        known = ("id", "class_id", "kind")
        if kind in ("rectangle", "circle"):
            box = checks.mapping(values, f"A {kind}", (*known, *_BOX), ("width",))
            corners = [checks.number(box[key], f"{key} of a {kind}") for key in _BOX]
            return cls(box["id"], box["class_id"], kind, np.reshape(corners, (2, 2)))
        required = ("path", "width") if kind == "path" else ("path",)
        traced = checks.mapping(values, "A stroke", (*known, *required), ("width",))
        return trace_stroke(traced["id"], traced["class_id"], traced["kind"], traced["path"], traced.get("width", 1.0))


def _checked_points(values: ArrayLike) -> NDArray[np.float64]:
    try:
        points = np.array(values, np.float64, order="C") + 0.0  # which makes -0 a plain 0, as it is written
    except (TypeError, ValueError):
        points = np.empty(0)
    if points.ndim != 2 or points.shape[1] != 2 or not 1 <= len(points) <= MAX_POINTS:
        raise ValueError(f"The points of a stroke must be 1 to {MAX_POINTS:,} pairs of x and y.")
    if not (np.abs(points) <= MAX_COORDINATE).all():
        raise ValueError(f"The coordinates of a stroke must be numbers within {MAX_COORDINATE:,.0f} pixels.")
    return points


def trace_stroke(id: str, class_id: int, kind: Kind, path: str, width: float = 1.0) -> Stroke:
    """The path or polygon of SVG path data.

    Args:
        id: of the stroke.
        class_id: 1 to 255, 0 to erase, or 256 for an outline of where the image is worked on.
        kind: ``"path"`` or ``"polygon"``.
        path: SVG path data in image pixels.
        width: of a path, in image pixels.

    Raises:
        ValueError: if a value is not possible.
    """
    parts = []
    for subpath in parse_path(path):
        returns = subpath.closed and kind == "path"
        parts.append(np.concatenate([subpath.points, subpath.points[:1]]) if returns else subpath.points)
    starts = np.cumsum([0, *map(len, parts[:-1])])
    return Stroke(id, class_id, kind, np.concatenate(parts), width, tuple(starts.tolist()))
