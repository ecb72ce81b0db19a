"""The headers of encoded images, which say how large they are before anything is decoded."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

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
