"""Words, names and durations as people read them."""

from __future__ import annotations

MAX_NAME_LENGTH = 200
"""Characters of a name that somebody else chose, beyond which it is cut off."""


def counted(number: int, thing: str) -> str:
    """``"1 image"``, ``"2 images"``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """A time for people: ``"8 s"``, ``"3 min 20 s"``, ``"2 h 5 min"``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def printable(text: str) -> str:
    """The text without characters that cannot be shown."""
    return "".join(character for character in text if character.isprintable())


def shown_name(name: str) -> str:
    """A name that somebody else chose, without what cannot be shown, cut off where it is too long."""
    return printable(name).strip()[:MAX_NAME_LENGTH]
