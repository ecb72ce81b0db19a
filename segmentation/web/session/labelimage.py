"""Label images of any program: what their values are, what is asked about them, and the class ids that they become."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image

FEW_VALUES = 20
"""More values than that are numbers of objects, not of classes."""

ALL_OTHERS = "*"
"""Stands for all values above 0 of a label image that numbers its objects."""


@dataclass(frozen=True, eq=False)
class LabelImage:
    """A raster of whole numbers.

    Attributes:
        raster: ``(rows, columns)`` of an integer type.
        pixels: number of pixels by value, ascending.
        digest: a few letters that stand for its pixels.
    """

    raster: NDArray[Any]
    pixels: Mapping[int, int]
    digest: str

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.raster.shape[0], self.raster.shape[1]

    @property
    def numbers_objects(self) -> bool:
        """Whether its values are numbers of objects."""
        return len(self.pixels) - (0 in self.pixels) > FEW_VALUES or max(self.pixels) > 255

    @classmethod
    def from_image(cls, image: Image) -> LabelImage:
        """The labels in an image that was read as labels.

        Raises:
            ValueError: with a sentence, if it has colours, or values that are no numbers of anything.
        """
        if image.metadata.get("pages", 1) > 1:
            raise ValueError(f"It holds {image.metadata['pages']} images: bring the labels of one image at a time.")
        pixels = image.pixels
        if pixels.ndim != 2:
            raise ValueError(
                "It has colours, but a label image holds the number of a class at each pixel: save it with one channel "
                "or with a palette, or open it as an image."
            )
        if pixels.dtype.kind == "f":
            if (pixels % 1).any() or np.abs(pixels).max() > 2**31 - 1:
                raise ValueError("It has values that are no whole numbers: a label image holds numbers of classes.")
            pixels = pixels.astype(np.int64)
        if pixels.min() < 0:
            raise ValueError("It has negative values: a label image holds numbers of classes, from 0 on.")
        values, counts = np.unique(pixels, return_counts=True)
        return cls(pixels, dict(zip(values.tolist(), counts.tolist(), strict=True)), image.hash[:8])


def asked_values(labels: LabelImage, classes: Collection[int]) -> list[dict[str, Any]]:
    """What to ask about the values of a label image; nothing, if all are numbers of classes.

    Returns:
        For each value that is asked for its ``value`` as text, the number of its ``pixels``, and what is ``chosen`` as
        long as nobody chooses: the id of a class, 0 for nothing, or ``"new"``.
    """
    zero = [{"value": "0", "pixels": labels.pixels[0], "chosen": 0}] if 0 in labels.pixels else []
    others = {value: count for value, count in labels.pixels.items() if value}
    if labels.numbers_objects and not _are_classes(others, classes):
        return [*zero, {"value": ALL_OTHERS, "pixels": sum(others.values()), "chosen": min(classes, default="new")}]
    if _are_classes(others, classes):
        return []
    asked = [
        {"value": str(value), "pixels": count, "chosen": value if value in classes else "new"}
        for value, count in others.items()
    ]
    if len(asked) == 1 and asked[0]["chosen"] == "new":
        asked[0]["chosen"] = min(classes, default="new")
    return zero + asked


def _are_classes(values: Collection[int], classes: Collection[int]) -> bool:
    return all(value in classes for value in values)


def class_raster(
    labels: LabelImage, meanings: Mapping[str, int | str] | None, classes: Collection[int], add: Callable[[], int]
) -> NDArray[np.uint8]:
    """The class ids of a label image.

    Args:
        labels: it.
        meanings: what its values stand for, as :func:`asked_values` asks; None takes them for class ids.
        classes: the ids of the classes that there are.
        add: adds a class, and returns its id.

    Returns:
        ``(rows, columns)`` uint8, 0 where there is none.

    Raises:
        ValueError: with a sentence, if a value stands for nothing that is known.
    """
    given = dict(meanings or {})

    def meaning_of(key: str, otherwise: int) -> int:
        meaning = given.get(key, otherwise)
        if isinstance(meaning, str):
            return add()
        if meaning != 0 and meaning not in classes:
            raise ValueError(f"It holds the value {key}, and no class is named for it.")
        return meaning

    raster = np.zeros(labels.shape, np.uint8)
    if ALL_OTHERS in given:
        raster[labels.raster == 0] = meaning_of("0", 0)
        raster[labels.raster > 0] = meaning_of(ALL_OTHERS, 0)
        return raster
    for value in labels.pixels:
        raster[labels.raster == value] = meaning_of(str(value), value)
    return raster
