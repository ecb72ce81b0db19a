"""The walk of a forest by NumPy alone: slower, and equal to the last bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation.forest._bit_layout import WHOLE_SHARE
from segmentation.forest.trees import Trees


def reference_proba(forest: Trees, planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """What :meth:`~segmentation.forest.forest.Forest.predict_proba` gives: all pixels go down tree by tree.

    Args:
        forest: the trees.
        planes: ``(features, ...)`` float32.

    Returns:
        ``(classes, ...)`` float32.

    Raises:
        ValueError: if the forest's arrays contradict each other.
    """
    forest.check()
    pixels = planes.reshape(len(planes), -1)
    shares = forest.whole_shares()
    totals = np.zeros((forest.n_classes, pixels.shape[1]), np.int64)
    for root in forest.roots:
        nodes = np.full(pixels.shape[1], root)
        going = np.flatnonzero(forest.feature[nodes] >= 0)
        while len(going):
            at = nodes[going]
            above = pixels[forest.feature[at], going] > forest.threshold[at]
            nodes[going] = np.where(above, forest.right[at], forest.left[at])
            going = going[forest.feature[nodes[going]] >= 0]
        totals += shares[:, nodes]
    probabilities = (totals / (float(forest.n_trees) * WHOLE_SHARE)).astype(np.float32)
    return probabilities.reshape(forest.n_classes, *planes.shape[1:])
