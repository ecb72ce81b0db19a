"""The report of a series: of each image that is finished, what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.io.limits import PageError
from segmentation.io.masks import read_masks
from segmentation.io.read import read_pages
from segmentation.model.modelfile import load_model
from segmentation.report.report import ImageFound, image_found, report_html
from segmentation.series.inputs import is_zarr
from segmentation.series.model import Model

MOST_PICTURES = 50
"""Images that are shown; of further ones there are numbers only, since a picture takes some 200 kB."""


def _pages(path: Path, ids_path: Path) -> Iterator[tuple[Image, NDArray[np.uint8]]]:
    """Each image of a file that could be segmented, and its class ids."""
    with closing(read_pages(path)) as images, closing(read_masks(ids_path)) as masks:
        for image, mask in zip(images, masks, strict=False):
            if not isinstance(image, PageError):
                yield image, mask.pixels


def series_report(model: Model, images: Iterable[tuple[Path, Path]], notes: Mapping[str, tuple[str, ...]]) -> str:
    """A report of a series as one HTML document.

    Args:
        model: what was applied.
        images: the path of each image, and that of its class ids.
        notes: on why results may not be what was meant, by the path of the image.

    Raises:
        ImageError: if an image or its class ids cannot be read any more.
    """
    found: list[ImageFound] = []
    contents = load_model(model.data)
    for path, ids_path in images:
        if is_zarr(path):
            where: tuple[str, ...] = (
                "It is a Zarr array: its results lie beside this report, but are not shown in it.",
            )
            found.append(ImageFound(path.name, (), "", "", None, (), where))
            continue
        for image, segmentation in _pages(path, ids_path):
            pictured = sum(bool(one.picture) for one in found) < MOST_PICTURES
            told = notes.get(str(path), ())
            found.append(image_found(image, segmentation, contents, with_pictures=pictured, notes=told))
    return report_html(contents, model.hash, found)
