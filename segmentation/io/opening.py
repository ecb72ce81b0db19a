"""Opening the files of images, among all that a disk holds under the name of one."""

from __future__ import annotations

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_file(path: str | Path) -> BufferedReader:
    """Opens a file, and never waits as one would at a pipe to which nobody writes.

    Raises:
        OSError: if it cannot be opened, or is a pipe or a device.
        ValueError: if its name is not possible.
    """
    return open(path, "rb", opener=_open_at_once)


def _open_at_once(path: str, flags: int) -> int:
    handle = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is a pipe or a device")
    return handle
