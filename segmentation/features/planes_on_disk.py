"""Bit planes on the disk, for images whose planes do not fit the memory: reading them costs less than computing them.

They lie in a file without a name, which the system clears away whatever becomes of the process. It is divided into
chunks, of which a window takes as many as it needs, so that room is never lost between windows of other sizes.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.reused_memory import reused_memory

CHUNK = 2**18
"""Bytes of a chunk: a tile of RGB at the default features takes 31 of them, the last of which is not full."""

FEATURES_AT_ONCE = 16
"""That are read or written together: of a tile less than a megabyte."""

LEFT_FREE = 2**29
"""Bytes of the disk that are left to others: what is written there for oneself ends where less would be free."""


class PlanesOnDisk:
    """Room for bit planes in a file without a name.

    Args:
        folder: of the file, which is made when it is first needed.
        byte_budget: the most bytes that are written there, but for what is still in use when it is given up.
    """

    def __init__(self, folder: Path, byte_budget: int) -> None:
        self.budget = byte_budget
        self._folder = folder
        self._file: _Places | None = None
        self._free: list[int] = []
        self._chunks = 0
        self._lock = threading.Lock()

    def room(self, nbytes: int) -> RoomOnDisk:
        """Room for so many bytes, which is free again when nobody holds it any more."""
        return RoomOnDisk(self, nbytes)

    def add(self, chunks: list[int], nbytes: int) -> bool:
        """Add chunks until they hold so many bytes; whether the disk has room for them."""
        with self._lock:
            needed = bytes_on_disk(nbytes) // CHUNK - len(chunks)
            if needed > len(self._free) and shutil.disk_usage(self._folder).free < LEFT_FREE + needed * CHUNK:
                return False
            for _ in range(needed):
                chunks.append(self._free.pop() if self._free else self._chunks)
                self._chunks = max(self._chunks, chunks[-1] + 1)
            return True

    @property
    def file(self) -> _Places:
        """The file, which is made when it is first needed."""
        with self._lock:
            if self._file is None:
                self._file = _Places(self._folder)
            return self._file

    def give_back(self, chunks: list[int]) -> None:
        """Let others have chunks; without the lock, since any thread may come here amid anything."""
        self._free.extend(chunks)


class _Places:
    """A file without a name, of which several threads read and write places at the same time.

    Where the system cannot do so at a place that is named, as Windows cannot, they take turns.

    Args:
        folder: of the file.

    Raises:
        OSError: if it cannot be made; also by what it does.
    """

    def __init__(self, folder: Path) -> None:
        self.file: IO[bytes] = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 - as long as this is there
        self._turn = threading.Lock()
        weakref.finalize(self, self.file.close)

    def write(self, place: int, part: memoryview) -> None:
        """Write all of a part from a place on."""
        done = 0
        while done < len(part):
            done += self._write_some(place + done, part[done:])

    def read(self, place: int, part: memoryview) -> bool:
        """Fill a part from a place on; whether there was enough."""
        done = 0
        while done < len(part) and (got := self._read_some(place + done, part[done:])):
            done += got
        return done == len(part)

    def _write_some(self, place: int, part: memoryview) -> int:
        if hasattr(os, "pwritev"):
            return os.pwritev(self.file.fileno(), [part], place)
        with self._turn:
            self.file.seek(place)
            return self.file.write(part)

    def _read_some(self, place: int, part: memoryview) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self.file.fileno(), [part], place)
        with self._turn:
            self.file.seek(place)
            return int(self.file.readinto(part))  # type: ignore[attr-defined]


def bytes_on_disk(nbytes: int) -> int:
    """What so many bytes take there: whole chunks."""
    return -(-nbytes // CHUNK) * CHUNK


class RoomOnDisk:
    """Room for the bit planes of one window, feature after feature: only those that are needed are read or written.

    Args:
        planes: where it is.
        nbytes: how large it is.
    """

    def __init__(self, planes: PlanesOnDisk, nbytes: int) -> None:
        self.nbytes = nbytes
        self._planes = planes
        self._chunks: list[int] = []
        weakref.finalize(self, planes.give_back, self._chunks).atexit = False

    def write(self, packed: NDArray[np.uint8], features: NDArray[np.bool_]) -> bool:
        """Keep some features.

        Args:
            packed: ``(blocks, features, ...)`` uint8 of ``nbytes`` bytes.
            features: which of them, one at least.

        Returns:
            whether the disk has room for them.
        """
        with suppress(OSError), reused_memory() as room:
            if not self._planes.add(self._chunks, self.nbytes):
                return False
            for run in _runs(features):
                planes = _by_feature(packed, run)
                lying = room(planes.shape, np.uint8)
                np.copyto(lying, planes)
                for place, part in self._parts(lying, run.start * (self.nbytes // len(features))):
                    self._planes.file.write(place, part)
            return True
        return False

    def read(self, packed: NDArray[np.uint8], features: NDArray[np.bool_]) -> bool:
        """Fill in some features that were kept; else as :meth:`write`.

        Returns:
            whether all of them could be read.
        """
        with suppress(OSError), reused_memory() as room:
            for run in _runs(features):
                planes = _by_feature(packed, run)
                lying = room(planes.shape, np.uint8)
                parts = self._parts(lying, run.start * (self.nbytes // len(features)))
                if not all(self._planes.file.read(place, part) for place, part in parts):
                    return False
                np.copyto(planes, lying)
            return True
        return False

    def _parts(self, lying: NDArray[np.uint8], start: int) -> Iterator[tuple[int, memoryview]]:
        """Where the parts of some bytes lie in the file, that begin so far in this room."""
        memory, done = lying.reshape(-1).data, 0
        while done < len(memory):
            number, within = divmod(start + done, CHUNK)
            size = min(CHUNK - within, len(memory) - done)
            yield self._chunks[number] * CHUNK + within, memory[done : done + size]
            done += size


def _runs(features: NDArray[np.bool_]) -> Iterator[slice]:
    """The features that are chosen, those side by side together, as far as the memory for them is small."""
    chosen = np.flatnonzero(features)
    for side_by_side in np.split(chosen, np.flatnonzero(np.diff(chosen) > 1) + 1):
        for first in range(0, len(side_by_side), FEATURES_AT_ONCE):
            some = side_by_side[first : first + FEATURES_AT_ONCE]
            yield slice(int(some[0]), int(some[-1]) + 1)


def _by_feature(packed: NDArray[np.uint8], run: slice) -> NDArray[np.uint8]:
    """A view of some features, each with all its blocks."""
    return packed[:, run].swapaxes(0, 1)
