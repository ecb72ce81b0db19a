"""Forests of scikit-learn, to ours and back.

scikit-learn is imported inside the functions, since that takes more than a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmentation.forest.trees import Trees

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier


def arrays_of(model: RandomForestClassifier | ExtraTreesClassifier) -> dict[str, Any]:
    """The arrays of :class:`~segmentation.forest.trees.Trees`, by name, of a fitted forest with one output."""
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
    return {
        "n_features": int(model.n_features_in_),
        "roots": np.array(roots, np.int32),
        "feature": np.concatenate(features).astype(np.int32),
        "threshold": np.concatenate(thresholds).astype(np.float32),
        "left": np.concatenate(lefts).astype(np.int32),
        "right": np.concatenate(rights).astype(np.int32),
        "probabilities": np.concatenate(shares).astype(np.float64),
    }


def as_sklearn(forest: Trees, classes: NDArray[Any]) -> RandomForestClassifier:
    """A fitted forest of scikit-learn with the same trees, of which nothing but the public interface is used.

    Args:
        forest: a checked forest.
        classes: what its ``classes_`` are to be, in the order of the probabilities.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree import DecisionTreeClassifier

    model = RandomForestClassifier(n_estimators=forest.n_trees)
    model.estimator_ = DecisionTreeClassifier()
    model.estimators_ = [DecisionTreeClassifier() for _ in forest.roots]
    rows, some = np.zeros((forest.n_classes, forest.n_features), np.float32), np.arange(forest.n_classes)
    pattern = DecisionTreeClassifier().fit(rows, some).tree_
    for root, estimator in zip(forest.roots, model.estimators_, strict=True):
        estimator.tree_ = _tree(forest, int(root), pattern)
        estimator.classes_ = np.arange(forest.n_classes)
        estimator.max_features_ = forest.n_features
    model.classes_ = classes
    for estimator in (model, *model.estimators_):
        estimator.n_features_in_ = forest.n_features
        estimator.n_outputs_ = 1
        estimator.n_classes_ = forest.n_classes
    return model


def _tree(forest: Trees, root: int, pattern: Any) -> Any:
    """One tree in scikit-learn's own form, its nodes numbered depth first.

    Args:
        forest: the forest.
        root: the tree's first node.
        pattern: the ``tree_`` of any tree with as many features and classes.
    """
    order, depths, waiting = [], [], [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        order.append(node)
        depths.append(depth)
        if forest.feature[node] >= 0:
            waiting += [(int(forest.right[node]), depth + 1), (int(forest.left[node]), depth + 1)]
    number = {-1: -1} | {node: place for place, node in enumerate(order)}
    leaf = forest.feature[order] < 0
    create, arguments, state = pattern.__reduce__()
    nodes = np.zeros(len(order), state["nodes"].dtype)
    nodes["left_child"] = [number[child] for child in forest.left[order]]
    nodes["right_child"] = [number[child] for child in forest.right[order]]
    nodes["feature"] = np.where(leaf, -2, forest.feature[order])
    nodes["threshold"] = np.where(leaf, -2, forest.threshold[order])
    nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = 1
    if forest.samples is not None and forest.impurity is not None:
        nodes["n_node_samples"] = nodes["weighted_n_node_samples"] = forest.samples[order]
        nodes["impurity"] = forest.impurity[order]
    tree = create(*arguments)
    values = np.ascontiguousarray(forest.probabilities[order][:, None, :])
    tree.__setstate__({"max_depth": max(depths), "node_count": len(order), "nodes": nodes, "values": values})
    return tree
