"""Volumes: the planes of a stack, each as an image that knows the planes around it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from segmentation.io.image import Image, image_from_pixels
from segmentation.io.limits import ImageError, PageError
from segmentation.io.slab import Slab, Smoothing, kept_smoothing


def volume_planes(pixels: ArrayLike, reach: int) -> list[Image]:
    """The planes of a volume that is in memory.

    Args:
        pixels: ``(planes, rows, columns)`` or ``(planes, rows, columns, channels)`` of any integer, float or bool type.
        reach: how many planes above and below each is to know.

    Raises:
        ImageError: if these are no volume.
    """
    array = np.asarray(pixels)
    if array.ndim not in (3, 4) or len(array) == 0:
        raise ImageError(
            f"A volume has planes, rows, columns and perhaps channels, but this has the shape {array.shape}."
        )
    about = {"pages": len(array), "alike": True}
    planes = [image_from_pixels(plane, about | {"page": page}) for page, plane in enumerate(array, start=1)]
    return list(in_slabs(_of_one_type(planes), reach))


def _of_one_type(planes: list[Image]) -> list[Image]:
    """Planes whose values decided on their types together."""
    types = {plane.pixels.dtype for plane in planes}
    if len(types) == 1:
        return planes
    wide = np.result_type(*types)
    chosen = wide if wide.itemsize <= 4 else np.dtype(np.float32)
    return [
        replace(one, pixels=one.pixels.astype(chosen), metadata=one.metadata | {"dtype": chosen.name}) for one in planes
    ]


def in_slabs(images: Iterable[Image | PageError], reach: int) -> Iterator[Image]:
    """The images of a file as planes that know those around them along z; only so many of them are in memory.

    Args:
        images: in the order of the file.
        reach: how many planes above and below each is to know.

    Raises:
        ImageError: with a sentence, if one of them cannot be read, they differ in size or type, or lie along t alone.
    """
    for _, stack in groupby(map(_read, images), key=lambda image: image.place.get("t", 1)):
        yield from _slabs_of(stack, reach)


def _read(image: Image | PageError) -> Image:
    if isinstance(image, PageError):
        raise ImageError(f"The classifier looks at several planes, of which one is missing: {image}")
    about = image.metadata
    if about.get("pages", 1) > 1 and "z" not in image.place:
        raise ImageError("The classifier looks at several planes along z, but these images are no planes along z.")
    return image


def _slabs_of(images: Iterable[Image], reach: int) -> Iterator[Image]:
    """The planes of one volume, in the order of z."""
    held: deque[Image] = deque()
    smoothing, first, own = kept_smoothing(), 0, 0
    for image in images:
        if held and not _alike(held[0], image):
            raise ImageError("The planes differ in size, type or channels, or are no planes along z in their order.")
        held.append(image)
        while own + reach < first + len(held):
            while own - first > reach:
                held.popleft()
                first += 1
            yield with_slab(list(held)[: own - first + reach + 1], own - first, first, smoothing)
            own += 1
    while own < first + len(held):
        while own - first > reach:
            held.popleft()
            first += 1
        yield with_slab(list(held), own - first, first, smoothing)
        own += 1


def _alike(one: Image, other: Image) -> bool:
    same = one.pixels.shape == other.pixels.shape and one.pixels.dtype == other.pixels.dtype
    return same and one.metadata.get("channel_names") == other.metadata.get("channel_names")


def with_slab(images: Sequence[Image], own: int, first: int, smoothing: Smoothing | None = None) -> Image:
    """One of several planes that follow on one another, as an image that knows the others.

    Args:
        images: the planes.
        own: which of them.
        first: the number of the first of them in its stack.
        smoothing: what is smoothed of the planes of the stack; None begins anew.
    """
    told = " ".join(image.hash for image in images)
    digest = sha256(f"slab {own} {told}".encode()).hexdigest()
    slab = Slab(tuple(image.pixels for image in images), own, first, digest, smoothing or kept_smoothing())
    return images[own].in_slab(slab)


def slab_positions(place: int, planes: int, reach: int) -> tuple[range, int]:
    """Which planes of a volume one of them has to know, and which of these it is itself."""
    around: Any = range(max(place - reach, 0), min(place + reach + 1, planes))
    return around, place - around.start
