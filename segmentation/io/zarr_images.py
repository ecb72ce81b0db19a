"""Images of any size in Zarr arrays and OME-Zarr groups, read and written block by block.

A block is segmented from its pixels and a halo around them, which gives, to the last bit, what the whole image would
give. What is written has one chunk a block, so that blocks can be written in any order by any number of processes,
and a chunk that is there is a block that is done: Zarr puts it in its place when it is whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray

from segmentation._shared.tiling import Window, whole_window
from segmentation.io.addresses import AddressPath, open_store
from segmentation.io.image import Image, image_from_pixels
from segmentation.io.limits import ImageError, unread
from segmentation.io.pixel_size import PixelSize, pixel_size
from segmentation.io.stacks import AXES
from segmentation.io.zipped_zarr import is_zipped_zarr, open_zip

BLOCK_SIDE = 2048
"""Pixels along a block's side: with its halo it takes little memory, and the halo costs little time."""

VOLUME_BLOCK_SIDE = 512
"""The same where a block is of many planes."""

_MEANING = {
    "y": "y", "row": "y", "rows": "y",
    "x": "x", "column": "x", "columns": "x",
    "c": "c", "channel": "c", "channels": "c", "s": "c", "band": "c", "bands": "c",
}  # fmt: skip
_LONGEST_AXES = 8


@dataclass(frozen=True, eq=False)
class ZarrImages:
    """The images in an array, one for each place along the axes of the stack.

    Attributes:
        array: the array.
        axes: what each axis is: ``"y"``, ``"x"``, ``"c"`` for channels, or the name of an axis of the stack.
        multiscale: the OME metadata of the image that the array is a level of, if there are any.
        channel_names: as OME metadata say them; empty if they do not.
    """

    array: Any
    axes: tuple[str, ...]
    multiscale: Mapping[str, Any] | None = None
    channel_names: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of each image."""
        return self._length("y"), self._length("x")

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values, in the byte order of this computer."""
        return np.dtype(self.array.dtype.newbyteorder("="))

    @property
    def zarr_format(self) -> int:
        """Version of the Zarr format."""
        return int(self.array.metadata.zarr_format)

    @property
    def bytes(self) -> int:
        """Bytes of all pixels."""
        return math.prod(self.array.shape) * int(self.array.dtype.itemsize)

    @property
    def channels(self) -> int:
        """Number of channels of each image."""
        return self._length("c") if "c" in self.axes else 1

    @property
    def stack_axes(self) -> tuple[str, ...]:
        """The axes along which there are several images."""
        return tuple(axis for axis in self.axes if axis not in ("y", "x", "c"))

    def named_place(self, place: tuple[int, ...]) -> dict[str, int]:
        """Where an image lies, as :attr:`Image.place` tells it, from its index along each axis of the stack."""
        several = zip(self.stack_axes, place, self.stack_shape, strict=True)
        named = {axis: index + 1 for axis, index, length in several if length > 1}
        return named if named.keys() <= set(AXES) else {}

    @property
    def stack_shape(self) -> tuple[int, ...]:
        """Number of images along each axis of the stack."""
        return tuple(self._length(axis) for axis in self.stack_axes)

    @property
    def pixel_size(self) -> PixelSize | None:
        """How large a pixel is, as OME metadata say it; None if they do not, or in different units."""
        described, scale = scale_of(self.multiscale, self.axes)
        units = {axis: described.get(axis, {}).get("unit", "") for axis in "zyx"}
        if not scale or not isinstance(units["x"], str) or units["x"] != units["y"]:
            return None
        z = scale.get("z") if units["z"] == units["x"] else None
        return pixel_size(scale["x"], scale["y"], units["x"], z)

    @property
    def piece(self) -> tuple[int, int]:
        """Rows and columns of a chunk."""
        rows, columns = (int(self.array.chunks[self.axes.index(axis)]) for axis in "yx")
        return rows, columns

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on what is left out: nothing is."""
        return ()

    def _length(self, axis: str) -> int:
        return int(self.array.shape[self.axes.index(axis)])

    def blocks(self, side: int | None = None) -> list[Window]:
        """What each image is cut into; None is :data:`BLOCK_SIDE`."""
        side = BLOCK_SIDE if side is None else side
        return list(whole_window(self.shape).split(side, side))

    def read(self, place: Sequence[int], window: Window) -> Image:
        """A window of one of the images.

        Args:
            place: which image: its index along each axis of the stack.
            window: which part of it.

        Raises:
            ImageError: if the pixels cannot be read or used.
        """
        return image_from_pixels(self.values(place, window), {"channel_names": list(self.channel_names)})

    def values(self, place: Sequence[int], window: Window) -> NDArray[Any]:
        """The same as ``(rows, columns)`` or ``(rows, columns, channels)``, of the type that the array has."""
        where: dict[str, Any] = dict(zip(self.stack_axes, place, strict=True))
        where |= {"y": window.rows, "x": window.columns, "c": slice(None)}
        try:
            pixels = np.asarray(self.array[tuple(where[axis] for axis in self.axes)])
        except ImageError:  # what is wrong with an address
            raise
        except Exception as error:  # whatever a decoder raises on what strangers store
            raise unread(error, f"A part of the Zarr array cannot be read ({type(error).__name__}).") from error
        kept = [axis for axis in self.axes if axis in ("y", "x", "c")]
        return pixels.transpose([kept.index(axis) for axis in "yxc" if axis in kept])


def open_images(path: Path, *, channels: int | None = None, axes: str | None = None) -> ZarrImages:
    """Open a Zarr array, or the full resolution of an OME-Zarr image.

    Args:
        path: of the array or group.
        channels: of the images that the classifier was trained on. It tells what the axes of an array that does not
            name them are: two are rows and columns; of three the last or the first, if it is as long, are channels,
            otherwise the first is a stack.
        axes: what each axis is, such as ``"zyx"`` or ``"cyx"``; None reads or guesses it.

    Raises:
        ImageError: if there is no image, or its axes are not understood.
    """
    node = open_node(path, path.name)
    if not isinstance(node, zarr.Group):
        return images_in(node, None, channels, axes)
    images = images_in(*_first_level(node, path), channels, axes)
    return replace(images, channel_names=channel_names(node, images.channels))


def open_node(source: Any, name: str, folder: str = "") -> Any:
    """The array or group at a path or in a store, or in a folder of it.

    Raises:
        ImageError: if there is none.
    """
    if isinstance(source, AddressPath):
        source = open_store(str(source))
    elif isinstance(source, Path) and is_zipped_zarr(source):
        source, folder = open_zip(source, name)
    try:
        return zarr.open(source, mode="r", path=folder or None)
    except ImageError:  # what is wrong with an address
        raise
    except Exception as error:  # metadata of strangers
        raise unread(error, f"{name} cannot be opened as a Zarr array ({type(error).__name__}).") from error


def images_in(
    node: Any, multiscale: Mapping[str, Any] | None, channels: int | None, axes: str | Sequence[str] | None
) -> ZarrImages:
    """The images in an array; the arguments are those of :func:`open_images`, and the OME metadata of the array."""
    if node.dtype.kind not in "buif" or "pickle" in json.dumps(node.metadata.to_dict(), default=str).lower():
        raise ImageError("The Zarr array does not hold plain numbers.")
    if node.dtype.kind in "iu" and node.dtype.itemsize == 8:
        raise ImageError("The Zarr array holds 64-bit integers: store them as 32-bit integers or as float32.")
    names = _axes(node, axes, multiscale, channels)
    if not 2 <= node.ndim <= _LONGEST_AXES or len(names) != node.ndim or 0 in node.shape:
        raise ImageError(f"The Zarr array has the shape {node.shape}, which does not fit the axes {', '.join(names)}.")
    if names.count("y") != 1 or names.count("x") != 1 or len(set(names)) < len(names):
        raise ImageError(
            f"The axes of the Zarr array are called {', '.join(names)}, and which are rows and columns is not clear: "
            "say what each axis is, for instance with --axes zyx."
        )
    return ZarrImages(node, names, multiscale)


def _first_level(group: zarr.Group, path: Path) -> tuple[Any, Mapping[str, Any]]:
    attributes: Any = group.attrs.asdict()
    try:
        multiscale = attributes.get("ome", attributes)["multiscales"][0]
        return group[multiscale["datasets"][0]["path"]], multiscale
    except ImageError:  # what is wrong with an address
        raise
    except Exception as error:  # metadata of strangers
        arrays = ", ".join(sorted(name for name, _ in group.arrays())[:5])
        hint = f": name one of its arrays ({arrays})" if arrays else ""
        raise ImageError(f"{path.name} is a Zarr group, but not an OME-Zarr image{hint}.") from error


def channel_names(node: Any, channels: int) -> tuple[str, ...]:
    """What the OME metadata of a group call the channels; nothing where they do not name all of them."""
    try:
        attributes = node.attrs.asdict()
        told = attributes.get("ome", attributes)["omero"]["channels"]
        names = tuple(str(one["label"])[:200] for one in told)
    except Exception:  # metadata of strangers
        return ()
    return names if len(names) == channels else ()


def _axes(
    array: Any, chosen: str | Sequence[str] | None, multiscale: Mapping[str, Any] | None, channels: int | None
) -> tuple[str, ...]:
    named: Any = chosen
    if named is None and multiscale is not None:
        named = [axis["name"] if isinstance(axis, Mapping) else axis for axis in multiscale.get("axes", "tczyx")]
    if named is None:
        named = getattr(array.metadata, "dimension_names", None) or array.attrs.get("_ARRAY_DIMENSIONS")
    if named and all(isinstance(name, str) for name in named):
        return tuple(_MEANING.get(name.lower(), name.lower()) for name in named)
    if array.ndim == 3 and channels is not None and channels > 1:
        return ("c", "y", "x") if array.shape[0] == channels != array.shape[2] else ("y", "x", "c")
    return tuple("zyx"[-array.ndim :]) if array.ndim <= 3 else tuple(f"axis {n}" for n in range(array.ndim))


def scale_of(
    multiscale: Mapping[str, Any] | None, axes: Sequence[str]
) -> tuple[dict[str, Mapping[str, Any]], dict[str, float]]:
    """What OME metadata say of each axis by its name, and how far it is from one place to the next along it."""
    about = multiscale or {}
    described = {axis["name"].lower(): axis for axis in about.get("axes", ()) if isinstance(axis, Mapping)}
    scale: dict[str, float] = {}
    for change in about["datasets"][0].get("coordinateTransformations", ()) if about else ():
        if change.get("type") == "scale" and len(change.get("scale", ())) == len(axes):
            scale = dict(zip(axes, change["scale"], strict=True))
    return described, scale


@dataclass(frozen=True, eq=False)
class ZarrResults:
    """An array that :func:`create_results` made.

    Attributes:
        path: of the array itself.
        array: the array.
    """

    path: Path
    array: Any

    @classmethod
    def open(cls, path: Path) -> ZarrResults:
        """Open it for writing."""
        node: Any = zarr.open(path, mode="r+")
        return cls(path / "0", node["0"]) if isinstance(node, zarr.Group) else cls(path, node)

    def has(self, place: Sequence[int], window: Window) -> bool:
        """Whether a block of an array without planes is written."""
        rows, columns = self.array.chunks[-2:]
        chunk = (*place, window.rows.start // rows, window.columns.start // columns)
        return (self.path / self.array.metadata.encode_chunk_key(chunk)).is_file()

    def read(self, place: Sequence[int], window: Window) -> Any:
        """A block."""
        return np.asarray(self.array[(*place, ..., window.rows, window.columns)])

    def write(self, place: Sequence[int], window: Window, values: Any) -> None:
        """Write a block; it is there whole or not at all."""
        self.array[(*place, ..., window.rows, window.columns)] = values


def sweep(path: Path) -> None:
    """Remove chunks that were half-written when a process was killed."""
    for part in path.rglob("*.partial"):
        part.unlink()
