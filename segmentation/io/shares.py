"""Shares of classes, as numbers and as tables."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.text import escaped
from segmentation.io.pixel_size import PixelSize
from segmentation.io.stacks import AXES

_STRIP_PIXELS = 2**20
"""Pixels that are counted at a time, which bounds the memory that it takes."""


class ClassShare(NamedTuple):
    """How much of an image a class takes.

    Attributes:
        id: the class.
        pixels: its pixels.
        share: its part of all pixels that have a class, from 0 to 1.
    """

    id: int
    pixels: int
    share: float


def class_shares(segmentation: NDArray[np.uint8], class_ids: Iterable[int]) -> list[ClassShare]:
    """How much of an image each class takes.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids; the pixels above 0 make up the whole.
        class_ids: the classes that are asked for.

    Returns:
        One entry for each of the classes, in their order.

    Raises:
        ValueError: if the segmentation is not uint8.
    """
    ids = checked_segmentation(segmentation)
    strip_rows = max(1, _STRIP_PIXELS // ids.shape[1])
    counts = np.zeros(256, np.int64)
    for top in range(0, len(ids), strip_rows):
        counts += np.bincount(ids[top : top + strip_rows].ravel(), minlength=256)
    whole = max(int(counts[1:].sum()), 1)
    return [ClassShare(int(one), int(counts[one]), float(counts[one] / whole)) for one in class_ids]


def shares_csv(
    segmentation: NDArray[np.uint8],
    class_names: Mapping[int, str],
    pixel_size: PixelSize | None = None,
    margins: Mapping[int, float] | None = None,
) -> str:
    """The table of :func:`class_shares` as comma-separated text.

    Names that a spreadsheet would read as a formula are led by an apostrophe.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids.
        class_names: the name of each class.
        pixel_size: how large a pixel is, if it is known.
        margins: by class id, how far its share may be off to either side, if that is known.

    Returns:
        The columns ``class_id,class_name,pixels,percent`` and one row for each class; where the size is known also
        ``area`` and its ``unit``; with margins also ``percent_low`` and ``percent_high``.
    """
    columns = SHARE_COLUMNS + (AREA_COLUMNS if pixel_size else ()) + (INTERVAL_COLUMNS if margins else ())
    rows = []
    for share in class_shares(segmentation, class_names):
        cells = _share_cells(share, class_names) + (_area_cells(share, pixel_size) if pixel_size else [])
        rows.append(cells + (_interval_cells(share, margins.get(share.id)) if margins else []))
    return csv_text(columns, rows)


def spreadsheet_text(text: str) -> str:
    """The text, led by an apostrophe if a spreadsheet would read it as a formula.

    Some pass over blanks, and what cannot be seen, before the sign, and take signs of full width for those of half.
    """
    seen = (one for one in unicodedata.normalize("NFKC", text) if not one.isspace() and one.isprintable())
    return f"'{text}" if next(seen, "") in _FORMULA or text[:1] in _CONTROLS else text


_FORMULA = ("=", "+", "-", "@", "\N{MINUS SIGN}")
_CONTROLS = ("\t", "\r", "\n")


def checked_segmentation(segmentation: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The segmentation itself.

    Raises:
        ValueError: if it is not ``(rows, columns)`` uint8.
    """
    if segmentation.dtype != np.uint8 or segmentation.ndim != 2 or segmentation.size == 0:
        raise ValueError("A segmentation has rows and columns of class ids, of type uint8.")
    return segmentation


def shares_table(class_names: Mapping[int, str], images: Iterable[tuple[str, Sequence[Mapping[str, Any]]]]) -> str:
    """The share of each class in each image, as comma-separated text.

    Args:
        class_names: the name of each class.
        images: the name of each image file, and of each of its images ``rows``, ``columns`` and ``pixels`` by class;
            those with a ``reason`` why they could not be segmented are left out; perhaps its ``pixel_size``: where any
            has one, there are columns for the area and its unit; its ``place`` along z and t, if it is a plane of a
            stack, likewise; and perhaps its ``trust`` with the ``margins`` of the
            shares by class, likewise: between ``percent_low`` and ``percent_high`` a share lies with a confidence of
            about 95 %.
    """
    images = list(images)
    sized, trusted = (any(page.get(key) for _, pages in images for page in pages) for key in ("pixel_size", "trust"))

    axes = place_columns(page.get("place") or {} for _, pages in images for page in pages)

    def rows() -> Iterator[list[Any]]:
        for name, pages in images:
            for number, page in enumerate(pages, start=1):
                if page.get("reason"):
                    continue
                given = page.get("pixel_size")
                length = PixelSize.from_json(given) if given else None
                size = max(sum(page["pixels"].values()), 1)
                for class_id in class_names:
                    pixels = page["pixels"][str(class_id)]
                    share = ClassShare(class_id, pixels, pixels / size)
                    place = [(page.get("place") or {}).get(axis, "") for axis in axes]
                    cells = [spreadsheet_text(escaped(name)), number, *place, *_share_cells(share, class_names)]
                    cells += _area_cells(share, length) if sized else []
                    yield cells + (_trust_cells(page.get("trust") or {}, share) if trusted else [])

    columns = (*SHARE_COLUMNS, *(AREA_COLUMNS if sized else ()), *(TRUST_COLUMNS if trusted else ()))
    return csv_text(("image", "page", *axes, *columns), rows())


def place_columns(places: Iterable[Mapping[str, int]]) -> tuple[str, ...]:
    """The columns of a table for where planes lie in their stacks: those of the axes that any of them has."""
    named = {axis for place in places for axis in place}
    return tuple(axis for axis in AXES if axis in named)


SHARE_COLUMNS = ("class_id", "class_name", "pixels", "percent")


def _share_cells(share: ClassShare, class_names: Mapping[int, str]) -> list[Any]:
    return [share.id, spreadsheet_text(class_names[share.id]), share.pixels, f"{share.share:.4%}"[:-1]]


INTERVAL_COLUMNS = ("percent_low", "percent_high")


def _interval_cells(share: ClassShare, margin: float | None) -> list[str]:
    ends = [] if margin is None else [max(0.0, share.share - margin), min(1.0, share.share + margin)]
    return [f"{100 * one:.4f}" for one in ends] or ["", ""]


TRUST_COLUMNS = (*INTERVAL_COLUMNS, "trust", "unsure", "unlike")


def _trust_cells(trust: Mapping[str, Any], share: ClassShare) -> list[str]:
    interval = _interval_cells(share, trust.get("margins", {}).get(str(share.id)))
    return interval + [f"{trust[key]:.4f}" if key in trust else "" for key in TRUST_COLUMNS[2:]]


AREA_COLUMNS = ("area", "unit")


def _area_cells(share: ClassShare, size: PixelSize | None) -> list[str]:
    """The area, and its unit; nothing where the unit is no length."""
    if size is None or size.metres is None:
        return ["", ""]
    return [f"{share.pixels * size.area:.6g}", f"{size.unit}²"]


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table as comma-separated text, its lines ended by a line feed.

    Args:
        columns: their names.
        rows: the cells of each row.
    """
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(columns)
    table.writerows(rows)
    return text.getvalue()
