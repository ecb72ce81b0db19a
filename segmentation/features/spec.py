"""Which features: the spec, and how far each one reaches."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.checks import number
from segmentation.features.constants import ColourConstants
from segmentation.features.table import Pointwise, pointwise_features
from segmentation.io.limits import MAX_CHANNELS

GAUSSIAN_TRUNCATE = 4.0
"""Gaussians are cut off at this many sigmas, as in scipy and scikit-image."""


DERIVATIVE_REACH = 2
"""Pixels that the second derivatives look beyond the Gaussian."""

KINDS = ("intensity", "edges", "texture", "differences", "colour")
"""The kinds of features, each of which can be switched on and off."""

KINDS_ADDED = ("differences", "colour")
"""Those that came later: settings that were written before do not have them."""

FINE_SIGMA = 4.0
"""Features of larger sigmas are not fine: what they say of a pixel is said of its surroundings."""

_TOO_MANY_CHANNELS = f"Features are of at most {MAX_CHANNELS} channels: an image has no more."

LAB_SIGMAS = (0.5, 2.0, 8.0)
"""Perceived colour is computed at those sigmas of a spec that are nearest to these."""


@dataclass(frozen=True)
class FeatureSpec:
    """Which features are computed.

    Attributes:
        intensity: the Gaussian-smoothed image at each sigma.
        edges: the Sobel gradient magnitude of the smoothed image.
        texture: the two eigenvalues of the Hessian of the smoothed image, the larger first.
        differences: the differences of the smoothed image between all sigmas, and the sum of the two eigenvalues; see
            :mod:`segmentation.features.pointwise`, as for the next.
        colour: ratios of channels, and of three channels perceived colour. An image of one channel has none.
        sigma_min: smallest sigma of the Gaussian, in pixels.
        sigma_max: largest sigma of the Gaussian, in pixels.
        num_sigma: number of sigmas, spaced evenly on a logarithmic scale; None doubles sigma from step to step.
        channels: indices of the image channels that are used; None uses all of them.
        standardise: whether brightness or colour differs between images: each channel is taken relative to its mean and
            spread in the whole image, see :mod:`segmentation.io.standardise`.
        by_channel: which kinds trees look at in single channels, by the index of the channel; in a channel that is not
            named, at all kinds. A ratio of channels is seen if its kind is in both. A mapping becomes pairs.
        constants: what colour takes from the images that are learnt from; None as long as there are none. It is no
            setting: a classifier brings it along.

    Raises:
        ValueError: with a sentence for the person who chose, if the values cannot go together.
    """

    intensity: bool = True
    edges: bool = True
    texture: bool = True
    differences: bool = True
    colour: bool = True
    sigma_min: float = 0.5
    sigma_max: float = 16.0
    num_sigma: int | None = None
    channels: tuple[int, ...] | None = None
    standardise: bool = False
    by_channel: Mapping[int, Collection[str]] | tuple[tuple[int, tuple[str, ...]], ...] | None = None
    constants: ColourConstants | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot go together; sigmas become floats, so that equal specs are written alike."""
        if not (self.intensity or self.edges or self.texture or self.differences):
            raise ValueError("Choose at least one kind of feature: intensity, edges, texture or differences.")
        for name, what in (("sigma_min", "The smallest sigma"), ("sigma_max", "The largest sigma")):
            object.__setattr__(self, name, number(getattr(self, name), what))
        if self.sigma_min < 0.1:
            raise ValueError("The smallest sigma must be at least 0.1 pixels.")
        if self.sigma_max > 64:
            raise ValueError("The largest sigma can be at most 64 pixels.")
        if self.sigma_min > self.sigma_max:
            raise ValueError(
                f"The smallest sigma ({self.sigma_min:g}) is above the largest ({self.sigma_max:g}): swap them."
            )
        if self.num_sigma is not None and not 1 <= self.num_sigma <= 16:
            raise ValueError("The number of scales must be between 1 and 16.")
        if self.channels is not None and (not self.channels or min(self.channels) < 0):
            raise ValueError("Choose at least one channel of the image.")
        if self.channels is not None and (len(self.channels) > MAX_CHANNELS or max(self.channels) >= MAX_CHANNELS):
            raise ValueError(_TOO_MANY_CHANNELS)
        object.__setattr__(self, "by_channel", _checked_table(self.by_channel))

    def _looks_at(self, channel: int, kind: str) -> bool:
        return kind in dict(self.by_channel or ()).get(channel, KINDS)

    @cached_property
    def sigmas(self) -> tuple[float, ...]:
        """The sigmas of the Gaussians in pixels, smallest first."""
        low, high = np.log2(self.sigma_min), np.log2(self.sigma_max)
        count = int(high - low + 1) if self.num_sigma is None else self.num_sigma
        return tuple(float(s) for s in np.logspace(low, high, num=count, base=2))

    @cached_property
    def basic(self) -> FeatureSpec:
        """The features of scikit-image that these are, or follow from."""
        return self._with_kinds(
            self.intensity or self.differences or self.colour, self.edges, self.texture or self.differences
        )

    @property
    def smoothing(self) -> FeatureSpec:
        """The smoothed image alone, from which all features follow."""
        return self._with_kinds(intensity=True, edges=False, texture=False)

    def _with_kinds(self, intensity: bool, edges: bool, texture: bool) -> FeatureSpec:
        other = replace(
            self,
            intensity=intensity,
            edges=edges,
            texture=texture,
            differences=False,
            colour=False,
            by_channel=None,
            constants=None,
        )
        vars(other)["sigmas"] = self.sigmas
        return other

    @property
    def kinds_per_sigma(self) -> int:
        """Number of scikit-image's features of one channel at one sigma."""
        return int(self.intensity) + int(self.edges) + 2 * int(self.texture)

    @cached_property
    def lab_sigmas(self) -> tuple[int, ...]:
        """The numbers of the sigmas at which perceived colour is computed."""
        distances = np.abs(np.log2(self.sigmas)[:, None] - np.log2(LAB_SIGMAS))
        return tuple(sorted(set(distances.argmin(axis=0).tolist())))

    @property
    def chosen(self) -> FeatureSpec:
        """What a person chose of it: all but what it took from images."""
        return replace(self, constants=None)

    @property
    def halo(self) -> int:
        """Pixels around a place on which its features depend."""
        return int(GAUSSIAN_TRUNCATE * max(self.sigmas) + 0.5) + DERIVATIVE_REACH

    def of_plane(self, plane: int, image_channels: int) -> FeatureSpec:
        """The features of one channel at one sigma: those that follow from one plane of the smoothed image.

        Args:
            plane: channel by channel, and for each sigma by sigma.
            image_channels: number of channels of the image.
        """
        channel, number = divmod(plane, len(self.sigmas))
        sigma = self.sigmas[number]
        chosen = self.channel_indices(image_channels)[channel]
        one = replace(self, sigma_min=sigma, sigma_max=sigma, num_sigma=1, channels=(chosen,))
        vars(one)["sigmas"] = (sigma,)  # what a logarithm and a power make of it may differ in its last digit
        return one

    def channel_indices(self, image_channels: int) -> tuple[int, ...]:
        """The channels that are used of an image with ``image_channels`` channels.

        Raises:
            ValueError: if the image lacks one of the chosen channels.
        """
        if self.channels is None:
            return tuple(range(image_channels))
        if max(self.channels) >= image_channels:
            raise ValueError(f"The features need channel {max(self.channels) + 1}, but the image has {image_channels}.")
        return self.channels

    def count_basic(self, image_channels: int) -> int:
        """Number of scikit-image's features of an image with ``image_channels`` channels; the others come after."""
        return len(self.channel_indices(image_channels)) * len(self.sigmas) * self.kinds_per_sigma

    def pointwise(self, image_channels: int) -> Pointwise:
        """The features that follow from scikit-image's pixel by pixel, which come after them."""
        channels = len(self.channel_indices(image_channels))
        return pointwise_features(self.differences, self.colour, channels, len(self.sigmas), self.lab_sigmas)

    def count(self, image_channels: int) -> int:
        """Number of features of an image with ``image_channels`` channels."""
        return self.count_basic(image_channels) + len(self.pointwise(image_channels).rows)

    def fine(self, image_channels: int) -> NDArray[np.bool_]:
        """``(features,)``, which of them look at small sigmas only, those up to :data:`FINE_SIGMA`."""
        fine = np.array(self.sigmas) <= FINE_SIGMA
        planes = np.tile(fine, len(self.channel_indices(image_channels)))
        return np.concatenate(
            [np.repeat(planes, self.kinds_per_sigma), fine[self.pointwise(image_channels).largest_sigmas]]
        )

    def seen(self, image_channels: int) -> NDArray[np.bool_]:
        """``(features,)``, which of them trees look at: all, but for ``by_channel``.

        Raises:
            ValueError: if there is nothing that a tree could look at.
        """
        channels = self.channel_indices(image_channels)
        kinds = ["intensity"] * self.intensity + ["edges"] * self.edges + ["texture"] * 2 * self.texture
        basic = [self._looks_at(channel, kind) for channel in channels for _ in self.sigmas for kind in kinds]
        differences, colour = (
            np.array([not self._looks_at(channel, kind) for channel in channels], np.bool_)
            for kind in ("differences", "colour")
        )
        hidden = self.pointwise(image_channels).of_channels(differences, colour)
        seen = np.concatenate([np.array(basic, np.bool_), ~hidden])
        if not seen.any():
            raise ValueError("No feature is left: let the forest look at some kind in some channel.")
        return seen

    def names(self, image_channels: int) -> list[str]:
        """A readable name for each feature, in their order."""
        kinds = (
            ["intensity"] * self.intensity
            + ["edges"] * self.edges
            + ["texture (larger eigenvalue)", "texture (smaller eigenvalue)"] * self.texture
        )
        channels = self.channel_indices(image_channels)
        basic = [
            f"channel {channel + 1}, {kind}, sigma {sigma:g}"
            for channel in channels
            for sigma in self.sigmas
            for kind in kinds
        ]
        return basic + self.pointwise(image_channels).names(channels, self.sigmas)

    def to_json(self) -> dict[str, Any]:
        """What was chosen as plain JSON values; what came later, ``standardise`` and ``by_channel``, only if chosen."""
        values = asdict(self.chosen)
        del values["constants"]
        if not self.standardise:
            del values["standardise"]
        values["channels"] = None if self.channels is None else list(self.channels)
        if self.by_channel is None:
            del values["by_channel"]
        else:
            values["by_channel"] = {str(channel): list(kinds) for channel, kinds in dict(self.by_channel).items()}
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> FeatureSpec:
        """The spec that :meth:`to_json` described; kinds of features that came later are off where they are not named.

        Raises:
            ValueError: if a value is missing, unknown or of the wrong type.
        """
        expected: dict[str, tuple[type, ...]] = {
            **dict.fromkeys(KINDS, (bool,)),
            "sigma_min": (int, float),
            "sigma_max": (int, float),
            "num_sigma": (int, type(None)),
            "channels": (list, tuple, type(None)),
            "standardise": (bool,),
            "by_channel": (dict, type(None)),
        }
        for name, value in values.items():
            if name not in expected:
                raise ValueError(f"Unknown feature setting {name!r}.")
            if not isinstance(value, expected[name]) or (isinstance(value, bool) and bool not in expected[name]):
                raise ValueError(f"The feature setting {name!r} has a value of the wrong type.")
        given = dict.fromkeys(KINDS_ADDED, False) | dict(values)
        if given.get("channels") is not None:
            if not all(isinstance(c, int) and not isinstance(c, bool) for c in given["channels"]):
                raise ValueError("The feature setting 'channels' must be a list of whole numbers.")
            given["channels"] = tuple(given["channels"])
        if given.get("by_channel") is not None:
            given["by_channel"] = dict(_channel_and_kinds(*one) for one in given["by_channel"].items())
        return cls(**given)


def _channel_and_kinds(channel: object, kinds: object) -> tuple[int, list[str]]:
    named = isinstance(channel, str) and re.fullmatch("[0-9]{1,9}", channel)
    listed = isinstance(kinds, list) and len(kinds) <= len(KINDS) and all(isinstance(kind, str) for kind in kinds)
    if not named or not listed:
        raise ValueError("The feature setting 'by_channel' must name kinds of features by numbers of channels.")
    return int(str(channel)), cast("list[str]", kinds)


def _checked_table(by_channel: object) -> tuple[tuple[int, tuple[str, ...]], ...] | None:
    """The kinds of each channel as pairs in one order; None if there is nothing in it."""
    if by_channel is None:
        return None
    table: dict[int, tuple[str, ...]] = {}
    given = dict(by_channel)  # type: ignore[call-overload]
    if len(given) > MAX_CHANNELS or max(given, default=0) >= MAX_CHANNELS:
        raise ValueError(_TOO_MANY_CHANNELS)
    for channel, kinds in given.items():
        if isinstance(kinds, str) or not all(kind in KINDS for kind in kinds):
            raise ValueError(f"What the forest looks at in a channel is some of {', '.join(KINDS)}.")
        if channel < 0:
            raise ValueError("Channels are counted from 0.")
        table[int(channel)] = tuple(kind for kind in KINDS if kind in kinds)
    return tuple(sorted((channel, kinds) for channel, kinds in table.items() if kinds != KINDS)) or None
