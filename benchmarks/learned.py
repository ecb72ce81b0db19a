"""Learned texture: what it gains by kind of image, and what it costs.

``python -m benchmarks learned`` draws on the images of :mod:`benchmarks.quality`, and on mosaics of three photographs
of surfaces that come with scikit-image, brought to one mean and spread: their classes differ in their texture alone.
``python -m benchmarks.learned`` prints what one megapixel RGB costs in one thread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import chain
from statistics import fmean, median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage import data

from benchmarks.inputs import mirrored
from benchmarks.quality import SEEDS, STROKES_PER_CLASS, Example, all_examples, mean_iou, with_error
from benchmarks.scribbles import Annotator
from benchmarks.stroke import ENOUGH, SIDE, stroke_seconds
from segmentation._shared.tiling import TileGrid
from segmentation.features.bit_planes import bit_planes_bytes
from segmentation.features.learned_planes import keep_cells
from segmentation.features.pointwise import with_constants
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

LEARNED = FeatureSpec(learned=True)
SURFACES = ("brick", "grass", "gravel")
MOSAICS = "mosaics of surfaces"
MOSAIC_SIDE = 512
BLOBS = 40
"""Sigma of the noise whose largest channel is the class: how large the pieces of a mosaic are, in pixels."""


def _surface(name: str, step: int) -> NDArray[np.float64]:
    """A photograph at a part of its size, side by side with itself, of a mean of 128 and a spread of 40."""
    pixels = ndimage.zoom(getattr(data, name)().astype(float), 1 / step, order=1)
    values = np.clip(128 + 40 * (pixels - pixels.mean()) / pixels.std(), 0, 255)
    return np.tile(values, (step, step))[:MOSAIC_SIDE, :MOSAIC_SIDE]


def mosaic(seed: int, step: int) -> Example:
    """Pieces of three surfaces."""
    random = np.random.default_rng(seed)
    noise = random.normal(size=(len(SURFACES), MOSAIC_SIDE, MOSAIC_SIDE))
    mask = ndimage.gaussian_filter(noise, (0, BLOBS, BLOBS), mode="wrap").argmax(axis=0)
    pixels = np.choose(mask, [_surface(name, step) for name in SURFACES])
    image = image_from_pixels(pixels.round().astype(np.uint8))
    return Example(f"mosaic {seed} of 1/{step}", image, (mask + 1).astype(np.uint8), MOSAICS)


def mosaics() -> Iterator[Example]:
    """Six mosaics, half of them of photographs at half their size."""
    for step in (1, 2):
        yield from (mosaic(seed, step) for seed in range(3))


def learned_rows() -> list[dict[str, Any]]:
    """Mean IoU of the defaults and with learned texture, averaged over the annotations.

    Returns:
        A row for each image and number of strokes: ``image``, ``kind``, ``strokes``, ``without``, ``learned``.
    """
    rows = []
    for example in chain(sorted(all_examples(), key=lambda one: one.name), mosaics()):
        annotator = Annotator(example.mask)
        for count in STROKES_PER_CLASS:
            labels = [rasterise(annotator.draw(count, seed), example.mask.shape) for seed in SEEDS]
            row = {"image": example.name, "kind": example.kind, "strokes": count}
            for name, spec in (("without", FeatureSpec()), ("learned", LEARNED)):
                row[name] = fmean(
                    mean_iou(example.mask, PixelClassifier(spec).fit(example.image, one).predict(example.image))
                    for one in labels
                )
            rows.append(row)
    return rows


def markdown(rows: Sequence[dict[str, Any]]) -> str:
    """The table as people read it: what is gained by kind, and by all but mosaics; ± is the standard error over images.

    The last column says of how many images the mean over the numbers of strokes rises.
    """
    counts = sorted({row["strokes"] for row in rows})
    strokes = [f"{count} stroke{'s'[: count > 1]} a class" for count in counts]
    lines = [["images", "number", "without", *strokes, "all", "better on"], ["---"] * (len(counts) + 5)]
    kinds = dict.fromkeys(row["kind"] for row in rows)
    groups = {kind: [row for row in rows if row["kind"] == kind] for kind in kinds if kind != MOSAICS}
    groups["**all**"] = [row for row in rows if row["kind"] != MOSAICS]
    groups[MOSAICS] = [row for row in rows if row["kind"] == MOSAICS]
    for name, some in groups.items():
        images = list(dict.fromkeys(row["image"] for row in some))
        gains = {(row["image"], row["strokes"]): row["learned"] - row["without"] for row in some}
        table = np.array([[gains[image, count] for count in counts] for image in images])
        cells = map(with_error, [*table.T, table.mean(axis=1)])
        before = fmean(row["without"] for row in some)
        better = int(np.count_nonzero(table.mean(axis=1) > 0))
        lines.append([name, str(len(images)), f"{before:.3f}", *cells, str(better)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def print_costs() -> None:
    """What one megapixel RGB costs."""
    pixels, _ = mirrored(SIDE)
    tiles = TileGrid((SIDE, SIDE)).tiles
    seconds = []
    for number in range(4):  # the first compiles
        image = image_from_pixels(np.roll(pixels, number, axis=1))  # another one, of which nothing is kept
        spec = with_constants(LEARNED, image.pixels)
        begun = time.process_time()
        for tile in tiles:
            keep_cells(image, spec, tile.rows, tile.columns)
        seconds.append(time.process_time() - begun)
    print(f"the network, once an image: {min(seconds[1:]):.2f} s")
    for name, spec in (("without", FeatureSpec()), ("with", LEARNED)):
        held = sum(bit_planes_bytes(spec, 3, tile) for tile in tiles)
        strokes = median(stroke_seconds(spec, ENOUGH))
        print(f"{name}: a stroke {1000 * strokes:.0f} ms, bits {held / 2**20:.0f} MB")


if __name__ == "__main__":
    print_costs()
