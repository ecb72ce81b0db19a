"""What a classifier learnt with, in words: its features and how its forest was grown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from segmentation._shared.text import counted
from segmentation.features.spec import KINDS, FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.pixel_size import PixelSize
from segmentation.model.channels import learnt_channels
from segmentation.model.modelfile import ModelContents

FOREST_NAMES = {"extra_trees": "extremely randomised trees", "random_forest": "a random forest"}


def features_in_words(contents: ModelContents, size: PixelSize | None = None) -> str:
    """Which features, at which scales, of which channels.

    Args:
        contents: of the classifier.
        size: of the pixels of the images; None if it is not known, or not the same in all.
    """
    spec, names = contents.spec, learnt_channels(contents.training) or ()

    def name(channel: int) -> str:
        return names[channel] if channel < len(names) else f"channel {channel + 1}"

    told = [_listed([kind for kind in KINDS if getattr(spec, kind)] + ["learned texture"] * spec.learned)]
    told.append(f"scales (sigma) of {sigmas_in_words(spec, size)}")
    told.append(_channels(spec, names, name))
    told += _seen_by_network(contents, name)
    if spec.dimensions == 3:
        told.append(f"of three dimensions, of planes that lie {spec.plane_distance:g} pixels apart")
    if spec.planes_around:
        told.append(f"of each plane and of {counted(spec.planes_around, 'plane')} above and below")
    told += [
        f"in {name(one)} trees look at {_listed(list(kinds)) or 'nothing'}"
        for one, kinds in dict(spec.by_channel or ()).items()
    ]
    relative = "taken relative to its mean and spread in the image" if spec.standardise else "taken as it is"
    return "; ".join([*told, f"each channel is {relative}"])


def sigmas_in_words(spec: FeatureSpec, size: PixelSize | None = None) -> str:
    """``"0.5, 1 and 2 pixels"``, and what that is in the unit where it is a length that all sides of pixels share."""
    told = f"{_numbers(spec.sigmas)} pixels"
    if size is None or size.metres is None or size.x != size.y:
        return told
    return f"{told} ({_numbers([sigma * size.x for sigma in spec.sigmas])} {size.unit})"


def forest_in_words(settings: ForestSettings) -> str:
    """Of which kind a forest is, and how it was grown."""
    deepest = "of any depth" if settings.max_depth is None else f"of a depth of at most {settings.max_depth}"
    return "; ".join(
        [
            FOREST_NAMES[settings.kind],
            f"{counted(settings.n_estimators, 'tree')} {deepest}",
            f"each sees {100 * settings.max_samples:g} % of the labelled pixels",
            f"balance of the classes {100 * settings.balance:g} %",
            f"{100 * settings.fine_trees:g} % of the trees see fine features only",
            f"seed {settings.random_state}",
        ]
    )


def _channels(spec: FeatureSpec, names: Sequence[str], name: Callable[[int], str]) -> str:
    if spec.channels is not None:
        return f"of the channels {_listed([name(one) for one in spec.channels])}"
    return f"of all channels ({_listed(names)})" if names else "of all channels"


def _seen_by_network(contents: ModelContents, name: Callable[[int], str]) -> list[str]:
    """Which channels learned texture sees, if these are not all that are used."""
    if not contents.spec.learned or contents.channels is None:
        return []
    seen = contents.spec.network_channels(contents.channels)
    if len(seen) == len(contents.spec.channel_indices(contents.channels)):
        return []
    return [f"learned texture of {_listed([name(one) for one in seen])} alone"]


def _numbers(values: Sequence[float]) -> str:
    return _listed([f"{value:.4g}" for value in values])


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
