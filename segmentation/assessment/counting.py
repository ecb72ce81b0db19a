"""How sure the number of objects of a class is: it is counted again where the votes for the class weigh more, and less.

Votes that weigh so are those of a segmentation in which the share of the class lies about at the ends of its interval
(:mod:`segmentation.assessment.intervals`). Objects appear, vanish, join and part on the way there, so that both ends
may have more of them, or fewer: what counts is how far they are from the number. Beside it stands the error of whatever
is counted, the root of the number. ``python -m benchmarks intervals`` measures how often the intervals hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.assessment.dissent import NORMAL_QUANTILE
from segmentation.forest.weighing import WHOLE_WEIGHT
from segmentation.io.image import Image
from segmentation.model.classifier import PixelClassifier
from segmentation.model.engines import ENGINES
from segmentation.objects.cleaning import clean_up_found
from segmentation.objects.labelling import TooManyObjects, label_objects
from segmentation.objects.steps import CleanUpStep, connectivity_of, split_eagerness

COUNTED_AGAIN = 4
"""How many times as much the votes for a class count, or those for the others."""


class RecountedObjects:
    """Gathers, while an image is segmented, the segmentations in which a class has more votes, or fewer.

    Args:
        classifier: that segments it.
        image: as it was adapted to the classifier.
    """

    def __init__(self, classifier: PixelClassifier, image: Image) -> None:
        self._classifier, self._image = classifier, image
        count = len(classifier.classes_)
        whole = np.full(count, WHOLE_WEIGHT, np.int32) if classifier.weights is None else classifier.weights
        self._weights: list[tuple[int, NDArray[np.int32]]] = []
        self._found: dict[bytes, NDArray[np.uint8]] = {}
        for number in range(count):
            own = np.where(np.arange(count) == number, COUNTED_AGAIN, 1)
            for factors in (own, COUNTED_AGAIN // own):
                weights = (whole * factors).astype(np.int32)
                self._weights.append((number, weights))
                self._found.setdefault(weights.tobytes(), np.empty(image.shape, np.uint8))

    def add(self, piece: Window, planes: NDArray[np.float32]) -> None:
        """Segment a piece of the image; by several threads at a time.

        Args:
            piece: which part of it.
            planes: its features, ``(features, piece rows, piece columns)``.
        """
        classifier, engine = self._classifier, ENGINES[self._classifier.engine]
        for weights, found in self._found.items():
            writable = np.frombuffer(
                weights, np.int32
            ).copy()  # for Numba one that cannot be written is of another type
            classes = engine.classes(classifier.forest_, planes, writable)
            found[piece.rows, piece.columns] = classifier.ids_of(classes)

    def bounds(
        self,
        counts: dict[int, int],
        steps: Sequence[CleanUpStep],
        turn: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> dict[int, tuple[int, int]]:
        """Between what the number of objects of each class lies; a class that has too many to be counted is left out.

        Args:
            counts: the number of objects by class id.
            steps: of the clean-up.
            turn: entered for each segmentation that is cleaned up, and each that is counted.
        """
        bounds = {one: [count] for one, count in counts.items()}
        cleaned = {}
        for key, found in self._found.items():
            with turn():
                cleaned[key] = clean_up_found(self._image.clear(found), steps)
        for number, weights in self._weights:
            class_id = int(self._classifier.classes_[number])
            if class_id not in bounds:
                continue
            try:
                eagerness, neighbours = split_eagerness(steps, class_id), connectivity_of(steps, class_id)
                with turn():
                    ids = cleaned[weights.tobytes()]
                    again = int(label_objects(ids, class_id, connectivity=neighbours, split=eagerness).max())
            except TooManyObjects:
                del bounds[class_id]
            else:
                bounds[class_id].append(again)
        return {one: count_bounds(*several) for one, several in bounds.items()}


def count_bounds(count: int, *again: int) -> tuple[int, int]:
    """Between what a number of objects lies, of which there were others when they were counted again."""
    half = math.hypot(max(abs(count - one) for one in (count, *again)), NORMAL_QUANTILE * math.sqrt(count))
    return max(0, math.floor(count - half)), math.ceil(count + half)
