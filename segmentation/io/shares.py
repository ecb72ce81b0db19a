"""Shares of classes, as numbers and as tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_BAND_PIXELS = 2**20


class ClassShare(NamedTuple):
    """How much of an image a class takes.

    Attributes:
        id: the class.
        pixels: its pixels.
        share: its part of all pixels, from 0 to 1.
    """

    id: int
    pixels: int
    share: float


def class_shares(segmentation: NDArray[np.uint8], class_ids: Iterable[int]) -> list[ClassShare]:
    """How much of an image each class takes.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids; all its pixels make up the whole.
        class_ids: the classes that are asked for.

    Returns:
        One entry for each of the classes, in their order.

    Raises:
        ValueError: if the segmentation is not uint8.
    """
    ids = _class_ids(segmentation)
    band_rows = max(1, _BAND_PIXELS // ids.shape[1])
    counts = np.zeros(256, np.int64)
    for top in range(0, len(ids), band_rows):
        counts += np.bincount(ids[top : top + band_rows].ravel(), minlength=256)
    return [ClassShare(int(one), int(counts[one]), float(counts[one] / ids.size)) for one in class_ids]


def shares_csv(segmentation: NDArray[np.uint8], class_names: Mapping[int, str]) -> str:
    """The table of :func:`class_shares` as comma-separated text.

    Names that a spreadsheet would take for a formula are led by an apostrophe.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids.
        class_names: the name of each class.

    Returns:
        The columns ``class_id,class_name,pixels,percent`` and one row for each class.
    """
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["class_id", "class_name", "pixels", "percent"])
    for entry in class_shares(segmentation, class_names):
        table.writerow([entry.id, spreadsheet_text(class_names[entry.id]), entry.pixels, f"{entry.share:.4%}"[:-1]])
    return text.getvalue()


def spreadsheet_text(text: str) -> str:
    """The text, led by an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] in _FORMULA else text


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _class_ids(segmentation: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if segmentation.dtype != np.uint8 or segmentation.ndim != 2 or segmentation.size == 0:
        raise ValueError("A segmentation has rows and columns of class ids, of type uint8.")
    return segmentation


def shares_table(class_names: Mapping[int, str], images: Iterable[tuple[str, Sequence[Mapping[str, Any]]]]) -> str:
    """The share of each class in each image, as comma-separated text.

    Args:
        class_names: the name of each class.
        images: the name of each image file, and of each of its images ``rows``, ``columns`` and ``pixels`` by class.
    """
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["image", "page", "class_id", "class_name", "pixels", "percent"])
    for name, pages in images:
        for number, page in enumerate(pages, start=1):
            for class_id, class_name in class_names.items():
                pixels = page["pixels"][str(class_id)]
                percent = f"{pixels / (page['rows'] * page['columns']):.4%}"[:-1]
                shown = spreadsheet_text(class_name)
                table.writerow([spreadsheet_text(name), number, class_id, shown, pixels, percent])
    return text.getvalue()
