"""What features take from the images that are learnt from, and what is kept with a classifier for all later images."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.checks import mapping, number

MEDIAN_PIXELS = 4096
"""About as many pixels, on a grid over the image, are asked for its median; more of them change no result."""

DARK_SHARE = 0.02
"""Ratios are damped where channels are darker than this share of the median."""

LEAST_OFFSET = 1e-6


@dataclass(frozen=True)
class ColourConstants:
    """What ratios of channels are of: ``log(max(value - low, 0) + offset)``, with values as features have them.

    Attributes:
        low: what counts as dark: 0, or the smallest value if that is negative.
        offset: what is added, so that noise in the dark does not become colour: 2 % of the median above ``low``.

    Raises:
        ValueError: if a value is out of bounds.
    """

    low: float
    offset: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "low", number(self.low, "The low of the constants", -1e19, 0))
        object.__setattr__(self, "offset", number(self.offset, "The offset of the constants", LEAST_OFFSET, 1e19))

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
    def of_pixels(cls, pixels: NDArray[Any]) -> ColourConstants:
        """Those of one image, ``(rows, columns)`` or ``(rows, columns, channels)`` of any integer or float type."""
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            pixels = pixels[np.isfinite(pixels)][:, None]  # who computes features from the others refuses them
        if pixels.size == 0:
            return cls(0, LEAST_OFFSET)
        ends = pixels.min().item(), grid_median(pixels)
        return cls.of([(as_feature(ends[0], pixels.dtype), as_feature(ends[1], pixels.dtype))])

    def to_json(self) -> dict[str, float]:
        """The constants as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> ColourConstants:
        """The constants that :meth:`to_json` described.

        Raises:
            ValueError: if a value is missing, unknown or out of bounds.
        """
        given: Mapping[str, Any] = mapping(values, "The constants", ("low", "offset"))
        return cls(**given)


STANDARDISED = ColourConstants(-0.25, 0.015)
"""Those of standardised images, whatever they are: dark is what lies three standard deviations below the mean."""


def grid_median(pixels: NDArray[Any]) -> float:
    """The lower median of the values at the pixels of a grid over an image, all channels together."""
    step = max(1, math.isqrt(pixels.shape[0] * pixels.shape[1] // MEDIAN_PIXELS))
    values = pixels[::step, ::step].ravel()
    middle = (len(values) - 1) // 2
    return float(np.partition(values, middle)[middle])


def as_feature(value: float, dtype: np.dtype[Any]) -> float:
    """A value of an image as features have it: a fraction of the range of its type, of floats the value itself."""
    return max(value / np.iinfo(dtype).max, -1.0) if dtype.kind in "iu" else float(value)
