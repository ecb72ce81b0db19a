"""Making the coarser levels of an image that lacks them, once: an OME-Zarr group, block by block, in little memory.

The finest level stays where it is: what is made begins a quarter as long and as wide, a sixteenth of the pixels, and
takes a twelfth of them in all. It is made beside its place and moved there when it is whole. Zarr puts a chunk in its
place when it is whole, so that what was interrupted goes on where it was. Packed as a zip, the same image gives the
same bytes wherever it is done.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import zarr
from numpy.typing import NDArray

from segmentation._shared.tiling import Window, whole_window
from segmentation.io.coarser_levels import MakingStopped, Unreduced
from segmentation.io.halving import halved_by_means, halved_where_all
from segmentation.io.image import Image
from segmentation.io.limits import may_pass
from segmentation.io.reduced import STEP
from segmentation.io.unread import UNREAD, UNREAD_PIXELS
from segmentation.io.zarr_images import sweep
from segmentation.io.zarr_pyramid import NO_DATA, OWN

CHUNK_SIDE = 1024
"""Rows and columns of a chunk: what the page reads at a time."""

LEAST_ROWS = 256
"""The same of rows where strips are long, so that all of a strip is read at once, and it is seen how far that is."""

FEW = 16
"""Times that one looks for how far it is, at least."""

BLOCK_BYTES = 2**27
"""Of the level that is read for a chunk, at most."""

STRIPS_BYTES = 2**30
"""The same where it is read by long strips or large pieces, of which only some are in memory at a time."""

UNFINISHED = ".unfinished"
_SAME_TIME = (1980, 1, 1, 0, 0, 0)


def make_levels(
    source: Unreduced,
    folder: Path,
    *,
    on_progress: Callable[[float], None] = lambda part: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Path:
    """Write the coarser levels of an image as OME-Zarr 0.5, halved by means until one fits a screen.

    An array beside each level says where it holds no data.

    Args:
        source: what they are made of.
        folder: where the group appears, whole; one that is there already is of an equal image, and is kept.
        on_progress: called with the part that is done, from 0 to 1, now and then.
        stopped: asked now and then whether to end.

    Returns:
        The folder.

    Raises:
        MakingStopped: if it was asked to end.
        OSError: if it cannot be written.
    """
    if folder.is_dir():
        return folder
    unfinished = folder.with_name(folder.name + UNFINISHED)
    group = _begun(source, unfinished)
    whole, done = sum(rows * columns for rows, columns in source.levels), 0

    def note(window: Window, written: bool) -> None:
        nonlocal done
        done += window.shape[0] * window.shape[1]
        on_progress(min(1.0, done / whole))
        if written and stopped():
            raise MakingStopped

    finer: _Made | None = None
    unread = _Unread(group, source)
    for number, shape in enumerate(source.levels):
        made = _Made(group[str(number)], group[f"{NO_DATA}{number}"], unfinished / str(number))
        blocks = _halved_blocks(source, shape) if finer else _reduced_blocks(source, shape)
        for window in blocks:
            written = not made.has(window)
            if written:
                made.write(window, *(finer.halved(window) if finer else _reduced(source, window, unread)))
            note(window, written)
        finer = made
    unread.sum_up()
    sweep(unfinished)
    os.replace(unfinished, folder)
    return folder


def hold_data(folder: Path) -> bool:
    """Whether levels that were made hold any data."""
    group: Any = zarr.open_group(folder, mode="r")
    coarsest = max(int(name) for name, _ in group.arrays() if name.isdecimal())
    return not np.asarray(group[f"{NO_DATA}{coarsest}"][:]).all()


def pack_levels(folder: Path, file: BinaryIO) -> None:
    """Write levels that were made as a zip, the same for equal levels.

    Args:
        folder: of :func:`make_levels`.
        file: open for writing.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            name = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _SAME_TIME)
            with path.open("rb") as content, archive.open(name, "w") as entry:
                shutil.copyfileobj(content, entry)


def _chunks(source: Unreduced) -> tuple[int, int]:
    """Rows and columns of a chunk."""
    pixel_bytes = source.channels * source.dtype.itemsize
    rows = columns = CHUNK_SIDE
    while columns > 1 and (STEP * columns) ** 2 * pixel_bytes > BLOCK_BYTES:
        rows = columns = columns // 2
    if _is_in_strips(source):
        most_rows = min(STRIPS_BYTES // (source.shape[1] * pixel_bytes), source.shape[0] // FEW)
        while rows > LEAST_ROWS and STEP * rows > most_rows:
            rows //= 2
    return rows, columns


def _is_in_strips(source: Unreduced) -> bool:
    return source.piece[1] >= source.shape[1]


def _reduced_blocks(source: Unreduced, shape: tuple[int, int]) -> tuple[Window, ...]:
    """What is made at a time of the first level: of what lies in strips, or large pieces, as many whole as can be."""
    rows, columns = _chunks(source)
    pixel_bytes = STEP**2 * source.channels * source.dtype.itemsize
    if _is_in_strips(source):
        columns *= max(1, STRIPS_BYTES // (rows * columns * pixel_bytes))
    sides = [rows, min(columns, -(-shape[1] // columns) * columns)]
    for axis, piece in enumerate(source.piece):
        while STEP * sides[axis] < min(2 * piece, source.shape[axis]) and 2 * math.prod(sides) * pixel_bytes <= (
            STRIPS_BYTES
        ):
            sides[axis] *= 2
    return whole_window(shape).split(*sides)


def _halved_blocks(source: Unreduced, shape: tuple[int, int]) -> tuple[Window, ...]:
    return whole_window(shape).split(*_chunks(source))


def _reduced(source: Unreduced, window: Window, unread: _Unread) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """A window of the first level: its values, and where it holds no data; what cannot be read of it is noted."""
    rows, columns = (
        slice(STEP * part.start, min(STEP * part.stop, length))
        for part, length in zip((window.rows, window.columns), source.shape, strict=True)
    )
    image = source.read(Window(rows, columns))
    unread.note(window, image)
    return np.moveaxis(image.pixels, -1, 0) if image.pixels.ndim == 3 else image.pixels, image.no_data


class _Made:
    """A level that is made.

    Args:
        array: of its values.
        gaps: says where there are none.
        path: where the array of the values lies.
    """

    def __init__(self, array: Any, gaps: Any, path: Path) -> None:
        self._array, self._gaps, self._path = array, gaps, path

    def has(self, window: Window) -> bool:
        """Whether all chunks of a window are written."""
        leading = (0,) * (self._array.ndim - 2)
        rows, columns = (
            range(part.start // length, -(-part.stop // length))
            for part, length in zip((window.rows, window.columns), self._array.chunks[-2:], strict=True)
        )
        keys = (self._array.metadata.encode_chunk_key((*leading, row, column)) for row in rows for column in columns)
        return all((self._path / key).is_file() for key in keys)

    def write(self, window: Window, values: NDArray[Any], missing: NDArray[np.bool_] | None) -> None:
        """Write a window; the values come last, since they tell that it is there."""
        if missing is not None and missing.any():
            self._gaps[window.rows, window.columns] = missing
        self._array[..., window.rows, window.columns] = values

    def halved(self, window: Window) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
        """A window of the level that is half as long and as wide."""
        rows, columns = (
            slice(2 * part.start, min(2 * part.stop, length))
            for part, length in zip((window.rows, window.columns), self._array.shape[-2:], strict=True)
        )
        missing = np.asarray(self._gaps[rows, columns])
        values = np.asarray(self._array[..., rows, columns])
        if not missing.any():
            return halved_by_means(values), None
        return halved_by_means(values, missing), halved_where_all(missing)


class _Unread:
    """What cannot be read of an image: kept with the levels that are made, so that whoever goes on knows of it.

    Args:
        group: of the levels.
        source: the image.
    """

    def __init__(self, group: Any, source: Unreduced) -> None:
        self._group, self._source = group, source
        self._pixels: dict[str, int] = group.attrs.asdict()[OWN].get(UNREAD_PIXELS, {})

    def note(self, window: Window, image: Image) -> None:
        """Note how much could not be read of what a window is made of."""
        pixels = image.metadata.get(UNREAD_PIXELS, 0)
        if isinstance(pixels, int) and pixels > 0:
            self._pixels[f"{window.rows.start},{window.columns.start}"] = pixels
            self._write({UNREAD_PIXELS: self._pixels})

    def sum_up(self) -> None:
        """Leave only what part of the image it is; nothing of one that can be read."""
        if self._pixels:
            self._write({UNREAD: min(1.0, sum(self._pixels.values()) / math.prod(self._source.shape))})

    def _write(self, more: dict[str, Any]) -> None:
        self._group.update_attributes({OWN: {"of": self._source.key} | more})


def _begun(source: Unreduced, path: Path) -> Any:
    """The group in the making; that of an interrupted run if it was of an equal image."""
    key = {"of": source.key}
    try:
        group: Any = zarr.open_group(path, mode="r+")
        if group.attrs.asdict()[OWN]["of"] == source.key:
            return group
    except Exception as error:  # there is none, or it is half-written
        if may_pass(error):
            raise
    shutil.rmtree(path, ignore_errors=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    group = zarr.create_group(path, zarr_format=3)
    axes = ("y", "x") if source.channels == 1 else ("c", "y", "x")
    leading = () if source.channels == 1 else (source.channels,)
    for number, shape in enumerate(source.levels):
        chunks = tuple(min(one, length) for one, length in zip(_chunks(source), shape, strict=True))
        group.create_array(
            str(number),
            shape=(*leading, *shape),
            chunks=(*leading, *chunks),
            dtype=source.dtype,
            dimension_names=axes,
            fill_value=0,
            config={"write_empty_chunks": True},
        )
        group.create_array(f"{NO_DATA}{number}", shape=shape, chunks=chunks, dtype=bool, fill_value=False)
    # The key goes in last of all: a group without it was not begun to the end.
    group.update_attributes(_described(axes, len(source.levels)) | {OWN: key})
    return group


def _described(axes: tuple[str, ...], levels: int) -> dict[str, Any]:
    """OME metadata of the levels."""
    named = [{"name": axis, "type": "channel" if axis == "c" else "space"} for axis in axes]
    datasets = [
        {
            "path": str(level),
            "coordinateTransformations": [
                {"type": "scale", "scale": [1.0 if axis == "c" else float(STEP * 2**level) for axis in axes]}
            ],
        }
        for level in range(levels)
    ]
    multiscale = {"axes": named, "datasets": datasets, "type": "mean"}
    return json.loads(json.dumps({"ome": {"version": "0.5", "multiscales": [multiscale]}}))
