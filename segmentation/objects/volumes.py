"""Objects in volumes, ``(planes, rows, columns)``: cleaning up, numbering and measuring them, as scikit-image does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared import checks
from segmentation.io.image import Image
from segmentation.objects.steps import DROP_SMALL, KEEP_BORDER, CleanUpStep, carry_out
from segmentation.strokes.classes import LARGEST_CLASS_ID

CONNECTIVITIES = {6: 1, 18: 2, 26: 3}
"""How many neighbours a voxel is connected with, and what scikit-image calls that."""

MEASURES = (
    "label",
    "area",
    "equivalent_diameter_area",
    "extent",
    "axis_major_length",
    "axis_minor_length",
    "centroid",
    "bbox",
)
Spacing = float | Sequence[float] | None

VALUES = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std")


def voxel_ids(segmentation: ArrayLike) -> NDArray[np.uint8]:
    """A segmentation as ``(planes, rows, columns)`` uint8, C-contiguous.

    Raises:
        ValueError: if it has not planes, rows and columns of whole numbers from 0 to 255.
    """
    given = np.asarray(segmentation)
    if given.ndim != 3 or given.size == 0 or given.dtype.kind not in "bui":
        raise ValueError("A segmented volume has planes, rows and columns of class ids, which are whole numbers.")
    if given.dtype.kind != "b" and (given.min() < 0 or given.max() > LARGEST_CLASS_ID):
        raise ValueError(f"Class ids are whole numbers from 0 to {LARGEST_CLASS_ID}.")
    return np.ascontiguousarray(given, np.uint8)


def label_voxels(
    segmentation: ArrayLike, class_id: int, connectivity: int, split: float, spacing: Spacing
) -> NDArray[np.int32]:
    """The objects of a class, numbered from 1 in the order of their first voxels.

    Args:
        segmentation: ``(planes, rows, columns)`` class ids.
        class_id: the class.
        connectivity: 6, 18 or 26.
        split: how eagerly objects are split, from 0 to 1, see :func:`segmentation.objects.splitting.split_objects`.
        spacing: distance of planes, height and width of a voxel, in which waists are measured.

    Raises:
        ValueError: if an argument is not possible.
    """
    from skimage.measure import label

    from segmentation.objects.splitting import split_objects

    if connectivity not in CONNECTIVITIES:
        raise ValueError("Voxels are connected with 6, 18 or 26 neighbours.")
    eagerness, steps = checks.number(split, "The eagerness of splitting", 0, 1), voxel_spacing(spacing)
    ids = voxel_ids(segmentation)
    checks.whole_number(class_id, "The class", 1, LARGEST_CLASS_ID)
    theirs = CONNECTIVITIES[connectivity]
    labels: NDArray[np.int32] = label(ids == class_id, connectivity=theirs).astype(np.int32)
    return split_objects(labels, eagerness, theirs, steps) if eagerness and labels.any() else labels


def voxel_spacing(spacing: Spacing) -> tuple[float, float, float]:
    """Distance of planes, height and width of a voxel; 1 if they are not known.

    Raises:
        ValueError: if they are not one or three positive numbers.
    """
    each = 1.0 if spacing is None else spacing
    given = [each] * 3 if np.ndim(each) == 0 else list(each)  # type: ignore[arg-type]
    if len(given) != 3:
        raise ValueError("The spacing of a volume is one number, or three: distance of planes, height and width.")
    planes, height, width = (checks.number(one, "The spacing", 1e-12, 1e12) for one in given)
    return planes, height, width


def measure_voxels(
    labels: NDArray[np.int32], image: Image | ArrayLike | None, spacing: Spacing
) -> dict[str, NDArray[Any]]:
    """Measures of objects that are numbered, by :func:`skimage.measure.regionprops_table`, and their surface.

    The surface is that of the mesh that marching cubes (T. Lewiner et al., "Efficient implementation of marching cubes'
    cases with topological guarantees", 2003) lay around the object, by :func:`skimage.measure.mesh_surface_area`.

    Args:
        labels: ``(planes, rows, columns)`` int32.
        image: ``(planes, rows, columns)``, perhaps with channels as a last axis, whose values are measured.
        spacing: distance of planes, height and width of a voxel, or one number for all.

    Raises:
        ValueError: if the image or the spacing does not fit.
    """
    from skimage.measure import regionprops_table

    steps, values = voxel_spacing(spacing), None
    if image is not None:
        values = np.asarray(image.pixels if isinstance(image, Image) else image)
        if values.shape[:3] != labels.shape or values.ndim > 4:
            raise ValueError("The image must have as many planes, rows and columns as the segmentation.")
    measured = dict(regionprops_table(labels, values, properties=MEASURES, spacing=steps))
    measured |= _shapes(labels, steps)
    if values is not None:
        measured |= regionprops_table(labels, values, properties=VALUES, spacing=steps)
    return measured


def _shapes(labels: NDArray[np.int32], spacing: tuple[float, float, float]) -> dict[str, NDArray[np.float64]]:
    """Surface, solidity and Feret's diameter of objects; scikit-image has no convex hull of those that are flat."""
    from skimage.measure import marching_cubes, mesh_surface_area, regionprops

    columns: dict[str, list[float]] = {"surface_area": [], "solidity": [], "feret_diameter_max": []}
    for region in regionprops(labels, spacing=spacing):
        points, faces, _, _ = marching_cubes(np.pad(region.image, 1), 0.5, spacing=spacing)
        columns["surface_area"].append(float(mesh_surface_area(points, faces)))
        flat = np.linalg.matrix_rank(region.coords - region.coords[0]) < 3
        hull = region.image if flat else region.image_convex
        columns["solidity"].append(np.nan if flat else float(region.num_pixels / hull.sum()))
        columns["feret_diameter_max"].append(_feret(hull, spacing))
    return {name: np.array(column, np.float64) for name, column in columns.items()}


def _feret(convex: NDArray[np.bool_], spacing: tuple[float, float, float]) -> float:
    """The largest distance of two points of the surface of a convex object: two corners of its hull.

    Scikit-image looks at all pairs of points of the surface, which are too many to be kept of a large object.
    """
    from scipy.spatial import ConvexHull
    from scipy.spatial.distance import pdist
    from skimage.measure import marching_cubes

    surface = marching_cubes(np.pad(convex, 2), level=0.5)[0]
    corners = surface[ConvexHull(surface).vertices] * spacing
    return float(np.sqrt(pdist(corners, "sqeuclidean").max()))


def clean_up_voxels(segmentation: ArrayLike, steps: Sequence[CleanUpStep]) -> NDArray[np.uint8]:
    """As :func:`segmentation.objects.cleaning.clean_up`: parts have 26 neighbours, holes 6, and smoothing a ball."""
    ids = voxel_ids(segmentation).copy()
    carry_out(steps, ids, smooth=_smooth, fill_holes=_fill_holes, drop=_drop)
    return ids


def _at_the_border(parts: NDArray[Any]) -> NDArray[Any]:
    return np.unique(np.concatenate([np.take(parts, (0, -1), axis).ravel() for axis in range(3)]))


def _fill_holes(ids: NDArray[np.uint8], class_id: int, size: int) -> None:
    from skimage.measure import label

    parts = label(ids != class_id, connectivity=1)
    filled = np.bincount(parts.ravel()) <= size
    filled[0] = False
    filled[_at_the_border(parts)] = False
    ids[filled[parts]] = class_id


def _drop(ids: NDArray[np.uint8], class_id: int, step: CleanUpStep) -> None:
    from skimage.measure import label

    parts = label(ids == class_id, connectivity=3)
    if step.kind == DROP_SMALL:
        gone = np.bincount(parts.ravel()) < step.size
    else:
        gone = np.full(int(parts.max()) + 1, step.kind == KEEP_BORDER)
        gone[_at_the_border(parts)] = step.kind != KEEP_BORDER
    gone[0] = False
    if gone.any():
        heirs = _heirs(ids, parts, gone, class_id)
        changed = gone[parts]
        ids[changed] = heirs[parts[changed]]


def _heirs(ids: NDArray[np.uint8], parts: NDArray[Any], gone: NDArray[np.bool_], class_id: int) -> NDArray[np.uint8]:
    """The class that most sides of each part which is dropped touch, of several the smallest; its own if none is."""
    keys = []
    for axis in range(3):
        here, there = (np.moveaxis(array, axis, 0) for array in (parts, ids))
        for part, other in ((here[:-1], there[1:]), (here[1:], there[:-1])):
            sides = gone[part] & (other != class_id)
            keys.append(part[sides].astype(np.int64) * 256 + other[sides])
    pairs, counts = np.unique(np.concatenate(keys), return_counts=True)
    order = np.lexsort((-pairs % 256, counts))
    heirs = np.full(len(gone), class_id, np.uint8)
    heirs[pairs[order] // 256] = pairs[order] % 256
    return heirs


def _smooth(ids: NDArray[np.uint8], step: CleanUpStep) -> None:
    """Let each voxel take the class that is most frequent in a ball; of several its own, or the smallest id."""
    from scipy.signal import fftconvolve
    from skimage.morphology import ball

    around, most, winners = ball(int(step.size)).astype(np.float32), np.zeros(ids.shape), np.zeros_like(ids)
    for class_id in np.flatnonzero(np.bincount(ids.ravel(), minlength=256)).tolist():
        found = np.rint(fftconvolve((ids == class_id).astype(np.float32), around, "same"))
        better = (found > most) | ((found == most) & (ids == class_id))
        most, winners = np.where(better, found, most), np.where(better, class_id, winners).astype(np.uint8)
    if step.classes is None:
        ids[:] = winners
    else:
        chosen = np.isin(np.arange(256), step.classes)
        changed = chosen[ids] | chosen[winners]
        ids[changed] = winners[changed]
