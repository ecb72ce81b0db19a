"""Which features follow from others pixel by pixel; :mod:`segmentation.features.pointwise` has their formulas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property

DIFFERENCE, TRACE, RATIO, RATIO_TO_MEAN, LAB = range(5)
"""What a pointwise feature is."""

LAB_NAMES = ("lightness", "green to red", "blue to yellow")

MOST_PAIRED_CHANNELS = 4
"""Up to so many channels there is a ratio of each two of them; of more the ratio of each to the mean of all."""


@dataclass(frozen=True, eq=False)
class Pointwise:
    """The pointwise features of images with so many channels.

    Attributes:
        rows: ``(features, 3)`` int32: what each is, and the numbers of the smoothed planes that it is made of, counted
            channel by channel and for each sigma by sigma. The second is -1 where there is none; of RATIO_TO_MEAN and
            LAB the first is that of the first channel, and the second is the channel and the component.
        channels: number of channels that are used.
        sigmas: number of sigmas.
    """

    rows: NDArray[np.int32]
    channels: int
    sigmas: int

    @cached_property
    def compares_channels(self) -> bool:
        """Whether one of them is a ratio."""
        return bool(np.isin(self.rows[:, 0], (RATIO, RATIO_TO_MEAN)).any())

    @property
    def largest_sigmas(self) -> NDArray[np.int32]:
        """``(features,)``, the number of the largest sigma that each looks at."""
        kinds, first, second = self.rows.T
        of_two = (kinds == DIFFERENCE) | (kinds == RATIO)
        return np.where(of_two, np.maximum(first % self.sigmas, second % self.sigmas), first % self.sigmas)

    @cached_property
    def _made_of(self) -> NDArray[np.bool_]:
        """``(features, channels x sigmas)``, the smoothed planes that each is made of."""
        kinds, first, second = self.rows.T
        planes = np.arange(self.channels * self.sigmas)
        of_two, of_all = (kinds == DIFFERENCE) | (kinds == RATIO), (kinds == RATIO_TO_MEAN) | (kinds == LAB)
        made = planes == first[:, None]
        made |= of_two[:, None] & (planes == second[:, None])
        made |= of_all[:, None] & (planes % self.sigmas == first[:, None])
        return np.asarray(made)

    def planes(self, features: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which of the smoothed planes some of them are made of, ``(channels x sigmas,)``."""
        return np.asarray(self._made_of[features].any(axis=0))

    def follow_from(self, planes: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """``(features,)``, which of them follow from some of the smoothed planes alone."""
        return np.asarray(~self._made_of[:, ~planes].any(axis=1))

    def of_channels(self, differences: NDArray[np.bool_], colour: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """``(features,)``, which of them are made of some of the channels.

        Args:
            differences: ``(channels,)``, the channels that count for differences.
            colour: ``(channels,)``, those that count for colour; perceived colour is made of all.
        """
        kinds, first, second = self.rows.T
        of_first, of_second = first // self.sigmas, np.maximum(second, 0) // self.sigmas
        of_one = (kinds == DIFFERENCE) | (kinds == TRACE)
        found = np.where(of_one, differences[of_first], colour[of_first] | colour[of_second])
        to_mean = kinds == RATIO_TO_MEAN
        found[to_mean] = colour[second[to_mean]]
        found[kinds == LAB] = colour.any()
        return found

    def names(self, channels: tuple[int, ...], sigmas: tuple[float, ...]) -> list[str]:
        """A readable name for each, of these channels at these sigmas."""
        return [_name(channels, sigmas, *row) for row in self.rows.tolist()]


@lru_cache(maxsize=64)
def pointwise_features(
    differences: bool, colour: bool, channels: int, sigmas: int, lab_sigmas: tuple[int, ...]
) -> Pointwise:
    """The pointwise features of some kinds.

    Args:
        differences, colour: the kinds.
        channels: number of channels that are used.
        sigmas: number of sigmas.
        lab_sigmas: the numbers of those at which perceived colour is computed.
    """
    rows: list[tuple[int, int, int]] = []
    if differences:
        for first in range(0, channels * sigmas, sigmas):
            rows += [(DIFFERENCE, first + one, first + other) for one, other in combinations(range(sigmas), 2)]
            rows += [(TRACE, first + sigma, -1) for sigma in range(sigmas)]
    if colour and channels > 1:
        for sigma in range(sigmas):
            if channels <= MOST_PAIRED_CHANNELS:
                pairs = combinations(range(channels), 2)
                rows += [(RATIO, one * sigmas + sigma, other * sigmas + sigma) for one, other in pairs]
            else:
                rows += [(RATIO_TO_MEAN, sigma, channel) for channel in range(channels)]
        if channels == 3:
            rows += [(LAB, sigma, component) for sigma in lab_sigmas for component in range(3)]
    table = np.array(rows, np.int32).reshape(-1, 3)
    table.flags.writeable = False
    return Pointwise(table, channels, sigmas)


def _name(channels: tuple[int, ...], sigmas: tuple[float, ...], kind: int, first: int, second: int) -> str:
    count = len(sigmas)
    channel, sigma = channels[first // count] + 1, f"sigma {sigmas[first % count]:g}"
    if kind == DIFFERENCE:
        return f"channel {channel}, difference, {sigma} and {sigmas[second % count]:g}"
    if kind == TRACE:
        return f"channel {channel}, texture (sum of eigenvalues), {sigma}"
    if kind == RATIO:
        return f"channels {channel} and {channels[second // count] + 1}, ratio, {sigma}"
    if kind == RATIO_TO_MEAN:
        return f"channel {channels[second] + 1}, ratio to the mean of all, {sigma}"
    return f"perceived colour, {LAB_NAMES[second]}, {sigma}"
