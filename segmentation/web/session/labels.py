"""The labels of images, updated with the strokes that are drawn on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from weakref import ref

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiled_labels import TiledLabels
from segmentation.io.limits import ImageError
from segmentation.strokes.classes import REGION, UNLABELLED
from segmentation.strokes.raster import region_of, stroke_bounds, stroke_pixels
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.journals import Journals
from segmentation.web.session.large_images import NOT_WHOLE, is_large
from segmentation.web.session.state import SessionState
from segmentation.web.session.tiled_raster import STROKE_BYTES, TiledRaster

STROKES_SHARE = 0.25
"""How much the strokes of an image take at most, of what its labels do, before labels of others are given up."""

COUNT_CACHE_BYTES, REFERENCE_BYTES = 2**22, 90
"""Of corrections whose pixels were counted, and of a reference to one of their strokes."""


StrokeBounds = tuple[int, int, int, int]
"""First row, row after the last, first column, column after the last."""


class LabelRaster:
    """The labels of one image, updated with its strokes.

    A stroke that is added costs only its own pixels; one that goes or changes, the strokes around it.

    Attributes:
        labels: ``(rows, columns)`` uint8 class ids, 0 = unlabelled.
        pixels_by_class: ``(256,)`` int64, number of labelled pixels by class id.
        region: ``(rows, columns)`` bool, outside of which nothing is labelled; None: there is no such part.
        nbytes: about the bytes that it takes, its strokes included.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.labels: NDArray[np.uint8] = np.zeros(shape, np.uint8)
        self.pixels_by_class = np.zeros(256, np.int64)
        self.nbytes = self.labels.nbytes
        self.region: NDArray[np.bool_] | None = None
        self._given: tuple[Stroke, ...] = ()
        self._outlines: tuple[Stroke, ...] = ()
        self._strokes: tuple[Stroke, ...] = ()
        self._bounds: dict[Stroke, StrokeBounds | None] = {}
        self._outside: set[Stroke] = set()
        self._snapshots: list[ref[NDArray[np.uint8]]] = []

    @property
    def strokes_outside(self) -> int:
        """How many strokes label nothing, since all of each lies outside of the region."""
        return sum(one.class_id != UNLABELLED and self._bounds[one] is not None for one in self._outside)

    def snapshot(self) -> NDArray[np.uint8]:
        """The labels as they are now, not to be written to; copied only if they change while somebody has them."""
        snapshot = self.labels.view()
        snapshot.flags.writeable = False
        self._snapshots.append(ref(snapshot))
        return snapshot

    def update(self, strokes: tuple[Stroke, ...]) -> None:
        """Let the labels be those of ``strokes``; later strokes win."""
        if strokes == self._given:
            return
        self._given = strokes
        if any(snapshot() is not None for snapshot in self._snapshots):
            self.labels = self.labels.copy()
        self._snapshots.clear()
        outlines = tuple(one for one in strokes if one.class_id == REGION)
        self._update_strokes(tuple(one for one in strokes if one.class_id != REGION) if outlines else strokes)
        if outlines != self._outlines:
            self._update_region(outlines)

    def _update_region(self, outlines: tuple[Stroke, ...]) -> None:
        masks = (self.region is None) - (not outlines)
        self.nbytes += masks * self.labels.nbytes + sum(map(_bytes_of, outlines)) - sum(map(_bytes_of, self._outlines))
        self._outlines, self.region = outlines, region_of(outlines, self.labels.shape)
        self._outside.clear()
        rows, columns = self.labels.shape
        self._paint_anew([(0, rows, 0, columns)])

    def _update_strokes(self, strokes: tuple[Stroke, ...]) -> None:
        before, first = self._strokes, _common(self._strokes, strokes)
        last = _common(before[first:][::-1], strokes[first:][::-1])
        gone, new = before[first : len(before) - last], strokes[first : len(strokes) - last]
        self._strokes = strokes
        self.nbytes += sum(map(_bytes_of, new)) - sum(map(_bytes_of, gone))
        self._outside.difference_update(gone)
        bounds_gone = [self._bounds.pop(stroke) for stroke in gone]
        bounds_new = [stroke_bounds(stroke, self.labels.shape) for stroke in new]
        self._bounds.update(zip(new, bounds_new, strict=True))
        if first == len(before):
            for stroke in new:
                self._paint(stroke)
        else:
            self._paint_anew([one for one in bounds_gone + bounds_new if one is not None])

    def _paint(self, stroke: Stroke) -> None:
        """Paint a stroke over all others."""
        rows, columns = self._pixels(stroke)
        self.pixels_by_class -= np.bincount(self.labels[rows, columns], minlength=256)
        self.pixels_by_class[stroke.class_id] += len(rows)
        self.labels[rows, columns] = stroke.class_id
        self.pixels_by_class[UNLABELLED] = 0

    def _pixels(self, stroke: Stroke) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Rows and columns of the pixels that a stroke may label."""
        rows, columns = stroke_pixels(stroke, self.labels.shape)
        if self.region is None:
            return rows, columns
        inside = self.region[rows, columns]
        if not inside.any():
            self._outside.add(stroke)
        return rows[inside], columns[inside]

    def _paint_anew(self, parts: Sequence[StrokeBounds]) -> None:
        """Paint the strokes anew in the smallest rectangle around these parts of the image."""
        if not parts:
            return
        (row, _, column, _), (_, stop_row, _, stop_column) = np.min(parts, axis=0), np.max(parts, axis=0)
        window = self.labels[row:stop_row, column:stop_column]
        self.pixels_by_class -= np.bincount(window.ravel(), minlength=256)
        window[:] = UNLABELLED
        for stroke in self._strokes:
            bounds = self._bounds[stroke]
            if bounds is None or bounds[0] >= stop_row or bounds[1] <= row:
                continue
            if bounds[2] < stop_column and bounds[3] > column:
                rows, columns = self._pixels(stroke)
                inside = (rows >= row) & (rows < stop_row) & (columns >= column) & (columns < stop_column)
                self.labels[rows[inside], columns[inside]] = stroke.class_id
        self.pixels_by_class += np.bincount(window.ravel(), minlength=256)
        self.pixels_by_class[UNLABELLED] = 0


def _common(some: Sequence[Stroke], others: Sequence[Stroke]) -> int:
    """How many strokes two sequences begin with alike."""
    pairs = zip(some, others, strict=False)
    return next((n for n, (one, other) in enumerate(pairs) if one is not other), min(len(some), len(others)))


def _are(references: Sequence[ref[Stroke]], strokes: Sequence[Stroke]) -> bool:
    """Whether references lead to these strokes."""
    same = (reference() is stroke for reference, stroke in zip(references, strokes, strict=False))
    return len(references) == len(strokes) and all(same)


def _bytes_of(stroke: Stroke) -> int:
    return STROKE_BYTES + stroke.points.nbytes


class Labels:
    """The labels of the images of all sessions.

    Args:
        journals: say which strokes are drawn.
        max_pixels: of an image; as much is kept as the labels of the largest one take, and its strokes.
    """

    def __init__(self, journals: Journals, max_pixels: int) -> None:
        self._journals = journals
        self._cache: BoundedCache[tuple[str, str, str], LabelRaster | TiledRaster] = BoundedCache(
            int((1 + STROKES_SHARE) * max_pixels), lambda raster: raster.nbytes
        )
        self._corrected: BoundedCache[tuple[str, str], tuple[list[ref[Stroke]], int]] = BoundedCache(
            COUNT_CACHE_BYTES, lambda counted: STROKE_BYTES + REFERENCE_BYTES * len(counted[0])
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
            labels = self.raster(session_id, state, state.image["hash"], state.drawn).snapshot()
            if isinstance(labels, TiledLabels):
                raise ImageError(NOT_WHOLE)
            return state, labels

    def raster(
        self, session_id: str, state: SessionState, image_hash: str, strokes: Mapping[str, tuple[Stroke, ...]]
    ) -> LabelRaster | TiledRaster:
        """The labels of an image, updated; to be used while the session is :meth:`locked <Journals.locked>`.

        Args:
            session_id: the session.
            state: its state.
            image_hash: the image.
            strokes: by the hash of their image: all that are drawn, those that a classifier is trained on, or
                corrections; each has a raster of its own, so that none is drawn anew for the others.
        """
        kind = "drawn" if strokes is state.drawn else "corrections" if strokes is state.corrections else "trained"
        key = (session_id, image_hash, kind)
        image = state.images[image_hash]
        made = TiledRaster if is_large(image) else LabelRaster
        raster = self._cache.pop(key) or made((image["rows"], image["columns"]))
        raster.update(strokes.get(image_hash, ()))
        self._cache.put(key, raster)
        return raster

    def corrections(self, session_id: str, state: SessionState, image_hash: str) -> NDArray[np.uint8] | None:
        """What was painted into the result of an image, ``(rows, columns)`` uint8; None for nothing."""
        if not state.corrections.get(image_hash):
            return None
        labels = self.raster(session_id, state, image_hash, state.corrections).snapshot()
        return None if isinstance(labels, TiledLabels) else labels

    def corrected_pixels(self, session_id: str, state: SessionState) -> dict[str, int]:
        """How many pixels of each image are corrected, by its hash; none where all corrections are erased again."""
        pixels = {one: self._corrected_pixels(session_id, state, one) for one in state.corrections}
        return {one: count for one, count in pixels.items() if count}

    def _corrected_pixels(self, session_id: str, state: SessionState, image_hash: str) -> int:
        strokes = state.corrections[image_hash]
        if not any(one.class_id != UNLABELLED for one in strokes):
            return 0
        counted = self._corrected.get((session_id, image_hash))
        if counted is None or not _are(counted[0], strokes):
            raster = self.raster(session_id, state, image_hash, state.corrections)
            counted = [ref(one) for one in strokes], int(raster.pixels_by_class.sum())
            self._corrected.put((session_id, image_hash), counted)
        return counted[1]

    def learnt(
        self, session_id: str, state: SessionState, image_hash: str, strokes: Mapping[str, tuple[Stroke, ...]]
    ) -> tuple[NDArray[np.uint8] | TiledLabels, NDArray[np.int64]]:
        """The labels of an image that are learnt from: strokes, and corrections above them if these count.

        Args:
            session_id, state, image_hash, strokes: as of :meth:`raster`.

        Returns:
            ``(rows, columns)`` uint8, and the number of labelled pixels by class id, ``(256,)`` int64.
        """
        raster = self.raster(session_id, state, image_hash, strokes)
        labels = raster.snapshot()
        corrections = self.corrections(session_id, state, image_hash) if state.learns_corrections else None
        if corrections is None or isinstance(labels, TiledLabels):
            return labels, raster.pixels_by_class
        counted = corrections != UNLABELLED if raster.region is None else raster.region & (corrections != UNLABELLED)
        together = np.where(counted, corrections, labels)
        counts = np.bincount(together.ravel(), minlength=256)
        counts[UNLABELLED] = 0
        return together, counts
