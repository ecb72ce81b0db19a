"""HDF5, as ilastik exports it and reads it: the arrays of a file that are images."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import IO, Any

import h5py
import numpy as np

from segmentation.io.instruments.parts import Part, Plane
from segmentation.io.limits import ImageError
from segmentation.io.pixel_size import PixelSize, pixel_size

EXPORTED = "exported_data"
"""What ilastik calls the array that it exports; where there is one, it is meant."""

_MOST_OBJECTS = 10_000
_DEEPEST = 32
_LARGEST_CHUNK = 2**28
_OWN_FILTERS = {1, 2, 3, 4, 5, 6, 32000}
"""Deflate, shuffle, checksums, szip, nbit, scale-offset, LZF: those for which HDF5 loads no library of others."""

_AXES_OF = {2: "yx", 3: "zyx", 4: "tzyx", 5: "tzyxc"}
_FEW = 4
"""So many places along the last axis of an array that does not name its axes are taken for channels."""


def open_parts(file: IO[bytes], size: int, labels: bool) -> list[Part]:
    """The arrays of a file that are images: that of ilastik's name, else those that name their axes, else all.

    Nothing outside of the file is opened: links to other files, arrays that lie elsewhere and filters that would be
    loaded are refused.
    """
    # As a Python file: HDF5 itself could open others from where this one lies.
    opened = h5py.File(file, "r", rdcc_nbytes=2**20)
    arrays = _arrays(opened)
    if not arrays:
        raise ImageError("The HDF5 file holds no array of numbers with rows and columns.")
    chosen = [array for array in arrays if array.name.rpartition("/")[2] == EXPORTED]
    chosen = chosen or [array for array in arrays if "axistags" in array.attrs] or arrays
    return [_part(array) for array in chosen]


def _arrays(opened: h5py.File) -> list[h5py.Dataset]:
    """The arrays of numbers in a file, each once, by following its own links only."""
    found: list[h5py.Dataset] = []
    seen: set[int] = set()
    waiting: list[tuple[h5py.Group, int]] = [(opened, 0)]
    while waiting:
        group, depth = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            node = group[name]
            address = h5py.h5o.get_info(node.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > _MOST_OBJECTS or depth > _DEEPEST:
                raise ImageError("The HDF5 file holds too many things: export the image alone.")
            if isinstance(node, h5py.Group):
                waiting.append((node, depth + 1))
            elif isinstance(node, h5py.Dataset) and _is_of_numbers(node):
                found.append(node)
    return sorted(found, key=lambda array: str(array.name))


def _is_of_numbers(array: h5py.Dataset) -> bool:
    shape = array.shape
    return array.dtype.kind in "buif" and shape is not None and sum(length > 1 for length in shape) >= 2


def _part(array: h5py.Dataset) -> Part:
    if array.is_virtual or array.external or array.id.get_create_plist().get_external_count():
        raise ImageError("The HDF5 file takes its pixels from other files: export it with its pixels.")
    plist = array.id.get_create_plist()
    filters = {plist.get_filter(number)[0] for number in range(plist.get_nfilters())}
    if not filters <= _OWN_FILTERS:
        raise ImageError("The HDF5 file is compressed in a rare way: save it anew with gzip or no compression.")
    if array.chunks and math.prod(array.chunks) * array.dtype.itemsize > _LARGEST_CHUNK:
        raise ImageError("The HDF5 file is cut into chunks of an absurd size: save it anew.")
    named = _named_axes(array)
    axes = named or _guessed_axes(array.shape)
    lengths = dict(zip(axes, array.shape, strict=True))
    if not {"y", "x"} <= lengths.keys() or not lengths.keys() <= set("tzyxc"):
        raise ImageError(
            f"The axes of the array {array.name} are {', '.join(axes)}: export it with axes such as tzyxc."
        )

    def read(place: Mapping[str, int]) -> Plane:
        where: dict[str, Any] = {**place, "y": slice(None), "x": slice(None), "c": slice(None)}
        pixels = np.asarray(array[tuple(where[axis] for axis in axes)])
        kept = [axis for axis in axes if axis in "yxc"]
        return Plane(pixels.transpose([kept.index(axis) for axis in "yxc" if axis in kept]))

    guess = f"The file does not say what the axes of {array.name} are: they were taken for {', '.join(axes)}."
    return Part(
        lengths["y"],
        lengths["x"],
        lengths.get("c", 1),
        array.dtype,
        tuple((axis, lengths[axis]) for axis in reversed(axes) if axis in "zt"),
        read,
        pixel_size=_pixel_size(array),
        notes=() if named or len(axes) == 2 else (guess,),
    )


def _named_axes(array: h5py.Dataset) -> tuple[str, ...]:
    """The axes as vigra's tags say them; empty if there are none."""
    told = array.attrs.get("axistags")
    if not isinstance(told, str | bytes):
        return ()
    keys = [axis["key"] for axis in json.loads(told)["axes"]]
    if len(keys) != array.ndim or len(set(keys)) < len(keys) or not all(isinstance(key, str) for key in keys):
        raise ImageError(f"The axes that are named do not fit the array {array.name}: export it anew.")
    return tuple(keys)


def _guessed_axes(shape: tuple[int, ...]) -> tuple[str, ...]:
    if len(shape) not in _AXES_OF:
        raise ImageError(f"The array has {len(shape)} axes, and which are rows and columns is not clear.")
    if len(shape) in (3, 4) and shape[-1] <= _FEW:
        return tuple("zyxc"[-len(shape) :])
    return tuple(_AXES_OF[len(shape)])


def _pixel_size(array: h5py.Dataset) -> PixelSize | None:
    """As ImageJ and ilastik write it: the lengths of z, y and x in micrometres."""
    lengths: Any = array.attrs.get("element_size_um")
    if lengths is None or np.shape(lengths) != (3,):
        return None
    z, y, x = (float(length) for length in lengths)
    return pixel_size(x, y, "µm", z)
