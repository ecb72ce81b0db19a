"""The trees of a forest as arrays, and what is refused of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation.forest._bit_layout import BINS, WHOLE_SHARE
from segmentation.forest.bins import Bins

MAX_CLASSES = 255


@dataclass(frozen=True, eq=False)
class Trees:
    """Decision trees as arrays; a pixel goes left where its feature is at most the threshold.

    Attributes:
        n_features: number of features that the trees look at.
        roots: ``(trees,)`` int32, index of each tree's first node.
        feature: ``(nodes,)`` int32, the feature that a node compares; -1 at a leaf.
        threshold: ``(nodes,)`` float32; one of scikit-learn's is rounded down from float64, which changes no
            comparison with a float32 feature.
        left: ``(nodes,)`` int32, index of the child for smaller values; -1 at a leaf.
        right: ``(nodes,)`` int32, index of the child for larger values; -1 at a leaf.
        probabilities: ``(nodes, classes)`` float64, the share of each class at a node.
        bins: whose edges all thresholds are; None if they are any numbers. Then the trees lie one after the other.
        samples: ``(nodes,)`` int32, the number of training pixels that came to a node; None if it is not known.
        impurity: ``(nodes,)`` float64, the Gini impurity of their classes; None if it is not known.
    """

    n_features: int
    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    bins: Bins | None = None
    samples: NDArray[np.int32] | None = None
    impurity: NDArray[np.float64] | None = None

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.probabilities.shape[1])

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @cached_property
    def leaves_vote(self) -> bool:
        """Whether each leaf votes for one class and says nothing for others: probabilities are shares of the trees."""
        of_leaves = self.probabilities[self.feature < 0]
        return bool(of_leaves.max(axis=1, initial=0).min() == 1 and of_leaves.sum(axis=1).max() == 1)

    @cached_property
    def used_features(self) -> NDArray[np.bool_]:
        """``(features,)``, whether a node compares each feature."""
        used = np.zeros(self.n_features, np.bool_)
        used[self.feature[self.feature >= 0]] = True
        used.flags.writeable = False
        return used

    def whole_shares(self) -> NDArray[np.int32]:
        """``(classes, nodes)`` int32, the shares of ``WHOLE_SHARE``; the last class has what the others leave."""
        up_to_class = np.rint(np.cumsum(self.probabilities[:, :-1].T, axis=0).clip(max=1) * WHOLE_SHARE)
        return np.diff(up_to_class, axis=0, prepend=0, append=WHOLE_SHARE).astype(np.int32)

    def check(self) -> None:
        """Make sure that the arrays are a forest, wherever they come from; the same ones are looked at once.

        Raises:
            ValueError: with a sentence that says what is wrong.
        """
        if not vars(self).get("_checked"):
            self._check_nodes()
            vars(self)["_checked"] = True

    def _check_nodes(self) -> None:
        """Refuse arrays that contradict each other."""
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
        if self.bins is not None:
            self._check_bins(self.bins)
        self._check_samples()

    def _check_bins(self, bins: Bins) -> None:
        """Refuse bins whose edges are not the thresholds, or trees that do not lie one after the other."""
        if bins.n_features != self.n_features:
            raise ValueError(f"The forest has bins for {bins.n_features} features, but looks at {self.n_features}.")
        if self.roots[0] != 0 or (np.diff(self.roots) <= 0).any():
            raise ValueError("The trees of the forest do not lie one after the other.")
        count, inner = len(self.feature), np.flatnonzero(self.feature >= 0)
        past_tree = np.repeat(np.append(self.roots[1:], count), np.diff(self.roots, append=count))
        if (np.maximum(self.left, self.right) >= past_tree).any():
            raise ValueError("A node of the forest has a child in another tree.")
        feature, threshold = self.feature[inner], self.threshold[inner]
        edges, next_float = bins.of_values(feature, threshold), np.nextafter(threshold, np.float32(np.inf))
        last = (bins.of_values(feature, next_float) > edges) | np.isinf(next_float)
        if (edges == BINS - 1).any() or not last.all():
            raise ValueError("A threshold of the forest is none of the edges of its bins.")

    def _check_samples(self) -> None:
        """Refuse numbers of samples, and impurities, that no growing gives."""
        if (self.samples is None) != (self.impurity is None):
            raise ValueError("The samples and the impurity of the forest's nodes are known together or not at all.")
        if self.samples is None or self.impurity is None:
            return
        shape = self.feature.shape
        if self.samples.dtype != np.int32 or self.samples.shape != shape:
            raise ValueError("The samples of the forest are not an array of int32, one for each node.")
        if self.impurity.dtype != np.float64 or self.impurity.shape != shape:
            raise ValueError("The impurity of the forest is not an array of float64, one for each node.")
        inner = self.feature >= 0
        of_children = self.samples[self.left[inner]].astype(np.int64) + self.samples[self.right[inner]]
        if (self.samples < 1).any() or (of_children != self.samples[inner]).any():
            raise ValueError("The samples of a node of the forest are not those of its children.")
        if not ((self.impurity >= 0) & (self.impurity < 1)).all():
            raise ValueError("An impurity of the forest is not between 0 and 1.")
