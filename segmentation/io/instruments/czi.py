"""CZI, the files of Zeiss' microscopes: tiles at full size, laid together to planes.

The reader finds the tiles and says what they are. They are laid and unpacked here, each into no more than it claims.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any
from xml.etree import ElementTree

import imagecodecs
import numpy as np
from czifile import CziFile
from numpy.typing import NDArray

from segmentation.io.headers import jpeg_size, jpeg_xr_size
from segmentation.io.instruments.parts import Part, Plane
from segmentation.io.limits import MAX_PAGES, ImageError
from segmentation.io.pixel_size import PixelSize, pixel_size
from segmentation.io.pixels import LOSSY_LABELS

MOST_TILES = 2**18
"""Tiles that a file may have."""

_JPEG, _LZW, _JPEG_XR, _ZSTD, _ZSTD_PACKED = 1, 2, 4, 5, 6
_MOST_METADATA = 2**26


def open_parts(file: IO[bytes], size: int, labels: bool) -> list[Part]:
    """Each scene of a file, or what else it holds several of, as a part of its own."""
    czi = CziFile(file, multifile=False)
    header = czi.header
    if not 0 < header.directory_position < size:
        raise ImageError("The CZI file is damaged or incomplete: its directory is missing.")
    entries = [entry for entry in czi.subblock_directory if _at_full_size(entry)]
    if len(entries) > MOST_TILES:
        raise ImageError("The CZI file is cut into too many tiles: save it anew.")
    if any(entry.file_part for entry in entries):
        raise ImageError("The CZI file is one of several that belong together: save it as a single file.")
    scenes: dict[tuple[Any, ...], _Scene] = defaultdict(lambda: _Scene(size, labels))
    for entry in entries:
        tile = _Tile.of(entry)
        scenes[tile.scene].tiles[tile.place].append(tile)
    text = _metadata(czi, size)
    return [scenes[key].part(text) for key in sorted(scenes)]


def _at_full_size(entry: Any) -> bool:
    """Whether a tile is of the image itself and not of a smaller view of it."""
    return not entry.pyramid_type and all(one.size == one.stored_size for one in entry.dimension_entries)


@dataclass(frozen=True)
class _Tile:
    """Pixels of a plane.

    Attributes:
        entry: of the directory of the file.
        scene: what it belongs to.
        place: channel, z and t.
        row: of its first pixel.
        column: of its first pixel.
        rows: of it.
        columns: of it.
        dtype: of a value.
        samples: values of a pixel.
    """

    entry: Any
    scene: tuple[Any, ...]
    place: tuple[int, int, int]
    row: int
    column: int
    rows: int
    columns: int
    dtype: np.dtype[Any]
    samples: int

    @classmethod
    def of(cls, entry: Any) -> _Tile:
        axes = {one.dimension: one for one in entry.dimension_entries}
        kind = np.dtype(entry.dtype)
        if any(one.size != 1 for name, one in axes.items() if name not in ("X", "Y")):
            raise ImageError("The CZI file stores several planes as one: export it as TIFF first.")
        return cls(
            entry,
            tuple(sorted((name, one.start) for name, one in axes.items() if name not in "XYCZTM")),
            (_start(axes, "C"), _start(axes, "Z"), _start(axes, "T")),
            axes["Y"].start,
            axes["X"].start,
            axes["Y"].size,
            axes["X"].size,
            kind.base,
            math.prod(kind.shape),
        )


def _start(axes: Mapping[str, Any], name: str) -> int:
    return int(axes[name].start) if name in axes else 0


@dataclass
class _Scene:
    """The tiles of a scene by channel, z and t."""

    size: int
    labels: bool
    tiles: dict[tuple[int, int, int], list[_Tile]] = field(default_factory=lambda: defaultdict(list))

    def part(self, text: ElementTree.Element | None) -> Part:
        every = [tile for tiles in self.tiles.values() for tile in tiles]
        first = every[0]
        if any((tile.dtype, tile.samples) != (first.dtype, first.samples) for tile in every):
            raise ImageError("The channels of the CZI file are of different types: export it as TIFF first.")
        places = [sorted({place[axis] for place in self.tiles}) for axis in range(3)]
        channels, depths, times = map(len, places)
        if depths * times > MAX_PAGES:
            raise ImageError(f"The file has more than {MAX_PAGES} planes: split it first.")
        top, left = min(tile.row for tile in every), min(tile.column for tile in every)
        rows = max(tile.row + tile.rows for tile in every) - top
        columns = max(tile.column + tile.columns for tile in every) - left

        def read(place: Mapping[str, int]) -> Plane:
            pixels = np.zeros((rows, columns, channels * first.samples), first.dtype)
            seen = np.zeros((rows, columns, channels), bool)
            for number, channel in enumerate(places[0]):
                at = channel, places[1][place["z"]], places[2][place["t"]]
                for tile in self.tiles.get(at, ()):
                    where = np.s_[tile.row - top : tile.row - top + tile.rows,
                                  tile.column - left : tile.column - left + tile.columns]  # fmt: skip
                    own = slice(number * first.samples, (number + 1) * first.samples)
                    pixels[where][..., own] = _unpacked(tile, self.size, self.labels)
                    seen[where][..., number] = True
            covered: NDArray[np.bool_] = np.asarray(seen.all(axis=2))
            if not covered.any():
                raise ImageError("The CZI file is damaged or incomplete: the pixels of this plane are missing.")
            kept = pixels[..., :3] if first.samples == 4 else pixels
            return Plane(kept, None if covered.all() else np.logical_not(covered))

        return Part(
            rows,
            columns,
            channels * min(first.samples, 3),
            first.dtype,
            (("z", depths), ("t", times)),
            read,
            colour=first.samples >= 3 and channels == 1,
            pixel_size=_pixel_size(text, depths > 1),
            channel_names=_channel_names(text, places[0]) if first.samples == 1 else (),
        )


def _unpacked(tile: _Tile, size: int, labels: bool) -> NDArray[Any]:
    """The pixels of a tile as ``(rows, columns, samples)``, red first."""
    shape = tile.rows, tile.columns, tile.samples
    needed = math.prod(shape) * tile.dtype.itemsize
    segment = tile.entry.data_segment()
    if not 0 < segment.data_size <= size:
        raise ImageError("The CZI file is damaged: it claims more than it holds.")
    data = segment.data(raw=True)
    kind = tile.entry.compression
    if kind in (_JPEG, _JPEG_XR):
        if labels and kind == _JPEG:
            raise ImageError(LOSSY_LABELS)
        claimed = (jpeg_size if kind == _JPEG else jpeg_xr_size)(data)
        if claimed[:2] != shape[:2]:
            raise ImageError("The CZI file is damaged: it claims more than it holds.")
        decode = imagecodecs.jpeg8_decode if kind == _JPEG else imagecodecs.jpegxr_decode
        return np.asarray(decode(data)).reshape(shape).astype(tile.dtype)
    if kind == 0:
        values = data[:needed]
    elif kind == _LZW:
        values = imagecodecs.lzw_decode(data, out=needed)
    elif kind == _ZSTD:
        values = imagecodecs.zstd_decode(data, out=needed)
    elif kind == _ZSTD_PACKED:
        header = data[: data[0]] if data else b""
        values = imagecodecs.zstd_decode(data[len(header) :], out=needed)
        if len(header) == 3 and header[1] == 1 and header[2] & 1:  # all low bytes, then all high ones
            values = np.frombuffer(values, np.uint8).reshape(2, -1).T.tobytes()
    else:
        raise ImageError("The CZI file is compressed in a rare way: save it anew without compression.")
    if len(values) != needed:
        raise ImageError("The CZI file is damaged or incomplete, some of its pixels are missing: copy it again.")
    pixels = np.frombuffer(values, tile.dtype).reshape(shape)
    return pixels[..., [2, 1, 0, *range(3, tile.samples)]] if tile.samples >= 3 else pixels


def _metadata(czi: CziFile, size: int) -> ElementTree.Element | None:
    """What the file says of its images; None if that is damaged or absurd."""
    position = czi.header.metadata_position
    if not 0 < position < min(size, 2**63):
        return None
    try:
        text = str(czi.metadata())
        if len(text) > _MOST_METADATA or "<!DOCTYPE" in text:
            return None
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError):
        return None


def _pixel_size(text: ElementTree.Element | None, deep: bool) -> PixelSize | None:
    lengths: dict[str, float] = {}
    for item in text.iterfind(".//Scaling/Items/Distance") if text is not None else ():
        value = item.findtext("Value")
        try:
            lengths[item.attrib.get("Id", "")] = float(value or "") * 1e6
        except ValueError:
            return None
    return pixel_size(lengths.get("X"), lengths.get("Y"), "µm", lengths.get("Z") if deep else None)


def _channel_names(text: ElementTree.Element | None, channels: Sequence[int]) -> tuple[str, ...]:
    told = text.findall(".//Information/Image/Dimensions/Channels/Channel") if text is not None else []
    names = [channel.attrib.get("Name", "") for channel in told]
    return tuple(names[number] if 0 <= number < len(names) else "" for number in channels)
