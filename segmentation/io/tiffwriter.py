"""TIFF files written page by page, so that a stack of any length needs the memory of one image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.io.placement import Placement

SOFTWARE = "Squiggle"
"""What the pages name as their maker."""

BIG_TIFF_BYTES = 2**31
"""From so many bytes of pixels on, a TIFF is written in the variant for large files."""

_PAGE_NAME = 285


class TiffPages:
    """Pages of one channel, compressed by deflate, each with a name; the same pages always give the same bytes.

    Args:
        file: a seekable binary file.
        description: what the pages are, plain JSON values; the description of each page.
        colours: ``(256, 3)`` uint8, in which viewers show the values of uint8 pages; None shows them as grey.
        like: the image that they belong to, or the first of a stack: they lie where it lies, in the same size.
        images: how many images of the stack they belong to.
        planes: the names of the pages that each of these has; empty for one that has no name.
        big: use the 64-bit variant, which files of 4 GB and more need.
    """

    def __init__(
        self,
        file: BinaryIO,
        description: Mapping[str, Any],
        *,
        colours: NDArray[np.uint8] | None = None,
        like: Image | None = None,
        images: int = 1,
        planes: tuple[str, ...] = ("",),
        big: bool = False,
    ) -> None:
        import tifffile

        self._description = json.dumps(description)
        self._placement = Placement.of(like, images, planes) if like is not None else Placement()
        self._begun = False
        self._photometric: dict[str, Any] = {"photometric": "minisblack"}
        if colours is not None:
            self._photometric = {"photometric": "palette", "colormap": colours.T.astype(np.uint16) * 257}
        self._writer = tifffile.TiffWriter(file, bigtiff=big)

    def add(self, page: NDArray[Any], name: str) -> None:
        """Writes a page, ``(rows, columns)``; letters of the name beyond ASCII become question marks."""
        described = self._description
        if not self._begun:
            described, self._begun = self._placement.description(described, page), True
        tags = [(_PAGE_NAME, "s", 0, name.encode("ascii", "replace").decode(), True)]
        self._writer.write(
            np.ascontiguousarray(page),
            **self._photometric,
            **self._placement.resolution(),
            compression="zlib",
            description=described,
            metadata=None,
            software=SOFTWARE,
            extratags=[*tags, *self._placement.tags(no_data=page.dtype == np.uint8)],
        )

    def __enter__(self) -> TiffPages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()
