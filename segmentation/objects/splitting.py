"""Splitting objects that touch: a watershed of the distance transform, of which shallow basins are joined again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray


def split_objects(
    labels: NDArray[np.int32], eagerness: float, connectivity: int, spacing: Sequence[float] | None = None
) -> NDArray[np.int32]:
    """Split objects at their waists.

    The watershed of the negative distance from the border (``skimage.segmentation.watershed``; S. Beucher, F. Meyer,
    "The morphological approach to segmentation: the watershed transformation", 1993) has a basin for each thickest
    place. Two basins stay apart where the waist between them is narrower than ``eagerness`` times the smaller of
    their largest widths, so that the size of an object does not matter; others are joined, the widest waists first.

    Args:
        labels: ``(rows, columns)`` or ``(planes, rows, columns)``, from 1, 0 where there is no object.
        eagerness: from 0, which splits nothing, to 1.
        connectivity: as scikit-image has it, from 1 to the number of axes.
        spacing: of the pixels along each axis, in which widths are measured; None measures in pixels.

    Returns:
        As large, numbered in the order of the first pixels.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import watershed

    padded = np.pad(labels > 0, 1)  # the border of the image is a border of objects, as if nothing lay beyond
    distance = distance_transform_edt(padded, sampling=spacing)[(slice(1, -1),) * labels.ndim].astype(np.float32)
    basins = watershed(-distance, mask=labels > 0, connectivity=connectivity).astype(np.int32, copy=False)
    return number_by_first_pixel(_joined(basins, distance, eagerness, connectivity)[basins])


def _joined(
    basins: NDArray[np.int32], distance: NDArray[np.float32], eagerness: float, connectivity: int
) -> NDArray[np.int32]:
    """The basin that stands for each basin, ``(basins + 1,)``."""
    count = int(basins.max())
    peaks = np.zeros(count + 1, np.float32)
    np.maximum.at(peaks, basins.ravel(), distance.ravel())
    parents = np.arange(count + 1, dtype=np.int32)

    def root(one: int) -> int:
        while parents[one] != one:
            parents[one] = parents[parents[one]]
            one = int(parents[one])
        return one

    for first, second, waist in _waists(basins, distance, connectivity):
        one, other = root(first), root(second)
        if one != other and waist >= eagerness * min(peaks[one], peaks[other]):
            low, high = sorted((one, other))
            parents[high] = low
            peaks[low] = max(peaks[one], peaks[other])
    return np.array([root(one) for one in range(count + 1)], np.int32)


def _waists(
    basins: NDArray[np.int32], distance: NDArray[np.float32], connectivity: int
) -> list[tuple[int, int, float]]:
    """Pairs of basins that touch, and half the width of the waist between them; the widest first."""
    pairs, heights = [], []
    for steps in _neighbours(basins.ndim, connectivity):
        sides = list(zip(basins.shape, steps, strict=True))
        here = tuple(slice(max(0, -step), side - max(0, step)) for side, step in sides)
        there = tuple(slice(max(0, step), side - max(0, -step)) for side, step in sides)
        touching = (basins[here] != basins[there]) & (basins[here] > 0) & (basins[there] > 0)
        pairs.append(np.sort(np.stack((basins[here][touching], basins[there][touching]), axis=1), axis=1))
        heights.append(np.minimum(distance[here][touching], distance[there][touching]))
    every, height = np.concatenate(pairs), np.concatenate(heights)
    order = np.lexsort((every[:, 1], every[:, 0], -height))
    return list(zip(every[order, 0].tolist(), every[order, 1].tolist(), height[order].tolist(), strict=True))


def _neighbours(axes: int, connectivity: int) -> list[tuple[int, ...]]:
    """The steps to neighbours of a pixel, of each pair of opposite ones one."""
    every = product((-1, 0, 1), repeat=axes)
    return [steps for steps in every if steps > (0,) * axes and sum(map(abs, steps)) <= connectivity]


def number_by_first_pixel(labels: NDArray[Any]) -> NDArray[np.int32]:
    """The same parts, numbered from 1 in the order of their first pixels, row by row; 0 stays."""
    flat = labels.ravel()
    first = np.full(int(flat.max(initial=0)) + 1, flat.size, np.int64)
    there = np.flatnonzero(flat)
    first[flat[there[::-1]]] = there[::-1]  # the last one written is the first one met
    order = np.argsort(first[1:], kind="stable") + 1
    new = np.zeros(len(first), np.int32)
    new[order] = np.arange(1, len(first), dtype=np.int32)
    return new[labels]
