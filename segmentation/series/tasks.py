"""An image of a series as the jobs that it takes, and what is to be done when they are done."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from segmentation.series.jobs import BlockJob, Extras, FileJob, Job, Model, Page
from segmentation.series.results import ResultFolder, read_json, write_json

UNFINISHED = ".unfinished"
BEGUN = ".begun"


@dataclass
class Task:
    """An image of a series that is to be segmented.

    Attributes:
        path: of the image.
        name: of its results.
        key: what its results depend on, plain JSON values.
        jobs: what is to be done.
        weight: about how much work it is.
        finish: called with what came out of the jobs when all are done; makes the results appear, if no job does.
        parts: which part of each job is done.
        pages: what came out of each job.
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
    """An image file, or stack of images, which is one job; the job makes its results appear."""
    job = FileJob(str(path), name, str(results.path), key, extras)
    return Task(path, name, key, [job], key["image"]["bytes"], lambda outcomes: outcomes[0])


def array_task(
    model: Model, results: ResultFolder, path: Path, name: str, key: dict[str, Any], extras: Extras, axes: str | None
) -> Task:
    """A Zarr array as blocks, whose results take shape beside the results that are finished.

    Raises:
        ValueError: if the array cannot be used, or extras are asked for that it cannot have.
        OSError: if the results cannot be written.
    """
    from segmentation.io import zarr_images

    if extras.png or extras.overlay:
        raise ValueError("A Zarr array can have no PNG and no overlay: ask for its class ids and probabilities only.")
    images = zarr_images.open_images(path, channels=model.classifier.channels_, axes=axes)
    made = {f"{name}.zarr": False} | ({f"{name}.probabilities.zarr": True} if extras.probabilities else {})
    unfinished = {place: results.records / f"{place}{UNFINISHED}" for place in made}
    begun = results.records / f"{name}{BEGUN}"
    if read_json(begun) != key:
        begun.unlink(missing_ok=True)
        for place, with_planes in made.items():
            shutil.rmtree(unfinished[place], ignore_errors=True)
            zarr_images.create_results(
                images, unfinished[place], model.classifier.label_classes_, model.planes, with_planes
            )
        write_json(begun, key)
    results.begin(name)

    labels, *planes = map(str, unfinished.values())
    places = list(np.ndindex(images.stack_shape))
    blocks = images.blocks()
    jobs: list[Job] = [
        BlockJob(
            str(path),
            axes,
            place,
            (block.rows.start, block.rows.stop),
            (block.columns.start, block.columns.stop),
            labels,
            planes[0] if planes else None,
        )
        for place in places
        for block in blocks
    ]

    def finish(outcomes: list[list[Page]]) -> list[Page]:
        parts = [page for pages in outcomes for page in pages]
        pages = [
            Page(*images.shape, sum_counts(parts[at : at + len(blocks)])) for at in range(0, len(parts), len(blocks))
        ]
        for place, folder in unfinished.items():
            zarr_images.sweep(folder)
            results.publish_folder(folder, place)
        results.finish(name, {"key": key, "outputs": dict.fromkeys(made), "pages": [asdict(page) for page in pages]})
        begun.unlink()
        return pages

    return Task(path, name, key, jobs, zarr_images.count_bytes(images), finish)


def sum_counts(parts: Sequence[Page]) -> dict[str, int]:
    """Number of pixels of each class in all parts of an image."""
    return {class_id: sum(part.pixels[class_id] for part in parts) for class_id in parts[0].pixels}
