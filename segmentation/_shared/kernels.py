"""Whether kernels may be called: while they are compiled elsewhere, what they are held equal to computes instead.

Compiling takes some ten seconds, for which nobody who draws should wait. What needs a kernel asks here first, and has a
reference beside it, by NumPy or scikit-image, that gives the same bytes and loads no compiler.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_awaited = threading.Event()


def kernels_are_ready() -> bool:
    """Whether kernels are to be called, which compiles those that are not on the disk; else references are."""
    return not _awaited.is_set()


@contextmanager
def references_instead() -> Iterator[None]:
    """Let references compute in this process, in all of its threads, during the ``with`` block."""
    _awaited.set()
    try:
        yield
    finally:
        _awaited.clear()
