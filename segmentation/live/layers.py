"""Layers: what a person can see of a segmentation instead of its classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.model.uncertainty import of_planes

NO_DATA = 255
WHOLE = 100
"""What stands for 1: more steps than this nobody tells apart by colour, and they take more bytes to send."""


@dataclass(frozen=True)
class Layer:
    """The uncertainty, or the probability of a class.

    Attributes:
        class_id: of the class; None is the uncertainty.
    """

    class_id: int | None = None

    @property
    def name(self) -> str:
        """Tells it from others."""
        return "uncertainty" if self.class_id is None else str(self.class_id)

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
