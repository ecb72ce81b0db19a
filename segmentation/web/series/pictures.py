"""Small pictures of what a series has found: the image with its classes painted over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from segmentation.io.display import display_pixels, display_range, encode_jpeg
from segmentation.io.export import overlay_image
from segmentation.io.image import Image

PICTURE_SIDE = 640
GREY = 128
"""What is seen below the classes of an image that nobody can see whole."""


def small_picture(image: Image, segmentation: NDArray[np.uint8], colours: Mapping[int, str]) -> bytes:
    """A JPEG of an image with the classes painted over it, at most :data:`PICTURE_SIDE` pixels wide and high."""
    step = -(-max(image.shape) // PICTURE_SIDE)
    shown = display_pixels(image, step=step, ranges=display_range(image))
    return encode_jpeg(overlay_image(shown, np.ascontiguousarray(segmentation[::step, ::step]), colours))


def picture_of_large(result: BinaryIO, coarsest: Image, colours: Mapping[int, str]) -> bytes:
    """The same of an image of any size.

    Args:
        result: its class ids, a TIFF with levels.
        coarsest: what :meth:`Decoder.read_coarsest` gives: where the file has no level that is seen whole, the classes
            alone are painted.
        colours: of the classes.
    """
    import tifffile

    result.seek(0)
    with tifffile.TiffFile(result, name="result.tif") as tiff:
        levels = [tiff.pages[0], *(cast(tifffile.TiffPage, tiff.pages[0]).pages or ())]
        ids = levels[-1].asarray()
    step = -(-max(ids.shape) // PICTURE_SIDE)
    ids = np.ascontiguousarray(ids[::step, ::step])
    if not coarsest.metadata["pyramid"]["whole"]:
        return encode_jpeg(overlay_image(np.full((*ids.shape, 3), GREY, np.uint8), ids, colours, 1.0))
    shown = display_pixels(coarsest, ranges=display_range(coarsest))
    rows, columns = (np.arange(some) * all_ // some for some, all_ in zip(ids.shape, coarsest.shape, strict=True))
    return encode_jpeg(overlay_image(np.ascontiguousarray(shown[rows][:, columns]), ids, colours))
