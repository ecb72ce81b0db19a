"""Pages of TIFF files, read with suspicion.

tifffile reads the pixels. Before it sees a page, the directory of the page is walked here: a file from a stranger
may chain its pages in a circle, claim gigabytes of values, or point many times at the same bytes.
"""

from __future__ import annotations

import logging
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation.io.formats import (
    ALPHA_NOTE,
    MAX_CHANNELS,
    Decoded,
    ImageError,
    Limits,
    cmyk_to_rgb,
    damage_reported,
    jpeg_frame,
    upright,
    without_equal_channels,
)

if TYPE_CHECKING:
    import tifffile

MAX_PAGES = 2**16
"""Pages that a file may have."""

MAX_SEGMENTS = 2**18
"""Strips or tiles that a page may have."""

_TAG_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SUBFILE_TYPE, _WIDTH, _OFFSETS = 254, 256, (273, 324)
_REDUCED_OR_MASK = 0b101

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_ALPHA = (1, 2)
_JPEG = 7
_COMPRESSIONS = {1, 2, 3, 4, 5, _JPEG, 8, 32946, 32773, 50000, 34926}
"""None, the fax codes, LZW, JPEG, deflate (two numbers), PackBits, Zstandard (two numbers): those whose decoders
stop at the size that they are told, or, for JPEG, that tell the size beforehand."""


def read_images(file: IO[bytes], size: int, limits: Limits, first: int = 1) -> tuple[int, Iterator[Decoded]]:
    """The images of a TIFF file, each decoded when it is asked for.

    An image is a page, or those pages that ImageJ or OME-TIFF describe as the channels of one image. Thumbnails and
    masks are passed over.

    Args:
        file: open for reading as long as images are asked for.
        size: bytes in the file.
        limits: what each image may take.
        first: the image to begin with, counted from 1.

    Returns:
        The number of images in the file, and the images from the first on.

    Raises:
        ImageError: here or while iterating, if the file is damaged, of an unknown kind or beyond the limits.
    """
    import tifffile

    with damage_reported("TIFF"), _quiet_tifffile():
        pages = list(_walk(file, size))
        if not pages:
            raise ImageError("The TIFF file holds no image.")
        file.seek(0)
        # These kinds make tifffile guess at pages beyond those that were walked.
        tiff = tifffile.TiffFile(file, is_lsm=False, is_scanimage=False, is_ndpi=False)
        groups = _channel_groups(tiff.pages.first.description, pages)
    return len(groups), _decoded_groups(tiff, groups[first - 1 :], file, size, limits)


def _decoded_groups(
    tiff: tifffile.TiffFile, groups: list[list[int]], file: IO[bytes], size: int, limits: Limits
) -> Iterator[Decoded]:
    for group in groups:
        with damage_reported("TIFF"), _quiet_tifffile():
            pages = [cast("tifffile.TiffPage", tiff.pages[index]) for index in group]
            for page in pages:
                _check_page(page, file, size, limits, len(group))
            planes = [_decode(page) for page in pages]
            image = planes[0]
            if len(planes) > 1:
                pixels = np.dstack([plane.pixels for plane in planes])
                image = Decoded(pixels, image.bits, False, image.notes)
        yield image


# Before tifffile sees anything


def _walk(file: IO[bytes], size: int) -> Iterator[int]:
    """Follow the chain of pages and give the indices of those that are images in full size."""
    header = _read(file, 0, 16, size)
    order = {b"II": "<", b"MM": ">"}[header[:2]]
    big = struct.unpack_from(order + "H", header, 2)[0] == 43
    count_format, entry_format, offset_format = ("Q", "HHQ8s", "Q") if big else ("H", "HHI4s", "I")
    inline = struct.calcsize(offset_format)
    entry = struct.Struct(order + entry_format)
    counter, pointer = struct.Struct(order + count_format), struct.Struct(order + offset_format)
    (offset,) = pointer.unpack_from(header, 8 if big else 4)
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise ImageError("The TIFF file is damaged: its pages run in a circle.")
        if len(seen) == MAX_PAGES:
            raise ImageError(f"The TIFF file has more than {MAX_PAGES} pages: split it first.")
        seen.add(offset)
        (count,) = counter.unpack(_read(file, offset, counter.size, size))
        directory = _read(file, offset + counter.size, count * entry.size + pointer.size, size)
        (offset,) = pointer.unpack_from(directory, count * entry.size)
        value_bytes = 0
        tags: dict[int, int] = {}
        for tag, kind, length, value in entry.iter_unpack(directory[: count * entry.size]):
            if tag in _OFFSETS and length > MAX_SEGMENTS:
                raise ImageError("The TIFF file is cut into too many pieces: save it anew.")
            length_bytes = length * _TAG_BYTES.get(kind, 0)
            value_bytes += length_bytes if length_bytes > inline else 0
            tags[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), value)[0]
        if value_bytes > 2 * size:
            raise ImageError("The TIFF file is damaged: it claims more than it holds.")
        if _WIDTH in tags and not tags.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK:
            yield len(seen) - 1


def _read(file: IO[bytes], offset: int, count: int, size: int) -> bytes:
    if offset + count > size:
        raise ImageError("The TIFF file is damaged or incomplete: a page lies beyond its end.")
    file.seek(offset)
    return file.read(count)


def _channel_groups(description: str, pages: list[int]) -> list[list[int]]:
    """Indices of the pages that make up each image.

    ImageJ and OME-TIFF store each channel as a page, and say in the first description in which order.
    """
    axes: dict[str, int] = {}  # the fastest first
    if description.startswith("ImageJ="):
        sizes = dict(re.findall(r"^(channels|slices|frames)=(\d{1,6})\s*$", description, re.MULTILINE))
        axes = {name[0]: int(sizes.get(name, 1)) for name in ("channels", "slices", "frames")}
    elif found := re.search(r"<(?:\w+:)?Pixels\b[^>]*>", description):
        attributes = dict(re.findall(r"(\w+)\s*=\s*\"(\w+)\"", found[0]))
        order = attributes.get("DimensionOrder", "")[2:]
        axes = {axis.lower(): int(attributes.get(f"Size{axis}", 1)) for axis in order}
    channels = axes.get("c", 1)
    if 1 < channels <= MAX_CHANNELS and np.prod(list(axes.values())) == len(pages):
        grid = np.reshape(pages, list(axes.values())[::-1])
        return np.moveaxis(grid, list(axes)[::-1].index("c"), -1).reshape(-1, channels).tolist()
    return [[page] for page in pages]


def _check_page(page: tifffile.TiffPage, file: IO[bytes], size: int, limits: Limits, planes: int) -> None:
    """Refuse a page that is beyond the limits or lies about where its pixels are, before it is decoded."""
    if page.dtype is None or page.dtype.kind not in "buif":
        raise ImageError(
            "The TIFF file stores its values in a way that cannot be read: save them as integers or floats."
        )
    if page.imagedepth != 1:
        raise ImageError("The TIFF file holds volumes: save it as a stack of pages first.")
    if page.samplesperpixel * planes > MAX_CHANNELS:
        raise ImageError(
            f"The image has {page.samplesperpixel * planes} channels, but at most {MAX_CHANNELS} can be used."
        )
    if page.compression not in _COMPRESSIONS or page.jpegheader is not None:
        raise ImageError("The TIFF file is compressed in a rare way: save it anew with LZW, deflate or no compression.")
    limits.check_pixels(page.imagelength, page.imagewidth, page.dtype.itemsize * page.samplesperpixel * planes)
    pieces = int(np.prod(page.chunked))
    piece_pixels = page.tilelength * page.tilewidth if page.is_tiled else page.rowsperstrip * page.imagewidth
    if pieces > MAX_SEGMENTS or piece_pixels > page.imagelength * page.imagewidth + 2**20:
        raise ImageError("The TIFF file is cut into pieces of an absurd size: save it anew.")
    places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(places) < pieces or any(start < 8 or count < 1 or start + count > size for start, count in places):
        raise ImageError("The TIFF file is damaged or incomplete: some of its pixels are missing.")
    if sum(page.databytecounts) > 8 * size:
        raise ImageError("The TIFF file is damaged: it claims more than it holds.")
    if page.compression == _JPEG:
        for start, count in places:
            frame = jpeg_frame(_read(file, start, count, size))
            if frame.rows * frame.columns > piece_pixels:
                raise ImageError("The TIFF file is damaged: it claims more than it holds.")


# After tifffile has seen it


def _decode(page: tifffile.TiffPage) -> Decoded:
    photometric = int(page.photometric) if 262 in page.tags else _MIN_IS_BLACK
    if photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR) or (
        photometric == _YCBCR and page.compression != _JPEG
    ):
        raise ImageError("The TIFF file stores its colours in a rare way: save it anew as RGB or grey.")
    pixels: NDArray[Any] = page.asarray(maxworkers=1)
    if page.axes == "SYX":
        pixels = np.moveaxis(pixels, 0, -1)
    bits = max(np.atleast_1d(page.bitspersample).tolist())
    notes: tuple[str, ...] = ()
    if pixels.ndim == 3:
        named = pixels.shape[2] - len(page.extrasamples)
        kept = [*range(named), *(named + i for i, kind in enumerate(page.extrasamples) if kind not in _ALPHA)]
        if len(kept) < pixels.shape[2]:
            pixels, notes = pixels[..., kept], (ALPHA_NOTE,)
        if len(kept) == 1:
            pixels = pixels[..., 0]
    colour = photometric in (_RGB, _YCBCR, _CMYK) and pixels.ndim == 3
    if photometric == _MIN_IS_WHITE and pixels.dtype.kind in "bu":
        pixels = ~pixels if pixels.dtype.kind == "b" else pixels.dtype.type(2**bits - 1) - pixels
    elif photometric == _CMYK:
        pixels = cmyk_to_rgb(pixels[..., :4])
    elif photometric == _PALETTE:
        pixels, colour = _with_palette(pixels, page.colormap)
    orientation = page.tags.valueof(274)
    return Decoded(upright(pixels, orientation if isinstance(orientation, int) else 1), bits, colour, notes)


def _with_palette(indices: NDArray[Any], palette: NDArray[np.uint16] | None) -> tuple[NDArray[Any], bool]:
    if palette is None:
        raise ImageError("The TIFF file is damaged: its palette is missing.")
    colours = palette >> 8 if palette.max() > 255 else palette
    return without_equal_channels(colours.T.astype(np.uint8)[indices.astype(np.intp, copy=False)])


_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
logging.getLogger("tifffile").addFilter(lambda record: not _quiet.get())


@contextmanager
def _quiet_tifffile() -> Iterator[None]:
    """Keep tifffile from logging about a stranger's file; what matters is raised."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
