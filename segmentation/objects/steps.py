"""The steps of a clean-up, as people choose them, as they travel in files, and in which order they are carried out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared import checks
from segmentation.strokes.classes import LARGEST_CLASS_ID

LARGEST_AREA = 1_000_000_000
LARGEST_RADIUS = 50
MOST_STEPS = 32

FILL_HOLES, DROP_SMALL, SMOOTH = "fill_holes", "drop_small", "smooth"
DROP_BORDER, KEEP_BORDER = "drop_border", "keep_border"
SPLIT, SPLIT_CORNERS = "split", "split_corners"

SIZES: dict[str, tuple[str, float]] = {
    FILL_HOLES: ("The area of holes, in pixels,", LARGEST_AREA),
    DROP_SMALL: ("The area of small parts, in pixels,", LARGEST_AREA),
    SMOOTH: ("The radius of smoothing, in pixels,", LARGEST_RADIUS),
    DROP_BORDER: ("", 0),
    KEEP_BORDER: ("", 0),
    SPLIT: ("The eagerness of splitting", 1),
    SPLIT_CORNERS: ("", 0),
}
"""What the size of each kind of step is, and the largest; those without one have a size of 0."""

_TYPED = re.compile(r"([a-z_]+)(?:=([0-9.]{1,12})\s?([^\W\d]{0,15}[2²]?))?(?:@([0-9,]{1,200}))?")


@dataclass(frozen=True)
class CleanUpStep:
    """One step of a clean-up.

    Attributes:
        kind: ``"fill_holes"``: a part of other classes within a part, of at most ``size`` pixels, is filled;
            ``"drop_small"``: parts of fewer than ``size`` pixels go to the class that most of their border touches;
            ``"smooth"``: each pixel takes the class that is most frequent within ``size`` pixels;
            ``"drop_border"`` and ``"keep_border"``: parts that touch the border of the image, or that do not, go to the
            class that most of their border touches;
            ``"split"``: objects are split where they are narrower than the share ``size`` of the smaller's width, and
            ``"split_corners"``: where they only touch at corners (pixels are connected with 4 neighbours instead of
            8); which change no pixel's class, but what is counted and measured.
        size: see there.
        classes: the class ids that it is for; None takes all.

    Raises:
        ValueError: if a value is not possible.
    """

    kind: str
    size: float = 0
    classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in SIZES:
            raise ValueError(f"A step of a clean-up is one of {', '.join(SIZES)}, not {str(self.kind)[:40]!r}.")
        what, largest = SIZES[self.kind]
        if self.kind == SPLIT:
            object.__setattr__(self, "size", checks.number(self.size, what, 0, largest))
        elif what:
            object.__setattr__(self, "size", checks.whole_number(self.size, what, 1, int(largest)))
        elif self.size:
            raise ValueError(f"A step {self.kind!r} has no size.")
        if self.classes is None:
            if self.kind in (DROP_BORDER, KEEP_BORDER):
                raise ValueError(f"Say for which classes parts are told by the border, such as {self.kind}@1.")
            return
        ids = [checks.whole_number(one, "A class of a clean-up", 1, LARGEST_CLASS_ID) for one in self.classes]
        if not ids:
            raise ValueError("A step of a clean-up needs a class, or all of them.")
        object.__setattr__(self, "classes", tuple(sorted(set(ids))))

    def concerns(self, class_id: int) -> bool:
        """Whether it is for this class."""
        return self.classes is None or class_id in self.classes

    def to_json(self) -> dict[str, Any]:
        """The step as plain JSON values."""
        return {
            "kind": self.kind,
            "size": self.size,
            "classes": None if self.classes is None else list(self.classes),
        }

    @classmethod
    def from_json(cls, values: object) -> CleanUpStep:
        """The step that :meth:`to_json` described.

        Raises:
            ValueError: if a value is unknown or not possible.
        """
        given = checks.mapping(values, "A step of a clean-up", ("kind",), ("size", "classes"))
        if not isinstance(given["kind"], str):
            raise ValueError("The kind of a step of a clean-up must be a text.")
        classes = given.get("classes")
        ids = None if classes is None else tuple(checks.sequence(classes, "The classes of a step", LARGEST_CLASS_ID))
        return cls(given["kind"], given.get("size", 0), ids)

    @classmethod
    def from_text(cls, text: str) -> CleanUpStep:
        """The step that was typed, such as ``"drop_small=20"``, ``"split=0.5@1,2"`` or ``"drop_border@1"``.

        Raises:
            ValueError: if it is not understood.
        """
        kind, size, unit, classes = parts_of_text(text)
        if unit:
            raise ValueError(f"The size of {text[:60]!r} is in a unit, and must be in pixels here.")
        return cls(kind, size, classes)

    def to_text(self) -> str:
        """The step as it is typed."""
        size = f"={self.size:g}" if SIZES[self.kind][0] else ""
        return self.kind + size + ("" if self.classes is None else f"@{','.join(map(str, self.classes))}")


def parts_of_text(text: str) -> tuple[str, float, str, tuple[int, ...] | None]:
    """Kind, size, its unit (empty for pixels) and classes (None for all) of a step that was typed.

    Raises:
        ValueError: if it is not understood.
    """
    found = _TYPED.fullmatch(text.strip())
    if not found:
        raise ValueError(f"{text[:60]!r} is no step of a clean-up such as drop_small=20 or drop_small=5um2@1,2.")
    kind, size, unit, classes = found.groups()
    ids = None if classes is None else tuple(int(one) for one in classes.split(",") if one)
    try:
        number = 0 if size is None else float(size) if "." in size else int(size)
    except ValueError:
        raise ValueError(f"{size!r} is not a number.") from None
    return kind, number, "" if unit in (None, "px") else unit, ids


Steps = Iterable[CleanUpStep | Mapping[str, Any]]
"""Steps, or the plain JSON values of steps."""


def checked_steps(steps: Steps) -> tuple[CleanUpStep, ...]:
    """The steps of a clean-up.

    Raises:
        ValueError: if one of them is not possible, or there are more than 32.
    """
    given = checks.sequence(list(steps), "A clean-up", MOST_STEPS)
    return tuple(one if isinstance(one, CleanUpStep) else CleanUpStep.from_json(one) for one in given)


def steps_from_json(values: object) -> tuple[CleanUpStep, ...]:
    """The steps that a file or a journal holds.

    Raises:
        ValueError: if they are no list, or one of them is not possible, or there are more than 32.
    """
    return checked_steps(checks.sequence(values, "A clean-up", MOST_STEPS))


def changes_classes(steps: Iterable[CleanUpStep]) -> bool:
    """Whether any of the steps can change the class of a pixel."""
    return any(step.kind not in (SPLIT, SPLIT_CORNERS) for step in steps)


def split_eagerness(steps: Iterable[CleanUpStep], class_id: int) -> float:
    """How eagerly the objects of a class are split: as the last step says that is about it; 0 if none is."""
    sizes = [step.size for step in steps if step.kind == SPLIT and step.concerns(class_id)]
    return sizes[-1] if sizes else 0.0


def connectivity_of(steps: Iterable[CleanUpStep], class_id: int, otherwise: int = 8) -> int:
    """With how many neighbours the pixels of an object of a class are connected: 4 if a step says so."""
    return 4 if any(step.kind == SPLIT_CORNERS and step.concerns(class_id) for step in steps) else otherwise


def carry_out(
    steps: Sequence[CleanUpStep],
    ids: NDArray[np.uint8],
    *,
    smooth: Callable[[NDArray[np.uint8], CleanUpStep], None],
    fill_holes: Callable[[NDArray[np.uint8], int, int], None],
    drop: Callable[[NDArray[np.uint8], int, CleanUpStep], None],
) -> None:
    """Carry out steps in their order, each class by class, the smallest id first; those that split change no classes.

    Args:
        steps: the steps.
        ids: class ids, uint8 of any shape; they are changed.
        smooth: smooths the borders of the classes of a step.
        fill_holes: fills the holes of a class up to a size.
        drop: drops the parts of a class that a step names.
    """
    for step in steps:
        if step.kind == SMOOTH:
            smooth(ids, step)
            continue
        for class_id in np.flatnonzero(np.bincount(ids.ravel(), minlength=256)).tolist():
            if class_id and step.concerns(class_id):
                if step.kind == FILL_HOLES:
                    fill_holes(ids, class_id, int(step.size))
                elif step.kind in (DROP_SMALL, DROP_BORDER, KEEP_BORDER):
                    drop(ids, class_id, step)
