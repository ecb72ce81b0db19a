"""How good the classifier of a session is, computed in spare time from strokes that are held out."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from math import isnan
from threading import BoundedSemaphore

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.text import counted
from segmentation.assessment.cross_validation import CrossValidation, curve_counts
from segmentation.assessment.held_out import HeldOut, Train, hold_out
from segmentation.assessment.strokes import DrawnImage, StrokeKey, count_strokes, first_strokes, without_stroke
from segmentation.io.limits import PassingError
from segmentation.web.session.packed_tile import Message
from segmentation.web.session.scheduler import Scheduler
from segmentation.web.session.state import SessionState
from segmentation.web.session.training import TrainedClassifier, Trainer

KNOWN_POINTS = 5_000
"""Points of curves that are cached; each takes about a kilobyte."""

WAITING_AT_ONCE = 4
"""Answers that wait for spare time at the same time: each holds a thread of the server."""

PATIENCE_SECONDS = 20.0
"""On a busy server there are no scores rather than later ones."""


@dataclass(frozen=True)
class Learnt:
    """What a session has learnt.

    Attributes:
        state: the session's state that it belongs to.
        drawn: the images whose strokes count, with these.
        trained: the classifier.
    """

    state: SessionState
    drawn: tuple[DrawnImage, ...]
    trained: TrainedClassifier


class Scorer:
    """Scores the classifiers of all sessions.

    Args:
        trainer: says how they are trained.
        scheduler: says when there is spare time.
    """

    def __init__(self, trainer: Trainer, scheduler: Scheduler) -> None:
        self._trainer = trainer
        self._scheduler = scheduler
        self._known: BoundedCache[Hashable, HeldOut] = BoundedCache(KNOWN_POINTS)
        self._waiting = BoundedSemaphore(WAITING_AT_ONCE)

    def score(
        self, session_id: str, learnt: Learnt, newest: StrokeKey | None, stale: Callable[[], bool]
    ) -> Iterator[Message]:
        """Score a classifier: first as it is now, then as it was after fewer strokes.

        Args:
            session_id: the session.
            learnt: the classifier, and what it was trained on.
            newest: the stroke that is to be pointed at if it has made others worse.
            stale: asked before each forest; once it says True, nothing more comes.

        Yields:
            ``scores`` messages: each says all that is known by then, or in a ``note`` why there are none.

        Raises:
            PassingError: with a sentence, if a part of an image did not come this time; what is known is kept.
        """
        if learnt.trained.unchanged:
            yield {"kind": "scores", "scores": None, "note": "The opened classifier is at work as it came."}
            return
        with self.patience(stale) as over:
            yield from self._curve(session_id, learnt, newest, over)

    def sentence(self, session_id: str, learnt: Learnt) -> str:
        """How good a classifier is, for a report; empty if that is not known."""
        if learnt.trained.unchanged or not learnt.drawn:
            return ""
        train = self._trainer.training(session_id, learnt.state)
        try:
            with self.patience(lambda: False) as over:
                found, _ = self._held_out(learnt.drawn, learnt.state, train, over)
        except PassingError:
            raise
        except ValueError:  # too few strokes
            return ""
        if found is None:
            return ""
        error = "" if isnan(found.standard_error) else f" ± {found.standard_error:.2f}"
        names = {class_id: one.name for class_id, one in learnt.state.classes.items()}
        classes = ", ".join(
            f"{names.get(one, one)} {iou:.2f}"
            for one, iou in zip(found.class_ids, found.scores.iou.tolist(), strict=True)
            if not isnan(iou)
        )
        return (
            f"mean IoU {found.mean_iou:.2f}{error} over {counted(len(found.keys), 'stroke')}, each of which was held "
            f"out when it was looked at; by class: {classes}"
        )

    @contextmanager
    def patience(self, stale: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
        """Whether to stop, as a question: because it is stale, or others have waited for long."""
        free = self._waiting.acquire(blocking=False)
        end = time.monotonic() + (PATIENCE_SECONDS if free else 0)
        try:
            yield lambda: stale() or time.monotonic() > end
        finally:
            if free:
                self._waiting.release()

    def _curve(
        self, session_id: str, learnt: Learnt, newest: StrokeKey | None, over: Callable[[], bool]
    ) -> Iterator[Message]:
        state, drawn = learnt.state, learnt.drawn
        train = self._trainer.training(session_id, state)
        names = {class_id: one.name for class_id, one in state.classes.items()}
        points: dict[int, HeldOut] = {}
        before = None
        try:
            for count in curve_counts(count_strokes(drawn)):
                found, is_new = self._held_out(first_strokes(drawn, count), state, train, over)
                if found is None:
                    return
                points[count] = found
                if len(points) == 1 and newest is not None:
                    before, _ = self._held_out(without_stroke(drawn, newest), state, train, over)
                if len(points) == 1 and is_new:
                    yield _message(CrossValidation.of(points, newest, before), names)
        except PassingError:
            raise
        except ValueError as reason:
            if not points:
                yield {"kind": "scores", "scores": None, "note": str(reason)}
        if points:
            yield _message(CrossValidation.of(points, newest, before), names)

    def _held_out(
        self, drawn: Sequence[DrawnImage], state: SessionState, train: Train, over: Callable[[], bool]
    ) -> tuple[HeldOut | None, bool]:
        """What is known of strokes, and whether that has just been found out."""
        opened = state.opened and state.opened.facts["hash"]
        settings = (state.features, state.forest, opened, *state.weights.items())
        key = (_digest(drawn), settings)
        known = self._known.get(key)
        if known is not None:
            return known, False
        found = hold_out(drawn, train, state.weights, stale=over, turn=partial(self._scheduler.spare_time, over))
        if found is not None:
            self._known.put(key, found)
        return found, True


def _digest(drawn: Sequence[DrawnImage]) -> bytes:
    """What images with the same strokes share, and, but for a chance of 2**-128, no others."""
    digest = hashlib.blake2b(digest_size=16)
    for image in drawn:
        digest.update(repr((image.hash, len(image.strokes))).encode())
        for one in image.strokes:
            digest.update(repr((one.id, one.class_id, one.kind, one.width, one.starts, len(one.points))).encode())
            digest.update(one.points.tobytes())
    return digest.digest()


def _message(found: CrossValidation, names: dict[int, str]) -> Message:
    return {"kind": "scores", "scores": found.to_json(), "note": found.note(names)}
