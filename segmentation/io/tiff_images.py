"""The images of a TIFF file that is too large to be read whole, as those of a Zarr array are: block by block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from segmentation._shared.cached_property import cached_property
from segmentation._shared.tiling import Window, whole_window
from segmentation.io.formats import TIFF_BEGINNINGS
from segmentation.io.image import Image
from segmentation.io.limits import MAX_PIXELS, ImageError
from segmentation.io.opening import open_file
from segmentation.io.pixel_size import NAMES_IN_OME, PixelSize
from segmentation.io.pyramid import Pyramid, side_that_fits
from segmentation.io.stacks import place_along, stack_axes
from segmentation.io.tiff_directories import walk
from segmentation.io.tiff_pyramid import TiffPyramids

LARGE_PIXELS = MAX_PIXELS
"""A TIFF whose first image has more pixels is read block by block."""

BLOCK_SIDE = 2048
"""Rows and columns of a block."""


def is_large_tiff(path: Path) -> bool:
    """Whether a path is that of a TIFF which is too large to be read whole; what is wrong with one is not told here."""
    try:
        with open_file(path) as file:
            if file.read(4) not in TIFF_BEGINNINGS:
                return False
            first = next(walk(file, path.stat().st_size)).directory
            return first.rows * first.columns > LARGE_PIXELS
    except Exception:  # whoever reads it says why
        return False


def open_tiff_images(path: Path) -> TiffImages:
    """The images of a TIFF file; the same as long as the file is, since its directories may be long.

    Raises:
        ImageError: with a sentence, if it is no TIFF, or its images cannot be read by parts.
    """
    try:
        state = path.stat()
    except OSError as error:
        raise ImageError(f"The file {path.name!r} cannot be opened: {error.strerror}.") from error
    return _opened(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=2)
def _opened(path: Path, size: int, modified: int) -> TiffImages:
    return TiffImages(path)


class TiffImages:
    """The images of a TIFF file; of images that are not alike, as in a file of a slide, the first only.

    Args:
        path: of the file.

    Attributes:
        shape: rows and columns of each image.
        channels: number of channels.
        dtype: of the values.
        stack_axes: the axes along which there are several images.
        stack_shape: number of images along each of them.
        notes: sentences on what is left out.
        zarr_format: in which results are stored while they are made.
    """

    zarr_format = 3

    def __init__(self, path: Path) -> None:
        self._file = TiffPyramids(path)
        first = self._file.open(1)
        self._first = first
        self.shape, self.channels, self.dtype = first.shape, first.channels, first.dtype
        # The axis that is counted fastest comes last, as in an array.
        axes = stack_axes(first.metadata, len(self._file))[::-1]
        self.stack_axes = tuple(axis for axis, _ in axes)
        self.stack_shape = tuple(length for _, length in axes)
        notes = [str(note) for note in first.metadata["notes"]]
        if len(self._file) > 1 and not axes:
            notes.append(f"This is the first of {len(self._file)} images in the file.")
        self.notes = tuple(notes)
        self._opened = {1: first}

    @property
    def pixel_size(self) -> PixelSize | None:
        """How large a pixel is, if the file says it."""
        return self._first.pixel_size

    @property
    def bytes(self) -> int:
        """Bytes of all pixels."""
        return int(np.prod((*self.stack_shape, *self.shape, self.channels, self.dtype.itemsize)))

    @cached_property
    def multiscale(self) -> Mapping[str, Any]:
        """What OME metadata would say of the axes."""
        size = self.pixel_size
        unit = {"unit": NAMES_IN_OME[size.unit]} if size is not None and size.unit in NAMES_IN_OME else {}
        sides = {"y": size.y, "x": size.x, "z": size.z or 1.0} if size is not None and unit else {}
        kinds = {"t": {"type": "time"}} | dict.fromkeys("zyx", {"type": "space"} | unit)
        names = (*self.stack_axes, "y", "x")
        scale = [sides.get(name, 1.0) for name in names]
        level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": scale}]}
        return {"axes": [{"name": name} | kinds.get(name, {}) for name in names], "datasets": [level]}

    @property
    def axes(self) -> tuple[str, ...]:
        """The axes that :attr:`multiscale` tells of."""
        return (*self.stack_axes, "y", "x")

    def named_place(self, place: Sequence[int]) -> dict[str, int]:
        """Where an image lies, as :attr:`Image.place` tells it, from its index along each axis of the stack."""
        axes = tuple(zip(self.stack_axes, self.stack_shape, strict=True))[::-1]
        return place_along(axes, self._number(place) - 1)

    def blocks(self, side: int | None = None) -> list[Window]:
        """What each image is cut into; None is :data:`BLOCK_SIDE`, or of many channels what can be read at once."""
        side = side_that_fits(BLOCK_SIDE, self.channels * self.dtype.itemsize) if side is None else side
        return list(whole_window(self.shape).split(side, side))

    def read(self, place: Sequence[int], window: Window) -> Image:
        """A window of one of the images, by its index along each axis of the stack.

        Raises:
            ImageError: if the pixels cannot be read or used.
        """
        return self._image(self._number(place)).read(window)

    def _number(self, place: Sequence[int]) -> int:
        return int(np.ravel_multi_index(tuple(place), self.stack_shape)) + 1 if self.stack_shape else 1

    def _image(self, number: int) -> Pyramid:
        if number not in self._opened:
            opened = self._file.open(number)
            if (opened.shape, opened.channels, opened.dtype) != (self.shape, self.channels, self.dtype):
                raise ImageError("The images of the file differ: save each in a file of its own.")
            self._opened[number] = opened
        return self._opened[number]
