"""The objects of the images of a series: of each image file a table, numbers and outlines; of all one table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np

from segmentation.assessment.counting import RecountedObjects
from segmentation.io.image import Image
from segmentation.io.shares import csv_text
from segmentation.io.stacks import AXES
from segmentation.model.classifier import PixelClassifier
from segmentation.objects.files import (
    OBJECT_NUMBERS,
    NamedObjects,
    columns_of,
    label_pages,
    mixed_units,
    outline_features,
    rows_of,
)
from segmentation.objects.labelling import TooManyObjects
from segmentation.objects.measured import MeasuredObjects, area_column, find_objects
from segmentation.objects.steps import CleanUpStep
from segmentation.objects.tables import PageTable
from segmentation.series.model import Segmented
from segmentation.series.results import Staging, file_name

OBJECT_ENDINGS = ("objects.csv", "objects.tif", "objects.geojson")


class ObjectWriter:
    """Writes the objects of the images of one file, image by image; a context manager.

    Args:
        name: of the results.
        staging: where files are made.
        first: the first image that has results.
    """

    def __init__(self, name: str, staging: Staging, first: Image) -> None:
        self._several = first.metadata["pages"] > 1
        files = {ending: staging.open(file_name(name, f".{ending}")) for ending in OBJECT_ENDINGS}
        self._table = TextIOWrapper(files["objects.csv"], "utf-8", newline="", write_through=True)
        self._outlines = files["objects.geojson"]
        self._outlines.write(b'{"type":"FeatureCollection","features":[')
        self._labels = label_pages(files["objects.tif"], like=first, images=first.metadata["pages"])
        self._columns: tuple[str, ...] = ()
        self._pages, self._features = 0, 0

    def __enter__(self) -> ObjectWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._labels.__exit__(None, None, None)
        self._outlines.write(b"]}")
        self._table.detach()

    def add(self, image: Image, found: MeasuredObjects) -> None:
        """Writes the objects of the next image."""
        self._pages += 1
        one = NamedObjects(image.metadata["name"], image.metadata["page"], found, image.place)
        table = csv.writer(self._table, lineterminator="\n")
        if not self._columns:
            self._columns = columns_of([one])
            table.writerow(self._columns)
        table.writerows(rows_of(one, self._columns))
        for feature in outline_features(one, self._pages if self._several else 0):
            text = json.dumps(feature, separators=(",", ":"))
            self._outlines.write((("," if self._features else "") + text).encode())
            self._features += 1
        self._labels.add(found.labels.astype(np.uint32), OBJECT_NUMBERS)

    def leave_out(self, shape: tuple[int, int]) -> None:
        """Holds the place of an image that has no results."""
        self._pages += 1
        self._labels.add(np.zeros(shape, np.uint32), OBJECT_NUMBERS)


class ObjectTables:
    """Keeps the tables of the objects of the images of one file; it takes the place of an :class:`ObjectWriter`.

    Attributes:
        pages: the tables so far.
    """

    def __init__(self) -> None:
        self.pages: list[PageTable] = []
        self._images = 0

    def add(self, image: Image, found: MeasuredObjects) -> None:
        """Keeps the table of the next image."""
        self._images += 1
        self.pages.append(PageTable(self._images, found.table))

    def leave_out(self, shape: tuple[int, int]) -> None:
        """Counts an image that has no results."""
        self._images += 1


def describe_objects(
    found: MeasuredObjects, recounted: RecountedObjects | None, steps: Sequence[CleanUpStep]
) -> dict[str, Any]:
    """How many objects of each class an image has, and how large they are.

    Args:
        found: the objects.
        recounted: the segmentations in which they are counted again; None tells no interval.
        steps: of the clean-up.

    Returns:
        Plain JSON values: the ``unit`` of areas, and by class id as text ``count``, ``low`` and ``high`` (between what
        it lies), and of the areas ``mean`` and ``median`` (None if there are none).
    """
    name, unit = area_column(found.table)
    areas = {one.id: found.table[name][found.table["class_id"] == one.id] for one in found.classes}
    bounds = recounted.bounds({one: len(some) for one, some in areas.items()}, steps) if recounted else {}
    classes = {}
    for one, some in areas.items():
        low, high = bounds.get(one, (None, None))
        mean, median = (float(some.mean()), float(np.median(some))) if len(some) else (None, None)
        classes[str(one)] = {"count": len(some), "low": low, "high": high, "mean": mean, "median": median}
    return {"unit": unit, "classes": classes}


def count_objects(classifier: PixelClassifier, segmented: Segmented) -> dict[str, Any] | None:
    """As :func:`describe_objects`, in pixels, of objects that nobody measures; None if they are too many."""
    steps = classifier.clean_up
    try:
        found = find_objects(segmented.class_ids, classifier.label_classes_, steps=steps)
    except TooManyObjects:
        return None
    return describe_objects(found, segmented.recounted, steps)


def table_of_all(tables: Iterable[Path]) -> str:
    """The tables of several image files as one.

    Args:
        tables: the ``objects.csv`` of each.

    Raises:
        ValueError: with the names of the files, if the sizes of their pixels are told in different units.
    """
    paths = list(tables)
    columns: dict[str, None] = {}
    headers: list[tuple[str, list[str]]] = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file), [])
        columns |= dict.fromkeys(header)
        headers += [(path.name.removesuffix(".objects.csv"), header)] if header else []
    mixed_units(headers)
    leading = [name for name in ("image", "page", *AXES) if name in columns]
    columns = dict.fromkeys((*leading, *columns))

    def rows() -> Iterator[list[str]]:
        for path in paths:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    yield [row.get(name) or "" for name in columns]

    return csv_text(tuple(columns), rows())
