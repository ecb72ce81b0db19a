"""The directories of a TIFF file, walked with suspicion before tifffile sees any of them.

A file from a stranger may chain its pages in a circle, claim gigabytes of values, or hang directories below others.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from segmentation.io.limits import MAX_PAGES, ImageError
from segmentation.io.planes import TOO_MANY_PAGES, Directory

MAX_SEGMENTS = 2**21
"""Strips or tiles that a page may have: those of 256 x 256 pixels of 130 gigapixels."""

MAX_SUB_DIRECTORIES = 64
"""Directories that may hang below one: more than a pyramid has levels."""

_TAG_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_SUBFILE_TYPE, _WIDTH, _LENGTH, _SAMPLES, _METAMORPH, _OFFSETS = 254, 256, 257, 277, 33629, (273, 324)
_SUB_DIRECTORIES = 330
_REDUCED, _MASK = 0b001, 0b100


@dataclass(frozen=True)
class Walked:
    """A directory that was walked.

    Attributes:
        directory: what it says of its pixels.
        reduced: whether it says that its image is another in smaller size.
        mask: whether it says that its image is a mask of another.
        below: where the directories lie that hang below it.
    """

    directory: Directory
    reduced: bool
    mask: bool
    below: tuple[int, ...] = field(default=())


def walk(file: IO[bytes], size: int) -> Iterator[Walked]:
    """Follow the chain of pages and give those that are images.

    Args:
        file: open for reading.
        size: bytes in the file.

    Raises:
        ImageError: if they run in a circle, are too many, or claim more than there is.
    """
    walker = _Walker(file, size)
    offset = walker.first
    seen: set[int] = set()
    while offset:
        if offset in seen:
            raise ImageError("The TIFF file is damaged: its pages run in a circle.")
        if len(seen) == MAX_PAGES:
            raise ImageError(TOO_MANY_PAGES)
        seen.add(offset)
        walked, offset = walker.directory(offset, len(seen) - 1)
        if walked is not None:
            yield walked


def check_below(file: IO[bytes], size: int, offsets: tuple[int, ...]) -> None:
    """Walk the directories that hang below a page, so that tifffile may see them.

    Raises:
        ImageError: if one of them claims more than there is.
    """
    walker = _Walker(file, size)
    for place, offset in enumerate(offsets):
        walker.directory(offset, place)


def read_at(file: IO[bytes], offset: int, count: int, size: int) -> bytes:
    """Bytes of a file of so many bytes.

    Raises:
        ImageError: if they lie beyond its end.
    """
    if offset + count > size:
        raise ImageError("The TIFF file is damaged or incomplete: a page lies beyond its end.")
    file.seek(offset)
    return file.read(count)


class _Walker:
    """Reads directories of a file.

    Attributes:
        first: where the first of them lies.
    """

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size
        header = read_at(file, 0, 16, size)
        self._order = {b"II": "<", b"MM": ">"}[header[:2]]
        self._big = struct.unpack_from(self._order + "H", header, 2)[0] == 43
        count_format, entry_format, offset_format = ("Q", "HHQ8s", "Q") if self._big else ("H", "HHI4s", "I")
        self._inline = struct.calcsize(offset_format)
        self._entry = struct.Struct(self._order + entry_format)
        self._counter, self._pointer = (
            struct.Struct(self._order + count_format),
            struct.Struct(self._order + offset_format),
        )
        (self.first,) = self._pointer.unpack_from(header, 8 if self._big else 4)

    def directory(self, offset: int, place: int) -> tuple[Walked | None, int]:
        """What a directory says of its image, None if it has none; and where the next of the chain lies."""
        (count,) = self._counter.unpack(read_at(self._file, offset, self._counter.size, self._size))
        length = count * self._entry.size + self._pointer.size
        data = read_at(self._file, offset + self._counter.size, length, self._size)
        (following,) = self._pointer.unpack_from(data, count * self._entry.size)
        value_bytes = 0
        stacked = 1
        tags: dict[int, int] = {}
        below: tuple[int, ...] = ()
        for tag, kind, values, value in self._entry.iter_unpack(data[: count * self._entry.size]):
            if tag in _OFFSETS and values > MAX_SEGMENTS:
                raise ImageError("The TIFF file is cut into too many pieces: save it anew.")
            length_bytes = values * _TAG_BYTES.get(kind, 0)
            value_bytes += length_bytes if length_bytes > self._inline else 0
            if tag == _METAMORPH:
                stacked = values
            if tag == _SUB_DIRECTORIES and values <= MAX_SUB_DIRECTORIES:
                below = self._offsets(kind, values, value)
            tags[tag] = struct.unpack_from(self._order + ("H" if kind == 3 else "I"), value)[0]
        if value_bytes > 2 * self._size:
            raise ImageError("The TIFF file is damaged: it claims more than it holds.")
        if _WIDTH not in tags:
            return None, following
        size_told = tags.get(_LENGTH, 0), tags[_WIDTH]
        kind = tags.get(_SUBFILE_TYPE, 0)
        directory = Directory(place, tags.get(_SAMPLES, 1) or 1, stacked, *size_told)
        return Walked(directory, bool(kind & _REDUCED), bool(kind & _MASK), below), following

    def _offsets(self, kind: int, count: int, value: bytes) -> tuple[int, ...]:
        """The values of a tag that says where directories lie; none if they are of another type."""
        letter = {4: "I", 13: "I", 16: "Q", 18: "Q"}.get(kind)
        if letter is None:
            return ()
        packed = struct.Struct(f"{self._order}{count}{letter}")
        if packed.size > self._inline:
            (start,) = self._pointer.unpack(value)
            value = read_at(self._file, start, packed.size, self._size)
        return tuple(packed.unpack_from(value))
