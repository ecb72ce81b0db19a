"""The files of stacks, on the disk of this machine while planes are read out of them.

The store holds a stack once, as the file that came. Reading a plane out of it needs a file that can be read in any
order: the store's own where it keeps large ones as such, else a copy, since neither a database nor an object store has
one.
"""

from __future__ import annotations

import os
import weakref
from io import BufferedReader
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, BinaryIO, Protocol, cast

from segmentation._shared.bounded_cache import BoundedCache

DESCRIPTORS = "/proc/self/fd"
"""Where the system has this, a file that lies in no folder is opened again, with a place of its own in it."""

MOST_FILES = 64
"""Files that are kept open, however small they are."""


class Kept(Protocol):
    """Where such files are kept, each for a session and under a name."""

    def opened_image(self, session_id: str, image_hash: str, /) -> BinaryIO | None:
        """The file itself, where it is one on this machine; raises an UnknownImageError if there is none."""

    def write_image(self, session_id: str, image_hash: str, file: BinaryIO, /) -> None:
        """Write it to another file; raises an UnknownImageError if there is none."""


class _OpenFile:
    """A file that stays open, and is there, as long as anybody has this."""

    def __init__(self, file: IO[bytes]) -> None:
        file.flush()
        self.descriptor = os.dup(file.fileno())
        self.size = os.fstat(self.descriptor).st_size
        weakref.finalize(self, os.close, self.descriptor)

    def reopened(self) -> BufferedReader | bytes:
        if os.path.isdir(DESCRIPTORS):
            return open(f"{DESCRIPTORS}/{self.descriptor}", "rb")
        return os.pread(self.descriptor, self.size, 0)


class StackFiles:
    """The files of stacks: those of the store where it opens them, else copies, which lie in no folder, so that nothing
    is left of them, however this ends.

    Args:
        store: where the files come from.
        max_bytes: of all of them together.
    """

    def __init__(self, store: Kept, max_bytes: int) -> None:
        self._store = store
        self._lock = Lock()
        self._files: BoundedCache[str, _OpenFile] = BoundedCache(
            max_bytes, lambda file: max(file.size, max_bytes // MOST_FILES)
        )

    def put(self, session_id: str, stack: str, content: bytes | BinaryIO) -> None:
        """Keep a file that has just come, unless the store has it as one: its bytes, or what :func:`reopened` gave."""
        own = self._store.opened_image(session_id, stack)
        if own is not None:
            own.close()
        elif isinstance(content, bytes):
            with TemporaryFile() as file:
                file.write(content)
                self._files.put(stack, _OpenFile(file))
        else:
            self._files.put(stack, _OpenFile(content))

    def open(self, session_id: str, stack: str) -> BufferedReader | bytes:
        """The file of a stack, open for reading from its beginning; its bytes where it cannot be opened again.

        Raises:
            UnknownImageError: if the session has no such stack.
        """
        own = self._store.opened_image(session_id, stack)
        if own is not None:
            return cast(BufferedReader, own)
        file = self._files.get(stack)
        if file is None:
            with self._lock:  # of many who ask at once for the same file, one fetches it
                file = self._files.get(stack) or self._fetch(session_id, stack)
        return file.reopened()

    def _fetch(self, session_id: str, stack: str) -> _OpenFile:
        with TemporaryFile() as copy:
            self._store.write_image(session_id, stack, cast(BinaryIO, copy))
            file = _OpenFile(copy)
        self._files.put(stack, file)
        return file


def reopened(file: IO[bytes]) -> BufferedReader | bytes:
    """A file with a place of its own in it, which stays when the file is closed; its bytes where that cannot be."""
    return _OpenFile(file).reopened()
