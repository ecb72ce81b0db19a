"""Words, names and durations as people read them."""

from __future__ import annotations

import re
import unicodedata

MAX_NAME_LENGTH = 200
"""Characters of a name that somebody else chose, beyond which it is cut off."""

UNSHOWABLE = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode categories that no name needs: control characters, lone surrogates, line and paragraph separators."""

_NOT_IN_XML = re.compile("[^\t\n\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")


def counted(number: int, thing: str) -> str:
    """``"1 image"``, ``"2,000 images"``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


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


def escaped(text: str) -> str:
    """The text on one line, with what cannot be shown or encoded written as escapes, such as ``\\xe9`` for a byte."""
    return "".join(_escape(one) if unicodedata.category(one) in UNSHOWABLE else one for one in text)


def _escape(character: str) -> str:
    byte = ord(character) - 0xDC00  # how Python keeps the bytes of names that are no UTF-8
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode("ascii")


def in_xml(text: str) -> str:
    """The text with U+FFFD in place of what no XML can hold: control characters, lone surrogates, U+FFFE and U+FFFF."""
    return _NOT_IN_XML.sub("\ufffd", text)


def natural_key(text: str) -> tuple[list[int | str], str]:
    """What texts are sorted by so that ``"slice2"`` comes before ``"slice10"``."""
    parts = re.split(r"([0-9]+)", text)
    return [int(part) if number % 2 else part for number, part in enumerate(parts)], text
