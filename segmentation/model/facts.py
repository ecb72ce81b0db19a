"""Checks of images and labels, and facts about them as plain JSON values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation.features.constants import (
    ColourConstants,
    Ends,
    as_feature,
    channel_ends,
    grid_median,
    grid_step,
    standardised_constants,
)
from segmentation.features.pointwise import lacks_constants
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image, image_from_pixels
from segmentation.model.channels import named_channels
from segmentation.strokes.classes import DEFAULT_COLOURS, LabelClass
from segmentation.strokes.stroke import Stroke


def numbered_classes(class_ids: Iterable[int]) -> tuple[LabelClass, ...]:
    """Names and colours for classes that have none yet."""
    return tuple(
        LabelClass(class_id, f"Class {class_id}", DEFAULT_COLOURS[class_id - 1]) for class_id in map(int, class_ids)
    )


def image_facts(image: Image) -> dict[str, Any]:
    """Facts about a training image that a classifier file records, as plain JSON values."""
    facts = {
        "hash": image.hash,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "channels": image.channels,
        "dtype": image.pixels.dtype.name,
        "value_range": image.metadata["value_range"],
        "median": grid_median(image.pixels),
    }
    if (names := named_channels(image)) is not None:
        facts["channel_names"] = list(names)
    if image.metadata.get("pages", 1) > 1:
        facts["page"] = image.metadata["page"]
    if image.no_data is not None:
        facts["no_data"] = int(np.count_nonzero(image.no_data))
    return facts


def grid_values(image: Image, channels: Sequence[int], first: tuple[int, int], step: int) -> list[NDArray[Any]]:
    """The values of some channels of an image at the pixels of a grid, of those that hold data."""
    rows, columns = (slice(start, None, step) for start in first)
    pixels, missing = image.stacked[rows, columns], image.no_data
    held = slice(None) if missing is None else ~missing[rows, columns].ravel()
    return [pixels[..., channel].ravel()[held] for channel in channels]


def image_ends(image: Image, channels: Sequence[int]) -> Ends:
    """What is dark and what bright in some channels of an image, as far as the pixels of a grid over it tell."""
    return channel_ends(grid_values(image, channels, (0, 0), grid_step(image.shape)))


def facts_with_strokes(
    training: Mapping[str, Any], strokes: Mapping[str, Sequence[Stroke]] | None
) -> tuple[dict[str, Any], tuple[Stroke, ...] | None]:
    """The facts about a training that count the strokes on each image, and these, image after image.

    Args:
        training: the facts.
        strokes: by the hash of the image that they were drawn on; None counts none.

    Raises:
        ValueError: if strokes were drawn on another image.
    """
    if strokes is None:
        return dict(training), None
    images = [dict(one) for one in training.get("images", ())]
    left = {image_hash: tuple(some) for image_hash, some in strokes.items() if some}
    of_each = [left.pop(one["hash"], ()) for one in images]
    if left:
        raise ValueError("Strokes were drawn on an image that was not learnt from.")
    for one, some in zip(images, of_each, strict=True):
        one["strokes"] = len(some)
    return {**training, "images": images}, tuple(stroke for some in of_each for stroke in some)


def values_of_image(facts: Mapping[str, Any]) -> tuple[float, float]:
    """The smallest value and the median of a training image, as features have them, by the facts about it."""
    dtype = np.dtype(facts["dtype"])
    return as_feature(facts["value_range"][0], dtype), as_feature(facts["median"], dtype)


def with_learnt_constants(
    spec: FeatureSpec,
    channels: int,
    values: Callable[[], Iterable[tuple[float, float]]],
    ends: Callable[[tuple[int, ...]], Ends],
) -> FeatureSpec:
    """The spec with the constants that training takes from images, if it needs some and has none.

    Args:
        spec: which features.
        channels: number of channels of the images.
        values: gives those of :func:`values_of_image` of each image.
        ends: gives what is dark and what bright in some channels, of all images together.
    """
    if not lacks_constants(spec, channels):
        return spec
    seen = spec.network_channels(channels)
    if spec.standardise:
        return replace(spec, constants=standardised_constants(seen))
    return replace(spec, constants=replace(ColourConstants.of(values()), ends=ends(seen) if seen else None))


def with_constants_of(spec: FeatureSpec, image: Image) -> FeatureSpec:
    """The same for one image that is in memory."""
    return with_learnt_constants(
        spec, image.channels, lambda: [values_of_image(image_facts(image))], lambda seen: image_ends(image, seen)
    )


def as_image(image: Image | ArrayLike) -> Image:
    """An image as it is, or an array as an image."""
    return image if isinstance(image, Image) else image_from_pixels(np.asarray(image))


def checked_labels(labels: ArrayLike, image: Image) -> NDArray[np.uint8]:
    """The labels of an image as uint8.

    Raises:
        ValueError: if they are not whole numbers from 0 to 255, one for each pixel of the image.
    """
    raster = checked_class_ids(labels)
    if raster.ndim != 2:
        raise ValueError("The labels must have rows and columns, and nothing else.")
    if raster.shape != image.shape[:2]:
        raise ValueError(
            f"The labels have {raster.shape[0]} x {raster.shape[1]} pixels, "
            f"but the image has {image.shape[0]} x {image.shape[1]}."
        )
    return raster


def checked_class_ids(class_ids: ArrayLike) -> NDArray[np.uint8]:
    """Class ids as uint8.

    Raises:
        ValueError: if they are not whole numbers from 0 to 255.
    """
    given = np.asarray(class_ids)
    if given.dtype == np.uint8:
        return given
    if not np.issubdtype(given.dtype, np.integer) or given.min(initial=0) < 0 or given.max(initial=0) > 255:
        raise ValueError("The labels must be whole numbers from 0 (unlabelled) to 255.")
    return given.astype(np.uint8)


def counts_to_json(counts: Mapping[int, int]) -> dict[str, int]:
    """Counts by class id, with texts as keys, as JSON has them."""
    return {str(class_id): count for class_id, count in counts.items()}
