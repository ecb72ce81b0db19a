"""Which kinds, sigmas and channels of features matter, and what it would cost to leave some of them out."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.assessment.importance import mean_decrease_in_impurity
from segmentation.features.pieces import compute_of
from segmentation.features.spec import KINDS, FeatureSpec
from segmentation.features.table import DIFFERENCE, TRACE
from segmentation.io.image import Image
from segmentation.model.channels import channels_seen
from segmentation.model.classifier import PixelClassifier

TIMED_SIDE = 256
TIMES = 3


@dataclass(frozen=True, eq=False)
class ImportanceTable:
    """How much features matter, by what can be chosen of them; together 1.

    Attributes:
        kinds: ``(kinds, sigmas)``, in the order of :data:`KINDS`; a feature of two sigmas counts for the larger.
        channels: ``(channels,)`` of the image, what features of several channels say shared out among these.
        learned: what learned texture counts, which has no sigma.
    """

    kinds: NDArray[np.float64]
    channels: NDArray[np.float64]
    learned: float = 0.0


def importance_table(classifier: PixelClassifier) -> ImportanceTable:
    """How much the features of a classifier matter.

    Raises:
        NotFittedError: if the classifier has not been trained.
        ValueError: if its features are those of no image.
    """
    spec, channels = classifier.spec_, channels_seen(classifier)
    if channels is None:
        raise ValueError("The classifier's features are those of no image: it is not known what they look at.")
    shares = mean_decrease_in_impurity(classifier.forest_)
    kind, sigma, weights = _places(spec, channels)
    table = np.zeros((len(KINDS), len(spec.sigmas)))
    local = len(kind)
    np.add.at(table, (kind, sigma), shares[:local])
    learned = float(shares[local:].sum())
    of_channels = shares[:local] @ weights
    seen = list(spec.network_channels(channels))
    of_channels[seen] += learned / max(len(seen), 1)
    return ImportanceTable(table, of_channels, learned)


def _places(spec: FeatureSpec, image_channels: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """The kind and the sigma of each feature that is not learned, by their numbers, and its part of each channel."""
    used, count = spec.channel_indices(image_channels), len(spec.sigmas)
    textures = ["texture"] * spec.dimensions
    own = [KINDS.index(kind) for kind in ("intensity", "edges", *textures) if getattr(spec, kind)]
    pointwise = spec.pointwise(image_channels)
    of_differences = np.isin(pointwise.rows[:, 0], (DIFFERENCE, TRACE))
    kind = np.concatenate([np.resize(own, spec.count_basic(image_channels)), np.where(of_differences, 3, 4)])
    basic = np.repeat(np.arange(len(used) * count), len(own))
    sigma = np.concatenate([basic % count, pointwise.largest_sigmas])
    weights = np.zeros((len(kind), image_channels))
    weights[np.arange(len(basic)), np.take(used, basic // count)] = 1
    for number in range(len(pointwise.rows)):
        planes = np.flatnonzero(pointwise.planes(np.array([number])))
        np.add.at(weights[len(basic) + number], np.take(used, planes // count), 1 / len(planes))
    seen = spec.planes_seen
    return np.tile(kind, seen).astype(np.int64), np.tile(sigma, seen).astype(np.int64), np.tile(weights, (seen, 1))


def without(spec: FeatureSpec, part: str, image_channels: int) -> FeatureSpec:
    """The spec without some of its features.

    Args:
        spec: which features.
        part: ``kind:edges``, ``kind:learned``, ``sigma:16`` (the smallest or the largest one only), or
            ``channel:1``, counted from 1.
        image_channels: number of channels of the images.

    Raises:
        ValueError: with a sentence, if they are not there, or cannot be left out alone.
    """
    group, _, name = part.partition(":")
    if group == "kind" and name in (*KINDS, "learned") and getattr(spec, name):
        off: dict[str, Any] = {name: False}
        return replace(spec, **off)
    if group == "sigma" and len(spec.sigmas) > 1:
        texts = [f"{sigma:g}" for sigma in spec.sigmas]
        count = None if spec.num_sigma is None else spec.num_sigma - 1
        if name == texts[-1]:
            return replace(spec, sigma_max=spec.sigmas[-2], num_sigma=count)
        if name == texts[0]:
            return replace(spec, sigma_min=spec.sigmas[1], num_sigma=count)
    used = spec.channel_indices(image_channels)
    left = tuple(one for one in used if f"channel:{one + 1}" != part)
    if left and len(left) < len(used):
        return replace(spec, channels=left)
    raise ValueError("These features cannot be left out alone.")


def seconds_of_features(image: Image, classifier: PixelClassifier) -> float:
    """Processor time of the features that a classifier asks for, of a tile of an image in one thread, in seconds.

    Args:
        image: one that was checked and adapted.
        classifier: trained on such images.
    """
    rows, columns = (slice(0, min(TIMED_SIDE, side)) for side in image.shape)
    wanted = classifier.forest_.used_features
    taken = []
    for _ in range(TIMES):
        begun = time.thread_time()
        compute_of(image, classifier.spec_, rows, columns, wanted=wanted, threads=1)
        taken.append(time.thread_time() - begun)
    return min(taken)
