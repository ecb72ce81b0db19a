"""Pixels as a file holds them, and what all formats do to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a file holds, before it is checked and normalised.

    Attributes:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
        bits: bits per value in the file.
        colour: whether the first three channels are red, green and blue.
        notes: sentences about what was left out or changed.
        about: what else the file says, as the metadata of an image have it.
        no_data: ``(rows, columns)`` bool, where the file says that a pixel holds no data, if it does.
    """

    pixels: NDArray[Any]
    bits: int
    colour: bool
    notes: tuple[str, ...] = ()
    about: dict[str, Any] = field(default_factory=dict)
    no_data: NDArray[np.bool_] | None = None


LOSSY_LABELS = (
    "JPEG changes the values of pixels, so that they are no class ids any more: save labels and masks as PNG or TIFF."
)
ALPHA_NOTE = "The transparency was left out: it is not a measurement. Where nothing is seen, there is no data."


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Turn and mirror pixels as an Exif or TIFF orientation from 1 to 8 asks for."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def without_alpha(
    pixels: NDArray[Any], channels: int
) -> tuple[NDArray[Any], tuple[str, ...], NDArray[np.bool_] | None]:
    """The first channels of an image; a note if there were more; and where that says that nothing is seen."""
    if pixels.ndim == 2 or pixels.shape[2] == channels:
        return pixels, (), None
    kept = pixels[..., 0] if channels == 1 else pixels[..., :channels]
    return kept, (ALPHA_NOTE,), transparent(pixels[..., channels])


def transparent(alpha: NDArray[Any]) -> NDArray[np.bool_] | None:
    """Where nothing of a pixel is seen; None if that is so nowhere, or everywhere, as where nobody has filled it in."""
    unseen = alpha == 0
    return unseen if unseen.any() and not unseen.all() else None


def without_equal_channels(pixels: NDArray[Any]) -> tuple[NDArray[Any], bool]:
    """Grey pixels if a palette held greys only, and whether colours are left."""
    first = pixels[..., 0]
    if all(np.array_equal(first, pixels[..., channel]) for channel in range(1, pixels.shape[2])):
        return first, False
    return pixels, True


def cmyk_to_rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Inks ``(rows, columns, 4)`` of an unsigned type as red, green and blue of the same type."""
    full = np.uint64(np.iinfo(pixels.dtype).max)
    rgb = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    for row in range(len(pixels)):
        light = full - pixels[row].astype(np.uint64)
        rgb[row] = (light[:, :3] * light[:, 3:] + full // np.uint64(2)) // full
    return rgb
