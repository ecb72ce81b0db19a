"""TIFF files of any size as pyramids: by tiles or strips, with the levels that the file has.

Levels lie below a page (OME-TIFF: SubIFDs), behind it as reduced images (GeoTIFF: overviews), or behind it as pages of
their own (slides of Aperio and others).
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.io.image import KEPT_TYPES, image_from_pixels
from segmentation.io.limits import ImageError, Limits, damage_reported, may_pass
from segmentation.io.no_data import together
from segmentation.io.opening import open_file
from segmentation.io.pixel_size import PixelSize
from segmentation.io.pyramid import MAX_PIXELS, Level, Pyramid
from segmentation.io.tiff import TiffContents, check_page, open_tiff, quiet_tifffile
from segmentation.io.tiff_directories import check_below
from segmentation.io.tiff_windows import KEPT_BYTES, PlaneWindows
from segmentation.io.unread import UNREAD

if TYPE_CHECKING:
    import tifffile

MAX_SEGMENT_BYTES = 2**28
"""Bytes that a compressed strip or tile may unfold into."""

MISFITTING = "The smaller copies of the image in the file do not fit it: they are not used."
_LEAST_STEP = 1.2
_Found = tuple[NDArray[Any], NDArray[np.bool_] | None]
_NAMES_KEPT = ("format", "bits", "colour", "pages", "page", "alike", "stack", "described_by", "georeference")


def open_tiff_pyramid(
    path: Path, *, number: int = 1, name: str = "", partly: bool = False, kept_bytes: int = KEPT_BYTES
) -> Pyramid:
    """Open an image of a TIFF file that is read window by window; the file stays open as long as the pyramid is used.

    Its windows have the pixels that :func:`segmentation.io.read.read_image` has there.

    Args:
        path: of the file.
        number: which of its images, from 1.
        name: what it is called; empty takes the name of the file.
        partly: whether the file may lack some of the image, see :class:`TiffPyramids`.
        kept_bytes: of decoded strips and tiles that are kept for the next window.

    Raises:
        ImageError: with a sentence, if it is no TIFF, or cannot be read by parts.
    """
    return TiffPyramids(path, name=name, partly=partly, kept_bytes=kept_bytes).open(number)


class TiffPyramids:
    """The images of a TIFF file, each of which is a pyramid.

    Args:
        path: of the file.
        name: what it is called; empty takes the name of the file.
        partly: whether the file may lack some of its strips or tiles, which cannot be read then. How much that is of
            an image, from 0 to 1, its metadata say under :data:`segmentation.io.unread.UNREAD`.
        kept_bytes: of decoded strips and tiles that are kept for the next window.

    Raises:
        ImageError: with a sentence, if it is no TIFF, or damaged.
    """

    def __init__(self, path: Path, *, name: str = "", partly: bool = False, kept_bytes: int = KEPT_BYTES) -> None:
        self._name, self._partly = name or path.name, partly
        try:
            file = open_file(path)
        except OSError as error:
            raise ImageError(f"The file {self._name!r} cannot be opened: {error.strerror}.") from error
        try:
            self._size = file.seek(0, 2)
            with damage_reported("TIFF"), quiet_tifffile():
                self._contents = open_tiff(file, self._size)
        except BaseException:
            file.close()
            raise
        weakref.finalize(self._contents.opened, file.close)
        self._contents.opened.kept.budget = kept_bytes

    def __len__(self) -> int:
        return len(self._contents.layout.images)

    def shape(self, number: int = 1) -> tuple[int, int]:
        """Rows and columns of an image, from 1, as its page says them."""
        page = self._contents.page(self._contents.layout.images[number - 1][0].directory)
        return page.imagelength, page.imagewidth

    def open(self, number: int = 1) -> Pyramid:
        """One of the images, from 1.

        Raises:
            ImageError: with a sentence, if it cannot be read by parts.
        """
        if not 1 <= number <= len(self):
            raise ImageError(f"{self._name} has {len(self)} images, and no image {number}.")
        with damage_reported("TIFF"), quiet_tifffile():
            return self._open(number - 1)

    def _open(self, number: int) -> Pyramid:
        contents = self._contents
        planes, lacking = contents.planes(number, Limits(MAX_PIXELS), partly=self._partly)
        for plane in contents.layout.images[number]:
            _refuse_large_segments(contents.page(plane.directory))
        finest = _Levels(planes)
        levels, notes = _levels(contents, number, finest)
        about = contents.about(number, planes[0].orientation)
        size = about.pop("pixel_size", None)
        colour = planes[0].colour and len(planes) == 1
        more = {"format": "TIFF", "bits": planes[0].bits, "colour": colour, "pages": len(self), "page": number + 1}
        more |= {UNREAD: lacking} if lacking else {}
        names = tuple(about.pop("channel_names", ()))
        told = [*planes[0].notes, *contents.layout.notes, *notes]
        return Pyramid(
            name=self._name,
            levels=tuple(Level(one.shape, step) for one, step in levels),
            channels=finest.channels,
            dtype=_kept_type(finest.dtype),
            values=lambda window, level: levels[level][0].read(window)[0],
            missing=(lambda window, level: levels[level][0].read(window)[1]) if finest.may_miss else None,
            pixel_size=PixelSize.from_json(size) if size else None,
            channel_names=names if len(names) == finest.channels else (),
            origin=f"TIFF {self._size} {number}",
            metadata={**{key: about[key] for key in about if key in _NAMES_KEPT}, **more, "notes": told},
            piece=levels[-1][0].planes[0].piece,
            decoded_bytes=max(plane.decoded_bytes for one, _ in levels for plane in one.planes),
        )


@dataclass(frozen=True, eq=False)
class _Levels:
    """A level: the planes that are its channels.

    Attributes:
        planes: one after the other.
        last: the window that was read last, and what was found: who asks for its pixels asks for what is missing, too.
    """

    planes: Sequence[PlaneWindows]
    last: list[tuple[Window, _Found]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if len({plane.shape for plane in self.planes}) > 1:
            raise ImageError("The channels of the image differ in size: save each as an image of its own.")

    @property
    def shape(self) -> tuple[int, int]:
        return self.planes[0].shape

    @property
    def channels(self) -> int:
        return sum(plane.channels for plane in self.planes)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.result_type(*(plane.dtype for plane in self.planes))

    @property
    def may_miss(self) -> bool:
        return any(plane.may_miss for plane in self.planes)

    def read(self, window: Window) -> _Found:
        """Its pixels, and where there are no data."""
        for known, found in self.last[:1]:
            if known == window:
                return found
        found = self._read(window)
        self.last[:] = [(window, found)] if self.may_miss else []
        return found

    def _read(self, window: Window) -> _Found:
        with damage_reported("TIFF"), quiet_tifffile():
            found = [plane.read(window) for plane in self.planes]
        if len(found) == 1:
            return found[0]
        return np.dstack([pixels for pixels, _ in found]), together(*(missing for _, missing in found))


def _levels(contents: TiffContents, number: int, finest: _Levels) -> tuple[list[tuple[_Levels, float]], list[str]]:
    """The levels of an image, finest first, each with its step, and sentences on those that are not used."""
    kept, misfits = [(finest, 1.0)], False
    try:
        below = _below(contents, number)
    except Exception as error:  # directories that are damaged are none of the image
        if may_pass(error):
            raise
        below, misfits = [], True
    for pages, claims in (*below, *_behind(contents, number)):
        try:
            for page in pages:
                check_page(page, contents.opened.size, Limits(MAX_PIXELS), planes=len(pages))
                _refuse_large_segments(page)
            own = finest.planes[0]
            level = _Levels(
                [
                    PlaneWindows(contents.opened, page, labels=own.of_class_ids, orientation=own.orientation)
                    for page in pages
                ]
            )
            step = _step(finest.shape, level.shape)
        except Exception as error:  # a copy that is damaged is none of the image
            if may_pass(error):
                raise
            misfits = misfits or claims
            continue
        if step is None or level.channels != finest.channels or level.dtype != finest.dtype:
            misfits = misfits or (claims and level.channels == finest.channels)
        else:
            kept.append((level, step))
    kept.sort(key=lambda one: one[1])
    distinct = [kept[0], *(coarser for finer, coarser in pairwise(kept) if coarser[1] > finer[1] * _LEAST_STEP)]
    return distinct, [MISFITTING] if misfits else []


Candidate = tuple[list["tifffile.TiffPage"], bool]
"""The pages of what may be a level of an image, and whether the file claims that it is one."""


def _below(contents: TiffContents, number: int) -> list[Candidate]:
    """What hangs below the pages of an image.

    Raises:
        ImageError: if a directory claims more than there is. Whatever else it raises is damage, too.
    """
    planes = contents.layout.images[number]
    walked = {one.directory.place: one for one in contents.walked}
    owns = [walked[plane.directory] for plane in planes]
    if not owns[0].below or len({len(one.below) for one in owns}) > 1:
        return []
    for one in owns:
        check_below(contents.opened.file, contents.opened.size, one.below)
    below = [contents.page(plane.directory).pages for plane in planes]
    return [
        ([cast("tifffile.TiffPage", pages[place]) for pages in below if pages is not None], True)
        for place in range(len(owns[0].below))
    ]


def _behind(contents: TiffContents, number: int) -> list[Candidate]:
    """The pages behind that of an image that may be smaller copies of it."""
    planes = contents.layout.images[number]
    if len(planes) > 1 or planes[0].number:
        return []
    found: list[Candidate] = []
    slide = not contents.layout.of(0).program and number == 0
    for one in contents.walked:
        if one.directory.place <= planes[0].directory or one.mask:
            continue
        page = contents.page(one.directory.place)
        if one.reduced:
            found.append(([page], page.is_tiled))
        elif slide and page.is_tiled:
            found.append(([page], False))
        elif not slide:
            break
    return found


def _step(whole: tuple[int, int], part: tuple[int, int]) -> float | None:
    """How many rows, and columns, of an image one of a smaller copy stands for; None if it is no smaller copy."""
    ratios = [length / small for length, small in zip(whole, part, strict=True)]
    step = ratios[0] if whole[0] > whole[1] else ratios[1]
    step = float(round(step)) if abs(step - round(step)) < 0.02 * step else step
    fits = all(abs(small * step - length) <= 1.5 * step for length, small in zip(whole, part, strict=True))
    return step if step >= _LEAST_STEP and fits else None


def _kept_type(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The type in which windows are kept.

    Raises:
        ImageError: of 64-bit integers, whose type follows from the values of the whole image.
    """
    if dtype.kind in "iu" and dtype.itemsize == 8:
        raise ImageError("The TIFF file holds 64-bit integers: save it with 32-bit integers or 32-bit floats.")
    return dtype if dtype.name in KEPT_TYPES else image_from_pixels(np.zeros((1, 1), dtype)).pixels.dtype


def _refuse_large_segments(page: tifffile.TiffPage) -> None:
    """Refuse strips and tiles that have to be decoded as a whole, and do not fit memory."""
    rows = page.tilelength if page.is_tiled else min(page.rowsperstrip, page.imagelength)
    columns = page.tilewidth if page.is_tiled else page.imagewidth
    samples = page.samplesperpixel if page.planarconfig == 1 else 1
    assert page.dtype is not None
    size = rows * columns * samples * page.dtype.itemsize
    if (page.compression != 1 or page.is_tiled) and size > MAX_SEGMENT_BYTES:
        raise ImageError(
            f"The TIFF file is compressed in pieces of {size / 1e6:,.0f} MB, and only {MAX_SEGMENT_BYTES / 1e6:.0f} MB "
            "are read at once: save it anew in tiles, for instance as a pyramidal OME-TIFF."
        )
