"""The pixels inside PNG, JPEG, BMP and WebP files, read with suspicion.

The header of a file is held against the limits before anything is decoded, so that a small file cannot unfold into a
huge image. TIFF has a module of its own, :mod:`segmentation.io.tiff`.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from segmentation.io.headers import jpeg_frame, png_size, webp_chunks, webp_size
from segmentation.io.limits import ImageError, Limits, damage_reported
from segmentation.io.pixels import LOSSY_LABELS, Decoded, cmyk_to_rgb, upright, without_alpha, without_equal_channels


def read_png(data: bytes, limits: Limits, *, labels: bool = False) -> Decoded:
    """The pixels of a PNG file; all its 16 bits where it has them, and 0, 1... for fewer than 8.

    Args:
        data: the file.
        limits: what it may take.
        labels: take the indices of a palette instead of its colours.

    Raises:
        ImageError: if the file is damaged or beyond the limits.
    """
    import imagecodecs

    with damage_reported("PNG"):
        size = png_size(data)
        bits, kind = data[24], data[25]
        limits.check_pixels(size.rows, size.columns, size.channels * (2 if bits == 16 else 1))
        bare, exif = _bare_png(data)
        if kind == 3 and labels:
            bare, kind = _without_palette(bare), 0
        pixels = imagecodecs.png_decode(bare)
        if kind == 0 and bits < 8:
            pixels = pixels // (255 // (2**bits - 1))
        colour = kind in (2, 3, 6)
        pixels, notes, unseen = without_alpha(pixels, 3 if colour else 1)
        if kind == 3:
            pixels, colour = without_equal_channels(pixels)
        turned = _exif_orientation(exif)
        return Decoded(upright(pixels, turned), bits, colour, notes, no_data=_upright(unseen, turned))


def read_jpeg(data: bytes, limits: Limits, *, labels: bool = False) -> Decoded:
    """The pixels of a JPEG file, turned upright.

    Raises:
        ImageError: if the file is damaged or beyond the limits, or labels are asked for.
    """
    from PIL.JpegImagePlugin import JpegImageFile

    if labels:
        raise ImageError(LOSSY_LABELS)
    with damage_reported("JPEG"):
        frame = jpeg_frame(data)
        limits.check_pixels(frame.rows, frame.columns, frame.channels)
        with JpegImageFile(BytesIO(frame.bare)) as file:
            pixels = np.asarray(file)
        if frame.channels == 4:
            pixels = cmyk_to_rgb(pixels)
        return Decoded(upright(pixels, _exif_orientation(frame.exif)), 8, pixels.ndim == 3)


def read_bmp(data: bytes, limits: Limits, *, labels: bool = False) -> Decoded:
    """The pixels of a BMP file.

    Args:
        data: the file.
        limits: what it may take.
        labels: take the indices of a palette instead of its colours.

    Raises:
        ImageError: if the file is damaged or beyond the limits.
    """
    from PIL.BmpImagePlugin import BmpImageFile

    with damage_reported("BMP"), BmpImageFile(BytesIO(data)) as file:
        limits.check_pixels(file.height, file.width, 4)
        if file.mode == "P" and not labels:
            pixels, colour = without_equal_channels(np.asarray(file.convert("RGB")))
            return Decoded(pixels, 8, colour)
        pixels = np.asarray(file)
        colour = pixels.ndim == 3
        pixels, notes, unseen = without_alpha(pixels, 3 if colour else 1)
        return Decoded(pixels, 1 if pixels.dtype == bool else 8, colour, notes, no_data=unseen)


def read_webp(data: bytes, limits: Limits, *, labels: bool = False) -> Decoded:
    """The pixels of a WebP file that holds a single image; they are colours, also where labels are asked for.

    Raises:
        ImageError: if the file is damaged, animated or beyond the limits.
    """
    import imagecodecs

    with damage_reported("WebP"):
        size = webp_size(data)
        limits.check_pixels(size.rows, size.columns, size.channels)
        exif = next((chunk for kind, chunk in webp_chunks(data) if kind == b"EXIF"), b"")
        pixels, notes, unseen = without_alpha(imagecodecs.webp_decode(data), 3)
        turned = _exif_orientation(exif)
        return Decoded(upright(pixels, turned), 8, True, notes, no_data=_upright(unseen, turned))


def _upright(mask: NDArray[np.bool_] | None, orientation: int) -> NDArray[np.bool_] | None:
    return None if mask is None else upright(mask, orientation)


def _without_palette(bare: bytes) -> bytes:
    """A PNG of palette indices as a PNG of grey values."""
    header = bare[12:25] + b"\0" + bare[26:29]
    at, kept = 33, [bare[:12], header, struct.pack(">I", zlib.crc32(header))]
    while at + 12 <= len(bare):
        length, kind = struct.unpack_from(">I4s", bare, at)
        if kind not in (b"PLTE", b"tRNS"):
            kept.append(bare[at : at + 12 + length])
        at += 12 + length
    return b"".join(kept)


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
