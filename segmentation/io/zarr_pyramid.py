"""OME-Zarr images, and plain Zarr arrays, as pyramids."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.io.addresses import AddressPath, image_path, open_store
from segmentation.io.image import image_from_pixels
from segmentation.io.limits import MAX_LEVELS, MAX_METADATA_BYTES, ImageError, unread
from segmentation.io.pyramid import Level, Pyramid, ReadMissing
from segmentation.io.unread import UNREAD, unread_part
from segmentation.io.zarr_documents import METADATA
from segmentation.io.zarr_images import ZarrImages, channel_names, images_in, open_node

MAX_CHUNK_BYTES = 2**27
"""Bytes that a chunk may claim to hold."""

LEAST_CHUNK_PIXELS, FEW_CHUNKS = 256, 4096
"""Of smaller chunks an image may have so many: each costs as long as thousands of pixels do."""

OWN = "squiggle"
"""The attribute in which levels that were made say of what."""

NO_DATA = "no_data_"
"""What the name of an array begins with that says where a level that was made holds no data; the level's follows."""


def open_pyramid(
    source: Any,
    *,
    axes: str | None = None,
    channels: int | None = None,
    place: Sequence[int] | None = None,
    name: str = "",
    origin: str = "",
    folder: str = "",
) -> Pyramid:
    """Open an OME-Zarr image (0.4 or 0.5) with all of its levels, or a plain Zarr array, which is a single level.

    Args:
        source: path of the group or array, its address, or a Zarr store.
        axes: what each axis is, such as ``"zyx"``; None reads or guesses it.
        channels: of the images that a classifier was trained on, see :func:`segmentation.io.zarr_images.open_images`.
        place: which image of a stack: its index along each axis of the stack; None is the first.
        name: what it is called; empty takes the last part of the path.
        origin: what tells it from others that look alike, such as its address.
        folder: where it lies in a store.

    Raises:
        ImageError: with a sentence, if it is no image, its levels disagree, or its chunks are too large.
    """
    source, name, origin = _opened(source, name, origin)
    node = open_node(source, name, folder)
    arrays, multiscale = _levels(node, name, source)
    images = [images_in(array, multiscale if n == 0 else None, channels, axes or _axes_of(multiscale))
              for n, array in enumerate(arrays)]  # fmt: skip
    finest = images[0]
    for number, (one, array) in enumerate(zip(images, arrays, strict=True)):
        _check_chunks(array, one)
        if one.axes != finest.axes or array.dtype != finest.array.dtype:
            raise ImageError(f"Level {number} of {name} has another type or other axes: the levels disagree.")
        if one.channels != finest.channels or one.stack_shape != finest.stack_shape:
            raise ImageError(f"Level {number} of {name} has other channels or planes: the levels disagree.")
    chosen = _checked_place(finest, place, name)

    def values(window: Window, level: int) -> NDArray[Any]:
        return images[level].values(chosen, window)

    return Pyramid(
        name=name,
        levels=tuple(Level(one.shape, step) for one, step in zip(images, _steps(images, multiscale), strict=True)),
        channels=finest.channels,
        dtype=image_from_pixels(np.zeros((1, 1), finest.array.dtype)).pixels.dtype,
        values=values,
        missing=_missing(node, images),
        pixel_size=finest.pixel_size,
        channel_names=channel_names(node, finest.channels),
        origin=f"{origin} {chosen}" if any(length > 1 for length in finest.stack_shape) else origin,
        metadata={"format": "OME-Zarr" if multiscale else "Zarr"} | _unread(node),
        piece=images[-1].piece,
    )


def _opened(source: Any, name: str, origin: str) -> tuple[Any, str, str]:
    """Where an image lies, a path or a store, with what it is called and what tells it from others."""
    if isinstance(source, str | Path):
        source = image_path(source)
        name = name or source.name
        if isinstance(source, AddressPath):
            return open_store(str(source)), name, origin or str(source)
        _check_metadata_sizes(source, source)
    return source, name or "image.zarr", origin


def _checked_place(images: ZarrImages, place: Sequence[int] | None, name: str) -> tuple[int, ...]:
    """Which image of a stack it is; the first, unless another one is named."""
    lengths = images.stack_shape
    chosen = (0,) * len(lengths) if place is None else tuple(place)
    if len(chosen) != len(lengths) or any(not 0 <= at < end for at, end in zip(chosen, lengths, strict=False)):
        raise ImageError(f"{name} has no plane at {', '.join(map(str, chosen))}.")
    return chosen


def _levels(node: Any, name: str, source: Any) -> tuple[list[Any], Mapping[str, Any] | None]:
    """The arrays of all levels, finest first, and the OME metadata of their image, if there are any."""
    import zarr

    if not isinstance(node, zarr.Group):
        return [node], None
    try:
        attributes: Any = node.attrs.asdict()
        multiscale = attributes.get("ome", attributes)["multiscales"][0]
        paths = [str(level["path"]) for level in multiscale["datasets"]]
    except Exception as error:  # metadata of strangers
        raise ImageError(f"{name} is a Zarr group, but not an OME-Zarr image.") from error
    if not 1 <= len(paths) <= MAX_LEVELS:
        raise ImageError(f"{name} has {len(paths)} levels; an image has from 1 to {MAX_LEVELS}.")
    arrays = []
    for path in paths:
        if path.startswith("/") or ".." in path.split("/"):
            raise ImageError(f"{name} names a level that does not lie in it.")
        if isinstance(source, Path):
            _check_metadata_sizes(source / path, source)
        try:
            array = node[path]
        except ImageError:  # what is wrong with an address
            raise
        except Exception as error:  # metadata of strangers
            level = f"Level {path!r} of {name}"
            raise unread(error, f"{level} cannot be read.", f"{level} is missing or damaged.") from error
        if isinstance(array, zarr.Group):
            raise ImageError(f"Level {path!r} of {name} is not an array.")
        arrays.append(array)
    return arrays, multiscale


def _axes_of(multiscale: Mapping[str, Any] | None) -> Any:
    """The names of the axes that OME metadata give, for the levels whose arrays do not name them."""
    if multiscale is None:
        return None
    try:
        return [axis["name"] if isinstance(axis, Mapping) else axis for axis in multiscale.get("axes", "tczyx")]
    except Exception as error:  # metadata of strangers
        raise ImageError("The OME metadata of the image do not say what its axes are.") from error


def _check_metadata_sizes(folder: Path, source: Path) -> None:
    for one in METADATA:
        path = folder / one
        if path.is_file() and path.stat().st_size > MAX_METADATA_BYTES:
            raise ImageError(f"The metadata of {source.name} are too large to be read.")


def _check_chunks(array: Any, images: ZarrImages) -> None:
    """Refuse chunks that do not fit memory, and so many small ones that a part of the image takes too long."""
    try:
        size = math.prod(int(length) for length in array.chunks) * array.dtype.itemsize
    except Exception as error:  # metadata of strangers
        raise ImageError("How the Zarr array is cut into chunks is not understood.") from error
    if size > MAX_CHUNK_BYTES:
        raise ImageError(
            f"Each chunk of the Zarr array holds {size / 1e6:,.0f} MB, but only {MAX_CHUNK_BYTES / 1e6:.0f} MB are "
            "read at once: save it with smaller chunks, for instance of 1024 × 1024 pixels."
        )
    rows, columns = (min(stored, length) for stored, length in zip(images.piece, images.shape, strict=True))
    if rows * columns < LEAST_CHUNK_PIXELS and images.shape[0] * images.shape[1] > FEW_CHUNKS * rows * columns:
        raise ImageError(
            f"The Zarr array is cut into chunks of {columns} × {rows} pixels, which are too many to be read: save it "
            "with larger chunks, for instance of 1024 × 1024 pixels."
        )


def _steps(images: Sequence[ZarrImages], multiscale: Mapping[str, Any] | None) -> list[float]:
    """How many rows, and columns, of the finest level one of each level stands for."""
    finest = images[0]
    told = _told_steps(finest, multiscale)
    steps = [1.0]
    for number, one in enumerate(images[1:], start=1):
        ratios = [whole / length for whole, length in zip(finest.shape, one.shape, strict=True)]
        of_level = told[number] if told else None
        if of_level is None:  # the longer side is the more exact
            of_level = ratios[0] if finest.shape[0] > finest.shape[1] else ratios[1]
            of_level = float(round(of_level)) if abs(of_level - round(of_level)) < 0.02 * of_level else of_level
        steps.append(of_level)
    if any(finer >= coarser for finer, coarser in pairwise(steps)):
        raise ImageError("The levels of the image do not get coarser one by one: they disagree.")
    return steps


def _told_steps(finest: ZarrImages, multiscale: Mapping[str, Any] | None) -> list[float | None] | None:
    """The same as the coordinate transformations of the levels say it; None for a level that does not say it."""
    if multiscale is None:
        return None
    scales: list[dict[str, float]] = []
    for level in multiscale["datasets"]:
        scale: dict[str, float] = {}
        for change in level.get("coordinateTransformations", ()) if isinstance(level, Mapping) else ():
            given = change.get("scale", ()) if isinstance(change, Mapping) else ()
            if isinstance(given, Sequence) and len(given) == len(finest.axes):
                scale = dict(zip(finest.axes, given, strict=True))
        scales.append(scale)
    return [_ratio(scale, scales[0]) for scale in scales]


def _ratio(scale: Mapping[str, Any], of_finest: Mapping[str, Any]) -> float | None:
    try:
        down, across = (float(scale[axis]) / float(of_finest[axis]) for axis in "yx")
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    alike = math.isfinite(down) and math.isfinite(across) and down > 0 and abs(down - across) <= 0.02 * down
    return down if alike else None


def _unread(node: Any) -> dict[str, float]:
    """What levels that were made say of the part of their image that cannot be read."""
    own = node.attrs.asdict().get(OWN)
    part = unread_part(own) if isinstance(own, Mapping) else 0.0
    return {UNREAD: part} if part else {}


def _missing(node: Any, images: Sequence[ZarrImages]) -> ReadMissing | None:
    """What tells where levels that were made hold no data; OME metadata do not."""
    if not isinstance(node.attrs.asdict().get(OWN), Mapping) or images[0].stack_shape or images[0].multiscale is None:
        return None
    masks = [node.get(f"{NO_DATA}{number}") for number in range(len(images))]
    if any(getattr(mask, "shape", None) != one.shape for mask, one in zip(masks, images, strict=True)):
        return None
    if any(mask.dtype != bool for mask in masks):
        return None
    told = [ZarrImages(mask, ("y", "x")) for mask in masks]
    for mask, one in zip(masks, told, strict=True):
        _check_chunks(mask, one)

    def missing(window: Window, level: int) -> NDArray[np.bool_] | None:
        found = told[level].values((), window)
        return found if found.any() else None

    return missing
