"""From the pixels that were chosen to a forest: how it is grown, and which of the pixels each tree sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation.forest._sklearn import as_sklearn, grow_tree
from segmentation.forest.sampling import drawn
from segmentation.forest.settings import MIN_TREE_PIXELS, ForestSettings

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree._tree import Tree


def bootstrap(class_ids: NDArray[np.uint8], settings: ForestSettings) -> NDArray[np.intp]:
    """The training pixels that each tree sees: drawn with replacement, as many of each class.

    Args:
        class_ids: ``(pixels,)`` uint8, from 1.
        settings: how many, and for how many trees.

    Returns:
        ``(trees, pixels of a tree)`` indices into the training pixels.
    """
    classes = np.unique(class_ids)
    seen = max(settings.max_samples * len(class_ids), min(MIN_TREE_PIXELS, len(class_ids)))
    draws = max(1, round(seen / len(classes)))
    trees = np.arange(settings.n_estimators)[:, None]
    chosen = []
    for class_id in classes:
        members = np.flatnonzero(class_ids == class_id)
        numbers = drawn(settings.random_state, trees, int(class_id), np.arange(draws))
        chosen.append(members[numbers % np.uint64(len(members))])
    return np.concatenate(chosen, axis=1)


def tree_seeds(settings: ForestSettings) -> NDArray[np.uint64]:
    """A seed below 2**31 for the growing of each tree."""
    return drawn(settings.random_state, np.arange(settings.n_estimators)) >> np.uint64(33)


def grow_forest(
    rows: NDArray[np.float32], class_ids: NDArray[np.uint8], settings: ForestSettings, threads: int | None = None
) -> RandomForestClassifier:
    """Grows a forest in which classes count equally, whatever the number of their pixels.

    Args:
        rows: ``(pixels, features)`` float32.
        class_ids: ``(pixels,)`` uint8, from 1.
        settings: how.
        threads: number of threads; None takes all cores. The result does not depend on it.

    Returns:
        A fitted scikit-learn forest; extremely randomised trees differ from others only in how they were grown.
    """
    classes, classified = np.unique(class_ids, return_inverse=True)
    samples = bootstrap(class_ids, settings)
    seeds = tree_seeds(settings)
    trees: dict[int, Tree] = {}

    def grow(indices: Iterator[int]) -> None:
        random = np.random.RandomState()
        seen = np.empty((samples.shape[1], rows.shape[1]), np.float32)
        for index in indices:  # another RandomState, or other memory, for each tree would take longer than small trees
            random.seed(int(seeds[index]))
            rows.take(samples[index], axis=0, out=seen, mode="clip")
            trees[index] = grow_tree(
                seen,
                classified[samples[index]],
                len(classes),
                random_thresholds=settings.kind == "extra_trees",
                max_depth=settings.max_depth,
                random=random,
            )

    share(range(settings.n_estimators), grow, threads)
    return as_sklearn([trees[index] for index in range(settings.n_estimators)], classes)
