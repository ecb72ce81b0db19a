"""A fitted scikit-learn forest, flattened into arrays, so that it predicts fast, equally and without pickle."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segmentation.parallel import share

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier


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

    @classmethod
    def from_sklearn(cls, model: RandomForestClassifier | ExtraTreesClassifier) -> Forest:
        """The trees of a fitted scikit-learn forest."""
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

    def predict_proba(self, planes: NDArray[np.float32], *, threads: int | None = None) -> NDArray[np.float32]:
        """Probability of each class.

        Args:
            planes: ``(features, ...)`` float32, planar as :func:`segmentation.features.compute_planes` gives them.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(classes, ...)`` float32.
        """
        from segmentation.forest_kernels import BLOCK_PIXELS, add_votes

        flat = np.ascontiguousarray(planes, np.float32).reshape(self.n_features, -1)
        probabilities = np.empty((self.n_classes, flat.shape[1]), np.float32)
        trees = (self.roots, self.feature, self.threshold, self.left, self.right, self.probabilities)

        def work(starts: Iterator[int]) -> None:
            for start in starts:
                stop = min(start + BLOCK_PIXELS, flat.shape[1])
                votes = np.zeros((stop - start, self.n_classes))
                add_votes(flat, start, stop, *trees, votes)
                probabilities[:, start:stop] = (votes / self.n_trees).T

        share(range(0, flat.shape[1], BLOCK_PIXELS), work, threads)
        return probabilities.reshape(self.n_classes, *planes.shape[1:])

    def predict(self, planes: NDArray[np.float32], *, threads: int | None = None) -> NDArray[np.uint8]:
        """Index of the most probable class, the first of equals: the argmax of :meth:`predict_proba`.

        Returns:
            ``(...)`` uint8, from 0.
        """
        return self.predict_proba(planes, threads=threads).argmax(axis=0).astype(np.uint8)
