"""The compiled loops of :mod:`segmentation.forest.program`: how trees become instructions, and how these are run.

Instructions work on rows of ``ROW`` bytes, one bit for each pixel of a block. They are plain loops over bytes, which
LLVM turns into vectors for any processor; it does so only as long as an instruction writes no row that it reads.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.simd import kernel, part
from segmentation.forest._bit_layout import BITS, ROW

AND, OR, XOR, SELECT = range(4)
"""Kinds of instructions ``(kind, a, b, c, d)``: ``d`` becomes ``a & b``, ``a | b``, ``a ^ b``, or where ``a`` is 1
what ``c`` is, and else what ``b`` is."""

ZEROS, ONES, FIRST_PLANE = range(3)
"""The rows whose bits are all 0, or all 1, and the first of those that hold the bins' binary digits."""

SCRATCH_ROWS = 1 << BITS
"""Rows for what leads to the comparisons of a feature."""

_ROW = np.uint64(ROW)  # counted without a sign, since Numba lets negative indices count from the end
_BITS = np.uint64(8)
_NONE = np.uint8(0)
_ALL = np.uint8(255)

Bytes = NDArray[np.uint8]
Rows = NDArray[np.int32]


@part
def _emit(program: Rows, length: int, kind: int, a: int, b: int, c: int, d: int) -> int:
    """Write an instruction to the place ``length`` of a program; return the place behind it."""
    program[length, 0], program[length, 1], program[length, 2] = kind, a, b
    program[length, 3], program[length, 4] = c, d
    return length + 1


@kernel
def assemble_comparisons(needed: NDArray[np.bool_], scratch: int, rows: Rows, program: Rows) -> int:
    """Write the instructions that compare bins with edges, feature by feature; return how many they are.

    Whether the number that the lowest ``n + 1`` digits make is above ``j`` follows from digit ``n`` and from whether
    the number that the lowest ``n`` digits make is above ``j`` without its digit ``n``. Hence two edges that differ
    only in their highest digits share what their lowest lead to.

    Args:
        needed: ``(digits, features, 1 << digits)``: at ``[n, feature, j]`` whether the comparison of the lowest
            ``n + 1`` digits with ``j`` is needed; to be completed from the last, ``[BITS - 1]``.
        scratch: the first of ``SCRATCH_ROWS`` rows.
        rows: ``(features, 1 << BITS)``: for each comparison that is needed, the row to write it to; changed where a
            digit itself is the answer.
        program: to be filled.
    """
    length = 0
    found = np.empty(SCRATCH_ROWS, np.int64)
    for feature in range(needed.shape[1]):
        for digit in range(BITS - 1, 0, -1):
            half = 1 << digit
            for edge in range(2 * half - 1):
                if needed[digit, feature, edge]:
                    needed[digit - 1, feature, edge % half] = True
        plane = FIRST_PLANE + feature * BITS
        found[0] = plane
        for digit in range(1, BITS):
            half = 1 << digit
            for edge in range(2 * half - 2, -1, -1):  # from the last, which still needs what the first will replace
                if edge == half - 1:
                    found[edge] = plane + digit
                elif needed[digit, feature, edge]:
                    target = np.int64(rows[feature, edge]) if digit == BITS - 1 else scratch + 2 * half + edge
                    kind = AND if edge >= half else OR
                    length = _emit(program, length, kind, plane + digit, found[edge % half], ZEROS, target)
                    found[edge] = target
    return length


@kernel
def assemble_trees(
    roots: Rows,
    nodes: Rows,
    kind: int,
    comparisons: Rows,
    complements: Rows,
    stack: int,
    votes: Rows,
    program: Rows,
) -> int:
    """Write the instructions that tell which trees vote for a class; return how many they are.

    What the children of a node say is there before the node itself, since the nodes are taken from the last to the
    first. Where there is something to compute it waits in a stack, of which each place has two rows: one to be read
    while the other is written.

    Args:
        roots, nodes: see :meth:`segmentation.forest.program.Program.of`.
        kind: the class.
        comparisons: ``(features, 1 << BITS)``, the row that says whether a bin is above the edge.
        complements: the same shape, a row for the opposite; negative where it is not computed yet.
        stack: the first row of the stack, an even number; all rows before it are read only here.
        votes: a row for each tree's vote; changed where another says it already.
        program: to be filled.
    """
    length = 0
    said = np.empty(len(nodes), np.int64)
    stop = len(nodes)
    for tree in range(len(roots) - 1, -1, -1):
        top = stack
        for node in range(stop - 1, roots[tree] - 1, -1):
            feature, edge = nodes[node, 0], nodes[node, 1]
            if feature < 0:
                said[node] = ONES if nodes[node, 4] == kind else ZEROS
                continue
            left, right = said[nodes[node, 2]], said[nodes[node, 3]]
            if left == right:
                said[node] = left
            elif left == ZEROS and right == ONES:
                said[node] = comparisons[feature, edge]
            elif left == ONES and right == ZEROS:
                if complements[feature, edge] < 0:
                    complements[feature, edge] = -complements[feature, edge]
                    length = _emit(
                        program, length, SELECT, comparisons[feature, edge], ONES, ZEROS, complements[feature, edge]
                    )
                said[node] = complements[feature, edge]
            else:
                below = right if right >= stack else left
                target = below ^ 1 if below >= stack else top
                top = (target | 1) + 1
                target = votes[tree] if node == roots[tree] else target
                said[node] = target
                length = _emit(program, length, SELECT, comparisons[feature, edge], left, right, target)
        stop = roots[tree]
        votes[tree] = said[stop]
    return length


@part
def _run(program: Rows, rows: Bytes) -> None:
    """Run all instructions; rows are not named by views, whose references would have to be counted."""
    for number in range(len(program)):
        kind = program[number, 0]
        a, b, c = np.uint64(program[number, 1]), np.uint64(program[number, 2]), np.uint64(program[number, 3])
        d = np.uint64(program[number, 4])
        if kind == SELECT:
            for i in range(_ROW):
                rows[d, i] = rows[b, i] ^ (rows[a, i] & (rows[b, i] ^ rows[c, i]))
        elif kind == AND:
            for i in range(_ROW):
                rows[d, i] = rows[a, i] & rows[b, i]
        elif kind == OR:
            for i in range(_ROW):
                rows[d, i] = rows[a, i] | rows[b, i]
        else:
            for i in range(_ROW):
                rows[d, i] = rows[a, i] ^ rows[b, i]


@part
def _unpack(rows: Bytes, digits: Rows, numbers: NDArray[np.uint16]) -> None:
    """The numbers of a block's pixels whose binary digits the rows are, the lowest first."""
    for bit in range(_BITS):
        asked, first = np.uint8(1) << bit, bit * _ROW
        for i in range(_ROW):
            numbers[first + i] = 0
        for digit in range(len(digits)):
            row, value = np.uint64(digits[digit]), np.uint16(1 << digit)
            for i in range(_ROW):
                numbers[first + i] |= value if rows[row, i] & asked else np.uint16(0)


@part
def _weigh(
    rows: Bytes,
    count_digits: Rows,
    weights: Rows,
    numbers: NDArray[np.uint16],
    best: Rows,
    chosen: NDArray[np.uint16],
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
            chosen[i] = np.uint16(kind) if more else chosen[i]


@kernel
def run_program(
    packed: Bytes,
    first: int,
    last: int,
    features: Rows,
    program: Rows,
    n_rows: int,
    class_digits: Rows,
    count_digits: Rows,
    weights: Rows,
    classes: Bytes,
    counts: NDArray[np.uint16],
) -> None:
    """Classes, or the numbers of votes, of some blocks of pixels.

    Args:
        packed: ``(blocks, features, BITS, ROW)``, see :meth:`segmentation.forest.bins.Bins.pack`.
        first, last: the first of the blocks that are wanted, and that after the last.
        features: those that the program looks at.
        program: ``(instructions, 5)``.
        n_rows: number of rows that it reads and writes.
        class_digits: rows of the binary digits of the class.
        count_digits: ``(classes, digits)``, rows of those of the number of votes.
        weights: ``(classes,)`` thousandths that votes for the classes are multiplied with, or ``(0,)``.
        classes: ``(pixels,)`` to be filled, or ``(0,)`` if they are not wanted.
        counts: ``(classes, pixels)`` to be filled, or ``(classes, 0)``.
    """
    rows, numbers = np.empty((n_rows, ROW), np.uint8), np.empty(8 * ROW, np.uint16)
    chosen, best = np.empty(8 * ROW, np.uint16), np.empty(8 * ROW, np.int32)
    for place in range(ROW):
        rows[ZEROS, place], rows[ONES, place] = _NONE, _ALL
    for block in range(first, last):
        for number in range(len(features)):
            for digit in range(BITS):
                feature, row = np.uint64(features[number]), np.uint64(FIRST_PLANE + number * BITS + digit)
                for i in range(_ROW):
                    rows[row, i] = packed[block, feature, digit, i]
        _run(program, rows)
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
