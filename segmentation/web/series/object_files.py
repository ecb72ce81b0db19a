"""The files of the objects of a series' images, made anew from what is kept: tables, numbers and outlines."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from segmentation.io.image import Image
from segmentation.io.limits import ImageError, PassingError
from segmentation.io.masks import read_masks
from segmentation.io.pixel_size import PixelSize
from segmentation.model.modelfile import ModelContents
from segmentation.objects.measured import MeasuredObjects, number_objects
from segmentation.objects.tables import unpack_tables
from segmentation.series.objects import ObjectWriter
from segmentation.series.results import ResultFolder
from segmentation.web.decoding.client import Decoder
from segmentation.web.decoding.patience import patiently
from segmentation.web.series.upload_zip import is_zip
from segmentation.web.store.records import SeriesItem
from segmentation.web.store.series import SeriesStore

NO_OBJECTS = "It is read part by part, and so no objects are counted on it."


class ObjectFiles:
    """Makes the files that the command line writes beside class ids with ``--objects``, to the byte.

    Args:
        store: where series are.
        decoder: reads strangers' images.
        max_pixels: that an image may have.
    """

    def __init__(self, store: SeriesStore, decoder: Decoder, *, max_pixels: int) -> None:
        self._store, self._decoder, self._max_pixels = store, decoder, max_pixels

    def of_item(
        self, session_id: str, series_id: str, item: SeriesItem, name: str, contents: ModelContents
    ) -> Iterator[tuple[str, bytes]]:
        """The files of an item that is done, each with its name.

        Args:
            session_id: the session.
            series_id: the series.
            item: the item.
            name: of its results, without an ending.
            contents: of the classifier.

        Raises:
            UnknownSeriesError: if its results are gone, or of a version before there were tables.
            PassingError: if its image did not come, however often it was asked for.
            ImageError: if its image cannot be read any more.
        """
        tables = {one.page: one.table for one in unpack_tables(self._store.objects(session_id, series_id, item.number))}
        first = self._first(session_id, series_id, item)
        with tempfile.TemporaryDirectory(prefix="squiggle-objects-") as desk:
            ids_path = Path(desk) / "ids.tif"
            ids_path.write_bytes(self._store.result(session_id, series_id, item.number))
            folder = ResultFolder(Path(desk) / "files")
            folder.prepare()
            with (
                folder.writing() as staging,
                ObjectWriter(name.rpartition("/")[2], staging, first) as writer,
                closing(read_masks(ids_path)) as masks,
            ):
                for number, mask in enumerate(masks, start=1):
                    if number not in tables:
                        writer.leave_out(mask.shape)
                        continue
                    labels, _ = number_objects(mask.pixels, contents.classes, steps=contents.clean_up)
                    found = MeasuredObjects(labels, tables[number], contents.classes)
                    writer.add(replace(first, metadata=first.metadata | {"page": number}), found)
            at = name[: len(name) - len(name.rpartition("/")[2])]
            for path in sorted(one for one in folder.path.iterdir() if one.is_file()):
                yield at + path.name, path.read_bytes()

    def _first(self, session_id: str, series_id: str, item: SeriesItem) -> Image:
        """The first image that has results: what is known of the size and place of its pixels is said of objects."""
        page = next((number for number, one in enumerate(item.pages, start=1) if not one.get("reason")), 1)
        name, content = self._store.file(session_id, series_id, item.number)
        try:
            image = patiently(lambda: self._decoder.read_image(content, max_pixels=self._max_pixels, page=page))
        except PassingError:
            raise
        except ImageError as error:
            if is_zip(content[:4]) or error.too_large:
                raise ImageError(NO_OBJECTS) from error
            raise
        known = item.pages[page - 1].get("pixel_size") if item.pages else None
        size = PixelSize.from_json(known) if known else None
        return replace(image, metadata=image.metadata | {"name": name.rpartition("/")[2]}).with_pixel_size(size)
