"""A forest of decision trees as arrays, so that it predicts fast and equally, and is kept without pickle."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.cached_property import cached_property
from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.parallel import share
from segmentation.forest.bins import BLOCK, count_blocks, packed_room
from segmentation.forest.float_walk import NODE, FloatWalk
from segmentation.forest.program import Program
from segmentation.forest.reference import reference_classes, reference_proba
from segmentation.forest.trees import Trees
from segmentation.forest.weighing import Weights, weighted_classes, weighted_probabilities

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

_BLOCKS_AT_ONCE = 16
"""Blocks that are put into bins and then walked while their bits are in a core's own cache."""


class Forest(Trees):
    """Decision trees that predict; its arrays are those of :class:`~segmentation.forest.trees.Trees`.

    With bins whose edges are its thresholds, and with leaves that vote for one class each, a forest is walked on bits,
    some ten times faster than on floats, and with the same result.
    """

    @property
    def nbytes(self) -> int:
        """Bytes that it takes at most once it has predicted: its arrays, and what is walked on."""
        arrays = [array for array in vars(self).values() if isinstance(array, np.ndarray)]
        inner = int(np.count_nonzero(self.feature >= 0))
        of_leaves = self.n_classes * np.dtype(np.int32).itemsize * (len(self.feature) - inner)
        bits = Program.most_bytes(self.n_trees, inner, self.n_features, self.n_classes) if self.votes else 0
        return sum(array.nbytes for array in arrays) + (bits or NODE.itemsize * inner + of_leaves)

    @classmethod
    def from_sklearn(cls, model: RandomForestClassifier | ExtraTreesClassifier) -> Forest:
        """The trees of a fitted scikit-learn forest with one output."""
        from segmentation.forest._sklearn import arrays_of

        return cls(**arrays_of(model))

    def to_sklearn(self, classes: Sequence[Any] | NDArray[Any] | None = None) -> RandomForestClassifier:
        """A fitted scikit-learn forest with the same trees.

        Args:
            classes: what its ``classes_`` are to be, in the order of the probabilities; None numbers them from 0.

        Returns:
            A :class:`sklearn.ensemble.RandomForestClassifier` that predicts from rows of float32 features. Where the
            samples and the impurity of nodes are not known, they are set to 1 and 0, so that ``feature_importances_``
            means nothing.

        Raises:
            ValueError: if the forest's arrays contradict each other, or there are not as many classes as it has.
        """
        from segmentation.forest._sklearn import as_sklearn

        self.check()
        labels = np.arange(self.n_classes) if classes is None else np.asarray(classes)
        if labels.shape != (self.n_classes,):
            raise ValueError(f"The forest has {self.n_classes} classes, but {labels.size} are given.")
        return as_sklearn(self, labels)

    @property
    def votes(self) -> bool:
        """Whether it can be walked on bits: it has bins, and each leaf votes for one class."""
        return self.bins is not None and self.leaves_vote

    @cached_property
    def program(self) -> Program:
        """What walks all trees at once on bits.

        Raises:
            ValueError: if the forest's arrays contradict each other, or it does not vote.
        """
        self.check()
        if self.bins is None or not self.votes:
            raise ValueError("Only a forest with bins, whose leaves vote for one class each, is walked on bits.")
        inner = self.feature >= 0
        edge = np.full(len(self.feature), -1, np.int32)
        edge[inner] = self.bins.of_values(self.feature[inner], self.threshold[inner])
        vote = self.probabilities.argmax(axis=1).astype(np.int32)
        return Program.of(self.roots, np.stack([self.feature, edge, self.left, self.right, vote], 1), self.n_classes)

    def predict_proba(
        self, planes: NDArray[np.float32], weights: Weights | None = None, *, threads: int | None = None
    ) -> NDArray[np.float32]:
        """Probability of each class.

        Args:
            planes: ``(features, ...)`` float32, planar as :func:`~segmentation.features.compute.compute_planes` gives
                them.
            weights: what the shares of the classes are multiplied with, before their sum becomes 1 again; None leaves
                them as they are.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(classes, ...)`` float32, without weights within 1e-7 of scikit-learn's.

        Raises:
            ValueError: if the forest's arrays contradict each other, or the planes are not its features.
        """
        pixels = self._flat(planes)
        if not kernels_are_ready():
            return reference_proba(self, planes, weights)
        if self.votes:
            probabilities = self.shares_of_votes(self._counts(pixels, threads), weights)
        else:
            probabilities = self._float_walk.probabilities(pixels, planes.shape[1:], threads=threads)
            if weights is not None:
                probabilities = weighted_probabilities(self._shares(probabilities), weights)
        return probabilities.reshape(self.n_classes, *planes.shape[1:])

    def predict(
        self, planes: NDArray[np.float32], weights: Weights | None = None, *, threads: int | None = None
    ) -> NDArray[np.uint8]:
        """Index of the most probable class, the first of equals: without weights the argmax of :meth:`predict_proba`.

        With weights it is that of the exact products, of which :meth:`predict_proba` gives what float32 can hold.

        Args:
            planes: as for :meth:`predict_proba`.
            weights: as for :meth:`predict_proba`.
            threads: number of threads; None takes all cores. The result does not depend on it.

        Returns:
            ``(...)`` uint8, from 0.

        Raises:
            ValueError: as :meth:`predict_proba` does.
        """
        pixels = self._flat(planes)
        if not kernels_are_ready():
            return reference_classes(self, planes, weights)
        if self.votes:
            classes = self._classes(pixels, weights, threads)
        elif weights is not None:
            probabilities = self._float_walk.probabilities(pixels, planes.shape[1:], threads=threads)
            classes = weighted_classes(self._shares(probabilities), weights)
        else:
            classes = self._float_walk.classes(pixels, planes.shape[1:], threads=threads)
        return classes.reshape(planes.shape[1:])

    def shares_of_votes(self, counts: NDArray[np.uint16], weights: Weights | None = None) -> NDArray[np.float32]:
        """The probabilities that numbers of votes are, ``(classes, pixels)``."""
        if weights is not None:
            return weighted_probabilities(counts, weights)
        return np.divide(counts, np.float32(self.n_trees), dtype=np.float32)

    def _shares(self, probabilities: NDArray[np.float32]) -> NDArray[Any]:
        """What weights multiply: numbers of votes where each leaf votes for one class, else probabilities."""
        return np.rint(probabilities * np.float64(self.n_trees)) if self.leaves_vote else probabilities

    def _flat(self, planes: NDArray[np.float32]) -> NDArray[np.float32]:
        """The planes as ``(features, pixels)``."""
        if planes.ndim < 1 or len(planes) != self.n_features or planes.dtype != np.float32:
            raise ValueError(
                f"The forest needs {self.n_features} float32 features, one plane each, "
                f"but these are {planes.dtype} of shape {planes.shape}."
            )
        pixels = np.ascontiguousarray(planes).reshape(self.n_features, -1).view()
        pixels.flags.writeable = False  # for Numba an array that can be written is of another type
        return pixels

    @cached_property
    def _float_walk(self) -> FloatWalk:
        self.check()
        return FloatWalk.of(self)

    def _counts(self, pixels: NDArray[np.float32], threads: int | None) -> NDArray[np.uint16]:
        """The votes for each class of ``(features, pixels)``."""
        counts = np.empty((self.n_classes, pixels.shape[1]), np.uint16)

        def count(blocks: NDArray[np.uint8], part: slice) -> None:
            counts[:, part] = self.program.counts(blocks, part.stop - part.start, threads=1)

        self._in_blocks(pixels, count, threads)
        return counts

    def _classes(self, pixels: NDArray[np.float32], weights: Weights | None, threads: int | None) -> NDArray[np.uint8]:
        """The class with the most votes of ``(features, pixels)``."""
        classes = np.empty(pixels.shape[1], np.uint8)

        def classify(blocks: NDArray[np.uint8], part: slice) -> None:
            classes[part] = self.program.classes(blocks, part.stop - part.start, weights, threads=1)

        self._in_blocks(pixels, classify, threads)
        return classes

    def _in_blocks(
        self, pixels: NDArray[np.float32], walk: Callable[[NDArray[np.uint8], slice], None], threads: int | None
    ) -> None:
        """Let some pixels after the others be walked, as the bits of their bins."""
        program, count = self.program, pixels.shape[1]
        assert self.bins is not None
        bins, features = self.bins, program.features
        places = np.arange(len(features), dtype=np.int32)

        def work(firsts: Iterator[int]) -> None:
            packed = packed_room(_BLOCKS_AT_ONCE, len(features))
            for first in firsts:
                part = slice(first * BLOCK, min((first + _BLOCKS_AT_ONCE) * BLOCK, count))
                blocks = packed[: count_blocks(part.stop - part.start)]
                bins.pack_blocks(pixels, features, places, first, blocks)
                walk(blocks, part)

        share(range(0, count_blocks(count), _BLOCKS_AT_ONCE), work, threads)
