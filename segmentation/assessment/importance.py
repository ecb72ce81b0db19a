"""Which features matter: how much purer the training pixels become where trees ask for them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from segmentation.forest.trees import Trees
from segmentation.model.classifier import PixelClassifier


def mean_decrease_in_impurity(trees: Trees) -> NDArray[np.float64]:
    """``(features,)``, the share of each in what all nodes gain, averaged over the trees (Breiman, 2001).

    Where the impurity of nodes is not known, as in files of version 1, each node counts as much as any other.
    """
    inner = np.flatnonzero(trees.feature >= 0)
    gain = np.ones(len(inner))
    if trees.samples is not None and trees.impurity is not None:
        weighed = trees.samples * trees.impurity
        gain = weighed[inner] - weighed[trees.left[inner]] - weighed[trees.right[inner]]
    tree = np.searchsorted(np.sort(trees.roots), inner, side="right") - 1
    of_trees = np.bincount(tree, gain, minlength=trees.n_trees)
    shares = gain / np.where(of_trees > 0, of_trees, 1)[tree]
    found = np.bincount(trees.feature[inner], shares, minlength=trees.n_features).astype(np.float64)
    return found / (found.sum() or 1)


def feature_importance(classifier: PixelClassifier) -> dict[str, float]:
    """How much each feature matters, by its name, most first; together 1.

    Features that tell nearly the same share what either would be worth alone.

    Raises:
        NotFittedError: if the classifier has not been trained.
    """
    names = classifier.feature_names_
    shares = mean_decrease_in_impurity(classifier.forest_)
    order = np.argsort(-shares, kind="stable")
    return {names[number]: float(shares[number]) for number in order}


def grouped_importance(importance: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """The same by ``channel``, ``kind`` and ``sigma``, as the names of the features tell them, most first."""
    groups: dict[str, dict[str, float]] = {"channel": {}, "kind": {}, "sigma": {}}
    for name, share in importance.items():
        parts = name.split(", ")
        channel = parts[0] if parts[0].startswith("channel") else "all channels"
        kind = ", ".join(parts[int(channel == parts[0]) : -1])
        sigma = parts[-1] if parts[-1].startswith("sigma") else "no sigma"
        for group, key in (("channel", channel), ("kind", kind), ("sigma", sigma)):
            groups[group][key] = groups[group].get(key, 0.0) + share
    return {group: dict(sorted(some.items(), key=lambda one: -one[1])) for group, some in groups.items()}
