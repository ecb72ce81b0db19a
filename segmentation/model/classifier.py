"""Learning classes from labelled pixels, and segmenting images with what was learnt.

What is learnt is a function of the images, their labels, the feature spec and the forest's settings alone, so
that the page, the command line and a script reach the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.text import counted
from segmentation._shared.tiling import Tile, whole_of
from segmentation.features.pieces import PIECE, SMOOTHED_PIECE, feature_rows, for_each_piece
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.forest import Forest
from segmentation.forest.growing import grow_forest
from segmentation.forest.sampling import PixelSample, TrainingSample, check_classes, count_classes
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image
from segmentation.model.facts import as_image, by_text, checked_class_ids, checked_labels, describe, numbered_classes
from segmentation.model.modelfile import ModelContents, load_model, save_model
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.stroke import Stroke

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier


class NotFittedError(ValueError):
    """The classifier was asked before it was taught."""


class PixelClassifier:
    """A feature spec and a forest: scikit-learn's manners, on images instead of rows.

    Args:
        spec: which features the forest sees.
        kind, n_estimators, max_depth, max_samples, random_state: see :class:`ForestSettings`.
        threads: number of threads; None takes all cores. No result depends on it.

    Attributes:
        forest_: the fitted forest.
        classes_: ``(classes,)`` uint8, the class ids, ascending.
        label_classes_: their names and colours.
        channels_: number of channels of the images that it was fitted to, None if it was fitted to rows.
        training_: facts about what it was fitted to, as plain JSON values.
        pixels_: the pixels that it learnt from, None if they are not at hand.

    Raises:
        ValueError: if a setting is out of bounds.
    """

    forest_: Forest
    classes_: NDArray[np.uint8]
    label_classes_: tuple[LabelClass, ...]
    channels_: int | None
    training_: dict[str, Any]
    pixels_: PixelSample | None = None

    def __init__(
        self,
        spec: FeatureSpec = FeatureSpec(),
        *,
        kind: str = ForestSettings.kind,
        n_estimators: int = ForestSettings.n_estimators,
        max_depth: int | None = ForestSettings.max_depth,
        max_samples: float = ForestSettings.max_samples,
        random_state: int = ForestSettings.random_state,
        threads: int | None = None,
    ) -> None:
        self.spec = spec
        self.settings = ForestSettings(kind, n_estimators, max_depth, max_samples, random_state)
        self.threads = threads

    def fit(
        self,
        image: Image | ArrayLike | Sequence[Image | ArrayLike],
        labels: ArrayLike | Sequence[NDArray[Any]],
        *,
        earlier: PixelClassifier | None = None,
    ) -> PixelClassifier:
        """Learns from the labelled pixels of an image, or of several.

        Args:
            image: ``(rows, columns)`` or ``(rows, columns, channels)``, integer or float; or a list of images.
            labels: ``(rows, columns)`` class ids up to 255, 0 = unlabelled; or a list, one for each image.
            earlier: a classifier whose training pixels are at hand: they are learnt from too.

        Returns:
            The classifier itself.

        Raises:
            ValueError: if the labels do not fit the images, or fewer than two classes are labelled, or the earlier
                classifier learnt from other features or has no training pixels.
        """
        several: list[Any] = list(image) if isinstance(image, list | tuple) else [image]
        given: list[Any] = list(labels) if isinstance(image, list | tuple) else [labels]  # type: ignore[arg-type]
        images = [as_image(one) for one in several]
        if not (images or earlier) or len(images) != len(given):
            raise ValueError(
                f"Give labels for each image: there are {len(images)} images, and labels for {len(given)}."
            )
        rasters = [checked_labels(raster, one) for raster, one in zip(given, images, strict=True)]
        if len({one.channels for one in images}) > 1:
            raise ValueError("The images must all have the same number of channels.")
        facts = [describe(one) for one in images]
        sample = TrainingSample.draw(rasters, self.settings.random_state, held=self.held_classes(facts, earlier))
        rows = [
            feature_rows(one, self.spec, places, threads=self.threads)
            for one, places in zip(images, sample.places, strict=True)
        ]
        self.pixels_ = self.training_pixels(sample, rows, earlier)
        return self.fit_pixels(facts, self.pixels_, sample.labelled_pixels, earlier)

    def held_classes(self, images: Sequence[Mapping[str, Any]], earlier: PixelClassifier | None) -> tuple[int, ...]:
        """The classes of which an earlier classifier holds training pixels, once it is clear that they can be used.

        Args:
            images: facts of the images that are learnt from beside them, as :func:`describe` gives them.
            earlier: the classifier; None if there is none.

        Raises:
            ValueError: if it holds none, or they have other features or other channels.
        """
        if earlier is None:
            return ()
        if earlier.pixels_ is None:
            raise ValueError("The earlier classifier came without its training pixels.")
        if earlier.spec != self.spec:
            raise ValueError(
                "The training pixels that came with the earlier classifier hold other features: "
                "they can be learnt from with its own only."
            )
        if images and earlier.channels_ is not None and earlier.channels_ != images[0]["channels"]:
            raise ValueError(
                f"The earlier classifier was trained on images with {counted(earlier.channels_, 'channel')}, "
                f"but these have {images[0]['channels']}."
            )
        return tuple(count_classes(earlier.pixels_.class_ids))

    def training_pixels(
        self, sample: TrainingSample, rows: Sequence[NDArray[np.float32]], earlier: PixelClassifier | None = None
    ) -> PixelSample:
        """What is learnt from: the sample's pixels, and those of an earlier classifier.

        Args:
            sample: which pixels.
            rows: ``(pixels, features)`` float32 for each image, in the order of the sample's places.
            earlier: a classifier whose training pixels are at hand.
        """
        held = earlier.pixels_ if earlier is not None else None
        if held is None:
            return PixelSample(np.concatenate(rows), sample.class_ids)
        new = PixelSample(np.concatenate([held.features[:0], *rows]), sample.class_ids)
        return held.joined(new, self.settings.random_state)

    def fit_pixels(
        self,
        images: Sequence[Mapping[str, Any]],
        pixels: PixelSample,
        labelled_pixels: Mapping[int, int],
        earlier: PixelClassifier | None = None,
    ) -> PixelClassifier:
        """Learns from pixels whose features are at hand: the second half of :meth:`fit`.

        Args:
            images: facts of the images that the pixels are of, as :func:`describe` gives them.
            pixels: what :meth:`training_pixels` gave.
            labelled_pixels: number of labelled pixels of each class in these images.
            earlier: the classifier that some of the pixels came with.

        Returns:
            The classifier itself.
        """
        self.fit_rows(pixels.features, pixels.class_ids)
        before = earlier.training_ if earlier is not None else {}
        self.channels_ = images[0]["channels"] if images else earlier.channels_ if earlier is not None else None
        here = {one["hash"] for one in images}
        described = [dict(one) for one in before.get("images", ()) if one["hash"] not in here] + [*map(dict, images)]
        counts = by_text(labelled_pixels)
        for class_id, count in before.get("labelled_pixels", {}).items():
            counts[class_id] = counts.get(class_id, 0) + count
        self.training_ |= {"images": described, "labelled_pixels": counts}
        return self

    def fit_rows(self, rows: ArrayLike, class_ids: ArrayLike) -> PixelClassifier:
        """Learns from feature rows.

        Args:
            rows: ``(pixels, features)`` numbers, in the order of the spec's features.
            class_ids: ``(pixels,)`` whole numbers from 1 to 255.

        Returns:
            The classifier itself.

        Raises:
            ValueError: if there are fewer than two classes, or rows and classes do not fit together.
        """
        features, classes = np.ascontiguousarray(rows, np.float32), checked_class_ids(class_ids)
        if features.ndim != 2 or classes.shape != (len(features),) or not classes.all():
            raise ValueError("Give one row of features and one class from 1 to 255 for each pixel.")
        if not np.isfinite(features).all():
            raise ValueError("The rows of features hold values that are not numbers (NaN or infinite).")
        counts = count_classes(classes)
        check_classes(counts)
        self.forest_ = Forest.from_sklearn(grow_forest(features, classes, self.settings, self.threads))
        self.classes_ = np.array(list(counts), np.uint8)
        self.label_classes_ = numbered_classes(counts)
        self.channels_ = None
        self.training_ = {"training_pixels": by_text(counts)}
        return self

    @property
    def feature_names_(self) -> list[str]:
        """A readable name for each feature that the forest sees."""
        self._check_fitted()
        return self.spec.names(self.channels_ or 1)

    def predict(self, image: Image | ArrayLike) -> NDArray[np.uint8]:
        """The class of each pixel.

        Returns:
            ``(rows, columns)`` uint8 class ids.

        Raises:
            ValueError: if the image has other channels than those that were learnt from.
        """
        checked = self.check(image)
        return self.predict_window(checked, whole_of(checked.shape))

    def predict_proba(self, image: Image | ArrayLike) -> NDArray[np.float32]:
        """The probability of each class at each pixel.

        Returns:
            ``(rows, columns, classes)`` float32, summing to 1 over the classes, which are in the order of ``classes_``.

        Raises:
            ValueError: if the image has other channels than those that were learnt from.
        """
        checked = self.check(image)
        return np.moveaxis(self.predict_proba_window(checked, whole_of(checked.shape)), 0, -1)

    def check(self, image: Image | ArrayLike) -> Image:
        """The image, if this classifier can segment it.

        Raises:
            NotFittedError: if nothing was learnt yet.
            ValueError: if the image has other channels than those that were learnt from.
        """
        self._check_fitted()
        checked = as_image(image)
        if self.channels_ is not None and checked.channels != self.channels_:
            raise ValueError(
                f"The classifier was trained on images with {counted(self.channels_, 'channel')}, "
                f"but this one has {checked.channels}."
            )
        return checked

    def predict_window(
        self,
        image: Image,
        window: Tile,
        smoothed: Smoothed | None = None,
        *,
        look: Callable[[Tile, NDArray[np.float32]], None] | None = None,
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        """The class ids in a window of an image.

        Features are computed piece by piece and not kept, so that memory follows the piece and not the window.

        Args:
            image: one that was checked.
            window: which part of it.
            smoothed: that window smoothed, if it is at hand.
            look: called with each piece of the window and its ``(features, piece rows, piece columns)``, which are
                overwritten after it returns; by several threads at a time.
            threads: number of threads; None takes the classifier's.

        Returns:
            ``(window rows, window columns)`` uint8.
        """
        segmentation = np.empty(window.shape, np.uint8)

        def segment(piece: Tile, planes: NDArray[np.float32]) -> None:
            if look is not None:
                look(piece, planes)
            segmentation[piece.place_in(window)] = self.classes_[self.forest_.predict(planes, threads=1)]

        pieces = window.pieces(*(PIECE if smoothed is None else SMOOTHED_PIECE))
        for_each_piece(image, self.spec, pieces, segment, smoothed=smoothed, threads=threads or self.threads)
        return segmentation

    def predict_proba_window(self, image: Image, window: Tile, smoothed: Smoothed | None = None) -> NDArray[np.float32]:
        """The probabilities in a window, ``(classes, window rows, window columns)`` float32; see ``predict_window``."""
        probabilities = np.empty((len(self.classes_), *window.shape), np.float32)

        def estimate(piece: Tile, planes: NDArray[np.float32]) -> None:
            probabilities[:, *piece.place_in(window)] = self.forest_.predict_proba(planes, threads=1)

        pieces = window.pieces(*(PIECE if smoothed is None else SMOOTHED_PIECE))
        for_each_piece(image, self.spec, pieces, estimate, smoothed=smoothed, threads=self.threads)
        return probabilities

    def contents(
        self,
        classes: Iterable[LabelClass] | None = None,
        *,
        strokes: Mapping[str, Sequence[Stroke]] | None = None,
        pixels: PixelSample | None = None,
    ) -> ModelContents:
        """What a classifier file holds of this classifier.

        Args:
            classes: names and colours; None takes those that it was loaded with, or else numbers them.
            strokes: what was drawn, by the hash of the image that it was drawn on, if it is to travel along.
            pixels: what was learnt from, if that is to travel along: ``pixels_`` after :meth:`fit`.

        Raises:
            NotFittedError: if nothing was learnt yet.
            ValueError: if a class that it knows is not among ``classes``, or strokes were drawn on another image.
        """
        self._check_fitted()
        training = dict(self.training_)
        drawn: tuple[Stroke, ...] | None = None
        if strokes is not None:
            images = [dict(one) for one in training.get("images", ())]
            waiting = {image_hash: tuple(some) for image_hash, some in strokes.items() if some}
            of_each = [waiting.pop(one["hash"], ()) for one in images]
            if waiting:
                raise ValueError("Strokes were drawn on an image that was not learnt from.")
            for one, some in zip(images, of_each, strict=True):
                one["strokes"] = len(some)
            training["images"] = images
            drawn = tuple(stroke for some in of_each for stroke in some)
        return ModelContents(
            spec=self.spec,
            forest=self.forest_,
            settings=self.settings,
            classes=self.label_classes_ if classes is None else tuple(classes),
            class_ids=tuple(int(class_id) for class_id in self.classes_),
            channels=self.channels_,
            training=training,
            strokes=drawn,
            pixels=pixels,
        )

    @classmethod
    def from_contents(cls, contents: ModelContents, *, threads: int | None = None) -> PixelClassifier:
        """The classifier that a file holds."""
        classifier = cls(contents.spec, **contents.settings.to_json(), threads=threads)
        classifier.forest_ = contents.forest
        classifier.classes_ = np.array(contents.class_ids, np.uint8)
        classifier.label_classes_ = contents.classes
        classifier.channels_ = contents.channels
        classifier.training_ = contents.training
        classifier.pixels_ = contents.pixels
        return classifier

    def save(self, target: str | os.PathLike[str] | BinaryIO, classes: Iterable[LabelClass] | None = None) -> None:
        """Writes a classifier file, which :func:`load_classifier` reads and anyone may open.

        Args:
            target: a path, usually ending in ``.squiggle``, or a binary file.
            classes: names and colours; None takes those that it was loaded with, or else numbers them.

        Raises:
            NotFittedError: if nothing was learnt yet.
            OSError: if the file cannot be written.
        """
        save_model(target, self.contents(classes))

    def to_sklearn(self) -> RandomForestClassifier:
        """The forest as one of scikit-learn's, which predicts the same from rows of features.

        Its ``classes_`` are the class ids. Extremely randomised trees differ from others only in how they are grown,
        so that they too come as a ``RandomForestClassifier``.

        Raises:
            NotFittedError: if nothing was learnt yet.
        """
        self._check_fitted()
        return self.forest_.to_sklearn(self.classes_)

    def _check_fitted(self) -> None:
        if not hasattr(self, "forest_"):
            raise NotFittedError("The classifier has not been trained yet: call fit first.")


def load_classifier(
    source: str | os.PathLike[str] | bytes | BinaryIO, *, threads: int | None = None
) -> PixelClassifier:
    """Reads a classifier file; nothing in it is executed, so it may come from a stranger.

    Args:
        source: a path, the bytes of the file, or a binary file.
        threads: number of threads of its predictions; None takes all cores.

    Raises:
        ModelFileError: with a sentence that says what is wrong with the file.
        OSError: if it cannot be read at all.
    """
    return PixelClassifier.from_contents(load_model(source), threads=threads)
