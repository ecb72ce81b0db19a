"""Further Python processes that import what this one imports, from any working directory."""

from __future__ import annotations

import os
import sys


def python_command(*arguments: str) -> list[str]:
    """The command that starts this Python with arguments, without adding the working directory to what it imports."""
    return [sys.executable, "-P", *arguments]


def import_paths() -> dict[str, str]:
    """The variable by which another Python looks for modules where this one does, in the same order."""
    return {"PYTHONPATH": os.pathsep.join(os.path.abspath(path) for path in sys.path)}
