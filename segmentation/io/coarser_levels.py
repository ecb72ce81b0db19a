"""The coarser levels that are made of an image which lacks them: how large they are, and what they are made of.

:mod:`segmentation.io.pyramid_making` makes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from segmentation._shared.tiling import Window
from segmentation.io.halving import half_of, level_shapes
from segmentation.io.image import Image
from segmentation.io.pyramid import USUAL_PIECE, Level
from segmentation.io.reduced import STEP


class MakingStopped(Exception):
    """Somebody asked that the making of levels end; what is made already is kept for the next time."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Unreduced:
    """A level of an image, of which coarser ones are made.

    Attributes:
        key: what the image is known by; levels that were begun of another are begun anew.
        shape: rows and columns.
        channels: number of channels.
        dtype: of the values.
        read: gives a window, reduced as :func:`segmentation.io.reduced.read_reduced` does it.
        piece: rows and columns that its file stores as one.
    """

    key: str
    shape: tuple[int, int]
    channels: int
    dtype: np.dtype[Any]
    read: Callable[[Window], Image]
    piece: tuple[int, int] = USUAL_PIECE

    @property
    def levels(self) -> list[tuple[int, int]]:
        """Rows and columns of each level that is made of it."""
        return coarser_shapes(self.shape)


def coarser_shapes(shape: tuple[int, int]) -> list[tuple[int, int]]:
    """Rows and columns of the levels that are made of one of this shape."""
    return level_shapes(half_of(half_of(shape)))


def coarser_levels(finer: Level) -> list[Level]:
    """The levels that are made of one."""
    return [Level(shape, finer.step * STEP * 2**number) for number, shape in enumerate(coarser_shapes(finer.shape))]
