"""How large a pixel is in the world: what files say of it, in the units that they say it in."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

METRES = {"nm": 1e-9, "µm": 1e-6, "mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "ft": 0.3048, "in": 0.0254}
"""The units of length that are known, in metres."""

DEGREE = "°"
"""The unit of maps in geographic coordinates, which is no length."""

UNITS = (*METRES, DEGREE)

_SPELLINGS = {
    "nanometer": "nm", "nanometers": "nm", "nanometre": "nm", "nanometres": "nm",
    "um": "µm", "\u03bcm": "µm", "\\u00b5m": "µm", "micron": "µm", "microns": "µm", "micrometer": "µm",
    "micrometers": "µm", "micrometre": "µm", "micrometres": "µm",
    "millimeter": "mm", "millimeters": "mm", "millimetre": "mm", "millimetres": "mm",
    "centimeter": "cm", "centimeters": "cm", "centimetre": "cm", "centimetres": "cm",
    "meter": "m", "meters": "m", "metre": "m", "metres": "m",
    "kilometer": "km", "kilometers": "km", "kilometre": "km", "kilometres": "km",
    "foot": "ft", "feet": "ft", "inch": "in", "inches": "in", "degree": DEGREE, "degrees": DEGREE,
}  # fmt: skip
NAMES_IN_OME = {
    "nm": "nanometer", "µm": "micrometer", "mm": "millimeter", "cm": "centimeter", "m": "meter", "km": "kilometer",
    "ft": "foot", "in": "inch",
}  # fmt: skip
"""What OME-Zarr calls the units of length."""

_OTHER_SCALES = {"pm": ("nm", 1e-3), "å": ("nm", 0.1), "angstrom": ("nm", 0.1), "angstroms": ("nm", 0.1)}

LARGEST_DIFFERENCE = 0.01
"""Of the sides of pixels that are taken for equal."""

_READABLE = (("nm", 5e-8), ("µm", 1e-3), ("mm", 1.0), ("m", 1e4))
"""Which unit a length is told in, if it is shorter than so many metres."""


@dataclass(frozen=True)
class PixelSize:
    """How large a pixel is.

    Attributes:
        x: width, in ``unit``.
        y: height.
        unit: one of :data:`UNITS`.
        z: distance from one plane of a stack to the next; None if it is not known.

    Raises:
        ValueError: with a sentence, if a length is no positive number, or the unit is not known.
    """

    x: float
    y: float
    unit: str = "µm"
    z: float | None = None

    def __post_init__(self) -> None:
        """Refuse what is no size; lengths become floats of nine digits, which is what files can hold."""
        if self.unit not in UNITS:
            raise ValueError(f"The unit of the pixel size must be one of {', '.join(UNITS)}.")
        for name in ("x", "y", "z"):
            length = getattr(self, name)
            if name == "z" and length is None:
                continue
            if isinstance(length, bool) or not isinstance(length, int | float) or not 1e-9 <= length <= 1e9:
                raise ValueError("The size of a pixel must be a positive number, from 1e-9 to 1e9.")
            object.__setattr__(self, name, float(f"{length:.9g}"))

    @property
    def spacing(self) -> tuple[float, float]:
        """Height and width, in the order of an array's axes."""
        return self.y, self.x

    @property
    def area(self) -> float:
        """Of a pixel, in squares of the unit."""
        return self.x * self.y

    @property
    def metres(self) -> float | None:
        """The unit in metres; None if it is no length."""
        return METRES.get(self.unit)

    def upright(self, orientation: int) -> PixelSize:
        """The size after pixels were turned as an Exif or TIFF orientation from 1 to 8 asks for."""
        return PixelSize(self.y, self.x, self.unit, self.z) if orientation >= 5 else self

    def describe(self) -> str:
        """For people, such as ``0.325 µm`` or ``10 x 20 m``."""
        sides = [f"{side:.4g}" for side in (self.x, self.y)]
        return f"{sides[0] if sides[0] == sides[1] else ' x '.join(sides)} {self.unit}"

    def to_json(self) -> dict[str, Any]:
        """The size as plain JSON values."""
        return {"x": self.x, "y": self.y, "unit": self.unit, "z": self.z}

    @classmethod
    def from_json(cls, values: object) -> PixelSize:
        """The size that :meth:`to_json` described.

        Raises:
            ValueError: if it is none.
        """
        if not isinstance(values, Mapping) or not {"x", "y", "unit"} <= values.keys() <= {"x", "y", "unit", "z"}:
            raise ValueError("A pixel size has x, y, a unit, and perhaps z.")
        if not isinstance(values["unit"], str):
            raise ValueError("The unit of the pixel size must be text.")
        return cls(values["x"], values["y"], values["unit"], values.get("z"))


def pixel_size(x: object, y: object, unit: str, z: object = None) -> PixelSize | None:
    """What a file says, if it makes sense.

    Args:
        x: width of a pixel.
        y: its height.
        unit: as the file spells it.
        z: distance of planes, if the file says it.

    Returns:
        The size; None if the unit is none that is known, or a length is no positive number.
    """
    spelled = unit.strip().strip("\0").lower()
    known = unit.strip() if unit.strip() in UNITS else _SPELLINGS.get(spelled, spelled)
    known, times = _OTHER_SCALES.get(known, (known, 1.0))
    lengths = [_positive(length) for length in (x, y, z)]
    if known not in UNITS or lengths[0] is None or lengths[1] is None:
        return None
    try:
        deep = lengths[2]
        return PixelSize(lengths[0] * times, lengths[1] * times, known, None if deep is None else deep * times)
    except ValueError:
        return None


def in_readable_unit(x_metres: float, y_metres: float) -> PixelSize | None:
    """A size in the unit in which people would tell it; None if it is no size."""
    if not (math.isfinite(x_metres) and x_metres > 0):
        return None
    unit = next((unit for unit, below in _READABLE if x_metres < below), "km")
    return pixel_size(x_metres / METRES[unit], y_metres / METRES[unit], unit)


def _positive(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None


def parse_length(text: str) -> tuple[float, str]:
    """A length that somebody typed, such as ``"0.5"``, ``"0.5um"`` or ``"2 mm"``, and its unit, empty for pixels.

    Raises:
        ValueError: if it is none.
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)\s*(\D*)", text)
    if not found:
        raise ValueError(f"{text!r} is no length: give a number of pixels, or a number and a unit such as 0.5um.")
    number, unit = float(found[1]), found[2].strip()
    if not unit or unit in ("px", "pixel", "pixels"):
        return number, ""
    size = pixel_size(number, number, unit)
    if size is None:
        raise ValueError(f"{text!r} is no length: the units are px, {', '.join(METRES)}.")
    return size.x, size.unit


def parse_pixel_size(text: str) -> PixelSize:
    """A pixel size that somebody typed, such as ``"0.325um"`` or ``"0.3 x 0.4 um"``; a third number is that of planes.

    Raises:
        ValueError: if it is none.
    """
    found = re.fullmatch(r"\s*([\d.eE+-]+)(?:\s*[x×]\s*([\d.eE+-]+))?(?:\s*[x×]\s*([\d.eE+-]+))?\s*([^\d\s]+)\s*", text)
    size = pixel_size(found[1], found[2] or found[1], found[4], found[3]) if found else None
    if size is None:
        raise ValueError(
            f"{text!r} is no size of a pixel: give its side and a unit, such as 0.325um or 0.3x0.4um; "
            "with the distance of planes 0.3x0.3x2um."
        )
    return size


def in_pixels(length: tuple[float, str], sizes: Sequence[PixelSize | None]) -> float:
    """A length in pixels of images.

    Args:
        length: and its unit, as :func:`parse_length` gives them.
        sizes: of the pixels of the images.

    Raises:
        ValueError: with a sentence, if the size of pixels is not known or no length, or differs between images or along
            the sides of a pixel.
    """
    number, unit = length
    if not unit:
        return number
    known = [size for size in sizes if size is not None and size.metres is not None]
    if not known or len(known) < len(sizes):
        raise ValueError(f"How many {unit} a pixel has is not known: say it, such as --pixel-size 0.325um.")
    sides = [size.metres * side for size in known for side in size.spacing if size.metres is not None]
    if max(sides) > min(sides) * (1 + LARGEST_DIFFERENCE):
        raise ValueError("The pixels are not square, or not of the same size in all images: give sigma in pixels.")
    return float(f"{number * METRES[unit] / sides[0]:.9g}")


def distance_of_planes(sizes: Sequence[PixelSize | None]) -> float:
    """How far the planes of stacks lie apart, in pixels; 1 if none of them says it.

    Args:
        sizes: of the pixels of the stacks.

    Raises:
        ValueError: with a sentence, if it differs between them, or pixels are not square.
    """
    told = [size for size in sizes if size is not None and size.z is not None]
    if not told:
        return 1.0
    distances = [float(f"{size.z / side:.9g}") for size in told for side in size.spacing if size.z is not None]
    if len(told) < len(sizes) or max(distances) > min(distances) * (1 + LARGEST_DIFFERENCE):
        raise ValueError("Planes lie differently far apart, or pixels are not square: say it, such as --spacing 2.5.")
    return distances[0]
