"""What is taken for the whole of an image that is large, on the page, from the shell and in Python alike."""

from __future__ import annotations

from segmentation._shared.tiling import Window

LARGE_PIXELS = 2**26
"""What is taken from an image as a whole, such as its median, is taken from a sample of one that has more pixels."""

SAMPLED_BLOCKS = 4
"""Along each side of an image that is sampled."""

SAMPLED_SIDE = 256
"""Rows and columns of each block of a sample."""


def is_large(shape: tuple[int, int]) -> bool:
    """Whether an image of so many rows and columns has more pixels than :data:`LARGE_PIXELS`."""
    return shape[0] * shape[1] > LARGE_PIXELS


def sampled_windows(shape: tuple[int, int]) -> list[Window]:
    """The windows of an image that are taken for the whole where it :func:`is_large`."""
    return spread(shape, SAMPLED_BLOCKS, SAMPLED_SIDE)


def spread(shape: tuple[int, int], blocks: int, side: int) -> list[Window]:
    """Windows of the same size that are evenly spread over an image, row by row; smaller ones in a small image.

    Args:
        shape: rows and columns of the image.
        blocks: windows along each side.
        side: rows and columns of each.
    """
    parts = []
    for length in shape:
        count = min(blocks, length)
        size = min(side, length // count)
        starts = [((2 * number + 1) * length // count - size) // 2 for number in range(count)]
        parts.append([slice(start, start + size) for start in starts])
    return [Window(rows, columns) for rows in parts[0] for columns in parts[1]]
