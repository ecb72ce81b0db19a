"""What is asked of the inside of scikit-learn, in one place: growing a tree, and making one from arrays.

scikit-learn is imported inside the functions, since that takes more than a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segmentation.forest import Forest

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree._tree import Tree

LEAF, UNDEFINED = -1, -2
"""What scikit-learn writes for the children of a leaf, and for its feature and threshold."""


def grow_tree(
    rows: NDArray[np.float32],
    classified: NDArray[np.intp],
    n_classes: int,
    *,
    random_thresholds: bool,
    max_depth: int | None,
    random: np.random.RandomState,
) -> Tree:
    """Grows a tree, trying the square root of the number of features at each node.

    It is to the last bit the ``tree_`` of ``DecisionTreeClassifier(max_features="sqrt", ...).fit(rows, classified)``,
    or of ``ExtraTreeClassifier``, but asks their tree builder itself: what they do around it takes three times as
    long as growing such a small tree, and keeps the interpreter's lock, which the builder does not.

    Args:
        rows: ``(pixels, features)`` float32.
        classified: ``(pixels,)`` index of each pixel's class.
        n_classes: number of classes, those without a pixel counted too.
        random_thresholds: draw thresholds, as extremely randomised trees do, instead of searching for the best.
        max_depth: the most comparisons between root and leaf; None for no limit.
        random: decides on the features and thresholds that are tried.
    """
    from sklearn.tree._criterion import Gini
    from sklearn.tree._splitter import BestSplitter, RandomSplitter
    from sklearn.tree._tree import DepthFirstTreeBuilder, Tree

    features_tried = max(1, int(np.sqrt(rows.shape[1])))
    counts = np.array([n_classes], np.intp)
    kind = RandomSplitter if random_thresholds else BestSplitter
    splitter = kind(Gini(1, counts), features_tried, 1, 0.0, random, None)
    tree = Tree(rows.shape[1], counts, 1)
    builder = DepthFirstTreeBuilder(splitter, 2, 1, 0.0, 2**31 - 1 if max_depth is None else max_depth, 0.0)
    builder.build(tree, rows, classified[:, None].astype(np.float64))
    return tree


def as_trees(forest: Forest) -> list[Tree]:
    """The trees of a forest as scikit-learn's; numbers of samples, which a forest does not keep, are 1."""
    from sklearn.tree._tree import NODE_DTYPE, Tree

    trees = []
    for start, stop in pairwise([*forest.roots.tolist(), len(forest.feature)]):
        members = slice(start, stop)
        is_leaf = forest.feature[members] < 0
        left, right = (np.where(is_leaf, LEAF, child[members] - start) for child in (forest.left, forest.right))
        shares = forest.probabilities[members]
        nodes = np.ones(stop - start, NODE_DTYPE)
        nodes["left_child"], nodes["right_child"] = left, right
        nodes["feature"] = np.where(is_leaf, UNDEFINED, forest.feature[members])
        nodes["threshold"] = np.where(is_leaf, UNDEFINED, forest.threshold[members])
        nodes["impurity"] = 1 - (shares**2).sum(axis=1)
        nodes["missing_go_to_left"] = 0
        depth = np.zeros(stop - start, int)
        for node in np.flatnonzero(~is_leaf):  # ascending: a node lies before its children
            depth[[left[node], right[node]]] = depth[node] + 1
        tree = Tree(forest.n_features, np.array([forest.n_classes], np.intp), 1)
        values = np.ascontiguousarray(shares[:, None])
        tree.__setstate__({"max_depth": int(depth.max()), "node_count": len(nodes), "nodes": nodes, "values": values})
        trees.append(tree)
    return trees


def as_sklearn(trees: Sequence[Tree], classes: NDArray[np.uint8]) -> RandomForestClassifier:
    """A fitted forest of these trees.

    Args:
        trees: at least one.
        classes: the class ids, in the order of the trees' classes.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    forest = RandomForestClassifier(len(trees))
    forest.estimators_ = []
    for tree in trees:
        estimator = DecisionTreeClassifier(max_features="sqrt")
        estimator.tree_ = tree
        estimator.classes_ = np.arange(len(classes))
        forest.estimators_.append(estimator)
    for estimator in (forest, *forest.estimators_):
        estimator.n_features_in_, estimator.n_outputs_, estimator.n_classes_ = trees[0].n_features, 1, len(classes)
    forest.classes_ = classes
    return forest
