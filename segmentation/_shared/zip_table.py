"""The table of contents of a zip archive, looked at before anything reads it: ``zipfile`` reads it whole."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import IO

_END = struct.Struct("<4s4H2LH")
_LONGEST_COMMENT = 2**16
_ZIP64 = b"PK\x06\x07"


@dataclass(frozen=True)
class ZipTable:
    """How large the table of contents of an archive is.

    Attributes:
        members: that the archive says it has.
        nbytes: of the table.
        zip64: whether the archive is of the kind for more than 65,535 members or 4 GB, whose numbers lie elsewhere.
        honest: whether there are no more members than the archive says.
        rest: bytes that come after the archive's end, such as a comment.
    """

    members: int
    nbytes: int
    zip64: bool
    honest: bool
    rest: int


def zip_table(file: IO[bytes], most_bytes: int) -> ZipTable | None:
    """The table of contents of an archive; None if the file is not an archive, or not a whole one.

    Args:
        file: open for reading, and to be moved about in.
        most_bytes: of a table that is looked into; a longer one is not ``honest``.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _LONGEST_COMMENT))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + _END.size:
        return None
    _, _, _, _, members, length, _, _ = _END.unpack_from(tail, at)
    rest = len(tail) - at - _END.size
    zip64 = tail[max(0, at - 20) : at].startswith(_ZIP64)
    if length > most_bytes or zip64:
        return ZipTable(members, length, zip64, False, rest)
    file.seek(max(0, size - len(tail) + at - length))
    honest = file.read(length).count(b"PK\x01\x02") <= members
    return ZipTable(members, length, zip64, honest, rest)
