"""What a clean-up does to pixels: Numba kernels. Importing this compiles them, or loads what was compiled before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import typed_kernel

_IDS = "Array(uint8, 2, 'C', readonly=True)"
_PARTS = "Array(int32, 2, 'C', readonly=True)"


@typed_kernel(f"int64({_IDS}, {_PARTS}, boolean[::1], int64[::1])")
def touched(ids: NDArray[np.uint8], parts: NDArray[np.int32], gone: NDArray[np.bool_], keys: NDArray[np.int64]) -> int:
    """What the sides of parts that are dropped touch.

    Args:
        ids: ``(rows, columns)`` class ids.
        parts: ``(rows, columns)``, the number of the part that a pixel belongs to.
        gone: ``(parts + 1,)``, which of them are dropped.
        keys: filled in: for each side of a pixel of such a part that lies at another part, 256 times its number plus
            the class on the other side; counted only if there is no room.

    Returns:
        The number of such sides.
    """
    rows, columns = ids.shape
    count = 0
    for row in range(rows):
        for column in range(columns):
            part = parts[row, column]
            if not gone[part]:
                continue
            for side in range(4):
                at = row + (side == 1) - (side == 0)
                beside = column + (side == 3) - (side == 2)
                if 0 <= at < rows and 0 <= beside < columns and parts[at, beside] != part:
                    if count < len(keys):
                        keys[count] = 256 * np.int64(part) + ids[at, beside]
                    count += 1
    return count


@typed_kernel(f"void({_IDS}, int64, uint8, int32[:, ::1])")
def running_counts(ids: NDArray[np.uint8], margin: int, class_id: int, counts: NDArray[np.int32]) -> None:
    """In each row, the number of pixels of a class before each column.

    Args:
        ids: ``(rows, columns)``.
        margin: columns beyond the image at either side, in which there is no pixel.
        class_id: the class.
        counts: ``(rows, columns + 2 * margin + 1)``, filled in.
    """
    rows, columns = ids.shape
    for row in range(rows):
        counts[row, : margin + 1] = 0
        total = 0
        for column in range(columns):
            total += ids[row, column] == class_id
            counts[row, margin + 1 + column] = total
        counts[row, margin + columns + 1 :] = total


@typed_kernel("void(int32[:, ::1], int64[::1], int32[:, ::1])")
def count_in_disk(counts: NDArray[np.int32], widths: NDArray[np.int64], found: NDArray[np.int32]) -> None:
    """Pixels of a class within a disk around each pixel.

    Args:
        counts: as :func:`running_counts` gives them, with a margin of the radius.
        widths: ``(2 * radius + 1,)``, how far the disk reaches to either side in each of its rows.
        found: ``(rows, columns)``, filled in.
    """
    rows, columns = found.shape
    radius = len(widths) // 2
    for row in range(rows):
        found[row] = 0
        for step in range(max(-radius, -row), min(radius, rows - 1 - row) + 1):
            width = widths[step + radius]
            ends = counts[row + step, radius + width + 1 : radius + width + 1 + columns]
            starts = counts[row + step, radius - width : radius - width + columns]
            for column in range(columns):
                found[row, column] += ends[column] - starts[column]


@typed_kernel(
    f"void({_IDS}, uint8, int32[:, ::1], int32[:, ::1], uint8[:, ::1])",
)
def keep_most_frequent(
    ids: NDArray[np.uint8],
    class_id: int,
    found: NDArray[np.int32],
    most: NDArray[np.int32],
    winners: NDArray[np.uint8],
) -> None:
    """Let a class win where it is more frequent than those before it, or as frequent and the pixel's own.

    Args:
        ids: ``(rows, columns)``.
        class_id: the class.
        found: ``(rows, columns)``, how often it was found around each pixel.
        most: ``(rows, columns)``, how often the winner was found; changed.
        winners: ``(rows, columns)``, changed.
    """
    rows, columns = ids.shape
    for row in range(rows):
        for column in range(columns):
            here = found[row, column]
            own = ids[row, column] == class_id
            if here > most[row, column] or (own and here == most[row, column]):
                most[row, column] = here
                winners[row, column] = class_id
