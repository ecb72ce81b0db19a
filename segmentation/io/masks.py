"""Labels and true classes from image files, whose pixels are class ids."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared import checks
from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.io.placement import own_description
from segmentation.io.read import read_pages
from segmentation.io.tiffwriter import SOFTWARE
from segmentation.strokes.classes import LabelClass, classes_from_json

MAP_HINT = "say what the values stand for, such as --map 0=2,255=1 (0 as a class: not known)"


def read_masks(path: Path, values: Mapping[int, int] | None = None) -> Generator[Image, None, None]:
    """Read class ids from a PNG, TIFF or BMP with one channel; of a file with a palette the indices are taken.

    Args:
        path: of the file.
        values: the class id that each value of the file stands for; None takes the values as they are.

    Yields:
        Each mask of the file as an image whose pixels are ``(rows, columns)`` uint8 class ids, 0 where there is none.

    Raises:
        ImageError: if the file cannot be read, has colours or is a JPEG, or has values that are no class ids.
    """
    with closing(read_pages(path, labels=True)) as masks:
        for mask in masks:
            if isinstance(mask, ImageError):
                raise ImageError(f"{path.name}: {mask}")
            yield replace(mask, pixels=mask.clear(_class_ids(mask.pixels, values, path.name)), no_data=None)


def _class_ids(pixels: NDArray[Any], values: Mapping[int, int] | None, name: str) -> NDArray[np.uint8]:
    if pixels.ndim != 2:
        raise ImageError(
            f"{name} has colours, but labels and masks hold the number of a class at each pixel: "
            "save them with one channel."
        )
    if values is not None:
        unknown = set(np.unique(pixels).tolist()) - set(values)
        if unknown:
            raise ImageError(f"{name} holds the value {min(unknown)}, and no class is named for it.")
        mapped = np.zeros(pixels.shape, np.uint8)
        for value, class_id in values.items():
            mapped[pixels == value] = class_id
        return mapped
    if pixels.min() < 0 or pixels.max() > 255 or (pixels.dtype.kind == "f" and (pixels % 1).any()):
        raise ImageError(f"{name} has values that are no class ids, which are whole numbers from 0 to 255: {MAP_HINT}.")
    return pixels.astype(np.uint8)


def is_black_and_white(labels: NDArray[np.uint8]) -> bool:
    """Whether labels hold nothing but 0 and 255, which programs write for no and yes, and rarely mean a class 255."""
    return bool((labels == 255).any() and ((labels == 255) | (labels == 0)).all())


def named_classes(path: Path) -> tuple[LabelClass, ...]:
    """The classes that a TIFF of class ids names in its description, as Squiggle writes it; none of any other file.

    Args:
        path: of a file that :func:`read_masks` reads.
    """
    import tifffile

    try:
        with tifffile.TiffFile(path) as tiff:
            page = tiff.pages.first
            described = own_description(page.description) if page.software == SOFTWARE else ""
            colours = np.zeros((3, 256), np.uint16) if page.colormap is None else page.colormap
        facts = checks.parse_json(described, "The description")
        given = facts["classes"] if isinstance(facts, Mapping) else ()
        return classes_from_json(
            [one | {"colour": f"#{bytes((colours[:, one['id']] >> 8).tolist()).hex()}"} for one in given]
        )
    except (ValueError, LookupError, TypeError):  # no TIFF, or what others wrote there
        return ()
