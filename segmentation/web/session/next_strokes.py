"""Where in the images of a session a further stroke helps most."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from segmentation.assessment.next_stroke import Grid, best_of_all, places_to_draw
from segmentation.strokes.raster import region_of
from segmentation.web.session.alike import serves
from segmentation.web.session.depth import can_be_seen, seen_image
from segmentation.web.session.grid_features import GridFeatures
from segmentation.web.session.images import Images
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.training import Trainer
from segmentation.web.session.whole_results import until_gone

MOST_PLACES = 8
MOST_IMAGES = 20
"""Of a session with more images only the current one and those before and after it are looked at."""


class NextStrokes:
    """Finds the places, for all sessions.

    Args:
        trainer: trains the classifiers of the sessions.
        images: of the sessions.
        scheduler: says whose turn it is to compute.
        features: of some pixels of the images.
    """

    def __init__(self, trainer: Trainer, images: Images, scheduler: Scheduler, features: GridFeatures) -> None:
        self._trainer, self._images, self._scheduler, self._features = trainer, images, scheduler, features

    def places(
        self, session_id: str, image_hash: str | None, has_gone: Callable[[], bool] = lambda: False
    ) -> list[dict[str, Any]]:
        """The places where a stroke helps most, the best first, on all images with the current one's channels.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.
            has_gone: says whether nobody waits any more.

        Returns:
            ``image`` (its hash), ``row`` and ``column`` of each.

        Raises:
            NobodyWaitsError: if nobody waits any more.
            ValueError: with a sentence, if nothing is segmented yet.
        """
        turn = until_gone(partial(self._scheduler.turn, session_id), has_gone)
        with turn():
            result = self._trainer.result(session_id, image_hash)
        drawn = {one.hash: np.flatnonzero(one.labels) for one in result.training_set.whole_images}
        state, spec, found = result.state, result.classifier.spec, []
        served = (one for one, facts in state.images.items() if serves(state.image, facts))
        alike = [one for one in served if can_be_seen(state, one, spec)]
        first = max(0, alike.index(state.image["hash"]) - MOST_IMAGES // 2)
        for one in alike[first : first + MOST_IMAGES]:
            with turn():
                region = region_of(state.drawn.get(one, ()), (state.images[one]["rows"], state.images[one]["columns"]))
                image = seen_image(self._images, session_id, state, one, spec)
                image = result.classifier.adapt(image.within(region))
            grid = Grid.over(image.shape)
            features = self._features.rows(turn, image, result.classifier, grid)
            with turn():
                labelled = drawn.get(one, np.empty(0, np.int64))
                places = places_to_draw(
                    result.classifier, grid, features, labelled, MOST_PLACES, left_out=image.left_out
                )
            found += [(one, place) for place in places]
        best = best_of_all(found, MOST_PLACES)
        return [{"image": one, "row": place.row, "column": place.column} for one, place in best]
