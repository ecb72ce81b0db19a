"""The report of a series: of each image that is finished, what was found in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.io.limits import PageError
from segmentation.io.masks import read_masks
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_pages
from segmentation.model.modelfile import load_model
from segmentation.report.report import ImageFound, Sureness, image_found, report_html
from segmentation.series.events import SeriesReport
from segmentation.series.inputs import goes_by_blocks, is_zarr
from segmentation.series.model import Model
from segmentation.series.objects import count_objects

MOST_PICTURES = 50
"""Images that are shown; of further ones there are numbers only, since a picture takes some 200 kB."""


def _pages(path: Path, ids_path: Path) -> Iterator[tuple[Image, NDArray[np.uint8]]]:
    """Each image of a file that could be segmented, and its class ids."""
    with closing(read_pages(path)) as images, closing(read_masks(ids_path)) as masks:
        for image, mask in zip(images, masks, strict=False):
            if not isinstance(image, PageError):
                yield image, mask.pixels


@dataclass(frozen=True)
class Finished:
    """An image of a series that is finished.

    Attributes:
        path: of the image.
        ids_path: of its class ids.
        pages: the outcome for each of its images, as :class:`Page` holds it, in plain JSON values.
    """

    path: Path
    ids_path: Path
    pages: Sequence[Mapping[str, Any]]


def series_report(model: Model, images: Iterable[Finished], went: SeriesReport) -> str:
    """A report of a series as one HTML document.

    Args:
        model: what was applied.
        images: what is finished.
        went: how the series went: what failed, and why results may not be what was meant.

    Raises:
        ImageError: if an image or its class ids cannot be read any more.
    """
    found: list[ImageFound] = []
    contents = load_model(model.data)
    for one in images:
        if goes_by_blocks(one.path):
            kind = "It is a Zarr array" if is_zarr(one.path) else "It is too large for memory"
            where: tuple[str, ...] = (f"{kind}: its results lie beside this report, but are not shown in it.",)
            found.append(ImageFound(one.path.name, (), "", "", None, (), where))
            continue
        told = went.notes.get(str(one.path), ())
        for read, segmentation in _pages(one.path, one.ids_path):
            page = one.pages[read.metadata["page"] - 1]
            size = PixelSize.from_json(page["pixel_size"]) if page.get("pixel_size") else None  # perhaps a typed one
            image = read.with_pixel_size(size)
            pictured = sum(bool(other.picture) for other in found) < MOST_PICTURES
            sure = _sureness(model, image, segmentation, page)
            found.append(image_found(image, segmentation, contents, with_pictures=pictured, notes=told, sure=sure))
    failed = [(Path(path).name, why) for path, why in went.failed.items()]
    return report_html(contents, model.hash, found, failed=failed)


def _sureness(model: Model, image: Image, segmentation: NDArray[np.uint8], page: Mapping[str, Any]) -> Sureness:
    """How sure the results of an image are; objects are counted again if that was not done with its segmentation."""
    if page.get("objects") is None:
        segmented = model.segment_whole(image, False, with_objects=True)._replace(class_ids=segmentation)
        page = {**page, "objects": count_objects(model.classifier, segmented)}
    return Sureness.of_page(page)
