"""Splitting objects that touch: a watershed of the distance transform, of which shallow basins are joined again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache


@dataclass(frozen=True, eq=False)
class Basins:
    """The basins of a watershed, and how they touch: what splitting needs, however eager it is.

    Attributes:
        numbers: ``(rows, columns)`` or ``(planes, rows, columns)`` int32, the basin at each pixel, from 1, 0 for none.
        peaks: ``(basins + 1,)`` float32, half the largest width of each basin.
        pairs: ``(pairs, 2)`` int32, basins that touch, those with the widest waists first.
        waists: ``(pairs,)`` float32, half the width of the waist between them.
    """

    numbers: NDArray[np.int32]
    peaks: NDArray[np.float32]
    pairs: NDArray[np.int32]
    waists: NDArray[np.float32]

    @property
    def nbytes(self) -> int:
        """About as many bytes as they take."""
        return self.numbers.nbytes + self.peaks.nbytes + self.pairs.nbytes + self.waists.nbytes

    def joined(self, eagerness: float) -> NDArray[np.int32]:
        """Objects: two basins stay apart where the waist is narrower than ``eagerness`` times the smaller width.

        Args:
            eagerness: from 0 to 1.

        Returns:
            As large as ``numbers``, numbered in the order of the first pixels.
        """
        peaks, parents = self.peaks.copy(), list(range(len(self.peaks)))

        def root(one: int) -> int:
            while parents[one] != one:
                parents[one] = parents[parents[one]]
                one = parents[one]
            return one

        for (first, second), waist in zip(self.pairs.tolist(), self.waists.tolist(), strict=True):
            one, other = root(first), root(second)
            if one != other and waist >= eagerness * min(peaks[one], peaks[other]):
                low, high = min(one, other), max(one, other)
                parents[high] = low
                peaks[low] = max(peaks[one], peaks[other])
        return number_by_first_pixel(np.array([root(one) for one in range(len(parents))], np.int32)[self.numbers])


def find_basins(mask: NDArray[np.bool_], connectivity: int, spacing: Sequence[float] | None = None) -> Basins:
    """The watershed of the negative distance from the border of objects, whose basins are their thickest places.

    Args:
        mask: ``(rows, columns)`` or ``(planes, rows, columns)``, where there are objects.
        connectivity: as scikit-image has it, from 1 to the number of axes.
        spacing: of the pixels along each axis, in which widths are measured; None measures in pixels.
    """
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import watershed

    padded = np.pad(mask, 1)  # the border of the image is a border of objects, as if nothing lay beyond
    distance = distance_transform_edt(padded, sampling=spacing)[(slice(1, -1),) * mask.ndim].astype(np.float32)
    basins = watershed(-distance, mask=mask, connectivity=connectivity).astype(np.int32, copy=False)
    peaks = np.zeros(int(basins.max(initial=0)) + 1, np.float32)
    np.maximum.at(peaks, basins.ravel(), distance.ravel())
    return Basins(basins, peaks, *_waists(basins, distance, connectivity))


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
    return find_basins(labels > 0, connectivity, spacing).joined(eagerness)


class Splitter:
    """Splits objects as :func:`split_objects` does, and keeps the basins of lately, for a slider that moves.

    Args:
        budget: bytes that the basins which are kept may take.
    """

    def __init__(self, budget: int) -> None:
        self._kept: BoundedCache[tuple[bytes, tuple[int, ...], int], Basins] = BoundedCache(
            budget, lambda basins: basins.nbytes
        )

    def __call__(self, labels: NDArray[np.int32], eagerness: float, connectivity: int) -> NDArray[np.int32]:
        """See :func:`split_objects`."""
        mask = labels > 0
        key = blake2b(np.packbits(mask).tobytes()).digest(), mask.shape, connectivity
        basins = self._kept.get(key)
        if basins is None:
            basins = find_basins(mask, connectivity)
            self._kept.put(key, basins)
        return basins.joined(eagerness)


def _waists(
    basins: NDArray[np.int32], distance: NDArray[np.float32], connectivity: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Pairs of basins that touch, each once, and half the width of the widest waist between them; the widest first."""
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
    _, widest = np.unique(every[order].astype(np.int64) @ (1 << 32, 1), return_index=True)
    order = order[np.sort(widest)]  # a waist that does not join two basins is not outdone by a narrower one of theirs
    return every[order], height[order]


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
