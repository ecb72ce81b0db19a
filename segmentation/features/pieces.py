"""Features piece by piece: each piece is used while it is in the processor's cache, and overwritten by the next.

The memory that is needed depends on the size of a piece, not of the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation._shared.reused_memory import reused_memory
from segmentation._shared.tiling import Window
from segmentation.features.compute import compute_planes
from segmentation.features.learned_planes import fill_learned
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.features.volumes import around_planes
from segmentation.io.image import Image

PIECE = 128, 256
"""Rows and columns of a piece: the part of a window whose features a thread has in memory at a time."""

SMOOTHED_PIECE_BYTES = 4_000_000
"""About the bytes of the features of a piece where the window is smoothed already, so that there is no halo to be
smoothed once more for each piece: they stay in the processor's cache until they have been looked at."""

Piece = TypeVar("Piece", bound=Window)

ComputePlanes = Callable[..., NDArray[np.float32]]
"""A function with the arguments of :func:`~segmentation.features.compute.compute_planes`, that gives the same."""


def rows_of_piece(features: int, columns: int) -> int:
    """Rows of a piece of so many columns where the window is smoothed already, a multiple of four."""
    return max(4, SMOOTHED_PIECE_BYTES // (16 * features * columns) * 4)


def for_each_piece(
    image: Image,
    spec: FeatureSpec,
    pieces: Iterable[Piece],
    work: Callable[[Piece, NDArray[np.float32]], None],
    *,
    smoothed: Smoothed | None = None,
    compute: ComputePlanes = compute_planes,
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> None:
    """Computes the features of pieces of an image, and calls ``work`` with each while it is in the processor's cache.

    Args:
        image: the image.
        spec: which features.
        pieces: windows of the image.
        work: called with a piece and its features, ``(features, piece rows, piece columns)`` float32, which are
            overwritten after it returns; by several threads at a time.
        smoothed: a smoothed window that all pieces lie in, if there is one.
        compute: computes the features of a piece where there is none.
        wanted: ``(features,)`` bool, which features are needed; others may be any numbers. None takes all.
        threads: number of threads; None takes all cores.
    """
    count = spec.count(image.channels)

    def take(queue: Iterator[Piece]) -> None:
        with reused_memory() as room:
            for piece in queue:
                rows, columns, planes = piece.rows, piece.columns, room((count, *piece.shape), np.float32)
                compute_of(
                    image, spec, rows, columns, out=planes, wanted=wanted, threads=1, smoothed=smoothed, compute=compute
                )
                work(piece, planes)

    share(pieces, take, threads)


def compute_of(
    image: Image,
    spec: FeatureSpec,
    rows: slice,
    columns: slice,
    *,
    out: NDArray[np.float32] | None = None,
    wanted: NDArray[np.bool_] | None = None,
    threads: int | None = None,
    smoothed: Smoothed | None = None,
    compute: ComputePlanes = compute_planes,
) -> NDArray[np.float32]:
    """Features of a window of an image, whatever they look at; see ``compute_planes``.

    Args:
        image: the image.
        spec: which features, with constants if some are learned.
        rows, columns, out, wanted, threads: see ``compute_planes``.
        smoothed: a smoothed window that this one lies in, if there is one.
        compute: computes the features of single planes that are not learned where there is none.
    """
    if spec.looks_around:
        return around_planes(
            image, spec, rows=rows, columns=columns, out=out, wanted=wanted, threads=threads, compute=compute
        )
    local, count = spec.local, spec.local.count(image.channels)
    if out is None:
        out = np.empty((spec.count(image.channels), rows.stop - rows.start, columns.stop - columns.start), np.float32)
    some = None if wanted is None else wanted[:count]
    if smoothed is not None:
        smoothed.features(local, rows, columns, out=out[:count], wanted=some)
    else:
        compute(image.pixels, local, rows=rows, columns=columns, out=out[:count], wanted=some, threads=threads)
    if spec.learned:
        fill_learned(image, spec, rows, columns, out[count:], None if wanted is None else wanted[count:])
    return out


def feature_rows(
    image: Image,
    spec: FeatureSpec,
    places: NDArray[np.int64],
    *,
    smoothed: Smoothed | None = None,
    compute: ComputePlanes = compute_planes,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Features of single pixels, computed only around them.

    Args:
        image: the image.
        spec: which features.
        places: raster indices of the pixels.
        smoothed: a smoothed window that they all lie in, if there is one.
        compute: computes features where there is none.
        threads: number of threads; None takes all cores.

    Returns:
        ``(pixels, features)`` float32.
    """
    rows = np.empty((len(places), spec.count(image.channels)), np.float32)
    row, column = np.divmod(places, image.shape[1])
    members = groups(row // PIECE[0] * image.shape[1] + column // PIECE[1])
    pieces = [PixelWindow.around(inside, row[inside], column[inside]) for inside in members]

    def gather(piece: PixelWindow, planes: NDArray[np.float32]) -> None:
        inside = piece.members
        rows[inside] = planes[:, row[inside] - piece.rows.start, column[inside] - piece.columns.start].T

    for_each_piece(image, spec, pieces, gather, smoothed=smoothed, compute=compute, threads=threads)
    return rows


def groups(keys: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """The indices of equal keys, ascending, for each key."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1) if len(keys) else []


@dataclass(frozen=True, eq=False)
class PixelWindow(Window):
    """The smallest window that holds some pixels.

    Attributes:
        members: which of the pixels that are asked for these are.
    """

    members: NDArray[np.intp]

    @classmethod
    def around(cls, members: NDArray[np.intp], rows: NDArray[np.int64], columns: NDArray[np.int64]) -> PixelWindow:
        """The window around pixels at these rows and columns."""
        spans = [slice(int(at.min()), int(at.max()) + 1) for at in (rows, columns)]
        return cls(spans[0], spans[1], members)
