"""The pixel classifier: it is trained on labelled pixels, and segments images.

It depends on images, labels, feature spec and settings alone: the page, the command line and scripts get equal bytes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.tiling import Window, whole_window
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.forest import Forest
from segmentation.forest.sampling import PixelSample
from segmentation.forest.settings import ForestSettings
from segmentation.forest.weighing import Weights
from segmentation.io.image import Image
from segmentation.model.channels import channels_note, feature_names, matched
from segmentation.model.engines import ENGINES, checked_engine
from segmentation.model.facts import as_image, facts_with_strokes, numbered_classes
from segmentation.model.fit import Fitted, Training, fit_rows
from segmentation.model.modelfile import ModelContents, load_model, save_model
from segmentation.model.parameters import NotFittedError, Parameters
from segmentation.model.prediction import OnPiece, Prediction
from segmentation.model.values import adapted, scale_note, value_notes
from segmentation.model.volumes import checked_depth, labelled_images, planes_of_volume
from segmentation.model.weights import ClassWeights, checked_weights, whole_weights
from segmentation.objects.cleaning import clean_up_found
from segmentation.objects.steps import Steps, checked_steps
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.stroke import Stroke

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier


class PixelClassifier(Parameters):
    """A feature spec and a forest, with scikit-learn's interface, on images instead of rows.

    Args:
        spec: which features the forest sees.
        kind, n_estimators, max_depth, max_samples, balance, fine_trees, random_state, range_steps,
            image_ranges, range_margin: see :class:`ForestSettings`.
        class_weights: by class id, what its probability is multiplied with, from 0.01 to 100, in thousandths: more of
            it where that is above 1. It changes nothing of what is learnt, unlike scikit-learn's ``class_weight``.
        clean_up: steps that :meth:`predict` does to a segmentation, see :class:`CleanUpStep`; or their JSON values.
        engine: ``"compiled"``, or ``"reference"``: scikit-image and NumPy, with the same bytes, a hundred times slower.
        threads: number of threads; None takes all cores. No result depends on it.

    Attributes:
        forest_: the fitted forest.
        spec_: the spec with the constants that features take from the images that it was fitted to, if they take any.
        classes_: ``(classes,)`` uint8, the class ids, ascending.
        label_classes_: their names and colours.
        channels_: number of channels of the images that it was fitted to, None if it was fitted to rows.
        training_: facts about what it was fitted to, as plain JSON values.
        pixels_: the training pixels; None if they are not known.

    Raises:
        ValueError: if a setting is out of bounds.
    """

    forest_: Forest
    spec_: FeatureSpec
    classes_: NDArray[np.uint8]
    label_classes_: tuple[LabelClass, ...]
    channels_: int | None
    training_: dict[str, Any]
    pixels_: PixelSample | None = None

    def fit(
        self,
        image: Image | ArrayLike | Sequence[Image | ArrayLike],
        labels: ArrayLike | Sequence[NDArray[Any]],
        *,
        earlier: PixelClassifier | None = None,
    ) -> PixelClassifier:
        """Learns from the labelled pixels of an image, or of several.

        Args:
            image: ``(rows, columns)`` or ``(rows, columns, channels)``, integer or float, and with planes before them
                if the features look at several; or a list of images.
            labels: ``(rows, columns)`` class ids up to 255, 0 = unlabelled; or a list, one for each image.
            earlier: a classifier with training pixels, which are learnt from too.

        Returns:
            The classifier itself.

        Raises:
            ValueError: if the labels do not fit the images, or fewer than two classes are labelled, or the earlier
                classifier has other features or no training pixels.
        """
        images = labelled_images(image, labels, self.spec, none_suffices=earlier is not None)
        planes = ENGINES[self.engine].planes
        return self._keep(
            Training(images, self.spec, self.settings, earlier, planes=planes, threads=self.threads).fit()
        )

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
        return self._keep(fit_rows(rows, class_ids, self.settings, self.threads, spec=self.spec))

    def _keep(self, fitted: Fitted) -> PixelClassifier:
        whole_weights(checked_weights(self.class_weights), fitted.class_ids)
        self.forest_ = fitted.forest
        self.spec_ = replace(self.spec, constants=fitted.constants or self.spec.constants)
        self.classes_ = np.array(fitted.class_ids, np.uint8)
        self.label_classes_ = numbered_classes(fitted.class_ids)
        self.channels_ = fitted.channels
        self.training_ = fitted.training
        self.pixels_ = fitted.pixels
        return self

    @property
    def feature_names_(self) -> list[str]:
        """A readable name for each feature that the forest sees."""
        self._check_fitted()
        return feature_names(self)

    def tells_classes_apart(self) -> bool:
        """Whether it finds more than one class in the pixels that it learnt from.

        Raises:
            NotFittedError: if the classifier has not been trained.
            ValueError: if the training pixels are not known.
        """
        self._check_fitted()
        if self.pixels_ is None:
            raise ValueError("The classifier came without its training pixels.")
        found = self.forest_.predict(np.ascontiguousarray(self.pixels_.features.T), threads=self.threads)
        return len(np.unique(found)) > 1

    def predict(self, image: Image | ArrayLike) -> NDArray[np.uint8]:
        """The class of each pixel, cleaned up.

        Returns:
            ``(rows, columns)`` uint8 class ids; of a volume with its planes before them.

        Raises:
            ValueError: if the image has other channels than the training images, or is no volume where one is needed.

        Warns:
            UserWarning: if the image's values are on another scale than those of the training images.
        """
        if (planes := planes_of_volume(image, self.spec)) is not None:
            return np.stack([self.predict(plane) for plane in planes])
        checked = self._adapt_with_warning(image)
        return self.cleaned(self.predict_window(checked, whole_window(checked.shape)))

    def cleaned(self, segmentation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A whole segmentation, ``(rows, columns)`` uint8, after the clean-up; itself if there is none."""
        return clean_up_found(segmentation, self.clean_up)

    def predict_proba(self, image: Image | ArrayLike) -> NDArray[np.float32]:
        """The probability of each class at each pixel.

        Returns:
            ``(rows, columns, classes)`` float32, in the order of ``classes_``, summing to 1; 0 where there is no data.
        """
        if (planes := planes_of_volume(image, self.spec)) is not None:
            return np.stack([self.predict_proba(plane) for plane in planes])
        checked = self._adapt_with_warning(image)
        return np.moveaxis(self.predict_proba_window(checked, whole_window(checked.shape)), 0, -1)

    def check(self, image: Image | ArrayLike) -> Image:
        """The image with the channels that were learnt from, see :mod:`segmentation.model.channels`.

        Raises:
            NotFittedError: if the classifier has not been trained.
            ValueError: if the image has other channels than the training images.
        """
        self._check_fitted()
        return matched(checked_depth(as_image(image), self.spec), self)

    def adapt(self, image: Image | ArrayLike) -> Image:
        """A whole image, checked, as the features see it; see :func:`segmentation.model.values.adapted`.

        Raises:
            NotFittedError: if the classifier has not been trained.
            ValueError: if the image has other channels than the training images.
        """
        return adapted(self.check(image), self.training_, self.spec_)

    def value_notes(self, image: Image) -> list[str]:
        """Sentences on how channels and values of a whole image are taken, if not as they are, and on another scale."""
        note = channels_note(image, self.training_)
        return [*filter(None, [note]), *value_notes(self.check(image), self.adapt(image), self.training_)]

    def _adapt_with_warning(self, image: Image | ArrayLike) -> Image:
        adapted_image = self.adapt(image)
        if note := scale_note(adapted_image, self.training_):
            warnings.warn(note, stacklevel=3)
        return adapted_image

    def predict_window(
        self,
        image: Image,
        window: Window,
        smoothed: Smoothed | None = None,
        *,
        on_piece: OnPiece | None = None,
        threads: int | None = None,
    ) -> NDArray[np.uint8]:
        """The class ids in a window of an image, before the clean-up, which looks at the whole.

        Args:
            image: one that was checked and, if it is whole, adapted.
            window: which part of it.
            smoothed: that window smoothed, if it is cached.
            on_piece: called with each piece of the window and its ``(features, piece rows, piece columns)``, which are
                overwritten after it returns; by several threads at a time.
            threads: number of threads; None takes the classifier's.

        Returns:
            ``(window rows, window columns)`` uint8, 0 where the image holds no data.
        """
        classes = self._prediction(threads).classes(image, window, smoothed, on_piece)
        return image.clear(self.ids_of(classes), window.rows, window.columns)

    def ids_of(self, found: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The class ids of indices into ``classes_``, a new array; most often they follow on one another."""
        if int(self.classes_[-1]) - int(self.classes_[0]) == len(self.classes_) - 1:
            return np.asarray(found + self.classes_[0])
        return self.classes_.take(found, mode="clip")  # three times as fast as to look for an error

    def predict_proba_window(
        self,
        image: Image,
        window: Window,
        smoothed: Smoothed | None = None,
        *,
        on_piece: OnPiece = lambda piece, planes: None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """The probabilities in a window, ``(classes, window rows, window columns)`` float32; see ``predict_window``."""
        probabilities = self._prediction(threads).probabilities(image, window, smoothed, on_piece)
        return image.clear(probabilities, window.rows, window.columns)

    def _prediction(self, threads: int | None) -> Prediction:
        return Prediction(self.forest_, self.spec_, self.weights, ENGINES[self.engine], threads or self.threads)

    @property
    def weights(self) -> Weights | None:
        """The class weights in thousandths, in the order of ``classes_``; None if all are 1."""
        return whole_weights(checked_weights(self.class_weights), self.classes_)

    def with_clean_up(self, steps: Steps) -> PixelClassifier:
        """A classifier that has learnt the same, with another clean-up.

        Raises:
            ValueError: if a step is not possible.
        """
        other = copy(self)
        other.clean_up = checked_steps(steps)
        return other

    def weighed(self, class_weights: ClassWeights) -> PixelClassifier:
        """A classifier that has learnt the same, with other class weights.

        Raises:
            NotFittedError: if the classifier has not been trained.
            ValueError: if a weight is out of bounds, or its class is none of those that are known.
        """
        self._check_fitted()
        other = copy(self)
        other.class_weights = checked_weights(class_weights)
        whole_weights(other.class_weights, self.classes_)
        return other

    def contents(
        self,
        classes: Iterable[LabelClass] | None = None,
        *,
        strokes: Mapping[str, Sequence[Stroke]] | None = None,
        pixels: PixelSample | None = None,
    ) -> ModelContents:
        """What is written of this classifier to a file.

        Args:
            classes: names and colours; None takes those that it was loaded with, or else numbers them.
            strokes: by the hash of the image that they were drawn on, if they are to be included.
            pixels: the training pixels, if they are to be included: ``pixels_`` after :meth:`fit`.

        Raises:
            NotFittedError: if the classifier has not been trained.
            ValueError: if a class that it knows is not among ``classes``, or strokes were drawn on another image.
        """
        self._check_fitted()
        training, drawn = facts_with_strokes(self.training_, strokes)
        return ModelContents(
            spec=self.spec_,
            forest=self.forest_,
            settings=self.settings,
            classes=self.label_classes_ if classes is None else tuple(classes),
            class_ids=tuple(int(class_id) for class_id in self.classes_),
            channels=self.channels_,
            training=training,
            strokes=drawn,
            pixels=pixels,
            class_weights=checked_weights(self.class_weights),
            clean_up=self.clean_up,
        )

    @classmethod
    def from_fitted(
        cls, fitted: Fitted, spec: FeatureSpec, settings: ForestSettings, *, threads: int | None = None
    ) -> PixelClassifier:
        """The classifier that training gave.

        Args:
            fitted: what training gave.
            spec, settings: which features the forest sees, and how it was grown.
            threads: number of threads of its predictions; None takes all cores.
        """
        learnt = replace(fitted, constants=fitted.constants or spec.constants)
        return cls(spec.chosen, **settings.to_json(), threads=threads)._keep(learnt)

    @classmethod
    def from_contents(
        cls, contents: ModelContents, *, engine: str = "compiled", threads: int | None = None
    ) -> PixelClassifier:
        """The classifier in a file."""
        fitted = Fitted(contents.forest, contents.class_ids, contents.channels, contents.training, contents.pixels)
        classifier = cls.from_fitted(fitted, contents.spec, contents.settings, threads=threads)
        classifier.label_classes_, classifier.engine = contents.classes, checked_engine(engine)
        classifier.class_weights, classifier.clean_up = dict(contents.class_weights) or None, contents.clean_up
        return classifier

    def save(self, target: str | os.PathLike[str] | BinaryIO, classes: Iterable[LabelClass] | None = None) -> None:
        """Writes a classifier file, which :func:`load_classifier` reads and anyone may open.

        The training pixels travel along if they are known, so that further ones can be learnt together with them; to
        leave them out write :meth:`contents` with ``save_model``.

        Args:
            target: a path, usually ending in ``.squiggle``, or a binary file.
            classes: names and colours; None takes those that it was loaded with, or else numbers them.

        Raises:
            NotFittedError: if the classifier has not been trained.
            OSError: if the file cannot be written.
        """
        save_model(target, self.contents(classes, pixels=self.pixels_))

    def to_sklearn(self) -> RandomForestClassifier:
        """The forest as one of scikit-learn's, which predicts the same from rows of features.

        Its ``classes_`` are the class ids. Extremely randomised trees differ from others only in how they are grown,
        so that they too come as a ``RandomForestClassifier``. Its ``feature_importances_`` are what scikit-learn
        computes from the training pixels of each node; of a classifier file of version 1, which knows none, they mean
        nothing.

        Raises:
            NotFittedError: if the classifier has not been trained.
            ValueError: if it has class weights, which a forest of scikit-learn cannot have.
        """
        self._check_fitted()
        if self.weights is not None:
            raise ValueError("A forest of scikit-learn has no such class weights: let it have none, .weighed({}).")
        return self.forest_.to_sklearn(self.classes_)

    def _check_fitted(self) -> None:
        if not hasattr(self, "forest_"):
            raise NotFittedError("The classifier has not been trained yet: call fit first.")


def load_classifier(
    source: str | os.PathLike[str] | bytes | BinaryIO, *, engine: str = "compiled", threads: int | None = None
) -> PixelClassifier:
    """Reads a classifier file; nothing in it is executed, so it may come from a stranger.

    Args:
        source: a path, the bytes of the file, or a binary file.
        engine: what computes, see :class:`PixelClassifier`.
        threads: number of threads of its predictions; None takes all cores.

    Raises:
        ModelFileError: with a sentence that says what is wrong with the file.
        OSError: if it cannot be read at all.
    """
    return PixelClassifier.from_contents(load_model(source), engine=engine, threads=threads)
