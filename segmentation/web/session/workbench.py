"""What one server process does for sessions: it folds journals, keeps labels, trains, and segments tile by tile.

Everything here is a cache of what the store holds; a process that is killed loses nothing.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import TileGrid
from segmentation.features.cache import FeatureCache
from segmentation.forest.sampling import PixelSample
from segmentation.io.image import Image
from segmentation.live.segmenter import LabelledImage, LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.classes import DEFAULT_COLOURS
from segmentation.strokes.stroke import Stroke
from segmentation.web.decoding.client import Decoder
from segmentation.web.series.worker import SeriesWorker
from segmentation.web.session.classifiers import OpenedFiles
from segmentation.web.session.events import SessionState, check_event, fold
from segmentation.web.session.labels import LabelRaster
from segmentation.web.session.sample import Sample
from segmentation.web.session.scheduler import Turns
from segmentation.web.session.tile_stream import Message, Segmentations
from segmentation.web.session.training import (
    Learnt,
    TrainingSet,
    learn,
    missing_strokes,
    strokes_to_learn,
    training_pixels,
)
from segmentation.web.settings import Settings
from segmentation.web.store import NewImage, Store, UnknownImageError
from segmentation.web.store.classifiers import UnknownClassifierError
from segmentation.web.store.series import SeriesStore
from segmentation.web.warming import WarmUp, segment_once

MAX_SESSIONS_AT_HAND = 256
MAX_WINDOWS_AT_HAND = 1_000
"""Of a session, which every page that is loaded adds one to."""

SIGN_OF_LIFE_SECONDS = 1.0
NEWS_SECONDS = 1.0
PIECES_AT_ONCE = 2
"""Pieces of work at the same time at least; as many as there are threads, since one alone computes most tiles."""

PIECES_OF_A_TURN = 16
"""Tiles of 1 megapixel: whoever wants more lets others go on in between."""

LABELS_AT_HAND_BYTES = 64 * 2**20


@dataclass
class SessionAtHand:
    """A session as this process knows it; taken in hand under its lock."""

    events: list[Mapping[str, Any]] = field(default_factory=list)
    parsed: dict[str, Stroke] = field(default_factory=dict)
    state: SessionState | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    tickets: BoundedCache[str, object] = field(default_factory=lambda: BoundedCache(MAX_WINDOWS_AT_HAND, lambda _: 1))


@dataclass(frozen=True)
class Result:
    """What a session's strokes make of its image.

    Attributes:
        image: the image in hand.
        learnt: the classifier for it.
        learnt_from: what that came from.
    """

    image: Image
    learnt: Learnt
    learnt_from: TrainingSet

    @property
    def state(self) -> SessionState:
        """The session's state that it belongs to, the image being in hand."""
        return self.learnt_from.state

    @property
    def classifier(self) -> PixelClassifier:
        """The classifier."""
        return self.learnt.classifier


class Busy:
    """Counts those who are at something in ``with`` blocks; called, says whether there are any."""

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


class Workbench:
    """The sessions, images and features that one server process has at hand.

    Attributes:
        busy: says whether a window waits for its segmentation.
        series: the series of all sessions.
        series_worker: works on them beside the windows.
        turns: whose turn it is to compute.
        segmentations: of images, tile by tile.
        warming: loads and compiles what the first stroke needs, so that it need not wait.
        closing: set once the process is to end; conversations then end at the next tile.
    """

    def __init__(self, store: Store, settings: Settings, sample: Sample) -> None:
        self.store = store
        self.settings = settings
        self.sample = sample
        self.live = LiveSegmenter(
            FeatureCache(settings.feature_cache_bytes), settings.threads, sample_bytes=settings.draft_cache_bytes
        )
        self._images: BoundedCache[str, Image] = BoundedCache(
            settings.image_cache_bytes, lambda image: image.pixels.nbytes
        )
        self.opened = OpenedFiles(store, settings.threads)
        self._rasters: BoundedCache[tuple[str, str, bool], LabelRaster] = BoundedCache(
            LABELS_AT_HAND_BYTES, lambda raster: raster.labels.nbytes
        )
        self._sessions: OrderedDict[str, SessionAtHand] = OrderedDict()
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.decoder = Decoder(settings.decoding_bytes)
        self.turns = Turns(max(PIECES_AT_ONCE, settings.threads), PIECES_OF_A_TURN)
        self.segmentations = Segmentations(self.live, self.turns)
        self.warming = WarmUp(self._warm_up)
        self.busy = Busy()
        self.series = SeriesStore(store)
        self.series_worker = SeriesWorker(
            self.series,
            self.decoder,
            max_pixels=settings.max_pixels,
            threads=1,
            busy=self.busy,
            closing=self.closing,
        )

    def new_session(self) -> str:
        """A session that opens on the sample image with two classes; returns its id."""
        image = self.sample.image
        colours = list(DEFAULT_COLOURS)
        start = {
            "id": "start",
            "type": "session.start",
            "image": describe_image(image, self.sample.name),
            "classes": [
                {"id": number, "name": name, "colour": colours[number - 1]}
                for number, name in enumerate(self.sample.classes, start=1)
            ],
        }
        return self.store.create_session([start], images=[NewImage(image.hash, self.sample.name, self.sample.content)])

    def forget(self, session_id: str) -> None:
        """Let go of what is at hand of a session that is deleted."""
        with self._lock:
            self._sessions.pop(session_id, None)

    def state(self, session_id: str) -> SessionState:
        """What the session's journal adds up to now.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        at_hand = self._at_hand(session_id)
        with at_hand.lock:
            self._catch_up(session_id, at_hand)
            assert at_hand.state is not None
            return at_hand.state

    def record(self, session_id: str, bodies: Sequence[Any]) -> list[Message]:
        """Write a browser's events to the journal.

        Returns:
            The events that make no sense, each with the reason why, for the person.

        Raises:
            UnknownSessionError: if there is no such session.
        """
        state = self.state(session_id)
        checked, refused = [], []
        for body in bodies:
            try:
                event = check_event(self._with_facts(session_id, body), state)
                if event["type"] == "image.open":
                    self._describe_opened(session_id, event["image"])
                checked.append(event)
            except ValueError as reason:
                refused.append({"id": body.get("id") if isinstance(body, Mapping) else None, "reason": str(reason)})
        if checked:
            self.store.append(session_id, checked)
        for event in checked:
            if event["type"] == "session.rename":
                self.store.rename_session(session_id, event["name"])
        return refused

    def _with_facts(self, session_id: str, body: Any) -> Any:
        """An event that opens a classifier says what the file says, whatever the page made of it."""
        facts = body.get("classifier") if isinstance(body, Mapping) and body.get("type") == "classifier.open" else None
        content_hash = facts.get("hash") if isinstance(facts, Mapping) else None
        if not isinstance(content_hash, str):
            return body
        try:
            return {**body, **self.opened.get(session_id, content_hash).event()}
        except UnknownClassifierError:
            raise ValueError("This session has no such classifier.") from None

    def open_classifier(self, session_id: str, content: bytes, name: str) -> Message:
        """Check and keep a classifier file.

        Returns:
            The fields of the ``classifier.open`` event.

        Raises:
            UnknownSessionError: if there is no such session.
            ModelFileError: with a sentence, if it is no classifier file, or one that the page cannot show.
        """
        return self.opened.open(session_id, name, content).event()

    def _describe_opened(self, session_id: str, facts: Message) -> None:
        """Let the facts of an image that is opened be those of the image, whatever the browser says."""
        try:
            facts |= describe_image(self.image(session_id, facts["hash"]), facts["name"])
        except UnknownImageError:
            raise ValueError("This session has no such image.") from None

    def add_image(self, session_id: str, content: bytes, name: str) -> Message:
        """Check and keep an image file.

        Returns:
            The facts that an ``image.open`` event names, and under ``"notes"`` sentences on what was left out.

        Raises:
            ImageError: with a sentence, if it is no image that can be worked on.
        """
        image = self.decoder.read_image(content, name=name, max_pixels=self.settings.max_pixels)
        self.store.put_image(session_id, image.hash, name, content)
        self._images.put(image.hash, image)
        return describe_image(image, name) | {"notes": image.metadata.get("notes", [])}

    def image(self, session_id: str, image_hash: str) -> Image:
        """An image of a session.

        Raises:
            UnknownImageError: if the session has no such image.
        """
        if self.store.has_image(session_id, image_hash):
            image = self._images.get(image_hash)
            if image is not None:
                return image
        name, content = self.store.image(session_id, image_hash)
        image = self.decoder.read_image(content, name=name, max_pixels=self.settings.max_pixels)
        self._images.put(image_hash, image)
        return image

    def labels(
        self, session_id: str, image_hash: str | None = None
    ) -> tuple[SessionState, NDArray[np.uint8], NDArray[np.int64]]:
        """The state of a session with the labels of an image (a copy) and the number of labelled pixels by class id.

        Args:
            session_id: the session.
            image_hash: the image in hand; None takes the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        at_hand = self._at_hand(session_id)
        with at_hand.lock:
            state = self.state(session_id).with_image(image_hash)
            raster = self._raster(session_id, state, state.image["hash"], state.drawn)
            return state, raster.labels.copy(), raster.pixels_by_class.copy()

    def _raster(
        self, session_id: str, state: SessionState, image_hash: str, strokes: Mapping[str, tuple[Stroke, ...]]
    ) -> LabelRaster:
        key = (session_id, image_hash, strokes is state.drawn)
        image = state.images[image_hash]
        raster = self._rasters.get(key) or LabelRaster((image["rows"], image["columns"]))
        raster.follow(strokes.get(image_hash, ()))
        self._rasters.put(key, raster)
        return raster

    def training_set(self, session_id: str, image_hash: str | None = None) -> TrainingSet:
        """All that a session's classifier learns from: the strokes on every image with as many channels as the one in
        hand.

        Args:
            session_id: the session.
            image_hash: the image in hand; None takes the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        at_hand = self._at_hand(session_id)
        with at_hand.lock:
            state = self.state(session_id).with_image(image_hash)
            channels = state.image["channels"]
            images = []
            pixels = np.zeros(256, np.int64)
            strokes = strokes_to_learn(state)
            for one in (one for one in strokes if state.images[one]["channels"] == channels):
                raster = self._raster(session_id, state, one, strokes)
                if raster.pixels_by_class.any():
                    pixels += raster.pixels_by_class
                    images.append(LabelledImage(one, raster.lend(), partial(self.image, session_id, one)))
            in_hand = self._raster(session_id, state, state.image["hash"], state.drawn).pixels_by_class.copy()
            return TrainingSet(state, tuple(images), pixels, in_hand)

    def result(self, session_id: str, image_hash: str | None = None) -> Result:
        """Train on what the session has now.

        Args:
            session_id: the session.
            image_hash: the image in hand; None takes the one that was opened last.

        Raises:
            ValueError: with a sentence that says what is missing.
        """
        learnt_from = self.training_set(session_id, image_hash)
        learnt = learn(self.live, self.opened, session_id, learnt_from)
        return Result(self.image(session_id, learnt_from.state.image["hash"]), learnt, learnt_from)

    def training_pixels(self, session_id: str, learnt_from: TrainingSet) -> PixelSample:
        """What a session's classifier learnt from, to be taken home with it.

        Raises:
            ValueError: with a sentence, if it is not at hand.
        """
        return training_pixels(self.live, self.opened, session_id, learnt_from)

    def converse(
        self,
        session_id: str,
        *,
        after: int,
        bodies: Sequence[Any],
        window: str,
        wish: Mapping[str, Any] | None,
    ) -> Iterator[Message]:
        """Answer a window of the page: what is new in the journal, then the segmentation if it is wished for.

        Args:
            session_id: the session.
            after: number of the last event that the window knows.
            bodies: events that the window wants written.
            window: an id that the window gave itself; its newer request makes this one stale.
            wish: ``{"image": hash or None, "view": [row0, row1, column0, column1], "known": {tile index: checksum}}``,
                or None.

        Yields:
            Messages with a ``"kind"``: ``journal``; ``labelled``; then ``cannot`` with a reason, or ``status``,
            ``draft`` and ``tile`` messages, ended by ``done`` with the pixels of each class. Without that end the
            window should ask again: it has asked for something newer, or somebody else has written to the journal.
        """
        stale = self._ticket(session_id, window)
        refused = self.record(session_id, bodies)
        news = self.store.events(session_id, after)
        told = [{"number": event.number, "body": event.body} for event in news]
        yield {"kind": "journal", "events": told, "refused": refused}
        if wish is not None:
            grown = self._news(session_id, news[-1].number if news else after)
            with self.busy:
                yield from self._segmentation(session_id, wish, lambda: stale() or grown())

    def _warm_up(self) -> None:
        self.decoder.begin()
        segment_once(self.live, self.sample.image)

    def _segmentation(self, session_id: str, wish: Mapping[str, Any], stale: Callable[[], bool]) -> Iterator[Message]:
        started = time.perf_counter()
        while not self.warming.wait(SIGN_OF_LIFE_SECONDS):
            if stale():
                return
            yield {"kind": "status", "text": "The server is getting ready for its first segmentation"}
        try:
            learnt_from = self.training_set(session_id, wish["image"])
        except ValueError:  # another window has removed the image, as the journal says: this one asks for another
            return
        state = learnt_from.state
        yield {"kind": "labelled", "pixels": {str(c): int(learnt_from.pixels_in_hand[c]) for c in state.classes}}
        image = self.image(session_id, state.image["hash"])
        order = TileGrid(image.shape).order(tuple(wish["view"]))
        if not missing_strokes(state, learnt_from.pixels_by_class):
            yield {"kind": "status", "text": "Learning from the strokes"}
        try:
            with self.turns.of(session_id, ahead=True):
                if stale():
                    return
                learnt = learn(self.live, self.opened, session_id, learnt_from)
        except ValueError as reason:
            yield {"kind": "cannot", "reason": str(reason)}
            self.live.prepare(image, state.features, order, stale=stale, turn=partial(self.turns.of, session_id))
            return
        except UnknownClassifierError:
            yield {"kind": "cannot", "reason": "The file of the classifier that was opened is gone: open it again."}
            return
        if learnt.text:
            yield {"kind": "learnt", "text": learnt.text, "as_it_came": learnt.as_it_came}
        classifier = learnt.classifier
        del learnt_from  # labels that nobody holds need not be copied for the next stroke
        pixels = yield from self.segmentations.of(session_id, image, classifier, order, wish["known"], stale)
        if not stale():
            yield {
                "kind": "done",
                "pixels": {str(c): int(pixels[c]) for c in state.classes},
                "seconds": round(time.perf_counter() - started, 3),
            }

    def _ticket(self, session_id: str, window: str) -> Callable[[], bool]:
        """A question that says True once the window has asked for something newer."""
        tickets, ticket = self._at_hand(session_id).tickets, object()
        tickets.put(window, ticket)
        return lambda: tickets.get(window) is not ticket or self.closing.is_set()

    def _news(self, session_id: str, number: int) -> Callable[[], bool]:
        """A question that says True once the journal has more than ``number`` events; looked up once a second."""
        grown, looked = False, time.monotonic()

        def ask() -> bool:
            nonlocal grown, looked
            if not grown and time.monotonic() - looked >= NEWS_SECONDS:
                grown = bool(self.store.events(session_id, number))
                looked = time.monotonic()
            return grown

        return ask

    def _at_hand(self, session_id: str) -> SessionAtHand:
        with self._lock:
            at_hand = self._sessions.setdefault(session_id, SessionAtHand())
            self._sessions.move_to_end(session_id)
            while len(self._sessions) > MAX_SESSIONS_AT_HAND:
                self._sessions.popitem(last=False)
            return at_hand

    def _catch_up(self, session_id: str, at_hand: SessionAtHand) -> None:
        new = self.store.events(session_id, after=len(at_hand.events))
        if new or at_hand.state is None:
            at_hand.events += [event.body for event in new]
            at_hand.state = fold(at_hand.events, number=len(at_hand.events), parsed=at_hand.parsed)


def describe_image(image: Image, name: str) -> Message:
    """The facts of an image that the page shows and an ``image.open`` event names."""
    return {
        "hash": image.hash,
        "name": name,
        "rows": image.shape[0],
        "columns": image.shape[1],
        "channels": image.channels,
        "dtype": str(image.pixels.dtype),
    }
