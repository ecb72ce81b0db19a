"""The files that objects go into: tables, labels, and outlines for QuPath, ImageJ and those who train networks."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

from segmentation._shared.archive import pack
from segmentation._shared.text import escaped
from segmentation.io.image import Image
from segmentation.io.shares import csv_text, place_columns, spreadsheet_text
from segmentation.io.tiffwriter import TiffPages
from segmentation.objects.measured import UNIT_MARK, MeasuredObjects, plain
from segmentation.objects.outlines import Polygon, object_outlines
from segmentation.strokes.classes import parse_colour

OBJECT_NUMBERS = "numbers of objects"
"""Name of a page of numbers of objects."""

MOST_NAMES = 5
"""Of files, in a sentence."""

SHAPE_SEGMENTS = {"move": 0, "line": 1, "close": 4}
"""How ImageJ numbers the segments of a shape, as ``java.awt.geom.PathIterator`` does."""


@dataclass(frozen=True)
class NamedObjects:
    """The objects of one image of a file.

    Attributes:
        image: the name of the file.
        page: which of its images, from 1.
        objects: what was found.
        place: where it lies in a stack, see :attr:`Image.place`.
    """

    image: str
    page: int
    objects: MeasuredObjects
    place: Mapping[str, int] = field(default_factory=dict)


def objects_csv(images: Iterable[NamedObjects]) -> str:
    """A table of all objects, a row each.

    Columns that only some of the images have are empty for the others; numbers are written so that reading them gives
    the same numbers.

    Raises:
        ValueError: with the names of the files, if the sizes of their pixels are told in different units.
    """
    several = list(images)
    mixed_units((one.image, one.objects.table) for one in several if len(one.objects))
    columns = columns_of(several)
    return csv_text(columns, (row for one in several for row in rows_of(one, columns)))


def mixed_units(images: Iterable[tuple[str, Iterable[str]]]) -> None:
    """Refuse to put objects into one table whose sizes are told in different units.

    Args:
        images: the name of each file, and of the columns of its table.

    Raises:
        ValueError: with the names of the files, if that is so.
    """
    units: dict[str, list[str]] = {}
    for image, columns in images:
        marks = [name.rpartition(UNIT_MARK)[2] for name in columns if name.startswith(f"area{UNIT_MARK}")]
        names = units.setdefault(marks[0].removesuffix("2") if marks else "pixels", [])
        if image not in names:
            names.append(image)
    if len(units) > 1:
        told = "; ".join(f"{unit} ({_shortly(names)})" for unit, names in units.items())
        raise ValueError(
            f"The objects of these images cannot stand in one table, since they are in different units: {told}. "
            "Say how large their pixels are, or measure them apart."
        )


def _shortly(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else ""
    return ", ".join(map(escaped, names[:MOST_NAMES])) + more


def columns_of(images: Sequence[NamedObjects]) -> tuple[str, ...]:
    """The columns of the table of these images."""
    axes = place_columns(one.place for one in images)
    return ("image", "page", *axes, "class_name", *dict.fromkeys(name for one in images for name in one.objects.table))


def rows_of(one: NamedObjects, columns: Sequence[str]) -> Iterator[list[Any]]:
    """The rows of the table that are those of an image."""
    table = one.objects.table
    class_names = {label_class.id: label_class.name for label_class in one.objects.classes}
    measures = columns[columns.index("class_name") + 1 :]
    place = [one.place.get(axis, "") for axis in columns[2 : columns.index("class_name")]]
    entries = [table[name].tolist() if name in table else None for name in measures]
    for at, class_id in enumerate(table["class_id"].tolist()):
        cells = ["" if column is None or column[at] != column[at] else column[at] for column in entries]
        named = spreadsheet_text(class_names[class_id])
        yield [spreadsheet_text(escaped(one.image)), one.page, *place, named, *cells]


def label_pages(file: BinaryIO, *, like: Image | None = None, images: int = 1) -> TiffPages:
    """A TIFF of numbers of objects to which pages of uint32 are added, one for each of the images.

    It is said as ``like`` says it how large its pixels are, and where they lie.
    """
    return TiffPages(file, {"objects": "uint32, 0 where there is no object"}, like=like, images=images)


def labels_tiff(images: Sequence[MeasuredObjects], *, like: Image | None = None) -> bytes:
    """A TIFF whose pixels are numbers of objects, uint32, a page for each image; else as :func:`label_pages`."""
    file = io.BytesIO()
    with label_pages(file, like=like, images=len(images)) as pages:
        for one in images:
            pages.add(one.labels.astype(np.uint32), OBJECT_NUMBERS)
    return file.getvalue()


def geojson(images: Sequence[NamedObjects]) -> bytes:
    """Outlines with class names, colours and measures, as QuPath opens them (RFC 7946; QuPath 0.6, "GeoJSON").

    Coordinates are corners of pixels: (0, 0) is the upper left corner of the image. The images of a stack lie at their
    z and t, those of a file that is none at one z after the other, and one alone at its own.
    """
    features = [
        feature for place, one in zip(_places(images), images, strict=True) for feature in outline_features(one, place)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")).encode()


def outline_features(image: NamedObjects, number: int) -> Iterator[dict[str, Any]]:
    """The objects of an image as features of :func:`geojson`.

    Args:
        image: its objects.
        number: which of several images it is, from 1; 0 for one that is alone, which lies on no plane.
    """
    objects, along = image.objects, image.place or {"z": number}
    plane = {"c": -1, "z": along.get("z", 1) - 1, "t": along.get("t", 1) - 1}
    classes = {one.id: {"name": one.name, "color": list(parse_colour(one.colour))} for one in objects.classes}
    measures = {name: column for name, column in objects.table.items() if name not in ("label", "class_id")}
    for label, polygons in object_outlines(objects.labels):
        rings = [[_closed(ring) for ring in polygon] for polygon in polygons]
        geometry: dict[str, Any] = {"type": "Polygon", "coordinates": rings[0]}
        if len(rings) > 1:
            geometry = {"type": "MultiPolygon", "coordinates": rings}
        if number:
            geometry["plane"] = plane
        row = {name: plain(column[label - 1]) for name, column in measures.items()}
        class_id = int(objects.table["class_id"][label - 1])
        properties = {
            "objectType": "detection",
            "name": str(label),
            "classification": classes[class_id],
            "measurements": {name: value for name, value in row.items() if value == value},
        }
        yield {"type": "Feature", "geometry": geometry, "properties": properties}


def _closed(ring: Any) -> list[list[int]]:
    corners: list[list[int]] = ring.tolist()
    return [*corners, corners[0]]


def _places(images: Sequence[NamedObjects]) -> list[int]:
    """Where each image lies in a stack, from 1; 0 for one that is alone in its file, or the first of it."""
    if len(images) > 1:
        return list(range(1, len(images) + 1))
    return [one.page if one.page > 1 else 0 for one in images]


def imagej_rois(images: Sequence[NamedObjects]) -> bytes:
    """A zip of outlines that ImageJ's ROI Manager opens, one of each object, named by class and number."""
    members: dict[str, bytes] = {}
    for number, (place, one) in enumerate(zip(_places(images), images, strict=True), start=1):
        classes = {label_class.id: label_class for label_class in one.objects.classes}
        for label, polygons in object_outlines(one.objects.labels):
            label_class = classes[int(one.objects.table["class_id"][label - 1])]
            name = f"{label_class.name} {label}" + (f" of image {number}" if len(images) > 1 else "")
            roi = _roi(polygons)
            roi.name, roi.stroke_color = name, bytes((255, *parse_colour(label_class.colour)))
            roi.position = place
            members[f"{number:04d}-{label:06d}-{label_class.id:03d}.roi"] = roi.tobytes()
    return pack(members)


def _roi(polygons: list[Polygon]) -> Any:
    """An outline: a polygon if there is but one ring, or else a shape of several, filled by the even-odd rule."""
    import roifile

    rings = [ring for polygon in polygons for ring in polygon]
    if len(rings) == 1:
        roi = roifile.ImagejRoi.frompoints(rings[0], name="-")
        roi.roitype = roifile.ROI_TYPE.TRACED
        roi.right, roi.bottom = roi.right - 1, roi.bottom - 1  # corners lie between pixels
        return roi
    segments: list[float] = []
    for ring in rings:
        for first, (x, y) in zip((True, *[False] * len(ring)), ring.tolist(), strict=False):
            segments += (SHAPE_SEGMENTS["move" if first else "line"], x, y)
        segments.append(SHAPE_SEGMENTS["close"])
    corners = np.concatenate(rings)
    roi = roifile.ImagejRoi()
    roi.roitype = roifile.ROI_TYPE.RECT
    (roi.left, roi.top), (roi.right, roi.bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    roi.multi_coordinates = np.array(segments, np.float32)
    roi.shape_roi_size = len(segments)
    return roi


def coco_json(images: Sequence[NamedObjects]) -> bytes:
    """Objects as COCO describes them for those who train networks (https://cocodataset.org/#format-data).

    An object without holes has polygons; one with holes has run lengths, column by column, which polygons cannot say.
    """
    categories = {one.id: one.name for each in images for one in each.objects.classes}
    described: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, one in enumerate(images, start=1):
        rows, columns = one.objects.labels.shape
        described.append({"id": number, "file_name": one.image, "width": columns, "height": rows})
        if one.page > 1:
            described[-1]["page"] = one.page
        for label, polygons in object_outlines(one.objects.labels):
            annotations.append(_annotation(one.objects, label, polygons) | {"image_id": number})
    numbered = [{"id": at} | annotation for at, annotation in enumerate(annotations, start=1)]
    facts: Mapping[str, Any] = {
        "info": {"description": "Objects found by Squiggle"},
        "images": described,
        "categories": [{"id": class_id, "name": name} for class_id, name in sorted(categories.items())],
        "annotations": numbered,
    }
    return json.dumps(facts, separators=(",", ":")).encode()


def _annotation(objects: MeasuredObjects, label: int, polygons: list[Polygon]) -> dict[str, Any]:
    table, at = objects.table, label - 1
    top, left, bottom, right = (int(table[f"bbox-{side}"][at]) for side in range(4))
    if any(len(polygon) > 1 for polygon in polygons):
        inside = objects.labels[top:bottom, left:right] == label
        shape: Any = _run_lengths(inside, top, left, objects.labels.shape)
    else:
        shape = [polygon[0].ravel().tolist() for polygon in polygons]
    return {
        "category_id": int(table["class_id"][at]),
        "segmentation": shape,
        "area": plain(table["area"][at]),
        "bbox": [left, top, right - left, bottom - top],
        "iscrowd": 0,
    }


def _run_lengths(inside: Any, top: int, left: int, shape: tuple[int, ...]) -> dict[str, Any]:
    columns, rows = np.nonzero(inside.T)
    places = (columns + left) * shape[0] + rows + top
    starts = np.concatenate(([True], np.diff(places) > 1))
    ends = np.concatenate((starts[1:], [True]))
    edges = np.stack((places[starts], places[ends] + 1), axis=1).ravel()
    return {"counts": np.diff(np.concatenate(([0], edges, [shape[0] * shape[1]]))).tolist(), "size": list(shape)}
