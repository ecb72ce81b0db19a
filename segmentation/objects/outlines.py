"""The outlines of objects, along the sides of their pixels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segmentation.strokes.outlines import trace_rings

MOST_CORNERS = 40_000_000
"""Of all objects together; beyond, files of outlines would have a gigabyte."""

Polygon = list[NDArray[np.int32]]
"""Rings of ``(corners, 2)``, x and y, where (0, 0) is the upper left corner of the image: the outer one, and holes."""


def object_outlines(labels: NDArray[np.int32]) -> Iterator[tuple[int, list[Polygon]]]:
    """The polygons of each object, of which it has several where its parts only touch at corners of pixels.

    Args:
        labels: ``(rows, columns)`` int32, numbers of objects, 0 where there is none.

    Yields:
        The number of an object, in ascending order, and its polygons.

    Raises:
        ValueError: if they have more than 40,000,000 corners.
    """
    if not labels.any():
        return
    traced = trace_rings(labels, MOST_CORNERS)
    if traced is None:
        raise ValueError(f"The outlines of the objects have more than {MOST_CORNERS:,} corners: smooth them first.")
    order = np.lexsort((np.arange(len(traced.labels)), traced.regions, traced.labels))
    polygons: list[Polygon] = []
    label, region = 0, -1
    for ring in order.tolist():
        if traced.labels[ring] != label:
            if polygons:
                yield label, polygons
            label, region, polygons = int(traced.labels[ring]), -1, []
        if traced.regions[ring] != region:
            region = int(traced.regions[ring])
            polygons.append([])
        polygons[-1].append(traced.corners[traced.starts[ring] : traced.starts[ring + 1]])
    yield label, polygons
