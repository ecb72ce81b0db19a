"""What a pixel can be: the classes that a person names and colours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from segmentation._shared import checks

LARGEST_CLASS_ID = 255
"""Labels and segmentations are uint8."""

UNLABELLED = 0
"""What labels are where nothing is drawn; the class of the strokes of the eraser."""

LONGEST_NAME = 60

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


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
        object.__setattr__(self, "id", checks.whole_number(self.id, "A class id", 1, LARGEST_CLASS_ID))
        checks.text(self.name, "The name of a class", LONGEST_NAME)
        if not isinstance(self.colour, str) or not _COLOUR.fullmatch(self.colour):
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
        return cls(**checks.mapping(values, "A class", ("id", "name", "colour")))


def classes_to_json(classes: Iterable[LabelClass]) -> list[dict[str, Any]]:
    """Classes as plain JSON values, in their order."""
    return [label_class.to_json() for label_class in classes]


def classes_from_json(values: object) -> tuple[LabelClass, ...]:
    """The classes that :func:`classes_to_json` described.

    Raises:
        ValueError: if one of them is not possible, or two have the same id.
    """
    classes = tuple(LabelClass.from_json(entry) for entry in checks.sequence(values, "The classes", LARGEST_CLASS_ID))
    if len({label_class.id for label_class in classes}) < len(classes):
        raise ValueError("Two classes have the same id.")
    return classes


DEFAULT_COLOURS = (
    "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#f0e442", "#56b4e9", "#d55e00",
    "#693c2d", "#c3e1b4", "#00fff0", "#b40f78", "#3c00e1", "#8778ff", "#c30f00",
    "#b4b478", "#5a784b", "#e1a5c3", "#965a69", "#69964b", "#d2e187",
)  # fmt: skip
"""Colours for up to 20 classes, in this order, which people of any colour vision can tell apart.

The first seven are those of Okabe and Ito, "Color Universal Design" (2008); the first two, orange and blue, differ
greatly. Each of the others is the colour that is farthest (CIEDE2000) from those before it, as people with normal
vision and with each kind of dichromacy (Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009) see it, among those that
are neither grey nor too dark or light: lightness 30 to 92 and chroma from 25 in CIELAB.
"""


def parse_colour(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a colour such as ``"#e69f00"``.

    Raises:
        ValueError: if it is written in another way.
    """
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise ValueError(f"A colour is written like #e69f00, with six hexadecimal digits; this is {colour!r:.40}.")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue
