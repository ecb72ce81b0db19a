"""Cleaning up a segmentation: holes, small parts, rough borders, parts at the border of the image.

All steps look at the whole segmentation, so that a part is one part wherever an image was cut into tiles.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation.io.pixel_size import PixelSize
from segmentation.objects.labelling import class_ids_of
from segmentation.objects.sized import AnyStep, steps_in_pixels
from segmentation.objects.steps import (
    DROP_BORDER,
    DROP_SMALL,
    KEEP_BORDER,
    CleanUpStep,
    Steps,
    carry_out,
    changes_classes,
    checked_steps,
)

_SIDES_AT_FIRST = 1 << 16


def clean_up(
    segmentation: ArrayLike, steps: Iterable[AnyStep], *, pixel_size: PixelSize | None = None
) -> NDArray[np.uint8]:
    """A segmentation after some steps, in their order.

    A part is a connected part of a class with 8 neighbours, a hole a connected part of all other pixels with 4
    neighbours that does not touch the border of the image. A part that is dropped goes, as a whole, to the class that
    most sides of its pixels touch, of several the one with the smallest id; pixels without a class (0) count as a class
    there. A step for several classes is done class by class, the smallest id first.

    Args:
        segmentation: ``(rows, columns)`` class ids, 0 where there is none; or those of a volume, ``(planes, rows,
            columns)``, where parts have 26 neighbours, holes 6, and borders are smoothed within a ball. It is not
            changed.
        steps: see :class:`CleanUpStep`; or their plain JSON values, such as ``{"kind": "drop_small", "size": 20}``, or
            ``{"kind": "drop_small", "size": 5, "unit": "µm"}`` for 5 µm².
        pixel_size: how large a pixel is, for sizes in a unit.

    Returns:
        As large, uint8.

    Raises:
        ValueError: if the segmentation or a step is not possible.
    """
    checked = steps_in_pixels(steps, lambda: {"the segmentation": pixel_size})
    if np.ndim(segmentation) == 3:
        from segmentation.objects.volumes import clean_up_voxels

        return clean_up_voxels(segmentation, checked)
    ids = class_ids_of(segmentation).copy()
    carry_out(checked, ids, smooth=_smooth, fill_holes=_fill_holes, drop=_drop)
    return ids


def clean_up_found(segmentation: NDArray[np.uint8], steps: Steps) -> NDArray[np.uint8]:
    """What a classifier found, after some steps: pixels without data, which are 0, stay so, and no others become so.

    Args:
        segmentation: ``(rows, columns)`` uint8.
        steps: as of :func:`clean_up`.

    Returns:
        ``(rows, columns)`` uint8; the segmentation itself if no step changes classes.
    """
    checked = checked_steps(steps)
    if not changes_classes(checked):
        return segmentation
    cleaned = clean_up(segmentation, checked)
    if not segmentation.all():
        cleaned = np.where((segmentation == 0) | (cleaned == 0), segmentation, cleaned)
    return cleaned


def _fill_holes(ids: NDArray[np.uint8], class_id: int, area: int) -> None:
    from skimage.measure import label

    parts = label(ids != class_id, connectivity=1)
    filled = np.bincount(parts.ravel()) <= area
    filled[0] = False
    filled[_at_the_border(parts)] = False
    if filled.any():
        ids[filled[parts]] = class_id


def _at_the_border(parts: NDArray[Any]) -> NDArray[Any]:
    return np.concatenate((parts[0], parts[-1], parts[:, 0], parts[:, -1]))


def _drop(ids: NDArray[np.uint8], class_id: int, step: CleanUpStep) -> None:
    """Give the parts of a class that a step drops to what surrounds them."""
    from skimage.measure import label

    parts = np.ascontiguousarray(label(ids == class_id, connectivity=2), np.int32)
    if step.kind == DROP_SMALL:
        gone = np.bincount(parts.ravel()) < step.size
    else:
        gone = np.full(int(parts.max()) + 1, step.kind == KEEP_BORDER)
        gone[_at_the_border(parts)] = step.kind == DROP_BORDER
    gone[0] = False
    if gone.any():
        heirs = _heirs(ids, parts, gone, class_id)
        changed = gone[parts]
        ids[changed] = heirs[parts[changed]]


def _heirs(
    ids: NDArray[np.uint8], parts: NDArray[np.int32], gone: NDArray[np.bool_], class_id: int
) -> NDArray[np.uint8]:
    """The class that each part which is dropped goes to; its own if there is no other."""
    from segmentation.objects import _cleaning_kernels as kernels

    keys = np.empty(_SIDES_AT_FIRST, np.int64)
    if (sides := kernels.touched(ids, parts, gone, keys)) > len(keys):
        keys = np.empty(sides, np.int64)
        kernels.touched(ids, parts, gone, keys)
    pairs, counts = np.unique(keys[:sides], return_counts=True)
    order = np.lexsort((-pairs % 256, counts))  # of equal counts the smallest class comes last, and wins
    heirs = np.full(len(gone), class_id, np.uint8)
    heirs[pairs[order] // 256] = pairs[order] % 256
    return heirs


def _smooth(ids: NDArray[np.uint8], step: CleanUpStep) -> None:
    """Let each pixel take the class that is most frequent in a disk around it; of several its own, or the smallest id.

    It is what ``skimage.filters.rank.majority`` computes, which is too slow to follow a slider.
    """
    from segmentation.objects import _cleaning_kernels as kernels

    radius = int(step.size)
    widths = np.floor(np.sqrt(radius * radius - np.arange(-radius, radius + 1) ** 2)).astype(np.int64)
    most, winners = np.zeros(ids.shape, np.int32), np.zeros_like(ids)
    counts = np.empty((ids.shape[0], ids.shape[1] + 2 * radius + 1), np.int32)
    found = np.empty(ids.shape, np.int32)
    for class_id in np.flatnonzero(np.bincount(ids.ravel(), minlength=256)).tolist():
        kernels.running_counts(ids, radius, class_id, counts)
        kernels.count_in_disk(counts, widths, found)
        kernels.keep_most_frequent(ids, class_id, found, most, winners)
    if step.classes is None:
        ids[:] = winners
    else:
        chosen = np.isin(np.arange(256), step.classes)
        changed = chosen[ids] | chosen[winners]
        ids[changed] = winners[changed]
