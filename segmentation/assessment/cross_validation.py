"""Cross-validation over strokes: how good a classifier is now, and was after each stroke so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isnan
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.text import counted
from segmentation.assessment.held_out import HeldOut, Train, hold_out
from segmentation.assessment.strokes import DrawnImage, StrokeKey, count_strokes, first_strokes
from segmentation.features.cached_rows import CachedRows
from segmentation.features.spec import FeatureSpec
from segmentation.forest.sampling import MAX_TRAINING_PIXELS, check_classes
from segmentation.io.image import Image
from segmentation.io.limits import PassingError
from segmentation.model.classifier import PixelClassifier
from segmentation.model.engines import ENGINES
from segmentation.model.facts import as_image
from segmentation.model.fit import Labelled, Training
from segmentation.model.labelled import LabelledImage
from segmentation.model.weights import ClassWeights, checked_weights
from segmentation.strokes.raster import as_stroke
from segmentation.strokes.stroke import Stroke

MAX_POINTS = 24
"""Points of a curve; with more strokes there is one for every few of them."""

SMALLEST_FALL = 0.03
STANDARD_ERRORS_OF_A_FALL = 1.5
"""So 2 of 100 careful strokes are pointed at, and 30 of 100 of the wrong class (eight images, 2 and 3 strokes a class);
nine of ten strokes that are pointed at have made the whole image worse by more than 0.02."""


@dataclass(frozen=True)
class CurvePoint:
    """How good a classifier was after some strokes.

    Attributes:
        strokes: how many.
        mean_iou: of the strokes that were held out then.
        standard_error: of that; NaN if it is not known.
    """

    strokes: int
    mean_iou: float
    standard_error: float


@dataclass(frozen=True)
class Fall:
    """The last stroke has made others worse.

    Attributes:
        stroke: hash of its image, and its id.
        before: the mean IoU of the other strokes without it.
        after: that with it.
    """

    stroke: StrokeKey
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """How good a classifier is, from strokes that were held out.

    Attributes:
        held_out: what is known of each stroke.
        curve: the same after the first strokes; its last point is that of all.
        fall: None unless the last stroke has made the others worse by more than chance does.
    """

    held_out: HeldOut
    curve: tuple[CurvePoint, ...]
    fall: Fall | None

    @classmethod
    def of(cls, points: Mapping[int, HeldOut], last: StrokeKey | None, before: HeldOut | None) -> CrossValidation:
        """That of what is known after some numbers of strokes, the largest of which is that of all.

        Args:
            points: what was held out, by the number of strokes.
            last: the last stroke of all, if it may have made others worse.
            before: what was held out without it, if that is known.
        """
        now = points[max(points)]
        alike = sorted(count for count, one in points.items() if _scored(one) == _scored(now))
        curve = tuple(CurvePoint(count, points[count].mean_iou, points[count].standard_error) for count in alike)
        return cls(now, curve, None if before is None or last is None else fall(before, now, last))

    @property
    def mean_iou(self) -> float:
        """The mean IoU of the classes that could be held out."""
        return self.held_out.mean_iou

    @property
    def standard_error(self) -> float:
        """That of the mean IoU; NaN if it is not known."""
        return self.held_out.standard_error

    def note(self, names: Mapping[int, str]) -> str:
        """A sentence on classes that have too few strokes; empty if all have enough.

        Args:
            names: of the classes.
        """
        single = [f"“{names[one]}”" for one in self.held_out.single_strokes]
        if not single:
            return ""
        listed = " and ".join([", ".join(single[:-1]), single[-1]] if len(single) > 1 else single)
        return f"{listed} {'has' if len(single) == 1 else 'have'} one stroke: with a second one there is a score of it."

    def to_json(self) -> dict[str, Any]:
        """The scores as plain JSON values; null where there is none."""
        values = self.held_out.scores.to_json() | {"standard_error": _plain(self.standard_error)}
        for entry in values["classes"]:
            entry["strokes"] = self.held_out.strokes_by_class[entry["id"]]
        curve = [
            {"strokes": one.strokes, "mean_iou": _plain(one.mean_iou), "standard_error": _plain(one.standard_error)}
            for one in self.curve
        ]
        fallen = None
        if self.fall is not None:
            image_hash, stroke_id = self.fall.stroke
            fallen = {"image": image_hash, "stroke": stroke_id, "before": self.fall.before, "after": self.fall.after}
        doubted = [
            {"image": image_hash, "stroke": stroke_id, "class_id": class_id}
            for (image_hash, stroke_id), class_id in self.held_out.doubted.items()
        ]
        return values | {"curve": curve, "fall": fallen, "doubted": doubted}

    def describe(self, names: Mapping[int, str]) -> str:
        """The scores as a table for people.

        Args:
            names: of the classes.
        """
        error = "" if isnan(self.standard_error) else f" ± {self.standard_error:.4f}"
        strokes = counted(len(self.held_out.keys), "stroke")
        lines = [f"mean IoU {self.mean_iou:.4f}{error}, from {strokes}, each of them held out when it was looked at"]
        lines += [note] if (note := self.note(names)) else []
        lines += ["", self.held_out.scores.describe(names), "", "strokes  mean IoU"]
        for point in self.curve:
            shown = "" if isnan(point.standard_error) else f" ± {point.standard_error:.4f}"
            lines.append(f"{point.strokes:>7}    {point.mean_iou:.4f}{shown}")
        return "\n".join(lines)


def fall(before: HeldOut, now: HeldOut, last: StrokeKey) -> Fall | None:
    """Whether the last stroke has made the others worse; that it is hard itself does not count.

    Args:
        before: what was held out before it was drawn.
        now: what was held out after that.
        last: the stroke.
    """
    change, error = now.difference(before)
    if isnan(change) or change > -SMALLEST_FALL or not change < -STANDARD_ERRORS_OF_A_FALL * error:
        return None
    return Fall(last, before.restricted(set(now.keys)).mean_iou, before.restricted(set(now.keys)).mean_iou + change)


def curve_counts(strokes: int) -> tuple[int, ...]:
    """After how many strokes there is a point of the curve, the last first; most stay when a stroke is added."""
    step = max(1, -(-strokes // MAX_POINTS))
    counts = {strokes, strokes - 1} | set(range(step, strokes, step))
    return tuple(sorted((one for one in counts if one > 0), reverse=True))


def last_stroke(drawn: Sequence[DrawnImage]) -> StrokeKey | None:
    """The last stroke on the last image, None if that was none of a class."""
    last = drawn[-1].strokes[-1] if drawn and drawn[-1].strokes else None
    return (drawn[-1].hash, last.id) if last is not None and last.has_class else None


def points_of_curve(
    drawn: Sequence[DrawnImage], train: Train, class_weights: ClassWeights
) -> Iterator[tuple[int, HeldOut]]:
    """What is known after all strokes, and then after fewer and fewer.

    Raises:
        ValueError: with a sentence, if there are too few strokes in all.
    """
    counts = curve_counts(count_strokes(drawn))
    if not counts:
        check_classes({})
    for count in counts:
        try:
            held_out = hold_out(first_strokes(drawn, count), train, class_weights)
        except PassingError:
            raise
        except ValueError:
            if count == counts[0]:
                raise
            return
        assert held_out is not None
        yield count, held_out


def cross_validate(
    images: Image | ArrayLike | Sequence[Image | ArrayLike],
    strokes: Sequence[Stroke | Mapping[str, Any]] | Sequence[Sequence[Stroke | Mapping[str, Any]]],
    classifier: PixelClassifier,
) -> CrossValidation:
    """Scores of a classifier from strokes that were held out.

    Each stroke is looked at by a forest that has learnt from others only, with the features and settings of the
    classifier; what the classifier itself has learnt does not count.

    Args:
        images: ``(rows, columns)`` or ``(rows, columns, channels)``; or a list of images.
        strokes: those on the image, as :func:`~segmentation.strokes.raster.rasterise` takes them; or a list of such
            for each image.
        classifier: says which features and which forest.

    Raises:
        ValueError: if there are not strokes for each image, fewer than two classes have strokes, or no class has two.
    """
    drawn = drawn_images(images, strokes)
    train = partial(training_as, classifier, known=_Known(classifier))
    points = dict(points_of_curve(drawn, train, checked_weights(classifier.class_weights)))
    return CrossValidation.of(points, last_stroke(drawn), points.get(max(points) - 1))


def drawn_images(
    images: Image | ArrayLike | Sequence[Image | ArrayLike],
    strokes: Sequence[Stroke | Mapping[str, Any]] | Sequence[Sequence[Stroke | Mapping[str, Any]]],
) -> list[DrawnImage]:
    """Images with the strokes on them, of those that have any; the arguments are those of :func:`cross_validate`.

    Raises:
        ValueError: if there are not strokes for each image.
    """
    several: list[Any] = list(images) if isinstance(images, list | tuple) else [images]
    given: list[Any] = list(strokes) if isinstance(images, list | tuple) else [strokes]
    if len(several) != len(given):
        raise ValueError(f"Give strokes for each image: there are {len(several)} images, and strokes for {len(given)}.")
    drawn = []
    for one, some in zip(map(as_image, several), given, strict=True):
        own = tuple(as_stroke(stroke, id=str(number)) for number, stroke in enumerate(some, 1))
        drawn.append(DrawnImage(one.hash, one.shape, own, lambda image=one: image))  # type: ignore[misc]
    return [one for one in drawn if one.strokes]


def training_as(
    classifier: PixelClassifier, labelled: Sequence[LabelledImage], *, known: _Known | None = None
) -> Training:
    """A training with the features and settings of a classifier; what is known of the images need not be computed."""
    known = known or _Known(classifier)
    return Training(
        labelled,
        classifier.spec,
        classifier.settings,
        facts=known.facts,
        rows=known.rows,
        ranges=known.ranges,
        threads=classifier.threads,
    )


class _Known:
    """Facts and feature rows of images, of which each is computed once."""

    def __init__(self, classifier: PixelClassifier) -> None:
        self._compute, self._threads = ENGINES[classifier.engine].planes, classifier.threads
        self._facts: dict[str, dict[str, Any]] = {}
        self._rows: dict[tuple[str, FeatureSpec], CachedRows] = {}
        self._ranges: dict[tuple[str, FeatureSpec], NDArray[np.float32]] = {}

    def facts(self, labelled: Labelled) -> dict[str, Any]:
        """Those of an image."""
        if labelled.hash not in self._facts:
            self._facts[labelled.hash] = labelled.facts()
        return self._facts[labelled.hash]

    def rows(self, labelled: Labelled, spec: FeatureSpec, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The rows at some places of an image."""
        key = labelled.hash, spec
        cached = self._rows.get(key) or CachedRows.empty(spec.count(labelled.channels))
        compute = partial(labelled.rows, spec, compute=self._compute, threads=self._threads)
        found, self._rows[key] = cached.filled(places, compute, 2 * MAX_TRAINING_PIXELS)
        return found

    def ranges(self, labelled: Labelled, spec: FeatureSpec) -> NDArray[np.float32]:
        """The ranges of the features of an image."""
        key = labelled.hash, spec
        if key not in self._ranges:
            self._ranges[key] = labelled.ranges(spec, compute=self._compute, threads=self._threads)
        return self._ranges[key]


def _scored(held_out: HeldOut) -> set[int]:
    return {held_out.class_ids[number] for number in held_out.classes}


def _plain(value: float) -> float | None:
    return None if isnan(value) else float(value)
