"""Reading, checking and normalising what people bring.

A stranger's file may be anything. Whatever it is, :func:`read_image` either returns an :class:`Image` or raises an
:class:`ImageError` whose message is a sentence for the person who brought it.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation import imagefiles, tiff
from segmentation.imagefiles import (
    HEAD,
    MAX_CHANNELS,
    MAX_FILE_BYTES,
    MAX_PIXELS,
    TAIL,
    ImageError,
    Limits,
)

__all__ = [
    "MAX_CHANNELS",
    "MAX_FILE_BYTES",
    "MAX_PIXELS",
    "Image",
    "ImageError",
    "image_from_pixels",
    "read_image",
    "read_stack",
]

LARGEST_VALUE = 1e18
"""Beyond this the squares that features need leave float32; such values are markers for missing data."""

_KEPT_TYPES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float32")


@dataclass(frozen=True, eq=False)
class Image:
    """2-D pixels with one or more channels; made by :func:`read_image` or :func:`image_from_pixels`.

    Attributes:
        pixels: ``(rows, columns)``, or ``(rows, columns, channels)`` if there are at least two, C-contiguous, of
            type uint8, int8, uint16, int16, uint32, int32 or float32. Not to be written to.
        metadata: what is known about the origin, plain JSON values: ``format``, ``name``, ``file_bytes``, ``bits``
            (per value in the file), ``dtype`` (of the pixels), ``value_range`` (smallest and largest), ``colour``
            (whether the first three channels are red, green and blue), ``pages`` (images in the file), ``page`` (which
            of them this is, from 1) and ``notes`` (sentences about what was left out).
    """

    pixels: NDArray[Any]
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def channels(self) -> int:
        """Number of channels."""
        return 1 if self.pixels.ndim == 2 else self.pixels.shape[2]

    @property
    def stacked(self) -> NDArray[Any]:
        """The pixels as ``(rows, columns, channels)``, without a copy."""
        return self.pixels.reshape(*self.shape, self.channels)

    @cached_property
    def hash(self) -> str:
        """SHA-256 of type, shape and pixels, as 64 hexadecimal digits.

        Equal pixels have equal hashes, whatever the format and the name of their file.
        """
        little_endian = np.ascontiguousarray(self.pixels, self.pixels.dtype.newbyteorder("<"))
        digest = sha256(f"{self.pixels.dtype.name} {self.pixels.shape} ".encode())
        digest.update(little_endian.data)
        return digest.hexdigest()


def image_from_pixels(pixels: ArrayLike, metadata: Mapping[str, Any] | None = None) -> Image:
    """An image of pixels that are at hand already, for instance in a notebook.

    Args:
        pixels: ``(rows, columns)`` or ``(rows, columns, channels)`` of any integer, float or bool type. They are
            copied. Types that :class:`Image` does not have become the nearest that it has: bool becomes uint8 with 0
            and 1; 64-bit integers become int32, or uint32 where that is needed, or float32 where neither suffices;
            float16 and float64 become float32, in which the features are computed. All channels count: drop an alpha
            channel before.
        metadata: what is known about the origin, plain JSON values.

    Raises:
        ImageError: if the pixels are not an image, or not numbers.
    """
    try:
        array = np.asarray(pixels)
    except (TypeError, ValueError) as error:
        raise ImageError("The pixels must be an array with as many columns in each row.") from error
    if array.dtype.kind not in "buif":
        raise ImageError(f"The pixels must be whole or real numbers; these are of type {array.dtype}.")
    if array.ndim not in (2, 3):
        raise ImageError(f"An image has rows, columns and perhaps channels; this array has {array.ndim} dimensions.")
    return _normalised(array.copy(), dict(metadata or {}))


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
        kind = imagefiles.image_format(head, tail=file.read())
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
            with imagefiles.damage_reported(kind):
                normalised = _normalised(image.pixels, origin | about)
            yield normalised


_READERS = {
    "PNG": imagefiles.read_png,
    "JPEG": imagefiles.read_jpeg,
    "BMP": imagefiles.read_bmp,
    "WebP": imagefiles.read_webp,
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


def _normalised(pixels: NDArray[Any], metadata: dict[str, Any]) -> Image:
    if pixels.size == 0:
        raise ImageError("The image has no pixels.")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] > MAX_CHANNELS:
        raise ImageError(f"The image has {pixels.shape[2]} channels, but at most {MAX_CHANNELS} can be used.")
    low, high = pixels.min().item(), pixels.max().item()
    if not (np.isfinite(low) and np.isfinite(high)):
        missing = pixels.size - np.count_nonzero(np.isfinite(pixels))
        raise ImageError(
            f"The image holds {missing} values that are not numbers (NaN or infinite): replace them first."
        )
    if max(-low, high) > LARGEST_VALUE:
        extreme = low if -low > high else high
        raise ImageError(
            f"The image holds values such as {extreme:.3g}, probably for missing data: replace them first."
        )
    pixels = np.require(pixels, _kept_type(pixels.dtype, low, high), ["C_CONTIGUOUS", "WRITEABLE"])
    about = {"dtype": pixels.dtype.name, "value_range": [pixels.dtype.type(end).item() for end in (low, high)]}
    return Image(pixels, metadata | about)


def _kept_type(dtype: np.dtype[Any], low: float, high: float) -> np.dtype[Any]:
    """The type of :data:`_KEPT_TYPES` that takes values between two ends."""
    native = dtype.newbyteorder("=")
    if native.name in _KEPT_TYPES:
        return native
    if dtype.kind == "b":
        return np.dtype(np.uint8)
    if dtype.kind in "iu" and low >= -(2**31) and high < 2**31:
        return np.dtype(np.int32)
    if dtype.kind in "iu" and low >= 0 and high < 2**32:
        return np.dtype(np.uint32)
    return np.dtype(np.float32)


# How an image is shown

DISPLAY_SAMPLE = 2**18
"""Pixels that are looked at to find the display range."""

DISPLAY_PERCENTILES = (0.35, 99.65)
"""Values between these percentiles are told apart on the screen."""

NARROW = 128
"""8-bit grey values that span less than this are stretched for display."""

_BAND_VALUES = 2**22


def display_range(image: Image) -> tuple[tuple[float, float], ...]:
    """The values that are shown black and white, for each channel; the data are not touched.

    8-bit colour is shown as it is, and so is 8-bit grey unless it would look flat. Anything else is stretched
    between two percentiles of a sample of its pixels; the three channels of a colour image together, which keeps
    its hues.

    Returns:
        A pair (low, high) for each channel, ``low < high``.
    """
    colour = image.metadata.get("colour", image.channels == 3)
    if colour and image.pixels.dtype == np.uint8:
        return ((0.0, 255.0),) * image.channels
    step = math.ceil(math.sqrt(image.shape[0] * image.shape[1] / DISPLAY_SAMPLE))
    ends = np.percentile(image.stacked[::step, ::step], DISPLAY_PERCENTILES, axis=(0, 1)).T.tolist()
    ranges = [_telling(image.stacked[..., channel], low, high) for channel, (low, high) in enumerate(ends)]
    if colour:
        ranges[:3] = [(min(low for low, _ in ranges[:3]), max(high for _, high in ranges[:3]))] * 3
    return tuple(ranges)


def _telling(channel: NDArray[Any], low: float, high: float) -> tuple[float, float]:
    """A display range in which something is seen, from the percentiles of a channel."""
    if low == high:
        low, high = channel.min().item(), channel.max().item()
    if channel.dtype == np.uint8 and (low == high or high - low >= NARROW):
        return 0.0, 255.0
    if low == high:
        return low - 0.5, high + 0.5
    return float(low), float(high)


def display_pixels(
    image: Image,
    *,
    rows: slice = slice(None),
    columns: slice = slice(None),
    step: int = 1,
    ranges: Sequence[tuple[float, float]] | None = None,
) -> NDArray[np.uint8]:
    """A window of an image as it is shown: red, green and blue.

    One channel is grey; of two the first is green and the second magenta, which colour-blind people can tell apart;
    of more the first three are red, green and blue. Only the window is looked at, and little memory is taken beyond
    the result.

    Args:
        image: the image.
        rows: rows of the window, without a step.
        columns: columns of the window, without a step.
        step: each pixel of the result is the mean of ``step`` x ``step`` pixels as they are shown; of fewer at the
            lower and right end of the window.
        ranges: a pair (low, high) for each channel; None is :func:`display_range`.

    Returns:
        ``(ceil(window rows / step), ceil(window columns / step), 3)``, uint8.

    Raises:
        ValueError: if the window is empty, or the step or the ranges do not fit.
    """
    from PIL.Image import fromarray

    (top, bottom), (left, right) = _window(rows, image.shape[0]), _window(columns, image.shape[1])
    if step < 1:
        raise ValueError("The step must be a whole number from 1.")
    ranges = display_range(image) if ranges is None else ranges
    if len(ranges) != image.channels or not all(low < high for low, high in ranges):
        raise ValueError("There must be one display range for each channel, its low end below its high end.")
    seen = min(image.channels, 3)
    shown = np.empty((-(-(bottom - top) // step), -(-(right - left) // step), 3), np.uint8)
    band_rows = step * max(1, _BAND_VALUES // (seen * step * (right - left)))
    for start in range(top, bottom, band_rows):
        band = image.stacked[start : min(start + band_rows, bottom), left:right, :seen]
        grey = _as_bytes(band, ranges[:seen])
        if seen == 1:
            grey = grey[..., 0]
        elif seen == 2:
            grey = grey[..., [1, 0, 1]]
        if step > 1:
            grey = np.asarray(fromarray(np.ascontiguousarray(grey)).reduce(step))
        first = (start - top) // step
        shown[first : first + len(grey)] = grey[..., None] if seen == 1 else grey
    return shown


def _window(part: slice, size: int) -> tuple[int, int]:
    start, stop, stride = part.indices(size)
    if stride != 1 or start >= stop:
        raise ValueError("The window must hold at least one pixel of the image, and take each of its pixels.")
    return start, stop


def _as_bytes(values: NDArray[Any], ranges: Sequence[tuple[float, float]]) -> NDArray[np.uint8]:
    """Values ``(rows, columns, channels)`` from black (0) to white (255) within the range of their channel."""
    if values.dtype == np.uint8 and all(tuple(ends) == (0, 255) for ends in ranges):
        return values
    shown = np.empty(values.shape, np.uint8)
    for channel, (low, high) in enumerate(ranges):
        plane = values[..., channel]
        if plane.dtype.itemsize <= 2:
            pattern = np.dtype(f"u{plane.dtype.itemsize}")
            every_value = np.arange(2 ** (8 * pattern.itemsize), dtype=pattern).view(plane.dtype)
            shown[..., channel] = _stretched(every_value, low, high)[plane.view(pattern)]
        else:
            shown[..., channel] = _stretched(plane, low, high)
    return shown


def _stretched(values: NDArray[Any], low: float, high: float) -> NDArray[np.uint8]:
    stretched = np.subtract(values, low, dtype=np.float64)
    stretched *= 255 / (high - low)
    return np.rint(stretched.clip(0, 255, out=stretched), out=stretched).astype(np.uint8)


def encode_png(pixels: NDArray[np.uint8], level: int = 1) -> bytes:
    """A PNG of uint8 pixels, ``(rows, columns)`` grey or ``(rows, columns, 3)`` colour.

    Args:
        pixels: the pixels.
        level: of the compression, from 0 to 9; 1 is quick, for the screen.
    """
    return _encoded(pixels, "PNG", compress_level=level)


def encode_jpeg(pixels: NDArray[np.uint8], quality: int = 92) -> bytes:
    """A JPEG of uint8 pixels, ``(rows, columns)`` grey or ``(rows, columns, 3)`` colour in full resolution.

    Args:
        pixels: the pixels, at most 65535 rows and columns.
        quality: from 1 to 95.

    Raises:
        ValueError: if there are more rows or columns.
    """
    if max(pixels.shape[:2]) > 65_535:
        raise ValueError("A JPEG can have at most 65535 rows and columns.")
    return _encoded(pixels, "JPEG", quality=quality, subsampling=0)


def _encoded(pixels: NDArray[np.uint8], kind: str, **options: int) -> bytes:
    from PIL.Image import fromarray

    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or pixels.shape[2:] == (3,)):
        raise ValueError("Only uint8 pixels can be shown, grey (rows, columns) or colour (rows, columns, 3).")
    file = BytesIO()
    fromarray(np.ascontiguousarray(pixels)).save(file, kind, **options)
    return file.getvalue()
