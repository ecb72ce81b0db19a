"""Which channels of an image are those that a classifier learnt from: by their names, where files have them.

Programs write the channels of the same experiment in another order, or one more of them. Where an image has all
channels that were learnt from, by name, these are taken in their order; where names are missing, their number must fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

from segmentation._shared.text import counted
from segmentation.features.spec import FeatureSpec
from segmentation.forest.forest import Forest
from segmentation.io.image import Image
from segmentation.io.limits import MAX_CHANNELS
from segmentation.io.pyramid import Pyramid

LONGEST_NAME = 100
"""Longer names are taken for descriptions."""

Names = tuple[str, ...]

AnyImage = TypeVar("AnyImage", Image, Pyramid)


class Trained(Protocol):
    """What of a classifier that was trained says which channels it learnt from."""

    @property
    def training_(self) -> Mapping[str, Any]:
        """The facts about what was learnt from."""

    @property
    def channels_(self) -> int | None:
        """How many these were; None if that is not known."""

    @property
    def spec_(self) -> FeatureSpec:
        """The features."""

    @property
    def forest_(self) -> Forest:
        """The trees."""


def named_channels(image: Image | Pyramid) -> Names | None:
    """What the file calls the channels; None unless each has a name that no other has."""
    told = image.channel_names if isinstance(image, Pyramid) else image.metadata.get("channel_names", ())
    names = tuple(str(name) for name in told)
    proper = len(names) == image.channels == len(set(names)) and all(0 < len(name) <= LONGEST_NAME for name in names)
    return names if proper else None


def learnt_channels(training: Mapping[str, Any]) -> Names | None:
    """The names of the channels that were learnt from; None if they are not known.

    Args:
        training: the facts about what was learnt from, as ``training_`` of a classifier.
    """
    names = next((one.get("channel_names") for one in training.get("images", ())), None)
    return tuple(names) if names else None


def chosen_channels(named: Sequence[str] | None, names: Sequence[str] | None) -> tuple[int, ...] | None:
    """Which channels of an image to take, in their order; None takes them as they are.

    Args:
        named: the names of its channels.
        names: of those that are wanted.
    """
    if not named or not names or tuple(named) == tuple(names) or not set(names) <= set(named):
        return None
    return tuple(list(named).index(name) for name in names)


def channels_of_features(spec: FeatureSpec, n_features: int) -> int | None:
    """How many channels the images have whose features are so many.

    Returns:
        Their number, or the smallest if the spec looks at chosen channels only; None if no image has so many features.
    """
    fewest = 1 if spec.channels is None else max(spec.channels) + 1
    most = MAX_CHANNELS if spec.channels is None else fewest
    return next((some for some in range(fewest, most + 1) if spec.count(some) == n_features), None)


def wanted_channels(classifier: Trained) -> int | None:
    """How many channels images have that a classifier segments; None if its features do not say, or allow several."""
    if classifier.channels_ is not None or classifier.spec_.channels is not None:
        return classifier.channels_
    return channels_of_features(classifier.spec_, classifier.forest_.n_features)


def channels_seen(classifier: Trained) -> int | None:
    """How many channels a classifier's features are of, at least; None if no image has so many features."""
    return classifier.channels_ or channels_of_features(classifier.spec_, classifier.forest_.n_features)


def feature_names(classifier: Trained) -> list[str]:
    """A readable name for each feature that a classifier's forest sees; numbers if they are those of no image."""
    channels = channels_seen(classifier)
    if channels is None:
        return [f"feature {number + 1}" for number in range(classifier.forest_.n_features)]
    return classifier.spec_.names(channels)


def matched(image: AnyImage, classifier: Trained) -> AnyImage:
    """The image with the channels that a classifier learnt from, in their order.

    Args:
        image: the image, a part of one, or one of any size.
        classifier: one that was trained.

    Raises:
        ValueError: with a sentence, if the image has other channels.
    """
    taken = _taken(image, classifier.training_, classifier.channels_)
    spec, seen = classifier.spec_, classifier.forest_.n_features
    found = spec.count(taken.channels)
    if found == seen:
        return taken
    channels = channels_of_features(spec, seen)
    if channels is None:
        raise ValueError(
            f"The classifier's trees see {counted(seen, 'feature')}, which is not the number of the features that its "
            f"settings give of this image, {found}, nor of any other: it cannot segment images."
        )
    raise ValueError(
        f"The classifier's features are those of images with {counted(channels, 'channel')}, "
        f"but of this one {taken.channels} would be taken."
    )


def _taken(image: AnyImage, training: Mapping[str, Any], channels: int | None) -> AnyImage:
    """The image with the channels that are called as those that were learnt from, or else with so many."""
    names = learnt_channels(training)
    named = named_channels(image)
    chosen = chosen_channels(named, names)
    if chosen is not None:
        return image.with_channels(chosen)
    if channels is None or image.channels == channels:
        return image
    if names and named:
        missing = ", ".join(f"“{name}”" for name in names if name not in named)
        raise ValueError(f"The classifier was trained on channels that this image does not have: {missing}.")
    raise ValueError(
        f"The classifier was trained on images with {counted(channels, 'channel')}, but this one has {image.channels}."
    )


def channels_note(image: Image | Pyramid, training: Mapping[str, Any]) -> str | None:
    """A sentence, if channels are taken by their names."""
    names = learnt_channels(training)
    chosen = chosen_channels(named_channels(image), names)
    if chosen is None or names is None:
        return None
    taken = ", ".join(f"“{name}” (number {index + 1})" for name, index in zip(names, chosen, strict=True))
    others = image.channels - len(chosen)
    rest = f"; {counted(others, 'other channel')} {'is' if others == 1 else 'are'} not looked at" if others else ""
    return f"Its channels are taken by their names: {taken}{rest}."
