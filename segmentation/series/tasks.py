"""An image of a series as jobs, and what remains to be done when the jobs are done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segmentation.features.pointwise import lacks_constants
from segmentation.io.image import KEPT_TYPES
from segmentation.io.standardise import standards
from segmentation.model.classifier import PixelClassifier
from segmentation.model.values import adaptation_note, in_type, range_note, type_known, type_taken
from segmentation.objects.steps import changes_classes
from segmentation.series.cleaning import clean_blocks, refuse_large
from segmentation.series.drawn import CORRECTIONS, OUTLINES
from segmentation.series.jobs import BlockJob, FileJob, Job
from segmentation.series.model import Model
from segmentation.series.pages import Extras, Page
from segmentation.series.results import ResultFolder, file_name, read_json, write_json

if TYPE_CHECKING:
    from segmentation._shared.tiling import Window
    from segmentation.io.zarr_images import ZarrImages

UNFINISHED = ".unfinished"
BEGUN = ".begun"
FOUND = ".found.zarr"
"""The class ids that were found, before a clean-up."""


@dataclass
class Task:
    """An image of a series that is to be segmented.

    Attributes:
        path: of the image.
        name: of its results.
        key: what its results depend on, plain JSON values.
        jobs: the work.
        weight: about how much work it is.
        finish: called with the outcomes of the jobs when all are done; publishes the results, if no job does.
        parts: which part of each job is done.
        pages: the outcome of each job.
    """

    path: Path
    name: str
    key: dict[str, Any]
    jobs: list[Job]
    weight: float
    finish: Callable[[list[list[Page]]], list[Page]]
    parts: dict[int, float] = field(default_factory=dict)
    pages: dict[int, list[Page]] = field(default_factory=dict)


def file_task(results: ResultFolder, path: Path, name: str, key: dict[str, Any], extras: Extras) -> Task:
    """An image file, or stack of images, which is one job, which publishes its results."""
    job = FileJob(str(path), name, str(results.path), key, extras)
    return Task(path, name, key, [job], key["image"]["bytes"], lambda outcomes: outcomes[0])


def _block_jobs(
    path: Path,
    axes: str | None,
    blocks: list[Window],
    taken: Mapping[tuple[int, ...], ValuesTaken],
    labels: str,
    planes: str | None,
) -> list[Job]:
    """A job for each block of each image of an array, image by image."""
    return [
        BlockJob(
            str(path),
            axes,
            place,
            (block.rows.start, block.rows.stop),
            (block.columns.start, block.columns.stop),
            labels,
            planes,
            values.type,
            values.standards,
        )
        for place, values in taken.items()
        for block in blocks
    ]


def array_task(
    model: Model, results: ResultFolder, path: Path, name: str, key: dict[str, Any], extras: Extras, axes: str | None
) -> Task:
    """A Zarr array as blocks, whose results are written beside the results that are finished.

    Raises:
        ValueError: if the array cannot be used, or extras are asked for that it cannot have.
        OSError: if the results cannot be written.
    """
    from segmentation.io import zarr_images

    _refuse_extras(extras, key)
    images = zarr_images.open_images(path, channels=model.classifier.channels_, axes=axes)
    _refuse_without_constants(model, images)
    cleans = changes_classes(model.classifier.clean_up)
    if cleans:
        refuse_large(images.shape)
    made, found = {file_name(name, ".zarr"): False}, file_name(name, FOUND)
    made |= {file_name(name, ".probabilities.zarr"): True} if extras.probabilities else {}
    unfinished = _begun(model, results, images, name, key, made | ({found: False} if cleans else {}))
    begun = results.records / file_name(name, BEGUN)

    labels = str(unfinished[found if cleans else file_name(name, ".zarr")])
    planes = [str(unfinished[place]) for place, with_planes in made.items() if with_planes]
    places = list(np.ndindex(images.stack_shape))
    blocks = images.blocks()
    taken = {place: values_taken(images, place, model.classifier) for place in places}
    jobs = _block_jobs(path, axes, blocks, taken, labels, planes[0] if planes else None)

    def finish(outcomes: list[list[Page]]) -> list[Page]:
        parts = [page for pages in outcomes for page in pages]
        sums = [sum_counts(parts[at : at + len(blocks)]) for at in range(0, len(parts), len(blocks))]
        if cleans:
            raw, cleaned = (zarr_images.ZarrResults.open(unfinished[one]) for one in (found, file_name(name, ".zarr")))
            sums = [clean_blocks(model, raw, cleaned, place, images.shape, blocks) for place in places]
        size = key.get("pixel_size") or (images.pixel_size.to_json() if images.pixel_size else None)
        pages = [
            Page(
                *images.shape,
                pixels,
                notes=model.notes(pixels, taken[place].notes),
                pixel_size=size,
                place=images.named_place(place),
            )
            for place, pixels in zip(places, sums, strict=True)
        ]
        results.begin(name, made)
        for place in made:
            zarr_images.sweep(unfinished[place])
            results.publish_folder(unfinished[place], place)
        results.finish(name, {"key": key, "outputs": dict.fromkeys(made), "pages": [asdict(page) for page in pages]})
        begun.unlink()
        if cleans:
            shutil.rmtree(unfinished[found], ignore_errors=True)
        return pages

    return Task(path, name, key, jobs, zarr_images.count_bytes(images), finish)


def _begun(
    model: Model, results: ResultFolder, images: ZarrImages, name: str, key: dict[str, Any], made: Mapping[str, bool]
) -> dict[str, Path]:
    """Where the arrays are while they are made, by their names; those of an interrupted run if it had the same key.

    Args:
        model, results, name, key: as of :func:`array_task`.
        images: the images in the array.
        made: whether each array has planes of probabilities.
    """
    from segmentation.io import zarr_images

    unfinished = {place: results.records / file_name(place, UNFINISHED) for place in made}
    begun = results.records / file_name(name, BEGUN)
    if read_json(begun) != key or not all(folder.is_dir() for folder in unfinished.values()):
        begun.unlink(missing_ok=True)
        for place, with_planes in made.items():
            shutil.rmtree(unfinished[place], ignore_errors=True)
            zarr_images.create_results(
                images, unfinished[place], model.classifier.label_classes_, model.planes, with_planes
            )
        write_json(begun, key)
    results.begin(name)
    return unfinished


def _refuse_extras(extras: Extras, key: Mapping[str, Any]) -> None:
    """Refuse what can be made of image files only."""
    if OUTLINES in key:
        raise ValueError("Where to work was outlined on image files: a Zarr array is segmented without --only-here.")
    if CORRECTIONS in key:
        raise ValueError("Corrections are painted on image files: a Zarr array is segmented without --corrections.")
    if extras.png or extras.overlay or extras.objects:
        raise ValueError(
            "A Zarr array can have no PNG, no overlay and no objects: ask for its class ids and probabilities only."
        )


def _refuse_without_constants(model: Model, images: ZarrImages) -> None:
    """Refuse an array for which features would take constants from whole images."""
    fits = model.classifier.channels_ in (None, images.channels)
    if fits and lacks_constants(model.classifier.spec_, images.channels):
        raise ValueError(
            "The classifier learnt from rows of features, and compares channels by numbers of the whole image: "
            "it cannot segment a Zarr array, which is read in blocks."
        )


@dataclass(frozen=True)
class ValuesTaken:
    """How the values of an image are taken.

    Attributes:
        type: in which type; empty as they are.
        notes: sentences on that.
        standards: mean and standard deviation of each channel, if it is to be standardised.
    """

    type: str
    notes: tuple[str, ...]
    standards: tuple[tuple[float, float], ...] = ()


def values_taken(images: ZarrImages, place: Sequence[int], classifier: PixelClassifier) -> ValuesTaken:
    """How the values of an image of an array are taken, as those of an image that is read at once.

    Its range decides: where one is to be compared, all of it is read, which costs little beside the features.

    Raises:
        ImageError: if it cannot be read.
    """
    if classifier.spec_.standardise:
        blocks = (images.read(place, block) for block in images.blocks())
        return ValuesTaken("", (), tuple(standards(blocks)))
    own, training = images.array.dtype.newbyteorder("="), classifier.training_
    if own.name not in KEPT_TYPES or not type_known(training):
        return ValuesTaken("", ())
    blocks = (images.read(place, block) for block in images.blocks())
    ranges = [block.metadata["value_range"] for block in blocks if block.no_data is None or not block.no_data.all()]
    if not ranges:
        return ValuesTaken("", ())
    ends = min(low for low, _ in ranges), max(high for _, high in ranges)
    name = type_taken(own, ends, training)
    if name != own.name and not all(in_type(images.read(place, block), name) for block in images.blocks()):
        name = own.name
    notes = adaptation_note(own.name, name), range_note(np.dtype(name), ends, training)
    return ValuesTaken(name, tuple(note for note in notes if note))


def sum_counts(parts: Sequence[Page]) -> dict[str, int]:
    """Number of pixels of each class in all parts of an image."""
    return {class_id: sum(part.pixels[class_id] for part in parts) for class_id in parts[0].pixels}
