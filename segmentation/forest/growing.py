"""Growing a forest on training pixels, each tree on a bootstrap sample of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.parallel import share
from segmentation.forest._sklearn import as_sklearn, grow_tree
from segmentation.forest.sampling import random_uint64
from segmentation.forest.settings import MIN_TREE_PIXELS, ForestSettings

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree._tree import Tree


def draws_of_each_class(n_pixels: int, n_classes: int, settings: ForestSettings) -> int:
    """Number of pixels of each class that a tree sees."""
    seen = max(settings.max_samples * n_pixels, min(MIN_TREE_PIXELS, n_pixels))
    return max(1, round(seen / n_classes))


def bootstrap(class_ids: NDArray[np.uint8], settings: ForestSettings) -> NDArray[np.intp]:
    """The training pixels that each tree sees: drawn with replacement, as many of each class.

    Args:
        class_ids: ``(pixels,)`` uint8, from 1.
        settings: how many, and for how many trees.

    Returns:
        ``(trees, pixels of a tree)`` indices into the training pixels.
    """
    classes = np.unique(class_ids)
    draws = draws_of_each_class(len(class_ids), len(classes), settings)
    trees = np.arange(settings.n_estimators)[:, None]
    chosen = []
    for class_id in classes:
        members = np.flatnonzero(class_ids == class_id)
        numbers = random_uint64(settings.random_state, trees, int(class_id), np.arange(draws))
        chosen.append(members[numbers % np.uint64(len(members))])
    return np.concatenate(chosen, axis=1)


def tree_seeds(settings: ForestSettings) -> NDArray[np.uint64]:
    """A seed below 2**31 for the growing of each tree."""
    return random_uint64(settings.random_state, np.arange(settings.n_estimators)) >> np.uint64(33)


ENOUGH = 2**-13
"""A column of features that spans less is scaled up to grow trees: scikit-learn takes features that differ by no more
than 1e-7 for equal, and counts in an image of a wide type, such as int32, differ by less than that."""


def column_exponents(rows: NDArray[np.float32]) -> NDArray[np.intp]:
    """The powers of two by which columns are multiplied to grow trees, so that no span of features is too small.

    A power of two changes neither the order of a column's features nor, once thresholds are scaled back, any
    comparison.

    Args:
        rows: ``(pixels, features)`` float32.

    Returns:
        ``(features,)``: 0 for a column that spans enough, or nothing; otherwise so that it spans 0.5 to 1.
    """
    spans = rows.max(axis=0).astype(np.float64) - rows.min(axis=0)
    return np.where((spans > 0) & (spans < ENOUGH), -np.frexp(spans)[1], 0)


def scale_back(tree: Tree, exponents: NDArray[np.intp]) -> None:
    """Makes the thresholds of a tree fit features that are not scaled.

    Args:
        tree: grown on scaled features; changed in place.
        exponents: as :func:`column_exponents` gives them.
    """
    inner = tree.children_left >= 0
    tree.threshold[inner] = np.ldexp(tree.threshold[inner], -exponents[tree.feature[inner]])


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
    exponents = column_exponents(rows)
    scaled = np.ldexp(rows, exponents) if exponents.any() else rows

    def grow(indices: Iterator[int]) -> None:
        random = np.random.RandomState()
        seen = np.empty((samples.shape[1], rows.shape[1]), np.float32)
        for index in indices:  # another RandomState, or other memory, for each tree would take longer than small trees
            random.seed(int(seeds[index]))
            scaled.take(samples[index], axis=0, out=seen, mode="clip")
            trees[index] = grow_tree(
                seen,
                classified[samples[index]],
                len(classes),
                random_thresholds=settings.kind == "extra_trees",
                max_depth=settings.max_depth,
                random=random,
            )
            scale_back(trees[index], exponents)

    share(range(settings.n_estimators), grow, threads)
    return as_sklearn([trees[index] for index in range(settings.n_estimators)], classes)
