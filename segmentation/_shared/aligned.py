"""Memory that starts where a cache line does."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

CACHE_LINE = 64
"""Bytes that processors fetch and keep together."""


def on_cache_lines(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
    """An array to be filled that starts with a cache line.

    Rows whose length is a power of two then lie in as few lines as they can. Where they lie across more, as they do by
    chance in what NumPy allocates, each takes the time of two.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + CACHE_LINE, np.uint8)
    start = -memory.__array_interface__["data"][0] % CACHE_LINE
    return memory[start : start + size].view(dtype).reshape(shape)
