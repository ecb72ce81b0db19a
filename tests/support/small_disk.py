"""A real file system of a few megabytes, which can be filled."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest


class SmallDisk:
    """A file system in memory, mounted on a folder of its own."""

    def __init__(self, megabytes: int, owner: int = 0) -> None:
        if os.name != "posix" or os.geteuid() != 0:
            pytest.skip("mounting a small disk needs root")
        # Not among pytest's folders, which only this user may enter.
        self.folder = Path(tempfile.mkdtemp(prefix="squiggle-disk-"))
        self.folder.chmod(0o755)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,uid={owner},mode=700", "tmpfs", str(self.folder)]
        run = subprocess.run(mount, capture_output=True, text=True)
        if run.returncode:
            pytest.skip(f"no small disk can be mounted here: {run.stderr.strip()}")

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.folder / "filler").open("wb", buffering=0) as file:
            for size in (2**16, 2**12, 1):
                try:
                    while file.write(bytes(size)):
                        pass
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.folder / "filler").unlink()

    def unmount(self) -> None:
        subprocess.run(["umount", str(self.folder)], check=True)
        self.folder.rmdir()
