"""The compiled loops of :mod:`segmentation.forest.program`: how trees become instructions, and how these are run.

All of it works on rows of ``ROW`` bytes, one bit for each pixel of a block.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation.forest._bit_layout import BITS, LEAST_DIGITS, ROW
from segmentation.forest._lanes import fetch_bits, load_bits, store_bits

XOR, SELECT = range(2)
"""Kinds of steps ``(kind, a, b, c, d)``: ``d`` becomes ``a ^ b``, or where ``a`` is 1 what ``c`` is, and else what
``b`` is."""

ZEROS, ONES = range(2)
"""The rows whose bits are all 0, or all 1."""

FIRST_COMPARISON = 2

_WHERE, _WHERE_NOT = 0, -1
_WAITS = -1

ADDENDS = 7
"""Votes that are added up in registers: their number has three binary digits."""

_ROW = np.uint64(ROW)  # counted without a sign, since Numba lets negative indices count from the end
_BITS = np.uint64(8)
_NONE = np.uint8(0)
_ALL = np.uint8(255)

Bytes = NDArray[np.uint8]
Rows = NDArray[np.int32]
Bits: TypeAlias = Any
"""Lanes that hold a row of bits."""


@kernel
def assemble_trees(
    roots: Rows, nodes: Rows, digit: int, comparisons: Rows, stack: int, votes: Rows, program: Rows
) -> tuple[int, int]:
    """Write the selections that tell a digit of what trees vote for; return how many they are, and the rows that exist.

    What the children of a node say is there before the node itself, since the nodes are taken from the last to the
    first. A node waits for its parent, to be computed with it: what lies between the two is not written and read again.

    Args:
        roots, nodes: see :meth:`segmentation.forest.program.Program.of`.
        digit: which binary digit of the codes of leaves.
        comparisons: ``(nodes,)``, the row that says whether a node's bin is above its edge.
        stack: the first of the rows that are free; all rows before it are read only here.
        votes: a row for each tree's vote; changed where another says it already.
        program: to be filled, see :func:`_select`.
    """
    said, free, state = (
        np.empty(len(nodes), np.int64),
        np.empty(len(nodes) + 3, np.int64),
        np.array([0, 0, stack, stack]),
    )
    stop = len(nodes)
    for tree in range(len(roots) - 1, -1, -1):
        root = roots[tree]
        for node in range(stop - 1, root - 1, -1):
            child, other = nodes[node, 2], nodes[node, 3]
            if nodes[node, 0] < 0:
                said[node] = ONES if nodes[node, 4] >> digit & 1 else ZEROS
            elif said[child] != _WAITS and said[other] != _WAITS:
                compares = said[child] == ZEROS and said[other] == ONES
                said[node] = comparisons[node] if compares else said[child] if said[child] == said[other] else _WAITS
            else:
                instead = _WHERE_NOT
                if said[child] != _WAITS:
                    child, other, instead = other, child, _WHERE
                if said[other] == _WAITS:
                    said[other] = _emit(program, ZEROS, _WHERE_NOT, ZEROS, other, nodes, comparisons, said, free, state)
                row = comparisons[node]
                said[node] = _emit(program, row, instead, said[other], child, nodes, comparisons, said, free, state)
        if said[root] == _WAITS:
            said[root] = _emit(program, ZEROS, _WHERE_NOT, ZEROS, root, nodes, comparisons, said, free, state)
        if said[root] >= stack:
            free[state[1]] = said[root]
            state[1] += 1
            program[state[0] - 1, -1] = votes[tree]
        else:
            votes[tree] = said[root]
        stop = root
    return state[0], state[2]


@part
def _emit(
    program: Rows,
    asked: int,
    instead: int,
    other: int,
    child: int,
    nodes: Rows,
    comparisons: Rows,
    said: NDArray[np.int64],
    free: NDArray[np.int64],
    state: NDArray[np.int64],
) -> int:
    """Write a selection whose inner one is a node that waits; return the row that it goes to.

    Args:
        program: see :func:`_select`.
        asked, instead, other: of the outer selection.
        child: the node.
        nodes, comparisons: see :func:`assemble_trees`.
        said: ``(nodes,)``, the rows that say what each says.
        free: rows that are free.
        state: how long the program is, how many rows are free, and how many exist; what is below the stack is not.
    """
    left, right = said[nodes[child, 2]], said[nodes[child, 3]]
    for row in (other, left, right):
        if row >= state[3]:
            free[state[1]] = row
            state[1] += 1
    if state[1] == 0:
        free[0] = state[2]
        state[1] += 1
        state[2] += 1
    state[1] -= 1
    line = program[state[0]]
    line[0], line[1], line[2] = asked, instead, other
    line[3], line[4], line[5], line[6] = comparisons[child], left, right, free[state[1]]
    state[0] += 1
    return free[state[1]]


@part
def _step_up(below: Bits, digit: Bits, mask: int) -> Bits:
    """What at least two of the three are: whether a number is above another, from whether its lower digits are.

    Args:
        below: whether the number that the lower digits make is above that of the other.
        digit: the next digit.
        mask: the opposite of the other's, for all pixels.
    """
    return below ^ ((below ^ digit) & (below ^ mask))


@part
def _compare(packed: Bytes, plane: int, masks: Rows, begin: int, end: int, rows: Bytes) -> None:
    """Write whether the bins of a feature are above some edges.

    Args:
        packed: rows of bits.
        plane: that of the lowest digit of the feature.
        masks: ``(edges, BITS)``, the opposites of the digits of all edges, 0 or -1.
        begin, end: which of these edges.
        rows: to be written to.
    """
    digit_0, digit_1, digit_2 = load_bits(packed, plane), load_bits(packed, plane + 1), load_bits(packed, plane + 2)
    digit_3, digit_4, digit_5 = load_bits(packed, plane + 3), load_bits(packed, plane + 4), load_bits(packed, plane + 5)
    for number in range(begin, end):
        above = _step_up(digit_0 & masks[number, 0], digit_1, masks[number, 1])
        above = _step_up(_step_up(above, digit_2, masks[number, 2]), digit_3, masks[number, 3])
        above = _step_up(_step_up(above, digit_4, masks[number, 4]), digit_5, masks[number, 5])
        store_bits(rows, FIRST_COMPARISON + number, above)


@part
def _select(program: Rows, begin: int, end: int, rows: Bytes) -> None:
    """Run some selections one after the other.

    Args:
        program: rows ``(asked, instead, other, a, b, c, d)``. The inner selection is what ``c`` is where ``a`` is 1,
            and else what ``b`` is; ``d`` becomes that instead of what ``other`` is, where ``asked`` is 1
            (``instead`` 0), or where it is 0 (``instead`` -1).
        begin, end: which of them.
        rows: of bits.
    """
    for number in range(begin, end):
        inner, other = load_bits(rows, program[number, 4]), load_bits(rows, program[number, 2])
        inner = inner ^ (load_bits(rows, program[number, 3]) & (inner ^ load_bits(rows, program[number, 5])))
        chosen = other ^ ((inner ^ other) & (load_bits(rows, program[number, 0]) ^ program[number, 1]))
        store_bits(rows, program[number, 6], chosen)


@part
def _sum(a: Bits, b: Bits, c: Bits) -> tuple[Bits, Bits]:
    """The two binary digits of how many of three bits are 1."""
    differ = a ^ b
    return differ ^ c, a ^ (differ & (a ^ c))


@part
def _vote(rows: Bytes, votes: Rows, tree: int, masks: Rows) -> Bits:
    """Whether a tree votes for a class: whether all digits of its vote are those of the class."""
    found = load_bits(rows, votes[tree, 0]) ^ masks[0]
    for digit in range(1, len(masks)):
        found = found & (load_bits(rows, votes[tree, digit]) ^ masks[digit])
    return found


@part
def _count(votes: Rows, masks: Rows, rows: Bytes, digits: Rows) -> None:
    """Write the binary digits of how many of the votes are for a class.

    Args:
        votes: ``(trees, digits)``, the rows of their digits; the number of trees is a multiple of ``ADDENDS``.
        masks: ``(digits,)``, the opposites of the digits of the class, 0 or -1.
        rows: of bits.
        digits: the rows to be written, the lowest first, at least ``LEAST_DIGITS``.
    """
    none = load_bits(rows, ZEROS)
    for digit in digits:
        store_bits(rows, digit, none)
    for n in range(0, len(votes), ADDENDS):
        first, second = _vote(rows, votes, n, masks), _vote(rows, votes, n + 1, masks)
        ones, two = _sum(first, second, _vote(rows, votes, n + 2, masks))
        ones, more = _sum(ones, _vote(rows, votes, n + 3, masks), _vote(rows, votes, n + 4, masks))
        ones, most = _sum(ones, _vote(rows, votes, n + 5, masks), _vote(rows, votes, n + 6, masks))
        twos, fours = _sum(two, more, most)
        digit, carry = _sum(load_bits(rows, digits[0]), ones, none)
        store_bits(rows, digits[0], digit)
        digit, carry = _sum(load_bits(rows, digits[1]), twos, carry)
        store_bits(rows, digits[1], digit)
        digit, carry = _sum(load_bits(rows, digits[2]), fours, carry)
        store_bits(rows, digits[2], digit)
        for place in range(LEAST_DIGITS, len(digits)):
            before = load_bits(rows, digits[place])
            store_bits(rows, digits[place], before ^ carry)
            carry = before & carry


@part
def _step(program: Rows, rows: Bytes) -> None:
    """Run steps one after the other."""
    for number in range(len(program)):
        one, other = load_bits(rows, program[number, 1]), load_bits(rows, program[number, 2])
        if program[number, 0] == SELECT:
            other = other ^ (one & (other ^ load_bits(rows, program[number, 3])))
        else:
            other = one ^ other
        store_bits(rows, program[number, 4], other)


@part
def _unpack(rows: Bytes, digits: Rows, numbers: NDArray[Any]) -> None:
    """The numbers of a block's pixels whose binary digits the rows are, the lowest first."""
    none = numbers.dtype.type(0)
    for bit in range(_BITS):
        asked, first = np.uint8(1) << bit, bit * _ROW
        for i in range(_ROW):
            numbers[first + i] = none
        for digit in range(len(digits)):
            row, value = np.uint64(digits[digit]), numbers.dtype.type(1 << digit)
            for i in range(_ROW):
                numbers[first + i] |= value if rows[row, i] & asked else none


@part
def _weigh(
    rows: Bytes,
    count_digits: Rows,
    weights: Rows,
    numbers: NDArray[np.uint16],
    best: Rows,
    chosen: Bytes,
) -> None:
    """The classes of a block's pixels whose products of votes and weights are the largest, the first of equals."""
    for i in range(_BITS * _ROW):
        best[i] = -1
    for kind in range(len(count_digits)):
        _unpack(rows, count_digits[kind], numbers)
        weight = weights[kind]
        for i in range(_BITS * _ROW):
            product = np.int32(np.int32(numbers[i]) * weight)
            more = product > best[i]
            best[i] = product if more else best[i]
            chosen[i] = np.uint8(kind) if more else chosen[i]


@kernel
def run_program(
    packed: Bytes,
    blocks: tuple[int, int],
    planes: Rows,
    planes_of_block: int,
    comparisons: tuple[Rows, Rows],
    program: Rows,
    votes: tuple[Rows, Rows],
    steps: Rows,
    class_digits: Rows,
    count_digits: Rows,
    weights: Rows,
    rows: Bytes,
    classes: Bytes,
    counts: NDArray[np.uint16],
) -> None:
    """Classes, or the numbers of votes, of some blocks of pixels.

    Args:
        packed: ``(blocks x planes, ROW)``, the planes of each block, see :meth:`segmentation.forest.bins.Bins.pack`.
        blocks: the first of the blocks that are wanted, and that after the last.
        planes: that of the lowest digit of each feature that is looked at.
        planes_of_block: number of planes of a block.
        comparisons: where the edges of each of these features begin, and their number; and the masks of all edges.
        program: ``(selections, SELECTION)``, see :func:`_select`.
        votes: ``(trees and more, digits)``, the rows of the digits of the votes; and ``(classes - 1, digits)``, the
            opposites of the digits of each class but the first, 0 or -1.
        steps: ``(steps, STEP)``, what follows when the votes are counted.
        class_digits: rows of the binary digits of the class.
        count_digits: ``(classes, digits)``, rows of those of the number of votes.
        weights: ``(classes,)`` thousandths that votes for the classes are multiplied with, or ``(0,)``.
        rows: ``(rows, ROW)``, of which the program makes use.
        classes: ``(pixels,)`` to be filled, or ``(0,)`` if they are not wanted.
        counts: ``(classes, pixels)`` to be filled, or ``(classes, 0)``.
    """
    numbers, chosen = np.empty(8 * ROW, np.uint16), np.empty(8 * ROW, np.uint8)
    best = np.empty(8 * ROW, np.int32)
    starts, masks = comparisons
    digits_of_votes, classes_but_first = votes
    last = len(packed) // max(planes_of_block, 1) - 1
    at_once = len(program) // max(len(planes), 1)
    for place in range(ROW):
        rows[ZEROS, place], rows[ONES, place] = _NONE, _ALL
    for block in range(blocks[0], blocks[1]):
        for number in range(len(planes)):
            begin, end = starts[number], starts[number + 1]
            _compare(packed, block * planes_of_block + planes[number], masks, begin, end, rows)
        done, following = np.int64(0), min(block + 1, last) * planes_of_block
        for number in range(len(planes)):
            for digit in range(BITS):
                fetch_bits(packed, following + planes[number] + digit)
            _select(program, done, done + at_once, rows)
            done += at_once
        _select(program, done, len(program), rows)
        for kind in range(len(classes_but_first)):
            _count(digits_of_votes, classes_but_first[kind], rows, count_digits[kind + 1])
        _step(steps, rows)
        start = block * 8 * ROW
        if len(classes) > 0:
            if len(weights) > 0:
                _weigh(rows, count_digits, weights, numbers, best, chosen)
            else:
                _unpack(rows, class_digits, chosen)
            for pixel in range(min(8 * ROW, len(classes) - start)):
                classes[start + pixel] = chosen[pixel]
        for kind in range(len(counts)):
            stop = min(8 * ROW, counts.shape[1] - start)
            if stop > 0:
                _unpack(rows, count_digits[kind], numbers)
            for pixel in range(stop):
                counts[kind, start + pixel] = numbers[pixel]
