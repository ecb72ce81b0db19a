"""The forest of a classifier file: which arrays it is, and what is refused of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from segmentation._shared import checks
from segmentation._shared.archive import Archive, npy_bytes
from segmentation.forest.bins import BINS, Bins
from segmentation.forest.forest import Forest

MAX_FEATURES = 100_000
MAX_TREES = 10_000
MAX_NODES = 2**31 - 1

_TREES = {
    "roots": np.int32,
    "feature": np.int32,
    "threshold": np.float32,
    "left": np.int32,
    "right": np.int32,
    "probabilities": np.float64,
}
_OF_NODES = {"samples": np.int32, "impurity": np.float64}
_BINS = ("low", "scale")

FOREST_MEMBERS = (*(f"forest/{name}.npy" for name in (*_TREES, *_OF_NODES)), *(f"bins/{name}.npy" for name in _BINS))
"""The members of the archive."""


def forest_counts(forest: Forest) -> dict[str, int]:
    """The sizes of the arrays that are written of a forest."""
    counts = {"features": forest.n_features, "trees": forest.n_trees, "nodes": len(forest.feature)}
    return counts if forest.bins is None else counts | {"bins": BINS}


def forest_members(forest: Forest) -> dict[str, bytes]:
    """The arrays that are written of a forest, by their names in the archive."""
    arrays: dict[str, Any] = {f"forest/{name}.npy": getattr(forest, name).astype(kind) for name, kind in _TREES.items()}
    if forest.bins is not None:
        arrays |= {f"bins/{name}.npy": getattr(forest.bins, name) for name in _BINS}
        arrays |= {f"forest/{name}.npy": getattr(forest, name) for name in _OF_NODES}
    return {name: npy_bytes(array) for name, array in arrays.items()}


def read_forest(archive: Archive, counts: object, n_classes: int) -> Forest:
    """The forest in an archive.

    Args:
        archive: the classifier file.
        counts: the sizes of the arrays, as ``classifier.json`` has them.
        n_classes: number of classes.

    Raises:
        ValueError: if arrays lack, or have other types or sizes.
    """
    counted = checks.mapping(counts, "forest", ("features", "trees", "nodes"), ("bins",))
    n_features = checks.whole_number(counted["features"], "The number of features", 1, MAX_FEATURES)
    n_trees = checks.whole_number(counted["trees"], "The number of trees", 1, MAX_TREES)
    n_nodes = checks.whole_number(counted["nodes"], "The number of nodes", 1, MAX_NODES)
    shapes: dict[str, tuple[int, ...]] = {"roots": (n_trees,), "probabilities": (n_nodes, n_classes)}
    arrays: dict[str, Any] = {
        name: archive.read_array(f"forest/{name}.npy", kind, shapes.get(name, (n_nodes,)))
        for name, kind in _TREES.items()
    }
    if "bins" in counted:
        checks.whole_number(counted["bins"], "The number of bins", BINS, BINS)
        ends = (archive.read_array(f"bins/{name}.npy", np.float32, (n_features,)) for name in _BINS)
        arrays["bins"] = Bins(*ends)
        for name, kind in _OF_NODES.items():
            arrays[name] = archive.read_array(f"forest/{name}.npy", kind, (n_nodes,))
    elif any(name in archive for name in FOREST_MEMBERS[len(_TREES) :]):
        raise ValueError("classifier.json does not count the bins.")
    return Forest(n_features=n_features, **arrays)


def check_trees(forest: Forest) -> None:
    """Refuse trees that would lead a pixel nowhere, in circles or out of memory's bounds, and shares that are none."""
    n_nodes, roots = len(forest.feature), forest.roots
    if len(roots) == 0 or roots[0] != 0 or (np.diff(roots) <= 0).any() or roots[-1] >= n_nodes:
        raise ValueError("The roots of the trees are not in their order.")
    node = np.arange(n_nodes)
    past_tree = np.append(roots[1:], n_nodes)[np.searchsorted(roots, node, side="right") - 1]
    inner = forest.feature != -1
    for child in (forest.left, forest.right):
        if (inner & ((child <= node) | (child >= past_tree))).any() or (child[~inner] != -1).any():
            raise ValueError("The nodes of a tree do not lead on to its leaves.")
    if ((forest.feature < -1) | (forest.feature >= forest.n_features)).any():
        raise ValueError("A node of a tree compares a feature that does not exist.")
    if not np.isfinite(forest.threshold).all():
        raise ValueError("A threshold of a tree is not a number.")
    shares = forest.probabilities
    if not ((shares >= 0) & (shares <= 1)).all() or not (np.abs(shares.sum(axis=1) - 1) <= 1e-6).all():
        raise ValueError("The shares of the classes at a node do not add up to 1.")
    if forest.bins is not None:
        forest.check()
