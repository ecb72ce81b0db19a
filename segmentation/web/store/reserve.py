"""Room on a full disk that is left to deleting: SQLite needs some to open a file, and to delete from it."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from segmentation._shared.full_disk import is_full

RESERVE_BYTES = 2 * 2**20
"""Deleting writes lists of the pages that become free: about a thousandth of what is deleted."""


class Reserve:
    """A file of nothing beside a database, removed for what a full disk must still allow.

    Args:
        folder: of the database.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "reserve"

    def hold(self, more: int = 0) -> bool:
        """Make sure that there is room for deleting later; returns False if the disk is too full for that.

        Args:
            more: bytes that must be free besides.
        """
        if self._path.exists():
            return not more or self._free_bytes() >= more
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        try:
            if self._free_bytes() < 2 * RESERVE_BYTES + more:
                return False
            unfinished.write_bytes(bytes(RESERVE_BYTES))
            unfinished.rename(self._path)
        except OSError as problem:
            return not is_full(problem)
        finally:
            unfinished.unlink(missing_ok=True)
        return True

    def release_if_needed(self) -> None:
        """Give the room up, if there is no other, for what is done next."""
        with suppress(OSError):
            if self._free_bytes() < RESERVE_BYTES:
                self._path.unlink(missing_ok=True)

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._path.parent).free
