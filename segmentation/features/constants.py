"""What features take from the images that are learnt from, and what is kept with a classifier for all later images."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.checks import mapping, number
from segmentation.features.learned.layout import CHANNELS

MEDIAN_PIXELS = 4096
"""About as many pixels, on a grid over the image, are asked for its median; more of them change no result."""

DARK_SHARE = 0.02
"""Ratios are damped where channels are darker than this share of the median."""

LEAST_OFFSET = 1e-6

ENDS_PERCENTILES = 1, 99
"""Between these percentiles of a channel lies what the network of learned texture sees of it."""

Ends = tuple[tuple[float, float], ...]
"""The low and the high end of some channels, as features have values."""


@dataclass(frozen=True)
class ColourConstants:
    """What ratios of channels are of: ``log(max(value - low, 0) + offset)``, with values as features have them.

    Attributes:
        low: what counts as dark: 0, or the smallest value if that is negative.
        offset: what is added, so that noise in the dark does not become colour: 2 % of the median above ``low``.
        ends: of each channel that the network of learned texture sees, what is dark and what is bright to it; None
            where there is no learned texture.

    Raises:
        ValueError: if a value is out of bounds.
    """

    low: float
    offset: float
    ends: Ends | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", number(self.low, "The low of the constants", -1e19, 0))
        object.__setattr__(self, "offset", number(self.offset, "The offset of the constants", LEAST_OFFSET, 1e19))
        if self.ends is not None:
            object.__setattr__(self, "ends", _checked_ends(self.ends))

    @classmethod
    def of(cls, images: Iterable[tuple[float, float]]) -> ColourConstants:
        """Those of some images, whatever their order: the smallest of them all, and the middle one of their medians.

        Args:
            images: the smallest value and the median of each, at least one, as features have them.
        """
        lowest, medians = zip(*images, strict=True)
        low = min(0.0, *lowest)
        return cls(low, DARK_SHARE * max(statistics.median_low(medians) - low, 0.0) + LEAST_OFFSET)

    @classmethod
    def of_pixels(cls, pixels: NDArray[Any], seen: Sequence[int] = ()) -> ColourConstants:
        """Those of one image.

        Args:
            pixels: ``(rows, columns)`` or ``(rows, columns, channels)`` of any integer or float type.
            seen: the channels that the network of learned texture sees, if it is asked for.
        """
        found = cls._of_values(pixels)
        if not seen:
            return found
        step, stacked = grid_step(pixels.shape), pixels.reshape(*pixels.shape[:2], -1)
        return replace(found, ends=channel_ends([stacked[::step, ::step, one].ravel() for one in seen]))

    @classmethod
    def _of_values(cls, pixels: NDArray[Any]) -> ColourConstants:
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            pixels = pixels[np.isfinite(pixels)][:, None]  # who computes features from the others refuses them
        if pixels.size == 0:
            return cls(0, LEAST_OFFSET)
        ends = pixels.min().item(), grid_median(pixels)
        return cls.of([(as_feature(ends[0], pixels.dtype), as_feature(ends[1], pixels.dtype))])

    def to_json(self) -> dict[str, Any]:
        """The constants as plain JSON values."""
        plain: dict[str, Any] = {"low": self.low, "offset": self.offset}
        return plain if self.ends is None else plain | {"ends": [list(pair) for pair in self.ends]}

    @classmethod
    def from_json(cls, values: object) -> ColourConstants:
        """The constants that :meth:`to_json` described.

        Raises:
            ValueError: if a value is missing, unknown or out of bounds.
        """
        given: Mapping[str, Any] = mapping(values, "The constants", ("low", "offset"), ("ends",))
        return cls(**given)


def _checked_ends(ends: object) -> Ends:
    """Pairs of numbers, the lower first.

    Raises:
        ValueError: if they are none.
    """
    told = "The ends of the constants must be a low and a high number for each of one to three channels."
    if not isinstance(ends, list | tuple) or not 1 <= len(ends) <= CHANNELS:
        raise ValueError(told)
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in ends):
        raise ValueError(told)
    pairs = [tuple(number(end, "An end of the constants", -1e19, 1e19) for end in pair) for pair in ends]
    if any(low > high for low, high in pairs):
        raise ValueError(told)
    return tuple((low, high) for low, high in pairs)


def channel_ends(values: Sequence[NDArray[Any]]) -> Ends:
    """What is dark and what is bright in channels of which some values are given; three of uint8 are a photograph's.

    Args:
        values: of each channel ``(values,)`` as the image has them; those that are no numbers do not count.
    """
    if len(values) == CHANNELS and all(one.dtype == np.uint8 for one in values):
        return PHOTOGRAPH
    return tuple(map(_ends, values))


def _ends(values: NDArray[Any]) -> tuple[float, float]:
    held = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    if not len(held):
        return 0.0, 1.0
    low, high = np.percentile(held, ENDS_PERCENTILES, method="lower")
    return as_feature(low.item(), values.dtype), as_feature(high.item(), values.dtype)


def middle_ends(of_images: Sequence[Ends]) -> Ends:
    """Those of some images together, whatever their order: the middle one of each."""
    return tuple(
        (statistics.median_low(low for low, _ in pairs), statistics.median_low(high for _, high in pairs))
        for pairs in zip(*of_images, strict=True)
    )


PHOTOGRAPH: Ends = ((0.0, 1.0),) * CHANNELS
"""Those of photographs, such as the network was trained on, and of standardised images."""

STANDARDISED = ColourConstants(-0.25, 0.015)
"""Those of standardised images, whatever they are: dark is what lies three standard deviations below the mean."""


def grid_step(shape: tuple[int, ...]) -> int:
    """Rows and columns from one pixel of that grid to the next."""
    return max(1, math.isqrt(shape[0] * shape[1] // MEDIAN_PIXELS))


def grid_median(pixels: NDArray[Any]) -> float:
    """The lower median of the values at the pixels of a grid over an image, all channels together."""
    step = grid_step(pixels.shape)
    return lower_median(pixels[::step, ::step].ravel())


def lower_median(values: NDArray[Any]) -> float:
    """The lower median of ``(values,)``."""
    middle = (len(values) - 1) // 2
    return float(np.partition(values, middle)[middle])


def as_feature(value: float, dtype: np.dtype[Any]) -> float:
    """A value of an image as features have it: a fraction of the range of its type, of floats the value itself."""
    return max(value / np.iinfo(dtype).max, -1.0) if dtype.kind in "iu" else float(value)


def standardised_constants(seen: Sequence[int] = ()) -> ColourConstants:
    """Those of standardised images, of which the network of learned texture sees these channels."""
    return replace(STANDARDISED, ends=PHOTOGRAPH[: len(seen)]) if seen else STANDARDISED
