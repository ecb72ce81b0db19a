"""The objects of the images of a series: of each image file a table, numbers and outlines; of all one table."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image
from segmentation.io.shares import csv_text
from segmentation.model.classifier import PixelClassifier
from segmentation.objects.files import OBJECT_NUMBERS, NamedObjects, columns_of, label_pages, outline_features, rows_of
from segmentation.objects.labelling import TooManyObjects
from segmentation.objects.measured import UNIT_MARK, find_objects
from segmentation.series.results import Staging, file_name

OBJECT_ENDINGS = ("objects.csv", "objects.tif", "objects.geojson")


class ObjectWriter:
    """Writes the objects of the images of one file, image by image; a context manager.

    Args:
        name: of the results.
        staging: where files are made.
        classifier: names the classes.
        first: the first image that has results.
    """

    def __init__(self, name: str, staging: Staging, classifier: PixelClassifier, first: Image) -> None:
        self._classes, self._steps = classifier.label_classes_, classifier.clean_up
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

    def add(self, image: Image, segmentation: NDArray[np.uint8]) -> tuple[str, ...]:
        """Writes the objects of the next image.

        Returns:
            Sentences on why it has no objects, if so.
        """
        try:
            found = find_objects(segmentation, self._classes, image, steps=self._steps)
        except TooManyObjects as error:
            self.leave_out(image.shape)
            return (str(error),)
        self._pages += 1
        one = NamedObjects(image.metadata["name"], image.metadata["page"], found)
        table = csv.writer(self._table, lineterminator="\n")
        if not self._columns:
            self._columns = columns_of([one])
            table.writerow(self._columns)
        table.writerows(rows_of(one, self._columns))
        for feature in outline_features(found, self._pages - 1, of_several=self._several):
            text = json.dumps(feature, separators=(",", ":"))
            self._outlines.write((("," if self._features else "") + text).encode())
            self._features += 1
        self._labels.add(found.labels.astype(np.uint32), OBJECT_NUMBERS)
        return ()

    def leave_out(self, shape: tuple[int, int]) -> None:
        """Holds the place of an image that has no results."""
        self._pages += 1
        self._labels.add(np.zeros(shape, np.uint32), OBJECT_NUMBERS)


def table_of_all(tables: Iterable[Path]) -> str:
    """The tables of several image files as one.

    Args:
        tables: the ``objects.csv`` of each.

    Raises:
        ValueError: with the names of the files, if the sizes of their pixels are told in different units.
    """
    paths = list(tables)
    columns: dict[str, None] = {}
    units: dict[str, Path] = {}
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            header = next(csv.reader(file), [])
        columns |= dict.fromkeys(header)
        marks = [name.rpartition(UNIT_MARK)[2] for name in header if name.startswith(f"area{UNIT_MARK}")]
        if header:
            units.setdefault(marks[0].removesuffix("2") if marks else "pixels", path)
    if len(units) > 1:
        told = ", ".join(f"{unit} ({path.name.removesuffix('.objects.csv')})" for unit, path in units.items())
        raise ValueError(
            f"The objects of these images cannot stand in one table, since they are in different units: {told}. "
            "Each image has a table of its own."
        )

    def rows() -> Iterator[list[str]]:
        for path in paths:
            with path.open(encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    yield [row.get(name) or "" for name in columns]

    return csv_text(tuple(columns), rows())
