"""The compiled inner loops of :mod:`segmentation.forest.float_walk`.

Neighbouring pixels mostly take the same path through a tree. So 64 of them, a block of 4 x 16, go down together: a
node that any of them reaches is visited once, compares all 64 at a time, and hands each child the mask of the pixels
that go there. The trees of a group are walked side by side, breadth first, from a queue; what is queued depends on
the image, but no branch of the code does, so that the processor mispredicts none. Where the pixels of a block
have nothing in common, each takes a path of its own, and the walk costs as much as pixel by pixel.

Shares of classes are whole numbers, so that their sum is exact and does not depend on the order in which leaves
are met; the last class has the rest. Most leaves of a forest of unlimited depth have one class
alone: their votes are counted tree by tree, 64 pixels at a time. Where only the class is asked for, a pixel is done
with when one class leads by more than the trees that are left could give another.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation._shared.simd import AVX512, FLOATS, load_run, store_run
from segmentation.forest._bit_layout import WHOLE_SHARE
from segmentation.forest._lanes import PIXELS, above, add_sums, add_where, no_sums

BLOCK_ROWS = 4
BLOCK_COLUMNS = PIXELS // BLOCK_ROWS

TREES = 64 if AVX512 else 16
"""Trees of a group: as many as keep the processor busy, and leave room for the pixels in its nearest cache."""

_BLOCKS_AT_ONCE = 16
"""Blocks side by side that are read at once: long runs of each feature are read at twice the speed."""

_CACHED_FLOATS = 2**17
"""Features that may be read at once, so that they stay in a core's own cache."""

_SLACK = 2.0**-20
"""More than the difference of two probabilities that are equal as float32."""

DIGITS = TREES.bit_length()
"""Binary digits of a number of trees of a group."""

_NONE = np.uint64(0)
_ONE = np.uint64(1)

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Ids = NDArray[np.int32]
Masks = NDArray[np.uint64]


@part
def _load_blocks(
    planes: Floats, features: Ids, first: int, pitch: int, rows: int, columns: int, blocks: Floats
) -> None:
    """The features of blocks side by side: ``blocks[b, n * PIXELS:]`` has ``features[n]`` of block ``b``."""
    for number in range(len(features)):
        feature = features[number]
        for r in range(rows):
            start = first + r * pitch
            place = number * PIXELS + r * BLOCK_COLUMNS
            for x in range(0, columns, FLOATS):
                block, at = x // BLOCK_COLUMNS, place + x % BLOCK_COLUMNS
                if x + FLOATS <= columns:
                    store_run(blocks, block, at, load_run(planes, feature, start + x), FLOATS)
                else:
                    for i in range(columns - x):
                        blocks[block, at + i] = planes[feature, start + x + i]


@part
def _walk(
    blocks: Floats,
    block: int,
    pixels: np.uint64,
    roots: Ids,
    nodes: NDArray[np.void],
    slots: Ids,
    shares: NDArray[np.int32],
    queue: Ids,
    masks: Masks,
    votes: Masks,
    digits: Masks,
    totals: Doubles,
) -> None:
    """Add the shares of a group of trees to the totals of a block.

    The first half of the queue holds nodes, the second half leaves.
    """
    first_leaf = np.uint64(len(queue) // 2)
    head, tail, leaves = _NONE, _NONE, first_leaf
    for root in roots:
        is_leaf = np.uint64(root < 0)
        place = leaves if root < 0 else tail
        queue[place], masks[place] = root, pixels
        leaves += is_leaf
        tail += _ONE - is_leaf
    while head < tail:
        node, mask = nodes[np.uint64(queue[head])], masks[head]
        head += _ONE
        higher = above(blocks, block, node.feature, node.threshold)
        for child, part_of_mask in ((node.left, mask & ~higher), (node.right, mask & higher)):
            is_leaf, reached = np.uint64(child < 0), np.uint64(part_of_mask != _NONE)
            place = leaves if child < 0 else tail
            queue[place], masks[place] = child, part_of_mask
            leaves += reached & is_leaf
            tail += reached & (_ONE - is_leaf)
    for slot in range(len(votes)):
        votes[slot] = _NONE
    no_slot = len(votes) - 1
    mixed = first_leaf
    for item in range(first_leaf, leaves):
        leaf, mask = queue[item], masks[item]
        slot = slots[np.uint64(~leaf)]
        votes[np.uint64(slot)] |= mask
        queue[mixed], masks[mixed] = leaf, mask
        mixed += np.uint64(slot == no_slot)
    classes = len(shares) + 1
    for kind in range(len(shares)):
        _count(votes, kind, classes, digits)
        sums = no_sums()
        for digit in range(DIGITS):
            sums = add_where(sums, digits[digit], np.int32(WHOLE_SHARE << digit))
        for item in range(first_leaf, mixed):
            sums = add_where(sums, masks[item], shares[kind, np.uint64(~queue[item])])
        add_sums(totals, kind, sums)


@part
def _count(votes: Masks, kind: int, classes: int, digits: Masks) -> None:
    """The number of trees that vote for a class, pixel by pixel: the masks of its binary digits."""
    for digit in range(DIGITS):
        digits[digit] = _NONE
    for tree in range(TREES):
        carried = votes[tree * classes + kind]
        for digit in range(DIGITS):
            digits[digit], carried = digits[digit] ^ carried, digits[digit] & carried


@part
def _first_pixels(rows: int, columns: int) -> np.uint64:
    """The mask of a block's first rows and columns."""
    row = (_ONE << np.uint64(columns)) - _ONE
    pixels = _NONE
    for r in range(rows):
        pixels |= row << np.uint64(r * BLOCK_COLUMNS)
    return pixels


@part
def _undecided(totals: Doubles, given: float, whole: float, pixels: np.uint64) -> np.uint64:
    """The mask of those pixels whose class the trees that are left could change.

    Of the others, ``totals[-1]`` becomes what was given to all classes so far.
    """
    room = whole - given + whole * _SLACK
    undecided = _NONE
    for pixel in range(PIXELS):
        bit = _ONE << np.uint64(pixel)
        if not pixels & bit:
            continue
        rest, best, second = given, 0.0, 0.0
        for kind in range(len(totals) - 1):
            total = totals[kind, pixel]
            rest -= total
            second = max(second, min(best, total))
            best = max(best, total)
        second = max(second, min(best, rest))
        best = max(best, rest)
        if best - second > room:
            totals[-1, pixel] = given
        else:
            undecided |= bit
    return undecided


@part
def _most_probable(totals: Doubles, whole: float, classes: NDArray[np.uint8], best: Floats) -> None:
    """The first class of the largest probability of each pixel of a block."""
    for pixel in range(PIXELS):
        best[pixel] = -1
    for kind in range(len(totals)):
        for pixel in range(PIXELS):
            probability = np.float32(totals[kind, pixel] / whole)
            if probability > best[pixel]:
                best[pixel] = probability
                classes[pixel] = kind


@part
def _total(
    blocks: Floats,
    block: int,
    pixels: np.uint64,
    roots: Ids,
    nodes: NDArray[np.void],
    slots: Ids,
    shares: NDArray[np.int32],
    work: tuple[Ids, Masks, Masks, Masks],
    whole: float,
    only_class: bool,
    totals: Doubles,
) -> None:
    """The shares of all trees, or of as many as decide the class, added up for a block; the last class has the rest."""
    queue, masks, votes, digits = work
    for kind in range(len(shares)):
        for pixel in range(PIXELS):
            totals[kind, pixel] = 0
    for pixel in range(PIXELS):
        totals[-1, pixel] = whole
    for tree in range(0, len(roots), TREES):
        group = roots[tree : tree + TREES]
        _walk(blocks, block, pixels, group, nodes, slots, shares, queue, masks, votes, digits, totals)
        done = tree + TREES
        if only_class and done < len(roots) < 2 * done:
            pixels &= _undecided(totals, done * WHOLE_SHARE, whole, pixels)
            if pixels == _NONE:
                break
    for kind in range(len(shares)):
        for pixel in range(PIXELS):
            totals[-1, pixel] -= totals[kind, pixel]


@part
def _write_probabilities(
    totals: Doubles, whole: float, size: tuple[int, int], first: int, pitch: int, probabilities: Floats
) -> None:
    """Write the probabilities of the first rows and columns of a block."""
    for r in range(size[0]):
        for c in range(size[1]):
            for kind in range(len(totals)):
                probabilities[kind, first + r * pitch + c] = totals[kind, r * BLOCK_COLUMNS + c] / whole


@kernel
def predict_rectangle(
    planes: Floats,
    first: int,
    pitch: int,
    size: tuple[int, int],
    features: Ids,
    roots: Ids,
    nodes: NDArray[np.void],
    slots: Ids,
    shares: NDArray[np.int32],
    probabilities: Floats,
    classes: NDArray[np.uint8],
) -> None:
    """Probabilities, or else classes, of a rectangle of pixels.

    Args:
        planes: ``(features, pixels)``.
        first: the rectangle's first pixel.
        pitch: number of pixels from one row of the rectangle to the next.
        size: rows and columns of the rectangle.
        features: the features that the nodes look at.
        roots: each tree's first node, or ``~leaf``.
        nodes: see :data:`segmentation.forest.float_walk.NODE`.
        slots: ``(leaves,)``, where a leaf of one class alone votes: ``tree % TREES * classes + class``; of others
            ``TREES * classes``.
        shares: ``(classes - 1, leaves)``, the share of each class but the last at a leaf, of ``WHOLE_SHARE``.
        probabilities: ``(classes, pixels)`` to be filled, or ``(classes, 0)`` if they are not wanted.
        classes: ``(pixels,)`` to be filled, or ``(0,)``.
    """
    rows, columns = size
    at_once = max(1, min(_BLOCKS_AT_ONCE, _CACHED_FLOATS // (len(features) * PIXELS + 1)))
    blocks = np.empty((at_once, len(features) * PIXELS), np.float32)
    capacity = 2 * (len(nodes) + len(roots) + 2)
    queue, masks = np.empty(capacity, np.int32), np.empty(capacity, np.uint64)
    votes, digits = np.empty(TREES * (len(shares) + 1) + 1, np.uint64), np.empty(DIGITS, np.uint64)
    totals = np.empty((len(shares) + 1, PIXELS), np.float64)
    whole = np.float64(len(roots)) * WHOLE_SHARE
    best, block_classes = np.empty(PIXELS, np.float32), np.empty(PIXELS, np.uint8)
    for y in range(0, rows, BLOCK_ROWS):
        block_rows = min(BLOCK_ROWS, rows - y)
        for x in range(0, columns, BLOCK_COLUMNS):
            block = x // BLOCK_COLUMNS % at_once
            start = first + y * pitch + x
            if block == 0:
                wide = min(at_once * BLOCK_COLUMNS, columns - x)
                _load_blocks(planes, features, start, pitch, block_rows, wide, blocks)
            block_columns = min(BLOCK_COLUMNS, columns - x)
            pixels = _first_pixels(block_rows, block_columns)
            work = (queue, masks, votes, digits)
            _total(blocks, block, pixels, roots, nodes, slots, shares, work, whole, len(classes) > 0, totals)
            if len(classes):
                _most_probable(totals, whole, block_classes, best)
                for r in range(block_rows):
                    for c in range(block_columns):
                        classes[start + r * pitch + c] = block_classes[r * BLOCK_COLUMNS + c]
            else:
                _write_probabilities(totals, whole, (block_rows, block_columns), start, pitch, probabilities)
