"""Pixels that hold no data: which they are, and what stands in their place.

They are neither segmented nor counted nor learnt from. Filters look at what is around a pixel, so something must stand
there: as beyond the border of an image, the nearest pixel that holds data is repeated (docs/decisions explains why).
"""

from __future__ import annotations

import threading
from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGEST_VALUE = 1e18
"""Beyond this the squares that features need leave float32; such values are markers for missing data."""


MANY_PIXELS = 2**20
"""Of more pixels than these it is told of one image at a time which is the nearest: it takes 20 bytes for each."""

_one = threading.Lock()


def not_numbers(pixels: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where any channel of a pixel is NaN, infinite or beyond :data:`LARGEST_VALUE`.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.

    Returns:
        ``(rows, columns)`` bool; None if it is so nowhere.
    """
    low, high = pixels.min().item(), pixels.max().item()
    if low >= -LARGEST_VALUE and high <= LARGEST_VALUE:
        return None
    missing: NDArray[np.bool_] = ~((pixels >= -LARGEST_VALUE) & (pixels <= LARGEST_VALUE))
    return np.any(missing, axis=tuple(range(2, missing.ndim)))


def has_value(pixels: NDArray[Any], value: float) -> NDArray[np.bool_]:
    """Where a pixel holds the value that stands for no data.

    Of unsigned integers all channels must hold it, since 0 and 255 are values of single channels too; of other types
    any.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
        value: that stands for no data.

    Returns:
        ``(rows, columns)`` bool.
    """
    if pixels.dtype.kind in "bui" and value != int(value if np.isfinite(value) else 0):
        return np.zeros(pixels.shape[:2], bool)
    with np.errstate(over="ignore"):
        found = pixels == (pixels.dtype.type(value) if pixels.dtype.kind == "f" else value)
    if found.ndim == 2:
        return found
    return found.all(axis=2) if pixels.dtype.kind in "bu" else found.any(axis=2)


def together(*masks: NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    """Where any of several masks is true; None if none is anywhere."""
    found: NDArray[np.bool_] | None = None
    for mask in masks:
        if mask is not None and mask.any():
            found = mask if found is None else found | mask
    return found


def filled(pixels: NDArray[Any], no_data: NDArray[np.bool_]) -> NDArray[Any]:
    """The pixels with the nearest that holds data in place of each that holds none; 0 if none does.

    Which of several that are equally near does not depend on what lies farther away: a part of an image is filled as
    the whole is, if it reaches beyond a pixel as far as the nearest that holds data.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
        no_data: ``(rows, columns)`` bool.
    """
    from scipy.ndimage import distance_transform_edt

    if no_data.all():
        return np.zeros_like(pixels)
    with _one if no_data.size > MANY_PIXELS else nullcontext():
        rows, columns = distance_transform_edt(no_data, return_distances=False, return_indices=True)
    whole = pixels.copy()
    whole[no_data] = pixels[rows[no_data], columns[no_data]]
    return whole


def halo_with_no_data(halo: int) -> int:
    """How far around a window an image must be read so that all that features look at there is filled as in the whole.

    A pixel within the halo is at most sqrt(2) halos away from a pixel of the window that holds data.
    """
    return 3 * halo
