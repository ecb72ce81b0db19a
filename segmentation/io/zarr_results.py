"""The Zarr arrays that results of images of any size go into, and their coarser levels.

Results of an OME-Zarr image are one too, with levels that viewers show when they are far away: class ids of which each
level has every second of the one before, probabilities that are means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import zarr
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.io import zarr_images
from segmentation.io.block_images import BlockImages
from segmentation.io.halving import halve, halved_by_first, halved_by_means, level_shapes
from segmentation.strokes.classes import LabelClass, parse_colour

CHUNK_SIDE = 512
"""Rows and columns of a chunk of a coarser level: what viewers ask for at a time."""


def create_results(
    images: BlockImages,
    path: Path,
    classes: Sequence[LabelClass],
    planes: Sequence[LabelClass],
    with_planes: bool,
    side: int | None = None,
) -> None:
    """An array for the results of images, in the Zarr format and with the OME metadata that they have.

    Args:
        images: the images.
        path: where the array, or the OME-Zarr group with the array ``"0"``, is made.
        classes: are named in the metadata.
        planes: the classes that have a plane of probabilities, in the order of the planes.
        with_planes: make an array for probabilities, float32; its axes are those of the stack, the planes, rows and
            columns. Otherwise one for class ids, uint8; its axes are those of the stack, rows and columns.
        side: of the blocks that are written; None is the usual.
    """
    side = zarr_images.BLOCK_SIDE if side is None else side
    between = (len(planes),) if with_planes else ()
    names = (*images.stack_axes, *("c" for _ in between), "y", "x")
    version: Literal[2, 3] = 2 if images.zarr_format == 2 else 3
    described: dict[str, Any] = {"classes": [one.to_json() for one in (planes if with_planes else classes)]}
    shapes = [images.shape]
    if images.multiscale is not None:
        shapes = level_shapes(images.shape)
        described_ome = zarr_images.scale_of(images.multiscale, images.axes)
        ome = ome_of_results(*described_ome, names, () if with_planes else classes, len(shapes), version)
        zarr.create_group(path, zarr_format=version, attributes=described | ome)
    for level, (rows, columns) in enumerate(shapes):
        cut = CHUNK_SIDE if level else side
        zarr.create_array(
            path,
            name=None if images.multiscale is None else str(level),
            shape=(*images.stack_shape, *between, rows, columns),
            chunks=(*(1 for _ in images.stack_shape), *between, min(rows, cut), min(columns, cut)),
            dtype=np.float32 if with_planes else np.uint8,
            fill_value=0,
            zarr_format=version,
            dimension_names=names if version == 3 else None,
            chunk_key_encoding={"name": "default" if version == 3 else "v2", "separator": "/"},
            attributes=described if version == 3 else described | {"_ARRAY_DIMENSIONS": list(names)},
        )


def ome_of_results(
    described: Mapping[str, Mapping[str, Any]],
    given: Mapping[str, float],
    names: Sequence[str],
    classes: Sequence[LabelClass],
    levels: int,
    zarr_format: int,
) -> dict[str, Any]:
    """OME metadata whose coordinates are those of the images; those of labels name their classes.

    Args:
        described: what is known of each axis, by its name.
        given: how far it is from one place to the next along each of them.
        names: of the axes.
        classes: of labels; none of probabilities.
        levels: how many there are, each half as long and wide as the one before.
        zarr_format: 3 of OME-Zarr 0.5, 2 of 0.4.
    """
    axes = [{"type": "channel", "name": "c"} if name == "c" else described.get(name, {"name": name}) for name in names]
    scale = {name: given.get(name, 1.0) for name in names}
    datasets = []
    for level in range(levels):
        steps = [scale[axis] * (2**level if axis in ("y", "x") else 1) for axis in names]
        datasets.append({"path": str(level), "coordinateTransformations": [{"type": "scale", "scale": steps}]})
    multiscale: dict[str, Any] = {"axes": axes, "datasets": datasets, "type": "nearest" if classes else "mean"}
    label: dict[str, Any] = {
        "colors": [{"label-value": one.id, "rgba": [*parse_colour(one.colour), 255]} for one in classes],
        "properties": [{"label-value": one.id, "class": one.name} for one in classes],
    }
    if zarr_format == 3:
        return {"ome": {"version": "0.5", "multiscales": [multiscale]} | ({"image-label": label} if classes else {})}
    labels = {"image-label": label | {"version": "0.4"}} if classes else {}
    return {"multiscales": [multiscale | {"version": "0.4"}]} | labels


def write_levels(path: Path, shape: tuple[int, int], places: Iterable[tuple[int, ...]], *, by_means: bool) -> None:
    """Fill the coarser levels of results whose finest level is written; a plain array has none.

    Args:
        path: of the group.
        shape: rows and columns of the finest level.
        places: of the images, by their index along each axis of the stack.
        by_means: of probabilities; of class ids the first of 2 x 2 is taken.
    """
    group: Any = zarr.open(path, mode="r+")
    if not isinstance(group, zarr.Group):
        return
    for place in places:
        for number, finer_shape in enumerate(level_shapes(shape)[:-1]):
            finer, level = group[str(number)], group[str(number + 1)]

            def read(window: Window, finer: Any = finer, place: tuple[int, ...] = place) -> NDArray[Any]:
                return np.asarray(finer[(*place, ..., window.rows, window.columns)])

            def write(window: Window, values: NDArray[Any], level: Any = level, place: tuple[int, ...] = place) -> None:
                level[(*place, ..., window.rows, window.columns)] = values

            halve(finer_shape, CHUNK_SIDE, halved_by_means if by_means else halved_by_first, read, write)
