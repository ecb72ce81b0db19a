"""Layers: what a person can see of a segmentation instead of its classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Window
from segmentation.features.pieces import compute_of
from segmentation.forest.bins import BINS
from segmentation.io.image import Image
from segmentation.model.classifier import PixelClassifier
from segmentation.model.uncertainty import of_planes

FEATURE = "feature:"
"""What the name of a layer that shows a feature begins with."""

NO_DATA = 255
WHOLE = 100
"""What stands for 1: more steps than this nobody tells apart by colour, and they take more bytes to send."""


@dataclass(frozen=True)
class Layer:
    """The uncertainty, the probability of a class, or a feature.

    Attributes:
        class_id: of the class; None is the uncertainty.
        feature: the name of the feature, if it is one.
    """

    class_id: int | None = None
    feature: str = ""

    @property
    def name(self) -> str:
        """Tells it from others."""
        if self.feature:
            return f"{FEATURE}{self.feature}"
        return "uncertainty" if self.class_id is None else str(self.class_id)

    def feature_values(
        self, image: Image, classifier: PixelClassifier, window: Window, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """The feature in a window of an image, in percent of the range over which its bins lie.

        Args:
            image: one that is adapted to the classifier.
            classifier: has the feature; of one that has not, nothing is seen.
            window: which part of the image.
            threads: number of threads; None takes all cores.

        Returns:
            ``(rows, columns)`` uint8, 0 to 100, and 255 where there is no data.
        """
        shown = np.full(window.shape, NO_DATA, np.uint8)
        names = classifier.feature_names_
        if self.feature not in names:
            return shown
        number, bins = names.index(self.feature), classifier.forest_.bins
        wanted = np.arange(len(names)) == number
        spec, rows, columns = classifier.spec_, window.rows, window.columns
        plane = compute_of(image, spec, rows, columns, wanted=wanted, threads=threads)[number]
        low, scale = (0.0, float(BINS)) if bins is None else (bins.low[number], bins.scale[number])
        percent = np.clip((plane - np.float32(low)) * np.float32(scale * WHOLE / BINS), 0, WHOLE)
        shown[:] = (percent + np.float32(0.5)).astype(np.uint8)
        if image.no_data is not None:
            shown[image.no_data[window.rows, window.columns]] = NO_DATA
        return shown

    def values(self, probabilities: NDArray[np.float32], classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The layer, in percent.

        Args:
            probabilities: ``(classes, rows, columns)`` float32.
            classes: ids of the classes, in the order of the probabilities; one that is not there has 0 everywhere.

        Returns:
            ``(rows, columns)`` uint8, 0 to 100, and 255 where all probabilities are 0, since there is no data.
        """
        if self.class_id is None:
            shown = of_planes(probabilities)
        else:
            found = np.flatnonzero(classes == self.class_id)
            shown = probabilities[found[0]] if len(found) else np.zeros(probabilities.shape[1:], np.float32)
        percent = (shown * np.float32(WHOLE) + np.float32(0.5)).astype(np.uint8)
        percent[~probabilities.any(axis=0)] = NO_DATA
        return percent
