"""What waits of an answer to be taken: in memory, then on the disk; where that is full, whoever sends it waits."""

from __future__ import annotations

from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

from waitress.buffers import OverflowableBuffer, TempfileBasedBuffer


class _OnDisk(TempfileBasedBuffer):  # type: ignore[misc]
    """A file that holds all of what is added or, where the disk is full, none of it."""

    def newfile(self) -> BinaryIO:
        """An empty one, of which nothing waits in memory to be written."""
        return cast("BinaryIO", TemporaryFile("w+b", buffering=0))

    def append(self, part: bytes) -> None:
        """Add a part.

        Raises:
            OSError: if there is no room for it.
        """
        place, end = self.file.tell(), self.file.seek(0, 2)
        try:
            left = memoryview(part)
            while left:
                left = left[self.file.write(left) :]
        except OSError:
            self.file.truncate(end)
            raise
        finally:
            self.file.seek(place)
        self.remain += len(part)


class Waiting(OverflowableBuffer):  # type: ignore[misc]
    """A buffer of waitress that is as it was where the disk has no room for more.

    Args:
        overflow: bytes that it holds in memory at most.
    """

    def append(self, part: bytes) -> None:
        """Add a part; what is more than fits the memory goes to the disk before.

        Raises:
            OSError: if there is no room for it: then none of it was added.
        """
        if not self.overflowed and len(self) + len(part) > self.overflow:
            self._move_to_disk()
        super().append(part)

    def _move_to_disk(self) -> None:
        on_disk, here = _OnDisk(), self.get()
        try:
            on_disk.append(here)
        except OSError:
            on_disk.close()
            raise
        self.close()
        self.strbuf, self.buf, self.overflowed = b"", on_disk, True

    def _set_large_buffer(self) -> None:
        """Nothing: what is too much for the memory has gone to the disk before it was added."""


def in_parts(data: Any, size: int) -> list[Any]:
    """Bytes in parts of at most that size; anything else as it is."""
    if not isinstance(data, bytes | bytearray) or len(data) <= size:
        return [data]
    return [data[first : first + size] for first in range(0, len(data), size)]
