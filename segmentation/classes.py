"""What a pixel can be: the classes that a person names and colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from segmentation import untrusted

LARGEST_CLASS_ID = 255
"""Labels and segmentations are uint8, and 0 means unlabelled."""

LONGEST_NAME = 60

_COLOUR = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True)
class LabelClass:
    """A class.

    Attributes:
        id: 1 to 255, the value of its pixels in labels and segmentations.
        name: 1 to 60 characters on one line.
        colour: ``"#rrggbb"``, made lower case.

    Raises:
        ValueError: if a value is not possible.
    """

    id: int
    name: str
    colour: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", untrusted.whole_number(self.id, "A class id", 1, LARGEST_CLASS_ID))
        untrusted.text(self.name, "The name of a class", LONGEST_NAME)
        if not isinstance(self.colour, str) or not _COLOUR.fullmatch(self.colour.lower()):
            raise ValueError("The colour of a class must look like #e69f00.")
        object.__setattr__(self, "colour", self.colour.lower())

    def to_json(self) -> dict[str, Any]:
        """The class as plain JSON values."""
        return {"id": self.id, "name": self.name, "colour": self.colour}

    @classmethod
    def from_json(cls, values: object) -> LabelClass:
        """The class that :meth:`to_json` described.

        Raises:
            ValueError: if a value is missing, unknown or not possible.
        """
        return cls(**untrusted.mapping(values, "A class", ("id", "name", "colour")))


def classes_to_json(classes: Iterable[LabelClass]) -> list[dict[str, Any]]:
    """Classes as plain JSON values, in their order."""
    return [label_class.to_json() for label_class in classes]


def classes_from_json(values: object) -> tuple[LabelClass, ...]:
    """The classes that :func:`classes_to_json` described.

    Raises:
        ValueError: if one of them is not possible, or two have the same id.
    """
    classes = tuple(
        LabelClass.from_json(entry) for entry in untrusted.sequence(values, "The classes", LARGEST_CLASS_ID)
    )
    if len({label_class.id for label_class in classes}) < len(classes):
        raise ValueError("Two classes have the same id.")
    return classes
