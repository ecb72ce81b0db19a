"""The work of a series as jobs, each an image file or a block of a Zarr array.

A job can be sent as plain JSON values, so that a thread, another process or another machine can do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from segmentation._shared.tiling import Window
from segmentation.io.image import Image
from segmentation.io.limits import PageError
from segmentation.io.no_data import halo_with_no_data
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_pages
from segmentation.io.standardise import standardised
from segmentation.model.values import in_type
from segmentation.series.drawn import on_images, outlined, painted_on
from segmentation.series.model import Model, Segmented
from segmentation.series.pages import Extras, Page, PageWriter, segment_pages
from segmentation.series.results import ResultFolder

Report = Callable[[float], None]
"""Called now and then with the part of a job that is done, from 0 to 1."""


@dataclass(frozen=True)
class FileJob:
    """An image file to be segmented.

    Attributes:
        image: its path.
        name: of its results.
        folder: where they go.
        key: all that they depend on, plain JSON values.
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
        with (
            folder.writing(self.name) as staging,
            PageWriter(model, self.name, self.extras, staging) as writer,
            closing(read_pages(self.image)) as images,
        ):
            for image in segment_pages(self._as_chosen(images), lambda image: self._segment(model, image), writer):
                report(image.metadata["page"] / image.metadata["pages"])
        key = on_images(self.key, {one for page in writer.pages for one in page.hashes})
        record = {"key": key, "outputs": staging.sizes, "pages": [asdict(page) for page in writer.pages]}
        folder.finish(self.name, record)
        return writer.pages

    def _as_chosen(self, images: Iterable[Image | PageError]) -> Iterator[Image | PageError]:
        """The images with pixels of the size that somebody typed, worked on where it was outlined."""
        typed = self.key.get("pixel_size")
        size = PixelSize.from_json(typed) if typed else None
        for image in images:
            yield image if isinstance(image, PageError) else outlined(image.with_pixel_size(size), self.key)

    def _segment(self, model: Model, image: Image) -> Segmented:
        segmented = model.segment_whole(image, self.extras.probabilities, self.extras.objects)
        return segmented.corrected(painted_on(image, self.key))


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
        type: in which the values are taken; empty takes them as they are.
        standards: mean and standard deviation of each channel of the whole image, if it is to be standardised.
    """

    image: str
    axes: str | None
    place: tuple[int, ...]
    rows: tuple[int, int]
    columns: tuple[int, int]
    labels: str
    probabilities: str | None
    type: str = ""
    standards: tuple[tuple[float, float], ...] = ()

    def run(self, model: Model, report: Report) -> list[Page]:
        """Segments the block, unless that is done, and writes the results.

        Returns:
            The outcome for the block.

        Raises:
            ValueError: if the array cannot be read, or not be segmented by this classifier.
            OSError: if something cannot be written.
        """
        from segmentation.io import zarr_images

        block = Window(slice(*self.rows), slice(*self.columns))
        labels = zarr_images.ZarrResults.open(Path(self.labels))
        if labels.has(self.place, block):
            segmentation = labels.read(self.place, block)
        else:
            images = zarr_images.open_images(Path(self.image), channels=model.classifier.channels_, axes=self.axes)
            around = zarr_images.halo_window(block, model.classifier.spec.halo, images.shape)
            inner = Window(*block.place_in(around))
            image = images.read(self.place, around)
            if image.no_data is not None:
                wide = halo_with_no_data(model.classifier.spec.halo)
                around = zarr_images.halo_window(block, wide, images.shape)
                inner = Window(*block.place_in(around))
                image = images.read(self.place, around)
            image = standardised(image, self.standards) if self.standards else image
            image = (in_type(image, self.type) if self.type else None) or image
            segmentation, probabilities = model.segment(image, inner, self.probabilities is not None)
            if self.probabilities is not None:
                zarr_images.ZarrResults.open(Path(self.probabilities)).write(self.place, block, probabilities)
            labels.write(self.place, block, segmentation)
        return [Page(*block.shape, model.count(segmentation))]


Job = FileJob | BlockJob

Progress = Callable[[Job, float], None]
"""Called now and then with a job and the part of it that is done, from 0 to 1."""


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
