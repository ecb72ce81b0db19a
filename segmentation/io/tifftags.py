"""What the tags of a TIFF page say beside its pixels: how large they are, where on Earth, and what the channels are."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from segmentation._shared.text import shown_name
from segmentation.io.pixel_size import PixelSize, in_readable_unit, pixel_size
from segmentation.io.planes import Described

if TYPE_CHECKING:
    import tifffile

GEOREFERENCE = {33550: "d", 33922: "d", 34264: "d", 34735: "H", 34736: "d", 34737: "s"}
"""The tags that lay an image on Earth, and the type of their values: scale, tie points, transformation, keys."""

GDAL_METADATA, GDAL_NO_DATA = 42112, 42113
MAX_GEOREFERENCE_VALUES = 4096
MAX_CHANNEL_NAME = 60

_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT, _IMAGEJ = 282, 283, 296, 50839
_METRES_OF_UNIT = {2: 0.0254, 3: 0.01}
_SCREENS = (72.0, 96.0)
"""Dots an inch that programs write where nobody has measured anything."""

_MODEL, _LINEAR_UNIT, _PROJECTION = 1024, 3076, 3072
_LINEAR_UNITS = {9001: "m", 9002: "ft"}
_METRIC_PROJECTIONS = (range(32601, 32761), range(25828, 25839), range(3857, 3858))


def tags_tell(pages: Sequence[tifffile.TiffPage], described: Described, orientation: int) -> dict[str, Any]:
    """What is known of an image beside its pixels, as the metadata of an image have it.

    Args:
        pages: of its planes.
        described: what the description of the file says.
        orientation: as which its pixels were turned.
    """
    told: dict[str, Any] = {}
    georeference = _georeference(pages[0]) if orientation == 1 else None
    size = described.pixel_size or _imagej_size(pages[0], described) or _map_size(georeference or {})
    if size is None and described.program == "":
        size = _printed_size(pages[0])
    if size is not None:
        told["pixel_size"] = size.upright(orientation).to_json()
    if georeference:
        told["georeference"] = georeference
    if described.program:
        told["described_by"] = described.program
    if described.stack and math.prod(length for _, length in described.stack) > 1:
        told["stack"] = [list(axis) for axis in described.stack]
    names = described.channel_names or _imagej_names(pages) or _gdal_names(pages[0])
    if names:
        told["channel_names"] = [shown_name(name)[:MAX_CHANNEL_NAME] for name in names]
    return told


def no_data_value(page: tifffile.TiffPage) -> float | None:
    """The value that stands for no data, as GDAL writes it; None if there is none."""
    text = page.tags.valueof(GDAL_NO_DATA)
    try:
        return float(str(text).strip().strip("\0")) if text is not None else None
    except ValueError:
        return None


def _resolution(page: tifffile.TiffPage) -> tuple[float, float] | None:
    """Pixels along x and y for each unit."""
    found = []
    for tag in (_X_RESOLUTION, _Y_RESOLUTION):
        value = page.tags.valueof(tag)
        if not isinstance(value, tuple) or len(value) != 2 or not (value[0] and value[1]):
            return None
        found.append(value[0] / value[1])
    return found[0], found[1]


def _imagej_size(page: tifffile.TiffPage, described: Described) -> PixelSize | None:
    resolution = _resolution(page)
    if described.program != "ImageJ" or resolution is None:
        return None
    return pixel_size(1 / resolution[0], 1 / resolution[1], described.unit, described.spacing or None)


def _printed_size(page: tifffile.TiffPage) -> PixelSize | None:
    """The size in which a page is to be printed, which is that in which it was scanned; that of screens is none."""
    resolution, unit = _resolution(page), _METRES_OF_UNIT.get(int(page.tags.valueof(_RESOLUTION_UNIT, 2) or 0))
    if resolution is None or unit is None:
        return None
    dots = [one * 0.0254 / unit for one in resolution]
    if min(dots) <= 1 or any(abs(dot - screen) < 0.5 for dot in dots for screen in _SCREENS):
        return None
    return in_readable_unit(unit / resolution[0], unit / resolution[1])


def _georeference(page: tifffile.TiffPage) -> dict[str, Any] | None:
    """The tags that lay the image on Earth, by their numbers as text; None if there are none."""
    found: dict[str, Any] = {}
    for tag, kind in GEOREFERENCE.items():
        value = page.tags.valueof(tag)
        if value is None:
            continue
        values = value if isinstance(value, str | tuple) else (value,)
        if isinstance(values, str) != (kind == "s"):
            return None
        found[str(tag)] = values if isinstance(values, str) else [int(v) if kind == "H" else float(v) for v in values]
    places = {"33550", "33922", "34264"} & found.keys()
    return found if places and sum(map(len, found.values())) <= MAX_GEOREFERENCE_VALUES else None


def _map_size(georeference: dict[str, Any]) -> PixelSize | None:
    """The size of a pixel of a map, whose unit is that of its coordinates."""
    scale, matrix = georeference.get("33550"), georeference.get("34264")
    if scale is not None and len(scale) >= 2:
        sides = scale[0], scale[1]
    elif matrix is not None and len(matrix) == 16:
        sides = math.hypot(matrix[0], matrix[4]), math.hypot(matrix[1], matrix[5])
    else:
        return None
    unit = _map_unit(georeference.get("34735", []))
    return pixel_size(*sides, unit) if unit else None


def _map_unit(directory: Sequence[int]) -> str:
    """The unit of the coordinates; empty if it is not said."""
    keys = {directory[at]: directory[at + 3] for at in range(4, len(directory) - 3, 4) if directory[at + 1] == 0}
    if keys.get(_MODEL) == 2:
        return "°"
    if _LINEAR_UNIT in keys:
        return _LINEAR_UNITS.get(keys[_LINEAR_UNIT], "")
    return "m" if any(keys.get(_PROJECTION) in some for some in _METRIC_PROJECTIONS) else ""


def _imagej_names(pages: Sequence[tifffile.TiffPage]) -> tuple[str, ...]:
    """What ImageJ calls the channels: the labels of the planes, without the counting in front of them."""
    if len(pages) < 2:
        return ()
    labels = (pages[0].tags.valueof(_IMAGEJ) or {}).get("Labels", ())
    if len(labels) < len(pages):
        return ()
    names = tuple(re.sub(r"^c:\d+/\d+( [zt]:\d+/\d+)* - ", "", str(label)) for label in labels[: len(pages)])
    return names if len(set(names)) == len(pages) and all(names) else ()


def _gdal_names(page: tifffile.TiffPage) -> tuple[str, ...]:
    """What GDAL calls the bands of a page."""
    text = page.tags.valueof(GDAL_METADATA)
    if not isinstance(text, str):
        return ()
    names = [""] * page.samplesperpixel
    reading: list[int] = []

    def start(tag: str, attributes: dict[str, str]) -> None:
        band = attributes.get("sample", "")
        reading.clear()
        if tag == "Item" and attributes.get("name", "").upper() == "DESCRIPTION" and band.isdecimal():
            reading.extend([int(band[:4])] if int(band[:4]) < len(names) else [])

    def text_inside(part: str) -> None:
        if reading:
            names[reading[0]] += part

    def end(tag: str) -> None:
        reading.clear()

    def refuse(*_: object) -> None:
        raise ValueError("The metadata define a type of document.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text_inside
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.strip("\0 \t\r\n"), True)
    except (expat.ExpatError, ValueError):
        return ()
    return tuple(names) if any(names) else ()
