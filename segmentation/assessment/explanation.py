"""Why a pixel has its class: which strokes and which features decided.

A stroke decides as much as its training pixels share leaves with the pixel, over all trees (the weights by which a
forest is a mean over what it learnt from: Meinshausen, Quantile regression forests, JMLR 2006). A feature decides as
much as the share of the class changes where trees ask for it (Saabas, Interpreting random forests, 2014).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.assessment.strokes import StrokeKey
from segmentation.forest.forest import Forest
from segmentation.forest.sampling import PixelSample
from segmentation.model.classifier import PixelClassifier


@dataclass(frozen=True)
class Reason:
    """Something that decided.

    Attributes:
        name: of the feature, or the stroke's key.
        share: how much, from 0 to 1 over all strokes; of features from -1 to 1, what speaks against the class below 0.
    """

    name: str | StrokeKey
    share: float


@dataclass(frozen=True)
class Explanation:
    """Why a pixel has its class.

    Attributes:
        class_id: the class.
        probabilities: of each class, by its id.
        strokes: those that decided, most first.
        features: those that decided, most first, whether for the class or against it.
    """

    class_id: int
    probabilities: dict[int, float]
    strokes: tuple[Reason, ...]
    features: tuple[Reason, ...]


def steps(forest: Forest, rows: NDArray[np.float32]) -> Iterator[NDArray[np.int32]]:
    """The nodes that each row comes through, ``(pixels, trees)`` int32 after each step; at a leaf it stays.

    Args:
        forest: the trees.
        rows: ``(pixels, features)`` float32.
    """
    node = np.broadcast_to(forest.roots, (len(rows), forest.n_trees)).astype(np.int32)
    pixel = np.arange(len(rows))[:, None]
    yield node
    while (inner := forest.feature[node] >= 0).any():
        goes_left = rows[pixel, np.maximum(forest.feature[node], 0)] <= forest.threshold[node]
        node = np.where(inner, np.where(goes_left, forest.left[node], forest.right[node]), node)
        yield node


def explain(
    classifier: PixelClassifier,
    row: NDArray[np.float32],
    pixels: PixelSample,
    owners: NDArray[np.int64],
    keys: Sequence[StrokeKey],
    most: int = 6,
) -> Explanation:
    """Why a pixel has its class.

    Args:
        classifier: what gave it the class.
        row: ``(features,)`` float32 of the pixel.
        pixels: the training pixels.
        owners: ``(training pixels,)`` the number of the stroke of each; below 0 where it is not known.
        keys: the strokes by their number.
        most: strokes, and features, that are named.
    """
    forest = classifier.forest_
    votes = forest.predict_proba(np.ascontiguousarray(row[:, None]), classifier.weights, threads=1)[:, 0]
    chosen = int(forest.predict(np.ascontiguousarray(row[:, None]), classifier.weights, threads=1)[0])
    way = np.stack([node[0] for node in steps(forest, row[None])])
    (ends,) = deque(steps(forest, pixels.features), maxlen=1)
    same = ends == way[-1]
    weights = (same / np.maximum(1, same.sum(axis=0))).mean(axis=1)
    known = owners >= 0
    of_strokes = np.bincount(owners[known], weights[known], minlength=len(keys))
    return Explanation(
        int(classifier.classes_[chosen]),
        {int(one): float(vote) for one, vote in zip(classifier.classes_, votes, strict=True)},
        _most([Reason(key, float(share)) for key, share in zip(keys, of_strokes, strict=True)], most),
        _most(_feature_reasons(classifier, way, chosen), most),
    )


def _feature_reasons(classifier: PixelClassifier, way: NDArray[np.int32], chosen: int) -> list[Reason]:
    """What each feature changes of the share of a class along ``(steps, trees)`` nodes, averaged over the trees."""
    forest = classifier.forest_
    share = forest.probabilities[way, chosen]
    asked, change = forest.feature[way[:-1]], np.diff(share, axis=0)
    moved = asked >= 0
    sums = np.bincount(asked[moved], change[moved], minlength=forest.n_features) / forest.n_trees
    return [Reason(name, float(one)) for name, one in zip(classifier.feature_names_, sums, strict=True)]


def _most(reasons: Sequence[Reason], most: int) -> tuple[Reason, ...]:
    named = sorted((one for one in reasons if one.share), key=lambda one: -abs(one.share))
    return tuple(named[:most])
