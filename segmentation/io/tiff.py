"""Pages of TIFF files, read with suspicion.

tifffile reads the pixels. Before it sees a page, the directory of the page is walked here: a file from a stranger
may chain its pages in a circle, claim gigabytes of values, or point many times at the same bytes.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation.io import headers
from segmentation.io.limits import MAX_CHANNELS, MAX_PAGES, ImageError, Limits, damage_reported
from segmentation.io.no_data import has_value, together
from segmentation.io.pixels import (
    ALPHA_NOTE,
    LOSSY_LABELS,
    Decoded,
    cmyk_to_rgb,
    transparent,
    upright,
    without_equal_channels,
)
from segmentation.io.placement import own_description
from segmentation.io.planes import TOO_MANY_PAGES, Directory, Layout, Plane, lay_out
from segmentation.io.tifftags import no_data_value, tags_tell
from segmentation.io.tiffwriter import SOFTWARE

if TYPE_CHECKING:
    import tifffile

MAX_SEGMENTS = 2**18
"""Strips or tiles that a page may have."""

_TAG_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SUBFILE_TYPE, _WIDTH, _LENGTH, _SAMPLES, _METAMORPH, _OFFSETS = 254, 256, 257, 277, 33629, (273, 324)
_REDUCED_OR_MASK = 0b101

_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR = 0, 1, 2, 3, 5, 6
_ALPHA = (1, 2)
_JPEG = 7
_BOUNDED = {1, 2, 3, 4, 5, 8, 32946, 32773, 50000, 34926, 34925}
"""None, the fax codes, LZW, deflate (two numbers), PackBits, Zstandard (two numbers), LZMA: those whose decoders stop
at the size that they are told."""

_SIZES = {
    _JPEG: headers.jpeg_size,
    34712: headers.jpeg_2000_size,
    34887: headers.lerc_size,
    34933: headers.png_size,
    50001: headers.webp_size,
    50002: headers.jpeg_xl_size,
    52546: headers.jpeg_xl_size,
}
"""JPEG, JPEG 2000, LERC, PNG, WebP, JPEG XL (two numbers): those whose headers tell the size beforehand."""


def read_images(
    file: IO[bytes], size: int, limits: Limits, first: int = 1, *, labels: bool = False
) -> tuple[int, Iterator[Decoded | ImageError]]:
    """The images of a TIFF file, each decoded when it is asked for.

    An image is a page, or those pages that ImageJ or OME-TIFF describe as the channels of one image. Thumbnails and
    masks are passed over.

    Args:
        file: open for reading as long as images are asked for.
        size: bytes in the file.
        limits: what each image may take.
        first: the image to begin with, counted from 1.
        labels: take the indices of a palette instead of its colours, and refuse what JPEG has changed.

    Returns:
        The number of images in the file, and the images from the first on, or what is wrong with one.

    Raises:
        ImageError: if the file as a whole is damaged or of an unknown kind.
    """
    import tifffile

    with damage_reported("TIFF"), _quiet_tifffile():
        directories = list(_walk(file, size))
        if not directories:
            raise ImageError("The TIFF file holds no image.")
        file.seek(0)
        # These kinds make tifffile guess at pages beyond those that were walked.
        tiff = tifffile.TiffFile(file, name="image.tif", is_lsm=False, is_scanimage=False, is_ndpi=False)
        page = cast("tifffile.TiffPage", tiff.pages[directories[0].place])
        values = page.imagelength * page.imagewidth * page.samplesperpixel
        layout = lay_out(tiff.pages.first.description, directories, values, _room_behind(page, size))
    reader = _Reader(tiff, file, size, limits, labels)
    wanted = range(first - 1, len(layout.images))
    return len(layout.images), (reader.read(layout, number) for number in wanted)


def _room_behind(page: tifffile.TiffPage, size: int) -> int:
    """How many planes as large as a page's there is room for behind its pixels, before anything else in the file."""
    if page.dtype is None or page.nbytes < 1 or not page.dataoffsets or not page.is_contiguous:
        return 0
    start = page.dataoffsets[0]
    others = (place for place in (page.offset, *(tag.valueoffset for tag in page.tags)) if place > start)
    return max(0, (min(others, default=size) - start) // page.nbytes - 1)


@dataclass(frozen=True)
class _Reader:
    """Reads planes of a file that was opened.

    Attributes:
        tiff: the file as tifffile sees it.
        file: the file.
        size: its bytes.
        limits: what each image may take.
        labels: take the indices of a palette instead of its colours, and refuse what JPEG has changed.
    """

    tiff: tifffile.TiffFile
    file: IO[bytes]
    size: int
    limits: Limits
    labels: bool

    def read(self, layout: Layout, number: int) -> Decoded | ImageError:
        """An image, counted from 0, or what is wrong with it."""
        planes: Sequence[Plane] = layout.images[number]
        try:
            with damage_reported("TIFF"), _quiet_tifffile():
                pages = [cast("tifffile.TiffPage", self.tiff.pages[plane.directory]) for plane in planes]
                for page, plane in zip(pages, planes, strict=True):
                    self._check(page, plane.number, len(planes))
                decoded = [self._decode(page, plane.number) for page, plane in zip(pages, planes, strict=True)]
                image = decoded[0]
                if len(decoded) > 1:
                    missing = together(*(plane.no_data for plane in decoded))
                    pixels = np.dstack([plane.pixels for plane in decoded])
                    image = replace(image, pixels=pixels, colour=False, no_data=missing)
                about = tags_tell(pages, layout.of(number), _orientation(pages[0])) | {"alike": layout.alike}
                return replace(image, notes=(*image.notes, *layout.notes), about=about)
        except ImageError as error:
            return error

    def _check(self, page: tifffile.TiffPage, number: int, planes: int) -> None:
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
        if page.compression not in _BOUNDED | _SIZES.keys() or page.jpegheader is not None:
            raise ImageError(
                "The TIFF file is compressed in a rare way: save it anew with LZW, deflate or no compression."
            )
        if self.labels and page.compression == _JPEG:
            raise ImageError(LOSSY_LABELS)
        self.limits.check_pixels(page.imagelength, page.imagewidth, page.dtype.itemsize * page.samplesperpixel * planes)
        self._check_segments(page)
        if number and page.dataoffsets[0] + (number + 1) * page.nbytes > self.size:
            raise ImageError("The TIFF file is damaged or incomplete: some of its pixels are missing.")

    def _check_segments(self, page: tifffile.TiffPage) -> None:
        """Refuse strips or tiles that are absurd, or lie outside of the file, or unfold into more than they claim."""
        segments = int(np.prod(page.chunked))
        segment_pixels = page.tilelength * page.tilewidth if page.is_tiled else page.rowsperstrip * page.imagewidth
        if segments > MAX_SEGMENTS or segment_pixels > page.imagelength * page.imagewidth + 2**20:
            raise ImageError("The TIFF file is cut into pieces of an absurd size: save it anew.")
        places = list(zip(page.dataoffsets, page.databytecounts, strict=True))
        if len(places) < segments or any(
            start < 8 or count < 1 or start + count > self.size for start, count in places
        ):
            raise ImageError("The TIFF file is damaged or incomplete: some of its pixels are missing.")
        if sum(page.databytecounts) > 8 * self.size:
            raise ImageError("The TIFF file is damaged: it claims more than it holds.")
        size_of = _SIZES.get(page.compression)
        for start, count in places if size_of else ():
            assert size_of is not None
            claimed = size_of(_read(self.file, start, count, self.size))
            if claimed.rows * claimed.columns > segment_pixels or claimed.channels > max(4, page.samplesperpixel):
                raise ImageError("The TIFF file is damaged: it claims more than it holds.")

    def _decode(self, page: tifffile.TiffPage, number: int) -> Decoded:
        photometric = int(page.photometric) if 262 in page.tags else _MIN_IS_BLACK
        if photometric not in (_MIN_IS_WHITE, _MIN_IS_BLACK, _RGB, _PALETTE, _CMYK, _YCBCR) or (
            photometric == _YCBCR and page.compression != _JPEG
        ):
            raise ImageError("The TIFF file stores its colours in a rare way: save it anew as RGB or grey.")
        pixels: NDArray[Any] = self._following(page, number) if number else page.asarray(maxworkers=1)
        if page.axes == "SYX":
            pixels = np.moveaxis(pixels, 0, -1)
        bits = max(np.atleast_1d(page.bitspersample).tolist())
        notes: tuple[str, ...] = ()
        unseen = None
        if pixels.ndim == 3:
            named = pixels.shape[2] - len(page.extrasamples)
            kept = [*range(named), *(named + i for i, kind in enumerate(page.extrasamples) if kind not in _ALPHA)]
            if len(kept) < pixels.shape[2]:
                alpha = next(band for band in range(pixels.shape[2]) if band not in kept)
                unseen = transparent(pixels[..., alpha])
                pixels, notes = pixels[..., kept], (ALPHA_NOTE,)
            if len(kept) == 1:
                pixels = pixels[..., 0]
        value = no_data_value(page)
        missing = together(unseen, None if value is None else has_value(pixels, value))
        colour = photometric in (_RGB, _YCBCR, _CMYK) and pixels.ndim == 3
        if photometric == _MIN_IS_WHITE and pixels.dtype.kind in "bu":
            pixels = ~pixels if pixels.dtype.kind == "b" else pixels.dtype.type(2**bits - 1) - pixels
        elif photometric == _CMYK:
            pixels = cmyk_to_rgb(pixels[..., :4])
        elif photometric == _PALETTE and not (self.labels or _is_of_class_ids(page)):
            pixels, colour = _with_palette(pixels, page.colormap)
        turned = _orientation(page)
        missing = None if missing is None else upright(missing, turned)
        return Decoded(upright(pixels, turned), bits, colour, notes, no_data=missing)

    def _following(self, page: tifffile.TiffPage, number: int) -> NDArray[Any]:
        """The pixels of a plane that lies behind those of its directory."""
        assert page.dtype is not None
        data = _read(self.file, page.dataoffsets[0] + number * page.nbytes, page.nbytes, self.size)
        values = np.frombuffer(data, page.dtype.newbyteorder(self.tiff.byteorder)).reshape(page.shape)
        return values.astype(page.dtype)


# Before tifffile sees anything


def _walk(file: IO[bytes], size: int) -> Iterator[Directory]:
    """Follow the chain of pages and give those that are images in full size."""
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
            raise ImageError(TOO_MANY_PAGES)
        seen.add(offset)
        (count,) = counter.unpack(_read(file, offset, counter.size, size))
        directory = _read(file, offset + counter.size, count * entry.size + pointer.size, size)
        (offset,) = pointer.unpack_from(directory, count * entry.size)
        value_bytes = 0
        stacked = 1
        tags: dict[int, int] = {}
        for tag, kind, length, value in entry.iter_unpack(directory[: count * entry.size]):
            if tag in _OFFSETS and length > MAX_SEGMENTS:
                raise ImageError("The TIFF file is cut into too many pieces: save it anew.")
            length_bytes = length * _TAG_BYTES.get(kind, 0)
            value_bytes += length_bytes if length_bytes > inline else 0
            if tag == _METAMORPH:
                stacked = length
            tags[tag] = struct.unpack_from(order + ("H" if kind == 3 else "I"), value)[0]
        if value_bytes > 2 * size:
            raise ImageError("The TIFF file is damaged: it claims more than it holds.")
        if _WIDTH in tags and not tags.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK:
            size_told = tags.get(_LENGTH, 0), tags[_WIDTH]
            yield Directory(len(seen) - 1, tags.get(_SAMPLES, 1) or 1, stacked, *size_told)


def _read(file: IO[bytes], offset: int, count: int, size: int) -> bytes:
    if offset + count > size:
        raise ImageError("The TIFF file is damaged or incomplete: a page lies beyond its end.")
    file.seek(offset)
    return file.read(count)


# After tifffile has seen it


def _is_of_class_ids(page: tifffile.TiffPage) -> bool:
    """Whether a page is a result of ours: its palette is for viewers, and its values are what is meant."""
    return page.software == SOFTWARE and own_description(page.description).startswith('{"classes": [')


def _orientation(page: tifffile.TiffPage) -> int:
    orientation = page.tags.valueof(274)
    return orientation if isinstance(orientation, int) else 1


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
