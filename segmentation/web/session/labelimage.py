"""Label images of any program: their files, what is asked about their values, and the class ids that these become."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.io.limits import PassingError
from segmentation.strokes.classes import REGION, UNLABELLED
from segmentation.web.decoding.client import Decoder

FEW_VALUES = 20
"""More values than that are numbers of objects, not of classes."""

NAMES_OF_LABELS = re.compile("mask|label|annotation|segmentation", re.IGNORECASE)
LOSSY = ("JPEG", "WebP")

NAMES_OF_REGIONS = re.compile(r"(?<![a-z])(regions?|roi|only.?here)(?![a-z])", re.IGNORECASE)

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

    @classmethod
    def from_image(cls, image: Image) -> LabelImage:
        """The labels in an image that was read as labels.

        Raises:
            ValueError: with a sentence, if it has colours, or values that are no numbers of anything.
        """
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


class LabelFile:
    """A file of label images, each read when it is asked for.

    Args:
        decoder: reads strangers' images.
        file: open for reading, in binary.
        max_pixels: that a label image may have.

    Attributes:
        pages: how many label images it holds.

    Raises:
        ImageError: with a sentence, if the first cannot be read.
    """

    def __init__(self, decoder: Decoder, file: BinaryIO, max_pixels: int) -> None:
        self._decoder, self._file, self._max_pixels = decoder, file, max_pixels
        self._first = self._decoded(1)
        self.pages: int = self._first.metadata["pages"]

    def _decoded(self, page: int) -> Image:
        self._file.seek(0)
        return self._decoder.read_image(self._file, max_pixels=self._max_pixels, page=page, labels=True)

    def read(self, page: int, shape: tuple[int, int] | None = None) -> LabelImage:
        """A label image.

        Args:
            page: which one, from 1.
            shape: rows and columns that it is to have; None takes any.

        Raises:
            ImageError: with a sentence, if it cannot be read.
            ValueError: with a sentence, if it has colours, other values than labels have, or another shape.
        """
        image = self._first if page == 1 else self._decoded(page)
        try:
            labels = LabelImage.from_image(image)
        except ValueError as problem:
            if self.pages == 1:
                raise
            raise ValueError(f"Image {page} of {self.pages}: {problem}") from problem
        if shape is not None and labels.shape != shape:
            raise ValueError(f"Image {page} of {self.pages} has another size than the first: bring them one by one.")
        return labels


def looks_like_labels(image: Image, content: bytes, name: str, decoder: Decoder, max_pixels: int) -> bool:
    """Whether its name says so, or it has a few whole numbers, perhaps behind a palette; of a stack, amid it.

    Args:
        image: the first in the file, read as an image.
        content: of the file.
        name: of the file.
        decoder: reads it as labels.
        max_pixels: that it may have.

    Raises:
        PassingError: with a sentence, if that cannot be found out just now.
    """
    if image.channels not in (1, 3) or image.metadata["format"] in LOSSY:
        return False
    try:
        page = image.metadata["pages"] // 2 + 1
        labels = LabelImage.from_image(
            decoder.read_image(content, name=name, max_pixels=max_pixels, page=page, labels=True)
        )
    except PassingError:
        raise
    except ValueError:
        return False
    return 1 < len(labels.pixels) <= FEW_VALUES or bool(NAMES_OF_LABELS.search(name))


def numbers_objects(pixels: Mapping[int, int]) -> bool:
    """Whether values, each with its number of pixels, are numbers of objects."""
    return len(pixels) - (0 in pixels) > FEW_VALUES or max(pixels) > 255


def asked_values(pixels: Mapping[int, int], name: str, classes: Collection[int]) -> list[dict[str, Any]]:
    """What to ask about the values of label images; nothing, if all are numbers of classes.

    Args:
        pixels: number of pixels by value, ascending.
        name: of the file; one that speaks of a region may say where the image is worked on.
        classes: the ids of the classes that there are.

    Returns:
        For each value that is asked for its ``value`` as text, the number of its ``pixels``, and what is ``chosen`` as
        long as nobody chooses: the id of a class, 0 for nothing, ``"new"``, or 256 for "only here".
    """
    zero = [{"value": "0", "pixels": pixels[0], "chosen": 0}] if 0 in pixels else []
    others = {value: count for value, count in pixels.items() if value}
    first = REGION if NAMES_OF_REGIONS.search(name) else min(classes, default="new")
    if numbers_objects(pixels) and not _are_classes(others, classes):
        return [*zero, {"value": ALL_OTHERS, "pixels": sum(others.values()), "chosen": first}]
    if _are_classes(others, classes) and first != REGION:
        return []
    asked = [
        {"value": str(value), "pixels": count, "chosen": value if value in classes else "new"}
        for value, count in others.items()
    ]
    if len(asked) == 1 and (asked[0]["chosen"] == "new" or first == REGION):
        asked[0]["chosen"] = first
    return zero + asked


def _are_classes(values: Collection[int], classes: Collection[int]) -> bool:
    return all(value in classes for value in values)


class Meanings:
    """What the values of label images stand for, as somebody said; the same in each of a stack.

    Args:
        given: the meaning of each value, as :func:`asked_values` asks; None takes them for class ids.
        known: the ids that a value can stand for.
        add: adds a class, and returns its id.
    """

    def __init__(self, given: Mapping[str, int | str] | None, known: Collection[int], add: Callable[[], int]) -> None:
        self._given, self._known, self._add = given or {}, known, add
        self._new: dict[str, int] = {}

    def raster(self, labels: LabelImage) -> NDArray[np.int32]:
        """The class ids of a label image, ``(rows, columns)``, 0 where there is none.

        Raises:
            ValueError: with a sentence, if a value stands for nothing that is known.
        """
        raster = np.zeros(labels.shape, np.int32)
        if ALL_OTHERS in self._given:
            raster[labels.raster == 0] = self._meaning_of("0", 0)
            raster[labels.raster > 0] = self._meaning_of(ALL_OTHERS, 0)
            return raster
        for value in labels.pixels:
            raster[labels.raster == value] = self._meaning_of(str(value), value)
        return raster

    def _meaning_of(self, key: str, otherwise: int) -> int:
        meaning = self._given.get(key, otherwise)
        if isinstance(meaning, str):
            if key not in self._new:
                self._new[key] = self._add()
            return self._new[key]
        if meaning != UNLABELLED and meaning not in self._known:
            raise ValueError(f"It holds the value {key}, and no class is named for it.")
        return meaning
