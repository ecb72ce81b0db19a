"""Steps of a clean-up whose sizes are in units of length: a segmentation is cleaned up in pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from segmentation._shared import checks
from segmentation._shared.text import escaped
from segmentation.io.pixel_size import LARGEST_DIFFERENCE, METRES, PixelSize, pixel_size
from segmentation.objects.steps import DROP_SMALL, FILL_HOLES, SMOOTH, CleanUpStep, checked_steps, parts_of_text

_POWERS = {FILL_HOLES: 2, DROP_SMALL: 2, SMOOTH: 1}
"""Of the unit, by kind of step: areas have squares."""

_NAMES = 3

Sizes = Mapping[str, PixelSize | None]
"""How large the pixels of images are, by the names of these."""


@dataclass(frozen=True)
class SizedStep:
    """A step of a clean-up with a size in a unit of length.

    Attributes:
        kind: ``"fill_holes"``, ``"drop_small"`` or ``"smooth"``, see :class:`CleanUpStep`.
        size: in squares of the unit, of holes and parts; in the unit, of the radius of smoothing.
        unit: such as ``"µm"``.
        classes: the class ids that it is for; None takes all.

    Raises:
        ValueError: if a value is not possible.
    """

    kind: str
    size: float
    unit: str
    classes: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in _POWERS:
            raise ValueError(f"The size of a step {str(self.kind)[:40]!r} has no unit.")
        known = pixel_size(1, 1, str(self.unit)[:20])
        if known is None or known.metres is None:
            raise ValueError(f"{str(self.unit)[:20]!r} is no unit of length: the units are {', '.join(METRES)}.")
        object.__setattr__(self, "unit", known.unit)
        object.__setattr__(self, "size", checks.number(self.size, "The size of a step", 1e-12, 1e12) * known.x)
        CleanUpStep(self.kind, 1, self.classes)

    def in_pixels(self, size: PixelSize) -> CleanUpStep:
        """The same step for an image, as the page has it when the size is typed there.

        Args:
            size: of a pixel of the image, in a unit of length.

        Raises:
            ValueError: if the step is too large in pixels.
        """
        assert size.metres is not None
        power = _POWERS[self.kind]
        in_unit = self.size * (METRES[self.unit] / size.metres) ** power
        pixels = math.floor(in_unit / size.area ** (power / 2) + 0.5)
        return CleanUpStep(self.kind, max(1, pixels), self.classes)

    @classmethod
    def from_text(cls, text: str) -> SizedStep | CleanUpStep:
        """The step that was typed, such as ``"drop_small=5um2@1"`` or ``"smooth=1.5um"``; or one in pixels.

        Raises:
            ValueError: if it is not understood.
        """
        kind, size, unit, classes = parts_of_text(text)
        if not unit:
            return CleanUpStep.from_text(text)
        squared = unit.endswith(("2", "²"))
        if kind in _POWERS and squared != (_POWERS[kind] == 2):
            asked = f"an area, such as {kind}=5um2" if not squared else f"a length, such as {kind}=5um"
            raise ValueError(f"The size of {kind} is {asked}, not {text[:60]!r}.")
        return cls(kind, float(size), unit.rstrip("2²"), classes)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SizedStep:
        """The step that plain values describe: ``kind``, ``size``, ``unit``, and perhaps ``classes``.

        Raises:
            ValueError: if a value is missing, unknown or not possible.
        """
        given = checks.mapping(values, "A step of a clean-up", ("kind", "size", "unit"), ("classes",))
        in_pixels = CleanUpStep.from_json({"kind": given["kind"], "size": 1, "classes": given.get("classes")})
        return cls(in_pixels.kind, given["size"], given["unit"], in_pixels.classes)


AnyStep = CleanUpStep | SizedStep | Mapping[str, Any]
"""A step, or the plain JSON values of one; a ``unit`` among them says that its size is in one."""


def steps_in_pixels(steps: Iterable[AnyStep], sizes: Callable[[], Sizes]) -> tuple[CleanUpStep, ...]:
    """The steps of a clean-up, all in pixels.

    Args:
        steps: perhaps with sizes in a unit.
        sizes: how large the pixels of the images are; only asked if there is such a size.

    Raises:
        ValueError: with the names of the images, if the size of their pixels is not known, or not the same; or if a
            step is not possible.
    """
    read = [
        SizedStep.from_json(one) if isinstance(one, Mapping) and "unit" in one else one
        for one in checks.sequence(list(steps), "A clean-up", 10_000)
    ]
    if not any(isinstance(one, SizedStep) for one in read):
        return checked_steps(one for one in read if not isinstance(one, SizedStep))
    size = _one_size(sizes())
    return checked_steps(one.in_pixels(size) if isinstance(one, SizedStep) else one for one in read)


def _one_size(sizes: Sizes) -> PixelSize:
    """The size of the pixels of all images.

    Raises:
        ValueError: if there is none.
    """
    unknown = [name for name, size in sizes.items() if size is None or size.metres is None]
    known = {name: size for name, size in sizes.items() if size is not None and size.metres is not None}
    if unknown or not known:
        of = f" of {_shortly(unknown)}" if unknown else ""
        raise ValueError(f"How large a pixel{of} is, is not known: say it, such as --pixel-size 0.325um.")
    names = dict[str, list[str]]()
    for name, size in known.items():
        names.setdefault(size.describe(), []).append(name)
    areas = [size.area * size.metres**2 for size in known.values() if size.metres is not None]
    if max(areas) > min(areas) * (1 + LARGEST_DIFFERENCE) ** 2:
        told = "; ".join(f"{size} ({_shortly(some)})" for size, some in names.items())
        raise ValueError(
            f"A clean-up in units needs pixels of one size, and these differ: {told}. Give its sizes in pixels, or "
            "take the images apart."
        )
    return next(iter(known.values()))


def _shortly(names: list[str]) -> str:
    more = f" and {len(names) - _NAMES:,} more" if len(names) > _NAMES else ""
    return ", ".join(map(escaped, names[:_NAMES])) + more
