"""Images relative to themselves: each channel less its mean, over its spread, so that light and stain may differ.

The mean and the spread are computed exactly, so that they are the same to the last bit whether an image is looked at
whole or block by block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.io.image import Image
from segmentation.io.sampling import is_large, sampled_windows

SPREADS = 4.0
"""A standardised channel has its mean at 1/2, and 0 and 1 two standard deviations away."""

CACHE_BYTES = 64_000_000
"""Standardised images that are kept, so that a stroke does not cost them anew."""

_VALUES_AT_ONCE = 2**20
"""Sums of so many squares of 32 bits are exact in float64."""


@dataclass(frozen=True)
class Moments:
    """Exact sums over the values of a channel.

    Attributes:
        count: number of values.
        total: their sum.
        squares: the sum of their squares.
    """

    count: int = 0
    total: Fraction = Fraction(0)
    squares: Fraction = Fraction(0)

    def __add__(self, other: Moments) -> Moments:
        return Moments(self.count + other.count, self.total + other.total, self.squares + other.squares)

    @property
    def standard(self) -> tuple[float, float]:
        """Mean and standard deviation; (0, 0) of no values."""
        if not self.count:
            return 0.0, 0.0
        mean = self.total / self.count
        return float(mean), sqrt(self.squares / self.count - mean * mean)


Standards = Sequence[Sequence[float]]
"""Mean and standard deviation of each channel of an image."""


def moments(values: NDArray[Any]) -> Moments:
    """Those of finite values of any of the types that images have."""
    flat = values.ravel()
    if flat.dtype.kind in "iu" and flat.dtype.itemsize <= 2:
        low = int(np.iinfo(flat.dtype).min)
        counts = np.bincount(flat.astype(np.int64) - low)
        found = np.flatnonzero(counts)
        pairs = [(int(counts[one]), int(one) + low) for one in found]
        total, squares = sum(n * value for n, value in pairs), sum(n * value * value for n, value in pairs)
        return Moments(flat.size, Fraction(total), Fraction(squares))
    parts = (flat[start : start + _VALUES_AT_ONCE] for start in range(0, flat.size, _VALUES_AT_ONCE))
    return sum(map(_moments_of_wide, parts), Moments())


def _moments_of_wide(values: NDArray[Any]) -> Moments:
    """The moments of up to :data:`_VALUES_AT_ONCE` values of 32 bits, by exponents, of which the halves are exact."""
    fractions, exponents = np.frexp(values.astype(np.float64))
    whole = np.ldexp(fractions, 32).astype(np.int64)
    high, low = (whole >> 16).astype(np.float64), (whole & 0xFFFF).astype(np.float64)
    least = int(exponents.min(initial=0))
    total, squares = Fraction(0), Fraction(0)
    sums = [np.bincount(exponents - least, some) for some in (high, low, high * high, high * low, low * low)]
    for number, (top, end, tops, both, ends) in enumerate(zip(*(some.tolist() for some in sums), strict=True)):
        unit = Fraction(2) ** (number + least - 32)
        total += unit * ((int(top) << 16) + int(end))
        squares += unit * unit * ((int(tops) << 32) + (int(both) << 17) + int(ends))
    return Moments(values.size, total, squares)


def standards(blocks: Iterable[Image]) -> list[tuple[float, float]]:
    """Mean and standard deviation of each channel over all blocks of an image, of the pixels that hold data."""
    sums: list[Moments] = []
    for block in blocks:
        pixels = block.stacked
        channels = np.moveaxis(pixels if block.no_data is None else pixels[~block.no_data][:, None], -1, 0)
        found = [moments(channel) for channel in channels]
        sums = [one + other for one, other in zip(sums, found, strict=True)] if sums else found
    return [one.standard for one in sums]


def standards_of_whole(image: Image) -> list[tuple[float, float]]:
    """Mean and standard deviation of each channel of an image that is in memory: of a large one, those of its sample,
    as where it is read by parts.
    """
    if not is_large(image.shape):
        return standards([image])
    windows = [(one.rows, one.columns) for one in sampled_windows(image.shape)]
    missing = image.no_data
    return standards(Image(image.pixels[one], {}, None if missing is None else missing[one]) for one in windows)


def standardised_pixels(pixels: NDArray[Any], of_channels: Standards) -> NDArray[np.float32]:
    """``(value - mean) / (4 standard deviations) + 1/2`` of each channel; 1/2 where all values are equal.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)``.
        of_channels: mean and standard deviation of each channel.

    Returns:
        Of the same shape, float32.
    """
    stacked = pixels.reshape(*pixels.shape[:2], -1)
    result = np.empty(stacked.shape, np.float32)
    for channel, (mean, spread) in enumerate(of_channels):
        scale = 1 / (SPREADS * spread) if spread > 0 else 0.0
        result[..., channel] = (stacked[..., channel].astype(np.float64) - mean) * scale + 0.5
    return result.reshape(pixels.shape)


def is_standardised(image: Image) -> bool:
    """Whether the channels of an image are relative to their mean and spread already."""
    return bool(image.metadata.get("standardised"))


def standardised(image: Image, of_channels: Standards | None = None) -> Image:
    """An image whose channels are relative to their mean and spread; itself if that was done before.

    It keeps the hash of its content, if that is known: it is the same image, seen otherwise.

    Args:
        image: the image, or a part of one.
        of_channels: mean and standard deviation of each channel of the whole; None computes those of the image.
    """
    if is_standardised(image):
        return image
    kept = of_channels is None and "hash" in vars(image)
    known = _kept.get(image.hash) if kept else None
    if known is not None:
        return known.with_pixel_size(image.pixel_size).within(image.region)
    pixels = standardised_pixels(image.pixels, standards_of_whole(image) if of_channels is None else of_channels)
    ends = [float(pixels.min()), float(pixels.max())]
    about = image.metadata | {"dtype": "float32", "value_range": ends, "standardised": True}
    seen = replace(image, pixels=pixels, metadata=about, region=None)
    if kept:
        vars(seen)["hash"] = image.hash
        _kept.put(image.hash, seen)
    return seen.within(image.region)


_kept: BoundedCache[str, Image] = BoundedCache(CACHE_BYTES, lambda seen: seen.pixels.nbytes)
