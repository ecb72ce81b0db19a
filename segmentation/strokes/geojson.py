"""GeoJSON, as QuPath and other programs export it -> strokes.

Coordinates there are corners of pixels, where (0, 0) is the upper left corner of the image; here whole numbers are
centres of pixels: so all is shifted by half a pixel. A polygon, with its holes, becomes a filled stroke; a line and a
point become strokes of one pixel's width. https://geojson.org (RFC 7946); QuPath 0.6, "Export objects as GeoJSON".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared import checks
from segmentation.strokes.classes import LONGEST_NAME
from segmentation.strokes.stroke import MAX_STROKES, Kind

MAX_POINTS = 400_000
"""Most points of all objects together."""

UNCLASSIFIED = "Unclassified"
"""What objects without a class are called."""

_PARTS = {"Point": 0, "MultiPoint": 1, "LineString": 1, "MultiLineString": 2, "Polygon": 2, "MultiPolygon": 3}
"""Kinds of geometry, and how deep their positions are nested."""


@dataclass(frozen=True, eq=False)
class Outline:
    """An object of a GeoJSON file.

    Attributes:
        class_name: what it is; a line of text.
        colour: of its class, such as ``"#e69f00"``; empty if it is not told.
        kind: ``"polygon"`` or ``"path"``, as of a stroke.
        points: ``(n, 2)`` float64, x and y in image pixels.
        starts: index of the first point of each part.
    """

    class_name: str
    colour: str
    kind: Kind
    points: NDArray[np.float64]
    starts: tuple[int, ...]


def is_geojson(document: object) -> bool:
    """Whether a JSON value looks like GeoJSON: features, or a geometry."""
    first = document[0] if isinstance(document, list) and document else document
    kind = first.get("type") if isinstance(first, Mapping) else None
    return kind in ("FeatureCollection", "Feature", "GeometryCollection", *_PARTS)


def outlines_from_geojson(document: object) -> list[Outline]:
    """The objects of a GeoJSON document.

    Args:
        document: the values that the JSON holds.

    Raises:
        ValueError: with a sentence, if it is no GeoJSON, holds nothing, or more than is possible.
    """
    outlines: list[Outline] = []
    points = 0
    for class_name, colour, geometry in _geometries(document):
        for outline in _outlines(class_name, colour, geometry):
            points += len(outline.points)
            outlines.append(outline)
            if points > MAX_POINTS or len(outlines) > MAX_STROKES:
                raise ValueError(f"The GeoJSON has more than {MAX_STROKES:,} objects or {MAX_POINTS:,} points.")
    if not outlines:
        raise ValueError("The GeoJSON holds no polygon, line or point.")
    return outlines


def _geometries(document: object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    features = document if isinstance(document, list) else [document]
    if isinstance(document, Mapping) and document.get("type") == "FeatureCollection":
        features = list(checks.sequence(document.get("features"), "The features of the GeoJSON", MAX_STROKES))
    for feature in features:
        if not isinstance(feature, Mapping):
            raise ValueError("A feature of the GeoJSON must be a JSON object.")
        properties = feature.get("properties")
        geometry: object = feature.get("geometry") if feature.get("type") == "Feature" else feature
        name, colour = _class_of(properties if isinstance(properties, Mapping) else {})
        several = [geometry]
        if isinstance(geometry, Mapping) and geometry.get("type") == "GeometryCollection":
            several = list(checks.sequence(geometry.get("geometries"), "The geometries of the GeoJSON", MAX_STROKES))
        for one in several:
            if one is None:  # RFC 7946 allows a feature that lies nowhere
                continue
            if not isinstance(one, Mapping) or one.get("type") not in tuple(_PARTS):  # whatever it is, a list too
                raise ValueError(f"The GeoJSON has a geometry other than {', '.join(_PARTS)}.")
            yield name, colour, one


def _class_of(properties: Mapping[str, Any]) -> tuple[str, str]:
    """Name and colour of the class of a feature, as QuPath writes them."""
    given = properties.get("classification")
    given = given if isinstance(given, Mapping) else {"name": given}
    names = given.get("names")
    name = given.get("name") or (": ".join(map(str, names[:9])) if isinstance(names, list) else None)
    name = " ".join(name.split())[:LONGEST_NAME].strip() if isinstance(name, str) else ""
    if not name.isprintable():
        raise ValueError("The GeoJSON names a class with characters that cannot be shown.")
    rgb, number = given.get("color"), given.get("colorRGB")
    if isinstance(number, int) and not isinstance(number, bool):  # QuPath before 0.4: a signed number of 32 bits
        rgb = [number >> 16 & 255, number >> 8 & 255, number & 255]
    whole = isinstance(rgb, list) and len(rgb) == 3 and all(type(one) is int and 0 <= one <= 255 for one in rgb)
    return name or UNCLASSIFIED, f"#{bytes(rgb or ()).hex()}" if whole else ""


def _outlines(class_name: str, colour: str, geometry: Mapping[str, Any]) -> Iterator[Outline]:
    kind, given = geometry["type"], geometry.get("coordinates")
    what = f"A {kind} of the GeoJSON"
    match kind:
        case "Polygon" | "MultiPolygon":
            polygons = [given] if kind == "Polygon" else checks.sequence(given, what, MAX_STROKES)
            for polygon in polygons:
                rings = [_ring(one, what) for one in checks.sequence(polygon, what, MAX_STROKES)]
                if rings:
                    yield _outline(class_name, colour, "polygon", rings)
        case "LineString" | "MultiLineString":
            lines = [given] if kind == "LineString" else checks.sequence(given, what, MAX_STROKES)
            for line in lines:
                yield _outline(class_name, colour, "path", [_positions(line, what)])
        case _:
            for point in [given] if kind == "Point" else checks.sequence(given, what, MAX_STROKES):
                yield _outline(class_name, colour, "path", [_positions([point], what)])


def _outline(class_name: str, colour: str, kind: Kind, parts: list[NDArray[np.float64]]) -> Outline:
    starts = np.cumsum([0, *map(len, parts[:-1])])
    return Outline(class_name, colour, kind, np.concatenate(parts), tuple(starts.tolist()))


def _ring(given: Any, what: str) -> NDArray[np.float64]:
    """The corners of a ring, without the last, which repeats the first."""
    points = _positions(given, what)
    return points[:-1] if len(points) > 1 and (points[0] == points[-1]).all() else points


def _positions(given: Any, what: str) -> NDArray[np.float64]:
    positions = checks.sequence(given, what, MAX_POINTS)
    if not positions:
        raise ValueError(f"{what} has no positions.")
    for position in positions:
        if not isinstance(position, list) or not 2 <= len(position) <= 4:
            raise ValueError(f"{what} has a position that is not x and y.")
    return np.array([[checks.number(one, what) for one in position[:2]] for position in positions]) - 0.5
