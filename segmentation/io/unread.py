"""What of an image of any size cannot be read, since its file is damaged, or was not copied to its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

UNREAD = "unread"
"""Under which the metadata of an image say what part of it cannot be read, from 0 to 1, as far as that is known."""

UNREAD_PIXELS = "unread_pixels"
"""The same as a number of pixels, of a window of a level from which coarser ones are made."""


def unread_part(metadata: Mapping[str, Any]) -> float:
    """What part of an image cannot be read, from 0 to 1, as far as its metadata say it."""
    part = metadata.get(UNREAD, 0.0)
    known = isinstance(part, int | float) and not isinstance(part, bool) and 0 < part <= 1
    return float(part) if known else 0.0


def unread_note(part: float) -> str:
    """The sentence on that, for the person who opened the image; empty of one that can be read."""
    if not part:
        return ""
    much = f"About {100 * part:.0f} %" if part >= 0.01 else "Less than 1 %"
    return (
        f"{much} of this image cannot be read, since its file is damaged or incomplete: copy it again. The rest of it "
        "is there."
    )
