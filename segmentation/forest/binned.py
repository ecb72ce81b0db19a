"""A forest whose trees ask only for bins, and vote: it is grown on bytes and walked on bits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segmentation.forest._bit_layout import BINS
from segmentation.forest.bins import Bins
from segmentation.forest.forest import MAX_CLASSES, Forest
from segmentation.forest.program import Program

FEATURE, EDGE, LEFT, RIGHT, VOTE = range(5)
"""Columns of :attr:`BinnedForest.nodes`."""


@dataclass(frozen=True, eq=False)
class BinnedForest:
    """Decision trees as arrays; a pixel goes left where its bin is at most the edge, and each tree has one vote.

    Attributes:
        bins: which bins the features fall into.
        class_ids: what stands for each class, 0 to 255.
        roots: ``(trees,)`` int32, each tree's first node, the first 0, ascending.
        nodes: ``(nodes, 5)`` int32: the feature that a node compares; its edge, the largest bin that goes left, 0 to
            62; the nodes that follow left and right, which come after it in the same tree; and the class that a leaf
            votes for, or would if it were one, from 0. At a leaf all but the last are -1.
    """

    bins: Bins
    class_ids: tuple[int, ...]
    roots: NDArray[np.int32]
    nodes: NDArray[np.int32]

    @property
    def n_trees(self) -> int:
        """Number of trees."""
        return len(self.roots)

    @property
    def nbytes(self) -> int:
        """Bytes that the trees and their program take."""
        return self.roots.nbytes + self.nodes.nbytes + self.program.nbytes

    def check(self) -> None:
        """Make sure that the arrays are a forest, wherever they come from.

        Raises:
            ValueError: with a sentence that says what is wrong.
        """
        for name, dimensions in (("roots", 1), ("nodes", 2)):
            array = getattr(self, name)
            if not isinstance(array, np.ndarray) or array.dtype != np.int32 or array.ndim != dimensions:
                raise ValueError(f"The forest's {name} are not an array of int32 in {dimensions} dimensions.")
        count = len(self.nodes)
        if self.nodes.shape[1] != VOTE + 1:
            raise ValueError(f"A node of the forest has {self.nodes.shape[1]} numbers instead of {VOTE + 1}.")
        if not 1 <= len(self.class_ids) <= MAX_CLASSES:
            raise ValueError(f"The forest must have 1 to {MAX_CLASSES} classes, but it has {len(self.class_ids)}.")
        if self.n_trees == 0 or self.roots[0] != 0 or (np.diff(self.roots) <= 0).any() or self.roots[-1] >= count:
            raise ValueError("The roots of the forest's trees are not in their order.")
        feature, edge, vote = self.nodes[:, FEATURE], self.nodes[:, EDGE], self.nodes[:, VOTE]
        inner = feature >= 0
        if (feature < -1).any() or (feature >= self.bins.n_features).any():
            raise ValueError(f"A node of the forest looks at a feature that is none of its {self.bins.n_features}.")
        if ((edge < 0) | (edge >= BINS - 1))[inner].any():
            raise ValueError("A node of the forest compares with an edge that does not exist.")
        if ((vote < 0) | (vote >= len(self.class_ids))).any():
            raise ValueError("A leaf of the forest votes for a class that does not exist.")
        if (self.nodes[~inner, FEATURE:VOTE] != -1).any():
            raise ValueError("A leaf of the forest has children.")
        past_tree = np.repeat(np.append(self.roots[1:], count), np.diff(self.roots, append=count))
        children = self.nodes[:, [LEFT, RIGHT]]
        if ((children <= np.arange(count)[:, None]) | (children >= past_tree[:, None]))[inner].any():
            raise ValueError("A node of the forest has a child that does not come after it in its tree.")
        reached = np.bincount(np.concatenate([self.roots, children[inner].ravel()]), minlength=count)
        if (reached != 1).any():
            raise ValueError("A node of the forest is not reached in one way.")

    @cached_property
    def program(self) -> Program:
        """What walks all trees at once."""
        return Program.of(self.roots, self.nodes, self.class_ids)

    @cached_property
    def thresholds(self) -> NDArray[np.float32]:
        """``(nodes,)`` float32: a pixel goes left where its feature is at most this; 0 at a leaf."""
        inner = self.nodes[:, FEATURE] >= 0
        thresholds = np.zeros(len(self.nodes), np.float32)
        thresholds[inner] = self.bins.thresholds(self.nodes[inner, FEATURE], self.nodes[inner, EDGE])
        return thresholds

    def as_forest(self) -> Forest:
        """The same trees with thresholds in place of bins, and shares in place of votes."""
        feature, _, left, right, vote = (np.ascontiguousarray(column) for column in self.nodes.T)
        return Forest(
            n_features=self.bins.n_features,
            roots=self.roots,
            feature=feature,
            threshold=self.thresholds,
            left=left,
            right=right,
            probabilities=np.eye(len(self.class_ids))[vote],
        )
