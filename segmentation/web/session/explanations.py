"""Why a pixel of an image has its class, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from segmentation._shared.tiling import Window
from segmentation.assessment.explanation import explain
from segmentation.assessment.held_out import pixels_with_owners
from segmentation.features.pieces import feature_rows
from segmentation.io.image import Image
from segmentation.web.session.images import Images
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.training import Trainer
from segmentation.web.session.whole_results import Turn, until_gone


class Explanations:
    """Explains pixels, for all sessions.

    Args:
        trainer: trains the classifiers of the sessions.
        images: of the sessions.
        scheduler: says whose turn it is to compute.
    """

    def __init__(self, trainer: Trainer, images: Images, scheduler: Scheduler) -> None:
        self._trainer, self._images, self._scheduler = trainer, images, scheduler

    def probabilities(
        self,
        session_id: str,
        image_hash: str | None,
        row: int,
        column: int,
        has_gone: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """The probability of each class at a pixel, by class id as text.

        Args:
            session_id: the session.
            image_hash: the image; None stands for the one that was opened last.
            row: of the pixel.
            column: of the pixel.
            has_gone: says whether nobody waits any more.

        Raises:
            NobodyWaitsError: if that is so.
            ValueError: with a sentence, if nothing is segmented, or the pixel is beside the image or has no class.
        """
        turn = self._turn(session_id, has_gone)
        with turn():
            result = self._trainer.result(session_id, image_hash)
        _require_pixel(result.image, row, column)
        with turn():
            image = result.classifier.adapt(result.image)
            place = Window(slice(row, row + 1), slice(column, column + 1))
            found = result.classifier.predict_proba_window(image, place, threads=1)[:, 0, 0]
        return {str(one): round(float(share), 4) for one, share in zip(result.classifier.classes_, found, strict=True)}

    def explain(
        self,
        session_id: str,
        image_hash: str | None,
        row: int,
        column: int,
        has_gone: Callable[[], bool] = lambda: False,
    ) -> dict[str, Any]:
        """Why a pixel has its class.

        Args:
            session_id: the session.
            image_hash: the image; None stands for the one that was opened last.
            row: of the pixel.
            column: of the pixel.
            has_gone: says whether nobody waits any more.

        Returns:
            ``class_id``; ``probabilities`` by class id as text; ``strokes``, each with ``image``, ``id`` and ``share``;
            and ``features``, each with ``name`` and ``share``; the most deciding first.

        Raises:
            NobodyWaitsError: if nobody waits any more.
            ValueError: with a sentence, if nothing is segmented, the pixel is beside the image, or no strokes are known
                that the classifier learnt from.
        """
        turn = self._turn(session_id, has_gone)
        with turn():
            result = self._trainer.result(session_id, image_hash)
        _require_pixel(result.image, row, column)
        columns = result.image.shape[1]
        if result.trained.unchanged:
            raise ValueError("The opened classifier is at work as it came: which strokes decided is not known here.")
        drawn = self._trainer.drawn(result.training_set)
        with turn():
            image = result.classifier.adapt(result.image)
        with turn():
            training = self._trainer.training(session_id, result.state)(result.training_set.whole_images)
            pixels, owners, keys = pixels_with_owners(drawn, training)
            place = np.array([row * columns + column], np.int64)
            features = feature_rows(image, result.classifier.spec_, place, threads=1)[0]
            why = explain(result.classifier, features, pixels, owners, keys)
        return {
            "class_id": why.class_id,
            "probabilities": {str(one): round(share, 4) for one, share in why.probabilities.items()},
            "strokes": [{"image": one.name[0], "id": one.name[1], "share": round(one.share, 4)} for one in why.strokes],
            "features": [{"name": one.name, "share": round(one.share, 4)} for one in why.features],
        }

    def _turn(self, session_id: str, has_gone: Callable[[], bool]) -> Turn:
        return until_gone(partial(self._scheduler.turn, session_id), has_gone)


def _require_pixel(image: Image, row: int, column: int) -> None:
    rows, columns = image.shape
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError("That pixel lies beside the image.")
    if image.left_out is not None and image.left_out[row, column]:
        raise ValueError("That pixel is not segmented: it holds no data, or lies outside of what you outlined.")
