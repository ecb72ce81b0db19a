"""Class weights of a classifier: by class id, what the probability of a class is multiplied with.

They have nothing to do with the ``class_weight`` of scikit-learn's estimators, which changes what is learnt: these
change what is made of it, so that one classifier gives more or less of a class without being trained anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from segmentation._shared import checks
from segmentation.forest.weighing import MAX_WEIGHT, MIN_WEIGHT, WHOLE_WEIGHT, Weights
from segmentation.strokes.classes import LARGEST_CLASS_ID

ClassWeights = Mapping[int, float]
"""By class id; a class that is not there has the weight 1."""

_CLASS_KEYS = {str(class_id): class_id for class_id in range(1, LARGEST_CLASS_ID + 1)}


def checked_weights(weights: object) -> dict[int, float]:
    """Weights that can be used, in thousandths, by ascending class ids and without those of 1.

    Args:
        weights: by class id; None stands for none.

    Raises:
        ValueError: with a sentence, if a key is no class id or a value is no number within the bounds.
    """
    if weights is None:
        return {}
    if not isinstance(weights, Mapping):
        raise ValueError("The class weights must say a number for the id of a class.")
    checked = {
        checks.whole_number(class_id, "The class of a weight", 1, LARGEST_CLASS_ID): checked_weight(weight)
        for class_id, weight in weights.items()
    }
    return {class_id: weight for class_id, weight in sorted(checked.items()) if weight != 1}


def checked_weight(weight: object) -> float:
    """A weight in thousandths.

    Raises:
        ValueError: with a sentence, if it is no number within the bounds.
    """
    thousandths = round(checks.number(weight, "The weight of a class", MIN_WEIGHT, MAX_WEIGHT) * WHOLE_WEIGHT)
    return thousandths / WHOLE_WEIGHT


def whole_weights(weights: ClassWeights, class_ids: Iterable[int]) -> Weights | None:
    """The weights of the classes of a forest, in their order; None if all are 1.

    Raises:
        ValueError: with a sentence, if there is no such class.
    """
    known = [int(class_id) for class_id in class_ids]
    for class_id in weights:
        if class_id not in known:
            names = ", ".join(map(str, known))
            raise ValueError(f"There is no class {class_id} to be weighed: the classifier tells apart {names}.")
    if not weights:
        return None
    return np.array([round(weights.get(class_id, 1) * WHOLE_WEIGHT) for class_id in known], np.int32)


def weights_to_json(weights: ClassWeights) -> dict[str, float] | None:
    """Weights as a classifier file has them; None, which JSON calls null, if all are 1."""
    return {str(class_id): weight for class_id, weight in checked_weights(weights).items()} or None


def weights_from_json(values: object) -> dict[int, float]:
    """The weights that :func:`weights_to_json` gave.

    Raises:
        ValueError: with a sentence, if they are none.
    """
    if values is None:
        return {}
    if not isinstance(values, Mapping) or not all(key in _CLASS_KEYS for key in values):
        raise ValueError("The class weights must be a JSON object with a number for each class.")
    return checked_weights({_CLASS_KEYS[key]: weight for key, weight in values.items()})
