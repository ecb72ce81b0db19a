"""The kinds of features, and which of them trees look at in single channels."""

from __future__ import annotations

import re
from typing import cast

from segmentation.io.limits import MAX_CHANNELS

KINDS = ("intensity", "edges", "texture", "differences", "colour")
"""The kinds of features, each of which can be switched on and off."""

TOO_MANY_CHANNELS = f"Features are of at most {MAX_CHANNELS} channels: an image has no more."


def channel_and_kinds(channel: object, kinds: object) -> tuple[int, list[str]]:
    """A channel and its kinds, as JSON names them.

    Raises:
        ValueError: if they are none.
    """
    named = isinstance(channel, str) and re.fullmatch("[0-9]{1,9}", channel)
    listed = isinstance(kinds, list) and len(kinds) <= len(KINDS) and all(isinstance(kind, str) for kind in kinds)
    if not named or not listed:
        raise ValueError("The feature setting 'by_channel' must name kinds of features by numbers of channels.")
    return int(str(channel)), cast("list[str]", kinds)


def checked_table(by_channel: object) -> tuple[tuple[int, tuple[str, ...]], ...] | None:
    """The kinds of each channel as pairs in one order; None if there is nothing in it.

    Raises:
        ValueError: if there are no such channels or kinds.
    """
    if by_channel is None:
        return None
    table: dict[int, tuple[str, ...]] = {}
    given = dict(by_channel)  # type: ignore[call-overload]
    if len(given) > MAX_CHANNELS or max(given, default=0) >= MAX_CHANNELS:
        raise ValueError(TOO_MANY_CHANNELS)
    for channel, kinds in given.items():
        if isinstance(kinds, str) or not all(kind in KINDS for kind in kinds):
            raise ValueError(f"What the forest looks at in a channel is some of {', '.join(KINDS)}.")
        if channel < 0:
            raise ValueError("Channels are counted from 0.")
        table[int(channel)] = tuple(kind for kind in KINDS if kind in kinds)
    return tuple(sorted((channel, kinds) for channel, kinds in table.items() if kinds != KINDS)) or None
