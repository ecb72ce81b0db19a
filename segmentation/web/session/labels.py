"""The labels of an image, kept up with what is drawn on it."""

from __future__ import annotations

from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation.strokes.raster import stroke_pixels
from segmentation.strokes.stroke import Stroke


class LabelRaster:
    """The labels of one image, kept up with its strokes; a stroke that is added costs only its own pixels."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self.pixels_by_class = np.zeros(256, np.int64)
        self._strokes: tuple[Stroke, ...] = ()
        self._lent: list[ref[NDArray[np.uint8]]] = []

    def lend(self) -> NDArray[np.uint8]:
        """The labels as they are now, not to be written to; copied only if they change while somebody has them."""
        lent = self.labels.view()
        lent.flags.writeable = False
        self._lent.append(ref(lent))
        return lent

    def follow(self, strokes: tuple[Stroke, ...]) -> None:
        """Let the labels be those of ``strokes``; later strokes win."""
        if strokes == self._strokes:
            return
        if any(lent() is not None for lent in self._lent):
            self.labels = self.labels.copy()
        self._lent.clear()
        known = len(self._strokes)
        if strokes[:known] != self._strokes:
            self.labels[:] = 0
            self.pixels_by_class[:] = 0
            known = 0
        for stroke in strokes[known:]:
            rows, columns = stroke_pixels(stroke, self.labels.shape)
            before = np.bincount(self.labels[rows, columns], minlength=256)
            self.pixels_by_class -= before
            self.pixels_by_class[stroke.class_id] += len(rows)
            self.labels[rows, columns] = stroke.class_id
        self.pixels_by_class[0] = 0
        self._strokes = strokes
