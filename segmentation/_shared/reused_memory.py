"""Memory that one thread leaves to the next.

The system must clear new memory, which costs a tenth of all features, and more than a few of them themselves.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.aligned import on_cache_lines
from segmentation._shared.parallel import available_threads

MAX_FREE_BYTES = 2**23
"""What is larger is returned to the system after use."""

Room = Callable[[tuple[int, ...], type[np.generic]], NDArray[Any]]
"""Gives an array of this shape and type to be filled, which overwrites the one before."""

_FREE: list[NDArray[np.uint8]] = []


@contextmanager
def reused_memory() -> Iterator[Room]:
    """Room for one array at a time, until the end of the ``with`` block."""
    try:
        memory = _FREE.pop()
    except IndexError:
        memory = np.empty(0, np.uint8)

    def room(shape: tuple[int, ...], dtype: type[np.generic]) -> NDArray[Any]:
        nonlocal memory
        size = math.prod(shape) * np.dtype(dtype).itemsize
        if memory.size < size:
            memory = on_cache_lines((size,), np.uint8)
        return memory[:size].view(dtype).reshape(shape)

    yield room
    if len(_FREE) < 3 * available_threads() and memory.nbytes <= MAX_FREE_BYTES:
        _FREE.append(memory)
