"""Long bodies, which lie on the disk and are hashed while they come in."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from tempfile import TemporaryFile, gettempdir
from typing import BinaryIO, cast

NewFile = Callable[[int], BinaryIO | None]
"""Gives an empty file without a name for so many bytes; None if any file will do."""

"""What the system says where a disk is full, or what somebody may have of it."""


def any_file(_size: int) -> None:
    """Nobody has a wish where a body lies."""


class LongBody:
    """What a receiver of waitress adds the parts of a body to; it takes the place of waitress's own buffer.

    Args:
        size: its bytes.
        new_file: where it is to lie.

    Raises:
        OSError: that the disk is full, if it fits nowhere; so does :meth:`append` if the room is gone meanwhile.
    """

    def __init__(self, size: int, new_file: NewFile) -> None:
        self._file = new_file(size) or _with_room(size)
        self._hash = sha256()
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def append(self, part: bytes) -> None:
        """Add what has come."""
        self._file.write(part)
        self._file.flush()  # or it turns out later that there was no room
        self._hash.update(part)
        self._length += len(part)

    def getfile(self) -> BinaryIO:
        """All that has come, at its beginning."""
        self._file.seek(0)
        return self._file

    @property
    def digest(self) -> str:
        """The SHA-256 of what has come, as hexadecimal digits."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Forget it."""
        self._file.close()


def _with_room(size: int) -> BinaryIO:
    """An empty file in the temporary folder, which has so many bytes for it and nobody else."""
    file = cast("BinaryIO", TemporaryFile())  # noqa: SIM115 - closed with the request
    try:
        if shutil.disk_usage(gettempdir()).free < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
    except BaseException:
        file.close()
        raise
    return file
