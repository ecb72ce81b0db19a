"""Features piece by piece: handed on while they are in the processor's cache, and overwritten by the next.

Memory follows the piece, not the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import available_threads, share
from segmentation._shared.tiling import Tile
from segmentation.features.compute import compute_planes
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import Image

PIECE = 128, 256
"""Rows and columns of which a thread holds the features at a time."""

SMOOTHED_PIECE = 32, 256
"""The same where the window is smoothed already, so that there is no halo to be smoothed once more for each piece."""

MOST_PUT_DOWN_BYTES = 2**22
"""Larger memory for features is given back to the system between pieces of work."""

_PUT_DOWN: list[NDArray[np.float32]] = []


def for_each_piece(
    image: Image,
    spec: FeatureSpec,
    pieces: Iterable[Tile],
    work: Callable[[Tile, NDArray[np.float32]], None],
    *,
    smoothed: Smoothed | None = None,
    threads: int | None = None,
) -> None:
    """Computes the features of pieces of an image, and hands each to ``work`` while they are in the processor's cache.

    Args:
        image: the image.
        spec: which features.
        pieces: windows of the image.
        work: called with a piece and its features, ``(features, piece rows, piece columns)`` float32, which are
            overwritten after it returns; by several threads at a time.
        smoothed: a smoothed window that all pieces lie in, if it is at hand.
        threads: number of threads; None takes all cores.
    """
    count = spec.count(image.channels)

    def take(queue: Iterator[Tile]) -> None:
        memory = _taken_up()
        for piece in queue:
            size = count * piece.shape[0] * piece.shape[1]
            if memory.size < size:
                memory = np.empty(size, np.float32)
            planes = memory[:size].reshape(count, *piece.shape)
            if smoothed is None:
                compute_planes(image.pixels, spec, rows=piece.rows, columns=piece.columns, out=planes, threads=1)
            else:
                smoothed.features(spec, piece.rows, piece.columns, out=planes)
            work(piece, planes)
        _put_down(memory)

    share(pieces, take, threads)


def _taken_up() -> NDArray[np.float32]:
    """Memory that a thread has put down, or none: new memory must be cleared by the system, which costs a tenth."""
    try:
        return _PUT_DOWN.pop()
    except IndexError:
        return np.empty(0, np.float32)


def _put_down(memory: NDArray[np.float32]) -> None:
    if len(_PUT_DOWN) < available_threads() and memory.nbytes <= MOST_PUT_DOWN_BYTES:
        _PUT_DOWN.append(memory)


def feature_rows(
    image: Image,
    spec: FeatureSpec,
    places: NDArray[np.int64],
    *,
    smoothed: Smoothed | None = None,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Features of single pixels, computed only around them.

    Args:
        image: the image.
        spec: which features.
        places: raster indices of the pixels.
        smoothed: a smoothed window that they all lie in, if it is at hand.
        threads: number of threads; None takes all cores.

    Returns:
        ``(pixels, features)`` float32.
    """
    rows = np.empty((len(places), spec.count(image.channels)), np.float32)
    row, column = np.divmod(places, image.shape[1])
    members = groups(row // PIECE[0] * image.shape[1] + column // PIECE[1])
    pieces = [bounding_tile(index, row[inside], column[inside]) for index, inside in enumerate(members)]

    def gather(piece: Tile, planes: NDArray[np.float32]) -> None:
        inside = members[piece.index]
        rows[inside] = planes[:, row[inside] - piece.rows.start, column[inside] - piece.columns.start].T

    for_each_piece(image, spec, pieces, gather, smoothed=smoothed, threads=threads)
    return rows


def groups(keys: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """The indices of equal keys, ascending, for each key."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1) if len(keys) else []


def bounding_tile(index: int, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Tile:
    """The smallest window that holds all these pixels."""
    return Tile(index, *(slice(int(at.min()), int(at.max()) + 1) for at in (rows, columns)))
