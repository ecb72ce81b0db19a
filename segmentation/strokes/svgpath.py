"""SVG path data -> polylines.

Plotly writes a drawn shape as ``M x,yL x,y...`` in data units, with ``Z`` at the end of a closed one, numbers as
JavaScript prints them (``31.5``, ``1e-15``), and C, Q, S and T where a shape that came with curves was edited. A
person's own file may hold anything that SVG 1.1 allows, so all of its commands are read, absolute and relative.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

MAX_POINTS = 100_000
"""Most points that one path can have once its curves are straight lines."""

MAX_COORDINATE = 1e7
"""Largest coordinate, in pixels, to either side of 0."""

FLATNESS = 0.1
"""Farthest that a straight line may be from the curve it stands for, in pixels."""

_LONGEST_TEXT = 60 * MAX_POINTS
_SEPARATORS = str.maketrans("MLZ,", "    ")
_NUMBER = r"[-+]?(?:[0-9]++\.?+[0-9]*+|\.[0-9]++)(?:[eE][-+]?[0-9]++)?+"
_NUMBERS = re.compile(_NUMBER)
_ARGUMENT_LIST = re.compile(rf"(?:[\s,]*+{_NUMBER})*+[\s,]*+")
_POLYLINES = re.compile(rf"(?:M{_NUMBER},{_NUMBER}(?:L{_NUMBER},{_NUMBER})*+Z?+)++")
_COMMANDS = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*+)")
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

Point = tuple[float, float]


@dataclass(frozen=True)
class Subpath:
    """A polyline.

    Attributes:
        points: ``(n, 2)`` float64, x and y.
        closed: whether a last line, not among the points, leads back to the first (``Z``).
    """

    points: NDArray[np.float64]
    closed: bool


def parse_path(text: str) -> list[Subpath]:
    """The polylines of SVG path data, with curves as straight lines that stay within 0.1 pixels of them.

    Args:
        text: path data, in pixels.

    Returns:
        At least one polyline, each of at least one point.

    Raises:
        ValueError: if the text is no path, or has more than 100,000 points or coordinates beyond 1e7.
    """
    if not isinstance(text, str):
        raise ValueError("A path must be a text.")
    if len(text) > _LONGEST_TEXT:
        _refuse_length()
    if _POLYLINES.fullmatch(text):  # what nearly every stroke is, and read several times as fast
        subpaths = [
            Subpath(np.array(part.translate(_SEPARATORS).split(), np.float64).reshape(-1, 2), part.endswith("Z"))
            for part in text.split("M")[1:]
        ]
    else:
        tracer = _Tracer()
        for command, numbers in _steps(text):
            tracer.step(command, numbers)
        subpaths = tracer.finish()
    if sum(len(subpath.points) for subpath in subpaths) > MAX_POINTS:
        _refuse_length()
    if any((np.abs(subpath.points) > MAX_COORDINATE).any() for subpath in subpaths):
        raise ValueError(f"A path leads beyond {MAX_COORDINATE:,.0f} pixels.")
    return subpaths


def format_path(subpaths: list[Subpath]) -> str:
    """Path data of polylines; reading it gives back the very same numbers."""
    return "".join(
        "M" + "L".join(f"{_short(x)},{_short(y)}" for x, y in subpath.points.tolist()) + "Z" * subpath.closed
        for subpath in subpaths
    )


def _short(value: float) -> str:
    return repr(value).removesuffix(".0")


def _refuse_length() -> NoReturn:
    raise ValueError(f"A path has more than {MAX_POINTS:,} points.")


def _steps(text: str) -> Iterator[tuple[str, list[float]]]:
    """Each command letter with its numbers, one set of arguments at a time."""
    matches = list(_COMMANDS.finditer(text))
    if not matches or text[: matches[0].start()].strip() or matches[0][1] not in "Mm":
        raise ValueError("A path must begin with M.")
    for match in matches:
        letter, rest = match.groups()
        if not _ARGUMENT_LIST.fullmatch(rest):
            raise ValueError(f"A path has something after {letter} that is not a number.")
        numbers = [float(number) for number in _NUMBERS.findall(rest)]
        count = _ARGUMENTS[letter.upper()]
        if (len(numbers) % count or not numbers) if count else numbers:
            raise ValueError(f"A path has {len(numbers)} numbers after {letter}; it takes {count}.")
        if any(abs(number) > MAX_COORDINATE for number in numbers):
            raise ValueError(f"A path has a number beyond {MAX_COORDINATE:,.0f}.")
        yield letter, numbers[:count]
        following = {"M": "L", "m": "l"}.get(letter, letter)
        for start in range(count, len(numbers), count or 1):
            yield following, numbers[start : start + count]


class _Tracer:
    """Follows the commands of a path with a pen."""

    def __init__(self) -> None:
        self.subpaths: list[Subpath] = []
        self.points: list[Point] = []
        self.total = 0
        self.start: Point = (0.0, 0.0)
        self.at: Point = (0.0, 0.0)
        self.control: tuple[str, Point] = ("", self.at)

    def step(self, letter: str, numbers: list[float]) -> None:
        """Carry out one command with one set of arguments."""
        command = letter.upper()
        if command == "Z":
            self._end(closed=True)
            self.at = self.start
        elif command == "M":
            self._end(closed=False)
            self.start = self._places(letter, numbers)[0]
            self._extend([self.start])
        else:
            if not self.points:
                self._extend([self.start])
            self._draw(command, letter, numbers)
        if command not in "CSQT":
            self.control = ("", self.at)

    def finish(self) -> list[Subpath]:
        """The polylines drawn."""
        self._end(closed=False)
        return self.subpaths

    def _draw(self, command: str, letter: str, numbers: list[float]) -> None:
        x, y = self.at
        relative = letter.islower()
        if command == "H":
            self._extend([(numbers[0] + x * relative, y)])
        elif command == "V":
            self._extend([(x, numbers[0] + y * relative)])
        elif command == "A":
            end = self._places(letter, numbers[5:])[0]
            self._extend(_arc(self.at, numbers[0], numbers[1], numbers[2], numbers[3:5], end))
        elif command == "L":
            self._extend(self._places(letter, numbers))
        else:
            degree = "C" if command in "CS" else "Q"
            points = self._places(letter, numbers)
            if command in "ST":
                points.insert(0, self._mirrored(degree))
            self._extend(_bezier([self.at, *points]))
            self.control = (degree, points[-2])

    def _places(self, letter: str, numbers: list[float]) -> list[Point]:
        x, y = self.at if letter.islower() else (0.0, 0.0)
        return [(x + a, y + b) for a, b in zip(numbers[::2], numbers[1::2], strict=True)]

    def _mirrored(self, degree: str) -> Point:
        """The control point that continues the last curve, or the pen's place after anything else."""
        if self.control[0] != degree:
            return self.at
        (x, y), (a, b) = self.at, self.control[1]
        return (2 * x - a, 2 * y - b)

    def _extend(self, points: list[Point]) -> None:
        self.total += len(points)
        if self.total > MAX_POINTS:
            _refuse_length()
        self.points += points
        self.at = points[-1]

    def _end(self, *, closed: bool) -> None:
        if self.points:
            self.subpaths.append(Subpath(np.array(self.points, np.float64), closed))
            self.points = []


def _bezier(control: list[Point]) -> list[Point]:
    """Points along a Bezier curve of degree 2 or 3, without its first.

    A chord of a curve with second derivative at most M leaves it by at most M / 8n^2 for n equal steps.
    """
    degree = len(control) - 1
    bend = max(
        math.hypot(a[0] - 2 * b[0] + c[0], a[1] - 2 * b[1] + c[1])
        for a, b, c in zip(control, control[1:], control[2:], strict=False)
    )
    count = _count(math.sqrt(degree * (degree - 1) * bend / (8 * FLATNESS)))
    t = np.linspace(0, 1, count + 1)[1:, None]
    layer = [np.array([point], np.float64) for point in control]
    while len(layer) > 1:
        layer = [(1 - t) * a + t * b for a, b in pairwise(layer)]
    return [*map(tuple, layer[0][:-1].tolist()), control[-1]]


def _arc(start: Point, rx: float, ry: float, degrees: float, flags: list[float], end: Point) -> list[Point]:
    """Points along an elliptical arc, without its first (SVG 1.1, appendix F.6)."""
    if any(flag not in (0, 1) for flag in flags):
        raise ValueError("A path has an arc whose flags are not 0 or 1.")
    rx, ry = abs(rx), abs(ry)
    if not rx or not ry or start == end:
        return [end]
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    half_x, half_y = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    # in the frame in which the ellipse is a unit circle around its centre
    u, v = (cosine * half_x + sine * half_y) / rx, (cosine * half_y - sine * half_x) / ry
    size = math.hypot(u, v)
    if size < 1e-12:
        return [end]
    grown = max(size, 1.0)
    rx, ry, u, v = rx * grown, ry * grown, u / grown, v / grown
    large, sweep = flags
    offset = math.sqrt(max(0.0, (grown / size) ** 2 - 1)) * (-1 if large == sweep else 1)
    centre_u, centre_v = offset * v, -offset * u
    first = math.atan2(v - centre_v, u - centre_u)
    turn = math.atan2(-v - centre_v, -u - centre_u) - first
    turn = turn % (2 * math.pi) if sweep else -(-turn % (2 * math.pi))
    radius = max(rx, ry)
    step = 2 * math.acos(1 - FLATNESS / radius) if radius > FLATNESS else math.pi / 2
    angles = np.linspace(first, first + turn, _count(abs(turn) / step) + 1)[1:-1]
    along, across = rx * (np.cos(angles) + centre_u), ry * (np.sin(angles) + centre_v)
    x = cosine * along - sine * across + (start[0] + end[0]) / 2
    y = sine * along + cosine * across + (start[1] + end[1]) / 2
    return [*zip(x.tolist(), y.tolist(), strict=True), end]


def _count(segments: float) -> int:
    if segments > MAX_POINTS:
        _refuse_length()
    return max(1, math.ceil(segments))
