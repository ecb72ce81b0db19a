"""Scores from held-out strokes: each stroke is looked at by a forest that has learnt from other strokes only.

Whole strokes are held out, since the pixels of one stroke are nearly copies of each other: a forest that has learnt
from some of them knows the rest (Roberts et al., Cross-validation strategies for data with temporal, spatial,
hierarchical, or phylogenetic structure, Ecography 2017). The strokes of each class are dealt out to folds in turn, so
that a further stroke leaves the folds of those before it as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation.assessment.strokes import DrawnImage, StrokeKey, stroke_of_pixels
from segmentation.forest.sampling import PixelSample
from segmentation.forest.weighing import Weights
from segmentation.model.fit import Fitted, Training
from segmentation.model.labelled import LabelledImage
from segmentation.model.metrics import Scores
from segmentation.model.weights import ClassWeights, whole_weights

MAX_FOLDS = 10
"""With more strokes of a class several of them are held out together."""

DOUBTED_VOTES = 0.95
LEAST_STROKES = 4
"""Of its class, for a stroke to be doubted; ``benchmarks/planted.py`` says how often that is right."""

NO_SECOND_STROKE = "Draw a second stroke of a class: only strokes that were not learnt from tell how good it is."
NO_SECOND_IMAGE = "Draw strokes of two classes on a second image: only images that were not learnt from tell that."

Train = Callable[[Sequence[LabelledImage]], Training]
"""A training on labelled images, with the settings that are to be assessed."""


class HeldOutScores(Scores):
    """Scores in which only classes count of which pixels were held out: no score is known of the others."""

    @property
    def iou(self) -> NDArray[np.float64]:
        """As of :class:`Scores`."""
        return np.where(self._true > 0, super().iou, np.nan)

    @property
    def f1(self) -> NDArray[np.float64]:
        """As of :class:`Scores`."""
        return np.where(self._true > 0, super().f1, np.nan)

    @property
    def precision(self) -> NDArray[np.float64]:
        """As of :class:`Scores`."""
        return np.where(self._true > 0, super().precision, np.nan)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """For which class the pixels of each stroke were taken by a forest that had not learnt from it.

    Attributes:
        class_ids: all classes that have labelled pixels, ascending.
        keys: which strokes were held out.
        classes: ``(strokes,)`` position of the class of each.
        found: ``(strokes, classes)`` int64, pixels of each stroke that were taken for each class.
        votes: ``(strokes, classes)`` float64, the share of the votes on its pixels that each class had.
        strokes_by_class: number of strokes of each class, those that could not be held out among them.
    """

    class_ids: tuple[int, ...]
    keys: tuple[StrokeKey, ...]
    classes: NDArray[np.int64]
    found: NDArray[np.int64]
    votes: NDArray[np.float64]
    strokes_by_class: dict[int, int]

    @cached_property
    def scores(self) -> HeldOutScores:
        """Those of all strokes together, each pixel counting once."""
        return self._scores(np.ones(len(self.keys), bool))

    @property
    def mean_iou(self) -> float:
        """The mean IoU of the classes that could be held out."""
        return self.scores.mean_iou

    @cached_property
    def standard_error(self) -> float:
        """That of the mean IoU, by the jackknife over strokes (Efron and Stein, Annals of Statistics 1981).

        NaN where a class has but one stroke that counts.
        """
        return _jackknife([self._scores(kept).mean_iou for kept in _each_left_out(len(self.keys))])

    @property
    def single_strokes(self) -> tuple[int, ...]:
        """The classes of which one stroke alone labels pixels, so that it cannot be held out."""
        return tuple(one for one, strokes in self.strokes_by_class.items() if strokes == 1)

    @property
    def doubted(self) -> dict[StrokeKey, int]:
        """The strokes that disagree with all others, and the class that nearly all votes were for instead."""
        others = self.votes.copy()
        others[np.arange(len(self.keys)), self.classes] = 0
        enough = [self.strokes_by_class[self.class_ids[own]] >= LEAST_STROKES for own in self.classes]
        doubted = np.flatnonzero((others.max(axis=1, initial=0) > DOUBTED_VOTES) & enough)
        return {self.keys[number]: self.class_ids[int(others[number].argmax())] for number in doubted}

    def restricted(self, keys: Collection[StrokeKey]) -> HeldOut:
        """What is known of some of the strokes."""
        kept = np.array([key in keys for key in self.keys], bool)
        some = tuple(key for key in self.keys if key in keys)
        return replace(self, keys=some, classes=self.classes[kept], found=self.found[kept], votes=self.votes[kept])

    def difference(self, before: HeldOut) -> tuple[float, float]:
        """By how much the mean IoU of the strokes that both know is larger than before, and the standard error of that.

        Both are NaN if they know no strokes in common.
        """
        common = set(self.keys) & set(before.keys)
        after, before = self.restricted(common), before.restricted(common)
        leave_out = _each_left_out(len(common))
        differences = [after._scores(kept).mean_iou - before._scores(kept).mean_iou for kept in leave_out]
        return after.mean_iou - before.mean_iou, _jackknife(differences)

    def _scores(self, kept: NDArray[np.bool_]) -> HeldOutScores:
        confusion = np.zeros((len(self.class_ids), len(self.class_ids)), np.int64)
        np.add.at(confusion, self.classes[kept], self.found[kept])
        return HeldOutScores(self.class_ids, confusion)


def weights_of(fitted: Fitted, class_weights: ClassWeights) -> Weights | None:
    """The weights of the classes that were learnt, which may be some of those that have one."""
    known = {one: weight for one, weight in class_weights.items() if one in fitted.class_ids}
    return whole_weights(known, fitted.class_ids)


def classes_of(fitted: Fitted, planes: NDArray[np.float32], weights: Weights | None) -> NDArray[np.int_]:
    """The class id of each of some pixels, whose features are ``(features, pixels)``."""
    return np.array(fitted.class_ids)[fitted.forest.predict(planes, weights, threads=1)]


def hold_out(
    drawn: Sequence[DrawnImage],
    train: Train,
    class_weights: ClassWeights,
    *,
    images_at_once: bool = False,
    stale: Callable[[], bool] = lambda: False,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> HeldOut | None:
    """Holds out each stroke once, and sees what a forest that has learnt from the others makes of it.

    The pixels are the training pixels of a classifier that learns from all strokes, so that their features are those
    that it has computed; of a stroke that others cover wholly there are none.

    Args:
        drawn: images with strokes; all with the same number of channels.
        train: the training that is assessed.
        class_weights: what probabilities are multiplied with before one class is chosen.
        images_at_once: hold all strokes of an image out together, to see how good it is on other images.
        stale: asked before each forest; once it says True, there is no result.
        turn: entered for each forest, so that others can have their turn in between.

    Raises:
        ValueError: with a sentence, if fewer than two classes are labelled, or no class has two strokes (or no image
            can be held out).
    """
    with turn():
        if stale():
            return None
        training = train([image.labelled() for image in drawn])
        pixels, owners, keys = pixels_with_owners(drawn, training)
    class_ids, classified = np.unique(pixels.class_ids, return_inverse=True)
    folds, counts = deal_out(owners, classified, len(class_ids))
    if images_at_once:
        folds = _image_by_image(owners, classified, [image_hash for image_hash, _ in keys])
    if not (folds >= 0).any():
        raise ValueError(NO_SECOND_IMAGE if images_at_once else NO_SECOND_STROKE)
    found = np.zeros((len(keys), len(class_ids)), np.int64)
    votes = np.zeros(found.shape)
    for fold in range(folds.max() + 1):
        with turn():
            if stale():
                return None
            held = folds[owners] == fold
            fitted = training.fit_part(pixels.part(~held))
            planes, weights = np.ascontiguousarray(pixels.features[held].T), weights_of(fitted, class_weights)
            taken, known = classes_of(fitted, planes, weights), np.searchsorted(class_ids, fitted.class_ids)
            np.add.at(found, (owners[held], np.searchsorted(class_ids, taken)), 1)
            for share, number in zip(fitted.forest.predict_proba(planes, weights, threads=1), known, strict=True):
                np.add.at(votes, (owners[held], number), share)
    held_out, of_strokes = np.flatnonzero(folds >= 0), np.zeros(len(keys), np.int64)
    of_strokes[owners] = classified
    return HeldOut(
        tuple(int(one) for one in class_ids),
        tuple(keys[number] for number in held_out),
        of_strokes[held_out],
        found[held_out],
        votes[held_out] / np.maximum(found[held_out].sum(axis=1, keepdims=True), 1),
        {int(one): int(count) for one, count in zip(class_ids, counts, strict=True)},
    )


def pixels_with_owners(
    drawn: Sequence[DrawnImage], training: Training
) -> tuple[PixelSample, NDArray[np.int64], list[StrokeKey]]:
    """The training pixels, the number of the stroke that each belongs to, and the strokes by their number."""
    owners, keys = [], list[StrokeKey]()
    for image, places in zip(drawn, training.sample.places, strict=True):
        owners.append(len(keys) + stroke_of_pixels(image.strokes, image.shape, places))
        keys += [(image.hash, stroke.id) for stroke in image.strokes]
    return training.drawn_pixels(), np.concatenate(owners), keys


def deal_out(
    owners: NDArray[np.int64], classified: NDArray[np.intp], n_classes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The fold of each stroke, -1 of those that cannot be held out, and the number of strokes of each class."""
    numbers, first = np.unique(owners, return_index=True)
    classes = classified[first]
    counts = np.bincount(classes, minlength=n_classes)
    folds = np.full(numbers.max() + 1, -1, np.int64)
    for label in np.flatnonzero(counts > 1):
        own = numbers[classes == label]
        folds[own] = np.arange(len(own)) % MAX_FOLDS
    return folds, counts


def _image_by_image(
    owners: NDArray[np.int64], classified: NDArray[np.intp], image_of_stroke: Sequence[str]
) -> NDArray[np.int64]:
    """The fold of each stroke, one for each image; -1 where the others have fewer than two classes."""
    images = list(dict.fromkeys(image_of_stroke))
    folds = np.full(owners.max() + 1, -1, np.int64)
    number = np.array([images.index(one) for one in image_of_stroke])
    for image in range(len(images)):
        own = number[owners] == image
        if own.any() and len(np.unique(classified[~own])) > 1:
            folds[np.unique(owners[own])] = folds.max() + 1
    return folds


def _each_left_out(count: int) -> NDArray[np.bool_]:
    return ~np.eye(count, dtype=bool)


def _jackknife(values: Sequence[float]) -> float:
    """The standard error of a statistic, from its values with each observation left out."""
    if len(values) < 2 or not np.isfinite(values).all():
        return float("nan")
    return float(np.sqrt((len(values) - 1) / len(values) * np.square(np.subtract(values, np.mean(values))).sum()))
