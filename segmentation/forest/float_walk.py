"""The walk of a forest on float features: for shares of classes at leaves, and for thresholds that are no edges."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation.forest._bit_layout import WHOLE_SHARE
from segmentation.forest.trees import Trees

NODE = np.dtype([("feature", np.int32), ("threshold", np.float32), ("left", np.int32), ("right", np.int32)])
"""An inner node for the kernels: the place of its feature in a block, and its children, nodes or ``~leaf``."""

PIXELS_PER_TASK = 16384
"""Pixels that a thread predicts before it looks for more: enough to be worth it, few enough to end together."""

Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class FloatWalk:
    """What the kernel walks on; see :func:`segmentation.forest._walk_kernels.predict_rectangle`."""

    features: Ids
    roots: Ids
    nodes: NDArray[np.void]
    slots: Ids
    shares: Ids

    @classmethod
    def of(cls, forest: Trees) -> FloatWalk:
        """The walk through the trees of a checked forest."""
        from segmentation.forest._lanes import PIXELS
        from segmentation.forest._walk_kernels import TREES

        inner = forest.feature >= 0
        number = np.where(inner, np.cumsum(inner) - 1, ~(np.cumsum(~inner) - 1)).astype(np.int32)
        features, feature = np.unique(forest.feature[inner], return_inverse=True)
        nodes = np.empty(len(feature), NODE)
        nodes["feature"] = feature * PIXELS
        nodes["threshold"] = forest.threshold[inner]
        nodes["left"] = number[forest.left[inner]]
        nodes["right"] = number[forest.right[inner]]
        shares = forest.whole_shares()[:, ~inner]
        one_class = shares == WHOLE_SHARE
        places = _trees(forest)[~inner] % TREES * forest.n_classes + one_class.argmax(axis=0)
        slots = np.where(one_class.any(axis=0), places, TREES * forest.n_classes).astype(np.int32)
        return cls(features, number[forest.roots], nodes, slots, np.ascontiguousarray(shares[:-1]))

    def probabilities(
        self, pixels: NDArray[np.float32], shape: tuple[int, ...], *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """The probability of each class.

        Args:
            pixels: ``(features, pixels)`` float32, C-contiguous and not to be written.
            shape: of the image that the pixels are: neighbours are walked together.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(classes, pixels)`` float32.
        """
        probabilities = np.empty((len(self.shares) + 1, pixels.shape[1]), np.float32)
        self._fill(pixels, shape, probabilities, np.empty(0, np.uint8), threads)
        return probabilities

    def classes(
        self, pixels: NDArray[np.float32], shape: tuple[int, ...], *, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """The first of the most probable classes, ``(pixels,)`` uint8 from 0; else as :meth:`probabilities`."""
        classes = np.empty(pixels.shape[1], np.uint8)
        self._fill(pixels, shape, np.empty((len(self.shares) + 1, 0), np.float32), classes, threads)
        return classes

    def _fill(
        self,
        pixels: NDArray[np.float32],
        shape: tuple[int, ...],
        probabilities: NDArray[np.float32],
        classes: NDArray[np.uint8],
        threads: int | None,
    ) -> None:
        """Fill one of two arrays with predictions; the other is empty."""
        from segmentation.forest._walk_kernels import predict_rectangle

        table = self.features, self.roots, self.nodes, self.slots, self.shares

        def work(rectangles: Iterator[tuple[int, int, tuple[int, int]]]) -> None:
            for first, pitch, size in rectangles:
                predict_rectangle(pixels, first, pitch, size, *table, probabilities, classes)

        share(_rectangles(shape), work, threads)


def _trees(forest: Trees) -> NDArray[np.intp]:
    """The index of each node's tree."""
    trees = np.zeros(len(forest.feature), np.intp)
    trees[forest.roots] = np.arange(forest.n_trees)
    level = forest.roots[forest.feature[forest.roots] >= 0]
    while len(level):
        for children in (forest.left[level], forest.right[level]):
            trees[children] = trees[level]
        level = np.concatenate([forest.left[level], forest.right[level]])
        level = level[forest.feature[level] >= 0]
    return trees


def _rectangles(shape: tuple[int, ...]) -> list[tuple[int, int, tuple[int, int]]]:
    """The first pixel, pitch and size of rectangles that cover an array: tasks for threads."""
    from segmentation.forest._walk_kernels import BLOCK_COLUMNS, BLOCK_ROWS

    if len(shape) == 2 and shape[0] >= BLOCK_ROWS:
        rows, columns = shape
        step = -(-PIXELS_PER_TASK // (columns * BLOCK_ROWS)) * BLOCK_ROWS if columns else rows
        return [(row * columns, columns, (min(step, rows - row), columns)) for row in range(0, rows, step)]
    count = math.prod(shape)
    rows, rest = divmod(count, BLOCK_COLUMNS)
    step = PIXELS_PER_TASK // BLOCK_COLUMNS
    rectangles = [
        (row * BLOCK_COLUMNS, BLOCK_COLUMNS, (min(step, rows - row), BLOCK_COLUMNS)) for row in range(0, rows, step)
    ]
    return [*rectangles, (count - rest, BLOCK_COLUMNS, (1, rest))] if rest else rectangles
