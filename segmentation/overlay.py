"""Colours and blends, and the files in which a segmentation is shown and taken home."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO, StringIO
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from segmentation.images import encode_png
from segmentation.tiffwriter import TiffPages

DEFAULT_COLOURS = (
    "#e69f00", "#0072b2", "#009e73", "#cc79a7", "#f0e442", "#56b4e9", "#d55e00",
    "#693c2d", "#c3e1b4", "#00fff0", "#b40f78", "#3c00e1", "#8778ff", "#c30f00",
    "#b4b478", "#5a784b", "#e1a5c3", "#965a69", "#69964b", "#d2e187",
)  # fmt: skip
"""Colours for up to 20 classes, in this order, which people of any colour vision can tell apart.

The first seven are those of Okabe and Ito, "Color Universal Design" (2008); the first two, orange and blue, differ
greatly. Each of the others is the colour that is farthest (CIEDE2000) from those before it, as people with normal
vision and with each kind of dichromacy (Machado, Oliveira and Fernandes, IEEE TVCG 15, 2009) see it, among those that
are neither grey nor too dark or light: lightness 30 to 92 and chroma from 25 in CIELAB.
"""

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_BAND_PIXELS = 2**20


def parse_colour(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of a colour such as ``"#e69f00"``.

    Raises:
        ValueError: if it is written in another way.
    """
    if not isinstance(colour, str) or not _COLOUR.fullmatch(colour):
        raise ValueError(f"A colour is written like #e69f00, with six hexadecimal digits; this is {colour!r:.40}.")
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


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
    used = max([int(_class_ids(segmentation).max(initial=0)), *colours]) + 1
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
        shown: ``(rows, columns, 3)``, uint8, from :func:`segmentation.images.display_pixels`.
        segmentation: ``(rows, columns)``, uint8 class ids.
        colours: the colour of each class; 0 and ids without a colour leave the image as it is.
        opacity: of the colours, from 0 to 1.

    Returns:
        ``(rows, columns, 3)``, uint8.

    Raises:
        ValueError: if the image and the segmentation do not fit, or a colour, an id or the opacity is not possible.
    """
    from PIL.Image import composite, fromarray

    ids = _class_ids(segmentation)
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


def label_tiff(segmentation: NDArray[np.uint8], class_names: Mapping[int, str]) -> bytes:
    """A plain TIFF of class ids, whose description names the classes as JSON.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids, 0 where there is none.
        class_names: the name of each class.

    Returns:
        A TIFF with one page of 8-bit grey, compressed by deflate.

    Raises:
        ValueError: if the segmentation is not uint8.
    """
    file = BytesIO()
    with label_pages(file, class_names) as pages:
        pages.add(_class_ids(segmentation), CLASS_IDS)
    return file.getvalue()


CLASS_IDS = "class ids"
"""Name of a page of class ids."""


def label_pages(file: BinaryIO, class_names: Mapping[int, str], *, big: bool = False) -> TiffPages:
    """A TIFF of class ids to which pages are added; with one page it is that of :func:`label_tiff`."""
    classes = [{"id": int(class_id), "name": name} for class_id, name in class_names.items()]
    return TiffPages(file, {"classes": classes}, big=big)


def probabilities_tiff(probabilities: NDArray[np.float32], class_names: Sequence[str]) -> bytes:
    """A TIFF of probabilities with a page for each class, named after it.

    Args:
        probabilities: ``(rows, columns, classes)``, float32.
        class_names: the names of the classes in their order.

    Returns:
        A TIFF of 32-bit floats, compressed by deflate, whose description names the pages as JSON.

    Raises:
        ValueError: if there is not one name for each class.
    """
    if probabilities.ndim != 3 or probabilities.shape[2] != len(class_names) or not class_names:
        raise ValueError("The probabilities must have one plane for each class name.")
    file = BytesIO()
    with probability_pages(file, class_names) as pages:
        for plane, name in enumerate(class_names):
            pages.add(probabilities[..., plane].astype(np.float32, copy=False), name)
    return file.getvalue()


def probability_pages(file: BinaryIO, class_names: Sequence[str], *, big: bool = False) -> TiffPages:
    """A TIFF of probabilities to which pages are added; with one image it is that of :func:`probabilities_tiff`."""
    return TiffPages(file, {"probabilities": list(class_names)}, big=big)


class ClassShare(NamedTuple):
    """How much of an image a class takes.

    Attributes:
        id: the class.
        pixels: its pixels.
        share: its part of all pixels, from 0 to 1.
    """

    id: int
    pixels: int
    share: float


def class_shares(segmentation: NDArray[np.uint8], class_ids: Iterable[int]) -> list[ClassShare]:
    """How much of an image each class takes.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids; all its pixels make up the whole.
        class_ids: the classes that are asked for.

    Returns:
        One entry for each of the classes, in their order.

    Raises:
        ValueError: if the segmentation is not uint8.
    """
    ids = _class_ids(segmentation)
    band_rows = max(1, _BAND_PIXELS // ids.shape[1])
    counts = np.zeros(256, np.int64)
    for top in range(0, len(ids), band_rows):
        counts += np.bincount(ids[top : top + band_rows].ravel(), minlength=256)
    return [ClassShare(int(one), int(counts[one]), float(counts[one] / ids.size)) for one in class_ids]


def shares_csv(segmentation: NDArray[np.uint8], class_names: Mapping[int, str]) -> str:
    """The table of :func:`class_shares` as comma-separated text.

    Names that a spreadsheet would take for a formula are led by an apostrophe.

    Args:
        segmentation: ``(rows, columns)``, uint8 class ids.
        class_names: the name of each class.

    Returns:
        The columns ``class_id,class_name,pixels,percent`` and one row for each class.
    """
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["class_id", "class_name", "pixels", "percent"])
    for entry in class_shares(segmentation, class_names):
        table.writerow([entry.id, spreadsheet_text(class_names[entry.id]), entry.pixels, f"{entry.share:.4%}"[:-1]])
    return text.getvalue()


def spreadsheet_text(text: str) -> str:
    """The text, led by an apostrophe if a spreadsheet would take it for a formula."""
    return f"'{text}" if text[:1] in _FORMULA else text


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _palette(colours: Mapping[int, str]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Colours ``(256, 3)`` by class id, and ``(256,)`` 1 where a class has one."""
    palette, opaque = np.zeros((256, 3), np.uint8), np.zeros(256, np.uint8)
    for class_id, colour in colours.items():
        if not 1 <= class_id <= 255:
            raise ValueError(f"A class id is a whole number between 1 and 255, not {class_id}.")
        palette[class_id], opaque[class_id] = parse_colour(colour), 1
    return palette, opaque


def _class_ids(segmentation: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if segmentation.dtype != np.uint8 or segmentation.ndim != 2 or segmentation.size == 0:
        raise ValueError("A segmentation has rows and columns of class ids, of type uint8.")
    return segmentation
