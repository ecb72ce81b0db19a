"""The pictures of a report: images and overlays within it, histograms and scale bars as SVG."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from segmentation.io.display import display_pixels, display_range, encode_jpeg
from segmentation.io.export import overlay_image
from segmentation.io.image import Image
from segmentation.io.pixel_size import PixelSize

LONGEST_SIDE = 900
"""Pixels along the longer side of a picture; larger images are shown smaller."""

BINS = 30
_WIDTH, _HEIGHT, _BASE = 320, 120, 100


def pictures(image: Image, segmentation: NDArray[np.uint8], colours: Mapping[int, str]) -> tuple[str, str]:
    """The image and the image with the classes painted over it, as addresses that hold the pictures themselves."""
    shown = display_pixels(image, ranges=display_range(image))
    step = max(1, math.ceil(max(image.shape) / LONGEST_SIDE))
    small, ids = shown[::step, ::step], segmentation[::step, ::step]
    return _address(small), _address(overlay_image(np.ascontiguousarray(small), ids, colours))


def _address(pixels: NDArray[np.uint8]) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(np.ascontiguousarray(pixels), 85)).decode()}"


def scale_bar(columns: int, size: PixelSize | None) -> tuple[float, str] | None:
    """Width of a bar in percent of the image's, and the length that it stands for: 1, 2 or 5 times a power of ten."""
    if size is None or size.metres is None:
        return None
    widest = columns * size.x / 4
    power = 10 ** math.floor(math.log10(widest))
    length = max(step * power for step in (1, 2, 5) if step * power <= widest)
    return 100 * length / (columns * size.x), f"{length:g} {size.unit}"


WIDE = 10
"""Beyond so many times the least value, the largest asks for an axis of its own, if few others are near it."""


def short(value: float) -> str:
    """A number as people read it, in about four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def histogram(values: NDArray[np.float64], colour: str, unit: str) -> str:
    """A histogram as SVG, of ``(objects,)`` finite values; empty if there are none.

    Where most values would lie in the first bin, the axis is that of their logarithms, as it is on the page.
    """
    if not len(values):
        return ""
    counts, edges = np.histogram(values, bins=BINS if np.ptp(values) > 0 else 1)
    logarithmic = bool(0 < edges[0] * WIDE < edges[-1] and counts[0] > len(values) / 2)
    if logarithmic:
        counts, _ = np.histogram(np.log10(values), bins=BINS)
    axis = f"area, {unit}{' (logarithmic)' if logarithmic else ''}"
    wide = _WIDTH / len(counts)
    bars = "".join(
        f'<rect x="{number * wide:.1f}" y="{_BASE * (1 - count / counts.max()):.1f}" width="{max(wide - 1, 1):.1f}" '
        f'height="{_BASE * count / counts.max():.1f}"/>'
        for number, count in enumerate(counts.tolist())
    )
    return (
        f'<svg viewBox="0 -2 {_WIDTH} {_HEIGHT}" role="img" aria-label="Histogram of areas">'
        f'<g fill="{colour}">{bars}</g>'
        f'<path d="M0 {_BASE}H{_WIDTH}" stroke="currentColor"/><g fill="currentColor" font-size="11">'
        f'<text x="0" y="{_HEIGHT - 6}">{short(edges[0])}</text><text x="{_WIDTH / 2}" y="{_HEIGHT - 6}" '
        f'text-anchor="middle">{axis}</text><text x="{_WIDTH}" y="{_HEIGHT - 6}" text-anchor="end">'
        f"{short(edges[-1])}</text></g></svg>"
    )
