"""Strokes as a JSON document: what the page exports and ``train`` reads; of one image, or of all of a session."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from segmentation._shared import checks
from segmentation.strokes.classes import REGION, UNLABELLED, LabelClass, classes_from_json, classes_to_json
from segmentation.strokes.stroke import MAX_STROKES, Stroke

FORMAT = "squiggle-strokes"
VERSION = 1
MAX_IMAGES = 10_000
"""Most images in one document."""

_HASH = re.compile(r"[\w.:-]{1,128}", re.ASCII)


@dataclass(frozen=True)
class Drawing:
    """The strokes on one image.

    Attributes:
        image_hash: of the content of the image.
        image_shape: its rows and columns.
        strokes: in the order of drawing.
        name: of the image; empty if it is not told.
        channels: of the image; None if they are not told.
        page: of a plane, which image it is of those in its file, from 1; None of a single image.
    """

    image_hash: str
    image_shape: tuple[int, int]
    strokes: tuple[Stroke, ...]
    name: str = ""
    channels: int | None = None
    page: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The drawing as plain JSON values."""
        image: dict[str, Any] = {
            "hash": self.image_hash,
            "rows": int(self.image_shape[0]),
            "columns": int(self.image_shape[1]),
        }
        image |= {"name": self.name} if self.name else {}
        image |= {} if self.channels is None else {"channels": self.channels}
        image |= {} if self.page is None else {"page": self.page}
        return {"image": image, "strokes": [stroke.to_json() for stroke in self.strokes]}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Drawing:
        """The drawing that :meth:`to_json` described.

        Raises:
            ValueError: if a value is missing, unknown or not possible.
        """
        image = checks.mapping(
            values["image"], "The image of the strokes file", ("hash", "rows", "columns"), ("name", "channels", "page")
        )
        if not isinstance(image["hash"], str) or not _HASH.fullmatch(image["hash"]):
            raise ValueError("The strokes file does not name its image by a hash.")
        rows, columns = (
            checks.whole_number(image[side], f"The image's {side}", 1, 2**31) for side in ("rows", "columns")
        )
        name = checks.text(image["name"], "The name of the image", 255) if "name" in image else ""
        channels = None
        if "channels" in image:
            channels = checks.whole_number(image["channels"], "The channels of the image", 1, 2**31)
        page = None
        if "page" in image:
            page = checks.whole_number(image["page"], "The page of the image", 1, 2**31)
        drawn = tuple(map(Stroke.from_json, checks.sequence(values["strokes"], "The strokes file", MAX_STROKES)))
        if len({stroke.id for stroke in drawn}) < len(drawn):
            raise ValueError("Two strokes of the strokes file have the same id.")
        return cls(image["hash"], (rows, columns), drawn, name, channels, page)


@dataclass(frozen=True)
class StrokesDocument:
    """Strokes as they are exported: those of one image, or of all images of a session.

    Attributes:
        drawings: the strokes on each image, in the session's order.
        classes: those of the strokes.
        settings: of features and forest, if they were exported along.
    """

    drawings: tuple[Drawing, ...]
    classes: tuple[LabelClass, ...]
    settings: dict[str, Any] = field(default_factory=dict)


def outlines_of(documents: Iterable[StrokesDocument]) -> dict[str, list[dict[str, Any]]]:
    """The outlines of where images are worked on, as plain JSON values, by the hash of their image."""
    outlines: dict[str, list[dict[str, Any]]] = {}
    for drawing in (one for document in documents for one in document.drawings):
        own = [stroke.to_json() for stroke in drawing.strokes if stroke.class_id == REGION]
        if own:
            outlines.setdefault(drawing.image_hash, []).extend(own)
    return outlines


def corrections_of(documents: Iterable[StrokesDocument]) -> dict[str, list[dict[str, Any]]]:
    """What was painted into results, as plain JSON values, by the hash of their image; class 0 takes away."""
    painted: dict[str, list[dict[str, Any]]] = {}
    for drawing in (one for document in documents for one in document.drawings):
        own = [stroke.to_json() for stroke in drawing.strokes if stroke.class_id != REGION]
        if own:
            painted.setdefault(drawing.image_hash, []).extend(own)
    return painted


def strokes_to_json(
    strokes: Iterable[Stroke],
    classes: Iterable[LabelClass],
    image_hash: str,
    image_shape: Sequence[int],
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document of the strokes on one image as plain JSON values, which :func:`strokes_from_json` reads.

    Args:
        strokes: in the order of drawing.
        classes: those of the strokes.
        image_hash: of the content of the image.
        image_shape: its rows and columns.
        settings: of features and forest, as plain JSON values, if they are to come along.
    """
    drawing = Drawing(image_hash, (image_shape[0], image_shape[1]), tuple(strokes))
    return drawings_to_json([drawing], classes, settings)


def drawings_to_json(
    drawings: Sequence[Drawing], classes: Iterable[LabelClass], settings: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The document of the strokes on several images as plain JSON values, which :func:`strokes_from_json` reads.

    Args:
        drawings: the strokes on each image, at least one. The classifier learns from the images in this order.
        classes: those of the strokes.
        settings: of features and forest, as plain JSON values, if they are to come along.
    """
    first, *others = (drawing.to_json() for drawing in drawings)
    document = {
        "format": FORMAT,
        "version": VERSION,
        "image": first["image"],
        "classes": classes_to_json(classes),
        "strokes": first["strokes"],
    }
    document |= {"others": others} if others else {}
    return document if settings is None else {**document, "settings": dict(settings)}


def strokes_from_json(document: object) -> StrokesDocument:
    """The strokes that :func:`strokes_to_json` or :func:`drawings_to_json` described.

    Args:
        document: the JSON text (bytes are UTF-8), or the values that it holds.

    Raises:
        ValueError: with a sentence, if it is none, is of a newer version, or a value is not possible.
    """
    if isinstance(document, str | bytes):
        document = checks.parse_json(document, "The strokes file")
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        raise ValueError("This is not a strokes file of Squiggle.")
    if document.get("version") != VERSION:
        raise ValueError("The strokes file was written by another version of Squiggle, which this one cannot read.")
    required = ("format", "version", "image", "classes", "strokes")
    checks.mapping(document, "The strokes file", required, ("others", "settings"))
    others = checks.sequence(document.get("others", ()), "The other images of the strokes file", MAX_IMAGES)
    for one in others:
        checks.mapping(one, "An image of the strokes file", ("image", "strokes"))
    drawings = tuple(map(Drawing.from_json, (document, *others)))
    if len({(drawing.image_hash, drawing.page) for drawing in drawings}) < len(drawings):
        raise ValueError("The strokes file names an image twice.")
    classes = classes_from_json(document["classes"])
    used = {stroke.class_id for drawing in drawings for stroke in drawing.strokes}
    missing = used - {UNLABELLED, REGION} - {label_class.id for label_class in classes}
    if missing:
        raise ValueError(f"A stroke is of class {min(missing)}, which the strokes file does not name.")
    settings = document.get("settings", {})
    if not isinstance(settings, Mapping):
        raise ValueError("The settings of the strokes file must be a JSON object.")
    return StrokesDocument(drawings, classes, dict(settings))
