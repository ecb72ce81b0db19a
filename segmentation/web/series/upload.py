"""Adds the image files that come in to a series: one image, which may be a zipped OME-Zarr, or an archive of many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from segmentation.web.series.upload_zip import Incoming, ZipError, ZippedZarrError, is_zip, shown_path, unpacked
from segmentation.web.store import StoreFullError
from segmentation.web.store.series import SeriesStore


class Uploads:
    """What comes in for series, within limits.

    Args:
        store: where series are.
        max_images: that a series may have.
        max_bytes: that the images of all series of a session may have together.
        max_image_bytes: that an image of an archive may unpack to.
    """

    def __init__(self, store: SeriesStore, *, max_images: int, max_bytes: int, max_image_bytes: int) -> None:
        self._store = store
        self._max_images, self._max_bytes, self._max_image_bytes = max_images, max_bytes, max_image_bytes

    def add(self, session_id: str, series_id: str, name: str, file: IO[bytes]) -> tuple[int, list[dict[str, str]]]:
        """Add an image file, or the images of a zip archive, to a series.

        Args:
            session_id: the session.
            series_id: the series.
            name: of the file, perhaps with folders, as a stranger says it.
            file: open for reading, at its beginning.

        Returns:
            The number of images that were added, and ``name`` and ``reason`` of each that was not.

        Raises:
            UnknownSeriesError: if the session has no such series.
        """
        added, refused = 0, []
        name = shown_path(name)
        try:
            for image in self._images(name, file):
                if image.reason:
                    refused.append({"name": image.name, "reason": image.reason})
                else:
                    self._store_image(session_id, series_id, image.name, image.content)
                    added += 1
        except (ZipError, StoreFullError) as problem:
            refused.append({"name": name, "reason": str(problem)})
        return added, refused

    def _images(self, name: str, file: IO[bytes]) -> Iterator[Incoming]:
        """The images of an archive; a file that is none, or is an OME-Zarr itself, as it came."""
        if is_zip(file.read(4)):
            file.seek(0)
            try:
                yield from unpacked(
                    file, max_images=self._max_images, max_image_bytes=self._max_image_bytes, max_bytes=self._max_bytes
                )
            except ZippedZarrError:
                pass
            else:
                return
        file.seek(0)
        yield Incoming(name, file.read())

    def _store_image(self, session_id: str, series_id: str, name: str, content: bytes) -> None:
        self._store.add(session_id, series_id, name, content, max_images=self._max_images, max_bytes=self._max_bytes)
