"""Reading images and stacks from files."""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO

from segmentation.io import formats, tiff
from segmentation.io.formats import HEAD, MAX_FILE_BYTES, MAX_PIXELS, TAIL, ImageError, Limits
from segmentation.io.image import Image, normalised


def read_image(
    source: str | Path | bytes | BinaryIO,
    *,
    name: str = "",
    max_pixels: int | None = None,
    max_bytes: int | None = None,
) -> Image:
    """Read an image: PNG, JPEG, TIFF, BMP or WebP.

    Values are kept as they are in the file: 16-bit stays 16-bit, also in colour PNGs; fewer than 8 bits per value
    start at 0 (a 1-bit image has 0 and 1). Palettes and CMYK become RGB, a palette of greys becomes grey,
    white-is-zero is inverted, the Exif orientation is applied, transparency is dropped (it is not a measurement), and
    colour profiles are ignored. Of several images in a TIFF the first is read; pages that ImageJ or OME-TIFF describe
    as the channels of one image are read together.

    Args:
        source: path of the file, its bytes, or a file open for reading in binary mode.
        name: how to call the image; by default the name of the file. It is never used as a path.
        max_pixels: rows times columns that are allowed; None is :data:`MAX_PIXELS`.
        max_bytes: size of the file that is allowed; None is :data:`MAX_FILE_BYTES`.

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
    """Read all images of a TIFF, one at a time, when they are asked for; other formats hold one.

    With ``first`` the images before that are passed over, without decoding them.

    Everything else is as in :func:`read_image`. A path is kept open until the last image was read or the iterator
    is closed. ``metadata["page"]`` counts the images from 1.

    Raises:
        ImageError: while iterating, if an image cannot be read or used.
    """
    limits = Limits(
        MAX_PIXELS if max_pixels is None else max_pixels, MAX_FILE_BYTES if max_bytes is None else max_bytes
    )
    with _opened(source, limits) as file:
        size = file.seek(0, os.SEEK_END)
        limits.check_file(size)
        file.seek(0)
        head = file.read(HEAD)
        file.seek(max(0, size - TAIL))
        kind = formats.image_format(head, tail=file.read())
        if kind == "TIFF":
            pages, images = tiff.read_images(file, size, limits, first)
        else:
            file.seek(0)
            pages, images = 1, iter([_READERS[kind](file.read(), limits)])
        origin = {
            "format": kind,
            "name": _shown_name(name or (Path(source).name if isinstance(source, str | Path) else "")),
            "file_bytes": size,
            "pages": pages,
        }
        for page, image in enumerate(images, start=first):
            about = {"page": page, "bits": image.bits, "colour": image.colour, "notes": list(image.notes)}
            with formats.damage_reported(kind):
                read = normalised(image.pixels, origin | about)
            yield read


_READERS = {
    "PNG": formats.read_png,
    "JPEG": formats.read_jpeg,
    "BMP": formats.read_bmp,
    "WebP": formats.read_webp,
}


@contextmanager
def _opened(source: str | Path | bytes | BinaryIO, limits: Limits) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield BytesIO(source)
    elif isinstance(source, str | Path):
        with ExitStack() as closing:
            try:
                file = closing.enter_context(Path(source).open("rb"))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or "its name is not possible"
                raise ImageError(f"The file {_shown_name(Path(source).name)!r} cannot be opened: {reason}.") from error
            yield file
    else:
        yield BytesIO(source.read(limits.max_bytes + 1))


def _shown_name(name: str) -> str:
    """The last part of a name, fit to be shown."""
    return "".join(letter for letter in re.split(r"[/\\]", name)[-1] if letter.isprintable())[:200]
