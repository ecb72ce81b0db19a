"""A fitted scikit-learn forest, flattened into arrays, so that it predicts fast, equally and without pickle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
    from sklearn.tree._tree import Tree


NODE = np.dtype([("feature", np.int32), ("threshold", np.float32), ("left", np.int32), ("right", np.int32)])
"""An inner node for the kernels: the place of its feature in a block, and its children, nodes or ``~leaf``."""

Table: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.void], NDArray[np.int32], NDArray[np.int32]]

MAX_CLASSES = 255

PIXELS_PER_TASK = 16384
"""Pixels that a thread predicts before it looks for more: enough to be worth it, few enough to end together."""


def warm_up() -> None:
    """Compile the kernels, or load them from Numba's cache, so that the first prediction need not wait for it."""
    stump = Forest(
        n_features=1,
        roots=np.array([0], np.int32),
        feature=np.array([0, -1, -1], np.int32),
        threshold=np.zeros(3, np.float32),
        left=np.array([1, -1, -1], np.int32),
        right=np.array([2, -1, -1], np.int32),
        probabilities=np.ones((3, 1)),
    )
    stump.predict(np.zeros((1, 1), np.float32), threads=1)


@dataclass(frozen=True, eq=False)
class Forest:
    """Decision trees as arrays; a pixel goes left where its feature is at most the threshold.

    Attributes:
        n_features: number of features that the trees look at.
        roots: ``(trees,)`` int32, index of each tree's first node.
        feature: ``(nodes,)`` int32, the feature that a node compares; -1 at a leaf.
        threshold: ``(nodes,)`` float32, rounded down from scikit-learn's float64, which changes no comparison
            with a float32 feature.
        left: ``(nodes,)`` int32, index of the child for smaller values; -1 at a leaf.
        right: ``(nodes,)`` int32, index of the child for larger values; -1 at a leaf.
        probabilities: ``(nodes, classes)`` float64, the share of each class at a node.
    """

    n_features: int
    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    probabilities: NDArray[np.float64]

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.probabilities.shape[1])

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @property
    def nbytes(self) -> int:
        """Bytes that it takes once it has predicted: its arrays, and the table that the kernels walk on."""
        arrays = (self.roots, self.feature, self.threshold, self.left, self.right, self.probabilities)
        inner = int(np.count_nonzero(self.feature >= 0))
        of_leaves = self.n_classes * np.dtype(np.int32).itemsize * (len(self.feature) - inner)
        return sum(array.nbytes for array in arrays) + NODE.itemsize * inner + of_leaves

    @classmethod
    def from_sklearn(cls, model: RandomForestClassifier | ExtraTreesClassifier) -> Forest:
        """The trees of a fitted scikit-learn forest with one output."""
        roots, features, thresholds, lefts, rights, shares = [], [], [], [], [], []
        start = 0
        for estimator in model.estimators_:
            tree = estimator.tree_
            leaf = tree.children_left < 0
            threshold = tree.threshold.astype(np.float32)
            above = threshold > tree.threshold
            threshold[above] = np.nextafter(threshold[above], np.float32(-np.inf))
            value = tree.value[:, 0, :]
            roots.append(start)
            features.append(np.where(leaf, -1, tree.feature))
            thresholds.append(np.where(leaf, 0, threshold))
            lefts.append(np.where(leaf, -1, tree.children_left + start))
            rights.append(np.where(leaf, -1, tree.children_right + start))
            shares.append(value / value.sum(axis=1, keepdims=True))
            start += tree.node_count
        return cls(
            n_features=int(model.n_features_in_),
            roots=np.array(roots, np.int32),
            feature=np.concatenate(features).astype(np.int32),
            threshold=np.concatenate(thresholds).astype(np.float32),
            left=np.concatenate(lefts).astype(np.int32),
            right=np.concatenate(rights).astype(np.int32),
            probabilities=np.concatenate(shares).astype(np.float64),
        )

    def to_sklearn(self, classes: Sequence[Any] | NDArray[Any] | None = None) -> RandomForestClassifier:
        """A fitted scikit-learn forest with the same trees.

        Args:
            classes: what its ``classes_`` are to be, in the order of the probabilities; None numbers them from 0.

        Returns:
            A :class:`sklearn.ensemble.RandomForestClassifier` that predicts from rows of float32 features. What only
            training knows, such as the impurity of a node and the number of its samples, is set to 0 and 1.

        Raises:
            ValueError: if the forest's arrays contradict each other, or there are not as many classes as it has.
        """
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.tree import DecisionTreeClassifier

        self.check()
        labels = np.arange(self.n_classes) if classes is None else np.asarray(classes)
        if labels.shape != (self.n_classes,):
            raise ValueError(f"The forest has {self.n_classes} classes, but {labels.size} are given.")
        forest = RandomForestClassifier(n_estimators=self.n_trees)
        forest.estimator_ = DecisionTreeClassifier()
        forest.estimators_ = [DecisionTreeClassifier() for _ in self.roots]
        for root, estimator in zip(self.roots, forest.estimators_, strict=True):
            estimator.tree_ = self._sklearn_tree(int(root))
            estimator.classes_ = np.arange(self.n_classes)
            estimator.max_features_ = self.n_features
        forest.classes_ = labels
        for estimator in (forest, *forest.estimators_):
            estimator.n_features_in_ = self.n_features
            estimator.n_outputs_ = 1
            estimator.n_classes_ = self.n_classes
        return forest

    def _sklearn_tree(self, root: int) -> Tree:
        """One tree in scikit-learn's own form, its nodes numbered depth first."""
        from sklearn.tree._tree import NODE_DTYPE, Tree

        order, depths, waiting = [], [], [(root, 0)]
        while waiting:
            node, depth = waiting.pop()
            order.append(node)
            depths.append(depth)
            if self.feature[node] >= 0:
                waiting += [(int(self.right[node]), depth + 1), (int(self.left[node]), depth + 1)]
        number = {-1: -1} | {node: place for place, node in enumerate(order)}
        leaf = self.feature[order] < 0
        nodes = np.zeros(len(order), NODE_DTYPE)
        nodes["left_child"] = [number[child] for child in self.left[order]]
        nodes["right_child"] = [number[child] for child in self.right[order]]
        nodes["feature"] = np.where(leaf, -2, self.feature[order])
        nodes["threshold"] = np.where(leaf, -2, self.threshold[order])
        nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = 1
        tree = Tree(self.n_features, np.array([self.n_classes], np.intp), 1)
        values = np.ascontiguousarray(self.probabilities[order][:, None, :])
        tree.__setstate__({"max_depth": max(depths), "node_count": len(order), "nodes": nodes, "values": values})
        return tree

    def check(self) -> None:
        """Make sure that the arrays are a forest, wherever they come from.

        Raises:
            ValueError: with a sentence that says what is wrong.
        """
        kinds = {
            "roots": (np.int32, 1),
            "feature": (np.int32, 1),
            "threshold": (np.float32, 1),
            "left": (np.int32, 1),
            "right": (np.int32, 1),
            "probabilities": (np.float64, 2),
        }
        for name, (dtype, dimensions) in kinds.items():
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != dtype or array.ndim != dimensions:
                raise ValueError(
                    f"The forest's {name} are not an array of {np.dtype(dtype)} in {dimensions} dimensions."
                )
        count = len(self.feature)
        if not len(self.threshold) == len(self.left) == len(self.right) == len(self.probabilities) == count:
            raise ValueError("The arrays of the forest's nodes have different lengths.")
        if self.n_trees == 0:
            raise ValueError("The forest has no trees.")
        if not 1 <= self.n_classes <= MAX_CLASSES:
            raise ValueError(f"The forest must have 1 to {MAX_CLASSES} classes, but it has {self.n_classes}.")
        inner = self.feature >= 0
        if (self.feature < -1).any() or (self.feature >= self.n_features).any():
            raise ValueError(f"A node of the forest looks at a feature that is none of its {self.n_features}.")
        children = np.stack([self.left, self.right])
        if (children[:, ~inner] != -1).any():
            raise ValueError("A leaf of the forest has children.")
        if (children[:, inner] <= np.flatnonzero(inner)).any() or (children >= count).any():
            raise ValueError("A node of the forest has a child that does not come after it.")
        if (self.roots < 0).any() or (self.roots >= count).any():
            raise ValueError("A tree of the forest begins at a node that does not exist.")
        reached = np.concatenate([self.roots, children[:, inner].ravel()])
        if (np.bincount(reached, minlength=count) > 1).any():
            raise ValueError("A node of the forest is reached in more than one way.")
        if not np.isfinite(self.threshold).all():
            raise ValueError("A threshold of the forest is not a finite number.")
        if not ((self.probabilities >= 0) & (self.probabilities <= 1)).all():
            raise ValueError("A probability of the forest is not between 0 and 1.")
        if (np.abs(self.probabilities.sum(axis=1) - 1) > 1e-6).any():
            raise ValueError("The probabilities of a node of the forest do not add up to 1.")

    def predict_proba(self, planes: NDArray[np.float32], *, threads: int | None = None) -> NDArray[np.float32]:
        """Probability of each class.

        Args:
            planes: ``(features, ...)`` float32, planar as :func:`~segmentation.features.compute.compute_planes` gives
                them.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(classes, ...)`` float32, within 1e-7 of scikit-learn's.

        Raises:
            ValueError: if the forest's arrays contradict each other, or the planes are not its features.
        """
        table, pixels = self._table, self._flat(planes)
        probabilities = np.empty((self.n_classes, pixels.shape[1]), np.float32)
        _fill(table, pixels, planes.shape[1:], probabilities, np.empty(0, np.uint8), threads)
        return probabilities.reshape(self.n_classes, *planes.shape[1:])

    def predict(self, planes: NDArray[np.float32], *, threads: int | None = None) -> NDArray[np.uint8]:
        """Index of the most probable class, the first of equals: the argmax of :meth:`predict_proba`.

        Args:
            planes: as for :meth:`predict_proba`.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(...)`` uint8, from 0.

        Raises:
            ValueError: as :meth:`predict_proba` does.
        """
        table, pixels = self._table, self._flat(planes)
        classes = np.empty(pixels.shape[1], np.uint8)
        _fill(table, pixels, planes.shape[1:], np.empty((self.n_classes, 0), np.float32), classes, threads)
        return classes.reshape(planes.shape[1:])

    def _flat(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """The planes as ``(features, pixels)``."""
        if planes.ndim < 1 or len(planes) != self.n_features or planes.dtype != np.float32:
            raise ValueError(
                f"The forest needs {self.n_features} float32 features, one plane each, "
                f"but these are {planes.dtype} of shape {planes.shape}."
            )
        pixels = np.ascontiguousarray(planes).reshape(self.n_features, -1).view()
        pixels.flags.writeable = False  # for Numba an array that can be written is of another type
        return pixels

    @cached_property
    def _table(self) -> Table:
        """The arrays that the kernels walk on: features, roots, nodes, slots and shares of
        :func:`predict_rectangle`."""
        from segmentation.forest._kernels import TREES, WHOLE_SHARE
        from segmentation.forest._lanes import PIXELS

        self.check()
        inner = self.feature >= 0
        number = np.where(inner, np.cumsum(inner) - 1, ~(np.cumsum(~inner) - 1)).astype(np.int32)
        features, feature = np.unique(self.feature[inner], return_inverse=True)
        nodes = np.empty(len(feature), NODE)
        nodes["feature"] = feature * PIXELS
        nodes["threshold"] = self.threshold[inner]
        nodes["left"] = number[self.left[inner]]
        nodes["right"] = number[self.right[inner]]
        up_to_class = np.rint(np.cumsum(self.probabilities[~inner, :-1].T, axis=0).clip(max=1) * WHOLE_SHARE)
        shares = np.diff(up_to_class, axis=0, prepend=0, append=WHOLE_SHARE).astype(np.int32)
        one_class = shares == WHOLE_SHARE
        places = self._trees()[~inner] % TREES * self.n_classes + one_class.argmax(axis=0)
        slots = np.where(one_class.any(axis=0), places, TREES * self.n_classes).astype(np.int32)
        return features, number[self.roots], nodes, slots, np.ascontiguousarray(shares[:-1])

    def _trees(self) -> NDArray[np.intp]:
        """The index of each node's tree."""
        trees = np.zeros(len(self.feature), np.intp)
        trees[self.roots] = np.arange(self.n_trees)
        level = self.roots[self.feature[self.roots] >= 0]
        while len(level):
            for children in (self.left[level], self.right[level]):
                trees[children] = trees[level]
            level = np.concatenate([self.left[level], self.right[level]])
            level = level[self.feature[level] >= 0]
        return trees


def _fill(
    table: Table,
    pixels: NDArray[np.float32],
    shape: tuple[int, ...],
    probabilities: NDArray[np.float32],
    classes: NDArray[np.uint8],
    threads: int | None,
) -> None:
    """Fill one of two arrays with predictions; the other is empty."""
    from segmentation.forest._kernels import predict_rectangle

    def work(rectangles: Iterator[tuple[int, int, tuple[int, int]]]) -> None:
        for first, pitch, size in rectangles:
            predict_rectangle(pixels, first, pitch, size, *table, probabilities, classes)

    share(_rectangles(shape), work, threads)


def _rectangles(shape: tuple[int, ...]) -> list[tuple[int, int, tuple[int, int]]]:
    """The first pixel, pitch and size of rectangles that cover an array: tasks for threads."""
    from segmentation.forest._kernels import BLOCK_COLUMNS, BLOCK_ROWS

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
