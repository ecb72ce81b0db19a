"""What is read of a stranger's file: an image, one of a stack, or labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from segmentation._shared.tiling import Window, whole_window
from segmentation.io.address_file import AddressFile
from segmentation.io.addresses import Places
from segmentation.io.image import Image, normalised
from segmentation.io.limits import ImageError
from segmentation.io.no_data import not_numbers, together
from segmentation.io.pyramid import Pyramid
from segmentation.io.read import read_image, read_pages, read_stack
from segmentation.io.reduced import read_reduced

MAX_COARSEST_PIXELS = 2**24
"""Pixels that the coarsest level of an image that is read part by part may have, which is decoded whole."""

VIEWED, PREPARED = 3, 5
"""How many times a piece that is decoded as a whole is in memory where a part of it is viewed, or coarser levels are
made of it: decoded, as it is meant, without what it lacks, and halved.
"""

BAND_BYTES = 2**22
"""About how much of a window is decoded at a time, where more than its pixels would not fit beside it."""


@dataclass(frozen=True)
class Part:
    """What is read of an image that is read part by part.

    Attributes:
        level: of the image; None is the coarsest.
        window: first row, row after the last, first column, column after the last; None is all.
        reduced: whether it comes as :func:`segmentation.io.reduced.read_reduced` gives it.
        filled: whether the nearest pixel that holds data stands in the place of each that holds none, and not 0: it
            takes memory, and says nothing where the window is a part of what is looked at.
        most_pixels: that a coarsest level may have which is read whole; instead of a larger one come the metadata only.
    """

    level: int | None = None
    window: tuple[int, int, int, int] | None = None
    reduced: bool = False
    filled: bool = True
    most_pixels: int = MAX_COARSEST_PIXELS


def read_part(path: Path, name: str, part: Part, places: Places, ends: float, memory_bytes: int | None = None) -> Image:
    """A window of a level of an image of any size; or of the coarsest level all, with what else there is.

    Args:
        path: of its file.
        name: what it is called.
        part: which; of the coarsest level ``metadata["pyramid"]`` says the ``hash`` of the image, rows, columns and
            step of each of its ``levels``, the ``piece`` that the file stores as one, and whether it is ``whole``: a
            level that is too large is not, and then the image is a pixel without meaning; of one at an address also
            the ``documents`` there that its file does not have.
        places: from which a file may name an address.
        ends: moment of ``time.monotonic`` after which no address is waited for.
        memory_bytes: that this may take; None: any number.

    Raises:
        ImageError: with a sentence, if it cannot be read.
    """
    from segmentation.io.addressed_pyramid import open_addressed
    from segmentation.io.pyramid_file import open_pyramid_file

    elsewhere = AddressFile.read(path)
    documents: dict[str, str | None] = {}
    if elsewhere is None:
        pyramid = open_pyramid_file(path, name)
    else:
        pyramid, documents = open_addressed(elsewhere, name, places, ends)
    if part.level is not None and part.window is not None:
        window = Window(slice(*part.window[:2]), slice(*part.window[2:]))
        if part.reduced:
            return read_reduced(pyramid, window, part.level)
        return pyramid.read(window, part.level) if part.filled else read_unfilled(pyramid, window, part.level)
    rows, columns = pyramid.levels[-1].shape
    is_whole = rows * columns <= part.most_pixels
    if not is_whole and elsewhere is not None:
        raise ImageError(
            f"The smallest level of the image has {rows * columns / 1e6:.0f} megapixels, but at most "
            f"{part.most_pixels / 1e6:.0f} are looked at whole from elsewhere: save it with coarser levels beside the "
            "finest, or open it as a file, for which they are made here."
        )
    if memory_bytes is not None:
        _refuse_large_pieces(pyramid.decoded_bytes, memory_bytes // (VIEWED if is_whole else PREPARED))
    if is_whole:
        image = pyramid.read(whole_window((rows, columns)), len(pyramid.levels) - 1)
    else:
        image = normalised(np.zeros((1, 1, pyramid.channels), pyramid.dtype), pyramid.about(len(pyramid.levels) - 1))
    about: dict[str, Any] = {
        "hash": pyramid.hash,
        "levels": [[*one.shape, one.step] for one in pyramid.levels],
        "piece": list(pyramid.piece),
        "whole": is_whole,
        "documents": documents,
    }
    size = {} if pyramid.pixel_size is None else {"pixel_size": pyramid.pixel_size.to_json()}
    return replace(image, metadata=image.metadata | {"pyramid": about} | size)


def _refuse_large_pieces(decoded_bytes: int, room: int) -> None:
    """Refuse what would be opened, and never seen: so much memory is there for a piece each time."""
    if decoded_bytes > room:
        raise ImageError(
            f"The TIFF file is compressed in pieces of {decoded_bytes / 1e6:,.0f} MB, and this server has room for "
            f"pieces of {room / 1e6:,.0f} MB: save it anew with smaller strips or tiles, for instance as a pyramidal "
            "OME-TIFF."
        )


def read_unfilled(pyramid: Pyramid, window: Window, level: int) -> Image:
    """A window of a level with 0 where it holds no data, decoded band by band: in memory are its pixels, and a band.

    Raises:
        ImageError: with a sentence, if a part of it cannot be read.
    """
    shape = (*window.shape, pyramid.channels) if pyramid.channels > 1 else window.shape
    pixels, gaps, lacks = np.empty(shape, pyramid.dtype), np.zeros(window.shape, bool), False
    for band in _bands(pyramid, window):
        told = None if pyramid.missing is None else pyramid.missing(band, level)
        values = pyramid.values(band, level)
        missing = together(told, not_numbers(values))
        rows = band.place_in(window)[0]
        with np.errstate(over="ignore"):
            pixels[rows] = values.reshape(pixels[rows].shape)
        if missing is not None:
            pixels[rows][missing], gaps[rows], lacks = 0, missing, True
    return Image(pixels, pyramid.about(level), gaps if lacks else None)


def _bands(pyramid: Pyramid, window: Window) -> Iterator[Window]:
    """A window cut where pieces of the file end, so that few are decoded twice."""
    apart, row_bytes = pyramid.piece[0], window.shape[1] * pyramid.channels * pyramid.dtype.itemsize
    rows = max(1, BAND_BYTES // (row_bytes * apart)) * apart
    for start in range(window.rows.start // rows * rows, window.rows.stop, rows):
        yield Window(slice(max(start, window.rows.start), min(start + rows, window.rows.stop)), window.columns)


def read_one(source: bytes | BinaryIO, limits: dict[str, Any], page: int | None, labels: bool) -> Image:
    """The image of a file, or the one of a stack that is counted ``page``, or the labels in it.

    Args:
        source: the file.
        limits: what :func:`segmentation.read_image` takes besides.
        page: counted from 1; None reads a single image.
        labels: take the indices of a palette instead of its colours, and refuse what loses values.

    Raises:
        ImageError: with a sentence, if it cannot be read.
    """
    if labels:
        found = next(read_pages(source, **limits, labels=True, first=page or 1))
        if isinstance(found, ImageError):
            raise found
        return found
    if page is None:
        return read_image(source, **limits)
    return next(read_stack(source, **limits, first=page))
