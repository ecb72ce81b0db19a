"""A forest whose trees ask only for bins, and vote: it is grown on bytes and walked on bits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from segmentation.forest.bins import BINS, Bins
from segmentation.forest.program import Program


@dataclass(frozen=True, eq=False)
class BinnedForest:
    """Decision trees as arrays; a pixel goes left where its bin is at most the edge's, and each tree has one vote.

    Attributes:
        bins: which bins the features fall into.
        n_classes: number of classes.
        roots: ``(trees,)`` int32, each tree's first node, ascending.
        nodes: ``(nodes, 5)`` int32: the feature that a node compares, the largest bin that goes left, the nodes that
            follow left and right, which come after it in the same tree, and the most frequent class at the node, from
            0, which a leaf votes for. At a leaf all but the last are -1.
    """

    bins: Bins
    n_classes: int
    roots: NDArray[np.int32]
    nodes: NDArray[np.int32]
