"""Evaluation of flattened trees: Numba kernels. Importing this compiles them, or loads what was compiled before."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

BLOCK_PIXELS = 512
"""Pixels that are taken through all trees together: their features stay in the second-level cache."""


@numba.njit(cache=True, nogil=True)
def add_votes(
    planes: NDArray[np.float32],
    start: int,
    stop: int,
    roots: NDArray[np.int32],
    feature: NDArray[np.int32],
    threshold: NDArray[np.float32],
    left: NDArray[np.int32],
    right: NDArray[np.int32],
    probabilities: NDArray[np.float64],
    votes: NDArray[np.float64],
) -> None:
    """Adds the votes of all trees for pixels ``start`` to ``stop`` to ``votes``, ``(pixels, classes)``."""
    for root in roots:
        for pixel in range(start, stop):
            node = root
            while feature[node] >= 0:
                node = left[node] if planes[feature[node], pixel] <= threshold[node] else right[node]
            for one in range(votes.shape[1]):
                votes[pixel - start, one] += probabilities[node, one]
