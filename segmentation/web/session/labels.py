"""The labels of images, updated with the strokes that are drawn on them."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation.strokes.raster import stroke_pixels
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.journals import Journals
from segmentation.web.session.state import SessionState

LABEL_CACHE_BYTES = 80 * 2**20
"""Those of the largest image that the page opens by default, and of its strokes."""

STROKE_BYTES = 500
"""What a stroke takes beside its points, about."""


class LabelRaster:
    """The labels of one image, updated with its strokes; a stroke that is added costs only its own pixels.

    Attributes:
        labels: ``(rows, columns)`` uint8 class ids, 0 = unlabelled.
        pixels_by_class: ``(256,)`` int64, number of labelled pixels by class id.
        nbytes: about the bytes that it takes, its strokes included.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self.pixels_by_class = np.zeros(256, np.int64)
        self.nbytes = self.labels.nbytes
        self._strokes: tuple[Stroke, ...] = ()
        self._snapshots: list[ref[NDArray[np.uint8]]] = []

    def snapshot(self) -> NDArray[np.uint8]:
        """The labels as they are now, not to be written to; copied only if they change while somebody has them."""
        snapshot = self.labels.view()
        snapshot.flags.writeable = False
        self._snapshots.append(ref(snapshot))
        return snapshot

    def update(self, strokes: tuple[Stroke, ...]) -> None:
        """Let the labels be those of ``strokes``; later strokes win."""
        if strokes == self._strokes:
            return
        if any(snapshot() is not None for snapshot in self._snapshots):
            self.labels = self.labels.copy()
        self._snapshots.clear()
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
        self.nbytes = self.labels.nbytes + sum(STROKE_BYTES + stroke.points.nbytes for stroke in strokes)
        self._strokes = strokes


class Labels:
    """The labels of the images of all sessions.

    Args:
        journals: say which strokes are drawn.
    """

    def __init__(self, journals: Journals) -> None:
        self._journals = journals
        self._cache: BoundedCache[tuple[str, str, bool], LabelRaster] = BoundedCache(
            LABEL_CACHE_BYTES, lambda raster: raster.nbytes
        )

    def drawn(self, session_id: str, image_hash: str | None = None) -> tuple[SessionState, NDArray[np.uint8]]:
        """The state of a session, and the labels of all that is drawn on its current image.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        with self._journals.locked(session_id) as state:
            state = state.with_image(image_hash)
            return state, self.raster(session_id, state, state.image["hash"], state.drawn).snapshot()

    def raster(
        self, session_id: str, state: SessionState, image_hash: str, strokes: Mapping[str, tuple[Stroke, ...]]
    ) -> LabelRaster:
        """The labels of an image, updated; to be used while the session is :meth:`locked <Journals.locked>`.

        Args:
            session_id: the session.
            state: its state.
            image_hash: the image.
            strokes: by the hash of their image, either all that are drawn or those that a classifier is trained on;
                each of the two has a raster of its own, so that neither is drawn anew for the other.
        """
        key = (session_id, image_hash, strokes is state.drawn)
        image = state.images[image_hash]
        raster = self._cache.pop(key) or LabelRaster((image["rows"], image["columns"]))
        raster.update(strokes.get(image_hash, ()))
        self._cache.put(key, raster)
        return raster
