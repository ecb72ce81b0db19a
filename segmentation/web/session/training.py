"""Training a session's classifier: on its own strokes, and on what came with one that was opened from a file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.text import counted
from segmentation._shared.tiled_labels import TiledLabels
from segmentation.assessment.strokes import DrawnImage
from segmentation.forest.sampling import PixelSample
from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.channels import learnt_channels, matched
from segmentation.model.classifier import PixelClassifier
from segmentation.model.fit import Labelled, Training
from segmentation.model.labelled import LabelledImage, LabelledPyramid
from segmentation.model.weights import checked_weights
from segmentation.strokes.classes import REGION, UNLABELLED
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.alike import images_alike, serves
from segmentation.web.session.classifiers import ClassifierFile, ClassifierFiles
from segmentation.web.session.continued_training import (
    continues_from_pixels,
    has_its_classes,
    is_kept,
    is_unchanged,
    learns_on,
    training_strokes,
    what_comes_next,
    what_is_trained_on,
)
from segmentation.web.session.depth import can_be_seen, seen_image
from segmentation.web.session.images import Images
from segmentation.web.session.journals import Journals
from segmentation.web.session.labels import Labels
from segmentation.web.session.large_images import is_large
from segmentation.web.session.stacks import page_in_file
from segmentation.web.session.state import OpenedClassifier, SessionState


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What a session's classifier is trained on.

    Attributes:
        state: the session's state, the current image being the one that was asked for.
        images: the images that count, in the session's order, with their labels.
        pixels_by_class: ``(256,)`` int64, labelled pixels of all of them by class id.
        pixels_of_current_image: the same of the current image alone, of all that is drawn on it.
        region: ``(rows, columns)`` bool, where the current image is worked on; None: everywhere.
        corrections: ``(rows, columns)`` uint8, what was painted into the result of the current image; None for nothing.
        strokes_outside: how many strokes on the current image lie outside of where it is worked on, all of each.
        corrected_pixels: of each image of the session that is corrected, by its hash.
    """

    state: SessionState
    images: tuple[Labelled, ...]
    pixels_by_class: NDArray[np.int64]
    pixels_of_current_image: NDArray[np.int64]
    region: NDArray[np.bool_] | None = None
    corrections: NDArray[np.uint8] | None = None
    strokes_outside: int = 0
    corrected_pixels: Mapping[str, int] = field(default_factory=dict)

    @property
    def whole_images(self) -> tuple[LabelledImage, ...]:
        """Those of the images that are in memory whole."""
        return tuple(one for one in self.images if isinstance(one, LabelledImage))


@dataclass(frozen=True, eq=False)
class TrainedClassifier:
    """The classifier that a session works with.

    Attributes:
        classifier: it.
        images: hashes of the images of the session that it learnt from.
        text: a sentence on how an opened classifier takes part, empty if none was opened.
        unchanged: whether it is the opened one, as it came.
        choice: what can be chosen where an opened classifier cannot learn on: ``"anew"``, to let strokes replace it, or
            ``"keep"``, to use it whatever is drawn; empty if there is no such choice.
        left_out: a sentence for each image with damaged parts in which something is drawn: these are not learnt from.
    """

    classifier: PixelClassifier
    images: tuple[str, ...] = ()
    text: str = ""
    unchanged: bool = False
    choice: str = ""
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Learning:
    """What a session has learnt; of an image of any size.

    Attributes:
        trained: the classifier.
        training_set: what it was trained on.
    """

    trained: TrainedClassifier
    training_set: TrainingSet

    @property
    def state(self) -> SessionState:
        """The session's state that it belongs to."""
        return self.training_set.state

    @property
    def classifier(self) -> PixelClassifier:
        """The classifier, with the clean-up of the session."""
        return self.trained.classifier.with_clean_up(self.state.clean_up)


@dataclass(frozen=True, kw_only=True)
class Result(Learning):
    """A session's current image and the classifier for it.

    Attributes:
        image: the current image.
    """

    image: Image


class Trainer:
    """Trains the classifiers of all sessions.

    Args:
        live: trains, and keeps what further strokes do not change.
        journals: say what was done in a session.
        labels: of its images.
        images: of the sessions.
        classifiers: the files that were opened in sessions.
    """

    def __init__(
        self, live: LiveSegmenter, journals: Journals, labels: Labels, images: Images, classifiers: ClassifierFiles
    ) -> None:
        self._live = live
        self._journals = journals
        self._labels = labels
        self._images = images
        self._classifiers = classifiers

    def training_set(self, session_id: str, image_hash: str | None = None) -> TrainingSet:
        """What a session's classifier is trained on: the strokes on all images with the channels of the current one.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        with self._journals.locked(session_id) as state:
            state = state.with_image(image_hash)
            current, strokes = state.image, training_strokes(state)
            painted = state.corrections if state.learns_corrections else ()
            learnt = {}
            for one, facts in state.images.items():
                if (one in strokes or one in painted) and (serves(facts, current) or serves(current, facts)):
                    labels, of_classes = self._labels.learnt(session_id, state, one, strokes)
                    learnt[one] = labels, of_classes.copy()
            drawn = self._labels.raster(session_id, state, current["hash"], state.drawn)
            corrections = self._labels.corrections(session_id, state, current["hash"])
            counts, outside = drawn.pixels_by_class.copy(), drawn.strokes_outside
            corrected, region = self._labels.corrected_pixels(session_id, state), drawn.region
        images, pixels = self._labelled(session_id, state, learnt)
        return TrainingSet(state, images, pixels, counts, region, corrections, outside, corrected)

    def _labelled(
        self,
        session_id: str,
        state: SessionState,
        learnt: Mapping[str, tuple[NDArray[np.uint8] | TiledLabels, NDArray[np.int64]]],
    ) -> tuple[tuple[Labelled, ...], NDArray[np.int64]]:
        """The images that are learnt from, and their pixels by class; what is read for that keeps no lock."""
        drawn = (one for one, (_, counts) in learnt.items() if counts.any())
        labelled = [state.images[one] for one in drawn if can_be_seen(state, one, state.features)]
        images, pixels = list[Labelled](), np.zeros(256, np.int64)
        named = [one["hash"] for one in state.opened.facts["images"]] if state.opened is not None else []
        for facts in images_alike(state.image, labelled):
            one = facts["hash"]
            labels, counts = learnt[one]
            pixels += counts
            if isinstance(labels, TiledLabels):
                pyramid = self._images.large.pyramid(session_id, one)
                images.append(LabelledPyramid(pyramid, labels, pyramid.origin if pyramid.origin in named else ""))
                continue
            read = partial(seen_image, self._images, session_id, state, one, state.features)
            known_as = self._images.pixel_hash(session_id, one) if page_in_file(facts) else ""
            images.append(LabelledImage(one, labels, read, known_as))
        return tuple(images), pixels

    def train(self, session_id: str, training_set: TrainingSet) -> TrainedClassifier:
        """The classifier of a session for its current image, with the weights of its classes.

        Raises:
            UnknownClassifierError: if the file of the opened classifier is gone.
            ValueError: with a sentence that says what is missing, or what does not fit.
        """
        trained = self._train(session_id, training_set)
        known = set(trained.classifier.classes_.tolist())
        weights = {one: weight for one, weight in training_set.state.weights.items() if one in known}
        return replace(trained, classifier=self._live.weighed(trained.classifier, weights))

    def _train(self, session_id: str, training_set: TrainingSet) -> TrainedClassifier:
        state, opened = training_set.state, training_set.state.opened
        missing = missing_strokes(state, training_set.pixels_by_class)
        text = ""
        if opened is not None:
            file = self._classifiers.get(session_id, opened.facts["hash"])
            from_pixels = continues_from_pixels(state)
            waits = missing and not from_pixels and has_its_classes(state, opened)
            if is_unchanged(state) or is_kept(state) or waits:
                self._require_channels(session_id, state, file)
                return _unchanged(state, opened, file)
            missing = "" if from_pixels else missing
            text = what_is_trained_on(state, opened)
        if missing:
            raise ValueError(missing)
        earlier = self._earlier(session_id, state)
        try:
            classifier = self._live.train(training_set.images, state.features, state.forest, earlier)
        except ImageError:
            raise
        except ValueError as reason:
            if left_out := _left_out(training_set):
                raise ValueError(" ".join([*left_out, str(reason)])) from reason
            raise
        images = tuple(one.hash for one in training_set.images)
        return TrainedClassifier(classifier, images, text, choice=_choice(state), left_out=_left_out(training_set))

    def learning(self, session_id: str, image_hash: str | None = None) -> Learning:
        """Train on what the session has now.

        Args:
            session_id: the session.
            image_hash: the current image; None stands for the one that was opened last.

        Raises:
            UnknownClassifierError: if the file of the opened classifier is gone.
            ValueError: with a sentence that says what is missing.
        """
        training_set = self.training_set(session_id, image_hash)
        return Learning(trained=self.train(session_id, training_set), training_set=training_set)

    def result(self, session_id: str, image_hash: str | None = None) -> Result:
        """As :meth:`learning`, with the current image, whole.

        Raises:
            UnknownClassifierError: if the file of the opened classifier is gone.
            ValueError: with a sentence that says what is missing, or that the image is too large to be read whole.
        """
        learning = self.learning(session_id, image_hash)
        state, region = learning.state, learning.training_set.region
        spec = learning.trained.classifier.spec
        image = seen_image(self._images, session_id, state, state.image["hash"], spec).with_pixel_size(state.pixel_size)
        return Result(image=image.within(region), trained=learning.trained, training_set=learning.training_set)

    def training_pixels(self, session_id: str, result: Learning) -> PixelSample:
        """The pixels that a session's classifier was trained on.

        Raises:
            UnknownClassifierError: if the file of the opened classifier is gone.
            ValueError: with a sentence, if they are not known.
        """
        state, trained = result.state, result.trained
        if trained.unchanged:
            if trained.classifier.pixels_ is None:
                raise ValueError("The classifier came without its training pixels, which are needed for that.")
            return trained.classifier.pixels_
        earlier = self._earlier(session_id, state)
        return self._live.training_pixels(result.training_set.images, state.features, state.forest, earlier)

    def drawn(self, training_set: TrainingSet) -> tuple[DrawnImage, ...]:
        """The images of a training set with the strokes that gave them their labels."""
        strokes, facts = training_strokes(training_set.state), training_set.state.images
        return tuple(
            DrawnImage(one.hash, (facts[one.hash]["rows"], facts[one.hash]["columns"]), strokes[one.hash], one.read)
            for one in training_set.whole_images
            if one.hash in strokes
        )

    def training(self, session_id: str, state: SessionState) -> Callable[[Sequence[LabelledImage]], Training]:
        """How a session's classifier is trained, with one thread, on whatever is labelled.

        Raises:
            UnknownClassifierError: if the file of the opened classifier is gone.
            ValueError: with a sentence, if it cannot learn on.
        """
        earlier = self._earlier(session_id, state)
        return lambda images: self._live.training(images, state.features, state.forest, earlier, threads=1)

    def _earlier(self, session_id: str, state: SessionState) -> PixelClassifier | None:
        """The opened classifier, if training goes on from its pixels."""
        if state.opened is None or not continues_from_pixels(state):
            return None
        file = self._classifiers.get(session_id, state.opened.facts["hash"])
        if state.features != file.contents.spec.chosen:
            raise ValueError(
                f"“{file.name}” came with training pixels that hold its own features only: go back to these features, "
                "or close the classifier."
            )
        self._require_channels(session_id, state, file)
        return self._classifiers.to_continue(file, state.classes)

    def _require_channels(self, session_id: str, state: SessionState, file: ClassifierFile) -> None:
        wanted, found = file.channels, state.image["channels"]
        if wanted == found and not learnt_channels(file.contents.training):
            return
        try:
            if is_large(state.image):
                matched(self._images.large.pyramid(session_id, state.image["hash"]), file.classifier)
            else:
                matched(self._images.get(session_id, state.image["hash"]), file.classifier)
        except PassingError:
            raise
        except ValueError as reason:
            if wanted in (None, found):
                raise ValueError(f"{reason} Open another image, or close “{file.name}”.") from reason
            raise ValueError(
                f"“{file.name}” was trained on images with {counted(wanted, 'channel')}, "
                f"but this one has {counted(found, 'channel')}: open another image, or close the classifier."
            ) from reason


def missing_strokes(state: SessionState, pixels_by_class: NDArray[np.int64]) -> str:
    """Why nothing can be trained yet, as a sentence for the person; empty if something can."""
    if len(state.classes) < 2:
        return "One class alone cannot be told apart from anything: add a second class."
    labelled = [c for c in state.classes if pixels_by_class[c]]
    if not labelled:
        return "Draw a squiggle in each of two classes."
    if len(labelled) == 1:
        others = [f"“{label_class.name}”" for c, label_class in state.classes.items() if c not in labelled]
        return f"So far only “{state.classes[labelled[0]].name}” has strokes: now draw one for {' or '.join(others)}."
    return ""


def known_strokes(result: Learning) -> dict[str, tuple[Stroke, ...]]:
    """The strokes that a classifier was trained on, as far as they are known, by the hash of their image's pixels.

    Raises:
        ValueError: with a sentence, if they are not known.
    """
    state, trained = result.state, result.trained
    came: Mapping[str, tuple[Stroke, ...]] = {}
    if state.opened is not None and (trained.unchanged or continues_from_pixels(state)):
        came = state.opened.strokes
    if trained.unchanged and not came:
        raise ValueError("The classifier came without its strokes: they cannot travel along.")
    images = [image["hash"] for image in trained.classifier.training_.get("images", ())]
    by_content = {one.hash: one.known_as for one in result.training_set.images if one.known_as}
    known = {**came} if trained.unchanged else {**came, **state.drawn}
    drawn = {by_content.get(image_hash, image_hash): strokes for image_hash, strokes in known.items()}
    return {
        image_hash: tuple(
            stroke for stroke in drawn[image_hash] if stroke.class_id in {UNLABELLED, REGION, *state.classes}
        )
        for image_hash in dict.fromkeys(images)
        if image_hash in drawn
    }


def _unchanged(state: SessionState, opened: OpenedClassifier, file: ClassifierFile) -> TrainedClassifier:
    others = ["the weights of its classes"] if state.weights != checked_weights(file.classifier.class_weights) else []
    others += ["its clean-up"] if state.clean_up != file.classifier.clean_up else []
    but = f", but for {' and '.join(others)}" if others else ""
    text = f"It is at work as it came{but}. {what_comes_next(state, opened)}"
    return TrainedClassifier(file.classifier, text=text, unchanged=True, choice=_choice(state))


def _left_out(training_set: TrainingSet) -> tuple[str, ...]:
    """A sentence for each image with damaged parts in which something is drawn."""
    state, told = training_set.state, []
    for one in training_set.images:
        problems = one.problems(state.features.halo) if isinstance(one, LabelledPyramid) else {}
        if problems:
            reason, parts = next(iter(problems.values())), counted(len(problems), "part")
            name = state.images[one.hash]["name"]
            told.append(f"What is drawn in {parts} of “{name}” is not learnt from. {reason}")
    return tuple(told)


def _choice(state: SessionState) -> str:
    opened = state.opened
    if opened is None or learns_on(state, opened) or not has_its_classes(state, opened):
        return ""
    return "anew" if state.keeps else "keep"
