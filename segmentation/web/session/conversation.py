"""The conversation of a browser window with a session: events come in, updates and the segmentation go back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.text import counted
from segmentation._shared.tiling import Tile, TileGrid
from segmentation.assessment.strokes import StrokeKey
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.live.ahead import compute_ahead
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.channels import channels_note
from segmentation.model.values import classes_note
from segmentation.strokes.raster import region_of
from segmentation.web import metrics
from segmentation.web.security.hardening import SEGMENTING_WAIT, TOO_OFTEN
from segmentation.web.session.at_work import CrowdedError, ImagesAtWork
from segmentation.web.session.depth import planes_seen, seen_image
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.large_answers import LargeAnswers, learnt
from segmentation.web.session.large_images import is_large
from segmentation.web.session.large_segmentation import LargeSegmentation
from segmentation.web.session.margins import Margins
from segmentation.web.session.packed_tile import Message
from segmentation.web.session.partial_views import AGAIN_SECONDS
from segmentation.web.session.scheduler import NobodyWaitsError, Scheduler
from segmentation.web.session.scoring import Learnt, Scorer
from segmentation.web.session.state import SessionState
from segmentation.web.session.tile_request import TileRequest
from segmentation.web.session.tile_stream import TileStream, Wanted
from segmentation.web.session.training import TrainedClassifier, Trainer, TrainingSet, missing_strokes
from segmentation.web.store.classifiers import UnknownClassifierError
from segmentation.web.store.presences import Presence, Presences

BUSY = {"kind": "busy", "reason": TOO_OFTEN, "seconds": SEGMENTING_WAIT}

MAX_SESSIONS = 256
"""Sessions whose windows are told apart."""

MAX_CLIENTS = 1_000
"""Browser windows of a session, of which every page that is loaded is a new one."""


class Busy:
    """Counts the ``with`` blocks that are under way; called, says whether there are any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0

    def __enter__(self) -> None:
        with self._lock:
            self._count += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._count -= 1

    def __call__(self) -> bool:
        """Whether there are any."""
        return self._count > 0


class LatestRequests:
    """Which request of each browser window is its latest: the answers to all others are stale."""

    def __init__(self) -> None:
        self._sessions: BoundedCache[str, BoundedCache[str, object]] = BoundedCache(MAX_SESSIONS)

    def begin(self, session_id: str, client_id: str) -> Callable[[], bool]:
        """Note a new request of a window; returns a question that says True once the window has sent a newer one.

        Where there are too many windows, those that are not remembered go on: nobody ends what another waits for.
        """
        clients = self._sessions.setdefault(session_id, BoundedCache(MAX_CLIENTS))
        request = object()
        clients.put(client_id, request)
        return lambda: clients.get(client_id) not in (request, None)


class Conversations:
    """Answers the browser windows of all sessions.

    Args:
        journals: of the sessions.
        images: of the sessions.
        trainer: trains the classifiers of the sessions.
        live: computes ahead what the first stroke will need.
        tile_stream: segments.
        scorer: says how good that is.
        margins: say how sure shares are.
        scheduler: says whose turn it is to compute.
        busy: entered while a window waits for its segmentation.
        closing: set once this process is to end; answers then end at the next tile.
        presences: say who is in a session.
        at_work: bounds the bytes of the images that are segmented at the same time.
    """

    def __init__(
        self,
        journals: Journals,
        images: Images,
        trainer: Trainer,
        live: LiveSegmenter,
        tile_stream: TileStream,
        scorer: Scorer,
        margins: Margins,
        *,
        scheduler: Scheduler,
        busy: Busy,
        closing: threading.Event,
        presences: Presences,
        at_work: ImagesAtWork,
    ) -> None:
        self._journals, self._images, self._trainer = journals, images, trainer
        self._live, self._tile_stream, self._scorer, self._scheduler = live, tile_stream, scorer, scheduler
        self._margins, self._busy, self._closing = margins, busy, closing
        self._presences, self._at_work = presences, at_work
        self._large = LargeAnswers(images.large, trainer, LargeSegmentation(live, images.large, scheduler), scheduler)
        self._latest = LatestRequests()

    def answer(
        self,
        session_id: str,
        *,
        after: int,
        bodies: Sequence[Any],
        client_id: str,
        tiles: TileRequest | None,
        author: Mapping[str, str] | None = None,
        here: Presence | None = None,
        has_gone: Callable[[], bool] = lambda: False,
    ) -> Iterator[Message]:
        """Answer a browser window: what is new in the journal, then the segmentation if it is asked for.

        Args:
            session_id: the session.
            after: number of the last event that the window knows.
            bodies: events that the window wants written.
            client_id: an id that the window gave itself; its newer request makes this one stale.
            tiles: the segmentation that the window asks for.
            author: whose window it is, as a reverse proxy says; None leaves it to what the events say.
            here: who looks at the window, and at what; None says nothing about that.
            has_gone: says whether nobody waits for the answer any more: then nothing more is segmented.

        Yields:
            Messages with a ``"kind"``: ``journal``; ``labelled``; then ``cannot`` with a reason, or ``status``,
            ``draft`` and ``tile`` messages, ended by ``done`` with the pixels of each class, or by ``passing`` with
            the reason why something did not come this time, and after how many seconds to ask again. Without that end
            the window should ask again: it has asked for something newer, or somebody else has written to the journal.
            Then ``here`` with the other people who are in the session, for which no stroke has to wait, and at last
            ``scores`` and ``margins``, for which nothing has to wait.

        Raises:
            UnknownSessionError: if there is no such session.
            UnknownImageError: if the file of the image is gone, with the session.
            StoreAwayError: with a sentence, if the store does not answer.
        """
        superseded = self._latest.begin(session_id, client_id)
        updates, refused = self._journals.record(session_id, bodies, author, after=after)
        told = [{"number": event.number, "body": event.body} for event in updates]
        yield {"kind": "journal", "events": told, "refused": refused}
        learnt, stale = None, superseded
        with ExitStack() as held:
            if tiles is not None:
                has_grown = self._journals.watch(session_id, updates[-1].number if updates else after)

                def stale() -> bool:
                    return superseded() or has_gone() or self._closing.is_set() or has_grown()

                with self._busy, suppress(NobodyWaitsError):
                    try:
                        learnt = yield from self._segmentation(session_id, tiles, stale, held)
                    except CrowdedError:
                        yield BUSY
            if here is not None:
                yield {"kind": "here", "people": [asdict(one) for one in self._presences.meet(session_id, here)]}
            if tiles is not None and learnt is not None and tiles.scores is not None:
                yield from self._scores(session_id, learnt, tiles.scores.newest, stale)

    def _scores(
        self, session_id: str, learnt: Learnt, newest: StrokeKey | None, stale: Callable[[], bool]
    ) -> Iterator[Message]:
        """How good and how sure it is; the image is given up once somebody lacks room of its kind."""
        state, spec = learnt.state, learnt.trained.classifier.spec
        is_crowded = self._at_work.watch(state.image, planes_seen(state, state.image["hash"], spec))

        def over() -> bool:
            return stale() or is_crowded()

        told: Message = {"kind": "scores", "scores": None}
        try:
            for message in self._scorer.score(session_id, learnt, newest, over):
                told = message
                yield told
            if not over():
                image = seen_image(self._images, session_id, state, state.image["hash"], spec)
                image = image.within(region_of(state.outlines, image.shape))
                yield from self._margins.told(session_id, learnt, image, over)
        except PassingError as reason:  # what is known by now is not all
            yield told | {"note": str(reason)}
        except ImageError:  # the next answer tells it
            return

    def _segmentation(
        self, session_id: str, tiles: TileRequest, stale: Callable[[], bool], held: ExitStack
    ) -> Generator[Message, None, Learnt | None]:
        """The segmentation; returns what it was learnt from, if nobody has asked for another one meanwhile."""
        started = time.perf_counter()
        try:
            training_set = self._trainer.training_set(session_id, tiles.image_hash)
        except ImageError as reason:  # more is drawn on a large image than can be learnt from, or it is damaged
            yield _told_problem(reason)
            return None
        except ValueError:  # another window has removed the image, as the journal says: this one asks for another
            return None
        state = training_set.state
        yield _labelled(training_set)
        self._hold(room := held.enter_context(ExitStack()), state, state.features)
        try:
            if is_large(state.image):
                yield from self._large.messages(session_id, tiles, training_set, stale, started)
                return None
            if stale():  # what was asked for meanwhile need not wait for an image that is read
                return None
            seen = partial(seen_image, self._images, session_id, state, state.image["hash"])
            image = seen(state.features).within(training_set.region)
        except ImageError as reason:  # a plane is not as its stack said, or a part of a large image cannot be read
            yield _told_problem(reason)
            return None
        if stale():
            return None
        order = TileGrid(image.shape).order(tiles.view)
        if not missing_strokes(state, training_set.pixels_by_class):
            yield {"kind": "status", "text": "Learning from the strokes"}
        try:
            with self._scheduler.turn(session_id, ahead=True, stale=stale):
                if stale():
                    return None
                trained = self._trainer.train(session_id, training_set)
                if trained.classifier.spec != state.features:  # one that is kept as it came
                    self._hold(room, state, trained.classifier.spec)
                    image = seen(trained.classifier.spec).within(training_set.region)
        except ValueError as reason:
            yield _told_problem(reason)
            if not isinstance(reason, PassingError):
                self._compute_ahead(image, state, order, stale)
            return None
        except UnknownClassifierError:
            yield {"kind": "cannot", "reason": "The file of the classifier that was opened is gone: open it again."}
            return None
        yield _learnt(trained, image, state.image["hash"])
        drawn, corrections = self._trainer.drawn(training_set), training_set.corrections
        del training_set  # labels that nobody holds need not be copied for the next stroke
        steps = state.clean_up if tiles.clean_up is None else tiles.clean_up
        wanted = Wanted(image, trained.classifier, tiles.layer, state.outlines, corrections)
        messages = self._tile_stream.segment(session_id, wanted, order, tiles.known, stale, steps)
        pixels = yield from _timed(messages, started)
        if stale():
            return None
        yield _done(state, pixels, trained, time.perf_counter() - started)
        return Learnt(state, drawn, trained)

    def _compute_ahead(
        self, image: Image, state: SessionState, order: Sequence[Tile], stale: Callable[[], bool]
    ) -> None:
        """Compute ahead what the first stroke will need, while nobody else has something to compute."""
        turn = partial(self._scheduler.spare_time, stale)
        learnt_as = state.image["hash"]
        compute_ahead(
            self._live, image, state.features, state.forest, order, learnt_as=learnt_as, stale=stale, turn=turn
        )

    def _hold(self, room: ExitStack, state: SessionState, spec: FeatureSpec) -> None:
        """Hold the current image in a room, as some features see it, and nothing else there."""
        room.close()
        room.enter_context(self._at_work.holding(state.image, planes_seen(state, state.image["hash"], spec)))


def _told_problem(reason: ValueError) -> Message:
    """Why there is no segmentation, as a window is told it: of what may pass also after how long to ask again."""
    if isinstance(reason, PassingError):
        return {"kind": "passing", "reason": str(reason), "seconds": AGAIN_SECONDS}
    return {"kind": "cannot", "reason": str(reason)}


def _done(state: SessionState, pixels: NDArray[np.int64], trained: TrainedClassifier, seconds: float) -> Message:
    """What ends a segmentation, which took so long."""
    counts = {str(c): int(pixels[c]) for c in state.classes}
    names = {class_id: one.name for class_id, one in state.classes.items()}
    metrics.time_whole_overlay(seconds)
    note = classes_note(counts, names, len(trained.classifier.classes_))
    return {"kind": "done", "pixels": counts, "seconds": round(seconds, 3), "note": note}


def _labelled(training_set: TrainingSet) -> Message:
    """What is labelled, before anything is learnt from it."""
    classes = training_set.state.classes
    return {
        "kind": "labelled",
        "pixels": {str(c): int(training_set.pixels_of_current_image[c]) for c in classes},
        "notes": _stroke_notes(training_set.strokes_outside),
        "corrected": dict(training_set.corrected_pixels),
    }


def _timed(
    messages: Generator[Message, None, NDArray[np.int64]], started: float
) -> Generator[Message, None, NDArray[np.int64]]:
    """The same messages; when the first part of the segmentation is there, that is measured."""
    try:
        while True:
            message = next(messages)
            yield message
            if message["kind"] in ("draft", "tile"):
                break
    except StopIteration as end:
        return cast("NDArray[np.int64]", end.value)
    metrics.time_first_overlay(time.perf_counter() - started)
    return (yield from messages)


def _stroke_notes(outside: int) -> list[str]:
    """What is said of the strokes on an image of which so many lie outside of where it is worked on."""
    if not outside:
        return []
    return [f"{counted(outside, 'stroke')} outside of “Only here” {'is' if outside == 1 else 'are'} not learnt from."]


def _learnt(trained: TrainedClassifier, image: Image, image_hash: str) -> Message:
    """What is said of a classifier before it segments an image."""
    classifier = trained.classifier
    by_name = channels_note(image, classifier.training_)
    learnt_from = [by_name] if by_name else []
    notes = learnt_from if image_hash in trained.images else classifier.value_notes(image)
    return learnt(trained, notes)
