"""Zip archives of JSON and plain arrays that can be opened from a stranger, and are the same bytes each time."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from io import BytesIO, RawIOBase
from typing import IO, Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from segmentation._shared.zip_table import zip_table

MAX_RATIO = 200
"""Arrays and JSON shrink less than this; what claims to shrink more is made to fill the memory."""

SMALL = 1 << 26
"""Bytes that an archive may unpack to whatever the ratio."""

T = TypeVar("T")

_LARGEST_ENTRY = 1000
_NPY_MAGIC = b"\x93NUMPY\x01\x00"


class ArchiveError(ValueError):
    """The archive is not one that is read here; the message is a sentence about it that says why."""


def pack(members: Mapping[str, bytes]) -> bytes:
    """A zip archive of members; the same members in the same order always give the same bytes.

    Args:
        members: the content of each member by its name.
    """
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, compresslevel=6)
    return target.getvalue()


class ZipParts(RawIOBase):
    """What a zip archive is written to while it is sent: a file without a beginning, emptied part by part."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """It can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Add to the part that comes next; returns the number of bytes."""
        part = bytes(data)
        self._parts.append(part)
        return len(part)

    def next_part(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


class Archive:
    """A zip archive whose table of contents has been checked; nothing is unpacked before it is asked for.

    Args:
        data: the archive, or the file that it is; a file must stay open while members are read.
        largest: the names that members can have, and the most bytes that each can unpack to.
        max_bytes: the most bytes that all of them together can unpack to.

    Raises:
        ArchiveError: if it is no zip archive, has another member, has one twice or encrypted, or unpacks to too much.
    """

    def __init__(self, data: bytes | IO[bytes], largest: Mapping[str, int], max_bytes: int) -> None:
        file = BytesIO(data) if isinstance(data, bytes) else data
        size = file.seek(0, 2)
        _check_table(file, len(largest))
        self._archive = _guarded(lambda: zipfile.ZipFile(file), "It is not a zip archive, or not a whole one.")
        self._infos: dict[str, zipfile.ZipInfo] = {}
        for info in self._archive.infolist():
            name = info.filename
            if name not in largest or info.orig_filename != name:
                raise ArchiveError(f"It has a member that does not belong there, {name[:60]!a}.")
            if name in self._infos:
                raise ArchiveError(f"It has the member {name} twice.")
            if info.flag_bits & 0x1:
                raise ArchiveError(f"Its member {name} is encrypted.")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ArchiveError(f"Its member {name} is compressed in a way that is not read here.")
            if info.file_size > largest[name]:
                raise ArchiveError(
                    f"Its member {name} unpacks to {info.file_size:,} bytes, more than {largest[name]:,}."
                )
            self._infos[name] = info
        unpacked = sum(info.file_size for info in self._infos.values())
        if unpacked > max_bytes:
            raise ArchiveError(f"It unpacks to {unpacked:,} bytes, more than {max_bytes:,}.")
        if unpacked > SMALL + MAX_RATIO * size:
            raise ArchiveError(f"It unpacks to {unpacked:,} bytes, which {size:,} bytes cannot hold.")

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def size(self, name: str) -> int:
        """Number of bytes that a member unpacks to, as the table of contents claims.

        Raises:
            ArchiveError: if there is no such member.
        """
        if name not in self._infos:
            raise ArchiveError(f"It lacks {name}.")
        return self._infos[name].file_size

    def read(self, name: str) -> bytes:
        """The content of a member.

        Raises:
            ArchiveError: if there is no such member, or it is damaged.
        """
        size = self.size(name)
        content = _guarded(lambda: self._archive.open(self._infos[name]).read(), f"Its member {name} is damaged.")
        if len(content) != size:
            raise ArchiveError(f"Its member {name} is damaged.")
        return content

    def read_array(self, name: str, dtype: DTypeLike, shape: tuple[int, ...]) -> NDArray[Any]:
        """The array of a member in NumPy's npy format, which must have just this type and shape.

        Raises:
            ArchiveError: if it has not, or the member is missing or damaged.
        """
        head = npy_header(dtype, shape)
        expected = len(head) + int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
        if abs(self.size(name) - expected) > 256:
            raise ArchiveError(f"Its member {name} has not the size that {shape} values take.")
        content = self.read(name)
        start = len(_NPY_MAGIC) + 2
        length = start + struct.unpack("<H", content[start - 2 : start])[0] if len(content) >= start else start
        # writers pad the header in their own ways
        if not content.startswith(_NPY_MAGIC) or content[start:length].strip() != head[start:].strip():
            raise ArchiveError(f"Its member {name} is no array of {np.dtype(dtype).name} with the shape {shape}.")
        if len(content) - length != expected - len(head):
            raise ArchiveError(f"Its member {name} has not the size that {shape} values take.")
        return np.frombuffer(content, np.dtype(dtype).newbyteorder("<"), offset=length).astype(dtype).reshape(shape)


def _check_table(file: IO[bytes], most: int) -> None:
    """Refuse a table of contents of more than so many members, which would take much memory to read."""
    table = zip_table(file, most * _LARGEST_ENTRY)
    if table is None or table.rest:
        raise ArchiveError("It is not a zip archive, or not a whole one.")
    if table.members > most or not table.honest:
        raise ArchiveError("It has more members than belong there.")


def npy_bytes(array: NDArray[Any]) -> bytes:
    """An array in NumPy's npy format, version 1.0, little-endian, in C order."""
    ordered = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return npy_header(array.dtype, array.shape) + ordered.tobytes()


def npy_header(dtype: DTypeLike, shape: tuple[int, ...]) -> bytes:
    """What comes before the values in the npy format, version 1.0; the values begin at a multiple of 64 bytes."""
    described = f"{{'descr': '{np.dtype(dtype).newbyteorder('<').str}', 'fortran_order': False, 'shape': {shape}, }}"
    padding = -(len(_NPY_MAGIC) + 2 + len(described) + 1) % 64
    text = (described + " " * padding + "\n").encode("ascii")
    return _NPY_MAGIC + struct.pack("<H", len(text)) + text


def json_bytes(value: object) -> bytes:
    """A value as readable JSON; the same value always gives the same bytes.

    Raises:
        ValueError: if the value is not JSON's.
    """
    try:
        return json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False, sort_keys=True).encode("utf-8")
    except TypeError as error:
        raise ValueError(f"Only plain JSON values can be written: {error}.") from None


def _guarded(read: Callable[[], T], sentence: str) -> T:
    """The result of reading with zipfile, which raises many things on what is not a zip archive."""
    try:
        return read()
    except (
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        RuntimeError,
        OverflowError,
        ValueError,
    ) as error:
        raise ArchiveError(sentence) from error
