"""The compiled walk of trees on float features, for forests whose leaves do not vote for one class alone.

A block of pixels goes down each tree side by side, all as many steps as the tree is deep: a leaf follows upon itself.
So no branch depends on the image, and the processor waits for many pixels at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.simd import kernel

WHOLE_SHARE = 32 * 720720
"""What stands for a share of 1: a multiple of all numbers up to 16, so that ties between equal shares remain ties."""

_PIXELS = 128
"""Pixels of a block."""

Floats = NDArray[np.float32]
Ids = NDArray[np.int32]


@kernel
def walk_trees(
    planes: Floats,
    first: int,
    last: int,
    features: Ids,
    roots: Ids,
    depths: Ids,
    feature: Ids,
    threshold: Floats,
    children: Ids,
    shares: Ids,
    probabilities: Floats,
    classes: NDArray[np.uint8],
) -> None:
    """Probabilities, or else classes, of pixels.

    Args:
        planes: ``(features, pixels)``.
        first, last: the first of the pixels, and that after the last.
        features: those that the trees look at.
        roots, depths: ``(trees,)``, the first node and the depth of each.
        feature: ``(nodes,)``, the place among ``features`` of what a node compares.
        threshold: ``(nodes,)``, a pixel goes left where its feature is at most this.
        children: ``(nodes, 2)``, the nodes that follow; a leaf follows upon itself.
        shares: ``(classes, nodes)``, of ``WHOLE_SHARE``; those of a leaf add up to it.
        probabilities: ``(classes, pixels)`` to be filled, or ``(classes, 0)`` if they are not wanted.
        classes: ``(pixels,)`` to be filled with the first of the most probable, or ``(0,)``.
    """
    values = np.empty((len(features), _PIXELS), np.float32)
    nodes = np.empty(_PIXELS, np.int32)
    totals = np.empty((len(shares), _PIXELS), np.int64)
    whole = np.float64(len(roots)) * WHOLE_SHARE
    for start in range(first, last, _PIXELS):
        count = min(_PIXELS, last - start)
        for number in range(len(features)):
            for pixel in range(count):
                values[number, pixel] = planes[features[number], start + pixel]
        for kind in range(len(shares)):
            for pixel in range(count):
                totals[kind, pixel] = 0
        for tree in range(len(roots)):
            for pixel in range(count):
                nodes[pixel] = roots[tree]
            for _ in range(depths[tree]):
                for pixel in range(count):
                    node = nodes[pixel]
                    above = values[feature[node], pixel] > threshold[node]
                    nodes[pixel] = children[node, np.int64(above)]
            for kind in range(len(shares)):
                for pixel in range(count):
                    totals[kind, pixel] += shares[kind, nodes[pixel]]
        for pixel in range(count):
            best = np.float32(-1)
            for kind in range(len(shares)):
                probability = np.float32(totals[kind, pixel] / whole)
                if len(classes) == 0:
                    probabilities[kind, start + pixel] = probability
                elif probability > best:
                    best = probability
                    classes[start + pixel] = kind
