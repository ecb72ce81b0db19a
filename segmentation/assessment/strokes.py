"""Which stroke each labelled pixel belongs to: the one that was painted over it last."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.model.labelled import LabelledImage
from segmentation.strokes.classes import REGION
from segmentation.strokes.raster import rasterise, stroke_bounds, stroke_pixels
from segmentation.strokes.stroke import Stroke

StrokeKey = tuple[str, str]
"""The hash of an image, and the id of a stroke on it."""


@dataclass(frozen=True, eq=False)
class DrawnImage:
    """An image with the strokes on it, read only when its pixels are needed.

    Attributes:
        hash: of its content.
        shape: its rows and columns.
        strokes: in the order of drawing.
        read: returns the image.
    """

    hash: str
    shape: tuple[int, int]
    strokes: tuple[Stroke, ...]
    read: Callable[[], Image]

    def labelled(self) -> LabelledImage:
        """The image with the labels that its strokes give."""
        return LabelledImage(self.hash, rasterise(self.strokes, self.shape), self.read)


def count_strokes(drawn: Sequence[DrawnImage]) -> int:
    """Number of strokes of classes."""
    return sum(stroke.has_class for image in drawn for stroke in image.strokes)


def first_strokes(drawn: Sequence[DrawnImage], count: int) -> tuple[DrawnImage, ...]:
    """The images with the first of all their strokes, image by image, each in the order of drawing.

    Args:
        drawn: images with strokes.
        count: strokes to keep; those of the eraser do not count, and go with the stroke before them, and outlines of
            where an image is worked on always hold.
    """
    left, some = count, []
    for image in drawn:
        kept: list[Stroke] = []
        for stroke in image.strokes:
            left -= stroke.has_class
            if left < 0:
                break
            kept.append(stroke)
        regions = [one for one in image.strokes[len(kept) :] if one.class_id == REGION]
        if kept:
            some.append(DrawnImage(image.hash, image.shape, (*kept, *regions), image.read))
        if left < 0:
            break
    return tuple(some)


def without_stroke(drawn: Sequence[DrawnImage], key: StrokeKey) -> tuple[DrawnImage, ...]:
    """The images with all their strokes but one; an image without any strokes is left out."""
    kept = [replace(one, strokes=tuple(s for s in one.strokes if (one.hash, s.id) != key)) for one in drawn]
    return tuple(one for one in kept if one.strokes)


def stroke_of_pixels(strokes: Sequence[Stroke], shape: tuple[int, int], places: NDArray[np.int64]) -> NDArray[np.int64]:
    """The stroke that each labelled pixel belongs to.

    Args:
        strokes: on an image, in the order of drawing.
        shape: rows and columns of the image.
        places: raster indices of labelled pixels, ascending.

    Returns:
        ``(places,)`` int64, the position among the strokes of the last one that labels the pixel; -1 where none does.
    """
    owners = np.full(len(places), -1, np.int64)
    for number, stroke in enumerate(strokes):
        bounds = stroke_bounds(stroke, shape)
        if bounds is None or stroke.class_id == REGION:
            continue
        first, last = np.searchsorted(places, [bounds[0] * shape[1], bounds[1] * shape[1]])
        rows, columns = stroke_pixels(stroke, shape)
        own = owners[first:last]
        own[np.isin(places[first:last], rows * shape[1] + columns, assume_unique=True)] = number
    return owners
