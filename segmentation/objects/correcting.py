"""Corrections: what a person has painted into a result, which no classifier changes any more."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from segmentation._shared.text import counted
from segmentation.objects.labelling import class_ids_of
from segmentation.strokes.classes import UNLABELLED


def apply_corrections(segmentation: ArrayLike, corrections: ArrayLike) -> NDArray[np.uint8]:
    """A segmentation with corrections: the last of all steps, after its clean-up.

    Args:
        segmentation: ``(rows, columns)`` class ids, 0 where there is no data, which stays so. It is not changed.
        corrections: ``(rows, columns)`` class ids, as :func:`rasterise` gives them of strokes; 0 where nothing was
            corrected.

    Returns:
        ``(rows, columns)`` uint8.

    Raises:
        ValueError: if the two are no class ids, or of different shapes.
    """
    ids, painted = class_ids_of(segmentation), class_ids_of(corrections)
    if ids.shape != painted.shape:
        sizes = [f"{columns} x {rows} pixels" for rows, columns in (painted.shape, ids.shape)]
        raise ValueError(f"Corrections of {sizes[0]} do not fit a segmentation of {sizes[1]}.")
    return np.where((painted == UNLABELLED) | (ids == UNLABELLED), ids, painted)


def correction_note(corrections: NDArray[np.uint8] | None, segmentation: NDArray[np.uint8]) -> str:
    """A sentence on how much of a result was corrected; empty if nothing was.

    Args:
        corrections: ``(rows, columns)``, as of :func:`apply_corrections`; None for nothing.
        segmentation: ``(rows, columns)`` class ids, 0 where there is none.
    """
    pixels = 0 if corrections is None else int(np.count_nonzero((corrections > 0) & (segmentation > 0)))
    if not pixels:
        return ""
    percent = np.format_float_positional(100 * pixels / segmentation.size, precision=2, fractional=False, trim="-")
    return f"The result was corrected by hand in {counted(pixels, 'pixel')} ({percent} %)."
