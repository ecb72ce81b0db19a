"""Whether the file of an SQLite database is still what it was: SQLite itself writes on into one that is deleted."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

from segmentation.web.store.errors import StoreLostError

HEADER_BYTES = 100
MAGIC = b"SQLite format 3\0"
LOOKS, LOOK_AGAIN_SECONDS = 20, 0.05
"""Another process may just be making the file, or making it longer: it is looked at again before it is called cut."""

log = logging.getLogger(__name__)


class SqliteFile:
    """A database file, watched from its beginning or from when the server started.

    Args:
        path: of the file; it may not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._identity: tuple[int, int] | None = None

    def check(self, *, is_open: bool) -> None:
        """Make sure that it is there, the same as before, and whole.

        Args:
            is_open: whether this process has it open, so that what was written last lies in a file beside it.

        Raises:
            StoreLostError: with a sentence, if it is not.
        """
        try:
            found = self._path.stat()
        except FileNotFoundError:
            if self._identity is None:
                return
            raise StoreLostError from None
        identity = (found.st_dev, found.st_ino)
        self._identity = self._identity or identity
        if identity != self._identity or (is_open and not self._log.exists()):
            raise StoreLostError
        if not self._is_whole():
            reason = f"{self._path.name} is cut off, or not a database"
            log.error(reason)
            raise StoreLostError from ValueError(reason)

    def _is_whole(self) -> bool:
        for look in range(LOOKS):
            if look:
                time.sleep(LOOK_AGAIN_SECONDS)
            with self._path.open("rb") as file:
                header = file.read(HEADER_BYTES)
                size = os.fstat(file.fileno()).st_size
            page_bytes, pages = int.from_bytes(header[16:18], "big"), int.from_bytes(header[28:32], "big")
            if header.startswith(MAGIC) and size >= pages * (2**16 if page_bytes == 1 else page_bytes):
                return True
        return False
