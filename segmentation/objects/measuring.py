"""Measures of objects, those of :func:`skimage.measure.regionprops_table`, of all objects at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared import checks
from segmentation.io.image import Image, image_from_pixels
from segmentation.objects.labelling import label_objects

Spacing = float | Sequence[float]
Table = dict[str, NDArray[Any]]
"""Columns by their names, each with an entry for each object."""

VALUE_COLUMNS = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std")


def measure_objects(
    segmentation: ArrayLike,
    class_id: int,
    image: Image | ArrayLike | None = None,
    spacing: Spacing | None = None,
    *,
    connectivity: int | None = None,
    split: float = 0.0,
) -> Table:
    """Measures of the connected parts of a class.

    The columns have the names and the meaning of :func:`skimage.measure.regionprops_table`: ``label``, ``area``,
    ``equivalent_diameter_area``, ``perimeter``, ``eccentricity``, ``solidity``, ``orientation`` (radians from the
    rows' axis), ``feret_diameter_max``, ``centroid-0`` (row) and ``centroid-1`` (column), ``bbox-0`` to ``bbox-3``
    (first row and column, and those after the last, in pixels), and of an image ``intensity_mean``, ``_min``,
    ``_max`` and ``_std``, with the number of the channel (``intensity_mean-0``) if it has several.

    Of a volume the columns are ``label``, ``area`` (voxels, or their volume), ``equivalent_diameter_area``, ``extent``,
    ``axis_major_length``, ``axis_minor_length``, ``centroid-0`` to ``centroid-2``, ``bbox-0`` to ``bbox-5``,
    ``surface_area`` (of the mesh of :func:`skimage.measure.marching_cubes`), ``solidity`` (NaN of a flat object, which
    has no convex hull there), ``feret_diameter_max``, and those of the values.

    Args:
        segmentation: ``(rows, columns)`` class ids, or ``(planes, rows, columns)`` of a volume.
        class_id: the class, 1 to 255.
        image: with as many (planes,) rows and columns, whose values are measured in each object.
        spacing: (distance of planes,) height and width of a pixel, or one number for all, in any unit of length, in
            which (or in its square or cube) the measures are then; None measures in pixels. Where height and width
            differ there is no perimeter (NaN).
        connectivity, split: see :func:`label_objects`.

    Returns:
        Columns by their names, float64 or int64 of ``(objects,)``; of a class without a pixel they are empty.

    Raises:
        ValueError: if an argument is not possible.
        TooManyObjects: if there are more than 500,000.
    """
    labels = label_objects(segmentation, class_id, connectivity=connectivity, split=split, spacing=spacing)
    if labels.ndim == 3:
        from segmentation.objects.volumes import measure_voxels

        return measure_voxels(labels, image, spacing)
    return measure_labels(labels, image, spacing)


def measure_labels(
    labels: NDArray[np.int32], image: Image | ArrayLike | None = None, spacing: Spacing | None = None
) -> Table:
    """Measures of objects that are numbered already, see :func:`measure_objects`.

    Args:
        labels: ``(rows, columns)`` int32, C-contiguous, from 1 without a gap, 0 where there is no object.
        image, spacing: as there.
    """
    from segmentation.objects import _measuring_kernels as kernels

    height, width = checked_spacing(spacing)
    pixels = None if image is None else _pixels_of(image, labels.shape)
    count = int(labels.max(initial=0))
    sums, boxes = np.zeros((count, 3), np.int64), np.empty((count, 4), np.int64)
    kernels.extents(labels, sums, boxes)
    centroids = sums[:, 1:] / np.maximum(sums[:, :1], 1)
    area = sums[:, 0] * (height * width)
    table: Table = {
        "label": np.arange(1, count + 1),
        "area": area,
        "equivalent_diameter_area": np.sqrt(4 * area / np.pi),
        "perimeter": _perimeter(labels, count) * (height if height == width else np.nan),
    }
    table["eccentricity"], orientation = _axes(labels, centroids, sums[:, 0], height, width)
    convex_pixels, feret = _convex_measures(labels, boxes, height, width)
    table["solidity"] = sums[:, 0] / convex_pixels
    table["orientation"] = orientation
    table["feret_diameter_max"] = feret
    table |= {"centroid-0": centroids[:, 0] * height, "centroid-1": centroids[:, 1] * width}
    table |= {f"bbox-{number}": boxes[:, number].copy() for number in range(4)}
    if pixels is not None:
        table |= _value_columns(labels, pixels, sums[:, 0])
    return table


def checked_spacing(spacing: Spacing | None) -> tuple[float, float]:
    """Height and width of a pixel; 1 and 1 if they are not known.

    Raises:
        ValueError: if they are not one or two positive numbers.
    """
    if spacing is None:
        return 1.0, 1.0
    given = [spacing, spacing] if np.ndim(spacing) == 0 else list(spacing)  # type: ignore[arg-type]
    if len(given) != 2:
        raise ValueError("The spacing is one number, or two: the height and the width of a pixel.")
    height, width = (checks.number(one, "The spacing", 1e-12, 1e12) for one in given)
    return height, width


def _pixels_of(image: Image | ArrayLike, shape: tuple[int, ...]) -> NDArray[Any]:
    pixels = (image if isinstance(image, Image) else image_from_pixels(image)).pixels
    if pixels.shape[:2] != shape:
        raise ValueError(
            f"The image has {pixels.shape[0]} x {pixels.shape[1]} pixels, "
            f"but the segmentation has {shape[0]} x {shape[1]}."
        )
    return pixels


def _perimeter(labels: NDArray[np.int32], count: int) -> NDArray[np.float64]:
    from segmentation.objects import _measuring_kernels as kernels

    steps = np.zeros((count, 3), np.int64)
    kernels.border_steps(labels, steps)
    straight, aslant, half = steps.T  # added in this order; a matrix product's order depends on how many they are
    return straight + np.sqrt(2) * aslant + (1 + np.sqrt(2)) / 2 * half


def _axes(
    labels: NDArray[np.int32], centroids: NDArray[np.float64], pixels: NDArray[np.int64], height: float, width: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Eccentricity and orientation of the ellipse with the same second moments."""
    from segmentation.objects import _measuring_kernels as kernels

    moments = np.zeros((len(pixels), 3))
    kernels.central_moments(labels, centroids, moments)
    rows, columns, both = (moments / pixels[:, np.newaxis] * (height * height, width * width, height * width)).T
    middle, apart = (rows + columns) / 2, np.hypot((rows - columns) / 2, both)
    with np.errstate(invalid="ignore", divide="ignore"):
        squared = 1 - np.maximum(middle - apart, 0) / (middle + apart)
    eccentricity = np.where(middle + apart > 0, np.sqrt(squared), 0)
    aslant = np.where(-both < 0, np.pi / 4, -np.pi / 4)
    return eccentricity, np.where(columns == rows, aslant, np.arctan2(2 * both, rows - columns) / 2)


def _convex_measures(
    labels: NDArray[np.int32], boxes: NDArray[np.int64], height: float, width: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    from segmentation.objects import _measuring_kernels as kernels

    starts = np.concatenate(([0], np.cumsum(boxes[:, 2] - boxes[:, 0])))
    spans = np.full((starts[-1], 2), -1, np.int64)
    kernels.row_spans(labels, starts, boxes, spans)
    areas, diameters = np.zeros(len(boxes), np.int64), np.zeros(len(boxes))
    kernels.convex_measures(spans, starts, height, width, areas, diameters)
    return areas, diameters


def _value_columns(labels: NDArray[np.int32], pixels: NDArray[Any], sizes: NDArray[np.int64]) -> Table:
    from segmentation.objects import _measuring_kernels as kernels

    columns: Table = {}
    several = pixels.ndim == 3
    for channel in range(pixels.shape[2] if several else 1):
        plane = np.ascontiguousarray(pixels[..., channel] if several else pixels)
        found, squares = np.empty((len(sizes), 3)), np.zeros((len(sizes), 2))
        kernels.values(labels, plane, found, squares)
        differences = found[:, 0] / sizes
        variance = np.maximum(squares[:, 1] / sizes - differences * differences, 0)
        measured = (squares[:, 0] + differences, found[:, 1], found[:, 2], np.sqrt(variance))
        ending = f"-{channel}" if several else ""
        columns |= {name + ending: values for name, values in zip(VALUE_COLUMNS, measured, strict=True)}
    return {name + ending: columns[name + ending] for name in VALUE_COLUMNS for ending in _endings(pixels)}


def _endings(pixels: NDArray[Any]) -> list[str]:
    return [f"-{channel}" for channel in range(pixels.shape[2])] if pixels.ndim == 3 else [""]
