"""Growing a forest on training pixels, each tree on a bootstrap sample of them.

The features are put into bins first. Extremely randomised trees are grown by kernels of our own, other trees by
scikit-learn, as if the bins were the features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.parallel import available_threads, share
from segmentation.forest.bins import BINS, Bins
from segmentation.forest.forest import Forest
from segmentation.forest.sampling import random_uint64
from segmentation.forest.settings import MIN_TREE_PIXELS, ForestSettings

Groups = list[tuple[NDArray[np.intp], NDArray[np.intp]]]
"""The numbers of trees that see the same features, and these features."""

_NO_LIMIT = 2**31 - 1

_MOST_NUMBERS = 2**23
"""Numbers that there is room for while some trees grow, which is done for more trees at a time if they are small."""


@dataclass(frozen=True, eq=False)
class GrownTrees:
    """Some trees one after the other.

    Attributes:
        roots: ``(trees,)`` int32, each tree's first node.
        nodes: ``(nodes, 4)`` int32: the feature that a node compares; its edge, the largest bin that goes left; and the
            nodes that follow left and right, which come after it. All are -1 at a leaf.
        counts: ``(nodes, classes)`` int32, the training pixels of each class that came to a node.
    """

    roots: NDArray[np.int32]
    nodes: NDArray[np.int32]
    counts: NDArray[np.int32]

    @classmethod
    def joined(cls, some: Sequence[GrownTrees]) -> GrownTrees:
        """Some trees, and then others."""
        starts = np.cumsum([0, *(len(trees.nodes) for trees in some)], dtype=np.int32)
        nodes = np.concatenate([trees.nodes for trees in some])
        for start, stop in pairwise(starts):
            nodes[start:stop, 2:] += (nodes[start:stop, 2:] >= 0) * start
        roots = [trees.roots + start for trees, start in zip(some, starts, strict=False)]
        return cls(np.concatenate(roots), nodes, np.concatenate([trees.counts for trees in some]))

    def of_features(self, seen: NDArray[np.intp]) -> GrownTrees:
        """The same trees where the features that they compare have these numbers."""
        nodes = self.nodes.copy()
        nodes[:, 0] = np.append(seen, -1)[nodes[:, 0]]
        return GrownTrees(self.roots, nodes, self.counts)

    def impurity(self, samples: NDArray[np.int64]) -> NDArray[np.float64]:
        """``(nodes,)``, that of Gini, rounded as scikit-learn does; ``samples`` are the pixels of each node."""
        squares = np.einsum("ij,ij->i", self.counts, self.counts, dtype=np.float64)  # whole numbers below 2**53
        return np.asarray(1 - squares / samples**2)


def draws_of_each_class(counts: NDArray[np.integer[Any]], settings: ForestSettings) -> NDArray[np.int64]:
    """Number of pixels of each class that a tree sees, of classes with so many training pixels."""
    n_pixels, n_classes, balance = int(counts.sum()), len(counts), settings.balance
    seen = max(settings.max_samples * n_pixels, min(MIN_TREE_PIXELS, n_pixels))
    draws = balance * seen / n_classes + (1 - balance) * seen * counts / n_pixels
    return np.maximum(1, np.rint(draws)).astype(np.int64)


def bootstrap(class_ids: NDArray[np.uint8], settings: ForestSettings) -> NDArray[np.intp]:
    """The training pixels that each tree sees: drawn with replacement, so many of each class.

    Args:
        class_ids: ``(pixels,)`` uint8, from 1.
        settings: how many, and for how many trees.

    Returns:
        ``(trees, pixels of a tree)`` indices into the training pixels.
    """
    classes, counts = np.unique(class_ids, return_counts=True)
    draws = draws_of_each_class(counts, settings)
    trees = np.arange(settings.n_estimators)[:, None]
    chosen = []
    for class_id, count in zip(classes, draws, strict=True):
        members = np.flatnonzero(class_ids == class_id)
        numbers = random_uint64(settings.random_state, trees, int(class_id), np.arange(count))
        chosen.append(members[numbers % np.uint64(len(members))])
    return np.concatenate(chosen, axis=1)


def tree_seeds(settings: ForestSettings) -> NDArray[np.uint64]:
    """A seed below 2**31 for the growing of each tree."""
    return random_uint64(settings.random_state, np.arange(settings.n_estimators)) >> np.uint64(33)


def tries(n_features: int) -> int:
    """Number of features that are tried at a node."""
    return max(1, int(np.sqrt(n_features)))


def trees_by_reach(
    n_features: int,
    settings: ForestSettings,
    fine: NDArray[np.bool_] | None,
    seen: NDArray[np.bool_] | None = None,
) -> Groups:
    """The numbers of the trees that see the same features, and these features.

    Args:
        n_features: number of features.
        settings: how many trees there are, and how many of them see fine features only.
        fine: ``(features,)``, which features are fine; None, or if none is, lets all trees see all.
        seen: ``(features,)``, which features any tree may see; None: all.
    """
    every, numbers = np.arange(n_features), np.arange(settings.n_estimators)
    if seen is not None:
        every, fine = np.flatnonzero(seen), None if fine is None else fine & seen
    if fine is None or np.count_nonzero(fine) in (0, len(every)):
        return [(numbers, every)]
    last = settings.n_estimators - round(settings.fine_trees * settings.n_estimators)
    groups = [(numbers[:last], every), (numbers[last:], np.flatnonzero(fine))]
    return [group for group in groups if len(group[0])]


def grow_forest(
    rows: NDArray[np.float32],
    class_ids: NDArray[np.uint8],
    settings: ForestSettings,
    threads: int | None = None,
    *,
    fine: NDArray[np.bool_] | None = None,
    seen: NDArray[np.bool_] | None = None,
    ranges: NDArray[np.float32] | None = None,
) -> Forest:
    """Grows a forest in which classes count as the balance of the settings has it.

    Trees without a limit of depth divide their pixels until each leaf has those of one class; where no bin tells pixels
    apart, the leaf votes for the class of most of them. A leaf that the depth stops has shares of classes.

    Args:
        rows: ``(pixels, features)`` float32, finite.
        class_ids: ``(pixels,)`` uint8, from 1.
        settings: how.
        threads: number of threads; None takes all cores. The result does not depend on it.
        fine: ``(features,)``, which features are fine; None if that is not known.
        seen: ``(features,)``, which features trees may look at; None: all.
        ranges: ``(2, features)``, values that the bins cover besides those of the rows, see :meth:`Bins.of_rows`.

    Returns:
        A forest with bins, whose edges depend on the rows and the ranges alone. Its classes are those of ``class_ids``,
        ascending.
    """
    bins = Bins.of_rows(rows, settings.range_steps, ranges, settings.range_margin)
    columns = bins.columns(rows)
    classes, classified = np.unique(class_ids, return_inverse=True)
    grow = _extra_trees if settings.kind == "extra_trees" else _random_trees
    groups = trees_by_reach(len(columns), settings, fine, seen)
    trees = GrownTrees.joined(grow(columns, classes, classified, settings, groups, threads))
    feature, edge, left, right = trees.nodes.T.copy()
    samples = trees.counts.sum(axis=1)
    shares, impurity = trees.counts / samples[:, None], trees.impurity(samples)
    if settings.votes:
        mixed = np.flatnonzero((feature < 0) & (impurity > 0))
        shares[mixed] = np.eye(len(classes))[trees.counts[mixed].argmax(axis=1)]
    forest = Forest(
        n_features=bins.n_features,
        roots=trees.roots,
        feature=feature,
        threshold=_thresholds(bins, feature, edge),
        left=left,
        right=right,
        probabilities=shares,
        bins=bins,
        samples=samples.astype(np.int32),
        impurity=impurity,
    )
    vars(forest)["_checked"] = True  # what is grown contradicts itself nowhere
    if settings.votes:
        vars(forest)["leaves_vote"] = True
    return forest


def _thresholds(bins: Bins, feature: NDArray[np.int32], edge: NDArray[np.int32]) -> NDArray[np.float32]:
    """What the features of nodes are compared with, 0 at leaves; each edge is computed once."""
    inner = feature >= 0
    edges = feature[inner] * np.int32(BINS) + edge[inner]
    asked = np.zeros(bins.n_features * BINS, np.bool_)
    asked[edges] = True
    values, threshold = np.zeros(len(asked), np.float32), np.zeros(len(feature), np.float32)
    values[asked] = bins.thresholds(*np.divmod(np.flatnonzero(asked), BINS))
    threshold[inner] = values[edges]
    return threshold


def _extra_trees(
    columns: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    classified: NDArray[np.intp],
    settings: ForestSettings,
    groups: Groups,
    threads: int | None,
) -> list[GrownTrees]:
    """Extremely randomised trees, some at a time."""
    if kernels_are_ready():
        from segmentation.forest._growing_kernels import grow_trees
    else:
        from segmentation.forest._growing_reference import grow_trees
    counts = np.bincount(classified)
    draws = draws_of_each_class(counts, settings)
    members = np.argsort(classified, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    numbers = np.arange(settings.n_estimators)
    states = random_uint64(settings.random_state, numbers[:, None], classes[None].astype(np.int64))
    streams = random_uint64(settings.random_state, numbers)[:, None]
    max_depth = _NO_LIMIT if settings.max_depth is None else settings.max_depth
    of_a_tree = 2 * int(draws.sum()) - 1, 4 + len(classes)
    least = -(-settings.n_estimators * of_a_tree[0] * of_a_tree[1] // _MOST_NUMBERS)
    parts = max(threads or available_threads(), least)
    tasks = [
        (some, seen, columns if len(seen) == len(columns) else columns[seen])
        for trees, seen in groups
        for some in np.array_split(trees, min(parts, len(trees)))
    ]
    grown: dict[int, GrownTrees] = {}

    def grow(indices: Iterator[int]) -> None:
        for index in indices:
            some, seen, seen_columns = tasks[index]
            most = len(some) * of_a_tree[0]
            roots, nodes = np.empty(len(some), np.int32), np.empty((most, 4), np.int32)
            of_nodes = np.empty((most, len(classes)), np.int32)
            filled = grow_trees(
                seen_columns,
                members,
                starts,
                draws,
                states[some],
                streams[some],
                tries(len(seen)),
                max_depth,
                roots,
                nodes,
                of_nodes,
            )
            grown[index] = GrownTrees(roots, nodes[:filled], of_nodes[:filled].copy()).of_features(seen)

    share(range(len(tasks)), grow, threads)
    return [grown[index] for index in range(len(tasks))]


def _random_trees(
    columns: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    classified: NDArray[np.intp],
    settings: ForestSettings,
    groups: Groups,
    threads: int | None,
) -> list[GrownTrees]:
    """The trees of a random forest, one at a time."""
    from sklearn.tree import DecisionTreeClassifier

    rows = np.ascontiguousarray(columns.T, np.float32)
    seen_by = {number: seen for trees, seen in groups for number in trees.tolist()}
    samples = bootstrap(classes[classified], settings)
    seeds = tree_seeds(settings)
    grown: dict[int, GrownTrees] = {}

    def grow(indices: Iterator[int]) -> None:
        for index in indices:
            estimator = DecisionTreeClassifier(
                max_features="sqrt", max_depth=settings.max_depth, random_state=int(seeds[index])
            )
            seen = seen_by[index]
            tree = estimator.fit(rows[samples[index]][:, seen], classified[samples[index]]).tree_
            leaf = tree.children_left < 0
            feature, edge = (np.where(leaf, -1, column) for column in (tree.feature, np.floor(tree.threshold)))
            nodes = np.stack([feature, edge, tree.children_left, tree.children_right], axis=1)
            counts = np.rint(tree.value[:, 0] * tree.n_node_samples[:, None])
            one = GrownTrees(np.zeros(1, np.int32), nodes.astype(np.int32), counts.astype(np.int32))
            grown[index] = one.of_features(seen)

    share(range(settings.n_estimators), grow, threads)
    return [grown[index] for index in range(settings.n_estimators)]
