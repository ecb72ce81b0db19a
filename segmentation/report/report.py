"""A report of images and what was found in them: one HTML file, in which nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.io.shares import class_shares
from segmentation.model.modelfile import ModelContents
from segmentation.objects.labelling import TooManyObjects
from segmentation.objects.measured import UNIT_MARK, MeasuredObjects, find_objects
from segmentation.report.figures import histogram, pictures, scale_bar
from segmentation.report.methods import citations, methods_paragraph
from segmentation.strokes.classes import LabelClass
from segmentation.version import __version__


@dataclass(frozen=True)
class ClassFound:
    """What was found of a class in an image.

    Attributes:
        label_class: the class.
        pixels: its pixels.
        percent: of the pixels with a class.
        objects: how many; None if they could not be counted.
        mean, median: of their areas, in ``unit``; None if there are none.
        unit: such as ``"px"`` or ``"µm²"``.
        histogram: of their areas, as SVG.
    """

    label_class: LabelClass
    pixels: int
    percent: float
    objects: int | None
    mean: float | None
    median: float | None
    unit: str
    histogram: Markup


@dataclass(frozen=True)
class ImageFound:
    """What a report says of an image.

    Attributes:
        name: of its file, and which of several images it is.
        facts: on its size, type and content, for people.
        picture, overlay: addresses that hold the pictures themselves; empty if they are left out.
        scale: width of a scale bar in percent, and its length; None if the size of pixels is not known.
        classes: what was found.
        notes: sentences on why that may not be what was meant.
    """

    name: str
    facts: tuple[str, ...]
    picture: str
    overlay: str
    scale: tuple[float, str] | None
    classes: tuple[ClassFound, ...]
    notes: tuple[str, ...]


def image_found(
    image: Image,
    segmentation: NDArray[np.uint8],
    contents: ModelContents,
    *,
    with_pictures: bool = True,
    notes: Sequence[str] = (),
) -> ImageFound:
    """What a report says of an image.

    Args:
        image: it.
        segmentation: ``(rows, columns)`` uint8, cleaned up.
        contents: of the classifier.
        with_pictures: whether it shows the image.
        notes: sentences on why the result may not be what was meant.
    """
    told = list(notes)
    try:
        found: MeasuredObjects | None = find_objects(segmentation, contents.classes, image, steps=contents.clean_up)
    except TooManyObjects as error:
        found = None
        told.append(str(error))
    shares = class_shares(segmentation, [one.id for one in contents.classes])
    page, pages = image.metadata.get("page", 1), image.metadata.get("pages", 1)
    size = image.pixel_size
    facts = [
        f"{image.shape[1]} x {image.shape[0]} pixels" + (f" of {size.describe()}" if size else ""),
        f"{image.channels} channel{'s' if image.channels > 1 else ''}, {image.pixels.dtype.name}",
        f"SHA-256 of type, shape and pixels: {image.hash}",
    ]
    picture, overlay = "", ""
    if with_pictures:
        picture, overlay = pictures(image, segmentation, {one.id: one.colour for one in contents.classes})
    name = image.metadata.get("name", "image") + (f", image {page} of {pages}" if pages > 1 else "")
    classes = tuple(
        _class_found(one, share.pixels, 100 * share.share, found)
        for one, share in zip(contents.classes, shares, strict=True)
    )
    return ImageFound(name, tuple(facts), picture, overlay, scale_bar(image.shape[1], size), classes, tuple(told))


def _class_found(label_class: LabelClass, pixels: int, percent: float, found: MeasuredObjects | None) -> ClassFound:
    if found is None:
        return ClassFound(label_class, pixels, percent, None, None, None, "px", Markup())
    in_unit = [name for name in found.table if name.startswith(f"area{UNIT_MARK}")]
    column = in_unit[0] if in_unit else "area"
    unit = column.rpartition(UNIT_MARK)[2].removesuffix("2") + "²" if in_unit else "px"
    areas = found.table[column][found.table["class_id"] == label_class.id]
    drawn = Markup(histogram(areas, label_class.colour, unit))
    mean, median = (float(areas.mean()), float(np.median(areas))) if len(areas) else (None, None)
    return ClassFound(label_class, pixels, percent, len(areas), mean, median, unit, drawn)


def report_html(contents: ModelContents, classifier_hash: str, images: Sequence[ImageFound]) -> str:
    """A report.

    Args:
        contents: of the classifier.
        classifier_hash: SHA-256 of its file.
        images: what was found.

    Returns:
        An HTML document; the same arguments give the same text.
    """
    facts: dict[str, Any] = {
        "contents": contents,
        "classifier_hash": classifier_hash,
        "images": images,
        "methods": methods_paragraph(contents),
        "citations": citations(contents),
        "version": __version__,
        "training": contents.training,
        "settings": contents.settings.to_json(),
        "features": contents.spec.to_json(),
    }
    return _template().render(facts)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
