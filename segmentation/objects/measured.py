"""The measured objects of one image, of one or several classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.text import counted
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize
from segmentation.objects.labelling import (
    MOST_OBJECTS,
    Split,
    TooManyObjects,
    class_ids_of,
    label_class,
    size_filter,
    skimage_connectivity,
)
from segmentation.objects.measuring import Table, measure_labels
from segmentation.objects.steps import CleanUpStep, connectivity_of, split_eagerness
from segmentation.strokes.classes import LabelClass


@dataclass(frozen=True, eq=False)
class MeasuredObjects:
    """Objects that were found in an image.

    Attributes:
        labels: ``(rows, columns)`` int32, the number of the object that each pixel belongs to; 0 is none.
        table: columns by their names, an entry for each object in the order of their numbers: ``label``, ``class_id``,
            then what :func:`measure_objects` gives in pixels, then what is given in the unit of length.
        classes: those that were looked for.
    """

    labels: NDArray[np.int32]
    table: Table
    classes: tuple[LabelClass, ...]

    def __len__(self) -> int:
        return len(self.table["label"])

    @property
    def class_ids(self) -> NDArray[np.uint8]:
        """``(rows, columns)`` uint8, the class of each object, 0 where there is none."""
        return np.concatenate(([0], self.table["class_id"])).astype(np.uint8)[self.labels]

    def summary(self) -> str:
        """What was found of each class, for people."""
        return "\n".join(self._summary_of(one) for one in self.classes)

    def _summary_of(self, label_class: LabelClass) -> str:
        column, unit = area_column(self.table)
        areas = self.table[column][self.table["class_id"] == label_class.id]
        if not len(areas):
            return f"{label_class.name}: no pixel of class {label_class.id}, and so no objects"
        mean, median = areas.mean(), float(np.median(areas))
        told = f"{mean:.1f}, median {median:g} pixels" if unit == "px²" else f"{mean:.4g}, median {median:.4g} {unit}"
        return f"{label_class.name}: {counted(len(areas), 'object')}, area mean {told}"


def find_objects(
    segmentation: ArrayLike,
    classes: Iterable[LabelClass],
    image: Image | None = None,
    *,
    pixel_size: PixelSize | None = None,
    steps: Sequence[CleanUpStep] = (),
    connectivity: int = 8,
) -> MeasuredObjects:
    """Find and measure the objects of some classes.

    Args:
        segmentation: ``(rows, columns)`` class ids, after its clean-up.
        classes: whose objects are looked for; the numbers of the objects go on from class to class.
        image: whose values are measured.
        pixel_size: gives columns in its unit beside those in pixels; None takes that of the image.
        steps: of a clean-up, of which those that split objects count.
        connectivity: 4 or 8; of a class whose objects the steps split at corners, it is 4.

    Raises:
        ValueError: if an argument is not possible.
        TooManyObjects: if there are more than 500,000 of all classes.
    """
    wanted = tuple(classes)
    labels, class_of = number_objects(segmentation, wanted, steps=steps, connectivity=connectivity)
    measures = measure_labels(labels, image)
    table: Table = {"label": measures.pop("label"), "class_id": class_of}
    table |= measures
    size = pixel_size or (image.pixel_size if image is not None else None)
    if size is not None and size.metres is not None:  # degrees are no length
        table |= in_unit(labels, table, size)
    return MeasuredObjects(labels, table, wanted)


def number_objects(
    segmentation: ArrayLike,
    classes: Iterable[LabelClass],
    *,
    steps: Sequence[CleanUpStep] = (),
    connectivity: int = 8,
    splitter: Split | None = None,
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Find the objects of some classes.

    Args:
        segmentation, classes, steps, connectivity: as of :func:`find_objects`.
        splitter: splits objects, perhaps with what it remembers of others.

    Returns:
        ``(rows, columns)``, the number of the object at each pixel, from 1, 0 for none; and the class of each object.

    Raises:
        ValueError: if an argument is not possible.
        TooManyObjects: if there are more than 500,000 of all classes.
    """
    ids, wanted = class_ids_of(segmentation), tuple(classes)
    labels, found = np.zeros(ids.shape, np.int32), 0
    class_of: list[NDArray[np.int64]] = []
    for one in wanted:
        eagerness = split_eagerness(steps, one.id)
        neighbours = skimage_connectivity(connectivity_of(steps, one.id, connectivity))
        of_class = label_class(ids, one.id, neighbours, eagerness, splitter)
        count = int(of_class.max())
        if found + count > MOST_OBJECTS:
            areas = [_part_areas(ids, other.id) for other in wanted]
            as_filtered = not any(
                split_eagerness(steps, other.id) or connectivity_of(steps, other.id, connectivity) == 4
                for other in wanted
            )
            raise TooManyObjects(
                f"The classes fall into more than {MOST_OBJECTS:,} objects together, and no more are measured. "
                f"{size_filter(np.concatenate(areas), as_filtered)}"
            )
        inside = of_class > 0
        labels[inside] = of_class[inside] + found
        class_of.append(np.full(count, one.id))
        found += count
    return labels, np.concatenate([np.zeros(0, np.int64), *class_of])


def _part_areas(ids: NDArray[np.uint8], class_id: int) -> NDArray[np.int64]:
    """The pixels of each part of a class, as a clean-up drops small ones."""
    from skimage.measure import label

    return np.bincount(label(ids == class_id, connectivity=2).ravel())[1:]


UNIT_MARK = "_in_"
"""What stands between the name of a column and the unit that it is in."""

LENGTHS = ("equivalent_diameter_area", "perimeter", "feret_diameter_max")


def area_column(table: Table) -> tuple[str, str]:
    """The column of areas that people read, in a unit if there is one, and that unit: ``"px²"``, ``"µm²"``..."""
    in_unit = [name for name in table if name.startswith(f"area{UNIT_MARK}")]
    return (in_unit[0], in_unit[0].rpartition(UNIT_MARK)[2].removesuffix("2") + "²") if in_unit else ("area", "px²")


def in_unit(labels: NDArray[np.int32], table: Table, size: PixelSize) -> Table:
    """Columns in a unit of length; where pixels are not square, also those of the shape that it is measured in."""
    measured = measure_labels(labels, spacing=size.spacing)
    columns: Table = {f"area{UNIT_MARK}{size.unit}2": measured["area"]}
    columns |= {f"{name}{UNIT_MARK}{size.unit}": measured[name] for name in (*LENGTHS, "centroid-0", "centroid-1")}
    if size.x != size.y:
        columns |= {f"{name}{UNIT_MARK}{size.unit}": measured[name] for name in ("eccentricity", "orientation")}
    return columns


def plain(value: Any) -> float | int:
    """An entry of a column as a plain number."""
    number = value.item()
    return int(number) if isinstance(number, int) else float(number)
