"""The passes over labels of :mod:`segmentation.forest._sampling_kernels` by NumPy, with the same arguments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation.forest._mixing import mixed


def count(labels: NDArray[np.uint8], words: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
    """Add the number of pixels of each class but 0 to ``counts``."""
    counts[0] += np.bincount(labels[labels != 0], minlength=256)


def choose(
    labels: NDArray[np.uint8],
    words: NDArray[np.uint64],
    columns: int,
    state: np.uint64,
    highest: NDArray[np.uint64],
    places: NDArray[np.int64],
    priorities: NDArray[np.uint64],
    found: NDArray[np.int64],
) -> int:
    """Find the labelled pixels whose priority is at most their class's highest."""
    at = np.flatnonzero(labels)
    row, column = np.divmod(at, columns)
    of_each = mixed(mixed(state, row), column)
    chosen = of_each <= highest[labels[at]]
    at, of_each = at[chosen], of_each[chosen]
    found += np.bincount(labels[at], minlength=256)
    filled = min(len(at), len(places))
    places[:filled], priorities[:filled] = at[:filled], of_each[:filled]
    return filled
