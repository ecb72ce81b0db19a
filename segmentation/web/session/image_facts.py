"""What the page is told of images, and what says how they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from segmentation.io.image import Image
from segmentation.model.channels import named_channels
from segmentation.web.session.stacks import describe_axes

SAMPLED_PIXELS = 2**18
"""Pixels of each of some planes that say how all planes of a stack are shown, about."""


@dataclass(frozen=True)
class Shown:
    """An image, and what says how it is shown.

    Attributes:
        image: it; of one that is read part by part the coarsest level.
        sample: what its display range is taken from: itself, of a plane some pixels of the whole stack, or of one that
            is read part by part some blocks of the finest level, which coarser ones are the means of.
        key: what the sample is known by.
        full_shape: rows and columns of an image that is read part by part.
        is_for_now: whether the sample is to be another one, which has not come in time.
    """

    image: Image
    sample: Image
    key: str
    full_shape: tuple[int, int] | None = None
    is_for_now: bool = False

    @property
    def is_large(self) -> bool:
        """Whether it is read part by part."""
        return self.full_shape is not None

    @property
    def views(self) -> tuple[Image, ...]:
        """What its display range is taken from: the sample, and all of a large image, of which a sample is little."""
        return (self.sample, self.image) if self.is_large and not self.is_for_now else (self.sample,)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole image."""
        return self.full_shape or self.image.shape


def is_a_stack(first: Image) -> bool:
    """Whether an image is the first of several in a file that are alike."""
    return bool(first.metadata.get("pages", 1) > 1 and first.metadata.get("alike"))


def describe_image(image: Image, name: str) -> dict[str, Any]:
    """The facts of an image that the page shows and an ``image.open`` event names."""
    names = named_channels(image)
    return {
        "hash": image.hash,
        "name": name,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "channels": image.channels,
        "dtype": str(image.pixels.dtype),
        **({"channel_names": list(names)} if names else {}),
    }


def describe_stack(first: Image, name: str, key: str) -> dict[str, Any]:
    """The same of a stack.

    Args:
        first: of its planes.
        name: of its file.
        key: what it is known by.

    Raises:
        ImageError: with a sentence, if it is too large a stack.
    """
    axes = describe_axes(first)
    return describe_image(first, name) | {"hash": key, "pages": first.metadata["pages"], "axes": axes}


def some_rows(planes: Sequence[Image]) -> Image:
    """Rows of planes that are alike, one below the other, as if they were one image."""
    first = planes[0]
    step = -(-first.shape[0] * first.shape[1] // SAMPLED_PIXELS)
    return replace(first, pixels=np.concatenate([one.pixels[::step] for one in planes]), no_data=None)


def kind_of(image: Image) -> tuple[Any, ...]:
    """What planes of a stack have in common."""
    return image.shape, image.channels, image.pixels.dtype
