"""A report of images and what was found in them: one HTML file, in which nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from segmentation._shared.text import counted
from segmentation.assessment.dissent import interval
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize
from segmentation.io.shares import class_shares
from segmentation.io.stacks import image_in_words
from segmentation.model.modelfile import ModelContents
from segmentation.objects.labelling import TooManyObjects
from segmentation.objects.measured import MeasuredObjects, area_column, find_objects
from segmentation.objects.measuring import Table
from segmentation.report.figures import histogram, pictures, scale_bar, short
from segmentation.report.methods import citations, methods_paragraph, step_sentence
from segmentation.report.settings import features_in_words, forest_in_words
from segmentation.strokes.classes import LabelClass
from segmentation.version import __version__


@dataclass(frozen=True)
class ClassFound:
    """What was found of a class in an image.

    Attributes:
        label_class: the class.
        pixels: its pixels.
        percent: of the pixels with a class.
        interval: between what that lies, with a confidence of about 95 %; None if it is not known.
        objects: how many; None if they could not be counted.
        bounds: between what their number lies; None if it is not known.
        mean, median: of their areas, in ``unit``; None if there are none.
        unit: such as ``"px²"`` or ``"µm²"``.
        histogram: of their areas, as SVG.
    """

    label_class: LabelClass
    pixels: int
    percent: float
    interval: tuple[float, float] | None
    objects: int | None
    bounds: tuple[int, int] | None
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
        trust: how far all that can be trusted, from 0 to 1; None if it is not known.
        scale: width of a scale bar in percent, and its length; None if the size of pixels is not known.
        classes: what was found.
        notes: sentences on why that may not be what was meant.
        pixel_size: how large a pixel is; None if it is not known.
    """

    name: str
    facts: tuple[str, ...]
    picture: str
    overlay: str
    scale: tuple[float, str] | None
    classes: tuple[ClassFound, ...]
    notes: tuple[str, ...]
    trust: float | None = None
    pixel_size: PixelSize | None = None


@dataclass(frozen=True)
class Sureness:
    """How sure it is what was found in an image.

    Attributes:
        margins: by class id, how far its share may be off to either side, from 0 to 1.
        bounds: by class id, between what the number of its objects lies.
        trust: how far all can be trusted, from 0 to 1; None if it is not known.
    """

    margins: Mapping[int, float] = field(default_factory=dict)
    bounds: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    trust: float | None = None

    @classmethod
    def of_page(cls, page: Mapping[str, Any]) -> Sureness:
        """As the outcome for an image of a series, in plain JSON values, tells it."""
        trust, objects = page.get("trust") or {}, (page.get("objects") or {}).get("classes", {})
        margins = {int(one): margin for one, margin in trust.get("margins", {}).items()}
        bounds = {int(one): (of["low"], of["high"]) for one, of in objects.items() if of["low"] is not None}
        return cls(margins, bounds, trust.get("trust"))


def image_found(
    image: Image,
    segmentation: NDArray[np.uint8],
    contents: ModelContents,
    *,
    with_pictures: bool = True,
    notes: Sequence[str] = (),
    sure: Sureness | None = None,
) -> ImageFound:
    """What a report says of an image.

    Args:
        image: it.
        segmentation: ``(rows, columns)`` uint8, cleaned up.
        contents: of the classifier.
        with_pictures: whether it shows the image.
        notes: sentences on why the result may not be what was meant.
        sure: how sure it is.
    """
    told = list(notes)
    if image.region is not None:
        told.append(_only_within(image.region))
    try:
        found: MeasuredObjects | None = find_objects(segmentation, contents.classes, image, steps=contents.clean_up)
    except TooManyObjects as error:
        found = None
        told.append(str(error))
    size = image.pixel_size
    facts = [
        size_in_words(*image.shape, size),
        f"{counted(image.channels, 'channel')}{_channel_names(image)}, {image.pixels.dtype.name}",
        f"SHA-256 of type, shape and pixels: {image.hash}",
    ]
    picture, overlay = "", ""
    if with_pictures:
        picture, overlay = pictures(image, segmentation, {one.id: one.colour for one in contents.classes})
    about = image.metadata
    name = image_in_words(about.get("name", "image"), about.get("page", 1), about.get("pages", 1), image.place)
    pixels = {one.id: one.pixels for one in class_shares(segmentation, [one.id for one in contents.classes])}
    sure = sure or Sureness()
    classes = classes_found(contents.classes, pixels, found.table if found else None, sure)
    bar = scale_bar(image.shape[1], size)
    return ImageFound(name, tuple(facts), picture, overlay, bar, classes, tuple(told), sure.trust, size)


def size_in_words(rows: int, columns: int, size: PixelSize | None) -> str:
    """How large an image is, such as ``"1,024 x 512 pixels of 0.5 µm"``."""
    return f"{columns:,} x {rows:,} pixels" + (f" of {size.describe()}" if size else "")


def _only_within(region: NDArray[np.bool_]) -> str:
    inside = int(np.count_nonzero(region))
    share = f"{100 * inside / region.size:.1f} %"
    return f"Only what is outlined was segmented and counted: {inside:,} of {region.size:,} pixels ({share})."


def _channel_names(image: Image) -> str:
    """What the file calls the channels; empty if it does not name them."""
    return f" ({', '.join(image.channel_names)})" if any(image.metadata.get("channel_names", ())) else ""


def classes_found(
    classes: Sequence[LabelClass], pixels: Mapping[int, int], table: Table | None, sure: Sureness
) -> tuple[ClassFound, ...]:
    """What was found of each class.

    Args:
        classes: the classes.
        pixels: of each, by its id.
        table: of the objects; None if they could not be counted.
        sure: how sure that is.
    """
    whole = max(1, sum(pixels.values()))
    found = []
    for one in classes:
        share, margin = pixels.get(one.id, 0) / whole, sure.margins.get(one.id)
        low, high = interval(share, margin or 0.0)
        facts: dict[str, Any] = {"objects": None, "mean": None, "median": None, "unit": "px²", "histogram": Markup()}
        if table is not None:
            facts = _sizes(table, one)
        ends = None if margin is None else (100 * low, 100 * high)
        bounds = sure.bounds.get(one.id)
        found.append(ClassFound(one, pixels.get(one.id, 0), 100 * share, ends, bounds=bounds, **facts))
    return tuple(found)


def _sizes(table: Table, label_class: LabelClass) -> dict[str, Any]:
    """How many objects of a class there are, and how large."""
    column, unit = area_column(table)
    areas = table[column][table["class_id"] == label_class.id]
    mean, median = (float(areas.mean()), float(np.median(areas))) if len(areas) else (None, None)
    drawn = Markup(histogram(areas, label_class.colour, unit))
    return {"objects": len(areas), "mean": mean, "median": median, "unit": unit, "histogram": drawn}


def report_html(
    contents: ModelContents,
    classifier_hash: str,
    images: Sequence[ImageFound],
    scores: str = "",
    failed: Sequence[tuple[str, str]] = (),
) -> str:
    """A report.

    Args:
        contents: of the classifier.
        classifier_hash: SHA-256 of its file.
        images: what was found.
        scores: a sentence on how good the classifier is, if that is known.
        failed: the names of files that could not be segmented, or not all of whose images could be, and why.

    Returns:
        An HTML document; the same arguments give the same text.
    """
    sizes = {one.pixel_size for one in images if one.classes}
    size = sizes.pop() if len(sizes) == 1 else None
    facts: dict[str, Any] = {
        "contents": contents,
        "classifier_hash": classifier_hash,
        "images": images,
        "failed": failed,
        "methods": methods_paragraph(contents, size),
        "citations": citations(contents),
        "version": __version__,
        "scores": scores,
        "training": contents.training,
        "forest": forest_in_words(contents.settings),
        "features": features_in_words(contents, size),
        "clean_up": "; then ".join(step_sentence(step, contents.classes) for step in contents.clean_up) or "none",
    }
    return _template().render(facts)


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["short"] = short
    return environment.from_string((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
