"""From labels to trees: which labelled pixels a forest learns from, which of them each tree sees, and the growing.

All that is drawn is drawn by hashing the seed with what is drawn for, so that it depends on neither threads nor
library versions, and a new stroke changes little of what was drawn before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from segmentation.parallel import share
from segmentation.sklearn_trees import as_sklearn, grow_tree
from segmentation.untrusted import mapping, number, whole_number

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.tree._tree import Tree

FOREST_KINDS = ("extra_trees", "random_forest")

MAX_TRAINING_PIXELS = 10_000
"""Labelled pixels that a forest learns from at most, shared equally among the classes: about what a dozen careful
strokes hold, so that a flood of labels costs no more. Doubling it gains 0.007 of mean IoU and doubles the time."""

MIN_TREE_PIXELS = 100
"""Pixels that a tree sees at least, if there are as many: a share of two short strokes would make mere stumps."""


@dataclass(frozen=True)
class ForestSettings:
    """How the forest is grown.

    The defaults are what segmented real images best from simulated strokes, but for the number of trees: twice as many
    gain less than 0.001 of mean IoU and take twice as long.

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
    n_estimators: int = 50
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


def count_classes(class_ids: NDArray[np.uint8]) -> dict[int, int]:
    """Number of pixels of each class that has any, by class id, ascending; unlabelled pixels are not counted."""
    counts = np.bincount(class_ids.ravel(), minlength=1)
    return {int(class_id): int(counts[class_id]) for class_id in np.flatnonzero(counts) if class_id > 0}


def check_classes(counts: Mapping[int, int]) -> None:
    """Raises a ValueError unless there are two classes to tell apart."""
    if len(counts) < 2:
        raise ValueError(
            "Draw strokes of at least two classes: "
            + ("only one has labelled pixels." if counts else "none has labelled pixels.")
        )


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """The labelled pixels that a forest learns from.

    Attributes:
        places: raster indices of the pixels in each image, int64, ascending.
        class_ids: ``(pixels,)`` uint8, the classes of all of them, image by image.
        labelled_pixels: number of labelled pixels of each class, before sampling.
    """

    places: tuple[NDArray[np.int64], ...]
    class_ids: NDArray[np.uint8]
    labelled_pixels: dict[int, int]

    @classmethod
    def draw(cls, labels: Sequence[NDArray[np.uint8]], seed: int, limit: int = MAX_TRAINING_PIXELS) -> TrainingSample:
        """Draws the sample.

        It holds all labelled pixels, unless a class has more than its equal share of ``limit``. Of such a class
        those with the smallest priorities are taken, a hash of seed and place, so that a new stroke changes few of
        the pixels that were chosen before it.

        Args:
            labels: ``(rows, columns)`` uint8 for each image, 0 = unlabelled.
            seed: of the priorities.
            limit: number of pixels to take at most.

        Raises:
            ValueError: if fewer than two classes are labelled.
        """
        places = [np.flatnonzero(raster != 0) for raster in labels]
        class_ids = np.concatenate([raster.ravel()[place] for raster, place in zip(labels, places, strict=True)])
        counts = count_classes(class_ids)
        check_classes(counts)
        share = limit // len(counts)
        if max(counts.values()) > share:
            priorities = np.concatenate(
                [
                    drawn(seed, image, place // raster.shape[1], place % raster.shape[1])
                    for image, (raster, place) in enumerate(zip(labels, places, strict=True))
                ]
            )
            chosen = np.ones(len(class_ids), bool)
            for class_id in (one for one, count in counts.items() if count > share):
                of_class = np.flatnonzero(class_ids == class_id)
                last = np.partition(priorities[of_class], share - 1)[share - 1]
                chosen[of_class] = priorities[of_class] <= last
            parts = np.split(chosen, np.cumsum([len(place) for place in places])[:-1])
            places = [place[part] for place, part in zip(places, parts, strict=True)]
            class_ids = class_ids[chosen]
        return cls(tuple(places), class_ids, counts)


def drawn(*what_for: int | NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Pseudo-random numbers that depend on ``what_for`` alone, which is broadcast.

    Each number in turn is added and mixed in with the finaliser of SplitMix64 (Steele, Lea and Flood, Fast
    splittable pseudorandom number generators, OOPSLA 2014).

    Returns:
        uint64, of the broadcast shape.
    """
    state = np.zeros(1, np.uint64)
    for part in what_for:
        state = state + np.asarray(part).astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
        state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        state = state ^ (state >> np.uint64(31))
    return state


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
        for index in indices:
            random.seed(int(seeds[index]))  # takes a hundredth of the time that another RandomState would
            trees[index] = grow_tree(
                rows[samples[index]],
                classified[samples[index]],
                len(classes),
                random_thresholds=settings.kind == "extra_trees",
                max_depth=settings.max_depth,
                random=random,
            )

    share(range(settings.n_estimators), grow, threads)
    return as_sklearn([trees[index] for index in range(settings.n_estimators)], classes)
