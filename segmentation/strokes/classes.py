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

REGION = 256
"""The class of the outlines of where an image is worked on, and only there: none that a pixel can have."""

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


_FIRST_COLOURS = (
    "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#f0e442", "#56b4e9", "#d55e00",
    "#693c2d", "#c3e1b4", "#00fff0", "#b40f78", "#3c00e1", "#8778ff", "#c30f00",
    "#b4b478", "#5a784b", "#e1a5c3", "#965a69", "#69964b", "#d2e187",
)  # fmt: skip

_FURTHER_COLOURS = """
    871e4b b4d2ff d200b4 782dff f06987 87c3a5 2d691e a56996 785a87 7800a5 b478c3 b4c35a b496c3 6969e1 4bd2d2
    c33c3c a5f0d2 3c8778 870078 6996e1 d28700 874b4b 96a54b ff8796 e1c396 b47869 2d7869 00b496 a5695a 87a569
    f0c300 783c96 a50000 698700 87ffa5 ff87ff b43c96 d21ed2 2d3cc3 ffa5b4 784b69 963c5a b40f3c c36987 87e1d2
    b45a78 d2d25a 692de1 c3783c 782d5a 96d278 f0b4e1 4bc32d b47896 d2f078 4ba5b4 b487ff 9678a5 006978 961e3c
    a5b45a 964b1e ff1e87 b44b4b 5a4b1e a596d2 5a6996 874b78 a53cff 783c69 ff1e5a f01ea5 7887b4 3ce196 69b4a5
    3cc3ff a54b5a b4693c 0fc396 ffb478 000fff 00ffc3 5a78c3 0f5a3c 96f0ff 4b3c87 87d2b4 2d96c3 c31e87 b40f5a
    96000f ffb4c3 c387b4 c31e2d d22d69 96784b 5ac3d2 5aa587 78e12d 2d87e1 c35a87 e187a5 a5c3f0 695ae1 78e1f0
    873c4b e18769 d24b0f 965a3c 5a78a5 f05a2d e13cff b4a578 87f0a5 d27878 a5785a ff96d2 e1e15a e196c3 5a5a2d
    8700b4 2d69c3 96c387 87965a 963c3c 78c3b4 96d2a5 d296e1 c38796 c369d2 d25a78 a54bb4 96b487 a54b78 a50f69
    b40f0f 783ce1 1ea50f 964ba5 ffc3e1 f096b4 e1a569 96e1a5 00695a ff963c 783c87 f069d2 b4b44b b45a2d 873ca5
    5af0e1 d24b69 7887f0 3cff00 c3f0b4 875a2d 872d1e c3873c 3c9687 ff9687 69e1c3 f04be1 e14b4b b44b96 b40fc3
    2d3ca5 69a578 b4c3ff 78a5f0 e187f0 1e5a00 1e3cf0 c3e196 3cb45a f0c3f0 d2d287 d24ba5 f0d278 f0a5e1 96690f
    ff2dc3 5ae14b 96ff96 872d4b 963cf0 ff4b96 2d2dd2 1e5ac3 e19696 b48769 1e4bd2 870096 ff692d d26996 872db4
    87c369 870f87 b4f0c3 870f69 8769d2 c369b4 ffd2ff 780fc3 d28778 b40f4b 964b87 b4b4f0 d2784b e1f069 a50096
    692d78 e1961e ff7887 0000f0 5a78f0 960fd2 ff873c f0785a 6900b4 695a0f e1005a 5af0b4 690fe1 e178b4 f04bb4
    b44b69 785a1e b42d96 5a782d a5781e ff2d1e 871e3c 5aa5d2 a5d269 5a874b
"""

DEFAULT_COLOURS = (*_FIRST_COLOURS, *(f"#{colour}" for colour in _FURTHER_COLOURS.split()))
"""Colours for up to 255 classes, in this order, of which people of any colour vision can tell the first 20 apart.

The first seven are those of Okabe and Ito, "Color Universal Design" (2008); the first two, orange and blue, differ
greatly. Each of the others is the colour that is farthest (CIEDE2000) from those before it, as people with normal
vision and with each kind of dichromacy (Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009) see it, among those that
are neither grey nor too dark or light: lightness 30 to 92 and chroma from 25 in CIELAB. The least difference between
any two is 9 among the first 20, 6 among the first 40, 3 among the first 120 and just to be seen, 2, among all.
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
