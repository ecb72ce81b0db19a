"""What the values of an image mean to a classifier that learnt from images of another type or range.

Features are fractions of the range of the image's type, of floats the values themselves. So 12 bits of a camera, which
come as uint16, look dark to a classifier of uint8 images, and so do the values of its own images stored as uint16.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from segmentation.features.spec import FeatureSpec
from segmentation.io.image import KEPT_TYPES, Image
from segmentation.io.standardise import is_standardised, standardised

LARGEST_RATIO = 8.0
"""So many times more or less than the range that was learnt from is taken for another scale, not for another scene."""


def adapted(image: Image, training: Mapping[str, Any], spec: FeatureSpec) -> Image:
    """The image standardised if the features are those of such images; else in the type of the training images, if it
    holds the same values in another type.

    It does, if all its values exist in that type, and their range is nearer to what was learnt from as numbers than as
    fractions of the ranges of the types.

    Args:
        image: the whole image, since its range decides.
        training: the facts about what was learnt from, as ``training_`` of a classifier.
        spec: which features.

    Returns:
        The image itself, one whose pixels are equal numbers in another type, or a standardised one.
    """
    if spec.standardise:
        return standardised(image)
    if spec.looks_around:  # all planes would have to be known to say what their values are
        return image
    if _is_learnt(image.pixels.dtype, _learnt_ranges(training)):
        return image
    given = _value_range(image)
    name = type_taken(image.pixels.dtype, given, training)
    taken = in_type(image, name)
    if taken is None or taken is image:
        return image
    ends = [np.dtype(name).type(end).item() for end in given]
    return replace(taken, metadata=taken.metadata | {"value_range": ends})


def type_taken(dtype: np.dtype[Any], ends: tuple[float, float], training: Mapping[str, Any]) -> str:
    """The type in which values of a range are taken, as :func:`adapted` describes; their own, if there is no other.

    Args:
        dtype: the type of the image.
        ends: smallest and largest value of the whole image.
        training: the facts about what was learnt from.
    """
    ranges = _learnt_ranges(training)
    if _is_learnt(dtype, ranges):
        return dtype.name
    (name, learnt), *_ = ranges.items()
    as_fractions = _mismatch(_fractions(ends, dtype), _fractions(learnt, np.dtype(name)))
    nearer = _mismatch(ends, learnt) < as_fractions and _holds(np.dtype(name), ends)
    return name if nearer else dtype.name


def _is_learnt(dtype: np.dtype[Any], ranges: Mapping[str, Any]) -> bool:
    """Whether values of a type are taken as they are, whatever they are."""
    return len(ranges) != 1 or dtype == np.dtype(next(iter(ranges)))


def in_type(image: Image, name: str) -> Image | None:
    """An image, or a part of one, in a type; None if that type does not hold its values."""
    if image.pixels.dtype.name == name:
        return image
    pixels = image.pixels.astype(name)
    if not np.array_equal(pixels, image.pixels):
        return None
    return replace(image, pixels=pixels, metadata=image.metadata | {"dtype": name})


def nearest_in_type(image: Image, name: str) -> Image:
    """A part of an image in the type in which all of it is taken.

    Where a sample told that type, a part may hold values that the type does not have: the nearest stand for them, so
    that no part is taken in another type than those beside it.
    """
    exact = in_type(image, name)
    if exact is not None:
        return exact
    dtype, pixels = np.dtype(name), image.pixels.astype(np.float64)
    if dtype.kind in "iu":
        pixels = np.clip(np.rint(pixels), np.iinfo(dtype).min, np.iinfo(dtype).max)
    return replace(image, pixels=pixels.astype(dtype), metadata=image.metadata | {"dtype": name})


class CalmNote(str):
    """A sentence that warns of nothing."""


def adaptation_note(given: str, learnt: str) -> CalmNote | None:
    """A sentence, if an image of the one type is taken in the other."""
    if given == learnt:
        return None
    return CalmNote(
        f"This {given} image is taken as {learnt}, which the classifier learnt from: the numbers are the same."
    )


def value_notes(image: Image, taken: Image, training: Mapping[str, Any]) -> list[str]:
    """The sentences on how the values of a whole image are taken.

    Args:
        image: as it was read.
        taken: as :func:`adapted` returns it.
        training: the facts about what was learnt from.
    """
    if is_standardised(taken):
        return []
    notes = adaptation_note(image.pixels.dtype.name, taken.pixels.dtype.name), scale_note(taken, training)
    return [note for note in notes if note]


def classes_note(pixels: Mapping[str, int], names: Mapping[int, str], known: int) -> str | None:
    """A sentence, if a whole segmentation is of a single class, or of none, as where there is no data.

    Args:
        pixels: number of pixels of each class, by class id as text.
        names: of the classes, by id.
        known: number of classes that the classifier knows.
    """
    found = [class_id for class_id, count in pixels.items() if count]
    if not found:
        return "No pixel has a class: the image holds no data."
    if len(found) != 1 or known < 2:
        return None
    return f"The result is all one class, {names[int(found[0])]}, of {known} that are known."


def scale_note(image: Image, training: Mapping[str, Any]) -> str | None:
    """A sentence, if the values of an image are on another scale than those that were learnt from.

    Args:
        image: as :func:`adapted` returns it.
        training: the facts about what was learnt from.

    Returns:
        The sentence, equal for images of the same type; None if the range is about that of a training image.
    """
    return None if is_standardised(image) else range_note(image.pixels.dtype, _value_range(image), training)


def range_note(dtype: np.dtype[Any], ends: tuple[float, float], training: Mapping[str, Any]) -> str | None:
    """The sentence of :func:`scale_note`, of values of a type between two ends."""
    ranges = _learnt_ranges(training)
    if not ranges:
        return None
    fractions = [_fractions(learnt, np.dtype(name)) for name, learnt in ranges.items()]
    learnt = min(low for low, _ in fractions), max(high for _, high in fractions)
    low, high = _fractions(ends, dtype)
    apart = low > learnt[1] or high < learnt[0]
    if not apart and _mismatch((low, high), learnt) <= LARGEST_RATIO:
        return None
    images = " and ".join(f"{name} images with values from {low:g} to {high:g}" for name, (low, high) in ranges.items())
    return f"The classifier learnt from {images}; the values of this {dtype.name} image are on another scale."


def type_known(training: Mapping[str, Any]) -> bool:
    """Whether the types and ranges of the training images are known, so that values can be compared with them."""
    return bool(_learnt_ranges(training))


def _learnt_ranges(training: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """The smallest and the largest value of the training images of each type; nothing, if they are not all known."""
    ranges: dict[str, tuple[float, float]] = {}
    for one in training.get("images", ()):
        if one.get("dtype") not in KEPT_TYPES or len(one.get("value_range", ())) != 2:
            return {}
        low, high = one["value_range"]
        known = ranges.get(one["dtype"], (low, high))
        ranges[one["dtype"]] = min(low, known[0]), max(high, known[1])
    return ranges


def _value_range(image: Image) -> tuple[float, float]:
    low, high = image.metadata["value_range"]
    return low, high


def _fractions(ends: tuple[float, float], dtype: np.dtype[Any]) -> tuple[float, float]:
    """A range of values as features have it."""
    largest = np.iinfo(dtype).max if dtype.kind in "iu" else 1
    return ends[0] / largest, ends[1] / largest


def _holds(dtype: np.dtype[Any], ends: tuple[float, float]) -> bool:
    """Whether a type reaches as far as these ends."""
    limits = np.iinfo(dtype) if dtype.kind in "iu" else np.finfo(dtype)
    return bool(limits.min <= ends[0] and ends[1] <= limits.max)


def _mismatch(one: tuple[float, float], other: tuple[float, float]) -> float:
    """How many times farther from 0 the farther of two ranges reaches; 1 if either is nothing but 0."""
    reaches = sorted(max(-low, high) for low, high in (one, other))
    return reaches[1] / reaches[0] if reaches[0] > 0 else 1.0
