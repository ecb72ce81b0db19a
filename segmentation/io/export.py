"""Colours and blends, and the files in which a segmentation is shown and downloaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from segmentation.io.display import encode_png
from segmentation.io.image import Image
from segmentation.io.shares import checked_segmentation
from segmentation.io.tiffwriter import TiffPages
from segmentation.strokes.classes import LabelClass, parse_colour


def segmentation_png(segmentation: NDArray[np.uint8], colours: Mapping[int, str], level: int = 1) -> bytes:
    """An indexed PNG whose palette indices are the class ids.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids.
        colours: the colour of each class; 0 and ids without a colour are transparent.
        level: of the compression, from 0 to 9; 1 is quick, for the screen.

    Raises:
        ValueError: if the segmentation is not uint8, or a colour or an id is not possible.
    """
    from PIL.Image import fromarray

    palette, opaque = _palette(colours)
    used = max([int(checked_segmentation(segmentation).max(initial=0)), *colours]) + 1
    image = fromarray(np.ascontiguousarray(segmentation))
    image.putpalette(palette[:used].tobytes())
    file = BytesIO()
    image.save(file, "PNG", compress_level=level, transparency=(opaque[:used] * np.uint8(255)).tobytes())
    return file.getvalue()


def overlay_image(
    shown: NDArray[np.uint8], segmentation: NDArray[np.uint8], colours: Mapping[int, str], opacity: float = 0.5
) -> NDArray[np.uint8]:
    """A shown image with the classes painted over it.

    Args:
        shown: ``(rows, columns, 3)``, uint8, from :func:`segmentation.io.display.display_pixels`.
        segmentation: ``(rows, columns)``, uint8 class ids.
        colours: the colour of each class; 0 and ids without a colour leave the image as it is.
        opacity: of the colours, from 0 to 1.

    Returns:
        ``(rows, columns, 3)``, uint8.

    Raises:
        ValueError: if the image and the segmentation do not fit, or a colour, an id or the opacity is not possible.
    """
    from PIL.Image import composite, fromarray

    ids = checked_segmentation(segmentation)
    if shown.dtype != np.uint8 or shown.shape != (*ids.shape, 3):
        raise ValueError("The image and the segmentation must have the same rows and columns.")
    if not 0 <= opacity <= 1:
        raise ValueError("The opacity must be between 0 and 1.")
    palette, opaque = _palette(colours)
    paint = fromarray(np.ascontiguousarray(ids))
    mask = paint.point((opaque * np.uint8(round(255 * opacity))).tolist())
    paint.putpalette(palette.tobytes())
    return np.array(composite(paint.convert("RGB"), fromarray(np.ascontiguousarray(shown)), mask))


def overlay_png(
    shown: NDArray[np.uint8],
    segmentation: NDArray[np.uint8],
    colours: Mapping[int, str],
    opacity: float = 0.5,
    level: int = 3,
) -> bytes:
    """A PNG of :func:`overlay_image`, whose arguments it takes, with a compression level from 0 to 9."""
    return encode_png(overlay_image(shown, segmentation, colours, opacity), level)


def label_tiff(segmentation: NDArray[np.uint8], classes: Iterable[LabelClass], *, like: Image | None = None) -> bytes:
    """A TIFF of class ids, which viewers show in the colours of the classes.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids, 0 where there is none.
        classes: their names stand in the description, as JSON.
        like: the image that was segmented: the size of its pixels and its place on Earth are said as it says them.

    Returns:
        A TIFF with one page of 8-bit palette indices, which are the class ids, compressed by deflate; 0 and ids
        without a class are black.

    Raises:
        ValueError: if the segmentation is not uint8.
    """
    file = BytesIO()
    with label_pages(file, classes, like=like) as pages:
        pages.add(checked_segmentation(segmentation), CLASS_IDS)
    return file.getvalue()


CLASS_IDS = "class ids"
"""Name of a page of class ids."""


def label_pages(
    file: BinaryIO,
    classes: Iterable[LabelClass],
    *,
    like: Image | None = None,
    images: int = 1,
    big: bool = False,
) -> TiffPages:
    """A TIFF of class ids to which pages are added, one for each of the images; else as :func:`label_tiff`."""
    classes = tuple(classes)
    colours, _ = _palette({one.id: one.colour for one in classes})
    described = {"classes": [{"id": one.id, "name": one.name} for one in classes]}
    return TiffPages(file, described, colours=colours, like=like, images=images, big=big)


def probabilities_tiff(
    probabilities: NDArray[np.float32], class_names: Sequence[str], *, like: Image | None = None
) -> bytes:
    """A TIFF of probabilities with a page for each class, named after it.

    Args:
        probabilities: ``(rows, columns, classes)``, float32.
        class_names: the names of the classes in their order.
        like: the image that was segmented, as for :func:`label_tiff`.

    Returns:
        A TIFF of 32-bit floats, compressed by deflate, whose description names the pages as JSON.

    Raises:
        ValueError: if there is not one name for each class.
    """
    if probabilities.ndim != 3 or probabilities.shape[2] != len(class_names) or not class_names:
        raise ValueError("The probabilities must have one plane for each class name.")
    file = BytesIO()
    with probability_pages(file, class_names, like=like) as pages:
        for plane, name in enumerate(class_names):
            pages.add(probabilities[..., plane].astype(np.float32, copy=False), name)
    return file.getvalue()


def probability_pages(
    file: BinaryIO, class_names: Sequence[str], *, like: Image | None = None, images: int = 1, big: bool = False
) -> TiffPages:
    """A TIFF of probabilities to which pages are added; with one image it is that of :func:`probabilities_tiff`."""
    described = {"probabilities": list(class_names)}
    return TiffPages(file, described, like=like, images=images, planes=tuple(class_names), big=big)


def _palette(colours: Mapping[int, str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours ``(256, 3)`` by class id, and ``(256,)`` 1 where a class has one."""
    palette, opaque = np.zeros((256, 3), np.uint8), np.zeros(256, np.uint8)
    for class_id, colour in colours.items():
        if not 1 <= class_id <= 255:
            raise ValueError(f"A class id is a whole number between 1 and 255, not {class_id}.")
        palette[class_id], opaque[class_id] = parse_colour(colour), 1
    return palette, opaque
