"""What computes features and walks forests: kernels of our own, or the references that they are held equal to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.features.compute import compute_planes
from segmentation.features.pieces import ComputePlanes
from segmentation.features.reference import reference_planes
from segmentation.forest.forest import Forest
from segmentation.forest.reference import reference_classes, reference_proba
from segmentation.forest.weighing import Weights


@dataclass(frozen=True)
class Engine:
    """One way to compute what a classifier needs; all give the same bytes.

    Attributes:
        planes: computes the features of a window.
        classes: the index of each pixel's class, ``(...)`` uint8 of ``(features, ...)``, with class weights or None.
        proba: the probability of each class, ``(classes, ...)`` float32 of ``(features, ...)``, likewise.
    """

    planes: ComputePlanes
    classes: Callable[[Forest, NDArray[np.float32], Weights | None], NDArray[np.uint8]]
    proba: Callable[[Forest, NDArray[np.float32], Weights | None], NDArray[np.float32]]


ENGINES = {
    "compiled": Engine(
        compute_planes,
        lambda forest, planes, weights: forest.predict(planes, weights, threads=1),
        lambda forest, planes, weights: forest.predict_proba(planes, weights, threads=1),
    ),
    "reference": Engine(reference_planes, reference_classes, reference_proba),
}
"""By name: ``"compiled"`` is Numba's code; ``"reference"`` is scikit-image and NumPy, some hundred times slower."""


def checked_engine(name: str) -> str:
    """The name of an engine.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in ENGINES:
        raise ValueError(f"The engine must be one of {', '.join(ENGINES)}.")
    return name
