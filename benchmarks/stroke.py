"""What one stroke costs the engine: learning, and the segmentation of all tiles, in processor time.

``python -m benchmarks.stroke`` prints the table. One thread; the default features beside the 72 that scikit-image has,
each step of both in turn. Processor time, which other work on the machine changes little.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.inputs import SAME_KINDS, careful_strokes, mirrored
from benchmarks.table import markdown
from segmentation._shared.tiling import TileGrid
from segmentation.features.bit_planes import bit_planes_bytes
from segmentation.features.cache import FeatureCache
from segmentation.features.planes_on_disk import PlanesOnDisk
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage
from segmentation.strokes.raster import rasterise

SIDE = 1024
FIRST, LAST = 3, 12
BITS_AND_MORE = 1 << 30
"""Bytes that hold the bits of the image, and what they are made of."""


def stroke_seconds(spec: FeatureSpec, budget: int, disk_budget: int = 0) -> Iterator[float]:
    """Processor seconds of the third to the twelfth stroke on one megapixel RGB.

    Args:
        spec: which features.
        budget: bytes of the cache of features.
        disk_budget: bytes of features that lie on the disk.
    """
    pixels, mask = mirrored(SIDE)
    image = image_from_pixels(pixels)
    strokes = careful_strokes(mask, LAST)
    tiles = TileGrid(image.shape).tiles
    on_disk = PlanesOnDisk(Path(tempfile.gettempdir()), disk_budget)
    live = LiveSegmenter(FeatureCache(budget, on_disk), threads=1)
    for count in range(2, LAST + 1):
        labels = rasterise(strokes[:count], image.shape)
        begun = time.process_time()
        classifier = live.train([LabelledImage.from_image(image, labels)], spec, ForestSettings())
        for _ in live.segment_tiles(image, classifier, tiles):
            pass
        if count >= FIRST:
            yield time.process_time() - begun


def stroke_rows() -> list[dict[str, Any]]:
    """The figures of a stroke: figure, ours (default features), reference (72 features), unit, goal."""
    for _ in stroke_seconds(SAME_KINDS, 0):  # kernels are compiled
        pass
    rows = []
    for held, on_disk, name in (
        (BITS_AND_MORE, 0, "bits and smoothed image held"),
        (None, 0, "bits held"),
        (0, BITS_AND_MORE, "bits on the disk"),
        (0, 0, "nothing held"),
    ):
        budgets = [_bytes_of_bits(spec) if held is None else held for spec in (FeatureSpec(), SAME_KINDS)]
        both = zip((FeatureSpec(), SAME_KINDS), budgets, strict=True)
        steps = zip(*(stroke_seconds(spec, budget, on_disk) for spec, budget in both), strict=True)
        ours, reference = ([1000 * seconds for seconds in side] for side in zip(*steps, strict=True))
        rows.append(
            {
                "figure": f"a stroke, 1 megapixel RGB, {name}",
                "ours": median(ours),
                "reference": median(reference),
                "unit": "ms",
                "goal": "0.3 s" if held == on_disk == 0 else "0.1 s",
            }
        )
    return rows


def _bytes_of_bits(spec: FeatureSpec) -> int:
    """What the bits of the image take, and nothing beside them."""
    return sum(bit_planes_bytes(spec, 3, tile) for tile in TileGrid((SIDE, SIDE)).tiles)


if __name__ == "__main__":
    print(markdown(stroke_rows()))
