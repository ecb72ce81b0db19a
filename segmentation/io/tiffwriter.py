"""TIFF files written page by page, so that a stack of any length needs the memory of one image."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_PAGE_NAME = 285


class TiffPages:
    """Pages of one channel, compressed by deflate, each with a name; the same pages always give the same bytes.

    Args:
        file: a seekable binary file.
        description: what the pages are, plain JSON values; the description of each page.
        big: use the 64-bit variant, which files of 4 GB and more need.
    """

    def __init__(self, file: BinaryIO, description: Mapping[str, Any], *, big: bool = False) -> None:
        import tifffile

        self._description = json.dumps(description)
        self._writer = tifffile.TiffWriter(file, bigtiff=big)

    def add(self, page: NDArray[Any], name: str) -> None:
        """Writes a page, ``(rows, columns)``; letters of the name beyond ASCII become question marks."""
        self._writer.write(
            np.ascontiguousarray(page),
            photometric="minisblack",
            compression="zlib",
            description=self._description,
            metadata=None,
            software="Squiggle",
            extratags=[(_PAGE_NAME, "s", 0, name.encode("ascii", "replace").decode(), True)],
        )

    def __enter__(self) -> TiffPages:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._writer.close()
