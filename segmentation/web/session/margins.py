"""How sure the shares, and the numbers of objects, of a session's images are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import TileGrid
from segmentation.assessment.counting import RecountedObjects
from segmentation.assessment.dissent import dissent_by_class, half_width
from segmentation.assessment.intervals import standard_errors
from segmentation.assessment.strokes import DrawnImage
from segmentation.assessment.trust import sampled_places
from segmentation.features.pieces import feature_rows
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.web.session.packed_tile import Message
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.scoring import Learnt, Scorer
from segmentation.web.session.state import SessionState
from segmentation.web.session.training import Result, TrainedClassifier, Trainer

CACHED_BYTES = 32 * 2**20
"""Features of the samples of some ten images of RGB at the default features."""

Turn = Callable[[], AbstractContextManager[None]]


class Margins:
    """Computes them for all sessions.

    Args:
        trainer: trains their classifiers.
        scheduler: says when there is spare time.
        scorer: says how long there is patience.
    """

    def __init__(self, trainer: Trainer, scheduler: Scheduler, scorer: Scorer) -> None:
        self._trainer, self._scheduler, self._scorer = trainer, scheduler, scorer
        self._rows: BoundedCache[tuple[str, FeatureSpec], NDArray[np.float32]] = BoundedCache(
            CACHED_BYTES, lambda rows: rows.nbytes
        )

    def told(self, session_id: str, learnt: Learnt, image: Image, stale: Callable[[], bool]) -> Iterator[Message]:
        """A ``margins`` message, computed in spare time: by class id, how far its share may be off to either side.

        Args:
            session_id: the session.
            learnt: its classifier, and what that was trained on.
            image: that is segmented.
            stale: asked before each forest; once it says True, nothing comes.
        """
        with self._scorer.patience(stale) as over:
            turn = partial(self._scheduler.spare_time, over)
            found = self._margins(session_id, learnt.state, learnt.drawn, learnt.trained, image, over, turn)
        if found is not None:
            yield {"kind": "margins", "margins": {str(one): margin for one, margin in found.items()}}

    def of_result(self, session_id: str, result: Result, turn: Turn) -> dict[int, float]:
        """The same for what is downloaded.

        Args:
            session_id: the session.
            result: what it works with.
            turn: entered for each forest.
        """
        drawn = self._trainer.drawn(result.training_set)
        return self._margins(session_id, result.state, drawn, result.trained, result.image, lambda: False, turn) or {}

    def scores(self, session_id: str, result: Result) -> str:
        """How good the classifier is, for a report; empty if that is not known."""
        learnt = Learnt(result.state, self._trainer.drawn(result.training_set), result.trained)
        return self._scorer.sentence(session_id, learnt)

    def _margins(
        self,
        session_id: str,
        state: SessionState,
        drawn: Sequence[DrawnImage],
        trained: TrainedClassifier,
        image: Image,
        stale: Callable[[], bool],
        turn: Turn,
    ) -> dict[int, float] | None:
        classifier = trained.classifier
        with turn():
            if stale():
                return None
            adapted = classifier.adapt(image)
            key = (image.seen_hash, classifier.spec_)
            rows = self._rows.get(key) if image.region is None else None
            if rows is None:
                rows = feature_rows(adapted, classifier.spec_, sampled_places(adapted), threads=1)
                if image.region is None:
                    self._rows.put(key, rows)
            votes = dissent_by_class(classifier, rows)
        errors: dict[int, float] | None = {}
        if not trained.unchanged and drawn:
            train = self._trainer.training(session_id, state)
            errors = standard_errors(drawn, train, state.weights, rows, stale=stale, turn=turn)
        return None if errors is None else {one: half_width(value, errors.get(one)) for one, value in votes.items()}


def recounted(result: Result, turn: Turn) -> RecountedObjects:
    """The segmentations in which the objects of an image are counted again, made tile by tile.

    Args:
        result: what its session works with.
        turn: entered for each tile.
    """
    with turn():
        adapted = result.classifier.adapt(result.image)
        again = RecountedObjects(result.classifier, adapted)
    for tile in TileGrid(adapted.shape).tiles:
        with turn():
            result.classifier.predict_window(adapted, tile, on_piece=again.add, threads=1)
    return again
