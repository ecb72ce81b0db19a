"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import struct

from segmentation.io.limits import ImageError

HEAD = 1024
"""Bytes from the start of a file that tell what it is."""

TAIL = 22 + 2**16
"""Bytes from the end of a file within which a ZIP archive has its directory."""

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
