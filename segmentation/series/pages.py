"""The images of one file that are segmented one after the other, and the files that their results go into."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.assessment.counting import RecountedObjects
from segmentation.assessment.trust import Trust
from segmentation.io.display import display_pixels, display_range
from segmentation.io.export import CLASS_IDS, label_pages, overlay_png, probability_pages, segmentation_png
from segmentation.io.image import Image
from segmentation.io.limits import PageError, PassingError
from segmentation.io.tiffwriter import BIG_TIFF_BYTES, TiffPages
from segmentation.io.worldfile import map_files
from segmentation.objects.labelling import TooManyObjects
from segmentation.objects.measured import find_objects
from segmentation.series.model import Model, Segmented
from segmentation.series.objects import ObjectTables, ObjectWriter, describe_objects
from segmentation.series.results import Staging, file_name

OUTLINED_NOTE = "It is segmented only within what was outlined on it."


@dataclass(frozen=True)
class Extras:
    """What is written of each image beside its class ids.

    Attributes:
        png: a PNG in the colours of the classes.
        probabilities: a TIFF, or of a Zarr array a Zarr array, with a float32 plane for each class.
        overlay: a PNG of the image with the classes painted over it.
        objects: a table of the objects of all classes, their numbers at each pixel as a TIFF, and their outlines.
    """

    png: bool = False
    probabilities: bool = False
    overlay: bool = False
    objects: bool = False


@dataclass(frozen=True)
class Page:
    """The outcome for one image, of which a stack has several.

    Attributes:
        rows: rows of the image.
        columns: columns of the image.
        pixels: number of pixels of each class, by class id as text.
        reason: why it could not be segmented, if so; the results hold a page without classes in its place.
        notes: sentences on why the result may not be what was meant.
        pixel_size: how large a pixel is, as :class:`PixelSize` writes it, if it is known.
        trust: how far the result can be trusted, as :class:`Trust` writes it, if it is known.
        objects: how many there are of each class, and how large, as :func:`describe_objects` tells it; None if they
            were not looked for, or are too many.
        channel_names: what the file calls the channels; empty if it does not name them.
        hashes: by which what was drawn on it is known; none of an image of a Zarr array.
        place: where it lies in a stack, see :attr:`Image.place`.
    """

    rows: int
    columns: int
    pixels: dict[str, int]
    reason: str = ""
    notes: tuple[str, ...] = ()
    pixel_size: dict[str, Any] | None = None
    trust: dict[str, Any] | None = None
    objects: dict[str, Any] | None = None
    channel_names: tuple[str, ...] = ()
    hashes: tuple[str, ...] = ()
    place: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """What were lists in JSON become tuples, so that equal pages compare equal."""
        for name in ("notes", "channel_names", "hashes"):
            object.__setattr__(self, name, tuple(getattr(self, name)))


def segment_pages(
    images: Iterable[Image | PageError], segment: Callable[[Image], Segmented], writer: PageWriter
) -> Iterator[Image]:
    """Segments the images of a file and writes their results; one of several that cannot be segmented is left out.

    Args:
        images: of the file, in their order, or why one cannot be read.
        segment: segments one.
        writer: writes the results.

    Yields:
        Each image whose results are written.

    Raises:
        PassingError: if something that one takes does not come just now.
        ValueError: if none of the images can be segmented.
    """
    for image in images:
        if isinstance(image, PageError):
            writer.leave_out(image)
            continue
        try:
            results = segment(image)
        except PassingError:
            raise
        except ValueError as error:
            page, pages = image.metadata["page"], image.metadata["pages"]
            if pages == 1:
                raise
            writer.leave_out(PageError(page, pages, error))
            continue
        writer.add(image, *results)
        yield image
    if not writer.pages:
        raise writer.left_out[0]


class PageWriter:
    """Writes the results of the images of one file, image by image; a context manager, which closes what it writes.

    Args:
        model: what is applied.
        name: of the results.
        extras: what is written beside class ids.
        staging: where files are made.
        objects: what takes the objects; None writes them to files if they are among the extras.

    Attributes:
        pages: the images that are written, and those that were left out among them.
        left_out: why images were left out.
    """

    def __init__(
        self, model: Model, name: str, extras: Extras, staging: Staging, objects: ObjectTables | None = None
    ) -> None:
        self.pages: list[Page] = []
        self.left_out: list[PageError] = []
        self._model, self._name, self._extras, self._staging = model, name, extras, staging
        self._open_files = ExitStack()
        self._labels: TiffPages | None = None
        self._probabilities: TiffPages | None = None
        self._objects: ObjectWriter | ObjectTables | None = objects

    def __enter__(self) -> PageWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._open_files.__exit__(*error)

    def add(
        self,
        image: Image,
        segmentation: NDArray[np.uint8],
        probabilities: NDArray[np.float32] | None = None,
        trust: Trust | None = None,
        recounted: RecountedObjects | None = None,
        note: str = "",
    ) -> None:
        """Writes the results of the next image.

        Args:
            image: the image; its metadata say which page it is and how many there are.
            segmentation: ``(rows, columns)`` uint8 class ids.
            probabilities: ``(classes, rows, columns)`` float32, if they are among the extras.
            trust: how far that can be trusted, if it is known.
            recounted: the segmentations in which its objects are counted again, if that is to be known.
            note: a sentence on how it was made; empty for none.
        """
        if self._labels is None:
            self._labels = self._begin(image)
            for error in self.left_out:
                self._add_empty(image.shape, error)
        self._add_pages(self._labels, segmentation, probabilities)
        number = f".{image.metadata['page']:04d}" if image.metadata["pages"] > 1 else ""
        if self._extras.png:
            png = segmentation_png(segmentation, self._model.colours, level=6)
            self._write_png(number, png, image)
        if self._extras.overlay:
            shown = display_pixels(image, ranges=display_range(image))
            png = overlay_png(shown, segmentation, self._model.colours)
            self._write_png(f"{number}.overlay", png, image)
        pixels = self._model.count(segmentation)
        size = image.pixel_size.to_json() if image.pixel_size else None
        notes = self._model.notes(pixels, image) + ((OUTLINED_NOTE,) if image.region is not None else ())
        objects, too_many = self._add_objects(image, segmentation, recounted)
        told = trust.to_json() if trust else None
        page = Page(
            *image.shape,
            pixels,
            notes=notes + too_many + ((note,) if note else ()),
            pixel_size=size,
            trust=told,
            objects=objects,
            channel_names=image.channel_names if any(image.metadata.get("channel_names", ())) else (),
            hashes=image.hashes,
            place=image.place,
        )
        self.pages.append(page)

    def _write_png(self, ending: str, png: bytes, image: Image) -> None:
        """A PNG of an image, and what lays it on the map that the image is of."""
        files = {".png": png, **map_files(image)}
        longest = max(files, key=len)
        name = file_name(self._name, f"{ending}{longest}").removesuffix(longest)
        for suffix, content in files.items():
            self._staging.write(f"{name}{suffix}", content)

    def _add_objects(
        self, image: Image, segmentation: NDArray[np.uint8], recounted: RecountedObjects | None
    ) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
        """Writes the objects of the next image; what is told of them, and sentences on why there are none, if so."""
        if self._objects is None:
            return None, ()
        classifier = self._model.classifier
        try:
            found = find_objects(segmentation, classifier.label_classes_, image, steps=classifier.clean_up)
        except TooManyObjects as error:
            self._objects.leave_out(image.shape)
            return None, (str(error),)
        self._objects.add(image, found)
        return describe_objects(found, recounted, classifier.clean_up), ()

    def leave_out(self, error: PageError) -> None:
        """Notes why the next image has no results; pages without classes, as large as its neighbour, hold its place."""
        self.left_out.append(error)
        if self.pages:
            self._add_empty((self.pages[-1].rows, self.pages[-1].columns), error)

    def _add_empty(self, shape: tuple[int, int], error: PageError) -> None:
        assert self._labels is not None
        nothing = np.zeros(shape, np.uint8)
        if self._objects is not None:
            self._objects.leave_out(shape)
        self._add_pages(self._labels, nothing, np.zeros((len(self._model.planes), *shape), np.float32))
        self.pages.append(Page(*shape, self._model.count(nothing), str(error)))

    def _add_pages(
        self, labels: TiffPages, segmentation: NDArray[np.uint8], probabilities: NDArray[np.float32] | None
    ) -> None:
        labels.add(segmentation, CLASS_IDS)
        if self._probabilities is not None and probabilities is not None:
            for plane, label_class in zip(probabilities, self._model.planes, strict=True):
                self._probabilities.add(plane, label_class.name)

    def _begin(self, first: Image) -> TiffPages:
        """Begins the TIFF of probabilities, if it is wanted, and that of the class ids, which is returned."""
        pixels = first.metadata["pages"] * first.shape[0] * first.shape[1]
        labels = self._open_files.enter_context(
            label_pages(
                self._staging.open(file_name(self._name, ".tif")),
                self._model.classifier.label_classes_,
                like=first,
                images=first.metadata["pages"],
                big=pixels > BIG_TIFF_BYTES,
            )
        )
        if self._extras.objects:
            self._objects = self._open_files.enter_context(ObjectWriter(self._name, self._staging, first))
        if self._extras.probabilities:
            names = [one.name for one in self._model.planes]
            file = self._staging.open(file_name(self._name, ".probabilities.tif"))
            self._probabilities = self._open_files.enter_context(
                probability_pages(
                    file,
                    names,
                    like=first,
                    images=first.metadata["pages"],
                    big=4 * len(names) * pixels > BIG_TIFF_BYTES,
                )
            )
        return labels
