"""Objects in files of class ids: what ``objects`` does."""

from __future__ import annotations

from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.text import natural_key
from segmentation.cli.labelled import read_with_masks
from segmentation.cli.objects_arguments import typed_steps
from segmentation.io.image import Image
from segmentation.io.masks import is_black_and_white, named_classes, read_masks
from segmentation.io.ome_classes import ome_tiff
from segmentation.io.stacks import image_in_words
from segmentation.model.facts import numbered_classes
from segmentation.objects import files
from segmentation.objects.cleaning import clean_up
from segmentation.objects.files import NamedObjects
from segmentation.objects.measured import find_objects
from segmentation.objects.sized import steps_in_pixels
from segmentation.strokes.classes import LabelClass

ONE_BY_ONE: dict[str, Callable[[Sequence[NamedObjects], Image | None], bytes]] = {
    "geojson": lambda images, like: files.geojson(images),
    "rois": lambda images, like: files.imagej_rois(images),
    "labels": lambda images, like: files.labels_tiff([one.objects for one in images], like=like),
    "ome": lambda images, like: ome_tiff(
        [one.objects.class_ids for one in images], images[0].objects.classes, like=like
    ),
}
"""The files that are about one segmentation, or the images of one stack."""


def objects(given: Namespace) -> int:
    """Measures the objects in segmentations."""
    _check(given)
    typed = typed_steps(given.clean_up) or ()
    every: list[NamedObjects] = []
    pairs = zip(given.segmentations, given.image or [None] * len(given.segmentations), strict=True)
    for path, image_path in sorted(pairs, key=lambda pair: [natural_key(part) for part in pair[0].parts]):
        found: list[NamedObjects] = []
        like: Image | None = None
        for segmentation, image, read in _pages(path, image_path):
            origin = read.with_pixel_size(given.pixel_size)
            like = like or origin
            classes = _classes(path, segmentation, given.class_ids)
            try:
                steps = steps_in_pixels(typed, {path.name: origin.pixel_size}.copy)
                cleaned = clean_up(segmentation, steps)
                measured = find_objects(
                    cleaned,
                    classes,
                    image,
                    pixel_size=origin.pixel_size,
                    steps=steps,
                    connectivity=given.connectivity,
                )
            except ValueError as error:
                raise ValueError(f"{path.name}: {error}") from error
            found.append(NamedObjects(path.name, len(found) + 1, measured, read.place))
        for name, write in ONE_BY_ONE.items():
            if target := getattr(given, name):
                target.write_bytes(write(found, like))
        every += found
    if given.csv:
        given.csv.write_text(files.objects_csv(every), encoding="utf-8")
    if given.coco:
        given.coco.write_bytes(files.coco_json(every))
    pages = Counter(one.image for one in every)
    for one in every:
        name = image_in_words(one.image, one.page, pages[one.image], one.place)
        print("\n".join(f"{name}: {line}" for line in one.objects.summary().splitlines()))
    return 0


def _check(given: Namespace) -> None:
    """Refuse what cannot be meant before anything is measured.

    Raises:
        ValueError: if the files that are named do not belong together.
    """
    if given.image and len(given.image) != len(given.segmentations):
        raise ValueError(
            f"Give an image for each segmentation: there are {len(given.segmentations)} segmentations and "
            f"{len(given.image)} images."
        )
    several = [f"--{name}" for name in ONE_BY_ONE if getattr(given, name)]
    if len(given.segmentations) > 1 and several:
        raise ValueError(f"{several[0]} writes a file about one segmentation: give one at a time.")
    written = [path for name in (*ONE_BY_ONE, "csv", "coco") if (path := getattr(given, name))]
    read = {path.resolve() for path in (*given.segmentations, *given.image)}
    if clash := [path for path in written if path.resolve() in read]:
        raise ValueError(f"{clash[0]} would be overwritten: choose another file.")


Measurable = tuple[NDArray[np.uint8], Image | None, Image]


def _pages(path: Path, image_path: Path | None) -> Iterator[Measurable]:
    """Each image of a file of class ids, with the image whose values are measured, and what says where it lies."""
    if image_path is not None:
        for image, segmentation in read_with_masks(image_path, path, None):
            yield segmentation, image, image
        return
    with closing(read_masks(path)) as masks:
        for mask in masks:
            yield mask.pixels, None, mask


def _classes(path: Path, segmentation: NDArray[np.uint8], wanted: Sequence[int] | None) -> Sequence[LabelClass]:
    """The classes that are asked for, or all that the file names or holds, as the file calls them.

    Raises:
        ValueError: if a class that is asked for is none.
    """
    there = np.flatnonzero(np.bincount(segmentation.ravel(), minlength=256))[1:].tolist() if segmentation.any() else []
    there = [one for one in there if one]
    named = {one.id: one for one in named_classes(path)}
    if wanted is None:
        if not named and is_black_and_white(segmentation):
            there = [255]
        wanted = sorted({*named, *there})
    if strange := [one for one in wanted if not 1 <= one <= 255]:
        raise ValueError(f"A class is a whole number from 1 to 255, not {strange[0]}.")
    return [named.get(one) or numbered_classes([one])[0] for one in dict.fromkeys(wanted)]
