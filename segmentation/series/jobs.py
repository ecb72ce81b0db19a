"""The work of a series in pieces that a process can be handed: an image file, or a block of a Zarr array.

A job is a plain JSON value on its way, so that it can be handed to a thread, to another process or to another machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.tiling import Tile, whole_of
from segmentation.io.display import display_pixels, display_range
from segmentation.io.export import CLASS_IDS, label_pages, overlay_png, probability_pages, segmentation_png
from segmentation.io.image import Image
from segmentation.io.read import read_stack
from segmentation.io.shares import class_shares
from segmentation.io.tiffwriter import TiffPages
from segmentation.model.classifier import load_classifier
from segmentation.series.results import ResultFolder, Staging
from segmentation.strokes.classes import LabelClass

BIG_TIFF_BYTES = 2**31
"""From so many bytes of pixels on, a TIFF is written in the variant for large files."""

Report = Callable[[float], None]
"""Told now and then which part of a job is done, from 0 to 1."""


class Model:
    """A classifier file that is applied.

    Args:
        data: the bytes of the file.
        threads: number of threads; None takes all cores. No result depends on it.

    Attributes:
        data: these bytes.
        classifier: the classifier.

    Raises:
        ModelFileError: if it is no classifier file.
    """

    def __init__(self, data: bytes, threads: int | None = None) -> None:
        self.data = data
        self.classifier = load_classifier(data, threads=threads)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def names(self) -> dict[int, str]:
        """The names of the classes by their ids."""
        return {one.id: one.name for one in self.classifier.label_classes_}

    @property
    def colours(self) -> dict[int, str]:
        """The colours of the classes by their ids."""
        return {one.id: one.colour for one in self.classifier.label_classes_}

    @property
    def planes(self) -> list[LabelClass]:
        """The classes that have a plane of probabilities, in the order of the planes."""
        classes = {one.id: one for one in self.classifier.label_classes_}
        return [classes[int(class_id)] for class_id in self.classifier.classes_]

    def images(self, path: str) -> Generator[Image, None, None]:
        """The images of a file."""
        return read_stack(path)

    def segment(
        self, image: Image, window: Tile, with_probabilities: bool
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32] | None]:
        """The class ids in a window of an image and, if they are asked for, the probabilities.

        Returns:
            ``(window rows, window columns)`` uint8, and ``(classes, window rows, window columns)`` float32 or None.

        Raises:
            ValueError: if the image has other channels than those that were learnt from.
        """
        checked = self.classifier.check(image)
        if not with_probabilities:
            return self.classifier.predict_window(checked, window), None
        probabilities = self.classifier.predict_proba_window(checked, window)
        return self.classifier.classes_[probabilities.argmax(axis=0)], probabilities

    def count(self, segmentation: NDArray[np.uint8]) -> dict[str, int]:
        """Number of pixels of each class, by class id as text."""
        return {str(entry.id): entry.pixels for entry in class_shares(segmentation, self.names)}


@dataclass(frozen=True)
class Extras:
    """What is written of each image beside its class ids.

    Attributes:
        png: a PNG in the colours of the classes.
        probabilities: a TIFF, or of a Zarr array a Zarr array, with a float32 plane for each class.
        overlay: a PNG of the image with the classes painted over it.
    """

    png: bool = False
    probabilities: bool = False
    overlay: bool = False


@dataclass(frozen=True)
class Page:
    """What came out for one image, of which a stack has several.

    Attributes:
        rows: rows of the image.
        columns: columns of the image.
        pixels: number of pixels of each class, by class id as text.
    """

    rows: int
    columns: int
    pixels: dict[str, int]


@dataclass(frozen=True)
class FileJob:
    """An image file to be segmented.

    Attributes:
        image: its path.
        name: of its results.
        folder: where they go.
        key: what they depend on, plain JSON values.
        extras: what is written beside class ids.
    """

    image: str
    name: str
    folder: str
    key: dict[str, Any]
    extras: Extras

    def run(self, model: Model, report: Report) -> list[Page]:
        """Segments all images of the file and writes the results and, at last, their record.

        Raises:
            ValueError: if the file cannot be read, or not be segmented by this classifier.
            OSError: if something cannot be written.
        """
        folder = ResultFolder(Path(self.folder))
        folder.begin(self.name)
        pages = []
        with folder.writing() as staging, ExitStack() as open_files:
            writer: PageWriter | None = None
            for image in open_files.enter_context(closing(model.images(self.image))):
                if writer is None:
                    writer = PageWriter(model, self.name, self.extras, image, staging, open_files)
                pages.append(writer.add(image))
                report(len(pages) / writer.pages)
        record = {"key": self.key, "outputs": staging.sizes, "pages": [asdict(page) for page in pages]}
        folder.finish(self.name, record)
        return pages


class PageWriter:
    """Writes the results of the images of one file, image by image.

    Args:
        model: what is applied.
        name: of the results.
        extras: what is written beside class ids.
        first: the first image of the file.
        staging: where files are made.
        open_files: closes them.

    Attributes:
        pages: number of images in the file.
    """

    def __init__(
        self, model: Model, name: str, extras: Extras, first: Image, staging: Staging, open_files: ExitStack
    ) -> None:
        self.pages = first.metadata["pages"]
        self._model, self._name, self._extras, self._staging = model, name, extras, staging
        pixels = self.pages * first.shape[0] * first.shape[1]
        self._labels = open_files.enter_context(
            label_pages(staging.open(f"{name}.tif"), model.names, big=pixels > BIG_TIFF_BYTES)
        )
        self._probabilities: TiffPages | None = None
        if extras.probabilities:
            names = [one.name for one in model.planes]
            file = staging.open(f"{name}.probabilities.tif")
            self._probabilities = open_files.enter_context(
                probability_pages(file, names, big=4 * len(names) * pixels > BIG_TIFF_BYTES)
            )

    def add(self, image: Image) -> Page:
        """Segments the next image and writes its results."""
        model = self._model
        segmentation, probabilities = model.segment(image, whole_of(image.shape), self._extras.probabilities)
        self._labels.add(segmentation, CLASS_IDS)
        if self._probabilities is not None and probabilities is not None:
            for plane, label_class in zip(probabilities, model.planes, strict=True):
                self._probabilities.add(plane, label_class.name)
        number = f".{image.metadata['page']:04d}" if self.pages > 1 else ""
        if self._extras.png:
            png = segmentation_png(segmentation, model.colours, level=6)
            self._staging.write(f"{self._name}{number}.png", png)
        if self._extras.overlay:
            shown = display_pixels(image, ranges=display_range(image))
            png = overlay_png(shown, segmentation, model.colours)
            self._staging.write(f"{self._name}{number}.overlay.png", png)
        return Page(*image.shape, model.count(segmentation))


@dataclass(frozen=True)
class BlockJob:
    """A block of an image in a Zarr array to be segmented.

    Attributes:
        image: path of the array or OME-Zarr group.
        axes: what its axes are, if they were chosen.
        place: which image: its index along each axis of the stack.
        rows: first row and row after the last.
        columns: first column and column after the last.
        labels: path of the results.
        probabilities: path of the probabilities, if they are asked for.
    """

    image: str
    axes: str | None
    place: tuple[int, ...]
    rows: tuple[int, int]
    columns: tuple[int, int]
    labels: str
    probabilities: str | None

    def run(self, model: Model, report: Report) -> list[Page]:
        """Segments the block, unless that is done, and writes the results.

        Returns:
            What came out for the block.

        Raises:
            ValueError: if the array cannot be read, or not be segmented by this classifier.
            OSError: if something cannot be written.
        """
        from segmentation.io import zarr_images

        block = Tile(0, slice(*self.rows), slice(*self.columns))
        labels = zarr_images.ZarrResults.open(Path(self.labels))
        if labels.has(self.place, block):
            segmentation = labels.read(self.place, block)
        else:
            images = zarr_images.open_images(Path(self.image), channels=model.classifier.channels_, axes=self.axes)
            around = zarr_images.halo_window(block, model.classifier.spec.halo, images.shape)
            inner = Tile(0, *block.place_in(around))
            image = images.read(self.place, around)
            segmentation, probabilities = model.segment(image, inner, self.probabilities is not None)
            if self.probabilities is not None:
                zarr_images.ZarrResults.open(Path(self.probabilities)).write(self.place, block, probabilities)
            labels.write(self.place, block, segmentation)
        return [Page(*block.shape, model.count(segmentation))]


Job = FileJob | BlockJob

Progress = Callable[[Job, float], None]
"""Told now and then which part of which job is done, from 0 to 1."""


def job_to_json(job: Job) -> dict[str, Any]:
    """A job as plain JSON values."""
    return {"kind": type(job).__name__, **asdict(job)}


def job_from_json(values: dict[str, Any]) -> Job:
    """The job that :func:`job_to_json` described."""
    given: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in values.items()}
    if given.pop("kind") == "FileJob":
        return FileJob(**given | {"extras": Extras(**given["extras"])})
    return BlockJob(**given)


def reason(error: BaseException) -> str:
    """One sentence for the person whose image could not be segmented."""
    if isinstance(error, MemoryError):
        return "It does not fit into this computer's memory."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}." if error.filename else f"{error.strerror}."
    if isinstance(error, ValueError):
        return str(error)
    return f"This should not have happened ({type(error).__name__}: {error})."
