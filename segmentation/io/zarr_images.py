"""Images of any size in Zarr arrays and OME-Zarr groups, read and written block by block.

A block is segmented from its pixels and a halo around them, which gives, to the last bit, what the whole image would
give. What is written has one chunk a block, so that blocks can be written in any order by any number of processes,
and a chunk that is there is a block that is done: Zarr puts it in its place when it is whole.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr

from segmentation._shared.tiling import Window, whole_window
from segmentation.io.image import Image, image_from_pixels
from segmentation.io.limits import ImageError
from segmentation.io.pixel_size import PixelSize, pixel_size
from segmentation.io.stacks import AXES
from segmentation.strokes.classes import LabelClass, parse_colour

BLOCK_SIDE = 2048
"""Pixels along a block's side: with its halo it takes little memory, and the halo costs little time."""

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
    """

    array: Any
    axes: tuple[str, ...]
    multiscale: Mapping[str, Any] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of each image."""
        return self._length("y"), self._length("x")

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
        described, scale = _scale(self)
        units = {axis: described.get(axis, {}).get("unit", "") for axis in "zyx"}
        if not scale or not isinstance(units["x"], str) or units["x"] != units["y"]:
            return None
        z = scale.get("z") if units["z"] == units["x"] else None
        return pixel_size(scale["x"], scale["y"], units["x"], z)

    def _length(self, axis: str) -> int:
        return int(self.array.shape[self.axes.index(axis)])

    def blocks(self) -> list[Window]:
        """What each image is cut into."""
        return list(whole_window(self.shape).split(BLOCK_SIDE, BLOCK_SIDE))

    def read(self, place: Sequence[int], window: Window) -> Image:
        """A window of one of the images.

        Args:
            place: which image: its index along each axis of the stack.
            window: which part of it.

        Raises:
            ImageError: if the pixels cannot be read or used.
        """
        where: dict[str, Any] = dict(zip(self.stack_axes, place, strict=True))
        where |= {"y": window.rows, "x": window.columns, "c": slice(None)}
        try:
            pixels = np.asarray(self.array[tuple(where[axis] for axis in self.axes)])
        except Exception as error:  # whatever a decoder raises on what strangers store
            raise ImageError(f"A part of the Zarr array cannot be read ({type(error).__name__}).") from error
        kept = [axis for axis in self.axes if axis in ("y", "x", "c")]
        return image_from_pixels(pixels.transpose([kept.index(axis) for axis in "yxc" if axis in kept]))


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
    try:
        node: Any = zarr.open(path, mode="r")
    except Exception as error:  # metadata of strangers
        raise ImageError(f"{path.name} cannot be opened as a Zarr array ({type(error).__name__}).") from error
    multiscale = None
    if isinstance(node, zarr.Group):
        node, multiscale = _first_level(node, path)
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
    except Exception as error:  # metadata of strangers
        arrays = ", ".join(sorted(name for name, _ in group.arrays())[:5])
        hint = f": name one of its arrays ({arrays})" if arrays else ""
        raise ImageError(f"{path.name} is a Zarr group, but not an OME-Zarr image{hint}.") from error


def _axes(
    array: Any, chosen: str | None, multiscale: Mapping[str, Any] | None, channels: int | None
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


def create_results(
    images: ZarrImages, path: Path, classes: Sequence[LabelClass], planes: Sequence[LabelClass], with_planes: bool
) -> None:
    """An array for the results of images, in the Zarr format and with the OME metadata that they have.

    Args:
        images: the images.
        path: where the array, or the OME-Zarr group with the array ``"0"``, is made.
        classes: are named in the metadata.
        planes: the classes that have a plane of probabilities, in the order of the planes.
        with_planes: make an array for probabilities, float32; its axes are those of the stack, the planes, rows and
            columns. Otherwise one for class ids, uint8; its axes are those of the stack, rows and columns.
    """
    rows, columns = images.shape
    between = (len(planes),) if with_planes else ()
    names = (*images.stack_axes, *("c" for _ in between), "y", "x")
    version = images.array.metadata.zarr_format
    described: dict[str, Any] = {"classes": [one.to_json() for one in (planes if with_planes else classes)]}
    if images.multiscale is not None:
        ome = _ome(images, names, () if with_planes else classes, version)
        zarr.create_group(path, zarr_format=version, attributes=described | ome)
    zarr.create_array(
        path,
        name=None if images.multiscale is None else "0",
        shape=(*images.stack_shape, *between, rows, columns),
        chunks=(*(1 for _ in images.stack_shape), *between, min(rows, BLOCK_SIDE), min(columns, BLOCK_SIDE)),
        dtype=np.float32 if with_planes else np.uint8,
        fill_value=0,
        zarr_format=version,
        dimension_names=names if version == 3 else None,
        chunk_key_encoding={"name": "default" if version == 3 else "v2", "separator": "/"},
        attributes=described if version == 3 else described | {"_ARRAY_DIMENSIONS": list(names)},
    )


def _ome(images: ZarrImages, names: Sequence[str], classes: Sequence[LabelClass], version: int) -> dict[str, Any]:
    """OME metadata whose coordinates are those of the images; those of labels name their classes."""
    described, given = _scale(images)
    axes = [{"type": "channel", "name": "c"} if name == "c" else described.get(name, {"name": name}) for name in names]
    scale = {name: given.get(name, 1.0) for name in names}
    level = {
        "path": "0",
        "coordinateTransformations": [{"type": "scale", "scale": [scale[axis] for axis in names]}],
    }
    multiscale: dict[str, Any] = {"axes": axes, "datasets": [level]}
    label: dict[str, Any] = {
        "colors": [{"label-value": one.id, "rgba": [*parse_colour(one.colour), 255]} for one in classes],
        "properties": [{"label-value": one.id, "class": one.name} for one in classes],
    }
    if version == 3:
        return {"ome": {"version": "0.5", "multiscales": [multiscale]} | ({"image-label": label} if classes else {})}
    labels = {"image-label": label | {"version": "0.4"}} if classes else {}
    return {"multiscales": [multiscale | {"version": "0.4"}]} | labels


def _scale(images: ZarrImages) -> tuple[dict[str, Mapping[str, Any]], dict[str, float]]:
    """What OME metadata say of each axis by its name, and how far it is from one place to the next along it."""
    about = images.multiscale or {}
    described = {axis["name"].lower(): axis for axis in about.get("axes", ()) if isinstance(axis, Mapping)}
    scale: dict[str, float] = {}
    for change in about["datasets"][0].get("coordinateTransformations", ()) if about else ():
        if change.get("type") == "scale" and len(change.get("scale", ())) == len(images.axes):
            scale = dict(zip(images.axes, change["scale"], strict=True))
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
        chunk = (*place, window.rows.start // BLOCK_SIDE, window.columns.start // BLOCK_SIDE)
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


def halo_window(window: Window, halo: int, shape: tuple[int, int]) -> Window:
    """A window and the halo around it, as far as the image goes."""
    rows, columns = (
        slice(max(part.start - halo, 0), min(part.stop + halo, length))
        for part, length in zip((window.rows, window.columns), shape, strict=True)
    )
    return Window(rows, columns)


def count_bytes(images: ZarrImages) -> int:
    """Bytes of all pixels."""
    return math.prod(images.array.shape) * images.array.dtype.itemsize
