"""How the test command gets the programs that the tests need and pip does not bring."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence


def ensure(name: str, there: Callable[[], object], ways: Sequence[Sequence[str]], advice: str) -> None:
    """Install something where it is missing, or end with a sentence on how to get it.

    Args:
        name: of what is to be installed, and what for.
        there: says whether it is there.
        ways: commands that install it, tried one after the other.
        advice: the sentence.
    """
    if there():
        return
    if ways:
        print(f"Installing {name}", flush=True)
    for way in ways:
        if subprocess.run(way, check=False).returncode == 0 and there():
            return
    sys.exit(advice)


def by_apt(script: str) -> list[list[str]]:
    """A shell script that calls apt-get, as the only way where it can be run, else none."""
    return [["sh", "-c", script]] if shutil.which("apt-get") and os.geteuid() == 0 else []
