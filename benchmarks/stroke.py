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
from segmentation.features.cache import FeatureCache
from segmentation.features.planes_on_disk import PlanesOnDisk
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live.ahead import compute_ahead
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage
from segmentation.strokes.raster import rasterise

SIDE = 1024
FIRST, LAST = 3, 12
ENOUGH = 1 << 30
"""Bytes that hold the bits of the image."""


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


def first_seconds(spec: FeatureSpec, times: int = 5) -> Iterator[tuple[float, float]]:
    """Processor seconds of preparing one megapixel RGB, and of the first segmentation after that."""
    pixels, mask = mirrored(SIDE)
    strokes = careful_strokes(mask, 2)
    for _ in range(times):
        image = image_from_pixels(pixels)
        tiles = TileGrid(image.shape).tiles
        live = LiveSegmenter(FeatureCache(ENOUGH), threads=1)
        begun = time.process_time()
        compute_ahead(live, image, spec, ForestSettings(), tiles)
        prepared = time.process_time()
        labels = rasterise(strokes, image.shape)
        classifier = live.train([LabelledImage.from_image(image, labels)], spec, ForestSettings())
        for _ in live.segment_tiles(image, classifier, tiles):
            pass
        yield prepared - begun, time.process_time() - prepared


def stroke_rows() -> list[dict[str, Any]]:
    """The figures of a stroke: figure, ours (default features), reference (72 features), unit, goal."""
    for _ in stroke_seconds(SAME_KINDS, 0):  # kernels are compiled
        pass
    rows = []
    both = FeatureSpec(), SAME_KINDS
    for held, on_disk, name in (
        (ENOUGH, 0, "bits held"),
        (0, ENOUGH, "bits on the disk"),
        (0, 0, "nothing held"),
    ):
        steps = zip(*(stroke_seconds(spec, held, on_disk) for spec in both), strict=True)
        ours, reference = (median(side) for side in zip(*steps, strict=True))
        goal = "0.3 s" if held == on_disk == 0 else "0.1 s"
        rows.append(_row(f"a stroke, 1 megapixel RGB, {name}", ours, reference, goal))
    for part, name in enumerate(("before the first stroke", "at the second stroke")):
        ours, reference = (median(seconds[part] for seconds in first_seconds(spec)) for spec in both)
        rows.append(_row(f"first segmentation, 1 megapixel RGB, {name}", ours, reference, ("", "0.1 s")[part]))
    return rows


def _row(figure: str, ours: float, reference: float, goal: str) -> dict[str, Any]:
    return {"figure": figure, "ours": 1000 * ours, "reference": 1000 * reference, "unit": "ms", "goal": goal}


if __name__ == "__main__":
    print(markdown(stroke_rows()))
