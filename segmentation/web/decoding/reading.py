"""What is read of a stranger's file: an image, one of a stack, or labels."""

from __future__ import annotations

from typing import Any, BinaryIO

from segmentation.io.image import Image
from segmentation.io.limits import ImageError
from segmentation.io.read import read_image, read_pages, read_stack


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
