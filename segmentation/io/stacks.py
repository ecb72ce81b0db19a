"""Where the images of a stack lie: along z and t, and how that is said to people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

AXES = ("z", "t")


def stack_axes(about: Mapping[str, Any], images: int) -> tuple[tuple[str, int], ...]:
    """The axes along which the images of a file follow each other, the fastest first, and their lengths.

    Args:
        about: the metadata of one of them.
        images: how many there are.

    Returns:
        Those of several places; z where the file names none. None of a single image, or where images differ in size
        or type.
    """
    if images < 2 or not about.get("alike"):
        return ()
    told = tuple((str(axis), int(length)) for axis, length in about.get("stack", ()) if length > 1)
    fits = {axis for axis, _ in told} <= set(AXES) and math.prod(length for _, length in told) == images
    return told if fits else (("z", images),)


def place_along(axes: Iterable[tuple[str, int]], index: int) -> dict[str, int]:
    """Where an image lies, counted from 1, by the name of each axis.

    Args:
        axes: the fastest first, each with its length.
        index: of the image, from 0.
    """
    place = {}
    for axis, length in axes:
        place[axis] = index % length + 1
        index //= length
    return place


def image_in_words(name: str, page: int, pages: int, place: Mapping[str, int]) -> str:
    """What an image of a file is called, such as ``"cells.tif, plane z 11, t 3"``.

    Args:
        name: of the file.
        page: which of its images, from 1.
        pages: how many there are.
        place: where it lies among them; empty if they are no stack.
    """
    if place:
        return f"{name}, plane {', '.join(f'{axis} {place[axis]}' for axis in AXES if axis in place)}"
    return f"{name}, image {page} of {pages}" if pages > 1 else name
