"""How unsure a classifier is of a pixel: the margin between its two most probable classes.

Of the measures of active learning it is the one that says where the segmentation would change next: it is 1 exactly on
the line between two classes, whatever the others get, and with two classes all measures order pixels alike. See B.
Settles, Active Learning Literature Survey, University of Wisconsin-Madison (2009), section 3.1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def uncertainty(probabilities: ArrayLike) -> NDArray[np.float32]:
    """1 less the margin: how much less probable the second class is than the first.

    Args:
        probabilities: ``(..., classes)`` numbers that add up to 1, as :meth:`PixelClassifier.predict_proba` gives them.

    Returns:
        ``(...)`` float32: 0 where one class has all, 1 where two are equal; 0 too where all are 0, as of pixels that
        hold no data.

    Raises:
        ValueError: if there are no classes.
    """
    given = np.asarray(probabilities, np.float32)
    if given.ndim < 1 or given.shape[-1] < 1:
        raise ValueError("Give a probability for each class, the classes being the last axis.")
    return of_planes(np.moveaxis(given, -1, 0))


def of_planes(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same of ``(classes, ...)`` float32."""
    first, second = planes[0], np.zeros_like(planes[0])
    for plane in planes[1:]:
        second = np.maximum(second, np.minimum(first, plane))
        first = np.maximum(first, plane)
    return np.where(first > 0, 1 - (first - second), np.float32(0))
