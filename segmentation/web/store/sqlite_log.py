"""What the log of an SQLite database holds: pages that are not in its file yet, or only in part.

Its "write-ahead log" is described at https://www.sqlite.org/fileformat2.html#walformat.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x377F0682
"""Of a log that is summed in words of little-endian bytes; one more, of big-endian ones."""

HEADER_BYTES, FRAME_HEADER_BYTES, FILE_HEADER_BYTES = 32, 24, 100
FRAMES_AT_ONCE = 256
PAGE_BYTES = {2**bits for bits in range(9, 17)}


class SqliteLog:
    """What is in a log, as far as it was written whole; where more was added, only that is read the next time.

    Args:
        path: of the log; it may not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._begin(b"")

    def holds(self, header: bytes, first: int, *, after: int, anew: bool) -> bool:
        """Whether the file's header came out of it, and all pages are in it that the file has not.

        Args:
            header: of the file, 100 bytes.
            first: the first page beyond the end of the file; pages are counted from 1.
            after: frames of the log that do not count, since SQLite does not look into them any more.
            anew: whether what was read before is to be read again.
        """
        with self._lock:
            try:
                self._read_on(anew)
            except FileNotFoundError:
                return False
            missing = (page for page in range(first, self._pages + 1) if page != self._never_written)
            return header in self._file_headers and all(self._frames.get(page, 0) > after for page in missing)

    def _begin(self, header: bytes) -> None:
        self._header = header
        words = [int.from_bytes(header[at : at + 4], "big") for at in range(0, HEADER_BYTES, 4)]
        self._order = "<u4" if words[0] == MAGIC else ">u4"
        is_log = len(header) == HEADER_BYTES and words[0] in (MAGIC, MAGIC + 1) and words[2] in PAGE_BYTES
        sums = _next_sums(_own_sums(np.frombuffer(header[:24], self._order)[None])[0], 24, (0, 0)) if is_log else None
        self._page_bytes = words[2] if sums == (words[6], words[7]) else 0
        self._never_written = 2**30 // (self._page_bytes or 1) + 1  # SQLite's locks lie there
        self._salts = header[16:24]
        self._sums = (words[6], words[7])
        self._count = 0
        self._pages = 0
        self._frames: dict[int, int] = {}
        self._file_headers: set[bytes] = set()

    def _read_on(self, anew: bool) -> None:
        """Read the frames of the transactions that were added since the last time."""
        with open(self._path, "rb") as file:
            header = file.read(HEADER_BYTES)
            if anew or header != self._header:
                self._begin(header)
            if not self._page_bytes:
                return
            file.seek(HEADER_BYTES + self._count * (FRAME_HEADER_BYTES + self._page_bytes))
            added: list[int] = []
            headers: list[bytes] = []
            for page, pages, content, sums in self._whole_frames(file):
                added.append(page)
                if page == 1:
                    headers.append(content[:FILE_HEADER_BYTES])
                if pages:  # a transaction ends here
                    self._frames.update({page: self._count + at for at, page in enumerate(added, start=1)})
                    self._file_headers.update(headers)
                    self._count += len(added)
                    self._pages, self._sums, added, headers = pages, sums, [], []

    def _whole_frames(self, file: BinaryIO) -> Iterator[tuple[int, int, bytes, tuple[int, int]]]:
        """Of each frame its page, the pages of the database if a transaction ends with it, its content, its sums."""
        size = FRAME_HEADER_BYTES + self._page_bytes
        sums = self._sums
        while content := file.read(FRAMES_AT_ONCE * size):
            frames = [content[at : at + size] for at in range(0, len(content) - size + 1, size)]
            words = np.frombuffer(content, self._order, len(frames) * size // 4).reshape(len(frames), size // 4)
            own = _own_sums(np.concatenate((words[:, :2], words[:, FRAME_HEADER_BYTES // 4 :]), axis=1))
            for at, frame in enumerate(frames):
                page, pages, *_, first, second = (int.from_bytes(frame[i : i + 4], "big") for i in range(0, 24, 4))
                sums = _next_sums(own[at], size - FRAME_HEADER_BYTES + 8, sums)
                if not page or frame[8:16] != self._salts or sums != (first, second):
                    return
                yield page, pages, frame[FRAME_HEADER_BYTES:], sums
            if len(frames) < FRAMES_AT_ONCE:
                return


@lru_cache(maxsize=4)
def _fibonacci(count: int) -> NDArray[np.uint32]:
    """The first of these numbers, from 0, as far as 32 bits hold them."""
    numbers = [0, 1]
    while len(numbers) < count:
        numbers.append((numbers[-1] + numbers[-2]) % 2**32)
    return np.array(numbers, np.uint32)


def _own_sums(words: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """What each row adds to the two sums of a log: SQLite's additions, word by word, come to Fibonacci numbers.

    Args:
        words: (rows, words).

    Returns:
        (rows, 2).
    """
    weights = _fibonacci(words.shape[1] + 1)[::-1]
    return words.astype(np.uint32) @ np.stack([weights[1:], weights[:-1]], axis=1)


def _next_sums(own: NDArray[np.uint32], size: int, sums: tuple[int, int]) -> tuple[int, int]:
    """The sums after so many bytes, from those before and what the bytes add."""
    numbers = _fibonacci(size // 4 + 2)[-3:].tolist()
    first, second = (
        (int(more) + low * sums[0] + high * sums[1]) % 2**32
        for more, (low, high) in zip(own, pairwise(numbers), strict=True)
    )
    return first, second
