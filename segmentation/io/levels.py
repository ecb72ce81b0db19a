"""The channels of an image as whole numbers of 8 or 16 bits, of which a browser composes what it shows.

Values of at most 16 bits are sent as they are, but for the smallest of their type; others as steps of the range that
the channel has. So a display range, a gamma or a colour is changed without the server.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from segmentation.io.display import display_range, sampled_values, value_ends
from segmentation.io.image import Image

HISTOGRAM_BINS = 128
HISTOGRAM_SAMPLE = 2**18
"""Pixels that are looked at for a histogram."""

_LEVELS = 2**16 - 1


@dataclass(frozen=True)
class ChannelFacts:
    """What is known of a channel; a level stands for the value ``offset + level * scale``.

    Attributes:
        name: of the channel.
        offset: the value of level 0.
        scale: from one level to the next.
        bits: of a level, 8 or 16.
        smallest: value.
        largest: value.
        low: shown black, unless somebody chooses.
        high: shown white, unless somebody chooses.
        histogram: numbers of pixels of a sample with data between ``smallest`` and ``largest``, in even steps.
    """

    name: str
    offset: float
    scale: float
    bits: int
    smallest: float
    largest: float
    low: float
    high: float
    histogram: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """The facts as plain JSON values."""
        return asdict(self) | {"histogram": list(self.histogram)}


def channel_facts(image: Image, *others: Image) -> list[ChannelFacts]:
    """What is known of each channel of an image.

    Args:
        image: the image.
        *others: other views of it, see :func:`~segmentation.io.display.display_range`; its histogram is of the first.
    """
    kept = sampled_values(image, HISTOGRAM_SAMPLE)
    narrow = image.pixels.dtype.itemsize <= 2
    facts = []
    for channel, (low, high) in enumerate(display_range(image, *others)):
        ends = value_ends((image, *others), channel)
        offset = float(np.iinfo(image.pixels.dtype).min) if narrow else ends[0]
        scale = 1.0 if narrow else (ends[1] - ends[0]) / _LEVELS or 1.0
        counts, _ = np.histogram(kept[:, channel].astype(np.float64), HISTOGRAM_BINS, ends)
        facts.append(
            ChannelFacts(
                image.channel_names[channel],
                offset,
                scale,
                8 if image.pixels.dtype.itemsize == 1 else 16,
                float(ends[0]),
                float(ends[1]),
                low,
                high,
                tuple(counts.tolist()),
            )
        )
    return facts


def levels(image: Image, facts: ChannelFacts, channel: int, rows: slice, columns: slice, step: int = 1) -> NDArray[Any]:
    """A window of a channel as levels.

    Args:
        image: the image.
        facts: of the channel.
        channel: which one, from 0.
        rows: of the window, without a step.
        columns: of the window, without a step.
        step: each level is the mean of ``step`` x ``step``; of fewer at the lower and right end of the window.

    Returns:
        ``(ceil(window rows / step), ceil(window columns / step))``, uint8 or uint16.
    """
    values = image.stacked[rows, columns, channel]
    dtype = np.uint8 if facts.bits == 8 else np.uint16
    if step == 1 and facts.scale == 1:
        return (values.astype(np.int32) - int(facts.offset)).astype(dtype)
    means = block_means(values, step) if step > 1 else values.astype(np.float64)
    return np.rint((means - facts.offset) / facts.scale).clip(0, _LEVELS).astype(dtype)


def block_means(values: NDArray[Any], step: int) -> NDArray[np.float64]:
    """The means of ``step`` x ``step`` values, of fewer at the lower and right end."""
    rows, columns = (np.arange(0, length, step) for length in values.shape)
    heights, widths = (np.minimum(step, length - np.arange(0, length, step)) for length in values.shape)
    means = np.empty((len(rows), len(columns)))
    for row, (first, height) in enumerate(zip(rows, heights, strict=True)):  # NumPy would make floats of all of them
        sums = np.add.reduce(values[first : first + height], axis=0, dtype=np.float64)
        means[row] = np.add.reduceat(sums, columns) / (height * widths)
    return means


def blocks_without_data(image: Image, rows: slice, columns: slice, step: int) -> NDArray[np.bool_] | None:
    """Where all of ``step`` x ``step`` pixels of a window hold no data; None if all pixels of the image hold some."""
    if image.no_data is None:
        return None
    missing = image.no_data[rows, columns]
    tops, lefts = (np.arange(0, length, step) for length in missing.shape)
    blocks: NDArray[np.bool_] = np.logical_and.reduceat(np.logical_and.reduceat(missing, tops, axis=0), lefts, axis=1)
    return blocks
