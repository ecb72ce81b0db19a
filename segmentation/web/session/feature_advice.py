"""Which features are worth their time, and whether images should be standardised, as the page is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import isnan
from typing import Any

from segmentation.assessment.drift import Drift, drift_of_features, drift_of_strokes
from segmentation.assessment.held_out import HeldOut, hold_out
from segmentation.assessment.importance import mean_decrease_in_impurity
from segmentation.assessment.leaving_out import importance_table, seconds_of_features, without
from segmentation.assessment.next_stroke import Grid
from segmentation.assessment.trust import Trust, trust_of_rows
from segmentation.features.spec import KINDS, FeatureSpec
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import region_of
from segmentation.web.session.alike import serves
from segmentation.web.session.depth import can_be_seen, seen_image
from segmentation.web.session.grid_features import GridFeatures
from segmentation.web.session.images import Images
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.training import Result, Trainer
from segmentation.web.session.whole_results import Turn, until_gone

MOST_IMAGES = 6
"""Images without strokes that are looked at: the current one and those after it."""

AS_IT_CAME = (
    "The opened classifier is at work as it came: draw, and your strokes are learnt with features of your choice."
)
NO_DIFFERENCE = "Strokes on other images are found about as well with it as without: leave it as it is."
ONE_IMAGE = "One image alone does not tell: open a second one of the series, and better draw on it too."


class FeatureAdvice:
    """Advises all sessions.

    Args:
        trainer: trains the classifiers of the sessions.
        images: of the sessions.
        live: trains with other features.
        scheduler: says whose turn it is to compute.
        features: of some pixels of the images.
    """

    def __init__(
        self, trainer: Trainer, images: Images, live: LiveSegmenter, scheduler: Scheduler, features: GridFeatures
    ) -> None:
        self._trainer, self._images, self._live = trainer, images, live
        self._scheduler, self._features = scheduler, features

    def importance(
        self, session_id: str, image_hash: str | None, has_gone: Callable[[], bool] = lambda: False
    ) -> dict[str, Any]:
        """How much the features of a session's classifier matter.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.
            has_gone: says whether nobody waits any more.

        Returns:
            ``kinds``, each with its ``kind`` and its ``shares``, one a sigma; ``learned``, the share of learned texture
            (null if there is none); the ``sigmas``; ``channels``, the share of each; ``features``, their names, those
            that matter most first; and ``fixed``, whether they cannot be others.

        Raises:
            NobodyWaitsError: if nobody waits any more.
            ValueError: with a sentence, if nothing is segmented yet.
        """
        with self._turn(session_id, has_gone)():
            result = self._trainer.result(session_id, image_hash)
            classifier = result.classifier
            table = importance_table(classifier)
            names, shares = classifier.feature_names_, mean_decrease_in_impurity(classifier.forest_)
        order = sorted(range(len(names)), key=lambda number: -shares[number])
        return {
            "kinds": [
                {"kind": kind, "shares": [round(share, 4) for share in row]}
                for kind, row in zip(KINDS, table.kinds.tolist(), strict=True)
                if getattr(classifier.spec, kind)
            ],
            "learned": round(table.learned, 4) if classifier.spec.learned else None,
            "sigmas": [f"{sigma:g}" for sigma in classifier.spec.sigmas],
            "channels": [round(share, 4) for share in table.channels.tolist()],
            "features": [names[number] for number in order],
            "fixed": result.trained.unchanged,
        }

    def leaving_out(
        self, session_id: str, image_hash: str | None, part: str, has_gone: Callable[[], bool] = lambda: False
    ) -> dict[str, Any]:
        """What it would cost in scores, and save in time, to leave some features out.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.
            part: as of :func:`~segmentation.assessment.leaving_out.without`.
            has_gone: says whether nobody waits any more.

        Returns:
            ``mean_iou`` of strokes that were held out, ``without`` those features, the ``change``, its
            ``standard_error`` (null if it is not known), ``time``, the share of the time of features that is left, and
            the ``features`` as settings.

        Raises:
            NobodyWaitsError: if that is so.
            ValueError: with a sentence, if they cannot be left out, or there are too few strokes.
        """
        turn = self._turn(session_id, has_gone)
        result = self._learnt(session_id, image_hash, turn)
        spec = without(result.state.features, part, result.image.channels)
        now, then = (self._held_out(session_id, result, one, turn) for one in (result.state.features, spec))
        change, error = then.difference(now)
        seconds = []
        for one in (result.state.features, spec):
            classifier = self._trained(session_id, result, one, turn)
            with turn():
                seconds.append(seconds_of_features(classifier.adapt(result.image), classifier))
        return {
            "mean_iou": now.mean_iou,
            "without": then.mean_iou,
            "change": change,
            "standard_error": None if isnan(error) else error,
            "time": seconds[1] / max(seconds[0], 1e-9),
            "features": {"learned": spec.learned} | spec.to_json(),
        }

    def drift(
        self, session_id: str, image_hash: str | None, has_gone: Callable[[], bool] = lambda: False
    ) -> dict[str, Any]:
        """Whether features of standardised images would be better for the images of a session, and why.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.
            has_gone: says whether nobody waits any more.

        Returns:
            ``standardise``, which setting it would take; ``now``, the setting of the session; the ``sentence``; and
            ``clear``, whether it is advised at all.

        Raises:
            NobodyWaitsError: if nobody waits any more.
            ValueError: with a sentence, if nothing tells it.
        """
        turn = self._turn(session_id, has_gone)
        result = self._learnt(session_id, image_hash, turn)
        plain, standardised = (replace(result.state.features, standardise=on) for on in (False, True))
        others = [one for one in self._alike(result) if one not in result.trained.images]
        advice: Drift | None = None
        if len(result.trained.images) > 1:
            scores = [
                self._held_out(session_id, result, one, turn, images_at_once=True) for one in (plain, standardised)
            ]
            advice = drift_of_strokes(*scores)
        if advice is None:
            if not others:
                raise ValueError(NO_DIFFERENCE if len(result.trained.images) > 1 else ONE_IMAGE)
            trusts = [self._trusts(session_id, result, one, others, turn) for one in (plain, standardised)]
            advice = drift_of_features(*trusts)
        return {
            "standardise": advice.standardise,
            "now": result.state.features.standardise,
            "sentence": advice.sentence,
            "clear": advice.clear,
        }

    def _learnt(self, session_id: str, image_hash: str | None, turn: Turn) -> Result:
        with turn():
            result = self._trainer.result(session_id, image_hash)
        if result.trained.unchanged:
            raise ValueError(AS_IT_CAME)
        return result

    def _turn(self, session_id: str, has_gone: Callable[[], bool]) -> Turn:
        return until_gone(partial(self._scheduler.turn, session_id), has_gone)

    def _held_out(
        self, session_id: str, result: Result, spec: FeatureSpec, turn: Turn, *, images_at_once: bool = False
    ) -> HeldOut:
        """How strokes are found that were held out, with other features."""
        state = replace(result.state, features=spec)
        found = hold_out(
            self._trainer.drawn(result.training_set),
            self._trainer.training(session_id, state),
            state.weights,
            images_at_once=images_at_once,
            turn=turn,
        )
        assert found is not None
        return found

    def _trained(self, session_id: str, result: Result, spec: FeatureSpec, turn: Turn) -> PixelClassifier:
        """The classifier of a session with other features."""
        training_set = replace(result.training_set, state=replace(result.state, features=spec))
        with turn():
            return self._trainer.train(session_id, training_set).classifier

    def _alike(self, result: Result) -> list[str]:
        """The images that can be segmented, the current one first."""
        state, spec = result.state, result.classifier.spec
        served = (one for one, facts in state.images.items() if serves(state.image, facts))
        alike = [one for one in served if can_be_seen(state, one, spec)]
        current = alike.index(state.image["hash"])
        return alike[current:] + alike[:current]

    def _trusts(self, session_id: str, result: Result, spec: FeatureSpec, images: list[str], turn: Turn) -> list[Trust]:
        """How far the segmentations of images that were not learnt from could be trusted, with other features."""
        classifier, trusts = self._trained(session_id, result, spec, turn), []
        for one in images[:MOST_IMAGES]:
            with turn():
                image = seen_image(self._images, session_id, result.state, one, classifier.spec)
                image = classifier.adapt(image.within(region_of(result.state.drawn.get(one, ()), image.shape)))
            grid = Grid.over(image.shape)
            rows = self._features.rows(turn, image, classifier, grid)
            if image.left_out is not None and not image.left_out.ravel()[grid.places].all():
                rows = rows[~image.left_out.ravel()[grid.places]]
            with turn():
                trusts.append(trust_of_rows(classifier, rows))
        return trusts
