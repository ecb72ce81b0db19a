"""What people drew on images of a series: outlines of where to work, and corrections of what is found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.strokes.document import StrokesDocument, corrections_of, outlines_of
from segmentation.strokes.raster import rasterise, region_of
from segmentation.strokes.stroke import Stroke

OUTLINES, CORRECTIONS = "outlines", "corrections"
"""What the key of a job calls them; each holds strokes, as plain JSON values, by the hash of their image."""


def drawn_on(
    strokes: Iterable[StrokesDocument], corrections: Iterable[StrokesDocument], class_ids: Collection[int]
) -> dict[str, Any]:
    """What the key of a job holds of what was drawn; empty if there is nothing.

    Args:
        strokes: of which the outlines of where to work count.
        corrections: what was painted into results.
        class_ids: those of the classifier.

    Raises:
        ValueError: if something is painted in a class that the classifier does not have.
    """
    painted = corrections_of(corrections)
    used = {stroke["class_id"] for some in painted.values() for stroke in some}
    if strange := used - {0, *class_ids}:
        raise ValueError(f"Corrections are of class {min(strange)}, which the classifier does not have.")
    drawn = {OUTLINES: outlines_of(strokes), CORRECTIONS: painted}
    return {name: by_image for name, by_image in drawn.items() if by_image}


def on_images(key: Mapping[str, Any], hashes: Collection[str]) -> dict[str, Any]:
    """The key of a job with what was drawn on some images only, by their hashes: on no others do results depend."""
    restricted = dict(key)
    for name in (OUTLINES, CORRECTIONS):
        if own := {one: strokes for one, strokes in key.get(name, {}).items() if one in hashes}:
            restricted[name] = own
        else:
            restricted.pop(name, None)
    return restricted


def outlined(image: Image, key: Mapping[str, Any]) -> Image:
    """The image, worked on where it was outlined."""
    return image.within(region_of(_strokes_on(image, key, OUTLINES), image.shape))


def painted_on(image: Image, key: Mapping[str, Any]) -> NDArray[np.uint8] | None:
    """What was painted into the result of an image, ``(rows, columns)`` uint8, 0 for nothing; None for nothing at all.

    It is what the page has painted there, to the byte.
    """
    strokes = _strokes_on(image, key, CORRECTIONS)
    return rasterise(strokes, image.shape) if strokes else None


def _strokes_on(image: Image, key: Mapping[str, Any], name: str) -> list[Stroke]:
    by_image = key.get(name, {})
    known = [one for one in image.hashes if one in by_image] if by_image else []
    return [Stroke.from_json(one) for image_hash in known for one in by_image[image_hash]]
