"""Sampling of training pixels: which of the labelled pixels a forest is trained on.

All random numbers are hashes of the seed and of what they are for, so that they depend on neither threads nor library
versions, and a new stroke changes few of the pixels that were sampled before it.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.kernels import kernels_are_ready
from segmentation._shared.tiled_labels import TiledLabels
from segmentation.forest._bit_layout import WORD
from segmentation.forest._mixing import mixed
from segmentation.forest.bins import joined_ranges

MAX_TRAINING_PIXELS = 10_000
"""The most pixels that a forest is trained on, shared equally among the classes: about as many as a dozen careful
strokes label, so that a flood of labels costs no more. Doubling it gains 0.007 of mean IoU and doubles the time."""

HIGHEST = 2**64 - 1
"""The highest priority that a pixel can have."""


Labels = NDArray[np.uint8] | TiledLabels
"""Class ids of the pixels of an image, 0 = unlabelled."""


def count_classes(*labels: Labels) -> dict[int, int]:
    """Number of pixels of each class that has any, by class id, ascending; unlabelled pixels are not counted."""
    if kernels_are_ready():
        from segmentation.forest._sampling_kernels import count
    else:
        from segmentation.forest._sampling_reference import count
    by_position = np.zeros((WORD, 256), np.int64)
    for one in labels:
        for raster in one.of_tiles.values() if isinstance(one, TiledLabels) else (one,):
            count(*_in_words(raster), by_position)
    counts = by_position.sum(axis=0)
    return {int(class_id): int(counts[class_id]) for class_id in np.flatnonzero(counts) if class_id > 0}


class TooFewClassesError(ValueError):
    """There are no two classes to tell apart; the message is a sentence for the person who drew."""


def check_classes(counts: Mapping[int, int]) -> None:
    """Raises a TooFewClassesError unless there are two classes to tell apart."""
    if len(counts) < 2:
        raise TooFewClassesError(
            "Draw strokes of at least two classes: "
            + ("only one has labelled pixels." if counts else "none has labelled pixels.")
        )


def random_uint64(*keys: int | NDArray[np.integer[Any]]) -> NDArray[np.uint64]:
    """Pseudo-random numbers that depend on the keys alone, which are broadcast.

    Each key in turn is mixed in.

    Returns:
        uint64, of the broadcast shape.
    """
    state = np.zeros(1, np.uint64)
    for key in keys:
        state = mixed(state, key)
    return state


@dataclass(frozen=True, eq=False)
class PixelSample:
    """Training pixels: their features and classes, without the images.

    Attributes:
        features: ``(pixels, features)`` float32.
        class_ids: ``(pixels,)`` uint8, the class of each.
        ranges: ``(2, features)`` float32, the smallest and the largest value of each feature in the images, as far as
            it is known, and not a number where it is not; None if nothing is known.
    """

    features: NDArray[np.float32]
    class_ids: NDArray[np.uint8]
    ranges: NDArray[np.float32] | None = None

    def check(self, n_features: int) -> None:
        """
        Raises:
            ValueError: if these are not pixels of a forest with so many features.
        """
        if self.features.shape != (len(self.class_ids), n_features):
            raise ValueError("The training pixels have other features than the forest.")
        if not np.isfinite(self.features).all():
            raise ValueError("The training pixels have features that are not numbers.")
        if self.ranges is not None:
            if self.ranges.shape != (2, n_features):
                raise ValueError("The ranges of the features are of other features than the forest.")
            if np.isinf(self.ranges).any() or (self.ranges[0] > self.ranges[1]).any():
                raise ValueError("The ranges of the features are none.")

    def part(self, kept: NDArray[np.bool_]) -> PixelSample:
        """Some of the pixels, ``(pixels,)``."""
        return replace(self, features=self.features[kept], class_ids=self.class_ids[kept])

    def select_classes(self, class_ids: Collection[int]) -> PixelSample:
        """The pixels of certain classes."""
        return self.part(np.isin(self.class_ids, list(class_ids)))

    def joined(self, others: PixelSample, seed: int, limit: int = MAX_TRAINING_PIXELS) -> PixelSample:
        """These and others, thinned out where a class has more than its equal share of ``limit``.

        Args:
            others: pixels with the same features.
            seed: of the priorities by which the pixels of such a class are chosen.
            limit: the most pixels to keep.
        """
        class_ids = np.concatenate([self.class_ids, others.class_ids])
        share = limit // max(1, len(count_classes(class_ids)))
        priorities = random_uint64(seed, np.arange(len(class_ids)))
        kept = np.ones(len(class_ids), bool)
        for class_id in np.unique(class_ids):
            members = np.flatnonzero(class_ids == class_id)
            kept[members[np.argsort(priorities[members], kind="stable")[share:]]] = False
        features = np.concatenate([self.features, others.features])
        known = [one for one in (self.ranges, others.ranges) if one is not None]
        return PixelSample(features, class_ids, joined_ranges(known) if known else None).part(kept)


@dataclass(frozen=True, eq=False)
class TrainingSample:
    """Which labelled pixels a forest is trained on.

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
        labels: Sequence[Labels],
        seed: int,
        limit: int = MAX_TRAINING_PIXELS,
        earlier_classes: Collection[int] = (),
    ) -> TrainingSample:
        """Draws the sample.

        It consists of all labelled pixels, unless a class has more than its equal share of ``limit``. Of such a class
        those with the smallest priorities are chosen, a hash of seed and place, so that a new stroke changes few
        of the pixels that were chosen before it.

        Args:
            labels: of each image, ``(rows, columns)`` uint8, 0 = unlabelled, or by tiles.
            seed: of the priorities.
            limit: the most pixels to choose.
            earlier_classes: classes of which an earlier classifier has training pixels.

        Raises:
            ValueError: if there are fewer than two classes, labelled or earlier.
        """
        counts = count_classes(*labels)
        check_classes(counts | dict.fromkeys(earlier_classes, 1))
        if not counts:
            return cls(tuple(np.empty(0, np.int64) for _ in labels), np.empty(0, np.uint8), {})
        share = limit // len(counts.keys() | set(earlier_classes))
        places, priorities = _candidates(labels, seed, counts, share)
        class_ids = np.concatenate([_at(one, places_of) for one, places_of in zip(labels, places, strict=True)])
        chosen = np.ones(len(class_ids), bool)
        for class_id in (one for one, count in counts.items() if count > share):
            members = np.flatnonzero(class_ids == class_id)
            last = np.partition(priorities[members], share - 1)[share - 1]
            chosen[members] = priorities[members] <= last
        parts = np.split(chosen, np.cumsum([len(at) for at in places])[:-1])
        kept = tuple(at[part] for at, part in zip(places, parts, strict=True))
        return cls(kept, class_ids[chosen], counts)

    def digest(self) -> bytes:
        """16 bytes that two samples share only if they are the same."""
        digest = hashlib.blake2b(self.class_ids.tobytes(), digest_size=16)
        for places in self.places:
            digest.update(len(places).to_bytes(8, "little") + places.tobytes())
        digest.update(repr(self.labelled_pixels).encode())
        return digest.digest()


def _at(labels: Labels, places: NDArray[np.int64]) -> NDArray[np.uint8]:
    return labels.at(places) if isinstance(labels, TiledLabels) else labels.ravel()[places]


def _chosen_of_tiles(
    labels: TiledLabels, state: np.uint64, highest: NDArray[np.uint64], found: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
    """What ``choose`` finds in the whole raster."""
    places = labels.places()
    priorities = mixed(mixed(state, places // labels.shape[1]), places % labels.shape[1])
    class_ids = labels.at(places)
    chosen = priorities <= highest[class_ids]
    found += np.bincount(class_ids[chosen], minlength=256)
    return places[chosen], priorities[chosen]


def _candidates(
    labels: Sequence[Labels], seed: int, counts: Mapping[int, int], share: int
) -> tuple[list[NDArray[np.int64]], NDArray[np.uint64]]:
    """The places of somewhat more pixels of each class than its share, in each image, and the priorities of all."""
    if kernels_are_ready():
        from segmentation.forest._sampling_kernels import choose
    else:
        from segmentation.forest._sampling_reference import choose
    room = share + 8 * math.isqrt(share) + 8
    while True:
        highest = np.zeros(256, np.uint64)
        for class_id, count in counts.items():
            highest[class_id] = HIGHEST * min(room, count) // count
        size = sum(min(2 * room, count) for count in counts.values())
        places, priorities, found = [], [], np.zeros(256, np.int64)
        for raster, state in zip(labels, random_uint64(seed, np.arange(len(labels))), strict=True):
            if isinstance(raster, TiledLabels):
                of_tiles = _chosen_of_tiles(raster, state, highest, found)
                places.append(of_tiles[0])
                priorities.append(of_tiles[1])
                continue
            of_image = np.empty(size, np.int64), np.empty(size, np.uint64)
            number = choose(*_in_words(raster), raster.shape[1], state, highest, *of_image, found)
            places.append(of_image[0][:number])
            priorities.append(of_image[1][:number])
        if all(min(count, share) <= found[class_id] <= 2 * room for class_id, count in counts.items()):
            return places, np.concatenate(priorities)
        room *= 2


def _in_words(labels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """Labels as a row of pixels, and the same memory as a row of words."""
    flat = np.ascontiguousarray(labels).reshape(-1).view()
    flat.flags.writeable = False  # for Numba an array that can be written is of another type
    words = flat[: len(flat) // WORD * WORD].view(np.uint64)
    return (flat, words) if words.flags.aligned else _in_words(flat.copy())
