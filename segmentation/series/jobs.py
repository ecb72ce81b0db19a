"""The work of a series as jobs, each an image file or a block of an image of any size.

A job can be sent as plain JSON values, so that a thread, another process or another machine can do it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from segmentation._shared.tiling import Window
from segmentation.io.addresses import image_path
from segmentation.io.block_images import BlockImages, open_block_images, read_planes
from segmentation.io.image import Image
from segmentation.io.limits import PageError
from segmentation.io.no_data import halo_with_no_data
from segmentation.io.pixel_size import PixelSize
from segmentation.io.pyramid import window_with_halo
from segmentation.io.read import read_pages
from segmentation.io.slab import kept_smoothing
from segmentation.io.standardise import standardised
from segmentation.io.volumes import in_slabs, slab_positions, with_slab
from segmentation.model.channels import matched, wanted_channels
from segmentation.model.values import nearest_in_type
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
            spec = model.classifier.spec
            pages = in_slabs(images, spec.depth_halo) if spec.looks_around else images
            for image in segment_pages(self._as_chosen(pages), lambda image: self._segment(model, image), writer):
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
    """A block of an image in a Zarr array, or in a TIFF that is too large for memory, to be segmented.

    Attributes:
        image: path or address of the array or OME-Zarr group, or path of the file.
        axes: what its axes are, if they were chosen.
        place: which image: its index along each axis of the stack.
        rows: first row and row after the last.
        columns: first column and column after the last.
        labels: path of the results.
        probabilities: path of the probabilities, if they are asked for.
        type: in which the values are taken; empty takes them as they are.
        standards: mean and standard deviation of each channel of the whole image, if it is to be standardised.
        planes: how many planes of a volume it is, from ``place`` on along z.
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
    planes: int = 1

    def run(self, model: Model, report: Report) -> list[Page]:
        """Segments the block, unless that is done, and writes the results.

        Returns:
            The outcome for the block, of a volume for each of its planes.

        Raises:
            ValueError: if the array cannot be read, or not be segmented by this classifier.
            OSError: if something cannot be written.
        """
        found = self.found(model)
        if found:
            return found
        images = open_block_images(image_path(self.image), channels=wanted_channels(model.classifier), axes=self.axes)
        return self.segment(model, images)

    def found(self, model: Model) -> list[Page]:
        """The outcome, if the block is done; else nothing."""
        from segmentation.io.zarr_images import ZarrResults

        labels, block = ZarrResults.open(Path(self.labels)), self._block
        places = [(*self.place[:-1], self.place[-1] + step) for step in range(self.planes)] if self.place else [()]
        if not all(labels.has(place, block) for place in places):
            return []
        return [Page(*block.shape, model.count(labels.read(place, block))) for place in places]

    def segment(self, model: Model, images: BlockImages) -> list[Page]:
        """Segments the block of images that are open, and writes the results; otherwise as :meth:`run`."""
        from segmentation.io.zarr_images import ZarrResults

        block, pages = self._block, []
        labels = ZarrResults.open(Path(self.labels))
        for place, image, inner in self._images(model, images):
            segmentation, probabilities = model.segment(image, inner, self.probabilities is not None)
            if self.probabilities is not None:
                ZarrResults.open(Path(self.probabilities)).write(place, block, probabilities)
            labels.write(place, block, segmentation)
            pages.append(Page(*block.shape, model.count(segmentation)))
        return pages

    @property
    def _block(self) -> Window:
        return Window(slice(*self.rows), slice(*self.columns))

    def _images(self, model: Model, images: BlockImages) -> Iterator[tuple[tuple[int, ...], Image, Window]]:
        """Each plane of the block with its halo, where it lies in the array, and the block in it."""
        classifier, block = model.classifier, self._block
        spec = classifier.spec
        around = window_with_halo(block, spec.halo, images.shape)
        whole = read_planes(images, self.place, self.planes, spec.depth_halo, around)
        if any(image.no_data is not None for image in whole.values()):
            around = window_with_halo(block, halo_with_no_data(spec.halo), images.shape)
            whole = read_planes(images, self.place, self.planes, spec.depth_halo, around)
        inner, smoothing = Window(*block.place_in(around)), kept_smoothing()
        for own in range(self.planes):
            if not spec.looks_around:
                image = replace(whole[0], corner=(around.rows.start, around.columns.start))
                image = matched(image, classifier)
                image = standardised(image, self.standards) if self.standards else image
                yield self.place, nearest_in_type(image, self.type) if self.type else image, inner
                continue
            number = self.place[-1] + own
            near, middle = slab_positions(number, images.stack_shape[-1], spec.depth_halo)
            held = [whole[plane - self.place[-1]] for plane in near]
            yield (*self.place[:-1], number), with_slab(held, middle, near.start, smoothing), inner


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
