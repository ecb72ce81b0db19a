"""What the events of a session add up to: its state; :mod:`segmentation.web.session.journal_fold` adds them up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.pixel_size import PixelSize
from segmentation.objects.steps import CleanUpStep
from segmentation.strokes.classes import REGION, LabelClass
from segmentation.strokes.stroke import Stroke


@dataclass(frozen=True)
class OpenedClassifier:
    """What the journal says of a classifier that was opened from a file.

    Attributes:
        facts: its ``hash`` and ``name`` as a file, ``channels`` (None: any), ``trees``, ``class_ids``, ``images`` that
            it was trained on, and the number of ``strokes`` and of ``pixels`` that travelled along.
        features: which features it sees.
        forest: how it was grown.
        strokes: those that travelled along, by the hash of their image.
    """

    facts: Mapping[str, Any]
    features: FeatureSpec
    forest: ForestSettings
    strokes: Mapping[str, tuple[Stroke, ...]]


@dataclass(frozen=True)
class SessionState:
    """What the events of a session add up to.

    Attributes:
        name: of the session; empty until it is given one.
        image: facts of the current image: hash, name, rows, columns, channels, dtype.
        images: facts of all images by their hash, in the order in which they came; ``names`` where files of
            several names had the same pixels. Of a plane also its ``stack`` and the ``page`` that it is there, from 1.
        stacks: ``name``, ``planes`` (hashes, page by page) and ``axes`` (the fastest first, each with its length) of
            each stack, by what it is known by.
        measured: the pixel sizes that were typed, as plain JSON values, by the hash of their image.
        classes: the classes by id, ascending.
        order: their ids as people have put them in their list; nothing else depends on it.
        hidden: ids of the classes that are not shown.
        weights: what the probability of a class is multiplied with, by class id, where that is not 1.
        clean_up: steps that are done to segmentations, in their order.
        drawn: the strokes on each image that has any, by its hash, in the order of ``images`` and of drawing, those
            of removed classes left out.
        corrections: what people have painted into the result of each image, in the same way; class 0 takes corrections
            away again.
        learns_corrections: whether corrections are learnt from too.
        features: which features are computed.
        forest: how the forest is grown.
        opened: the classifier that was opened last, None if there is none.
        keeps: whether that one, if it cannot learn on, stays in use whatever is drawn.
    """

    name: str
    image: Mapping[str, Any]
    images: Mapping[str, Mapping[str, Any]]
    stacks: Mapping[str, Mapping[str, Any]]
    measured: Mapping[str, Mapping[str, Any]]
    classes: Mapping[int, LabelClass]
    order: tuple[int, ...]
    hidden: frozenset[int]
    weights: Mapping[int, float]
    clean_up: tuple[CleanUpStep, ...]
    drawn: Mapping[str, tuple[Stroke, ...]]
    corrections: Mapping[str, tuple[Stroke, ...]]
    learns_corrections: bool
    features: FeatureSpec
    forest: ForestSettings
    opened: OpenedClassifier | None
    keeps: bool

    @property
    def strokes(self) -> tuple[Stroke, ...]:
        """The strokes on the current image."""
        return self.drawn.get(self.image["hash"], ())

    @property
    def outlines(self) -> tuple[Stroke, ...]:
        """Of the parts of the current image that are worked on; without any it is the whole."""
        return tuple(stroke for stroke in self.strokes if stroke.class_id == REGION)

    @property
    def pixel_size(self) -> PixelSize | None:
        """That of the current image, if somebody typed one."""
        typed = self.measured.get(self.image["hash"])
        return None if typed is None else PixelSize.from_json(typed)

    def with_image(self, image_hash: str | None) -> SessionState:
        """The same state with another current image; None leaves the one that was opened last.

        Raises:
            ValueError: with a sentence, if the session has no such image.
        """
        if image_hash is None:
            return self
        if image_hash not in self.images:
            raise ValueError("That image is not in the session any more: choose another one.")
        return replace(self, image=self.images[image_hash])
