"""A stranger's image of any size as blocks, each of which the decoder reads in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO

import numpy as np

from segmentation._shared.tiling import Window, whole_window
from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.io.pixel_size import PixelSize
from segmentation.strokes.stroke import Stroke
from segmentation.strokes.tiled import window_region
from segmentation.web.decoding.client import Decoder
from segmentation.web.decoding.patience import patiently

BLOCK_SIDE = 2048
"""Rows and columns of a block that is looked at only."""


@dataclass(frozen=True, eq=False)
class DecodedBlocks:
    """The image of a file, as :class:`segmentation.io.block_images.BlockImages`.

    Attributes:
        decoder: reads parts of it.
        content: the file.
        name: of the file.
        coarsest: its coarsest level, as :meth:`Decoder.read_coarsest` gives it.
        outlines: of where it is worked on; none for everywhere.
        rest: waits so many seconds before something that did not come is asked for again.
    """

    decoder: Decoder
    content: BinaryIO
    name: str
    coarsest: Image
    outlines: Sequence[Stroke]
    rest: Callable[[float], None]

    stack_axes: tuple[str, ...] = ()
    stack_shape: tuple[int, ...] = ()
    axes: tuple[str, ...] = ("y", "x")
    zarr_format: int = 3

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        rows, columns, _ = self.coarsest.metadata["pyramid"]["levels"][0]
        return int(rows), int(columns)

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.coarsest.channels

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return self.coarsest.pixels.dtype

    @property
    def pixel_size(self) -> PixelSize | None:
        """How large a pixel is, if the file says it."""
        return self.coarsest.pixel_size

    @property
    def multiscale(self) -> Mapping[str, Any]:
        """What OME metadata would say of the axes."""
        level = {"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}
        return {"axes": [{"name": name, "type": "space"} for name in self.axes], "datasets": [level]}

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence on what is left out, if something is."""
        pages = self.coarsest.metadata.get("pages", 1)
        return (f"This is the first of {pages} images in the file.",) if pages != 1 else ()

    @property
    def bytes(self) -> int:
        """Bytes of all pixels."""
        return self.shape[0] * self.shape[1] * self.channels * self.dtype.itemsize

    def blocks(self, side: int | None = None) -> list[Window]:
        """What it is cut into, in rows and columns; None is :data:`BLOCK_SIDE`."""
        side = BLOCK_SIDE if side is None else side
        return list(whole_window(self.shape).split(side, side))

    def named_place(self, place: tuple[int, ...]) -> dict[str, int]:
        """Nothing: it lies in no stack."""
        return {}

    def read(self, place: Sequence[int], window: Window) -> Image:
        """A window of it.

        Raises:
            PassingError: if it did not come, however often it was asked for.
            ImageError: with a sentence, if it cannot be read.
        """
        image = patiently(partial(self.decoder.read_part, self.content, level=0, window=window), self.rest)
        if image.shape != window.shape:
            raise ImageError("A part of the image cannot be read: its file is damaged.")
        named = replace(image, metadata=image.metadata | {"name": self.name})
        return named.within(window_region(self.outlines, window, self.shape))
