"""Votes that do not agree, and what they say of the share of a class: see :mod:`segmentation.assessment.intervals`."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from segmentation.model.classifier import PixelClassifier

DISSENT_BESIDE_STROKES = 0.75
"""How much of the dissent counts where strokes were held out, too."""

DISSENT_ALONE = 1.25
"""How much of it counts where nothing else is known, as of the images of a series, on which nobody has drawn."""

NORMAL_QUANTILE = 1.96


def dissent(votes: NDArray[np.floating]) -> NDArray[np.float64]:
    """The share of votes against what pixels were taken for, by class.

    Args:
        votes: ``(classes, pixels)``, shares of the votes, by which each pixel is taken for the class with most.

    Returns:
        ``(classes,)``: of the votes for a class on pixels of others, and those against it on its own.
    """
    taken = np.arange(len(votes))[:, np.newaxis] == votes.argmax(axis=0)
    return np.abs(taken - votes).mean(axis=1, dtype=np.float64)


def half_width(dissent: float, standard_error: float | None = None) -> float:
    """Half the length of an interval.

    Args:
        dissent: of the class, see :func:`dissent`.
        standard_error: of its share, from strokes that were held out; None if none were.
    """
    if standard_error is None:
        return DISSENT_ALONE * dissent
    return math.hypot(DISSENT_BESIDE_STROKES * dissent, NORMAL_QUANTILE * standard_error)


def interval(share: float, half: float) -> tuple[float, float]:
    """The ends of an interval around a share, of which none is below 0 or above 1."""
    return max(0.0, share - half), min(1.0, share + half)


def dissent_by_class(classifier: PixelClassifier, rows: NDArray[np.float32]) -> dict[int, float]:
    """The dissent of each class of a classifier on some pixels, ``(pixels, features)`` float32; see :func:`dissent`."""
    votes = classifier.forest_.predict_proba(np.ascontiguousarray(rows.T), classifier.weights, threads=1)
    return {int(one): round(float(value), 6) for one, value in zip(classifier.classes_, dissent(votes), strict=True)}
