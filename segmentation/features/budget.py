"""How much memory the features that are kept may take; loads nothing that needs NumPy."""

from __future__ import annotations

import os

from segmentation._shared.memory import memory_bytes

CACHE_MEGABYTES_VARIABLE = "SQUIGGLE_FEATURE_CACHE_MB"
LEAST_CACHE_MEGABYTES = 32
"""Suits a host of 512 MB, of which the process itself takes about 200 and a 16 megapixel image with what is shown of it
100 more; more bits than it holds, of 0.26 megapixel of RGB at the default features, are as soon read from the disk."""

DEFAULT_DRAFT_MEGABYTES = 24
"""The drafts of two images of RGB at the default features."""

HOST_MEGABYTES = 512
"""What is left to the rest of a process before the features are given more."""


def default_cache_bytes(processes: int = 1) -> int:
    """The feature cache's budget in bytes unless it is set: a quarter of the memory beyond what a small host has.

    On a machine of 8 GB the bits of 15 megapixel RGB fit at the default features, of one person or of many.

    Args:
        processes: that have such a cache each.
    """
    beyond = (memory_bytes() - HOST_MEGABYTES * 2**20) // 4
    return max(beyond // processes, LEAST_CACHE_MEGABYTES * 2**20)


def cache_bytes_from_environment() -> int:
    """The feature cache's budget in bytes, as the environment variable ``SQUIGGLE_FEATURE_CACHE_MB`` has it.

    Raises:
        ValueError: if it is set to something else than a number of megabytes.
    """
    text = os.environ.get(CACHE_MEGABYTES_VARIABLE)
    if text is None:
        return default_cache_bytes()
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = -1.0
    if not 0 <= megabytes < float("inf"):
        raise ValueError(f"{CACHE_MEGABYTES_VARIABLE} must be a number of megabytes, but it is {text!r}.")
    return int(megabytes * 2**20)
