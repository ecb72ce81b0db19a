"""The compiled growing of extremely randomised trees on bins.

Geurts, Ernst and Wehenkel, Extremely randomized trees, Machine Learning 63 (2006), as scikit-learn grows them: at each
node features are drawn without replacement until as many were tried as shall be and one of them tells pixels apart;
those that have one value in the node count as tried. Of each a threshold is drawn between the smallest and the largest
value, and the one with the largest decrease of the Gini impurity is taken. Since bins are even steps, drawing a value
and taking the nearest edge is drawing one of the edges between the smallest and the largest bin.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31, _S32 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(32)

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int32]
Counts = NDArray[np.int64]
States = NDArray[np.uint64]
Integer: TypeAlias = Any
"""An int64; ``int`` would leave a number without a sign as it is, which together with one with a sign is a float."""


@part
def _mixed(state: np.uint64) -> np.uint64:
    """The finaliser of SplitMix64, see :func:`segmentation.forest.sampling.random_uint64`."""
    state = (state ^ (state >> _S30)) * _FIRST
    state = (state ^ (state >> _S27)) * _SECOND
    return state ^ (state >> _S31)


@part
def _below(random: States, limit: int) -> Integer:
    """The next number of a stream, from 0 to below the limit, which is less than 2**32."""
    random[0] += _STEP
    return np.int64(((_mixed(random[0]) >> _S32) * np.uint64(limit)) >> _S32)


@part
def _begin(
    members: Ints, starts: Counts, draws: Counts, states: States, sample: Ints, order: Counts, waiting: Counts
) -> None:
    """Draw the pixels that a tree sees, class by class, as :func:`segmentation.forest.growing.bootstrap` does."""
    place = 0
    for kind in range(len(states)):
        count = np.uint64(starts[kind + 1] - starts[kind])
        for draw in range(draws[kind]):
            drawn = _mixed(states[kind] + np.uint64(draw) + _STEP)
            sample[place] = members[starts[kind] + np.int64(drawn % count)]
            place += 1
        waiting[0, 4 + kind] = draws[kind]
    waiting[0, 0], waiting[0, 1], waiting[0, 2], waiting[0, 3] = 0, place, 0, -1
    for feature in range(len(order)):
        order[feature] = feature


@part
def _purity(values: Bytes, counts: Counts, edge: int) -> float:
    """How pure the pixels up to an edge and the others are, the larger the purer.

    Args:
        values: the bins of the pixels, class by class.
        counts: pixels of each class that has any.
        edge: the largest bin that goes left.
    """
    start, below = 0, 0
    left, right = 0.0, 0.0
    for count in counts:
        number = 0
        for place in range(start, start + count):
            number += values[place] <= edge
        start += count
        below += number
        left += np.float64(number) * number
        right += np.float64(count - number) * (count - number)
    return left / below + right / (start - below)


@part
def _choose(
    columns: Bytes,
    pixels: Ints,
    counts: Counts,
    tries: int,
    random: States,
    order: Counts,
    values: Bytes,
    there: Counts,
) -> tuple[int, int]:
    """The feature and the edge that divide pixels best among those that are drawn; -1 if none divides them.

    Args:
        columns: see :func:`grow_trees`.
        pixels: those of the node, class by class.
        counts: pixels of each class.
        tries: features tried.
        random: the stream that is drawn from.
        order: the features in any order, which is changed.
        values, there: scratch.
    """
    classes = 0
    for count in counts:  # deep in a tree that tells many classes apart most have no pixels, which is found once
        there[classes] = count
        classes += count > 0
    best, best_feature, best_edge = -1.0, -1, -1
    remaining = len(order)
    while remaining > 0 and (len(order) - remaining < tries or best_feature < 0):
        place = _below(random, remaining)
        remaining -= 1
        feature: Integer = order[place]
        order[place], order[remaining] = order[remaining], feature
        for number in range(len(pixels)):
            values[number] = columns[feature, pixels[number]]
        lowest, highest = values[0], values[0]
        for number in range(len(pixels)):
            lowest = min(lowest, values[number])
            highest = max(highest, values[number])
        if lowest < highest:
            edge = _below(random, np.int64(highest) - np.int64(lowest)) + np.int64(lowest)
            purity = _purity(values, there[:classes], edge)
            if purity > best:
                best, best_feature, best_edge = purity, feature, edge
    return best_feature, best_edge


@part
def _divide(
    columns: Bytes, feature: int, edge: int, pixels: Ints, counts: Counts, lower_counts: Counts, spare: Ints
) -> int:
    """Put the pixels up to the edge before the others, each class by class; return how many they are."""
    lower, higher, start = 0, 0, 0
    for kind in range(len(counts)):
        lower_counts[kind] = -lower
        for place in range(start, start + counts[kind]):
            pixel = pixels[place]
            above = columns[feature, pixel] > edge
            pixels[lower] = pixel
            spare[higher] = pixel
            lower += not above
            higher += above
        lower_counts[kind] += lower
        start += counts[kind]
    for place in range(higher):
        pixels[lower + place] = spare[place]
    return lower


@kernel
def grow_trees(
    columns: Bytes,
    members: Ints,
    starts: Counts,
    draws: Counts,
    states: States,
    streams: States,
    tries: int,
    max_depth: int,
    roots: Ints,
    nodes: Ints,
    node_counts: Ints,
) -> int:
    """Grow trees one after the other, each depth first, smaller values first; return the number of nodes.

    Args:
        columns: ``(features, pixels)``, the bins.
        members: the pixels, class by class.
        starts: ``(classes + 1,)``, where each class begins among them, and their number.
        draws: ``(classes,)``, pixels of each that a tree sees.
        states: ``(trees, classes)``, what the pixels are drawn from.
        streams: ``(trees, 1)``, what features and edges are drawn from; changed.
        tries: features tried at a node.
        max_depth: the most comparisons between root and leaf.
        roots: ``(trees,)`` to be filled with each tree's first node.
        nodes, node_counts: to be filled, see :class:`segmentation.forest.growing.GrownTrees`.
    """
    classes, size, filled = len(starts) - 1, draws.sum(), 0
    sample, spare, values = np.empty(size, np.int32), np.empty(size, np.int32), np.empty(size, np.uint8)
    order, lower, there = np.empty(len(columns), np.int64), np.empty(classes, np.int64), np.empty(classes, np.int64)
    waiting = np.empty((size + 1, 4 + classes), np.int64)  # first pixel, that after the last, depth, parent, counts
    for tree in range(len(roots)):
        roots[tree] = filled
        _begin(members, starts, draws, states[tree], sample, order, waiting)
        last = 0
        while last >= 0:
            start, stop, depth, parent = waiting[last, 0], waiting[last, 1], waiting[last, 2], waiting[last, 3]
            counts, pixels = waiting[last, 4:], sample[start:stop]
            node, filled = filled, filled + 1
            if parent >= 0:
                nodes[parent, 2 if nodes[parent, 2] < 0 else 3] = node
            most: Integer = 0
            for kind in range(classes):
                node_counts[node, kind] = counts[kind]
                most = max(most, counts[kind])
            feature, edge = -1, -1
            if most < stop - start and depth < max_depth:
                feature, edge = _choose(columns, pixels, counts, tries, streams[tree], order, values, there)
            nodes[node, 0], nodes[node, 1], nodes[node, 2], nodes[node, 3] = feature, edge, -1, -1
            if feature < 0:
                last -= 1
                continue
            middle = start + _divide(columns, feature, edge, pixels, counts, lower, spare)
            waiting[last, 0], waiting[last, 2], waiting[last, 3] = middle, depth + 1, node
            last += 1
            waiting[last, 0], waiting[last, 1], waiting[last, 2], waiting[last, 3] = start, middle, depth + 1, node
            for kind in range(classes):
                waiting[last, 4 + kind] = lower[kind]
                counts[kind] -= lower[kind]
    return filled
