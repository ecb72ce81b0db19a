"""The files that are made of the class of each pixel of an image: what they are made by, called, and begin with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from segmentation.io.display import display_pixels, display_range
from segmentation.io.export import label_tiff, overlay_png, segmentation_png
from segmentation.io.ome_classes import ome_tiff
from segmentation.io.shares import SHARE_COLUMNS
from segmentation.web.session.objects import measures_for_page, objects_csv, objects_for_page, objects_zip
from segmentation.web.session.scheduler import NobodyWaitsError
from segmentation.web.session.training import Result
from segmentation.web.session.whole_results import TIFF_HEAD, WholeImage

MAX_PROBABILITY_BYTES = 2**31
"""Bytes of the probabilities that are handed out: they wait on the disk, and as a file once more."""

PNG_HEAD = b"\x89PNG\r\n\x1a\n"
HTML_HEAD = b"<!doctype html>"


def _colours(result: Result) -> dict[int, str]:
    return {c.id: c.colour for c in result.state.classes.values()}


def class_names(result: Result) -> dict[int, str]:
    """The names of the classes of a session."""
    return {c.id: c.name for c in result.state.classes.values()}


def _segmentation_png(result: Result, ids: NDArray[np.uint8]) -> bytes:
    return segmentation_png(ids, _colours(result), level=6)


def _segmentation_tiff(result: Result, ids: NDArray[np.uint8]) -> bytes:
    return label_tiff(ids, result.state.classes.values(), like=result.image)


def _ome_tiff(result: Result, ids: NDArray[np.uint8]) -> bytes:
    named = replace(result.image, metadata=result.image.metadata | {"name": result.state.image["name"]})
    return ome_tiff([ids], result.state.classes.values(), like=named)


def overlay_file(result: Result, ids: NDArray[np.uint8], opacity: float) -> bytes:
    """The image below the colours of its classes."""
    colours = {c: colour for c, colour in _colours(result).items() if c not in result.state.hidden}
    shown = display_pixels(result.image, ranges=display_range(result.image))
    return overlay_png(shown, ids, colours, opacity)


def probabilities_file(result: Result, whole: WholeImage) -> Iterator[bytes]:
    """The probabilities of all classes, in parts.

    Raises:
        ValueError: with a sentence, if they are too many to be handed out.
    """
    classes, (rows, columns) = len(result.classifier.classes_), result.image.shape
    size = 4 * classes * rows * columns
    if size > MAX_PROBABILITY_BYTES:
        raise ValueError(
            f"The probabilities of {classes} classes on this image have {size / 2**30:.1f} GB, more than the "
            f"{MAX_PROBABILITY_BYTES / 2**30:.0f} GB that the page hands out. The command line writes them."
        )
    return whole.probability_file([class_names(result)[int(c)] for c in result.classifier.classes_])


def begun(beginning: bytes, make: Callable[[], bytes]) -> Iterator[bytes]:
    """A file in two parts, of which the first is sent before the file is made, since routers wait for it."""
    yield beginning
    with suppress(NobodyWaitsError):
        content = make()
        if not content.startswith(beginning):
            raise RuntimeError(f"the file begins with {content[:16]!r}")
        yield content[len(beginning) :]


WITH_MARGINS = ("shares.csv", "report.html")

FROM_CLASS_IDS: dict[str, Callable[[Result, NDArray[np.uint8]], bytes]] = {
    "segmentation.png": _segmentation_png,
    "segmentation.tif": _segmentation_tiff,
    "segmentation.ome.tif": _ome_tiff,
    "objects.csv": objects_csv,
    "objects.zip": objects_zip,
    "objects.bin": objects_for_page,
    "measures.bin": measures_for_page,
}

MEDIA_TYPES = {
    "segmentation.png": "image/png",
    "segmentation.tif": "image/tiff",
    "segmentation.ome.tif": "image/tiff",
    "overlay.png": "image/png",
    "probabilities.tif": "image/tiff",
    "shares.csv": "text/csv",
    "report.html": "text/html",
    "objects.csv": "text/csv",
    "objects.zip": "application/zip",
    "objects.bin": "application/octet-stream",
    "measures.bin": "application/octet-stream",
    "outlines.bin": "application/octet-stream",
    "all.zip": "application/zip",
}
"""Of the files that are made of a segmentation."""

BEGINNINGS = {
    "segmentation.png": PNG_HEAD,
    "segmentation.tif": TIFF_HEAD[:2],
    "segmentation.ome.tif": TIFF_HEAD[:2],
    "overlay.png": PNG_HEAD,
    "shares.csv": ",".join(SHARE_COLUMNS).encode(),
    "report.html": HTML_HEAD,
}
"""How these files begin, whatever is in them. What may turn out not to be had, such as a table of too many objects, has
no such beginning: a sentence could not follow it."""
