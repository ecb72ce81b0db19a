"""Who did what: the author of an event, as a browser or a reverse proxy names them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from segmentation._shared import checks

MAX_AUTHOR_NAME = 40
MAX_TIME = 253_402_300_799
"""Seconds since 1970 that are believed: later years have more than four digits, which no table of dates knows."""

_AUTHOR_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def checked_author(value: Any) -> dict[str, str]:
    """An author from a browser: ``id``, made at random by it, and ``name``, which may be empty.

    A name is made to fit: nothing that somebody does is refused for what they call themselves.

    Raises:
        ValueError: with a sentence for the person, if it is none.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("id"), str) or not _AUTHOR_ID.fullmatch(value["id"]):
        raise ValueError("The page did not say properly who does this: reload it.")
    name = value.get("name", "")
    if not isinstance(name, str):
        raise ValueError("The page did not say properly who does this: reload it.")
    return {"id": value["id"], "name": _fitting(name)}


def author_of_user(user: str) -> dict[str, str]:
    """The author for a user whom a reverse proxy names: the same one in each of their browsers."""
    digest = hashlib.sha256(user.encode("utf-8", "surrogatepass")).hexdigest()
    return {"id": f"user-{digest[:32]}", "name": _fitting(user)}


def _fitting(name: str) -> str:
    """A name as one line that can be shown, cut off where it is too long."""
    printable = "".join(character if character.isprintable() else " " for character in name)
    return " ".join(printable.split())[:MAX_AUTHOR_NAME].strip()


def who_and_when(event: Mapping[str, Any]) -> dict[str, Any]:
    """The ``author`` and the ``time`` (seconds since 1970) of an event, if it has them; those of old journals do not.

    Raises:
        ValueError: with a sentence, if they are none.
    """
    found: dict[str, Any] = {}
    if "author" in event:
        found["author"] = checked_author(event["author"])
    if "time" in event:
        found["time"] = checks.whole_number(event["time"], "The time of an event", 0, MAX_TIME)
    return found
