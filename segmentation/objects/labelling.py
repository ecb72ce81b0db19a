"""Objects: the connected parts of a class, each with a number of its own, and split where they only touch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared import checks
from segmentation.strokes.classes import LARGEST_CLASS_ID

MOST_OBJECTS = 500_000
"""Beyond this a class is noise, which nobody measures part by part."""

FEW_OBJECTS = 100_000
"""At most so many are left by the size filter that is offered instead."""

_CONNECTIVITIES = {4: 1, 8: 2}

Split = Callable[[NDArray[np.int32], float, int], NDArray[np.int32]]
"""Splits numbered objects with an eagerness, where pixels are connected as scikit-image has it."""


class TooManyObjects(ValueError):
    """A class falls into more parts than are measured; the message offers a size filter."""


def class_ids_of(segmentation: ArrayLike) -> NDArray[np.uint8]:
    """A segmentation as ``(rows, columns)`` uint8, C-contiguous.

    Raises:
        ValueError: if it has not rows and columns of whole numbers from 0 to 255.
    """
    given = np.asarray(segmentation)
    if given.ndim != 2 or given.size == 0 or given.dtype.kind not in "bui":
        raise ValueError("A segmentation has rows and columns of class ids, which are whole numbers.")
    if given.dtype.kind != "b" and (given.min() < 0 or given.max() > LARGEST_CLASS_ID):
        raise ValueError(f"Class ids are whole numbers from 0 to {LARGEST_CLASS_ID}.")
    return np.ascontiguousarray(given, np.uint8)


def skimage_connectivity(connectivity: int) -> int:
    """What scikit-image calls 4 or 8 neighbours.

    Raises:
        ValueError: if it is neither.
    """
    if connectivity not in _CONNECTIVITIES:
        raise ValueError("Pixels are connected with 4 or with 8 neighbours.")
    return _CONNECTIVITIES[connectivity]


def label_objects(
    segmentation: ArrayLike,
    class_id: int,
    *,
    connectivity: int | None = None,
    split: float = 0.0,
    spacing: float | Sequence[float] | None = None,
) -> NDArray[np.int32]:
    """The objects of a class, numbered from 1 in the order of their first pixels, row by row.

    Args:
        segmentation: ``(rows, columns)`` class ids, or ``(planes, rows, columns)`` of a volume.
        class_id: the class, 1 to 255.
        connectivity: 4 or 8 neighbours of a pixel are connected to it, or 6, 18 or 26 of a voxel; None takes all, 8 or
            26.
        split: objects that touch are split where they are narrower than this share of the smaller one's width; 0 splits
            nothing, 1 at every waist. See :func:`segmentation.objects.splitting.split_objects`.
        spacing: of a volume, distance of planes, height and width of a voxel, in which waists are measured; those of an
            image are measured in pixels.

    Returns:
        As large, int32, 0 where there is no object.

    Raises:
        ValueError: if an argument is not possible.
        TooManyObjects: if there are more than 500,000.
    """
    if np.ndim(segmentation) == 3:
        from segmentation.objects.volumes import label_voxels

        voxels = label_voxels(segmentation, class_id, 26 if connectivity is None else connectivity, split, spacing)
        refuse_too_many(voxels, class_id, connectivity in (None, 26) and not split)
        return voxels
    ids = class_ids_of(segmentation)
    checks.whole_number(class_id, "The class", 1, LARGEST_CLASS_ID)
    eagerness = checks.number(split, "The eagerness of splitting", 0, 1)
    return label_class(ids, class_id, skimage_connectivity(8 if connectivity is None else connectivity), eagerness)


def label_class(
    ids: NDArray[np.uint8], class_id: int, neighbours: int, eagerness: float, splitter: Split | None = None
) -> NDArray[np.int32]:
    """What :func:`label_objects` gives, of arguments that are checked.

    Args:
        ids: ``(rows, columns)`` class ids.
        class_id: the class.
        neighbours: how pixels are connected, as scikit-image has it.
        eagerness: of splitting, from 0 to 1.
        splitter: splits, perhaps with what it remembers; None takes :func:`split_objects`.
    """
    from skimage.measure import label

    labels: NDArray[np.int32] = label(ids == class_id, connectivity=neighbours).astype(np.int32, copy=False)
    as_filtered = neighbours == _CONNECTIVITIES[8] and not eagerness
    refuse_too_many(labels, class_id, as_filtered)
    if eagerness and labels.any():
        from segmentation.objects.splitting import split_objects

        labels = (splitter or split_objects)(labels, eagerness, neighbours)
        refuse_too_many(labels, class_id, as_filtered)
    return np.ascontiguousarray(labels)


def refuse_too_many(labels: NDArray[np.int32], class_id: int, as_filtered: bool) -> None:
    """Refuse what nobody measures part by part, with a size filter that leaves what can be measured.

    Args:
        labels: the number of the object at each pixel.
        class_id: the class.
        as_filtered: whether objects are the parts that a size filter looks at, neither split nor apart at corners.

    Raises:
        TooManyObjects: if there are more than 500,000 objects.
    """
    parts = int(labels.max(initial=0))
    if parts <= MOST_OBJECTS:
        return
    offer = size_filter(np.bincount(labels.ravel())[1:], as_filtered)
    raise TooManyObjects(
        f"Class {class_id} falls into {parts:,} parts, and at most {MOST_OBJECTS:,} are measured. {offer}"
    )


def size_filter(areas: NDArray[np.int64], as_filtered: bool) -> str:
    """A sentence that offers to drop small parts, so that few are left, or at least as few as are measured; not none.

    Args:
        areas: ``(parts,)``, the pixels of each.
        as_filtered: see :func:`refuse_too_many`; else what the filter leaves may fall into more objects.
    """
    at_least = np.cumsum(np.bincount(areas)[::-1])[::-1]  # parts of at least so many pixels
    for most in (FEW_OBJECTS, MOST_OBJECTS):
        if (enough := (at_least <= most) & (at_least > 0)).any():
            area = int(np.argmax(enough))
            left = f"{'' if as_filtered else 'at least '}{int(at_least[area]):,}"
            return f"Drop those below {area:,} pixels (drop_small={area}): that leaves {left}."
    return "They are so alike in size that no size filter leaves some of them: smooth the borders first (smooth=1)."
