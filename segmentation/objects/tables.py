"""Tables of objects that are kept, and sent to the page, without the objects themselves."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from segmentation.objects.files import NamedObjects, mixed_units
from segmentation.objects.measured import MeasuredObjects
from segmentation.objects.measuring import Table
from segmentation.strokes.classes import LabelClass

_NUMBERS = np.dtype("<f8")
_HEAD = struct.Struct("<I")


@dataclass(frozen=True)
class PageTable:
    """The table of the objects of one image of a file.

    Attributes:
        page: which of its images, from 1.
        table: see :class:`MeasuredObjects`.
        place: where it lies in a stack, see :attr:`Image.place`; it is not packed.
    """

    page: int
    table: Table
    place: Mapping[str, int] = field(default_factory=dict)

    def named(self, image: str, classes: Sequence[LabelClass]) -> NamedObjects:
        """As :func:`objects_csv` takes it; the objects themselves are not there any more."""
        measured = MeasuredObjects(np.zeros((0, 0), np.int32), self.table, tuple(classes))
        return NamedObjects(image, self.page, measured, self.place)


def pack_tables(pages: Sequence[PageTable]) -> bytes:
    """Tables as bytes; :func:`unpack_tables` gives the same back."""
    head = [
        {"page": one.page, "columns": [[name, column.dtype.str, len(column)] for name, column in one.table.items()]}
        for one in pages
    ]
    return _packed(head, [column for one in pages for column in one.table.values()])


def unpack_tables(packed: bytes) -> list[PageTable]:
    """The tables that :func:`pack_tables` packed; only of bytes that we have packed ourselves."""
    content = zlib.decompress(packed)
    (length,) = _HEAD.unpack_from(content)
    at, pages = _HEAD.size + length, []
    for one in json.loads(content[_HEAD.size : at]):
        table: Table = {}
        for name, kind, count in one["columns"]:
            table[name] = np.frombuffer(content, kind, count, at)
            at += table[name].nbytes
        pages.append(PageTable(one["page"], table))
    return pages


def packed_head(head: object) -> bytes:
    """The length of JSON as four bytes, and the JSON with blanks behind it: what follows begins at a multiple of 8."""
    text = json.dumps(head).encode()
    text += b" " * (-(_HEAD.size + len(text)) % _NUMBERS.itemsize)
    return _HEAD.pack(len(text)) + text


def _packed(head: object, columns: Iterable[NDArray[np.generic]]) -> bytes:
    return zlib.compress(packed_head(head) + b"".join(column.tobytes() for column in columns), 1)


def table_for_page(tables: Sequence[tuple[int, str, PageTable]]) -> bytes:
    """The tables of several images as one, for the page.

    Args:
        tables: a number and the name of each image's file, and its table.

    Returns:
        Compressed by zlib: :func:`packed_head` of a JSON object (``columns``: their names, ``objects``: how many), and
        each column as float64, NaN where an image has none of that name; the first two are ``item`` and ``page``, which
        image it is. All of it little-endian.

    Raises:
        ValueError: with the names of the files, if their units differ.
    """
    mixed_units((name, one.table) for _, name, one in tables if len(one.table["label"]))
    names = list(dict.fromkeys(name for *_, one in tables for name in one.table))
    counts = [len(one.table["label"]) for *_, one in tables]
    columns = [
        np.repeat([number for number, *_ in tables], counts),
        np.repeat([one.page for *_, one in tables], counts),
    ]
    for name in names:
        parts = [one.table.get(name, np.full(count, np.nan)) for (*_, one), count in zip(tables, counts, strict=True)]
        columns.append(np.concatenate(parts))
    facts = {"columns": ["item", "page", *names], "objects": sum(counts)}
    return _packed(facts, [np.asarray(column, _NUMBERS) for column in columns])
