"""A forest as a straight line of logic: what each pixel's trees vote for, for 1,024 pixels at a time.

A bin's binary digits are kept as rows of bits, one bit for each pixel. All comparisons of bins with edges follow from
them by about two instructions each, once for all trees. A node of a tree says what its right child says where the
comparison holds, and else what its left child says, which is one instruction; a node between two leaves of different
classes is the comparison itself. The votes of the trees are added up as binary digits, and the largest number of votes
is found by comparing them digit by digit. Nothing depends on the image, so that no branch is guessed wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation.forest._bit_layout import BITS
from segmentation.forest.bins import count_blocks
from segmentation.forest.weighing import Weights

_BLOCKS_PER_TASK = 16

Rows = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Program:
    """What is done with each block of pixels.

    Attributes:
        features: the features that are looked at, int32.
        instructions: ``(instructions, 5)`` int32, see :mod:`segmentation.forest._program_kernels`.
        class_digits: the rows of the binary digits of the class, the lowest first.
        count_digits: ``(classes, digits)`` int32, those of the number of trees that vote for each class.
    """

    features: Rows
    instructions: Rows
    class_digits: Rows
    count_digits: Rows

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
        features, of_node = np.unique(nodes[inner, 0], return_inverse=True)
        renumbered = nodes.copy()
        renumbered[inner, 0] = of_node
        needed = np.zeros((BITS, len(features), 1 << BITS), np.bool_)
        needed[-1, of_node, nodes[inner, 1]] = True
        numbers = np.cumsum(needed[-1]).reshape(needed[-1].shape) - 1
        n_compared = int(needed[-1].sum())
        scratch = kernels.FIRST_PLANE + len(features) * BITS
        comparisons = (scratch + kernels.SCRATCH_ROWS + numbers).astype(np.int32)
        complements = -(comparisons + np.int32(n_compared))
        comparisons[:, (1 << BITS) // 2 - 1] = kernels.FIRST_PLANE + np.arange(1, len(features) + 1) * BITS - 1
        first_vote = scratch + kernels.SCRATCH_ROWS + 2 * n_compared
        votes = first_vote + np.arange((n_classes - 1) * len(roots), dtype=np.int32).reshape(-1, len(roots))
        stack = first_vote + votes.size + (first_vote + votes.size) % 2
        room = len(features) << (BITS + 1), n_compared + int(inner.sum()) * len(votes)
        program = np.empty((sum(room), 5), np.int32)
        length = kernels.assemble_comparisons(needed, scratch, comparisons, program)
        for kind, row in enumerate(votes, start=1):
            length += kernels.assemble_trees(
                roots, renumbered, kind, comparisons, complements, stack, row, program[length:]
            )
        tally = _Tally.of(len(roots), n_classes)
        constants = [kernels.ZEROS, kernels.ONES]
        rows = np.concatenate([constants, votes.ravel(), stack + np.arange(tally.n_temporary)]).astype(np.int32)
        counting = tally.instructions.copy()
        counting[:, 1:] = rows[counting[:, 1:]]
        return cls(
            features.astype(np.int32),
            np.concatenate([program[:length], counting]),
            rows[tally.class_digits],
            rows[tally.count_digits],
        )

    @property
    def n_rows(self) -> int:
        """Number of rows of bits that are read and written."""
        return 1 + max(2 + len(self.features) * BITS, int(self.instructions[:, 1:].max(initial=0)))

    @property
    def nbytes(self) -> int:
        """Bytes that it takes."""
        return self.instructions.nbytes + self.features.nbytes + self.class_digits.nbytes + self.count_digits.nbytes

    @staticmethod
    def most_bytes(n_trees: int, n_inner: int, n_features: int, n_classes: int) -> int:
        """The most bytes that the program of so many trees takes, which have so many nodes that are no leaves."""
        compared = min(n_inner, n_features << BITS)
        counted = 5 * n_classes * (n_trees + 40)
        return 20 * ((BITS + 1) * compared + n_inner * (n_classes - 1) + counted) + 4 * n_features

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
        self._run(packed, pixels, weights, classes, np.empty((len(self.count_digits), 0), np.uint16), threads)
        return classes

    def counts(self, packed: NDArray[np.uint8], pixels: int, *, threads: int | None = None) -> NDArray[np.uint16]:
        """The number of trees that vote for each class, ``(classes, pixels)`` uint16; else as :meth:`classes`."""
        counts = np.empty((len(self.count_digits), pixels), np.uint16)
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

        n_rows, blocks = self.n_rows, count_blocks(pixels)
        only_these = packed.shape[1] == len(self.features)
        features = np.arange(len(self.features), dtype=np.int32) if only_these else self.features
        weights = np.empty(0, np.int32) if weights is None else weights

        def work(starts: Iterator[int]) -> None:
            for start in starts:
                run_program(
                    packed,
                    start,
                    min(start + _BLOCKS_PER_TASK, blocks),
                    features,
                    self.instructions,
                    n_rows,
                    self.class_digits,
                    self.count_digits,
                    weights,
                    classes,
                    counts,
                )

        share(range(0, blocks, _BLOCKS_PER_TASK), work, threads)


@dataclass(frozen=True, eq=False)
class _Tally:
    """How votes are counted and compared.

    Rows are numbered: 0 and 1 hold the same bit for all pixels, then come the votes for each class but the first, tree
    by tree, then the temporary rows.

    Attributes:
        instructions: see :mod:`segmentation.forest._program_kernels`.
        n_temporary: number of temporary rows.
        class_digits: rows of the digits of the class with the most votes.
        count_digits: ``(classes, digits)``, rows of the digits of the numbers of votes.
    """

    instructions: Rows
    n_temporary: int
    class_digits: Rows
    count_digits: Rows

    @staticmethod
    @lru_cache(maxsize=16)
    def of(n_trees: int, n_classes: int) -> _Tally:
        """The tally of as many trees, for as many classes."""
        logic = _Logic(2 + n_trees * (n_classes - 1))
        n_digits = n_trees.bit_length()
        counts = [
            logic.total(range(2 + kind * n_trees, 2 + (kind + 1) * n_trees), n_digits) for kind in range(n_classes - 1)
        ]
        rest = [n_trees >> digit & 1 for digit in range(n_digits)]
        for count in counts:
            rest = logic.difference(rest, count)
        most, id_digits = rest, [0] * (n_classes - 1).bit_length()
        for kind, count in enumerate(counts, start=1):
            more = logic.above(count, most)
            most = [logic.select(more, *pair) for pair in zip(most, count, strict=True)]
            id_digits = [logic.select(more, digit, kind >> n & 1) for n, digit in enumerate(id_digits)]
        return _Tally(
            np.array(logic.instructions, np.int32).reshape(-1, 5),
            logic.n_rows - logic.first_temporary,
            np.array(id_digits, np.int32),
            np.array([rest, *counts], np.int32),
        )


class _Logic:
    """Instructions that are written one by one, each with a row of its own for what it says.

    Args:
        first_temporary: the first row to be written to; rows 0 and 1 hold these very digits.
    """

    def __init__(self, first_temporary: int) -> None:
        self.first_temporary = self.n_rows = first_temporary
        self.instructions: list[tuple[int, ...]] = []

    def _write(self, kind: int, a: int, b: int, c: int = 0) -> int:
        self.instructions.append((kind, a, b, c, self.n_rows))
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

    def total(self, rows: Sequence[int], n_digits: int) -> list[int]:
        """The digits of how many rows hold a 1: three of them become a sum and a carry, until one is left of each."""
        digits, waiting = [], list(rows)
        for _ in range(n_digits):
            carries = []
            while len(waiting) > 1:
                a, b, c = (waiting.pop() if waiting else 0 for _ in range(3))
                differ = self.differ(a, b)
                waiting.append(self.differ(differ, c))
                carries.append(self.select(differ, a, c))
            digits.append(waiting[0] if waiting else 0)
            waiting = carries
        return digits

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
