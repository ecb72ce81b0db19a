"""Checking values that strangers send: JSON in files, in requests and in the journal.

Every check raises ValueError with a sentence that names the value, and converts nothing silently.
"""

from __future__ import annotations

import json
import math
import numbers
import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Any, NoReturn

from segmentation._shared.text import UNSHOWABLE

MAX_DIGITS = 18
"""Digits of a whole number, which then fits 64 bits."""

MAX_VALUES = 1_000_000
"""Values in one JSON text: each takes 30 to 100 bytes of memory where it took two in the text."""

# one without an end goes to the end of the file: a search that fails would begin anew at each quote
_TEXTS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)


def refuse_many_values(data: bytes, most: int = MAX_VALUES) -> None:
    """Refuse a JSON text of very many values before it is parsed; commas and brackets outside of its texts are counted.

    Raises:
        ValueError: if it holds more than about ``most`` values.
    """
    many_texts = data.count(b'"') - data.count(b'\\"') > 4 * most  # a key and a value have two quotes each
    if many_texts or (_openings_and_commas(data) > most and _openings_and_commas(_TEXTS.sub(b"", data)) > most):
        raise ValueError(f"it holds more than {most:,} values")


def _openings_and_commas(data: bytes) -> int:
    return data.count(b",") + data.count(b"{") + data.count(b"[")


def parse_json(data: str | bytes, what: str) -> object:
    """The value of a JSON text, read more strictly than the standard library does.

    Args:
        data: the text; bytes must be UTF-8.
        what: what the text is, for the error sentence, such as ``"The strokes file"``.

    Raises:
        ValueError: if it is not JSON, names one key twice, holds NaN, Infinity or a number as large, or is nested
            too deeply, or holds more than ``MAX_VALUES`` values.
    """
    try:
        refuse_many_values(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
        characters = data if isinstance(data, str) else data.decode("utf-8")
        value: object = json.loads(
            characters,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_short,
            object_pairs_hook=_unique_keys,
        )
        refuse_half_characters(value, characters)
        return value
    except RecursionError:
        raise ValueError(f"{what} is nested too deeply.") from None
    except ValueError as error:
        raise ValueError(f"{what} is not valid JSON: {error}.") from None


def refuse_half_characters(value: object, text: str) -> None:
    """Raises a ValueError if a value that was read from a JSON text holds halves of characters, which no file can."""
    if "\\ud" in text.lower():
        json.dumps(value, ensure_ascii=False).encode()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"{digits[:40]} is too large")
    return value


def _short(digits: str) -> int:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise ValueError(f"a whole number has more than {MAX_DIGITS} digits")
    return int(digits)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("it names a key twice")
    return values


def mapping(value: object, what: str, required: Collection[str], optional: Collection[str] = ()) -> Mapping[str, Any]:
    """A JSON object with exactly the keys that are known.

    Raises:
        ValueError: if it is no object, lacks a required key or has an unknown one.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be a JSON object.")
    for key in required:
        if key not in value:
            raise ValueError(f"{what} lacks {key!r}.")
    for key in value:
        if key not in required and key not in optional:
            raise ValueError(f"{what} has the unknown key {str(key)[:40]!r}.")
    return value


def sequence(value: object, what: str, most: int) -> list[Any] | tuple[Any, ...]:
    """A JSON array of at most ``most`` values.

    Raises:
        ValueError: if it is no array or has more.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} must be a JSON array.")
    if len(value) > most:
        raise ValueError(f"{what} has {len(value):,} entries; at most {most:,} are possible.")
    return value


def whole_number(value: object, what: str, least: int, most: int) -> int:
    """A whole number between ``least`` and ``most``; true and false are none.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not least <= int(value) <= most:
        raise ValueError(f"{what} must be a whole number between {least} and {most}.")
    return int(value)


def number(value: object, what: str, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite number between ``least`` and ``most``; true and false are none.

    Raises:
        ValueError: if it is not.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise ValueError(f"{what} must be a number.")
    try:
        finite = float(value)
    except OverflowError:
        finite = math.inf
    if not math.isfinite(finite):
        raise ValueError(f"{what} must be a finite number.")
    if not least <= finite <= most:
        raise ValueError(f"{what} must be between {least:g} and {most:g}.")
    return finite


def text(value: object, what: str, longest: int) -> str:
    """A line of 1 to ``longest`` characters that can be shown, not all of them blanks.

    Raises:
        ValueError: if it is not.
    """
    if not isinstance(value, str):
        raise ValueError(f"{what} must be a text.")
    if not 1 <= len(value) <= longest or not value.strip():
        raise ValueError(f"{what} must have 1 to {longest} characters.")
    if any(unicodedata.category(character) in UNSHOWABLE for character in value):
        raise ValueError(f"{what} has a character that cannot be shown.")
    return value
