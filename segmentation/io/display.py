"""What of an image is shown: display range, 8-bit pixels, encoded pictures."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from segmentation.io.image import Image

DISPLAY_SAMPLE = 2**18
"""Pixels that are looked at to find the display range."""

DISPLAY_PERCENTILES = (0.35, 99.65)
"""Values between these percentiles are told apart on the screen."""

NARROW = 128
"""8-bit grey values that span less than this are stretched for display."""

_UP = 2
"""The filter of PNG that takes from each byte the one above it."""

_STRIP_VALUES = 2**22
"""Values that are stretched at a time, which bounds the memory that it takes."""


def display_range(image: Image, *others: Image) -> tuple[tuple[float, float], ...]:
    """The values that are shown black and white, for each channel; the data are not touched.

    8-bit colour is shown as it is, and so is 8-bit grey unless it would look flat. Anything else is stretched
    between two percentiles of a sample of its pixels; the three channels of a colour image together, which keeps
    its hues. Pixels without data do not count.

    Args:
        image: the image.
        *others: other views of it, such as a coarser one, between whose percentiles values are told apart too.

    Returns:
        A pair (low, high) for each channel, ``low < high``.
    """
    colour = image.metadata.get("colour", image.channels == 3)
    if colour and image.pixels.dtype == np.uint8:
        return ((0.0, 255.0),) * image.channels
    views = (image, *others)
    found = [np.percentile(pixels, DISPLAY_PERCENTILES, axis=0) for pixels in _held(views, sampled_values)]
    lows, highs = (np.min([low for low, _ in found], axis=0), np.max([high for _, high in found], axis=0))
    ranges = [_telling(views, *ends) for ends in enumerate(zip(lows.tolist(), highs.tolist(), strict=True))]
    if colour:
        ranges[:3] = [(min(low for low, _ in ranges[:3]), max(high for _, high in ranges[:3]))] * 3
    return tuple(ranges)


def value_ends(views: Sequence[Image], channel: int) -> tuple[float, float]:
    """The smallest and the largest value of a channel in views of an image, of pixels that hold data."""
    found = _held(
        views, lambda view: view.stacked[..., channel][slice(None) if view.no_data is None else ~view.no_data]
    )
    return min(values.min().item() for values in found), max(values.max().item() for values in found)


def sampled_values(image: Image, count: int = DISPLAY_SAMPLE) -> NDArray[Any]:
    """``(pixels, channels)`` of about so many evenly spread pixels of an image, less those without data."""
    step = math.ceil(math.sqrt(image.shape[0] * image.shape[1] / count))
    sample = image.stacked[::step, ::step]
    return sample.reshape(-1, image.channels) if image.no_data is None else sample[~image.no_data[::step, ::step]]


def _held(views: Sequence[Image], values: Callable[[Image], NDArray[Any]]) -> list[NDArray[Any]]:
    """Values of the views that have some with data; what stands for these if none has."""
    found = [some for some in map(values, views) if some.size]
    return found or [values(replace(view, no_data=None)) for view in views]


def _telling(views: Sequence[Image], channel: int, ends: tuple[float, float]) -> tuple[float, float]:
    """A display range in which something is seen, from the percentiles of a channel."""
    low, high = ends
    if low == high:
        low, high = value_ends(views, channel)
    if views[0].pixels.dtype == np.uint8 and (low == high or high - low >= NARROW):
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
    of more the first three are red, green and blue. Pixels without data are black. Only the window is looked at, and
    little memory is used beyond the result.

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
    shown = screen_pixels(image, rows=rows, columns=columns, step=step, ranges=ranges)
    return shown if shown.ndim == 3 else np.repeat(shown[..., None], 3, axis=2)


def screen_pixels(
    image: Image,
    *,
    rows: slice = slice(None),
    columns: slice = slice(None),
    step: int = 1,
    ranges: Sequence[tuple[float, float]] | None = None,
) -> NDArray[np.uint8]:
    """The same, whose arguments it takes, but ``(..., ...)`` without colours of an image with one channel."""
    from PIL.Image import fromarray

    (top, bottom), (left, right) = _window(rows, image.shape[0]), _window(columns, image.shape[1])
    if step < 1:
        raise ValueError("The step must be a whole number from 1.")
    ranges = display_range(image) if ranges is None else ranges
    if len(ranges) != image.channels or not all(low < high for low, high in ranges):
        raise ValueError("There must be one display range for each channel, its low end below its high end.")
    seen = min(image.channels, 3)
    size = -(-(bottom - top) // step), -(-(right - left) // step)
    shown = np.empty(size if seen == 1 else (*size, 3), np.uint8)
    strip_rows = step * max(1, _STRIP_VALUES // (seen * step * (right - left)))
    for start in range(top, bottom, strip_rows):
        strip = image.stacked[start : min(start + strip_rows, bottom), left:right, :seen]
        grey = _as_bytes(strip, ranges[:seen])
        if image.no_data is not None:  # what features see there is no picture
            grey = np.where(image.no_data[start : start + len(strip), left:right, None], np.uint8(0), grey)
        if seen == 1:
            grey = grey[..., 0]
        elif seen == 2:
            grey = grey[..., [1, 0, 1]]
        if step > 1:
            grey = np.asarray(fromarray(np.ascontiguousarray(grey)).reduce(step))
        first = (start - top) // step
        shown[first : first + len(grey)] = grey
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
    """A PNG of uint8 pixels, ``(rows, columns)`` grey, ``(rows, columns, 3)`` colour, or 4 with opacity.

    Args:
        pixels: the pixels.
        level: of the compression, from 0 to 9; 1 is quick, for the screen.
    """
    return _encoded(pixels, "PNG", compress_level=level)


def screen_png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG as :func:`encode_png` takes it, in a fifth of the time: for the screen, not to be kept.

    Each row is told by what differs from the row above (filter 2), and packed by libdeflate. PNG specification, third
    edition, https://www.w3.org/TR/png-3.
    """
    from imagecodecs import deflate_encode

    rows, columns = pixels.shape[:2]
    colours = 0 if pixels.ndim == 2 else {3: 2, 4: 6}[pixels.shape[2]]
    flat = pixels.reshape(rows, -1)
    told = np.empty((rows, 1 + flat.shape[1]), np.uint8)
    told[:, 0], told[0, 1:] = _UP, flat[0]
    np.subtract(flat[1:], flat[:-1], out=told[1:, 1:])
    header = struct.pack(">IIBBBBB", columns, rows, 8, colours, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", deflate_encode(told.tobytes(), level=1, raw=False)), (b"IEND", b"")
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


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

    channels = (3, 4) if kind == "PNG" else (3,)
    if pixels.dtype != np.uint8 or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in channels)):
        raise ValueError("Only uint8 pixels can be shown, grey (rows, columns) or colour (rows, columns, 3).")
    file = BytesIO()
    fromarray(np.ascontiguousarray(pixels)).save(file, kind, **options)
    return file.getvalue()
