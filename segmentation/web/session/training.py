"""Which classifier a session works with: its own, one that was opened from a file, or what the two make together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.text import counted
from segmentation.forest.sampling import PixelSample
from segmentation.live.segmenter import LabelledImage, LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.classifiers import OpenedFile, OpenedFiles
from segmentation.web.session.events import Opened, SessionState


@dataclass(frozen=True, eq=False)
class TrainingSet:
    """What a session's classifier learns from.

    Attributes:
        state: the session's state, the image in hand being the one that was asked for.
        images: the images that count, in the session's order, with their labels.
        pixels_by_class: ``(256,)`` int64, labelled pixels of all of them by class id.
        pixels_in_hand: the same of the image in hand alone, of all that is drawn on it.
    """

    state: SessionState
    images: tuple[LabelledImage, ...]
    pixels_by_class: NDArray[np.int64]
    pixels_in_hand: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Learnt:
    """The classifier that a session works with.

    Attributes:
        classifier: it.
        text: a sentence on how an opened classifier takes part, empty if none was opened.
        as_it_came: whether it is the opened one, unchanged.
    """

    classifier: PixelClassifier
    text: str = ""
    as_it_came: bool = False


def strokes_to_learn(state: SessionState) -> Mapping[str, tuple[Stroke, ...]]:
    """The strokes that are learnt from, by their image: those whose pixels came with an opened classifier are not."""
    if state.opened is None or _basis(state, state.opened) != "pixels":
        return state.drawn
    known = {image_hash: frozenset(drawn) for image_hash, drawn in state.opened.strokes.items()}
    return {
        image_hash: tuple(stroke for stroke in drawn if stroke not in known.get(image_hash, ()))
        for image_hash, drawn in state.drawn.items()
    }


def is_as_it_came(state: SessionState) -> bool:
    """Whether nothing that matters was done since a classifier was opened."""
    opened = state.opened
    if opened is None or not _fits_classes(state, opened):
        return False
    drawn = {image_hash: strokes for image_hash, strokes in state.drawn.items() if strokes}
    came = {image_hash: strokes for image_hash, strokes in opened.strokes.items() if image_hash in state.images}
    return (drawn, state.features, state.forest) == (came, opened.features, opened.forest)


def learn(live: LiveSegmenter, files: OpenedFiles, session_id: str, learnt_from: TrainingSet) -> Learnt:
    """The classifier of a session for the image in hand.

    Raises:
        UnknownClassifierError: if the file of the opened classifier is gone.
        ValueError: with a sentence that says what is missing, or what does not fit.
    """
    state = learnt_from.state
    opened = state.opened
    missing = missing_strokes(state, learnt_from.pixels_by_class)
    if opened is None:
        if missing:
            raise ValueError(missing)
        return Learnt(live.train(learnt_from.images, state.features, state.forest))
    file = files.get(session_id, opened.facts["hash"])
    if is_as_it_came(state):
        _require_channels(state, file)
        return Learnt(file.classifier, f"It is at work as it came. {_what_is_next(state, opened)}", as_it_came=True)
    if _basis(state, opened) == "pixels":
        earlier = _held(files, file, state)
        classifier = live.train(learnt_from.images, state.features, state.forest, earlier)
        count = f"{opened.facts['pixels']:,}"
        return Learnt(classifier, f"Its {count} training pixels and your strokes are learnt together.")
    if not missing:
        return Learnt(live.train(learnt_from.images, state.features, state.forest), _what_is_learnt(state, opened))
    if not _fits_classes(state, opened):
        raise ValueError(missing)
    _require_channels(state, file)
    return Learnt(file.classifier, f"It is at work as it came. {_what_is_next(state, opened)}", as_it_came=True)


def training_pixels(live: LiveSegmenter, files: OpenedFiles, session_id: str, learnt_from: TrainingSet) -> PixelSample:
    """The training pixels of the classifier that :func:`learn` gives.

    Raises:
        ValueError: with a sentence, if they are not at hand.
    """
    state = learnt_from.state
    learnt = learn(live, files, session_id, learnt_from)
    if learnt.as_it_came:
        if learnt.classifier.pixels_ is None:
            raise ValueError("The classifier came without its training pixels: they cannot travel along.")
        return learnt.classifier.pixels_
    earlier = None
    if state.opened is not None and _basis(state, state.opened) == "pixels":
        earlier = _held(files, files.get(session_id, state.opened.facts["hash"]), state)
    return live.training_pixels(learnt_from.images, state.features, state.forest, earlier)


def strokes_to_take(state: SessionState, learnt: Learnt) -> dict[str, tuple[Stroke, ...]]:
    """The strokes that a classifier was taught by, as far as they are known, by their image.

    Raises:
        ValueError: with a sentence, if they are not known.
    """
    came: Mapping[str, tuple[Stroke, ...]] = {}
    if state.opened is not None and (learnt.as_it_came or _basis(state, state.opened) == "pixels"):
        came = state.opened.strokes
    if learnt.as_it_came and not came:
        raise ValueError("The classifier came without its strokes: they cannot travel along.")
    images = [image["hash"] for image in learnt.classifier.training_.get("images", ())]
    drawn = {**came} if learnt.as_it_came else {**came, **state.drawn}
    return {
        image_hash: tuple(stroke for stroke in drawn[image_hash] if stroke.class_id in state.classes)
        for image_hash in dict.fromkeys(images)
        if image_hash in drawn
    }


def missing_strokes(state: SessionState, pixels_by_class: NDArray[np.int64]) -> str:
    """Why nothing can be learnt yet, as a sentence for the person; empty if something can."""
    if len(state.classes) < 2:
        return "One class alone cannot be told apart from anything: add a second class."
    labelled = [c for c in state.classes if pixels_by_class[c]]
    if not labelled:
        return "Draw a squiggle in each of two classes, and the whole image is segmented."
    if len(labelled) == 1:
        others = [f"“{label_class.name}”" for c, label_class in state.classes.items() if c not in labelled]
        return f"So far only “{state.classes[labelled[0]].name}” has strokes: now draw one for {' or '.join(others)}."
    return ""


def _basis(state: SessionState, opened: Opened) -> str:
    """What training goes on from once something is drawn: ``"strokes"``, ``"pixels"`` or ``"nothing"``."""
    if opened.strokes and all(image_hash in state.images for image_hash in opened.strokes):
        return "strokes"
    if opened.facts["pixels"]:
        return "pixels"
    return "strokes" if opened.strokes else "nothing"


def _held(files: OpenedFiles, file: OpenedFile, state: SessionState) -> PixelClassifier:
    if state.features != file.contents.spec:
        raise ValueError(
            f"“{file.name}” came with training pixels that hold its own features only: go back to these features, or "
            "let go of the classifier."
        )
    _require_channels(state, file)
    return files.going_on(file, state.classes)


def _require_channels(state: SessionState, file: OpenedFile) -> None:
    wanted, found = file.contents.channels, state.image["channels"]
    if wanted is not None and wanted != found:
        raise ValueError(
            f"“{file.name}” was trained on images with {counted(wanted, 'channel')}, "
            f"but this one has {counted(found, 'channel')}: open another image, or let go of the classifier."
        )


def _fits_classes(state: SessionState, opened: Opened) -> bool:
    return state.classes.keys() >= set(opened.facts["class_ids"])


def _what_is_next(state: SessionState, opened: Opened) -> str:
    basis = _basis(state, opened)
    if basis == "pixels":
        return f"What you draw is learnt together with its {opened.facts['pixels']:,} training pixels."
    if basis == "strokes":
        return f"What you draw is learnt together with its strokes.{_missing_images(state, opened)}"
    return (
        "It came without strokes and training pixels: it cannot learn on, and once two classes have strokes of yours, "
        "these replace it."
    )


def _what_is_learnt(state: SessionState, opened: Opened) -> str:
    if _basis(state, opened) == "strokes":
        return f"Its strokes and yours are learnt together.{_missing_images(state, opened)}"
    return "Your strokes have replaced it, since it came without strokes and training pixels."


def _missing_images(state: SessionState, opened: Opened) -> str:
    sizes = {image["hash"]: f"{image['columns']} × {image['rows']}" for image in opened.facts["images"]}
    missing = [one for one in opened.strokes if one not in state.images]
    if not missing:
        return ""
    told = _listed([f"{sizes.get(one, 'unknown size')} pixels, {one[:8]}…" for one in missing])
    images = "an image that is" if len(missing) == 1 else f"{len(missing)} images that are"
    return f" Some were drawn on {images} not in this session ({told}): open it, and they count too."


def _listed(texts: Sequence[str], most: int = 3) -> str:
    return "; ".join(texts[:most]) + (f"; {len(texts) - most} more" if len(texts) > most else "")
