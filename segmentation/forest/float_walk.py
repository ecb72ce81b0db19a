"""The walk of a forest on float features: for shares of classes at leaves, and for thresholds that are no edges.

Shares of classes are whole numbers, so that their sum is exact, whatever the order of the trees; the last class has
what the others leave.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation.forest.forest import Forest

_PIXELS_PER_TASK = 8192

Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class FloatWalk:
    """What the kernel walks on; see :func:`segmentation.forest._walk_kernels.walk_trees`."""

    features: Ids
    roots: Ids
    depths: Ids
    feature: Ids
    threshold: NDArray[np.float32]
    children: Ids
    shares: Ids

    @classmethod
    def of(cls, forest: Forest) -> FloatWalk:
        """The walk through a forest's trees.

        Raises:
            ValueError: if the forest's arrays contradict each other.
        """
        from segmentation.forest._walk_kernels import WHOLE_SHARE

        forest.check()
        inner = forest.feature >= 0
        features, of_node = np.unique(forest.feature[inner], return_inverse=True)
        feature, themselves = np.zeros(len(inner), np.int32), np.arange(len(inner))
        feature[inner] = of_node
        children = [np.where(inner, child, themselves) for child in (forest.left, forest.right)]
        up_to_class = np.rint(np.cumsum(forest.probabilities[:, :-1].T, axis=0).clip(max=1) * WHOLE_SHARE)
        shares = np.diff(up_to_class, axis=0, prepend=0, append=WHOLE_SHARE)
        return cls(
            features.astype(np.int32),
            forest.roots,
            _depths(forest),
            feature,
            forest.threshold,
            np.ascontiguousarray(np.stack(children, axis=1), np.int32),
            np.ascontiguousarray(shares, np.int32),
        )

    def probabilities(self, planes: NDArray[np.float32], *, threads: int | None = None) -> NDArray[np.float32]:
        """``(classes, pixels)`` float32, from ``(features, pixels)`` float32; the result does not depend on threads."""
        probabilities = np.empty((len(self.shares), planes.shape[1]), np.float32)
        self._run(planes, probabilities, np.empty(0, np.uint8), threads)
        return probabilities

    def classes(self, planes: NDArray[np.float32], *, threads: int | None = None) -> NDArray[np.uint8]:
        """``(pixels,)`` uint8, the first of the most probable classes of each pixel, from 0."""
        classes = np.empty(planes.shape[1], np.uint8)
        self._run(planes, np.empty((len(self.shares), 0), np.float32), classes, threads)
        return classes

    def _run(
        self,
        planes: NDArray[np.float32],
        probabilities: NDArray[np.float32],
        classes: NDArray[np.uint8],
        threads: int | None,
    ) -> None:
        from segmentation.forest._walk_kernels import walk_trees

        pixels = np.ascontiguousarray(planes).view()
        pixels.flags.writeable = False  # for Numba an array that can be written is of another type

        def work(starts: Iterator[int]) -> None:
            for start in starts:
                walk_trees(
                    pixels,
                    start,
                    min(start + _PIXELS_PER_TASK, pixels.shape[1]),
                    self.features,
                    self.roots,
                    self.depths,
                    self.feature,
                    self.threshold,
                    self.children,
                    self.shares,
                    probabilities,
                    classes,
                )

        share(range(0, pixels.shape[1], _PIXELS_PER_TASK), work, threads)


def _depths(forest: Forest) -> Ids:
    """The most comparisons between each tree's root and a leaf."""
    depths = np.zeros(forest.n_trees, np.int32)
    trees, level = np.arange(forest.n_trees), forest.roots
    while True:
        inner = forest.feature[level] >= 0
        trees, level = trees[inner], level[inner]
        if not len(level):
            return depths
        depths[trees] += 1  # once a tree, however many of its nodes are at this level
        trees, level = np.tile(trees, 2), np.concatenate([forest.left[level], forest.right[level]])
