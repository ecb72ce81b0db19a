"""What a file is, by its first bytes and never by its name."""

from __future__ import annotations

import struct
from zlib import decompressobj
from zlib import error as zlib_error

from segmentation.io.limits import ImageError

HEAD = 1024
"""Bytes from the start of a file that tell what it is."""

TAIL = 22 + 2**16
"""Bytes from the end of a file within which a ZIP archive has its directory."""

TIFF_BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")

_ACCEPTED = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"BM", "BMP"),
    *((beginning, "TIFF") for beginning in TIFF_BEGINNINGS),
    (b"ZISRAWFILE", "CZI"),
    (b"\xda\xce\xbe\x0a", "ND2"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"),
)

GZIP = b"\x1f\x8b"

_LIF, _LIF_TEXT = b"\x70\0\0\0", b"<\0"
_NIFTI_SIZES = {348: (344, b"n+1\0"), 540: (4, b"n+2\0")}
"""By the length of the header that a file begins with: where its kind stands, and what it is."""

STACK_BEGINNINGS = (
    *(magic[:4] for magic, kind in _ACCEPTED if kind in ("TIFF", "CZI", "ND2", "HDF5")),
    _LIF,
    *(length.to_bytes(4, order) for length in _NIFTI_SIZES for order in ("little", "big")),
)
"""The first bytes of files that may hold stacks."""

_SAVE_AS = "export it as PNG or TIFF first"

_REFUSED = (
    (b"%PDF", f"a PDF document: {_SAVE_AS}"),
    (b"%!PS", f"a PostScript drawing: {_SAVE_AS}"),
    (b"PK", "a ZIP archive or an office document: take the images out of it first"),
    (GZIP, "a gzip archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"GIF8", "a GIF, which keeps 256 colours only: save the original as PNG or TIFF"),
    (b"8BPS", f"a Photoshop document: {_SAVE_AS}"),
    (b"\0\0\0\x0cjP", f"a JPEG 2000 image: {_SAVE_AS}"),
    (b"\xff\x4f\xff\x51", f"a JPEG 2000 image: {_SAVE_AS}"),
    (b"\xd0\xcf\x11\xe0", f"an office document, or a Zeiss ZVI or Olympus OIB file: {_SAVE_AS}"),
    (b"SIMPLE  =", f"a FITS file: {_SAVE_AS}"),
    (b"\x93NUMPY", "a NumPy array: save it as TIFF first"),
    (b"RIFF", f"a sound or a film: {_SAVE_AS}"),
    (b"MZ", "a program, not an image"),
    (b"\x7fELF", "a program, not an image"),
)

_FORMATS = "PNG, JPEG, TIFF, BMP or WebP, or CZI, ND2, LIF, DICOM, NIfTI or HDF5"


def image_format(head: bytes, tail: bytes) -> str:
    """The format of an image file: ``"PNG"``, ``"JPEG"``, ``"TIFF"``, ``"BMP"`` or ``"WebP"``; or one of those of
    :mod:`segmentation.io.instruments`.

    Args:
        head: the first :data:`HEAD` bytes of the file.
        tail: the last :data:`TAIL` bytes of the file.

    Raises:
        ImageError: if the file is something else, or an image and a document at once.
    """
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        kind = "WebP"
    else:
        kind = next((name for magic, name in _ACCEPTED if head.startswith(magic)), "") or _kind_of_instrument(head)
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
    text = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    if text.startswith(b"<"):
        if b"<svg" in text:
            return f"an SVG drawing, not a pixel image: {_SAVE_AS}"
        if b"<html" in text or text.startswith(b"<!doctype html"):
            return "a web page, not an image: save the image itself"
        return "an XML document, not an image"
    return f"not an image that can be read: bring {_FORMATS}"


def _kind_of_instrument(head: bytes) -> str:
    """The format of a microscope or a clinic whose mark does not stand at the beginning; empty if it is none."""
    if head[128:132] == b"DICM":
        return "DICOM"
    if head.startswith(_LIF) and head[8:9] == b"*" and head[13:15] == _LIF_TEXT:
        return "LIF"
    if head.startswith(GZIP):
        try:
            head = decompressobj(wbits=31).decompress(head, HEAD)
        except zlib_error:
            return ""
    for length, (at, mark) in _NIFTI_SIZES.items():
        if head[:4] in (length.to_bytes(4, "little"), length.to_bytes(4, "big")) and head[at : at + 4] == mark:
            return "NIfTI"
    return ""


def _ends_as_archive(tail: bytes) -> bool:
    """Whether a ZIP directory ends exactly where the file ends, which is what makes a file a ZIP archive."""
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) >= at + 22 and at + 22 + struct.unpack_from("<H", tail, at + 20)[0] == len(tail):
            return True
        at = tail.rfind(b"PK\x05\x06", 0, at)
    return False
