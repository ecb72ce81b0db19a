"""The pixels inside PNG, JPEG, BMP and WebP files, read with suspicion.

What a file is follows from its first bytes, never from its name. Its header is held against the limits before
anything is decoded, so that a small file cannot unfold into a huge image. TIFF has a module of its own,
:mod:`segmentation.io.tiff`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_PIXELS = 2**29
"""Pixels, rows times columns, that an image may have unless the caller says otherwise."""

MAX_FILE_BYTES = 2**32
"""Bytes that an image file may have unless the caller says otherwise."""

MAX_CHANNELS = 32
"""Channels that an image may have."""

BYTES_PER_PIXEL = 16
"""An image may take this many bytes for each pixel that the limit allows: four channels of 32 bits."""

HEAD = 1024
"""Bytes from the start of a file that tell what it is."""

TAIL = 22 + 2**16
"""Bytes from the end of a file within which a ZIP archive has its directory."""


class ImageError(ValueError):
    """An image cannot be read or used; the message is one sentence for the person who brought it."""


@dataclass(frozen=True)
class Limits:
    """What an image may take.

    Attributes:
        max_pixels: rows times columns.
        max_bytes: size of the file.
    """

    max_pixels: int = MAX_PIXELS
    max_bytes: int = MAX_FILE_BYTES

    def check_file(self, size: int) -> None:
        """Refuse a file of ``size`` bytes that is empty or too large.

        Raises:
            ImageError: if so.
        """
        if size == 0:
            raise ImageError("The file is empty.")
        if size > self.max_bytes:
            raise ImageError(
                f"The file has {size / 1e6:.1f} MB, but only {self.max_bytes / 1e6:.1f} MB are allowed: "
                "crop the image or save it with compression."
            )

    def check_pixels(self, rows: int, columns: int, bytes_per_pixel: int = 1) -> None:
        """Refuse an image that is empty or too large.

        Raises:
            ImageError: if so.
        """
        if rows < 1 or columns < 1:
            raise ImageError("The image has no pixels.")
        if rows * columns > self.max_pixels:
            raise ImageError(
                f"The image has {columns} x {rows} pixels ({rows * columns / 1e6:.1f} megapixels), but only "
                f"{self.max_pixels / 1e6:.1f} megapixels are allowed: crop it or make it smaller."
            )
        if rows * columns * bytes_per_pixel > self.max_pixels * BYTES_PER_PIXEL:
            raise ImageError(
                f"The image holds {rows * columns * bytes_per_pixel / 1e9:.1f} GB of values, which is too much: "
                "crop it or save it with fewer channels."
            )


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a file holds, before it is checked and normalised.

    Attributes:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
        bits: bits per value in the file.
        colour: whether the first three channels are red, green and blue.
        notes: sentences about what was left out or changed.
    """

    pixels: NDArray[Any]
    bits: int
    colour: bool
    notes: tuple[str, ...] = ()


ALPHA_NOTE = "The transparency was left out: it is not a measurement."


@contextmanager
def damage_reported(kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises on a file of this kind into an :class:`ImageError`.

    The decoders are given bytes from strangers, and what they raise then (``struct.error``, ``SyntaxError``,
    ``IndexError``...) is not theirs to promise.
    """
    try:
        yield
    except ImageError:
        raise
    except MemoryError as error:
        raise ImageError("The image does not fit into this computer's memory: crop it or make it smaller.") from error
    except Exception as error:
        raise ImageError(
            f"The {kind} file is damaged, incomplete or of a rare kind: copy it again, or save it anew as PNG or TIFF."
        ) from error


# What a file is

_ACCEPTED = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)

_SAVE_AS = "export it as PNG or TIFF first"

_REFUSED = (
    (b"%PDF", f"a PDF document: {_SAVE_AS}"),
    (b"%!PS", f"a PostScript drawing: {_SAVE_AS}"),
    (b"PK", "a ZIP archive or an office document: take the images out of it first"),
    (b"\x1f\x8b", "a gzip archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"GIF8", "a GIF, which keeps 256 colours only: save the original as PNG or TIFF"),
    (b"8BPS", f"a Photoshop document: {_SAVE_AS}"),
    (b"\0\0\0\x0cjP", f"a JPEG 2000 image: {_SAVE_AS}"),
    (b"\xff\x4f\xff\x51", f"a JPEG 2000 image: {_SAVE_AS}"),
    (b"ZISRAWFILE", f"a Zeiss CZI file: {_SAVE_AS}"),
    (b"\xda\xce\xbe\x0a", f"a Nikon ND2 file: {_SAVE_AS}"),
    (b"\x89HDF", f"an HDF5 file: {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"an office document, or a Zeiss ZVI or Olympus OIB file: {_SAVE_AS}"),
    (b"SIMPLE  =", f"a FITS file: {_SAVE_AS}"),
    (b"\x93NUMPY", "a NumPy array: save it as TIFF first"),
    (b"RIFF", f"a sound or a film: {_SAVE_AS}"),
    (b"MZ", "a program, not an image"),
    (b"\x7fELF", "a program, not an image"),
)

_FORMATS = "PNG, JPEG, TIFF, BMP or WebP"


def image_format(head: bytes, tail: bytes) -> str:
    """The format of an image file: ``"PNG"``, ``"JPEG"``, ``"TIFF"``, ``"BMP"`` or ``"WebP"``.

    Args:
        head: the first :data:`HEAD` bytes of the file.
        tail: the last :data:`TAIL` bytes of the file.

    Raises:
        ImageError: if the file is something else, or an image and a document at once.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        kind = "WebP"
    else:
        kind = next((name for magic, name in _ACCEPTED if head.startswith(magic)), "")
    if not kind:
        raise ImageError(f"This is {_other_kind(head)}.")
    if b"%PDF-" in head or _ends_as_archive(tail):
        raise ImageError(
            f"This is a {kind} image and a document or archive at once: save the image anew as PNG or TIFF."
        )
    return kind


def _other_kind(head: bytes) -> str:
    for magic, sentence in _REFUSED:
        if head.startswith(magic):
            return sentence
    if head[4:8] == b"ftyp":
        return f"a film, or a HEIC or AVIF photograph: {_SAVE_AS}"
    if head[128:132] == b"DICM":
        return f"a DICOM file: {_SAVE_AS}"
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if text.startswith(b"<"):
        if b"<svg" in text:
            return f"an SVG drawing, not a pixel image: {_SAVE_AS}"
        if b"<html" in text or text.startswith(b"<!doctype html"):
            return "a web page, not an image: save the image itself"
        return "an XML document, not an image"
    return f"not an image that can be read: bring {_FORMATS}"


def _ends_as_archive(tail: bytes) -> bool:
    """Whether a ZIP directory ends exactly where the file ends, which is what makes a file a ZIP archive."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) >= at + 22 and at + 22 + struct.unpack_from("<H", tail, at + 20)[0] == len(tail):
            return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False


# One reader for each format


def read_png(data: bytes, limits: Limits) -> Decoded:
    """The pixels of a PNG file; all its 16 bits where it has them, and 0, 1... for fewer than 8.

    Raises:
        ImageError: if the file is damaged or beyond the limits.
    """
    import imagecodecs

    with damage_reported("PNG"):
        header, columns, rows, bits, kind = struct.unpack_from(">4x4sIIBB", data, 8)
        if header != b"IHDR":
            raise ImageError("The PNG file is damaged: its header is missing.")
        channels = {0: 1, 2: 3, 3: 4, 4: 2, 6: 4}[kind]
        limits.check_pixels(rows, columns, channels * (2 if bits == 16 else 1))
        bare, exif = _bare_png(data)
        pixels = imagecodecs.png_decode(bare)
        if kind == 0 and bits < 8:
            pixels = pixels // (255 // (2**bits - 1))
        colour = kind in (2, 3, 6)
        pixels, notes = without_alpha(pixels, 3 if colour else 1)
        if kind == 3:
            pixels, colour = without_equal_channels(pixels)
        return Decoded(upright(pixels, _exif_orientation(exif)), bits, colour, notes)


def read_jpeg(data: bytes, limits: Limits) -> Decoded:
    """The pixels of a JPEG file, turned upright.

    Raises:
        ImageError: if the file is damaged or beyond the limits.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    with damage_reported("JPEG"):
        frame = jpeg_frame(data)
        limits.check_pixels(frame.rows, frame.columns, frame.channels)
        with JpegImageFile(BytesIO(frame.bare)) as file:
            pixels = np.asarray(file)
        if frame.channels == 4:
            pixels = cmyk_to_rgb(pixels)
        return Decoded(upright(pixels, _exif_orientation(frame.exif)), 8, pixels.ndim == 3)


def read_bmp(data: bytes, limits: Limits) -> Decoded:
    """The pixels of a BMP file.

    Raises:
        ImageError: if the file is damaged or beyond the limits.
    """
    from PIL.BmpImagePlugin import BmpImageFile

    with damage_reported("BMP"), BmpImageFile(BytesIO(data)) as file:
        limits.check_pixels(file.height, file.width, 4)
        if file.mode == "P":
            pixels, colour = without_equal_channels(np.asarray(file.convert("RGB")))
            return Decoded(pixels, 8, colour)
        pixels = np.asarray(file)
        colour = pixels.ndim == 3
        pixels, notes = without_alpha(pixels, 3 if colour else 1)
        return Decoded(pixels, 1 if pixels.dtype == bool else 8, colour, notes)


def read_webp(data: bytes, limits: Limits) -> Decoded:
    """The pixels of a WebP file that holds a single image.

    Raises:
        ImageError: if the file is damaged, animated or beyond the limits.
    """
    import imagecodecs

    with damage_reported("WebP"):
        exif = b""
        for kind, chunk in _webp_chunks(data):
            if kind == b"VP8X":
                rows, columns = (int.from_bytes(chunk[at : at + 3], "little") + 1 for at in (7, 4))
                limits.check_pixels(rows, columns, 4)
            elif kind == b"VP8L":
                size = struct.unpack_from("<xI", chunk)[0]
                limits.check_pixels((size >> 14 & 0x3FFF) + 1, (size & 0x3FFF) + 1, 4)
            elif kind == b"VP8 ":
                columns, rows = (side & 0x3FFF for side in struct.unpack_from("<6xHH", chunk))
                limits.check_pixels(rows, columns, 4)
            elif kind in (b"ANIM", b"ANMF"):
                raise ImageError("This WebP file is an animation: save one picture of it as PNG first.")
            elif kind == b"EXIF":
                exif = chunk
        pixels, notes = without_alpha(imagecodecs.webp_decode(data), 3)
        return Decoded(upright(pixels, _exif_orientation(exif)), 8, True, notes)


def _bare_png(data: bytes) -> tuple[bytes, bytes]:
    """The same PNG without the chunks that its pixels do not need, and its Exif record."""
    at, exif, kept = 8, b"", [data[:8]]
    while at + 12 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if kind[:1].isupper() or kind == b"tRNS":
            kept.append(data[at : at + 12 + size])
        if kind == b"eXIf":
            exif = data[at + 8 : at + 8 + size]
        at += 12 + size
    return b"".join(kept), exif


def _webp_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
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


def _exif_orientation(exif: bytes) -> int:
    """The orientation (1 to 8) that an Exif record asks for; 1 if it does not say."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for entry in range(min(count, 1000)):
            tag, kind, _, value = struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * entry)
            if tag == 0x0112 and kind == 3:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass
    return 1


# What the formats have in common


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror pixels as an Exif or TIFF orientation from 1 to 8 asks for."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def without_alpha(pixels: NDArray[Any], channels: int) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The first channels of an image, and a note if there were more."""
    if pixels.ndim == 2 or pixels.shape[2] == channels:
        return pixels, ()
    kept = pixels[..., 0] if channels == 1 else pixels[..., :channels]
    return kept, (ALPHA_NOTE,)


def without_equal_channels(pixels: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """Grey pixels if a palette held greys only, and whether colours are left."""
    first = pixels[..., 0]
    if all(np.array_equal(first, pixels[..., channel]) for channel in range(1, pixels.shape[2])):
        return first, False
    return pixels, True


def cmyk_to_rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Inks ``(rows, columns, 4)`` of an unsigned type as red, green and blue of the same type."""
    full = np.uint64(np.iinfo(pixels.dtype).max)
    rgb = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    for row in range(len(pixels)):
        light = full - pixels[row].astype(np.uint64)
        rgb[row] = (light[:, :3] * light[:, 3:] + full // np.uint64(2)) // full
    return rgb
