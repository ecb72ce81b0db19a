"""Which of the labelled pixels a forest learns from.

All that is drawn is drawn by hashing the seed with what is drawn for, so that it depends on neither threads nor
library versions, and a new stroke changes little of what was drawn before it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_TRAINING_PIXELS = 10_000
"""Labelled pixels that a forest learns from at most, shared equally among the classes: about what a dozen careful
strokes hold, so that a flood of labels costs no more. Doubling it gains 0.007 of mean IoU and doubles the time."""

HIGHEST = 2**64 - 1
"""The highest priority that can be drawn."""


def count_classes(*labels: NDArray[np.uint8]) -> dict[int, int]:
    """Number of pixels of each class that has any, by class id, ascending; unlabelled pixels are not counted."""
    from segmentation.forest._sampling_kernels import WORD, count

    in_turn = np.zeros((WORD, 256), np.int64)
    for raster in labels:
        count(*_in_words(raster), in_turn)
    counts = in_turn.sum(axis=0)
    return {int(class_id): int(counts[class_id]) for class_id in np.flatnonzero(counts) if class_id > 0}


def check_classes(counts: Mapping[int, int]) -> None:
    """Raises a ValueError unless there are two classes to tell apart."""
    if len(counts) < 2:
        raise ValueError(
            "Draw strokes of at least two classes: "
            + ("only one has labelled pixels." if counts else "none has labelled pixels.")
        )


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


@dataclass(frozen=True, eq=False)
class PixelSample:
    """What a forest learns from, without the images.

    Attributes:
        features: ``(pixels, features)`` float32.
        class_ids: ``(pixels,)`` uint8, the class of each.
    """

    features: NDArray[np.float32]
    class_ids: NDArray[np.uint8]

    def of_classes(self, class_ids: Collection[int]) -> PixelSample:
        """Those that are of certain classes."""
        kept = np.isin(self.class_ids, list(class_ids))
        return PixelSample(self.features[kept], self.class_ids[kept])

    def joined(self, others: PixelSample, seed: int, limit: int = MAX_TRAINING_PIXELS) -> PixelSample:
        """These and others, thinned out where a class has more than its equal share of ``limit``.

        Args:
            others: pixels with the same features.
            seed: of the lots that decide which pixels of such a class stay.
            limit: number of pixels to keep at most.
        """
        class_ids = np.concatenate([self.class_ids, others.class_ids])
        share = limit // max(1, len(count_classes(class_ids)))
        lots = drawn(seed, np.arange(len(class_ids)))
        kept = np.ones(len(class_ids), bool)
        for class_id in np.unique(class_ids):
            of_class = np.flatnonzero(class_ids == class_id)
            kept[of_class[np.argsort(lots[of_class], kind="stable")[share:]]] = False
        return PixelSample(np.concatenate([self.features, others.features])[kept], class_ids[kept])


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
    def draw(
        cls,
        labels: Sequence[NDArray[np.uint8]],
        seed: int,
        limit: int = MAX_TRAINING_PIXELS,
        held: Collection[int] = (),
    ) -> TrainingSample:
        """Draws the sample.

        It holds all labelled pixels, unless a class has more than its equal share of ``limit``. Of such a class
        those with the smallest priorities are taken, a hash of seed and place, so that a new stroke changes few of
        the pixels that were chosen before it.

        Args:
            labels: ``(rows, columns)`` uint8 for each image, 0 = unlabelled.
            seed: of the priorities.
            limit: number of pixels to take at most.
            held: classes of which there are pixels besides.

        Raises:
            ValueError: if fewer than two classes are labelled or held.
        """
        counts = count_classes(*labels)
        check_classes(counts | dict.fromkeys(held, 1))
        if not counts:
            return cls(tuple(np.empty(0, np.int64) for _ in labels), np.empty(0, np.uint8), {})
        share = limit // len(counts.keys() | set(held))
        places, priorities = _candidates(labels, seed, counts, share)
        class_ids = np.concatenate([raster.ravel()[at] for raster, at in zip(labels, places, strict=True)])
        chosen = np.ones(len(class_ids), bool)
        for class_id in (one for one, count in counts.items() if count > share):
            of_class = np.flatnonzero(class_ids == class_id)
            last = np.partition(priorities[of_class], share - 1)[share - 1]
            chosen[of_class] = priorities[of_class] <= last
        parts = np.split(chosen, np.cumsum([len(at) for at in places])[:-1])
        kept = tuple(at[part] for at, part in zip(places, parts, strict=True))
        return cls(kept, class_ids[chosen], counts)


def _candidates(
    labels: Sequence[NDArray[np.uint8]], seed: int, counts: Mapping[int, int], share: int
) -> tuple[list[NDArray[np.int64]], NDArray[np.uint64]]:
    """The places of somewhat more pixels of each class than its share, in each image, and the priorities of all."""
    from segmentation.forest._sampling_kernels import choose

    room = share + 8 * math.isqrt(share) + 8
    while True:
        highest = np.zeros(256, np.uint64)
        for class_id, count in counts.items():
            highest[class_id] = HIGHEST * min(room, count) // count
        size = sum(min(2 * room, count) for count in counts.values())
        places, priorities, found = [], [], np.zeros(256, np.int64)
        for raster, state in zip(labels, drawn(seed, np.arange(len(labels))), strict=True):
            of_image = np.empty(size, np.int64), np.empty(size, np.uint64)
            number = choose(*_in_words(raster), raster.shape[1], state, highest, *of_image, found)
            places.append(of_image[0][:number])
            priorities.append(of_image[1][:number])
        if all(min(count, share) <= found[class_id] <= 2 * room for class_id, count in counts.items()):
            return places, np.concatenate(priorities)
        room *= 2


def _in_words(labels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Labels as a row of pixels, and the same memory as a row of words."""
    from segmentation.forest._sampling_kernels import WORD

    flat = np.ascontiguousarray(labels).reshape(-1).view()
    flat.flags.writeable = False  # for Numba an array that can be written is of another type
    words = flat[: len(flat) // WORD * WORD].view(np.uint64)
    return (flat, words) if words.flags.aligned else _in_words(flat.copy())
