"""Stacks in a session: how their planes are called, and what a journal says of them.

A stack that came as one file is known by the hash of that file, since not all of it is decoded when it is opened; its
planes by the same digits and the page at their end. Each plane is an image of the session. A stack that was made of
images has these as its planes. ``assets/journal/stacks.mjs`` says the same in the browser.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from segmentation._shared import checks
from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.io.stacks import AXES, stack_axes
from segmentation.web.store.files import PAGE_DIGITS, stack_key

MAX_PLANES = 5_000
MAX_STACK_PIXELS = 32_000_000_000
"""Rows times columns times planes of a stack on the page: 5,000 planes of 2,500 x 2,500."""

SAMPLED_PLANES = 5
"""So many planes say how all planes of a stack are shown."""

_PAGE = re.compile("[0-9a-f]{8}")
"""A page as it is written; Python would read numbers from more than that, such as -0000001."""


def plane_key(stack: str, page: int) -> str:
    """What a plane of a stack is known by; pages count from 1."""
    return f"{stack[:-PAGE_DIGITS]}{page:0{PAGE_DIGITS}x}"


def stack_and_page(image_hash: str) -> tuple[str, int]:
    """The stack that a plane would belong to, and its page; 0 stands for the stack itself, and for what is no hash."""
    page = image_hash[-PAGE_DIGITS:]
    return stack_key(image_hash), int(page, 16) if _PAGE.fullmatch(page) else 0


def page_in_file(image: Mapping[str, Any]) -> int | None:
    """Of a plane of a stack that came as one file, which of its images it is, from 1; None of an image of its own."""
    stack, page = image.get("stack", ""), image.get("page", 0)
    return page if stack and plane_key(stack, page) == image["hash"] else None


def describe_axes(first: Image) -> list[list[Any]]:
    """The axes of the stack that an image is the first of, the fastest first, each with its length.

    Raises:
        ImageError: with a sentence, if it is too large a stack.
    """
    planes = first.metadata["pages"]
    if planes > MAX_PLANES:
        raise ImageError(
            f"The stack has {planes:,} planes, but the page takes at most {MAX_PLANES:,}: split it, or apply the "
            "classifier to it on the command line."
        )
    if planes * first.shape[0] * first.shape[1] > MAX_STACK_PIXELS:
        raise ImageError(
            f"The stack has {planes * first.shape[0] * first.shape[1] / 1e9:.1f} gigapixels, but the page takes at "
            f"most {MAX_STACK_PIXELS / 1e9:.0f}: split it, crop it, or make it smaller."
        )
    return [list(axis) for axis in stack_axes(first.metadata, planes)]


def check_stack(image: Mapping[str, Any]) -> dict[str, Any]:
    """What an event says of the planes of an image that it opens; nothing, if it is a single one.

    Raises:
        ValueError: with a sentence, if it makes no sense.
    """
    if "pages" not in image:
        return {}
    pages = checks.whole_number(image["pages"], "The planes of the stack", 2, MAX_PLANES)
    axes: list[list[Any]] = []
    for axis in checks.sequence(image.get("axes"), "The axes of the stack", len(AXES)):
        name, length = (*checks.sequence(axis, "An axis of the stack", 2), None, None)[:2]
        axes.append([name, checks.whole_number(length, "The length of an axis", 1, MAX_PLANES)])
    if [axis[0] for axis in axes] not in (["z"], ["t"], ["z", "t"], ["t", "z"]) or math.prod(
        axis[1] for axis in axes
    ) != pages:
        raise ValueError("The axes of the stack do not fit its planes.")
    return {"pages": pages, "axes": axes}


@lru_cache(maxsize=32)
def _planes(
    stack: str, name: str, rows: int, columns: int, channels: int, dtype: str, pages: int, names: tuple[str, ...]
) -> list[Any]:
    facts = {"name": name, "rows": rows, "columns": columns, "channels": channels, "dtype": dtype, "stack": stack}
    facts |= {"channel_names": list(names)} if names else {}
    return [{**facts, "hash": plane_key(stack, page), "page": page} for page in range(1, pages + 1)]


def planes_of(stack: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The facts of the planes of a stack that an event opens; not to be changed."""
    named = (stack[key] for key in ("hash", "name", "rows", "columns", "channels", "dtype", "pages"))
    return _planes(*named, tuple(stack.get("channel_names", ())))


def opening_index(axes: Sequence[Sequence[Any]]) -> int:
    """The index of the plane that a stack opens with: amid its depth, where most is seen, at its first time.

    Args:
        axes: the fastest first, each with its length.
    """
    index = 0
    for name, length in reversed(axes):
        index = index * length + (length // 2 if name == "z" else 0)
    return index


def open_stack(images: dict[str, Any], stacks: dict[str, Any], stack: Mapping[str, Any]) -> dict[str, Any]:
    """Add the planes of a stack to the images of a session; returns the one that is shown at first."""
    hashes = stacks.get(stack["hash"], {}).get("planes", ())
    if len(hashes) != stack["pages"] or not all(map(images.__contains__, hashes)):  # else it stays as it is
        planes = planes_of(stack)
        for plane in planes:
            images.setdefault(plane["hash"], plane)
        hashes = [plane["hash"] for plane in planes]
        stacks.setdefault(stack["hash"], {"name": stack["name"], "planes": hashes, "axes": stack["axes"]})
    return images[hashes[opening_index(stack["axes"])]]


def make_stack(images: dict[str, Any], stacks: dict[str, Any], event: Mapping[str, Any]) -> None:
    """Let images of a session be the planes of a stack, if they are alike, of no other, and none is read part by part.

    What is ``shown_with`` them says how all of them are shown.
    """
    planes = [images[one] for one in event["images"] if one in images]
    kinds = {tuple(plane[key] for key in ("rows", "columns", "channels", "dtype")) for plane in planes}
    if len(planes) < 2 or len(kinds) > 1 or any("stack" in one or "levels" in one for one in planes):
        return
    last = len(planes) - 1
    seen = [planes[part * last // (SAMPLED_PLANES - 1)]["hash"] for part in range(SAMPLED_PLANES)]
    told = {"stack": event["id"], "shown_with": list(dict.fromkeys(seen))}
    for page, plane in enumerate(planes, 1):
        images[plane["hash"]] = {**plane, **told, "page": page}
    hashes, axes = [plane["hash"] for plane in planes], [[event["axis"], len(planes)]]
    stacks[event["id"]] = {"name": event["name"], "planes": hashes, "axes": axes}


def with_its_stack(images: Mapping[str, Any], stacks: Mapping[str, Any], image_hash: str) -> list[str]:
    """An image, or all planes of the stack that it is one of."""
    stack = images.get(image_hash, {}).get("stack")
    return [one for one in stacks[stack]["planes"] if one in images] if stack in stacks else [image_hash]


def measured_sizes(images: Mapping[str, Any], measured: Mapping[str, Any]) -> dict[str, Any]:
    """The sizes of pixels that somebody typed, for an image or for the stack that it is one of."""
    sizes = {}
    for image_hash, image in images.items() if measured else ():
        stack = image.get("stack", "")
        size = measured.get(stack if stack in measured else image_hash)
        if size is not None:
            sizes[image_hash] = size
    return sizes
