"""The classifier of a series, and what it says of one image."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation._shared.tiling import Window, whole_window
from segmentation.assessment.counting import RecountedObjects
from segmentation.assessment.trust import Trust, TrustSample
from segmentation.io.image import Image
from segmentation.io.shares import class_shares
from segmentation.model.classifier import PixelClassifier, load_classifier
from segmentation.model.prediction import OnPiece
from segmentation.model.values import classes_note
from segmentation.model.weights import ClassWeights, checked_weights
from segmentation.objects.correcting import apply_corrections, correction_note
from segmentation.objects.steps import Steps
from segmentation.strokes.classes import LabelClass


class Segmented(NamedTuple):
    """What is found in a whole image.

    Attributes:
        class_ids: ``(rows, columns)`` uint8.
        probabilities: ``(classes, rows, columns)`` float32, if they are asked for.
        trust: how far that can be trusted.
        recounted: the segmentations in which objects are counted again, if that is asked for.
        note: a sentence on how much of it was corrected; empty if nothing was.
    """

    class_ids: NDArray[np.uint8]
    probabilities: NDArray[np.float32] | None
    trust: Trust
    recounted: RecountedObjects | None = None
    note: str = ""

    def corrected(self, painted: NDArray[np.uint8] | None) -> Segmented:
        """The same with what was painted into it, ``(rows, columns)`` uint8, 0 for nothing; None for nothing at all."""
        if painted is None:
            return self
        ids = apply_corrections(self.class_ids, painted)
        return self._replace(class_ids=ids, note=correction_note(painted, ids))


@dataclass(frozen=True, eq=False)
class Model:
    """A classifier that is applied, beside its file.

    Attributes:
        classifier: the classifier.
        data: the bytes of its file.
        threads: number of threads; None takes all cores. No result depends on it.
    """

    classifier: PixelClassifier
    data: bytes
    threads: int | None = None

    @classmethod
    def from_file(cls, data: bytes, threads: int | None = None, engine: str = "compiled") -> Model:
        """The classifier in a file of these bytes.

        Raises:
            ModelFileError: if it is no classifier file.
        """
        return cls(load_classifier(data, engine=engine), data, threads)

    @classmethod
    def from_classifier(cls, classifier: PixelClassifier, threads: int | None = None) -> Model:
        """The classifier, beside the file that saving it gives.

        Raises:
            NotFittedError: if the classifier has not been trained yet.
        """
        file = BytesIO()
        classifier.save(file)
        return cls(classifier, file.getvalue(), threads)

    def weighed(self, class_weights: ClassWeights) -> Model:
        """The same with other weights of some classes.

        Raises:
            ValueError: if a weight is out of bounds, or there is no such class.
        """
        together = {**checked_weights(self.classifier.class_weights), **class_weights}
        return Model.from_classifier(self.classifier.weighed(together), self.threads)

    def with_clean_up(self, steps: Steps) -> Model:
        """The same with another clean-up.

        Raises:
            ValueError: if a step is not possible.
        """
        return Model.from_classifier(self.classifier.with_clean_up(steps), self.threads)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def names(self) -> dict[int, str]:
        """The names of the classes by their ids."""
        return {one.id: one.name for one in self.classifier.label_classes_}

    @property
    def colours(self) -> dict[int, str]:
        """The colours of the classes by their ids."""
        return {one.id: one.colour for one in self.classifier.label_classes_}

    @property
    def planes(self) -> list[LabelClass]:
        """The classes that have a plane of probabilities, in the order of the planes."""
        classes = {one.id: one for one in self.classifier.label_classes_}
        return [classes[int(class_id)] for class_id in self.classifier.classes_]

    def segment(
        self,
        image: Image,
        window: Window,
        with_probabilities: bool,
        on_piece: OnPiece = lambda piece, planes: None,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        """The class ids in a window of an image, before the clean-up, and, if asked for, the probabilities.

        Args:
            image: the image.
            window: which part of it.
            with_probabilities: whether they are asked for.
            on_piece: as of :meth:`PixelClassifier.predict_window`.

        Returns:
            ``(window rows, window columns)`` uint8, and ``(classes, window rows, window columns)`` float32 or None.

        Raises:
            ValueError: if the image has other channels than the training images.
        """
        checked, classifier = self.classifier.check(image), self.classifier
        if not with_probabilities:
            return classifier.predict_window(checked, window, on_piece=on_piece, threads=self.threads), None
        probabilities = classifier.predict_proba_window(checked, window, on_piece=on_piece, threads=self.threads)
        if classifier.weights is not None:  # float32 does not tell apart all that exact products do
            return classifier.predict_window(checked, window, threads=self.threads), probabilities
        ids = image.clear(classifier.classes_[probabilities.argmax(axis=0)], window.rows, window.columns)
        return ids, probabilities

    def segment_whole(self, image: Image, with_probabilities: bool, with_objects: bool = False) -> Segmented:
        """As :meth:`segment`, of a whole image, which is adapted to what was learnt from, and cleaned up.

        Args:
            image: the image.
            with_probabilities: whether they are asked for.
            with_objects: whether objects are to be counted, so that it is told how sure their number is.
        """
        adapted, sample = self.classifier.adapt(image), TrustSample(image)
        recounted = RecountedObjects(self.classifier, adapted) if with_objects else None
        on_piece = sample.add if recounted is None else both(sample.add, recounted.add)
        segmentation, probabilities = self.segment(adapted, whole_window(image.shape), with_probabilities, on_piece)
        trust = sample.trust(self.classifier)
        return Segmented(self.classifier.cleaned(segmentation), probabilities, trust, recounted)

    def notes(self, pixels: Mapping[str, int], values: Image | Sequence[str]) -> tuple[str, ...]:
        """Sentences on why a result may not be what was meant.

        Args:
            pixels: number of pixels of each class, as :meth:`count` gives them.
            values: the whole image, or the sentences on its values.
        """
        notes = self.classifier.value_notes(values) if isinstance(values, Image) else list(values)
        classes = classes_note(pixels, self.names, len(self.classifier.classes_))
        return tuple(notes + ([classes] if classes else []))

    def count(self, segmentation: NDArray[np.uint8]) -> dict[str, int]:
        """Number of pixels of each class, by class id as text."""
        return {str(entry.id): entry.pixels for entry in class_shares(segmentation, self.names)}


def both(first: OnPiece, second: OnPiece) -> OnPiece:
    """What calls two functions with each piece."""

    def on_piece(piece: Window, planes: NDArray[np.float32]) -> None:
        first(piece, planes)
        second(piece, planes)

    return on_piece


def open_model(classifier: PixelClassifier | str | os.PathLike[str], threads: int, engine: str = "compiled") -> Model:
    """The classifier beside its file, of which one is given.

    Raises:
        ModelFileError: if it is no classifier file.
        OSError: if there is no such file.
    """
    if isinstance(classifier, PixelClassifier):
        return Model.from_classifier(classifier, threads)
    return Model.from_file(Path(classifier).read_bytes(), threads, engine)
