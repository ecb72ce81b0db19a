"""Which features: the spec, and how far each one reaches."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation._shared.checks import number
from segmentation.features.by_channel import KINDS as KINDS
from segmentation.features.by_channel import TOO_MANY_CHANNELS, channel_and_kinds, checked_table
from segmentation.features.constants import ColourConstants
from segmentation.features.learned.layout import CHANNELS, COUNT, HALO
from segmentation.features.table import Pointwise, pointwise_features
from segmentation.io.limits import MAX_CHANNELS

GAUSSIAN_TRUNCATE = 4.0
"""Gaussians are cut off at this many sigmas, as in scipy and scikit-image."""

MOST_PLANES_AROUND = 3
"""Above and below: with more of them there are hundreds of features, most of which say the same."""


DERIVATIVE_REACH = 2
"""Pixels that the second derivatives look beyond the Gaussian."""

KINDS_ADDED = ("differences", "colour")
"""Those that came later: settings that were written before do not have them."""

FINE_SIGMA = 4.0
"""Features of larger sigmas are not fine: what they say of a pixel is said of its surroundings."""

OF_DEPTH: dict[str, tuple[type, ...]] = {"dimensions": (int,), "planes_around": (int,), "plane_distance": (int, float)}
"""What is said of the planes of a stack, and of which types it is."""

_EIGENVALUES = {2: ("larger", "smaller"), 3: ("largest", "middle", "smallest")}

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
        dimensions: 2, or 3: smoothed and derived along the planes of a stack too, with three eigenvalues.
        planes_around: of how many planes above and below the features are taken beside those of a pixel's own plane.
        plane_distance: of three dimensions, how far planes lie apart, in pixels: sigmas along them are so much smaller.
        learned: what a small network, trained on photographs, says of the surroundings, see
            :mod:`segmentation.features.learned`; it sees single planes, and the first three channels of those in use.

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
    dimensions: int = 2
    planes_around: int = 0
    plane_distance: float = 1.0
    learned: bool = False

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
            raise ValueError(TOO_MANY_CHANNELS)
        object.__setattr__(self, "by_channel", checked_table(self.by_channel))
        self._check_depth()

    def _check_depth(self) -> None:
        """Refuse what planes of a stack cannot be looked at with."""
        object.__setattr__(self, "plane_distance", number(self.plane_distance, "The distance of planes"))
        if self.dimensions not in (2, 3):
            raise ValueError("Features have 2 or 3 dimensions.")
        if not 0 <= self.planes_around <= MOST_PLANES_AROUND:
            raise ValueError(f"Features are of at most {MOST_PLANES_AROUND} planes above and below.")
        if not 0.01 <= self.plane_distance <= 100:
            raise ValueError("Planes must lie between 0.01 and 100 pixels apart.")
        if self.dimensions == 3 and self.planes_around:
            raise ValueError("Features of three dimensions see the planes around already: choose one of the two.")
        if self.dimensions == 2 and self.plane_distance != 1:
            raise ValueError("How far planes lie apart counts for features of three dimensions only.")
        if self.looks_around and self.learned:
            raise ValueError("Learned texture sees single planes: take each plane by itself, or switch it off.")
        if self.looks_around and self.standardise:
            raise ValueError("Planes of a stack cannot be standardised one by one where features look at several.")

    @property
    def looks_around(self) -> bool:
        """Whether features of a plane of a stack depend on other planes."""
        return self.dimensions == 3 or self.planes_around > 0

    @cached_property
    def flat(self) -> FeatureSpec:
        """The features of single planes."""
        other = replace(self, dimensions=2, planes_around=0, plane_distance=1.0)
        vars(other)["sigmas"] = self.sigmas
        return other

    @property
    def depth_sigmas(self) -> tuple[float, ...]:
        """The sigmas of the Gaussians along the planes of a stack, in planes."""
        return tuple(sigma / self.plane_distance for sigma in self.sigmas)

    @property
    def depth_halo(self) -> int:
        """Planes above and below on which features depend."""
        if self.dimensions == 2:
            return self.planes_around
        return gaussian_radius(max(self.depth_sigmas)) + DERIVATIVE_REACH

    @cached_property
    def local(self) -> FeatureSpec:
        """All features but the learned ones, which come after them."""
        if not self.learned:
            return self
        other = replace(self, learned=False)
        vars(other)["sigmas"] = self.sigmas
        return other

    @cached_property
    def seen_by_network(self) -> FeatureSpec:
        """All that learned features depend on, and nothing else."""
        ends = None if self.constants is None else self.constants.ends
        constants = None if ends is None else ColourConstants(0, 1, ends)
        return FeatureSpec(learned=True, channels=self.channels, standardise=self.standardise, constants=constants)

    def network_channels(self, image_channels: int) -> tuple[int, ...]:
        """The channels that the network of learned features sees; none if there are no such features."""
        return self.channel_indices(image_channels)[: CHANNELS * self.learned]

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
            learned=False,
        )
        vars(other)["sigmas"] = self.sigmas
        return other

    @property
    def kinds_per_sigma(self) -> int:
        """Number of scikit-image's features of one channel at one sigma."""
        return int(self.intensity) + int(self.edges) + self.dimensions * int(self.texture)

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
        return max(gaussian_radius(max(self.sigmas)) + DERIVATIVE_REACH, HALO * self.learned)

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
        if not self.fits(image_channels):
            raise ValueError(f"The features need channel {max(self.channels) + 1}, but the image has {image_channels}.")
        return self.channels

    def fits(self, image_channels: int) -> bool:
        """Whether images with so many channels have all that are chosen."""
        return self.channels is None or max(self.channels) < image_channels

    def count_basic(self, image_channels: int) -> int:
        """Number of scikit-image's features of an image with ``image_channels`` channels; the others come after."""
        return len(self.channel_indices(image_channels)) * len(self.sigmas) * self.kinds_per_sigma

    def pointwise(self, image_channels: int) -> Pointwise:
        """The features that follow from scikit-image's pixel by pixel, which come after them."""
        channels = len(self.channel_indices(image_channels))
        return pointwise_features(self.differences, self.colour, channels, len(self.sigmas), self.lab_sigmas)

    def count(self, image_channels: int) -> int:
        """Number of features of an image with ``image_channels`` channels."""
        of_plane = self.count_basic(image_channels) + len(self.pointwise(image_channels).rows)
        return of_plane * self.planes_seen + COUNT * self.learned

    @property
    def planes_seen(self) -> int:
        """Of how many planes there are features of their own, one plane after the other."""
        return 1 + 2 * self.planes_around

    def fine(self, image_channels: int) -> NDArray[np.bool_]:
        """``(features,)``, which of them look at small sigmas only, those up to :data:`FINE_SIGMA`."""
        fine = np.array(self.sigmas) <= FINE_SIGMA
        planes = np.tile(fine, len(self.channel_indices(image_channels)))
        of_plane = [np.repeat(planes, self.kinds_per_sigma), fine[self.pointwise(image_channels).largest_sigmas]]
        return np.append(np.tile(np.concatenate(of_plane), self.planes_seen), np.zeros(COUNT * self.learned, np.bool_))

    def seen(self, image_channels: int) -> NDArray[np.bool_]:
        """``(features,)``, which of them trees look at: all, but for ``by_channel``.

        Raises:
            ValueError: if there is nothing that a tree could look at.
        """
        channels = self.channel_indices(image_channels)
        textures = ["texture"] * self.dimensions * self.texture
        kinds = ["intensity"] * self.intensity + ["edges"] * self.edges + textures
        basic = [self._looks_at(channel, kind) for channel in channels for _ in self.sigmas for kind in kinds]
        differences, colour = (
            np.array([not self._looks_at(channel, kind) for channel in channels], np.bool_)
            for kind in ("differences", "colour")
        )
        hidden = self.pointwise(image_channels).of_channels(differences, colour)
        seen = np.concatenate([np.array(basic, np.bool_), ~hidden])
        if not seen.any():
            raise ValueError("No feature is left: let the forest look at some kind in some channel.")
        return np.append(np.tile(seen, self.planes_seen), np.ones(COUNT * self.learned, np.bool_))

    def names(self, image_channels: int) -> list[str]:
        """A readable name for each feature, in their order."""
        kinds = (
            ["intensity"] * self.intensity
            + ["edges"] * self.edges
            + [f"texture ({size} eigenvalue)" for size in _EIGENVALUES[self.dimensions]] * self.texture
        )
        channels = self.channel_indices(image_channels)
        basic = [
            f"channel {channel + 1}, {kind}, sigma {sigma:g}"
            for channel in channels
            for sigma in self.sigmas
            for kind in kinds
        ]
        own = basic + self.pointwise(image_channels).names(channels, self.sigmas)
        parts = [name.rpartition(", ") for name in own]
        around = [(kind, _offset_in_words(step), sigma) for step in self.offsets[1:] for kind, _, sigma in parts]
        learned = [f"learned texture, output {number + 1}" for number in range(COUNT * self.learned)]
        return own + [f"{kind} {where}, {sigma}" for kind, where, sigma in around] + learned

    @property
    def offsets(self) -> tuple[int, ...]:
        """The planes that there are features of, relative to a pixel's own, which is the first."""
        return (0, *(sign * step for step in range(1, self.planes_around + 1) for sign in (-1, 1)))

    def to_json(self) -> dict[str, Any]:
        """What was chosen as plain JSON values; what came later, from ``standardise`` on, only if chosen."""
        values = asdict(self.chosen)
        del values["constants"]
        for name in ("standardise", *OF_DEPTH, "learned"):
            if getattr(self, name) == getattr(FeatureSpec, name):
                del values[name]
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
            "learned": (bool,),
            "by_channel": (dict, type(None)),
            **OF_DEPTH,
        }
        if not isinstance(values, Mapping):
            raise ValueError("The feature settings must be a JSON object.")
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
            given["by_channel"] = dict(channel_and_kinds(*one) for one in given["by_channel"].items())
        return cls(**given)


def gaussian_radius(sigma: float) -> int:
    """The last pixel, from its centre, of a Gaussian that is cut off."""
    return int(GAUSSIAN_TRUNCATE * sigma + 0.5)


def _offset_in_words(offset: int) -> str:
    """Where a plane lies, as seen from another."""
    return f"{abs(offset)} plane{'s' * (abs(offset) > 1)} {'above' if offset < 0 else 'below'}"
