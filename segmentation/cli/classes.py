"""Classes as they are typed: their names, colours and weights."""

from __future__ import annotations

from dataclasses import replace

from segmentation.strokes.classes import LabelClass
from segmentation.strokes.document import StrokesDocument


def weights_of(typed: list[tuple[int, float]]) -> dict[int, float]:
    """The class weights that were typed, by class id.

    Raises:
        ValueError: if a class is given two.
    """
    weights = dict(typed)
    if len(weights) < len(typed):
        raise ValueError("Give each class one weight: --class-weight 2=1.5 once for a class.")
    return weights


def named_classes(
    numbered: tuple[LabelClass, ...], documents: list[StrokesDocument], typed: list[tuple[int, str, str | None]]
) -> tuple[LabelClass, ...]:
    """The classes as they are called: as typed, or else as the strokes say, or else by their numbers.

    Raises:
        ValueError: if two strokes files call the same class by different names, or what was typed is not possible.
    """
    classes: dict[int, LabelClass] = {}
    for one in (one for document in documents for one in document.classes):
        if classes.setdefault(one.id, one) != one:
            raise ValueError(f"The strokes files do not agree on what class {one.id} is: name it with --class.")
    for one in numbered:
        classes.setdefault(one.id, one)
    for class_id, name, colour in typed:
        if class_id not in classes:
            raise ValueError(f"There is no class {class_id} to be named.")
        known = classes[class_id]
        classes[class_id] = replace(known, name=name, colour=colour or known.colour)
    return tuple(classes.values())
