"""From the pixels that were chosen to a forest: how it is grown, and which of the pixels each tree sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmentation.parallel import share
from segmentation.sampling import drawn
from segmentation.sklearn_trees import as_sklearn, grow_tree
from segmentation.untrusted import mapping, number, whole_number

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree._tree import Tree

FOREST_KINDS = ("extra_trees", "random_forest")

MIN_TREE_PIXELS = 100
"""Pixels that a tree sees at least, if there are as many: a share of two short strokes would make mere stumps."""


@dataclass(frozen=True)
class ForestSettings:
    """How the forest is grown.

    The defaults are what segmented real images best from simulated strokes. Half as many trees would take half as long
    and cost 0.002 to 0.003 of mean IoU; twice as many gain next to nothing.

    Attributes:
        kind: "extra_trees" (extremely randomised trees) or "random_forest".
        n_estimators: number of trees, 1 to 1000.
        max_depth: the most comparisons between a tree's root and a leaf, 1 to 64; None for no limit.
        max_samples: share of the training pixels that each tree sees, 0.001 to 1; at least ``MIN_TREE_PIXELS``.
        random_state: seed of all that is drawn, 0 to 4294967295.

    Raises:
        ValueError: with a sentence for the person who chose, if a value is out of bounds.
    """

    kind: str = "extra_trees"
    n_estimators: int = 100
    max_depth: int | None = None
    max_samples: float = 0.2
    random_state: int = 0

    def __post_init__(self) -> None:
        if self.kind not in FOREST_KINDS:
            raise ValueError(f"The kind of forest must be one of {', '.join(FOREST_KINDS)}.")
        whole_number(self.n_estimators, "The number of trees", 1, 1000)
        if self.max_depth is not None:
            whole_number(self.max_depth, "The depth of the trees", 1, 64)
        share = number(self.max_samples, "The share of the pixels that each tree sees", 0.001, 1)
        object.__setattr__(self, "max_samples", share)
        whole_number(self.random_state, "The seed", 0, 2**32 - 1)

    def to_json(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ForestSettings:
        """The settings that :meth:`to_json` described; what is missing takes its default.

        Raises:
            ValueError: if a value is unknown, of the wrong type or out of bounds.
        """
        given = mapping(values, "The forest's settings", (), tuple(field.name for field in fields(cls)))
        return cls(**given)


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
