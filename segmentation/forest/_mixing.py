"""The finaliser of SplitMix64: Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mixed(state: np.uint64 | NDArray[np.uint64], key: int | NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """States with a key added and mixed in; the two are broadcast."""
    with np.errstate(over="ignore"):
        state = np.asarray(state + np.asarray(key).astype(np.uint64) + STEP)
        state = (state ^ (state >> np.uint64(30))) * _FIRST
        state = (state ^ (state >> np.uint64(27))) * _SECOND
    return state ^ (state >> np.uint64(31))
