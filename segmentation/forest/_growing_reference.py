"""The growing of extremely randomised trees of :mod:`segmentation.forest._growing_kernels` by NumPy, tree by tree.

The arguments of :func:`grow_trees`, what it fills and what it returns are those of the kernel. Of a node's pixels all
features are looked at together, and then all edges that were drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from segmentation.forest._mixing import STEP, mixed

_MASK = 2**64 - 1

Ints = NDArray[np.int32]
Pixels = list[NDArray[np.int32]]
"""Pixels, class by class."""


def grow_trees(
    columns: NDArray[np.uint8],
    members: Ints,
    starts: NDArray[np.int64],
    draws: NDArray[np.int64],
    states: NDArray[np.uint64],
    streams: NDArray[np.uint64],
    tries: int,
    max_depth: int,
    roots: Ints,
    nodes: Ints,
    node_counts: Ints,
) -> int:
    """Grow trees one after the other, each depth first, smaller values first; return the number of nodes."""
    filled = 0
    for tree in range(len(roots)):
        roots[tree] = filled
        chance = _Chance(int(streams[tree, 0]))
        order = list(range(len(columns)))
        waiting = [(_sample(members, starts, draws, states[tree]), 0, -1)]
        while waiting:
            pixels, depth, parent = waiting.pop()
            node, filled = filled, filled + 1
            if parent >= 0:
                nodes[parent, 2 if nodes[parent, 2] < 0 else 3] = node
            node_counts[node] = counts = [len(of_class) for of_class in pixels]
            feature, edge = -1, -1
            if max(counts) < sum(counts) and depth < max_depth:
                feature, edge = _choose(columns, np.concatenate(pixels), counts, tries, chance, order)
            nodes[node] = feature, edge, -1, -1
            if feature >= 0:
                above = [columns[feature, of_class] > edge for of_class in pixels]
                for side in (above, [~of_class for of_class in above]):
                    divided = [of_class[on_it] for of_class, on_it in zip(pixels, side, strict=True)]
                    waiting.append((divided, depth + 1, node))
    return filled


@dataclass
class _Chance:
    """A stream of random numbers."""

    state: int

    def below(self, limit: int) -> int:
        """The next number, from 0 to below the limit."""
        self.state = (self.state + int(STEP)) & _MASK
        number = self.state
        number = ((number ^ (number >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        number = ((number ^ (number >> 27)) * 0x94D049BB133111EB) & _MASK
        number ^= number >> 31
        return ((number >> 32) * limit) >> 32


def _sample(members: Ints, starts: NDArray[np.int64], draws: NDArray[np.int64], states: NDArray[np.uint64]) -> Pixels:
    """The pixels that a tree sees."""
    pixels = []
    for start, count, drawn, state in zip(starts, np.diff(starts), draws, states, strict=False):
        numbers = mixed(state, np.arange(drawn)) % np.uint64(count)
        pixels.append(members[start + numbers.astype(np.int64)])
    return pixels


def _choose(
    columns: NDArray[np.uint8], pixels: Ints, counts: Sequence[int], tries: int, chance: _Chance, order: list[int]
) -> tuple[int, int]:
    """The feature and the edge that divide pixels best among those that are drawn; -1 if none divides them."""
    values = columns[:, pixels]
    lowest, highest = values.min(axis=1).tolist(), values.max(axis=1).tolist()
    features: list[int] = []
    edges: list[int] = []
    remaining = len(order)
    while remaining > 0 and (len(order) - remaining < tries or not features):
        place = chance.below(remaining)
        remaining -= 1
        order[place], order[remaining] = order[remaining], order[place]
        feature = order[remaining]
        if lowest[feature] < highest[feature]:
            features.append(feature)
            edges.append(chance.below(highest[feature] - lowest[feature]) + lowest[feature])
    if not features:
        return -1, -1
    best = int(_purities(values[features] <= np.array(edges)[:, None], np.array(counts)).argmax())
    return features[best], edges[best]


def _purities(lower: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """How pure the pixels up to each edge and the others are, class by class in ``(edges, pixels)``."""
    there = counts[counts > 0]
    below = np.add.reduceat(lower, np.cumsum(there) - there, axis=1, dtype=np.int64)
    of_all = below.sum(axis=1)
    left, right = (np.square(some, dtype=np.float64).sum(axis=1) for some in (below, there - below))
    purities: NDArray[np.float64] = left / of_all + right / (there.sum() - of_all)
    return purities
