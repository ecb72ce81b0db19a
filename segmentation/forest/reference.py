"""The walk of a forest by NumPy alone: slower, and equal to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.forest._bit_layout import WHOLE_SHARE
from segmentation.forest.trees import Trees
from segmentation.forest.weighing import Weights, weighted_classes, weighted_probabilities


def reference_proba(forest: Trees, planes: NDArray[np.float32], weights: Weights | None = None) -> NDArray[np.float32]:
    """What :meth:`~segmentation.forest.forest.Forest.predict_proba` gives: all pixels go down each tree together.

    Args:
        forest: the trees.
        planes: ``(features, ...)`` float32.
        weights: what the shares of the classes are multiplied with.

    Returns:
        ``(classes, ...)`` float32.

    Raises:
        ValueError: if the forest's arrays contradict each other.
    """
    if weights is None:
        probabilities = _probabilities(forest, planes)
    else:
        probabilities = weighted_probabilities(_shares(forest, planes), weights)
    return probabilities.reshape(forest.n_classes, *planes.shape[1:])


def reference_classes(forest: Trees, planes: NDArray[np.float32], weights: Weights | None = None) -> NDArray[np.uint8]:
    """What :meth:`~segmentation.forest.forest.Forest.predict` gives, ``(...)`` uint8; else as ``reference_proba``."""
    if weights is None:
        classes = _probabilities(forest, planes).argmax(axis=0).astype(np.uint8)
    else:
        classes = weighted_classes(_shares(forest, planes), weights)
    return classes.reshape(planes.shape[1:])


def _shares(forest: Trees, planes: NDArray[np.float32]) -> NDArray[Any]:
    """What weights multiply: numbers of votes where each leaf votes for one class, else probabilities."""
    return _totals(forest, planes) // WHOLE_SHARE if forest.leaves_vote else _probabilities(forest, planes)


def _probabilities(forest: Trees, planes: NDArray[np.float32]) -> NDArray[np.float32]:
    return (_totals(forest, planes) / (float(forest.n_trees) * WHOLE_SHARE)).astype(np.float32)


def _totals(forest: Trees, planes: NDArray[np.float32]) -> NDArray[np.int64]:
    """``(classes, pixels)``, the sums of the shares of all trees, in units of ``WHOLE_SHARE``."""
    forest.check()
    pixels = planes.reshape(len(planes), -1)
    shares = forest.whole_shares().T.tolist()
    feature, left, right = forest.feature.tolist(), forest.left.tolist(), forest.right.tolist()
    totals = np.zeros((forest.n_classes, pixels.shape[1]), np.int64)
    for root in forest.roots.tolist():
        arrived: dict[tuple[int, ...], NDArray[np.bool_]] = {}
        waiting = [(root, np.ones(pixels.shape[1], np.bool_))]
        while waiting:
            node, here = waiting.pop()
            if not here.any():
                continue
            if feature[node] >= 0:
                above = pixels[feature[node]] > forest.threshold[node]
                waiting += [(left[node], here & ~above), (right[node], here & above)]
            else:
                of_leaf = tuple(shares[node])
                arrived[of_leaf] = arrived[of_leaf] | here if of_leaf in arrived else here
        for of_leaf, there in arrived.items():
            totals += np.array(of_leaf)[:, None] * there
    return totals
