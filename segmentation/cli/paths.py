"""Paths as people type them."""

from __future__ import annotations

import os
from pathlib import Path


def typed_path(text: str) -> Path:
    """A path as it was typed, with the home folder in place of a ``~`` that the shell left as it is."""
    return Path(text if os.path.lexists(text) else os.path.expanduser(text))
