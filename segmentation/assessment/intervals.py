"""How sure shares are: an interval for the share of each class in an image.

A share is wrong for two reasons, and each is seen in another way.

- Other strokes would have given another forest. Whole strokes are held out, in groups, and the image is segmented by
  forests that have learnt from the others: the delete-a-group jackknife (P. Kott, The delete-a-group jackknife, Journal
  of Official Statistics 17, 2001) turns how far their shares lie apart into a standard error. Strokes are the units,
  since the pixels of one are nearly copies of each other.
- The forest is wrong about pixels that are like none of the strokes, at borders above all. There its trees do not
  agree: the dissent of a class is the share of all votes that are against what its pixels, and those of the others,
  were taken for.

Area shares that are corrected by a confusion matrix, with blocks drawn anew (P. Olofsson et al., Good practices for
estimating area and assessing accuracy of land change, Remote Sensing of Environment 148, 2014), were tried first: they
need reference pixels that are drawn at random, and strokes lie where a class is plain to see, so that their intervals
held the true share in a third of all cases. ``python -m benchmarks intervals`` measures how often those of here do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation.assessment.cross_validation import drawn_images, training_as
from segmentation.assessment.dissent import dissent_by_class, half_width, interval
from segmentation.assessment.held_out import Train, classes_of, deal_out, pixels_with_owners, weights_of
from segmentation.assessment.strokes import DrawnImage
from segmentation.assessment.trust import sampled_places
from segmentation.features.pieces import feature_rows
from segmentation.forest.sampling import TooFewClassesError
from segmentation.io.image import Image
from segmentation.io.shares import class_shares
from segmentation.model.classifier import PixelClassifier
from segmentation.model.engines import ENGINES
from segmentation.model.facts import as_image
from segmentation.model.weights import ClassWeights, checked_weights
from segmentation.strokes.stroke import Stroke


@dataclass(frozen=True)
class ShareInterval:
    """The share of a class in an image, and between what it lies with a confidence of about 95 %.

    Attributes:
        id: the class.
        share: of the pixels with a class, from 0 to 1.
        low, high: the ends of the interval.
    """

    id: int
    share: float
    low: float
    high: float


def standard_errors(
    drawn: Sequence[DrawnImage],
    train: Train,
    class_weights: ClassWeights,
    rows: NDArray[np.float32],
    *,
    stale: Callable[[], bool] = lambda: False,
    turn: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> dict[int, float] | None:
    """The standard error of the share of each class, from strokes that are held out.

    Args:
        drawn: images with strokes; all with the same number of channels.
        train: the training that gave the classifier.
        class_weights: what probabilities are multiplied with before one class is chosen.
        rows: ``(pixels, features)`` float32, of some pixels of the image whose shares are meant.
        stale: asked before each forest; once it says True, there is no result.
        turn: entered for each forest, so that others can have their turn in between.

    Returns:
        By class id, empty if a class has but one stroke, or strokes alone tell no two classes apart; None if it is
        stale.
    """
    with turn():
        if stale():
            return None
        try:
            training = train([image.labelled() for image in drawn])
        except TooFewClassesError:  # others are known by corrections, of which none is held out
            return {}
        pixels, owners, _ = pixels_with_owners(drawn, training)
    class_ids, classified = np.unique(pixels.class_ids, return_inverse=True)
    folds, strokes = deal_out(owners, classified, len(class_ids))
    if (strokes < 2).any():
        return {}
    planes, shares = np.ascontiguousarray(rows.T), []
    for fold in range(int(folds.max()) + 1):
        with turn():
            if stale():
                return None
            kept = folds[owners] != fold
            fitted = training.fit_part(pixels.part(kept))
            taken = classes_of(fitted, planes, weights_of(fitted, class_weights))
            shares.append(np.bincount(taken, minlength=256) / len(taken))
    apart = np.square(shares - np.mean(shares, axis=0)).sum(axis=0)
    errors = np.sqrt((len(shares) - 1) / len(shares) * apart)
    return {int(one): float(errors[one]) for one in class_ids}


def share_intervals(
    image: Image | ArrayLike,
    classifier: PixelClassifier,
    images: Image | ArrayLike | Sequence[Image | ArrayLike] | None = None,
    strokes: Sequence[Stroke | Mapping[str, Any]] | Sequence[Sequence[Stroke | Mapping[str, Any]]] | None = None,
) -> list[ShareInterval]:
    """The share of each class in an image, and how sure it is.

    Args:
        image: ``(rows, columns)`` or ``(rows, columns, channels)``.
        classifier: that segments it.
        images, strokes: what the classifier has learnt from, as :func:`cross_validate` takes them: then strokes are
            held out, if each class has two of them; else the votes of the forest alone tell.

    Returns:
        One for each class of the classifier, ascending.

    Raises:
        ValueError: if the classifier does not fit, or there are not strokes for each image.
    """
    whole = classifier.adapt(as_image(image))
    places = sampled_places(whole)
    compute = ENGINES[classifier.engine].planes
    rows = feature_rows(whole, classifier.spec_, places, compute=compute, threads=classifier.threads)
    errors: Mapping[int, float] = {}
    if images is not None and strokes is not None:
        drawn = drawn_images(images, strokes)
        weights = checked_weights(classifier.class_weights)
        errors = standard_errors(drawn, partial(training_as, classifier), weights, rows) or {}
    of_votes, found = dissent_by_class(classifier, rows), []
    for one in class_shares(classifier.predict(whole), sorted(of_votes)):
        half = half_width(of_votes[one.id], errors.get(one.id))
        found.append(ShareInterval(one.id, one.share, *interval(one.share, half)))
    return found
