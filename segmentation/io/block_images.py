"""Images that are read block by block, whatever they lie in: a Zarr array, or a TIFF file that is too large."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from segmentation._shared.tiling import Window
from segmentation.io.addresses import AddressPath
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize
from segmentation.io.zipped_zarr import is_zipped_zarr


class BlockImages(Protocol):
    """Images of the same size, one for each place along the axes of a stack."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of each image."""

    @property
    def channels(self) -> int:
        """Number of channels of each image."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values, in the byte order of this computer."""

    @property
    def axes(self) -> tuple[str, ...]:
        """What each axis is that :attr:`multiscale` tells of."""

    @property
    def stack_axes(self) -> tuple[str, ...]:
        """The axes along which there are several images."""

    @property
    def stack_shape(self) -> tuple[int, ...]:
        """Number of images along each of them."""

    @property
    def pixel_size(self) -> PixelSize | None:
        """How large a pixel is, if that is known."""

    @property
    def multiscale(self) -> Mapping[str, Any] | None:
        """OME metadata, if there are any."""

    @property
    def zarr_format(self) -> int:
        """Version of the Zarr format in which results are stored."""

    @property
    def bytes(self) -> int:
        """Bytes of all pixels."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is left out."""

    def blocks(self, side: int | None = None) -> list[Window]:
        """What each image is cut into, in rows and columns; None is the usual."""

    def named_place(self, place: tuple[int, ...]) -> dict[str, int]:
        """Where an image lies, as :attr:`Image.place` tells it, from its index along each axis of the stack."""

    def read(self, place: Sequence[int], window: Window) -> Image:
        """A window of one of the images; raises an ImageError if it cannot be read."""


def open_block_images(path: Path, *, channels: int | None = None, axes: str | None = None) -> BlockImages:
    """The images in a TIFF file, or in a Zarr array as :func:`segmentation.io.zarr_images.open_images` opens it.

    Raises:
        ImageError: with a sentence, if there are none, or they are not understood.
    """
    if not isinstance(path, AddressPath) and path.is_file() and not is_zipped_zarr(path):
        from segmentation.io.tiff_images import open_tiff_images

        return open_tiff_images(path)
    from segmentation.io.zarr_images import open_images

    return open_images(path, channels=channels, axes=axes)


def read_planes(images: BlockImages, place: Sequence[int], count: int, reach: int, window: Window) -> dict[int, Image]:
    """A window of several images along the last axis of the stack, and of those around them.

    Args:
        images: the images.
        place: the first of them.
        count: how many there are.
        reach: how many are around, at most, on either side.
        window: which part of each.

    Returns:
        The images by their places, counted from that of the first.

    Raises:
        ImageError: if the pixels cannot be read or used.
    """
    if not images.stack_axes or (count == 1 and reach == 0):
        return {0: images.read(place, window)}
    near = range(max(place[-1] - reach, 0), min(place[-1] + count + reach, images.stack_shape[-1]))
    return {number - place[-1]: images.read((*place[:-1], number), window) for number in near}
