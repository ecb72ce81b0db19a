"""Pages of TIFF files, read with suspicion.

tifffile decodes strips and tiles. Before it sees a page, its directory is walked
(:mod:`segmentation.io.tiff_directories`), and before one is decoded, it is held against what the page says of it: a
file from a stranger may point many times at the same bytes, or unfold into more than it claims.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation.io.limits import MAX_CHANNELS, ImageError, Limits, damage_reported
from segmentation.io.no_data import together
from segmentation.io.pixels import LOSSY_LABELS, Decoded
from segmentation.io.planes import Layout, lay_out
from segmentation.io.tiff_directories import MAX_SEGMENTS, Walked, walk
from segmentation.io.tiff_windows import BOUNDED, JPEG, SIZES, OpenTiff, PlaneWindows
from segmentation.io.tifftags import tags_tell

if TYPE_CHECKING:
    import tifffile


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
    with damage_reported("TIFF"), quiet_tifffile():
        contents = open_tiff(file, size)
    wanted = range(first - 1, len(contents.layout.images))
    return len(contents.layout.images), (_read(contents, number, limits, labels) for number in wanted)


def open_tiff(file: IO[bytes], size: int) -> TiffContents:
    """What a TIFF file holds; no pixel is decoded.

    Args:
        file: open for reading as long as pixels are asked for.
        size: bytes in the file.

    Raises:
        ImageError: if the file as a whole is damaged. Whatever else it raises is damage, too.
    """
    import tifffile

    walked = tuple(walk(file, size))
    directories = [one.directory for one in walked if not (one.reduced or one.mask)]
    if not directories:
        raise ImageError("The TIFF file holds no image.")
    file.seek(0)
    # These kinds make tifffile guess at pages beyond those that were walked.
    tiff = tifffile.TiffFile(file, name="image.tif", is_lsm=False, is_scanimage=False, is_ndpi=False)
    page = cast("tifffile.TiffPage", tiff.pages[directories[0].place])
    values = page.imagelength * page.imagewidth * page.samplesperpixel
    layout = lay_out(tiff.pages.first.description, directories, values, _room_behind(page, size))
    return TiffContents(OpenTiff(tiff, file, size), layout, walked)


def _room_behind(page: tifffile.TiffPage, size: int) -> int:
    """How many planes as large as a page's there is room for behind its pixels, before anything else in the file."""
    if page.dtype is None or page.nbytes < 1 or not page.dataoffsets or not page.is_contiguous:
        return 0
    start = page.dataoffsets[0]
    others = (place for place in (page.offset, *(tag.valueoffset for tag in page.tags)) if place > start)
    return max(0, (min(others, default=size) - start) // page.nbytes - 1)


@dataclass(frozen=True)
class TiffContents:
    """What a TIFF file holds.

    Attributes:
        opened: the file.
        layout: its images.
        walked: its directories.
    """

    opened: OpenTiff
    layout: Layout
    walked: tuple[Walked, ...]

    def page(self, directory: int) -> tifffile.TiffPage:
        """What tifffile knows of a directory, by its index in the chain."""
        return cast("tifffile.TiffPage", self.opened.tiff.pages[directory])

    def planes(
        self, number: int, limits: Limits, *, labels: bool = False, partly: bool = False
    ) -> tuple[list[PlaneWindows], float]:
        """The planes that are the channels of an image, ready to be read, and the part of it that the file lacks.

        Args:
            number: of the image, from 0.
            limits: what it may take.
            labels: take the indices of a palette instead of its colours, and refuse what JPEG has changed.
            partly: whether the file may lack some of it.

        Raises:
            ImageError: if they are beyond the limits, or cannot be read.
        """
        planes = self.layout.images[number]
        pages = [self.page(plane.directory) for plane in planes]
        lacking = 0.0
        for page, plane in zip(pages, planes, strict=True):
            if labels and page.compression == JPEG:
                raise ImageError(LOSSY_LABELS)
            here = check_page(page, self.opened.size, limits, number=plane.number, planes=len(planes), partly=partly)
            lacking = max(lacking, here)
        windows = [
            PlaneWindows(self.opened, page, plane.number, labels=labels)
            for page, plane in zip(pages, planes, strict=True)
        ]
        return windows, lacking

    def about(self, number: int, orientation: int) -> dict[str, Any]:
        """What is known of an image beside its pixels, which were turned as an orientation asks for."""
        pages = [self.page(plane.directory) for plane in self.layout.images[number]]
        return tags_tell(pages, self.layout.of(number), orientation) | {"alike": self.layout.alike}


def _read(contents: TiffContents, number: int, limits: Limits, labels: bool) -> Decoded | ImageError:
    """An image, counted from 0, or what is wrong with it."""
    try:
        with damage_reported("TIFF"), quiet_tifffile():
            planes, _ = contents.planes(number, limits, labels=labels)
            pixels, missing = _whole(planes)
            first = planes[0]
            colour = first.colour and len(planes) == 1
            notes = (*first.notes, *contents.layout.notes)
            return Decoded(pixels, first.bits, colour, notes, contents.about(number, first.orientation), missing)
    except ImageError as error:
        return error


def _whole(planes: Sequence[PlaneWindows]) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """All pixels of an image whose channels are those of one or several planes, one after the other.

    Returns:
        ``(rows, columns)`` or ``(rows, columns, channels)``, and where there is no data, as of
        :meth:`PlaneWindows.read`.

    Raises:
        ImageError: if a strip or tile is damaged.
        ValueError: if the planes differ in size.
    """
    if len({plane.shape for plane in planes}) > 1:
        raise ValueError("The planes differ in size.")
    channels = [plane.channels for plane in planes]
    pixels = np.empty((*planes[0].shape, sum(channels)), np.result_type(*(plane.dtype for plane in planes)))
    masks, first = [], 0
    for plane, count in zip(planes, channels, strict=True):
        masks.append(plane.read_all(pixels[..., first : first + count]))
        first += count
    return pixels[..., 0] if len(planes) == 1 and channels[0] == 1 else pixels, together(*masks)


def check_page(
    page: tifffile.TiffPage, size: int, limits: Limits, *, number: int = 0, planes: int = 1, partly: bool = False
) -> float:
    """Refuse a page that is beyond the limits or lies about where its pixels are, before it is decoded.

    Args:
        page: the page.
        size: bytes in the file.
        limits: what an image may take.
        number: of the plane among those that lie one behind the other, from 0.
        planes: how many planes the image has.
        partly: whether the file may lack some of its strips or tiles, as one that was not copied to its end.

    Returns:
        The part of it that the file lacks, from 0 to 1.

    Raises:
        ImageError: with a sentence.
    """
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
    if page.compression not in BOUNDED | SIZES.keys() or page.jpegheader is not None:
        raise ImageError("The TIFF file is compressed in a rare way: save it anew with LZW, deflate or no compression.")
    limits.check_pixels(page.imagelength, page.imagewidth, page.dtype.itemsize * page.samplesperpixel * planes)
    lacking = _check_segments(page, size)
    if page.is_contiguous and (number or (lacking and partly)):
        behind = page.dataoffsets[0] + (number + 1) * page.nbytes - size
        lacking = min(1.0, max(0.0, behind / page.nbytes))
    if lacking == 1 or (lacking and not partly):
        raise ImageError("The TIFF file is damaged or incomplete, some of its pixels are missing: copy it again.")
    return lacking


def _check_segments(page: tifffile.TiffPage, size: int) -> float:
    """Refuse strips or tiles that are absurd, or overlap without end; the part of them that is not in the file."""
    segments = int(np.prod(page.chunked))
    segment_pixels = page.tilelength * page.tilewidth if page.is_tiled else page.rowsperstrip * page.imagewidth
    if segments > MAX_SEGMENTS or segment_pixels > page.imagelength * page.imagewidth + 2**20:
        raise ImageError("The TIFF file is cut into pieces of an absurd size: save it anew.")
    starts, counts = np.array(page.dataoffsets, np.int64), np.array(page.databytecounts, np.int64)
    if len(starts) != len(counts):
        raise ValueError("There are not as many sizes as places.")
    if len(starts) < segments:
        raise ImageError("The TIFF file is damaged or incomplete, some of its pixels are missing: copy it again.")
    lacking = (starts < 8) | (counts < 1) | (starts > size - counts)
    if counts[~lacking].sum(dtype=np.float64) > 8 * size:
        raise ImageError("The TIFF file is damaged: it claims more than it holds.")
    return float(lacking.mean())


_quiet: ContextVar[bool] = ContextVar("quiet", default=False)
logging.getLogger("tifffile").addFilter(lambda record: not _quiet.get())


@contextmanager
def quiet_tifffile() -> Iterator[None]:
    """Keep tifffile from logging about a stranger's file; what matters is raised."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)
