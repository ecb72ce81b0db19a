"""Class weights: what the share of the trees that each class has is multiplied with, before the largest is taken.

Weights are whole thousandths and shares are numbers of votes, or else float32, so that products of the two are exact in
float64: which class is the largest does not depend on who computes it, nor in which order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

WHOLE_WEIGHT = 1000
"""The whole number that means a weight of 1."""

MIN_WEIGHT, MAX_WEIGHT = 0.01, 100.0
"""So that products with up to 10,000 votes fit 31 bits."""

Weights = NDArray[np.int32]
"""``(classes,)`` thousandths."""


def weighted_classes(shares: NDArray[Any], weights: Weights) -> NDArray[np.uint8]:
    """The class whose product of share and weight is the largest, the first of equals.

    Args:
        shares: ``(classes, pixels)``, numbers of votes, or float32 probabilities.
        weights: of the classes.

    Returns:
        ``(pixels,)`` uint8, from 0.
    """
    return _products(shares, weights).argmax(axis=0).astype(np.uint8)


def weighted_probabilities(shares: NDArray[Any], weights: Weights) -> NDArray[np.float32]:
    """The products of shares and weights, divided by their sum; else as :func:`weighted_classes`.

    Returns:
        ``(classes, pixels)`` float32, which add up to 1.
    """
    products = _products(shares, weights)
    total = np.zeros(products.shape[1:])
    for one in products:  # in this order, whatever NumPy would take to be faster
        total += one
    return (products / total).astype(np.float32)


def _products(shares: NDArray[Any], weights: Weights) -> NDArray[np.float64]:
    return shares * weights.astype(np.float64)[:, np.newaxis]
