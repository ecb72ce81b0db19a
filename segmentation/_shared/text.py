"""Words that sentences for people have in common."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """``"1 image"``, ``"2 images"``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"
