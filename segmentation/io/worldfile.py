"""The files beside a PNG that lay it on a map, which a PNG has no place for."""

from __future__ import annotations

from typing import Any

from segmentation.io.image import Image

_KIND, _POINTS, _DEGREES, _PROJECTION = 1024, 1025, 2048, 3072
"""Keys of a GeoTIFF: the kind of its coordinates, what they are of, and the numbers of EPSG for both kinds."""


def map_files(image: Image) -> dict[str, bytes]:
    """What lies beside a PNG so that it lies on the map that it was made of: a PNG has no place for it.

    GDAL, and so QGIS, reads both files; others read the world file alone, which does not say what its coordinates are.

    Args:
        image: the map.

    Returns:
        Their content by the ending of their names; nothing for an image that is no map, or whose place is not told by a
        tie point and a scale, or by a matrix.
    """
    georeference = image.metadata.get("georeference", {})
    matrix = _affine(georeference)
    if matrix is None:
        return {}
    a, b, c, d, e, f = matrix
    if _names_points(georeference):
        c, f = c - (a + b) / 2, f - (d + e) / 2
    files = {".pgw": _lines(a, d, b, e, c + (a + b) / 2, f + (d + e) / 2)}
    epsg = _epsg(georeference)
    if epsg is not None:
        place = ", ".join(f"{value!r}" for value in (c, a, b, f, d, e))
        files[".png.aux.xml"] = (
            f"<PAMDataset>\n  <SRS>EPSG:{epsg}</SRS>\n  <GeoTransform>{place}</GeoTransform>\n</PAMDataset>\n"
        ).encode()
    return files


def _lines(*values: float) -> bytes:
    return "".join(f"{value!r}\n" for value in values).encode()


def _affine(georeference: dict[str, Any]) -> tuple[float, ...] | None:
    """What leads from columns and rows to coordinates: ``x = a column + b row + c``, ``y = d column + e row + f``."""
    matrix, tie, scale = (georeference.get(key) for key in ("34264", "33922", "33550"))
    if matrix is not None and len(matrix) == 16:
        return matrix[0], matrix[1], matrix[3], matrix[4], matrix[5], matrix[7]
    if tie is None or scale is None or len(tie) != 6 or len(scale) < 2:
        return None
    column, row, _, x, y, _ = tie
    return scale[0], 0.0, x - column * scale[0], 0.0, -scale[1], y + row * scale[1]


def _keys(georeference: dict[str, Any]) -> dict[int, int]:
    directory = georeference.get("34735", ())
    return {directory[at]: directory[at + 3] for at in range(4, len(directory) - 3, 4) if directory[at + 1] == 0}


def _names_points(georeference: dict[str, Any]) -> bool:
    """Whether coordinates are those of the middles of pixels, not of their corners."""
    return _keys(georeference).get(_POINTS) == 2


def _epsg(georeference: dict[str, Any]) -> int | None:
    """The number by which EPSG knows what the coordinates are, if the file says one."""
    keys = _keys(georeference)
    number = keys.get({1: _PROJECTION, 2: _DEGREES}.get(keys.get(_KIND, 0), 0), 0)
    return number if 1024 <= number < 32767 else None
