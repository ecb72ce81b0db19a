"""Class ids of a tiled OME-TIFF as a zipped OME-Zarr, which is made while it is sent.

The tiles of the one are the chunks of the other: what deflate has made of them is copied, and only what stands around
it differs. So no more than a tile is in memory, and nothing is compressed a second time.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from segmentation._shared.archive import ZipParts
from segmentation.io.ome_classes import TILE_SIDE
from segmentation.io.pixel_size import NAMES_IN_OME, PixelSize
from segmentation.io.zarr_results import ome_of_results
from segmentation.strokes.classes import LabelClass

VERSIONS = {"0.5": 3, "0.4": 2}
"""Those of OME-Zarr, each with that of Zarr."""

FOLDER = "segmentation.ome.zarr/"
PART_BYTES = 2**20

_AXES = ("y", "x")
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


def zipped_classes(
    file: BinaryIO, classes: Sequence[LabelClass], size: PixelSize | None, version: str
) -> Iterator[bytes]:
    """The class ids of one image, with levels, as a zip that holds an OME-Zarr of labels.

    That of version 0.5 is what ``.ozx`` files are, with the group at its top; that of 0.4 is a folder to be unpacked.

    Args:
        file: what :func:`segmentation.io.ome_classes.write_ome_pyramid` wrote.
        classes: their names and colours.
        size: how large a pixel is, if it is known.
        version: of OME-Zarr, one of :data:`VERSIONS`.

    Yields:
        Its parts.
    """
    import tifffile

    parts, zarr_format = ZipParts(), VERSIONS[version]
    file.seek(0)
    with tifffile.TiffFile(file, name="result.tif") as tiff, zipfile.ZipFile(parts, "w", zipfile.ZIP_STORED) as archive:
        levels = [tiff.pages[0], *(tiff.pages[0].pages or ())]
        archive.comment = json.dumps({"ome": {"version": version}}).encode() if zarr_format == 3 else b""
        top = "" if zarr_format == 3 else FOLDER
        for name, text in _documents([level.shape for level in levels], classes, size, zarr_format).items():
            _add(archive, top + name, text.encode())
        waiting = 0
        for number, level in enumerate(levels):
            across = -(-level.shape[1] // TILE_SIDE)
            for index, (offset, count) in enumerate(zip(level.dataoffsets, level.databytecounts, strict=True)):
                file.seek(offset)
                chunk = _chunk(file.read(count), zarr_format)
                place = f"{index // across}/{index % across}"
                _add(archive, f"{top}{number}/{'c/' if zarr_format == 3 else ''}{place}", chunk)
                waiting += len(chunk)
                if waiting > PART_BYTES:
                    waiting = 0
                    yield parts.next_part()
    yield parts.next_part()


def _chunk(tile: bytes, zarr_format: int) -> bytes:
    """A deflated tile as a chunk: as it is for Zarr 2; for Zarr 3, which has no codec of that name, as gzip has it."""
    if zarr_format == 2:
        return tile
    values = zlib.decompress(tile)
    ending = zlib.crc32(values).to_bytes(4, "little") + len(values).to_bytes(4, "little")
    return _GZIP_HEAD + tile[2:-4] + ending


def _documents(
    shapes: Sequence[Sequence[int]], classes: Sequence[LabelClass], size: PixelSize | None, zarr_format: int
) -> dict[str, str]:
    """The metadata by their names; those of the group come first, as who reads it from afar likes it."""
    import zarr
    from zarr.codecs import GzipCodec
    from zarr.storage import MemoryStore

    unit = {"unit": NAMES_IN_OME[size.unit]} if size is not None and size.unit in NAMES_IN_OME else {}
    scale = {"y": size.y, "x": size.x} if size is not None and unit else {}
    described: dict[str, dict[str, Any]] = {name: {"name": name, "type": "space"} | unit for name in _AXES}
    ome = ome_of_results(described, scale, _AXES, classes, len(shapes), zarr_format)
    documents: dict[str, Any] = {}
    store = MemoryStore(documents)
    deflated: Any = GzipCodec() if zarr_format == 3 else {"id": "zlib", "level": 6}
    zarr.create_group(store, zarr_format=zarr_format, attributes=ome)  # type: ignore[arg-type]
    for number, shape in enumerate(shapes):
        zarr.create_array(
            store,
            name=str(number),
            shape=tuple(shape),
            chunks=(TILE_SIDE, TILE_SIDE),
            dtype="uint8",
            fill_value=0,
            compressors=deflated,
            zarr_format=zarr_format,  # type: ignore[arg-type]
            dimension_names=_AXES if zarr_format == 3 else None,
            chunk_key_encoding={"name": "default" if zarr_format == 3 else "v2", "separator": "/"},
        )
    found = {name: buffer.to_bytes().decode() for name, buffer in documents.items()}
    return dict(sorted(found.items(), key=lambda one: (one[0].count("/"), one[0])))


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system, info.external_attr = 3, 0o644 << 16
    archive.writestr(info, content)
