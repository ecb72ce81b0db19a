"""How forests are grown on bins: extremely randomised trees by ourselves, other trees by scikit-learn."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import available_threads, share
from segmentation.forest.binned import BinnedForest
from segmentation.forest.bins import Bins
from segmentation.forest.growing import bootstrap, draws_of_each_class, tree_seeds
from segmentation.forest.sampling import random_uint64
from segmentation.forest.settings import ForestSettings

Trees = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Roots and nodes, see :class:`segmentation.forest.binned.BinnedForest`."""

_NO_LIMIT = 2**31 - 1


def grow_binned_forest(
    rows: NDArray[np.float32], class_ids: NDArray[np.uint8], settings: ForestSettings, threads: int | None = None
) -> BinnedForest:
    """Grows a forest in which classes count equally, whatever the number of their pixels.

    Args:
        rows: ``(pixels, features)`` float32, finite.
        class_ids: ``(pixels,)`` uint8, from 1.
        settings: how.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Returns:
        A forest whose edges depend on the rows alone.
    """
    bins = Bins.of_rows(rows)
    columns = bins.columns(rows)
    classes, classified = np.unique(class_ids, return_inverse=True)
    grow = _extra_trees if settings.kind == "extra_trees" else _random_trees
    trees = grow(columns, classes, classified, settings, threads)
    sizes = [len(nodes) for _, nodes in trees]
    starts = np.cumsum([0, *sizes[:-1]])
    for (roots, nodes), start in zip(trees, starts, strict=True):
        roots += np.int32(start)
        nodes[:, 2:4][nodes[:, 0] >= 0] += np.int32(start)
    roots, nodes = (np.concatenate(arrays) for arrays in zip(*trees, strict=True))
    return BinnedForest(bins, tuple(int(class_id) for class_id in classes), roots, nodes)


def tries(n_features: int) -> int:
    """Number of features that are tried at a node."""
    return max(1, int(np.sqrt(n_features)))


def _extra_trees(
    columns: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    classified: NDArray[np.intp],
    settings: ForestSettings,
    threads: int | None,
) -> list[Trees]:
    """Extremely randomised trees, some at a time."""
    from segmentation.forest._growing_kernels import grow_trees

    draws = draws_of_each_class(len(classified), len(classes), settings)
    members = np.argsort(classified, kind="stable").astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(np.bincount(classified))]).astype(np.int64)
    numbers = np.arange(settings.n_estimators)
    states = random_uint64(settings.random_state, numbers[:, None], classes[None].astype(np.int64))
    streams = random_uint64(settings.random_state, numbers)[:, None]
    max_depth = _NO_LIMIT if settings.max_depth is None else settings.max_depth
    tasks = np.array_split(numbers, min(threads or available_threads(), settings.n_estimators))
    trees: dict[int, Trees] = {}

    def grow(indices: Iterator[int]) -> None:
        for index in indices:
            some = tasks[index]
            roots = np.empty(len(some), np.int32)
            nodes = np.empty((len(some) * (2 * draws * len(classes) - 1), 5), np.int32)
            filled = grow_trees(
                columns,
                members,
                starts,
                draws,
                states[some],
                streams[some],
                tries(len(columns)),
                max_depth,
                roots,
                nodes,
            )
            trees[index] = roots, nodes[:filled].copy()

    share(range(len(tasks)), grow, threads)
    return [trees[index] for index in range(len(tasks))]


def _random_trees(
    columns: NDArray[np.uint8],
    classes: NDArray[np.uint8],
    classified: NDArray[np.intp],
    settings: ForestSettings,
    threads: int | None,
) -> list[Trees]:
    """The trees of a random forest, one at a time."""
    from sklearn.tree import DecisionTreeClassifier

    rows = np.ascontiguousarray(columns.T, np.float32)
    samples = bootstrap(classes[classified], settings)
    seeds = tree_seeds(settings)
    trees: dict[int, Trees] = {}

    def grow(indices: Iterator[int]) -> None:
        for index in indices:
            estimator = DecisionTreeClassifier(
                max_features="sqrt", max_depth=settings.max_depth, random_state=int(seeds[index])
            )
            tree = estimator.fit(rows[samples[index]], classified[samples[index]]).tree_
            leaf = tree.children_left < 0
            feature, edge = (np.where(leaf, -1, column) for column in (tree.feature, np.floor(tree.threshold)))
            vote = tree.value[:, 0].argmax(axis=1)
            nodes = np.stack([feature, edge, tree.children_left, tree.children_right, vote], axis=1)
            trees[index] = np.zeros(1, np.int32), nodes.astype(np.int32)

    share(range(settings.n_estimators), grow, threads)
    return [trees[index] for index in range(settings.n_estimators)]
