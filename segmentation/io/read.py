"""Reading images and stacks from files."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np

from segmentation._shared.text import counted, shown_name
from segmentation.io import rasters, tiff
from segmentation.io.formats import HEAD, TAIL, image_format
from segmentation.io.image import Image, normalised
from segmentation.io.instruments import reading as instruments
from segmentation.io.limits import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    ImageError,
    Limits,
    PageError,
    PassingError,
    damage_reported,
)
from segmentation.io.opening import open_file
from segmentation.io.pixels import Decoded


def read_image(
    source: str | Path | bytes | BinaryIO,
    *,
    name: str = "",
    max_pixels: int | None = None,
    max_bytes: int | None = None,
) -> Image:
    """Read an image: PNG, JPEG, TIFF, BMP or WebP; with the extra ``formats`` also CZI, ND2, LIF, DICOM, NIfTI, HDF5.

    Values are kept as they are in the file: 16-bit stays 16-bit, also in colour PNGs; fewer than 8 bits per value
    start at 0 (a 1-bit image has 0 and 1). Palettes and CMYK become RGB, a palette of greys becomes grey, and a TIFF of
    class ids that Squiggle wrote stays class ids; white-is-zero is inverted, the Exif orientation is applied,
    transparency is dropped (it is not a measurement), and colour profiles are ignored. Pixels that are not a number,
    have the value that GDAL says stands for no data, or are wholly transparent hold no data. Of several images in a
    TIFF the first is read; pages that ImageJ or OME-TIFF describe as the channels of one image are read together.

    Args:
        source: path of the file, its bytes, or a file open for reading in binary mode; one on the disk is read in
            place, so that no more than an image of it is in memory.
        name: how to call the image; by default the name of the file. It is never used as a path.
        max_pixels: rows times columns that are allowed; None is :data:`MAX_PIXELS`.
        max_bytes: size of the file that is allowed; None is :data:`MAX_FILE_BYTES`, but any size of a file of pages of
            which the path is given, since no more than an image of it is in memory.

    Raises:
        ImageError: if it cannot be read or used, with one sentence that says why.
    """
    images = read_stack(source, name=name, max_pixels=max_pixels, max_bytes=max_bytes)
    image = next(images)
    images.close()
    pages = image.metadata["pages"]
    if pages > 1:
        image.metadata["notes"].append(f"This is the first of {pages} images in the file.")
    return image


def read_stack(
    source: str | Path | bytes | BinaryIO,
    *,
    name: str = "",
    max_pixels: int | None = None,
    max_bytes: int | None = None,
    first: int = 1,
) -> Generator[Image, None, None]:
    """Read all images of a TIFF, or of a file of a microscope or a clinic, one at a time, when they are asked for.

    Other formats hold one.

    With ``first`` the images before that are passed over, without decoding them.

    Everything else is as in :func:`read_image`. A path is kept open until the last image was read or the iterator
    is closed. ``metadata["page"]`` counts the images from 1.

    Raises:
        ImageError: while iterating, if an image cannot be read or used.
    """
    with closing(read_pages(source, name=name, max_pixels=max_pixels, max_bytes=max_bytes, first=first)) as images:
        for image in images:
            if isinstance(image, ImageError):
                raise image
            yield image


def read_pages(
    source: str | Path | bytes | BinaryIO,
    *,
    name: str = "",
    max_pixels: int | None = None,
    max_bytes: int | None = None,
    first: int = 1,
    labels: bool = False,
) -> Generator[Image | PageError, None, None]:
    """Read all images of a file as :func:`read_stack` does; of one of several that cannot be read, say why, and go on.

    Args:
        source: as in :func:`read_image`.
        name: as in :func:`read_image`.
        max_pixels: as in :func:`read_image`.
        max_bytes: as in :func:`read_image`.
        first: the image to begin with, counted from 1.
        labels: the pixels are class ids: take the indices of a palette instead of its colours, and refuse JPEG.

    Raises:
        ImageError: if the file as a whole cannot be read, or holds a single image that cannot.
    """
    limits = Limits(
        MAX_PIXELS if max_pixels is None else max_pixels, MAX_FILE_BYTES if max_bytes is None else max_bytes
    )
    with _opened(source, limits) as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        head = file.read(HEAD)
        file.seek(max(0, size - TAIL))
        kind = image_format(head, tail=file.read()) if size else ""
        by_pages = kind == "TIFF" or kind in instruments.INSTRUMENT_FORMATS
        page_by_page = by_pages and isinstance(source, str | Path)
        if max_bytes is not None or not page_by_page:
            limits.check_file(size)
        images: Iterator[Decoded | ImageError]
        if kind == "TIFF":
            pages, images = tiff.read_images(file, size, limits, first, labels=labels)
        elif by_pages:
            pages, images = instruments.read_images(kind, file, size, limits, first, labels=labels)
        else:
            file.seek(0)
            pages, images = 1, iter([_READERS[kind](file.read(), limits, labels=labels)])
        origin = {
            "format": kind,
            "name": _last_part(name or (Path(source).name if isinstance(source, str | Path) else "")),
            "file_bytes": size,
            "pages": pages,
        }
        for page, image in enumerate(images, start=first):
            try:
                read = _image(image, origin | {"page": page})
            except PassingError:
                raise
            except ImageError as error:
                if pages == 1:
                    raise
                yield PageError(page, pages, error)
            else:
                yield read


def _image(decoded: Decoded | ImageError, origin: dict[str, Any]) -> Image:
    if isinstance(decoded, ImageError):
        raise decoded
    about = {"bits": decoded.bits, "colour": decoded.colour, "notes": list(decoded.notes)}
    with damage_reported(origin["format"]):
        image = normalised(decoded.pixels, origin | about | decoded.about, decoded.no_data)
    if image.no_data is not None:
        missing = counted(int(np.count_nonzero(image.no_data)), "pixel")
        image.metadata["notes"].append(f"{missing} without data: neither segmented nor counted nor learnt from.")
    return image


_READERS = {
    "PNG": rasters.read_png,
    "JPEG": rasters.read_jpeg,
    "BMP": rasters.read_bmp,
    "WebP": rasters.read_webp,
}


@contextmanager
def _opened(source: str | Path | bytes | BinaryIO, limits: Limits) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source)
    elif isinstance(source, str | Path):
        with ExitStack() as stack:
            try:
                file = stack.enter_context(open_file(source))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "its name is not possible"
                raise ImageError(f"The file {_last_part(Path(source).name)!r} cannot be opened: {reason}.") from error
            yield file
    elif isinstance(source, BufferedReader) and source.seekable():
        yield source
    else:
        yield BytesIO(source.read(limits.max_bytes + 1))


def _last_part(name: str) -> str:
    """The last part of a name, fit to be shown."""
    return shown_name(re.split(r"[/\\]", name)[-1])
