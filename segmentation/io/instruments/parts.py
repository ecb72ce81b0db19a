"""What a file of a microscope or a clinic holds, before any of its pixels is read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.limits import MAX_CHANNELS, MAX_PAGES, ImageError, Limits
from segmentation.io.pixel_size import PixelSize

LARGEST_VALUE = 8
"""Bytes of a value of a pixel."""


@dataclass(frozen=True)
class Plane:
    """Pixels of a plane.

    Attributes:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
        no_data: ``(rows, columns)`` bool, where the file has no pixels; None if it has all.
    """

    pixels: NDArray[Any]
    no_data: NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class Part:
    """Planes of a file that are alike: a series, a scene, a position, an array.

    Attributes:
        rows: of each plane.
        columns: of each plane.
        channels: of each plane.
        dtype: of a value, as the file stores it.
        axes: along which the planes lie, ``"z"`` and ``"t"``, the fastest first, each with its length.
        read: the plane at an index along each axis; called after :meth:`check`.
        colour: whether the first three channels are red, green and blue.
        bits: of a value, if fewer than its type has.
        pixel_size: as the file says it.
        channel_names: as the file says them; empty if it does not.
        notes: sentences about what was left out or guessed.
    """

    rows: int
    columns: int
    channels: int
    dtype: np.dtype[Any]
    axes: tuple[tuple[str, int], ...]
    read: Callable[[Mapping[str, int]], Plane]
    colour: bool = False
    bits: int | None = None
    pixel_size: PixelSize | None = None
    channel_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def planes(self) -> int:
        """Number of planes."""
        return math.prod(length for _, length in self.axes)

    def check(self, limits: Limits) -> None:
        """Refuse planes that are beyond the limits, before one of them is read.

        Raises:
            ImageError: if so.
        """
        if self.dtype.kind not in "buif" or self.dtype.itemsize > LARGEST_VALUE:
            raise ImageError(f"The values in the file are of type {self.dtype}: save them as integers or floats.")
        if self.channels > MAX_CHANNELS:
            raise ImageError(f"The image has {self.channels} channels, but at most {MAX_CHANNELS} can be used.")
        limits.check_pixels(self.rows, self.columns, self.dtype.itemsize * self.channels)

    def place(self, index: int) -> dict[str, int]:
        """The index along each axis of a plane, counted from 0."""
        place = {}
        for axis, length in self.axes:
            place[axis] = index % length
            index //= length
        return place


def check_planes(parts: list[Part]) -> None:
    """Refuse a file that has no planes or absurdly many.

    Raises:
        ImageError: if so.
    """
    if not parts or any(length < 1 for part in parts for _, length in part.axes):
        raise ImageError("The file holds no image.")
    if sum(part.planes for part in parts) > MAX_PAGES:
        raise ImageError(f"The file has more than {MAX_PAGES} planes: split it first.")
