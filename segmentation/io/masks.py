"""Labels and true classes from image files, whose pixels are class ids."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.io.formats import ImageError
from segmentation.io.read import read_image

_PNG_PALETTE = b"\x03"
_PNG_COLOUR_TYPE = 25
_TIFF_PALETTE = 3


def read_mask(path: Path, values: Mapping[int, int] | None = None) -> NDArray[np.uint8]:
    """Read class ids from a PNG, TIFF or BMP with one channel; of a file with a palette the indices are taken.

    Args:
        path: of the file.
        values: the class id that each value of the file stands for; None takes the values as they are.

    Returns:
        ``(rows, columns)`` uint8, 0 where there is no class.

    Raises:
        ImageError: if the file cannot be read, has colours, or has values that are no class ids.
    """
    image = read_image(path)  # checks the file, also one whose palette is taken for colours here
    pixels = _palette_indices(path)
    if pixels is None:
        pixels = image.pixels
    if pixels.ndim != 2 or pixels.shape != image.shape:
        raise ImageError(
            f"{path.name} has colours, but labels and masks hold the number of a class at each pixel: "
            "save them with one channel."
        )
    if values is not None:
        unknown = set(np.unique(pixels).tolist()) - set(values)
        if unknown:
            raise ImageError(f"{path.name} holds the value {min(unknown)}, and no class is named for it.")
        mapped = np.zeros(pixels.shape, np.uint8)
        for value, class_id in values.items():
            mapped[pixels == value] = class_id
        return mapped
    if pixels.min() < 0 or pixels.max() > 255 or (pixels.dtype.kind == "f" and (pixels % 1).any()):
        raise ImageError(f"{path.name} has values that are no class ids, which are whole numbers from 0 to 255.")
    return pixels.astype(np.uint8)


def _palette_indices(path: Path) -> NDArray[np.uint8] | None:
    """The pixels of a file with a palette that was checked, None of one without."""
    with path.open("rb") as file:
        head = file.read(_PNG_COLOUR_TYPE + 1)
    if head.startswith(b"\x89PNG"):
        if head[_PNG_COLOUR_TYPE:] != _PNG_PALETTE:
            return None
        from PIL.PngImagePlugin import PngImageFile

        with PngImageFile(path) as png:
            return np.asarray(png)
    if head[:2] in (b"II", b"MM"):
        import tifffile

        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            if page.photometric == _TIFF_PALETTE:
                return np.asarray(page.asarray())
    return None
