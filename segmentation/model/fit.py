"""Training: which labelled pixels a classifier learns from, their features, and the forest that is grown on them.

:meth:`PixelClassifier.fit` and the live engine both train here, the one on features that it computes, the other on
features that it has cached; so the two give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.cached_property import cached_property
from segmentation._shared.text import counted
from segmentation.features.compute import compute_planes
from segmentation.features.constants import ColourConstants, Ends, middle_ends
from segmentation.features.pieces import ComputePlanes
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import joined_ranges
from segmentation.forest.forest import Forest
from segmentation.forest.growing import grow_forest
from segmentation.forest.sampling import PixelSample, TrainingSample, check_classes, count_classes
from segmentation.forest.settings import ForestSettings
from segmentation.model.channels import chosen_channels, learnt_channels
from segmentation.model.facts import checked_class_ids, counts_to_json, values_of_image, with_learnt_constants
from segmentation.model.labelled import LabelledImage, LabelledPyramid


class TrainedClassifier(Protocol):
    """What training needs of an earlier classifier; see the attributes of :class:`PixelClassifier`."""

    spec: FeatureSpec
    spec_: FeatureSpec
    channels_: int | None
    training_: dict[str, Any]
    pixels_: PixelSample | None


@dataclass(frozen=True, eq=False)
class Fitted:
    """What training gives.

    Attributes:
        forest: the trees.
        class_ids: the classes that they tell apart, ascending.
        channels: number of channels of the images; None if it is not known.
        training: facts about the training data, as plain JSON values.
        pixels: the training pixels; None if they were not kept.
        constants: what the features took from the images; None if they take nothing.
    """

    forest: Forest
    class_ids: tuple[int, ...]
    channels: int | None
    training: dict[str, Any]
    pixels: PixelSample | None
    constants: ColourConstants | None = None


Labelled = LabelledImage | LabelledPyramid

ImageFacts = Callable[[Labelled], Mapping[str, Any]]
"""Facts about an image as :func:`image_facts` gives them."""

ImageRows = Callable[[Labelled, FeatureSpec, NDArray[np.int64]], NDArray[np.float32]]
"""``(pixels, features)`` float32 of an image, for the raster indices of the pixels."""

ImageEnds = Callable[[Labelled, tuple[int, ...]], Ends]
"""What is dark and what bright in some channels of an image, see :func:`channel_ends`."""

ImageRanges = Callable[[Labelled, FeatureSpec], NDArray[np.float32]]
"""Ranges of the features of an image as :func:`feature_ranges` gives them."""


class Training:
    """One training, of which the labelled pixels are chosen, and which :meth:`fit` carries out.

    Args:
        images: with their labels.
        spec: which features.
        settings: how the forest is grown.
        earlier: a classifier whose training pixels are learnt from too.
        facts: of an image; None reads the image.
        rows: feature rows of an image; None computes them.
        ranges: ranges of the features of an image; None computes them.
        ends: of channels of an image, for learned texture; None reads them from the image.
        planes: what computes them.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Attributes:
        sample: the pixels that were chosen.

    Raises:
        ValueError: if fewer than two classes are labelled, the images have different numbers of channels, or the
            earlier classifier has no training pixels, other features or other channels.
        PassingError: with a sentence, if a part of an image did not come this time; what is damaged is left out.
    """

    def __init__(
        self,
        images: Sequence[Labelled],
        spec: FeatureSpec,
        settings: ForestSettings,
        earlier: TrainedClassifier | None = None,
        *,
        facts: ImageFacts | None = None,
        rows: ImageRows | None = None,
        ranges: ImageRanges | None = None,
        ends: ImageEnds | None = None,
        planes: ComputePlanes = compute_planes,
        threads: int | None = None,
    ) -> None:
        self._settings, self._earlier = settings, earlier
        self._rows, self._planes, self._threads = rows or self._compute_rows, planes, threads
        self._ranges_of = ranges or self._compute_ranges
        self._ends_of = ends or (lambda image, seen: image.ends(seen))
        of_image = facts or (lambda image: image.facts())
        alike = _with_channels_alike([one.readable(spec.halo) for one in images], of_image, earlier)
        self._facts = [{**of_image(one), "hash": one.known_as or one.hash} for one in alike]
        self._images = [
            one.with_data() if one.may_lack_data(about) else one for one, about in zip(alike, self._facts, strict=True)
        ]
        if spec.standardise:
            self._images = [one.standardised() for one in self._images]
        if len({one["channels"] for one in self._facts}) > 1:
            raise ValueError("The images must all have the same number of channels.")
        self._spec = self._with_constants(spec)
        self._earlier_pixels = self._pixels_of(earlier) if earlier is not None else None
        known = () if self._earlier_pixels is None else tuple(count_classes(self._earlier_pixels.class_ids))
        self.sample = TrainingSample.draw(
            [one.labels for one in self._images], settings.random_state, earlier_classes=known
        )

    def _with_constants(self, spec: FeatureSpec) -> FeatureSpec:
        """The spec with its own constants, or else those of the earlier classifier, or else those of the images."""
        earlier = self._earlier.spec_.constants if self._earlier is not None else None
        if spec.constants is not None or earlier is not None:
            return replace(spec, constants=spec.constants or earlier)
        if not self._facts:
            return spec
        return with_learnt_constants(
            spec,
            self._facts[0]["channels"],
            lambda: map(values_of_image, self._facts),
            lambda seen: middle_ends([self._ends_of(one, seen) for one in self._images]),
        )

    def _pixels_of(self, earlier: TrainedClassifier) -> PixelSample:
        """The training pixels of the earlier classifier, which fit this training."""
        if earlier.pixels_ is None:
            raise ValueError("The earlier classifier came without its training pixels.")
        channels = self._facts[0]["channels"] if self._facts else None
        if None not in (channels, earlier.channels_) and earlier.channels_ != channels:
            raise ValueError(
                f"The earlier classifier was trained on images with {counted(earlier.channels_ or 0, 'channel')}, "
                f"but these have {channels}."
            )
        if earlier.spec_ != self._spec:
            raise ValueError(
                "The training pixels that came with the earlier classifier hold other features: "
                "they can be learnt from with its own only."
            )
        own = earlier.pixels_.features.shape[1]
        if channels is not None and self._spec.count(channels) != own:
            raise ValueError(
                f"The training pixels that came with the earlier classifier have {counted(own, 'feature')} each, but "
                f"those of images with {counted(channels, 'channel')} have {self._spec.count(channels)}."
            )
        return earlier.pixels_

    def _compute_rows(self, image: Labelled, spec: FeatureSpec, places: NDArray[np.int64]) -> NDArray[np.float32]:
        return image.rows(spec, places, compute=self._planes, threads=self._threads)

    def _compute_ranges(self, image: Labelled, spec: FeatureSpec) -> NDArray[np.float32]:
        return image.ranges(spec, compute=self._planes, threads=self._threads)

    def drawn_pixels(self) -> PixelSample:
        """The training pixels of the images alone, image by image, in the order of the sample."""
        chosen = zip(self._images, self.sample.places, strict=True)
        rows = [self._rows(image, self._spec, places) for image, places in chosen]
        known = [] if self._earlier_pixels is None else [self._earlier_pixels.features[:0]]
        features = rows[0] if len(rows) == 1 else np.concatenate([*known, *rows])
        return PixelSample(features, self.sample.class_ids, self._ranges)

    def pixels(self) -> PixelSample:
        """The training pixels: those of the sample, and those of the earlier classifier."""
        return self._with_earlier(self.drawn_pixels())

    def _with_earlier(self, drawn: PixelSample) -> PixelSample:
        if self._earlier_pixels is None:
            return drawn
        return self._earlier_pixels.joined(drawn, self._settings.random_state)

    def fit_part(self, drawn: PixelSample) -> Fitted:
        """Grows the forest that some of :meth:`drawn_pixels` give, together with those of the earlier classifier."""
        pixels = self._with_earlier(drawn)
        return self._fit_rows(pixels)

    def _fit_rows(self, pixels: PixelSample) -> Fitted:
        spec, ranges = self._spec, pixels.ranges if self._settings.image_ranges else None
        return fit_rows(pixels.features, pixels.class_ids, self._settings, self._threads, spec=spec, ranges=ranges)

    @cached_property
    def _ranges(self) -> NDArray[np.float32] | None:
        """Between which values features lie in the images that are learnt from, if the settings ask for it."""
        learnt = [one for one, places in zip(self._images, self.sample.places, strict=True) if len(places)]
        found = [self._ranges_of(one, self._spec) for one in learnt if self._settings.image_ranges]
        return joined_ranges(found) if found else None

    def fit(self) -> Fitted:
        """Computes the features of the training pixels and grows the forest."""
        pixels = self.pixels()
        fitted = self._fit_rows(pixels)
        earlier_facts = self._earlier.training_ if self._earlier is not None else {}
        channels = self._facts[0]["channels"] if self._facts else self._earlier.channels_ if self._earlier else None
        new = {one["hash"] for one in self._facts}
        earlier_images = [dict(one) for one in earlier_facts.get("images", ()) if one["hash"] not in new]
        labelled = counts_to_json(self.sample.labelled_pixels)
        for class_id, count in earlier_facts.get("labelled_pixels", {}).items():
            labelled[class_id] = labelled.get(class_id, 0) + count
        facts = {"images": earlier_images + [dict(one) for one in self._facts], "labelled_pixels": labelled}
        training = fitted.training | facts
        return Fitted(fitted.forest, fitted.class_ids, channels, training, pixels, self._spec.constants)


def _with_channels_alike(
    images: Sequence[Labelled], facts: ImageFacts, earlier: TrainedClassifier | None
) -> list[Labelled]:
    """The images with the channels of the earlier classifier, or else of the first of those that have the fewest.

    Channels are taken by their names where they have some.
    """
    told = [facts(one) for one in images]
    named = [one.get("channel_names") for one in told]
    fewest = min(told, key=lambda one: one["channels"], default={})
    names = learnt_channels(earlier.training_) if earlier is not None else fewest.get("channel_names")
    chosen = [chosen_channels(one, names) for one in named]
    return [image if one is None else image.with_channels(one) for image, one in zip(images, chosen, strict=True)]


def fit_rows(
    rows: ArrayLike,
    class_ids: ArrayLike,
    settings: ForestSettings,
    threads: int | None = None,
    *,
    spec: FeatureSpec | None = None,
    ranges: NDArray[np.float32] | None = None,
) -> Fitted:
    """Grows a forest on feature rows.

    Args:
        rows: ``(pixels, features)`` finite numbers.
        class_ids: ``(pixels,)`` whole numbers from 1 to 255.
        settings: how the forest is grown.
        threads: number of threads; None takes all cores. The result does not depend on it.
        spec: which features these are; it says which of them are fine, if there are as many as of some image.
        ranges: ``(2, features)``, values that the bins of features cover besides those of the rows; None: nothing.

    Raises:
        ValueError: if there are fewer than two classes, or rows and classes do not fit together.
    """
    features, classes = np.ascontiguousarray(rows, np.float32), checked_class_ids(class_ids)
    if features.ndim != 2 or classes.shape != (len(features),) or not classes.all():
        raise ValueError("Give one row of features and one class from 1 to 255 for each pixel.")
    if not np.isfinite(features).all():
        raise ValueError("The rows of features hold values that are not numbers (NaN or infinite).")
    counts = count_classes(classes)
    check_classes(counts)
    reach = _reach(spec, features.shape[1])
    forest = grow_forest(features, classes, settings, threads, **reach, ranges=ranges)
    return Fitted(forest, tuple(counts), None, {"training_pixels": counts_to_json(counts)}, None)


def _reach(spec: FeatureSpec | None, n_features: int) -> dict[str, NDArray[np.bool_]]:
    """Which of so many features are fine, and which are seen at all; nothing if they are those of no image."""
    if spec is None:
        return {}
    channels = 1 if spec.channels is None else max(spec.channels) + 1
    while spec.count(channels) < n_features and spec.channels is None:
        channels += 1
    if spec.count(channels) != n_features:
        return {}
    return {"fine": spec.fine(channels), "seen": spec.seen(channels)}
