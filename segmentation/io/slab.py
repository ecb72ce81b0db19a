"""A plane of a stack among the planes around it, as features of several planes look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, TypeAlias

from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache

SMOOTHED_BYTES = 2**28
"""Bytes of smoothed planes that are kept while one goes from plane to plane."""

Smoothing: TypeAlias = BoundedCache[tuple[Any, ...], NDArray[Any]]


def kept_smoothing(most: int = SMOOTHED_BYTES) -> Smoothing:
    """Room in bytes for what is smoothed of the planes of a stack, which the next plane looks at again."""
    return BoundedCache(most, lambda plane: plane.nbytes)


@dataclass(frozen=True, eq=False)
class Slab:
    """Planes of a stack that follow on one another, of one size and type.

    Attributes:
        planes: ``(rows, columns)`` or ``(rows, columns, channels)`` each.
        own: which of them is looked at; where the stack goes on, there are as many before and after it as features see.
        first: the number of the first of them in its stack, from 0.
        hash: of what lies in them, and of which is the own one.
        smoothing: what is smoothed of the planes of the stack.
    """

    planes: tuple[NDArray[Any], ...]
    own: int
    first: int
    hash: str
    smoothing: Smoothing

    def changed(self, change: Callable[[NDArray[Any]], NDArray[Any]], how: str) -> Slab:
        """The same with something else in each plane, of which nothing is smoothed yet; ``how`` tells what it is."""
        digest = sha256(f"{self.hash} {how}".encode()).hexdigest()
        return replace(self, planes=tuple(map(change, self.planes)), hash=digest, smoothing=kept_smoothing())
