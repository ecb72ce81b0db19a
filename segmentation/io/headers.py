"""The headers of encoded images, which say how large they are before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from segmentation.io.limits import ImageError


def webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and content of each chunk of a WebP file."""
    at = 12
    while at + 8 <= len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        yield kind, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


@dataclass(frozen=True)
class JpegFrame:
    """What stands in a JPEG before its pixels.

    Attributes:
        rows: rows of the image.
        columns: columns of the image.
        channels: 1 (grey), 3 (colour) or 4 (CMYK).
        exif: the Exif record, empty if there is none.
        bare: the same JPEG without comments, thumbnails and records, which nobody needs to parse then, and without
            what follows it.
    """

    rows: int
    columns: int
    channels: int
    exif: bytes
    bare: bytes


def jpeg_frame(data: bytes) -> JpegFrame:
    """Read the header of a JPEG, as far as the first scan.

    Raises:
        ImageError: if it is not a baseline or progressive JPEG of 8 bits, or has absurdly many scans.
    """
    at, exif, frame, kept = 2, b"", None, [data[:2]]
    while True:
        at = _after_fill(data, at)
        marker, size = struct.unpack_from(">HH", data, at)
        segment = data[at : at + 2 + size]
        if marker == 0xFFDA:
            break
        if marker == 0xFFE1 and segment[4:10] == b"Exif\0\0":
            exif = segment[10:]
        if 0xFFC0 <= marker <= 0xFFCF and marker not in (0xFFC4, 0xFFC8, 0xFFCC):
            bits, rows, columns, channels = struct.unpack_from(">BHHB", segment, 4)
            if marker > 0xFFC2 or bits != 8 or channels not in (1, 3, 4):
                raise ImageError("This is a rare kind of JPEG that cannot be read: save it as PNG or TIFF first.")
            frame = rows, columns, channels
        if marker in (0xFFE0, 0xFFEE) or not (0xFFE0 <= marker <= 0xFFEF or marker == 0xFFFE):
            kept.append(segment)
        at += 2 + size
    scans, end = _jpeg_scans(data, at)
    if frame is None or scans > _MAX_JPEG_SCANS:
        raise ImageError("The JPEG file is damaged.")
    return JpegFrame(*frame, exif, b"".join([*kept, data[at:end]]))


_MAX_JPEG_SCANS = 100  # real files have about ten; each costs a pass over the whole image
_JPEG_MARKER = re.compile(rb"\xff[\x02-\xcf\xd8-\xfe]")  # all but stuffed and restart markers


def _jpeg_scans(data: bytes, at: int) -> tuple[int, int]:
    """The number of scans from a place on, and where the image ends; a film may follow it."""
    scans = 0
    while (found := _JPEG_MARKER.search(data, at)) and found[0] != b"\xff\xd9":
        scans += found[0] == b"\xff\xda"
        at = found.end() + struct.unpack_from(">H", data, found.end())[0]
    return scans, found.end() if found else len(data)


def _after_fill(data: bytes, at: int) -> int:
    while data[at : at + 2] == b"\xff\xff":
        at += 1
    if data[at : at + 1] != b"\xff":
        raise ImageError("The JPEG file is damaged.")
    return at


class Size(NamedTuple):
    """What an encoded image unfolds into."""

    rows: int
    columns: int
    channels: int


def jpeg_size(data: bytes) -> Size:
    """The size of a JPEG.

    Raises:
        ImageError: as :func:`jpeg_frame` does.
    """
    frame = jpeg_frame(data)
    return Size(frame.rows, frame.columns, frame.channels)


def png_size(data: bytes) -> Size:
    """The size of a PNG.

    Raises:
        ImageError: if its header is missing.
    """
    header, columns, rows, kind = struct.unpack_from(">4x4sIIxB", data, 8)
    if header != b"IHDR":
        raise ImageError("The PNG file is damaged: its header is missing.")
    return Size(rows, columns, {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}[kind])


def webp_size(data: bytes) -> Size:
    """The size of a WebP, which is counted with transparency.

    Raises:
        ImageError: if it is animated or has no image.
    """
    sizes = []
    for kind, chunk in webp_chunks(data):
        if kind == b"VP8X":
            rows, columns = (int.from_bytes(chunk[at : at + 3], "little") + 1 for at in (7, 4))
            sizes.append((rows, columns))
        elif kind == b"VP8L":
            bits = struct.unpack_from("<xI", chunk)[0]
            sizes.append(((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1))
        elif kind == b"VP8 ":
            columns, rows = (side & 0x3FFF for side in struct.unpack_from("<6xHH", chunk))
            sizes.append((rows, columns))
        elif kind in (b"ANIM", b"ANMF"):
            raise ImageError("This WebP file is an animation: save one picture of it as PNG first.")
    if not sizes:
        raise ImageError("The WebP file is damaged: its header is missing.")
    return Size(*max(sizes, key=lambda size: size[0] * size[1]), 4)


_MAX_JPEG_2000_TILES = 1024  # each costs some kB, whatever its size


def jpeg_2000_size(data: bytes) -> Size:
    """The size of a JPEG 2000 codestream, bare or in a JP2 file (ISO/IEC 15444-1, A.5.1).

    Raises:
        ImageError: if its header is missing or absurd.
    """
    stream = data if data[:2] == b"\xff\x4f" else _box(data, (b"jp2c",))
    start, size_marker = struct.unpack_from(">HH", stream)
    if (start, size_marker) != (0xFF4F, 0xFF51):
        raise ImageError("A JPEG 2000 image in the file is damaged.")
    right, bottom, left, top, width, height, x, y, channels = struct.unpack_from(">8IH", stream, 8)
    tiles = -(-(right - x) // width) * -(-(bottom - y) // height)
    if not (left < right and top < bottom and 0 < tiles <= _MAX_JPEG_2000_TILES):
        raise ImageError("A JPEG 2000 image in the file is damaged.")
    return Size(bottom - top, right - left, channels)


def jpeg_xr_size(data: bytes) -> Size:
    """The size of a JPEG XR image, which its container tells as a TIFF does (ITU-T T.832, A.7).

    Raises:
        ImageError: if its header is missing.
    """
    if data[:3] != b"II\xbc":
        raise ImageError("A JPEG XR image in the file is damaged.")
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    told = {}
    for entry in range(count):
        tag, kind, _, value = struct.unpack_from("<HHII", data, at + 2 + 12 * entry)
        told[tag] = value & 0xFFFF if kind == 3 else value
    if not told.get(0xBC80) or not told.get(0xBC81):
        raise ImageError("A JPEG XR image in the file is damaged.")
    return Size(told[0xBC81], told[0xBC80], 0)


def lerc_size(data: bytes) -> Size:
    """The size of one or more LERC 2 blobs, which are the bands of an image (https://github.com/Esri/lerc).

    Raises:
        ImageError: if they are of another version, or differ in size.
    """
    at, sizes = 0, []
    while data[at : at + 6] == b"Lerc2 ":
        (version,) = struct.unpack_from("<i", data, at + 6)
        fields = at + 10 + (4 if version >= 3 else 0)
        rows, columns = struct.unpack_from("<ii", data, fields)
        channels = struct.unpack_from("<i", data, fields + 8)[0] if version >= 4 else 1
        (blob_bytes,) = struct.unpack_from("<i", data, fields + 8 + (4 if version >= 4 else 0) + 8)
        sizes.append(Size(rows, columns, channels))
        if blob_bytes < 1 or min(sizes[-1]) < 1:
            break
        at += blob_bytes
    if not sizes or len(set(sizes)) > 1 or min(sizes[0]) < 1:
        raise ImageError("An image compressed by LERC in the file is damaged, or of a version that cannot be read.")
    return Size(sizes[0].rows, sizes[0].columns, sizes[0].channels * len(sizes))


def jpeg_xl_size(data: bytes) -> Size:
    """The size of a JPEG XL codestream, bare or in a file (ISO/IEC 18181-1, annex D).

    Raises:
        ImageError: if its header is missing, or it is an animation or has a preview.
    """
    stream = data
    if data[:2] != b"\xff\x0a":
        stream = _box(data, (b"jxlc", b"jxlp"))
        stream = stream[4:] if stream[4:6] == b"\xff\x0a" else stream
    if stream[:2] != b"\xff\x0a":
        raise ImageError("A JPEG XL image in the file is damaged.")
    bits = _Bits(stream[2:66])
    rows, columns = bits.size()
    if bits.read(1):  # all else is as in most files: three channels
        return Size(rows, columns, 3)
    if bits.read(1):
        bits.read(3)
        if bits.read(1):
            bits.size()
        if bits.read(1) or bits.read(1):
            raise ImageError("A JPEG XL image in the file is an animation or has a preview: save it anew.")
    floats = bits.read(1)
    bits.choose(0, 0, 0, 6)  # bits per value
    if floats:
        bits.read(4)
    bits.read(1)
    extra = bits.choose(0, 0, 4, 12, offsets=(0, 1, 2, 1))
    return Size(rows, columns, 3 + extra)


class _Bits:
    """Bits of a JPEG XL codestream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")
        self._left = 8 * len(data)

    def read(self, count: int) -> int:
        """The next bits as a number."""
        if count > self._left:
            raise ImageError("A JPEG XL image in the file is damaged.")
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        self._left -= count
        return value

    def choose(self, *widths: int, offsets: tuple[int, ...] = (1, 1, 1, 1)) -> int:
        """A number whose width is one of four, with what is added to it."""
        choice = self.read(2)
        return self.read(widths[choice]) + offsets[choice]

    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        small = self.read(1)
        rows = 8 * (self.read(5) + 1) if small else self.choose(9, 13, 18, 30)
        ratio = self.read(3)
        if ratio:
            numerator, denominator = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
            return rows, rows * numerator // denominator
        return rows, 8 * (self.read(5) + 1) if small else self.choose(9, 13, 18, 30)


def _box(data: bytes, names: tuple[bytes, ...]) -> bytes:
    """The content of the first box of a name in a file of the ISO base media kind; empty if there is none."""
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        start = at + 8
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, start)
            start += 8
        end = at + length if length else len(data)
        if name in names:
            return data[start:end]
        if end <= at:
            break
        at = end
    return b""
