"""Scores of the segmentation of an image against a mask that somebody has: each pixel whose class it knows counts.

They say how good the classifier is, after its clean-up. What people have painted into the result would only say how
diligent they were, and does not count.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from segmentation.io.limits import ImageError
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.metrics import score
from segmentation.web.decoding.client import Decoder
from segmentation.web.session.brought import Answers
from segmentation.web.session.labelimage import LabelImage, Meanings
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.training import Trainer
from segmentation.web.session.whole_results import WholeImage, until_gone


class MaskScorer:
    """Scores segmentations against masks, which are not kept.

    Args:
        trainer: trains the classifiers of the sessions.
        live: segments.
        decoder: reads strangers' images.
        scheduler: says whose turn it is to compute.
        max_pixels: that a mask may have.
    """

    def __init__(
        self, trainer: Trainer, live: LiveSegmenter, decoder: Decoder, scheduler: Scheduler, *, max_pixels: int
    ) -> None:
        self._trainer, self._live, self._decoder = trainer, live, decoder
        self._scheduler, self._max_pixels = scheduler, max_pixels

    def score(
        self,
        session_id: str,
        content: bytes,
        name: str,
        answers: Answers,
        has_gone: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """The scores of what a session segments now.

        Args:
            session_id: the session.
            content: the file of the mask.
            name: of the file; never used as a path.
            answers: which image the mask belongs to, and what its values mean.
            has_gone: says whether nobody waits for the scores any more.

        Returns:
            ``scores`` as :meth:`~segmentation.model.metrics.Scores.to_json` gives them, the ``image``'s name, and
            whether it is ``corrected``, which does not count.

        Raises:
            NobodyWaitsError: if nobody waits any more.
            ValueError: with a sentence, if there is no segmentation, or the mask does not fit it.
        """
        turn = until_gone(partial(self._scheduler.turn, f"{session_id} mask"), has_gone)
        with turn():
            result = self._trainer.result(session_id, answers.images.get("0"))
        try:
            mask = self._decoder.read_image(content, name=name, max_pixels=self._max_pixels, labels=True)
        except ImageError as problem:
            raise ValueError(str(problem)) from problem
        if mask.metadata["pages"] > 1:
            raise ValueError(f"It holds {mask.metadata['pages']} masks: hold one at a time against the segmentation.")
        whole_turn = until_gone(partial(self._scheduler.whole_turn, session_id), has_gone)
        whole = WholeImage(self._live, result.image, result.classifier, turn, has_gone, whole_turn=whole_turn)
        ids, meanings = whole.class_ids(), Meanings(answers.values, result.state.classes, _no_new_class)
        with whole_turn():
            truth = meanings.raster(LabelImage.from_image(mask)).astype(np.uint8)
            scores = score(ids, result.image.clear(truth), list(result.state.classes))
        if not scores.pixels:
            raise ValueError("The mask knows the class of no pixel: say what its values mean.")
        corrected = result.training_set.corrections is not None
        return {"scores": scores.to_json(), "image": result.state.image["name"], "corrected": corrected}


def _no_new_class() -> int:
    raise ValueError("A class that is not in the session cannot be found: choose one of its classes, or nothing.")
