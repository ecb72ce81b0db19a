"""From which images of a session the classifier for its current one learns: those with the same channels.

Channels are the same where names say so: what is learnt on an image is of use for one that has all of its channels, and
perhaps more, in whatever order. Where names are missing their number must fit. ``assets/page/alike.mjs`` says the
same in the browser.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Facts = Mapping[str, Any]
"""What is known of an image of a session."""


def images_alike(current: Facts, labelled: Iterable[Facts]) -> list[Facts]:
    """The images to learn from, in their order.

    Args:
        current: the image that the classifier is for.
        labelled: the images on which something is labelled.
    """
    drawn = list(labelled)
    here = any(one["hash"] == current["hash"] for one in drawn)
    some = [one for one in drawn if serves(one, current) or (here and serves(current, one))]
    if not some:
        return []
    fewest = min(some, key=lambda one: one["channels"])
    return [one for one in some if serves(fewest, one)]


def serves(learnt: Facts, other: Facts) -> bool:
    """Whether what is learnt on an image is of use for another one."""
    names, named = set(learnt.get("channel_names", ())), set(other.get("channel_names", ()))
    return bool(learnt["channels"] == other["channels"] or (names and names < named))
