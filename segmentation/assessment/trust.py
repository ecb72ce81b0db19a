"""How far the segmentation of an image can be trusted that nobody has drawn on.

Two things speak against it: votes that do not agree, and features that lie outside of the range of what was learnt
from, where trees only guess. Both are measured on some thousand pixels of the image, on the features that are computed
for its segmentation anyway.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.assessment.dissent import dissent_by_class, half_width
from segmentation.forest.bins import BINS
from segmentation.io.image import Image
from segmentation.model.classifier import PixelClassifier

SAMPLED_PIXELS = 4_000


@dataclass(frozen=True)
class Trust:
    """How far a segmentation can be trusted.

    Attributes:
        unsure: 1 minus the mean margin of the votes, the most probable class against the next: 0 where all trees agree.
        unlike: share of the features that trees ask for, over all pixels, that lie outside of what was learnt from.
        margins: by class id, how far its share may be off to either side, with a confidence of about 95 %: see
            :func:`segmentation.assessment.dissent.half_width`.
    """

    unsure: float
    unlike: float
    margins: dict[int, float] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The figure by which images are compared, from 0 to 1: the less, the more it is worth looking at one."""
        return (1 - self.unsure) * (1 - self.unlike)

    def to_json(self) -> dict[str, Any]:
        """The figure, its parts, and the margins as plain JSON values, to four digits, and six of the margins."""
        told = {"trust": round(self.value, 4), "unsure": round(self.unsure, 4), "unlike": round(self.unlike, 4)}
        return told | {"margins": {str(one): round(margin, 6) for one, margin in self.margins.items()}}


def sampled_places(image: Image) -> NDArray[np.int64]:
    """Raster indices of the pixels of an image that are looked at, ascending; those without data do not count."""
    rows, columns = image.shape
    step = sampling_step(image.shape)
    places = (np.arange(0, rows, step)[:, np.newaxis] * columns + np.arange(0, columns, step)).ravel()
    if image.left_out is None:
        return places
    there = places[~image.left_out.ravel()[places]]
    return there if len(there) else places


def sampling_step(shape: tuple[int, int]) -> int:
    """The distance of the pixels that are looked at."""
    return max(1, math.isqrt(shape[0] * shape[1] // SAMPLED_PIXELS))


class TrustSample:
    """The features of some pixels of an image, gathered while it is segmented; those without data do not count.

    Args:
        image: the image.
    """

    def __init__(self, image: Image) -> None:
        self._no_data, self._columns = image.left_out, image.shape[1]
        self._step = sampling_step(image.shape)
        self._parts: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []

    def add(self, piece: Window, planes: NDArray[np.float32]) -> None:
        """Gather what a piece has of the sample; by several threads at a time.

        Args:
            piece: which part of the image.
            planes: ``(features, piece rows, piece columns)``.
        """
        spans = (piece.rows, piece.columns)
        rows, columns = (np.arange(-(-span.start // self._step) * self._step, span.stop, self._step) for span in spans)
        if len(rows) and len(columns):
            inside = np.ix_(rows - piece.rows.start, columns - piece.columns.start)
            places = (rows[:, None] * self._columns + columns).ravel()
            self._parts.append((places, planes[:, *inside].reshape(len(planes), -1).T.copy()))

    def trust(self, classifier: PixelClassifier) -> Trust:
        """What the pixels say of the segmentation by a classifier."""
        places, rows = (np.concatenate([part[which] for part in self._parts]) for which in (0, 1))
        order = np.argsort(places)
        if self._no_data is not None:
            kept = ~self._no_data.ravel()[places[order]]
            order = order[kept] if kept.any() else order
        return trust_of_rows(classifier, rows[order])


def trust_of_rows(classifier: PixelClassifier, rows: NDArray[np.float32]) -> Trust:
    """What feature rows of an image say of its segmentation.

    Args:
        classifier: with bins; of one without them it is not known what is unlike, which then is 0.
        rows: ``(pixels, features)`` float32.
    """
    forest = classifier.forest_
    votes = np.sort(forest.predict_proba(np.ascontiguousarray(rows.T), classifier.weights, threads=1), axis=0)
    unsure = 1 - float((votes[-1] - votes[-2]).mean(dtype=np.float64)) if len(votes) > 1 else 0.0
    margins = {one: half_width(value) for one, value in dissent_by_class(classifier, rows).items()}
    if forest.bins is None:
        return Trust(unsure, 0.0, margins)
    with np.errstate(over="ignore", invalid="ignore"):
        steps = (rows - forest.bins.low) * forest.bins.scale
    asked = np.bincount(forest.feature[forest.feature >= 0], minlength=forest.n_features)
    outside = ((steps < 0) | (steps > BINS)).mean(axis=0)
    return Trust(unsure, float(outside @ asked / max(1, asked.sum())), margins)
