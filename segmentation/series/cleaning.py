"""The clean-up of images in Zarr arrays, whose blocks are segmented one by one: a part may lie in many blocks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segmentation._shared.tiling import Window, whole_window
from segmentation.series.model import Model

LARGEST = 1 << 28
"""Pixels of an image that is cleaned up: while that is done, it takes some ten bytes a pixel."""


def refuse_large(shape: tuple[int, int]) -> None:
    """Refuse images that do not fit in memory as a whole.

    Raises:
        ValueError: with a sentence that says what else can be done.
    """
    if shape[0] * shape[1] > LARGEST:
        raise ValueError(
            f"Its images have {shape[0]} x {shape[1]} pixels, and at most {LARGEST:,} can be cleaned up, since parts "
            "may reach over all of an image: apply the classifier with --clean-up none."
        )


def clean_blocks(
    model: Model, found: Any, cleaned: Any, place: Sequence[int], shape: tuple[int, int], blocks: Sequence[Window]
) -> dict[str, int]:
    """Clean up an image, and write it block by block.

    Args:
        model: whose clean-up it is.
        found: array of the class ids that were found.
        cleaned: array that the result goes to.
        place: which image: its index along each axis of the stack.
        shape: its rows and columns.
        blocks: that it is cut into.

    Returns:
        The number of pixels of each class, by class id as text.
    """
    segmentation = model.classifier.cleaned(found.read(place, whole_window(shape)))
    for block in blocks:
        cleaned.write(place, block, segmentation[block.rows, block.columns])
    return model.count(segmentation)
