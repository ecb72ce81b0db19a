"""How much memory the features that are kept may take; loads nothing that needs NumPy."""

from __future__ import annotations

import os

CACHE_MEGABYTES_VARIABLE = "SQUIGGLE_FEATURE_CACHE_MB"
DEFAULT_CACHE_MEGABYTES = 75
"""Suits a host of 512 MB, of which the process itself takes about 200 and a 16 megapixel image with what is shown of it
100 more; holds 1.3 megapixel of RGB or 4 of grey as bits at the default features."""

DEFAULT_DRAFT_MEGABYTES = 24
"""The drafts of five images of RGB at the default features."""


def cache_bytes_from_environment() -> int:
    """The feature cache's budget in bytes, as the environment variable ``SQUIGGLE_FEATURE_CACHE_MB`` has it.

    Raises:
        ValueError: if it is set to something else than a number of megabytes.
    """
    text = os.environ.get(CACHE_MEGABYTES_VARIABLE, str(DEFAULT_CACHE_MEGABYTES))
    try:
        megabytes = float(text)
    except ValueError:
        megabytes = -1.0
    if not 0 <= megabytes < float("inf"):
        raise ValueError(f"{CACHE_MEGABYTES_VARIABLE} must be a number of megabytes, but it is {text!r}.")
    return int(megabytes * 2**20)
