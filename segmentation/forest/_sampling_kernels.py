"""The compiled passes over labels of :mod:`segmentation.forest.sampling`; eight unlabelled pixels cost a comparison."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from segmentation._shared.compiled import kernel, part
from segmentation.forest._bit_layout import WORD

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_S27, _S30, _S31 = np.uint64(27), np.uint64(30), np.uint64(31)


@part
def _mixed(state: np.uint64, number: int) -> np.uint64:
    """What :func:`segmentation.forest.sampling.random_uint64` does with one more number."""
    state = state + np.uint64(number) + _STEP
    state = (state ^ (state >> _S30)) * _FIRST
    state = (state ^ (state >> _S27)) * _SECOND
    return state ^ (state >> _S31)


@kernel
def count(labels: NDArray[np.uint8], words: NDArray[np.uint64], counts: NDArray[np.int64]) -> None:
    """Add the number of pixels of each class, those of class 0 not all, to ``counts``.

    Args:
        labels: flat.
        words: the same memory, as far as it fills words.
        counts: ``(WORD, 256)``, to be summed; a pixel need not wait for its neighbour to be counted.
    """
    for word in range(len(words)):
        if words[word] != 0:
            for place in range(WORD):
                counts[place, labels[word * WORD + place]] += 1
    for place in range(len(words) * WORD, len(labels)):
        counts[0, labels[place]] += 1


@kernel
def choose(
    labels: NDArray[np.uint8],
    words: NDArray[np.uint64],
    columns: int,
    state: np.uint64,
    highest: NDArray[np.uint64],
    places: NDArray[np.int64],
    priorities: NDArray[np.uint64],
    found: NDArray[np.int64],
) -> int:
    """Find the labelled pixels whose priority is at most their class's highest.

    Args:
        labels: flat.
        words: the same memory, as far as it fills words.
        columns: of the image.
        state: what the priority of a pixel is drawn from, beside its row and column.
        highest: ``(256,)``, for each class.
        places: filled with the raster indices of the pixels, as far as it goes.
        priorities: filled with their priorities.
        found: ``(256,)``; the number of pixels found of each class is added, whether or not there was place for them.

    Returns:
        How many places were filled.
    """
    filled = 0
    row_start, row_stop, row_state = 0, 0, state
    for word in range(len(words) + 1):
        if word < len(words) and words[word] == 0:
            continue
        for place in range(word * WORD, min((word + 1) * WORD, len(labels))):
            if labels[place] == 0:
                continue
            if place >= row_stop:
                row = place // columns
                row_start, row_stop, row_state = row * columns, (row + 1) * columns, _mixed(state, row)
            priority = _mixed(row_state, place - row_start)
            if priority <= highest[labels[place]]:
                found[labels[place]] += 1
                if filled < len(places):
                    places[filled] = place
                    priorities[filled] = priority
                    filled += 1
    return filled
