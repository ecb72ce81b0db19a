"""An image of a series as jobs, and what remains to be done when the jobs are done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from segmentation.features.pointwise import lacks_constants
from segmentation.io.block_images import BlockImages, open_block_images
from segmentation.io.image import KEPT_TYPES, Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.no_data import halo_with_no_data
from segmentation.io.pixel_size import PixelSize
from segmentation.io.pyramid import side_that_fits
from segmentation.io.sampling import is_large, sampled_windows
from segmentation.io.standardise import standards
from segmentation.model.channels import channels_note, matched, wanted_channels
from segmentation.model.classifier import PixelClassifier
from segmentation.model.values import adaptation_note, in_type, range_note, type_known, type_taken
from segmentation.objects.steps import changes_classes
from segmentation.series.block_results import PROBABILITIES, BlockResults
from segmentation.series.cleaning import refuse_large
from segmentation.series.drawn import CORRECTIONS, OUTLINES
from segmentation.series.inputs import is_zarr
from segmentation.series.jobs import BlockJob, FileJob, Job
from segmentation.series.model import Model
from segmentation.series.pages import Extras, Page
from segmentation.series.results import ResultFolder

if TYPE_CHECKING:
    from segmentation._shared.tiling import Window

PLANES = 16
"""Of a volume that one job segments: those around them, which it reads too, are many, and are in memory together."""


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
    together: int,
) -> list[Job]:
    """A job for each block of each image, image by image; of a volume for some planes together."""
    length = max((place[-1] for place in taken if place), default=0) + 1
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
            min(together, length - place[-1]) if place else 1,
        )
        for place, values in taken.items()
        if not place or place[-1] % together == 0
        for block in blocks
    ]


def block_task(
    model: Model, results: ResultFolder, path: Path, name: str, key: dict[str, Any], extras: Extras, axes: str | None
) -> Task:
    """An image of any size as blocks, whose results are written beside the results that are finished.

    Raises:
        ValueError: if it cannot be used, or extras are asked for that it cannot have.
        OSError: if the results cannot be written.
    """
    _refuse_extras(path, extras, key)
    images = open_block_images(path, channels=wanted_channels(model.classifier), axes=axes)
    cleans = changes_classes(model.classifier.clean_up)
    if cleans:
        refuse_large(images.shape)
    typed = key.get("pixel_size")
    size = PixelSize.from_json(typed) if typed else None
    made = BlockResults(model, results, name, images, not is_zarr(path), extras.probabilities, cleans, size)
    return task_of_blocks(made, path, key, axes, _side_of_blocks(model, images))


def task_of_blocks(made: BlockResults, path: Path, key: dict[str, Any], axes: str | None, side: int | None) -> Task:
    """Images that are open as blocks.

    Args:
        made: where the results go.
        path: of the images, as its jobs name it.
        key: what the results depend on, plain JSON values.
        axes: what the axes of a Zarr array are, if they were chosen.
        side: rows and columns of a block; None is the usual.

    Raises:
        ValueError: if they cannot be used.
        OSError: if the results cannot be written.
    """
    model, images = made.model, made.images
    _refuse_without_constants(model, images)
    _refuse_flat(model, images)
    made.begin(key, side)
    places = list(np.ndindex(images.stack_shape))
    blocks = images.blocks(side)
    taken = {place: values_taken(images, place, model.classifier) for place in places}
    together = PLANES if model.classifier.spec.looks_around else 1
    planes = str(made.path(PROBABILITIES)) if made.probabilities else None
    jobs = _block_jobs(path, axes, blocks, taken, str(made.written), planes, together)

    def finish(outcomes: list[list[Page]]) -> list[Page]:
        of_planes = [outcomes[at : at + len(blocks)] for at in range(0, len(outcomes), len(blocks))]
        sums = [sum_counts(parts) for of_blocks in of_planes for parts in zip(*of_blocks, strict=True)]
        if made.cleans:
            sums = made.cleaned(places, blocks)
        measured = made.pixel_size or images.pixel_size
        size = measured.to_json() if measured else None
        pages = [
            Page(
                *images.shape,
                pixels,
                notes=model.notes(pixels, taken[place].notes) + images.notes,
                pixel_size=size,
                place=images.named_place(place),
            )
            for place, pixels in zip(places, sums, strict=True)
        ]
        outputs = made.publish(places)
        made.folder.finish(made.name, {"key": key, "outputs": outputs, "pages": [asdict(page) for page in pages]})
        made.end()
        return pages

    return Task(path, made.name, key, jobs, images.bytes, finish)


def _side_of_blocks(model: Model, images: BlockImages) -> int | None:
    """Of the blocks of an array, None the usual one; of many channels it is smaller, so that a block fits memory."""
    from segmentation.io import zarr_images

    spec = model.classifier.spec
    usual = zarr_images.VOLUME_BLOCK_SIDE if spec.looks_around else zarr_images.BLOCK_SIDE
    side = side_that_fits(usual, images.channels * images.dtype.itemsize, halo_with_no_data(spec.halo))
    return None if side == zarr_images.BLOCK_SIDE else side


def _refuse_extras(path: Path, extras: Extras, key: Mapping[str, Any]) -> None:
    """Refuse what can be made only of image files that fit memory."""
    kind = "a Zarr array" if is_zarr(path) else "a TIFF that is too large for memory"
    if OUTLINES in key:
        raise ValueError(f"Where to work was outlined on image files: {kind} is segmented without --only-here.")
    if CORRECTIONS in key:
        raise ValueError(f"Corrections are painted on image files: {kind} is segmented without --corrections.")
    if extras.png or extras.overlay or extras.objects:
        raise ValueError(
            f"{kind[0].upper()}{kind[1:]} can have no PNG, no overlay and no objects: ask for its class ids and "
            "probabilities only."
        )


def _refuse_without_constants(model: Model, images: BlockImages) -> None:
    """Refuse an array for which features would take constants from whole images."""
    fits = model.classifier.channels_ in (None, images.channels)
    if fits and lacks_constants(model.classifier.spec_, images.channels):
        raise ValueError(
            "The classifier learnt from rows of features, and compares channels by numbers of the whole image: "
            "it cannot segment a Zarr array, or a TIFF that is too large for memory, which is read in blocks."
        )


def _refuse_flat(model: Model, images: BlockImages) -> None:
    """Refuse an array that is no volume for features that look at several planes."""
    if not model.classifier.spec.looks_around:
        return
    if not images.stack_axes or images.stack_axes[-1] != "z" or images.stack_shape[-1] == 1:
        raise ValueError(
            "The classifier looks at several planes along z, but this array has none: say what its axes are, such as "
            "--axes zyx; z comes last of those of a stack."
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


def values_taken(images: BlockImages, place: Sequence[int], classifier: PixelClassifier) -> ValuesTaken:
    """How the values of an image that is read in blocks are taken, as those of an image that is read at once.

    Its range decides: where one is to be compared, all of it is read, which costs little beside the features, or
    what :attr:`segmentation.io.pyramid.Pyramid.sample` takes for the whole.

    Raises:
        ImageError: if it cannot be read.
        ValueError: with a sentence, if it has other channels than the training images.
    """
    training, told = classifier.training_, dict[str | None, None]()

    def looked_at() -> Iterator[Image]:
        for image in _looked_at(images, place):
            told[channels_note(image, training)] = None
            yield matched(image, classifier)

    if classifier.spec_.standardise:
        of_channels = tuple(standards(looked_at()))
        return ValuesTaken("", tuple(filter(None, told)), of_channels)
    own = images.dtype
    if own.name not in KEPT_TYPES or not type_known(training):
        return ValuesTaken("", ())
    blocks = looked_at()
    ranges = [block.metadata["value_range"] for block in blocks if block.no_data is None or not block.no_data.all()]
    if not ranges:
        return ValuesTaken("", ())
    ends = min(low for low, _ in ranges), max(high for _, high in ranges)
    name = own.name if classifier.spec_.looks_around else type_taken(own, ends, training)
    if name != own.name and not all(in_type(block, name) for block in looked_at()):
        name = own.name
    notes = *told, adaptation_note(own.name, name), range_note(np.dtype(name), ends, training)
    return ValuesTaken(name, tuple(note for note in notes if note))


def _looked_at(images: BlockImages, place: Sequence[int]) -> Iterator[Image]:
    """The parts of an image by which it is told how its values are taken: all, or of a large one a sample."""
    if not is_large(images.shape):
        yield from (images.read(place, block) for block in images.blocks())
        return
    failed: ImageError | None = None
    found = 0
    for window in sampled_windows(images.shape):
        try:
            image = images.read(place, window)
        except PassingError:
            raise
        except ImageError as error:  # as in the sample of a pyramid, what is damaged is left out
            failed = error
        else:
            found += 1
            yield image
    if failed and not found:
        raise failed


def sum_counts(parts: Sequence[Page]) -> dict[str, int]:
    """Number of pixels of each class in all parts of an image."""
    return {class_id: sum(part.pixels[class_id] for part in parts) for class_id in parts[0].pixels}
