"""What is asked of the inside of scikit-learn to grow trees.

scikit-learn is imported inside the functions, since that takes more than a second.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree._tree import Tree


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
