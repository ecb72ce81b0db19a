"""A forest as a straight line of logic: what each pixel's trees vote for, for 1,024 pixels at a time.

A bin's binary digits are kept as rows of bits, one bit for each pixel. All comparisons of a bin with edges follow from
them, once for all trees: whether a number is above another follows from whether that of its lower digits is. A node of
a tree says what its right child says where the comparison holds, and else what its left child says, which is one
selection for each binary digit of a class; a node between two leaves that differ in a digit is the comparison itself.
The votes of the trees are added up as binary digits, seven at a time, and the largest number of votes is found by
comparing them digit by digit. Nothing depends on the image, so that no branch is guessed wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.aligned import on_cache_lines
from segmentation._shared.cached_property import cached_property
from segmentation._shared.parallel import share
from segmentation.forest._bit_layout import BINS, BITS, LEAST_DIGITS, SELECTION, STEP
from segmentation.forest.bins import count_blocks
from segmentation.forest.weighing import Weights

_BLOCKS_PER_TASK = 16

Rows = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Program:
    """What is done with each block of pixels; see :func:`segmentation.forest._program_kernels.run_program`.

    Attributes:
        features: the features that are looked at, int32.
        starts: ``(features + 1,)`` int32, where the edges that each is compared with begin, and their number.
        masks: ``(edges, BITS)`` int32, the opposites of the binary digits of these edges, 0 or -1.
        selections: ``(selections, SELECTION)`` int32.
        votes: ``(trees and more, digits)`` int32, the rows of the digits of the trees' votes, and then, as if they were
            votes for the first class, rows that hold its digits.
        classes_but_first: ``(classes - 1, digits)`` int32, the opposites of the digits of these classes, 0 or -1.
        tally: what follows from the votes.
        first_digit: the row where those of the tally begin.
    """

    features: Rows
    starts: Rows
    masks: Rows
    selections: Rows
    votes: Rows
    classes_but_first: Rows
    tally: _Tally
    first_digit: int

    @classmethod
    def of(cls, roots: Rows, nodes: Rows, n_classes: int) -> Program:
        """The program of trees that lie one after the other.

        Args:
            roots: ``(trees,)`` int32, each tree's first node, the first 0, ascending.
            nodes: ``(nodes, 5)`` int32: the feature that a node compares, or -1 at a leaf; its edge, the largest bin
                that goes left, 0 to 62; the nodes that follow left and right, which come after it in the same tree; and
                the class that a leaf votes for, from 0.
            n_classes: number of classes, up to 255.
        """
        from segmentation.forest import _program_kernels as kernels

        inner = nodes[:, 0] >= 0
        compared = nodes[inner, 0] * np.int32(BINS) + nodes[inner, 1]
        asked = np.zeros(int(compared.max(initial=-1)) + 1, np.bool_)
        asked[compared] = True
        pairs, of_node = np.flatnonzero(asked), (np.cumsum(asked) - 1)[compared]
        features, starts = np.unique(pairs // BINS, return_index=True)
        comparisons = np.zeros(len(nodes), np.int32)
        comparisons[inner] = kernels.FIRST_COMPARISON + of_node
        codes, n_digits = _codes(nodes, n_classes), (n_classes - 1).bit_length()
        digits = codes[:, None] >> np.arange(n_digits) & 1
        coded = np.concatenate([nodes[:, :4], codes[nodes[:, 4:]]], axis=1, dtype=np.int32)
        first_vote = kernels.FIRST_COMPARISON + len(pairs)
        stack = first_vote + len(roots) * n_digits
        votes = np.empty((-(-len(roots) // kernels.ADDENDS) * kernels.ADDENDS, n_digits), np.int32)
        votes[:] = np.where(digits[0], kernels.ONES, kernels.ZEROS)
        votes[: len(roots)] = first_vote + np.arange(len(roots) * n_digits).reshape(len(roots), n_digits)
        selections = np.empty((int(inner.sum()) * n_digits, SELECTION), np.int32)
        filled, first_digit = 0, stack
        for digit in range(n_digits):
            own = votes[: len(roots), digit].copy()
            length, rows = kernels.assemble_trees(roots, coded, digit, comparisons, stack, own, selections[filled:])
            votes[: len(roots), digit] = own
            filled, first_digit = filled + length, max(first_digit, rows)
        return cls(
            features.astype(np.int32),
            np.append(starts, len(pairs)).astype(np.int32),
            ((pairs[:, None] >> np.arange(BITS) & 1) - 1).astype(np.int32),
            selections[:filled].copy(),
            votes,
            (digits[1:] - 1).astype(np.int32),
            _Tally.of(len(roots), n_classes),
            first_digit,
        )

    @property
    def n_rows(self) -> int:
        """Number of rows of bits that are read and written."""
        return self.first_digit + self.tally.n_rows

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        arrays = [array for array in vars(self).values() if isinstance(array, np.ndarray)]
        return sum(array.nbytes for array in arrays) + self.tally.steps.nbytes + self.tally.count_digits.nbytes

    @staticmethod
    def most_bytes(n_trees: int, n_inner: int, n_features: int, n_classes: int) -> int:
        """The most bytes that the program of so many trees takes, which have so many nodes that are no leaves."""
        compared, n_digits = min(n_inner, n_features * BINS), (n_classes - 1).bit_length()
        selections = n_digits * min(n_inner, (2 * n_inner + n_trees) // 3 + 1)  # two nodes each, or one of three alone
        votes, counted = (n_trees + 8) * n_digits, n_classes * (n_digits + _Tally.most_numbers(n_trees, n_classes))
        return 4 * (SELECTION * selections + BITS * compared + 2 * n_features + 1 + votes + counted)

    def classes(
        self, packed: NDArray[np.uint8], pixels: int, weights: Weights | None = None, *, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """The class with the most votes, the first of equals.

        Args:
            packed: ``(blocks, features, BITS, ROW)`` uint8, see :meth:`segmentation.forest.bins.Bins.pack`, of all
                features, or of those only that are looked at.
            pixels: number of pixels in them.
            weights: what the votes for each class are multiplied with; None leaves them as they are.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(pixels,)`` uint8, from 0.
        """
        classes = np.empty(pixels, np.uint8)
        self._run(packed, pixels, weights, classes, np.empty((len(self.tally.count_digits), 0), np.uint16), threads)
        return classes

    def classes_and_counts(
        self, packed: NDArray[np.uint8], pixels: int, weights: Weights | None = None, *, threads: int | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
        """What :meth:`classes` and :meth:`counts` give, in one walk."""
        classes, counts = np.empty(pixels, np.uint8), np.empty((len(self.tally.count_digits), pixels), np.uint16)
        self._run(packed, pixels, weights, classes, counts, threads)
        return classes, counts

    def counts(self, packed: NDArray[np.uint8], pixels: int, *, threads: int | None = None) -> NDArray[np.uint16]:
        """The number of trees that vote for each class, ``(classes, pixels)`` uint16; else as :meth:`classes`."""
        counts = np.empty((len(self.tally.count_digits), pixels), np.uint16)
        self._run(packed, pixels, None, np.empty(0, np.uint8), counts, threads)
        return counts

    def _run(
        self,
        packed: NDArray[np.uint8],
        pixels: int,
        weights: Weights | None,
        classes: NDArray[np.uint8],
        counts: NDArray[np.uint16],
        threads: int | None,
    ) -> None:
        from segmentation.forest._program_kernels import run_program

        blocks, only_these = count_blocks(pixels), packed.shape[1] == len(self.features)
        features = np.arange(len(self.features), dtype=np.int32) if only_these else self.features
        planes, of_block = packed.reshape(-1, packed.shape[-1]), packed.shape[1] * packed.shape[2]
        steps, class_digits, count_digits = self._tally_here
        weights = np.empty(0, np.int32) if weights is None else weights

        def work(starts: Iterator[int]) -> None:
            rows = on_cache_lines((self.n_rows, packed.shape[-1]), np.uint8)
            for start in starts:
                run_program(
                    planes,
                    (start, min(start + _BLOCKS_PER_TASK, blocks)),
                    features * np.int32(BITS),
                    of_block,
                    (self.starts, self.masks),
                    self.selections,
                    (self.votes, self.classes_but_first),
                    steps,
                    class_digits,
                    count_digits,
                    weights,
                    rows,
                    classes,
                    counts,
                )

        share(range(0, blocks, _BLOCKS_PER_TASK), work, threads)

    @cached_property
    def _tally_here(self) -> tuple[Rows, Rows, Rows]:
        """The steps and the rows of digits of the tally, with the numbers that rows have in this program."""
        tally = self.tally
        rows = np.arange(2 + tally.n_rows, dtype=np.int32)
        rows[2:] += np.int32(self.first_digit - 2)  # the first two, which hold the same bit for all pixels, are shared
        steps = np.concatenate([tally.steps[:, :1], rows[tally.steps[:, 1:]]], axis=1)
        return steps, rows[tally.class_digits], rows[tally.count_digits]


def _codes(nodes: Rows, n_classes: int) -> Rows:
    """A number for each class: those that leaves of one node tell apart differ in few binary digits.

    The classes stand in a row, each beside the one that it is told apart from most often of those that are left, and
    are numbered along it by Gray's code. What is voted for does not depend on it, only how much has to be selected.

    Args:
        nodes, n_classes: see :meth:`Program.of`.
    """
    left, right = (nodes[nodes[nodes[:, 0] >= 0, side]] for side in (2, 3))
    left, right = (some[(left[:, 0] < 0) & (right[:, 0] < 0), 4] for some in (left, right))
    apart = np.bincount(left * n_classes + right, minlength=n_classes**2).reshape(n_classes, n_classes)
    apart, row = apart + apart.T, [0]
    for _ in range(n_classes - 1):
        apart[:, row[-1]] = -1
        row.append(int(apart[row[-1]].argmax()))
    codes = np.empty(n_classes, np.int32)
    codes[row] = np.arange(n_classes) ^ np.arange(n_classes) >> 1
    return codes


@dataclass(frozen=True, eq=False)
class _Tally:
    """How numbers of votes are compared.

    Rows are numbered: 0 and 1 hold the same bit for all pixels, then come the digits of the numbers of votes for each
    class but the first, then what follows from them.

    Attributes:
        steps: see :mod:`segmentation.forest._program_kernels`.
        n_rows: number of rows, without the first two.
        class_digits: rows of the digits of the class with the most votes.
        count_digits: ``(classes, digits)``, rows of the digits of the numbers of votes.
    """

    steps: Rows
    n_rows: int
    class_digits: Rows
    count_digits: Rows

    @staticmethod
    @lru_cache(maxsize=16)
    def of(n_trees: int, n_classes: int) -> _Tally:
        """The tally of as many trees, for as many classes."""
        n_digits = _digits_of_counts(n_trees)
        counts = (2 + np.arange((n_classes - 1) * n_digits)).reshape(-1, n_digits).tolist()
        logic = _Logic(2 + (n_classes - 1) * n_digits)
        rest = [n_trees >> digit & 1 for digit in range(n_digits)]
        for count in counts:
            rest = logic.difference(rest, count)
        most, id_digits = rest, [0] * (n_classes - 1).bit_length()
        for kind, count in enumerate(counts, start=1):
            more = logic.above(count, most)
            most = [logic.select(more, *pair) for pair in zip(most, count, strict=True)]
            id_digits = [logic.select(more, digit, kind >> n & 1) for n, digit in enumerate(id_digits)]
        return _Tally(
            np.array(logic.steps, np.int32).reshape(-1, STEP),
            logic.n_rows - 2,
            np.array(id_digits, np.int32),
            np.array([rest, *counts], np.int32),
        )

    @staticmethod
    def most_numbers(n_trees: int, n_classes: int) -> int:
        """The most numbers that are kept for each class of such a tally."""
        n_digits = _digits_of_counts(n_trees)
        steps = 6 * n_digits + (n_classes - 1).bit_length()  # 3 to subtract a digit, 2 to compare and 1 to select it
        return STEP * steps + n_digits


def _digits_of_counts(n_trees: int) -> int:
    """Binary digits of numbers of votes."""
    return max(LEAST_DIGITS, n_trees.bit_length())


class _Logic:
    """Steps that are written one by one, each with a row of its own for what it says.

    Args:
        n_rows: number of the rows that are there; 0 and 1 hold these very digits.
    """

    def __init__(self, n_rows: int) -> None:
        self.n_rows = n_rows
        self.steps: list[tuple[int, ...]] = []

    def _write(self, kind: int, a: int, b: int, c: int = 0) -> int:
        self.steps.append((kind, a, b, c, self.n_rows))
        self.n_rows += 1
        return self.n_rows - 1

    def differ(self, a: int, b: int) -> int:
        """Whether two digits differ, which is the last digit of their sum, and of their difference."""
        from segmentation.forest._program_kernels import XOR

        return self._write(XOR, a, b) if a and b else a or b

    def select(self, condition: int, otherwise: int, then: int) -> int:
        """One of two digits."""
        from segmentation.forest._program_kernels import SELECT

        if otherwise == then:
            return then
        return condition if (otherwise, then) == (0, 1) else self._write(SELECT, condition, otherwise, then)

    def difference(self, larger: Sequence[int], smaller: Sequence[int]) -> list[int]:
        """The digits of the difference of two numbers, of which the second is not larger."""
        digits, borrowed = [], 0
        for a, b in zip(larger, smaller, strict=True):
            differ = self.differ(a, b)
            digits.append(self.differ(differ, borrowed))
            borrowed = self.select(differ, borrowed, b)
        return digits

    def above(self, one: Sequence[int], other: Sequence[int]) -> int:
        """Whether a number is larger than another: the highest digits that differ decide."""
        larger = 0
        for a, b in zip(one, other, strict=True):
            larger = self.select(self.differ(a, b), larger, a)
        return larger
