"""Volumes: what planes around and three dimensions gain over single planes, and what they cost from 64 to 512 planes.

``python -m benchmarks volumes`` draws strokes on two of the twenty sections of a volume of electron microscopy, five
times anew, and judges seven sections; all sides get the same strokes, so that gains are paired. The volume lies beside
the checkout, in ``../shared/data``, since its licence does not let it be published here; without it only speed and
memory are measured.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from tifffile import imread

from benchmarks import quality
from benchmarks.scribbles import Annotator
from benchmarks.series import run, seconds
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image
from segmentation.io.volumes import volume_planes
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

DISTANCE = 10.0
"""How far the sections of the volume lie apart, in pixels: 45 to 50 nm, of 4.6 nm."""

SEEN = {
    "single planes": FeatureSpec(),
    "1 plane around": FeatureSpec(planes_around=1),
    "3-D, planes 10 pixels apart": FeatureSpec(dimensions=3, plane_distance=DISTANCE),
    "3-D, planes 1 pixel apart": FeatureSpec(dimensions=3),
}
DRAWN_ON, JUDGED = (6, 13), (0, 3, 6, 10, 13, 16, 19)
STROKES_PER_CLASS, SEEDS = (2,), range(5)
COSTS = {
    "single planes": SEEN["single planes"],
    "1 plane around": SEEN["1 plane around"],
    "3-D, planes 5 pixels apart": FeatureSpec(dimensions=3, plane_distance=5.0),
}
SIDE, PLANES = 256, (64, 128, 256, 512)

Row = dict[str, Any]


def volume_rows(seeds: Sequence[int] = SEEDS, planes: Sequence[int] = PLANES) -> list[Row]:
    """Mean IoU of each annotation, and then speed and memory.

    Args:
        seeds: of the annotator.
        planes: numbers of planes of the volumes that are segmented.

    Returns:
        Rows with ``seen``, and ``strokes``, ``seed`` and ``iou``; or ``planes``, ``seconds`` and ``peak``, in bytes.
    """
    return [*_quality(seeds), *_costs(planes)]


def _quality(seeds: Sequence[int]) -> Iterator[Row]:
    index = quality.FURTHER_DATA / "index.json"
    for entry in json.loads(index.read_text())["images"] if index.exists() else ():
        if entry.get("axes") != "ZYX":
            continue
        pixels, masks = (imread(quality.FURTHER_DATA / entry[part]) for part in ("image", "mask"))
        annotators = [Annotator(masks[plane]) for plane in DRAWN_ON]
        for seen, spec in SEEN.items():
            images = volume_planes(pixels, spec.depth_halo)
            for count in STROKES_PER_CLASS:
                for seed in seeds:
                    labels = [rasterise(one.draw(count, seed), masks.shape[1:]) for one in annotators]
                    yield {"seen": seen, "strokes": count, "seed": seed, "iou": _iou(spec, images, labels, masks)}


def _iou(spec: FeatureSpec, images: list[Image], labels: list[NDArray[np.uint8]], masks: NDArray[np.uint8]) -> float:
    classifier = PixelClassifier(spec, **ForestSettings().to_json())
    classifier.fit([images[plane] for plane in DRAWN_ON], labels)
    found = np.stack([classifier.predict(images[plane]) for plane in JUDGED])
    return quality.mean_iou(masks[list(JUDGED)], found)


def _costs(planes: Sequence[int]) -> Iterator[Row]:
    rng = np.random.default_rng(0)
    most = rng.integers(0, 90, (max(planes), SIDE, SIDE)).astype(np.uint8)
    most[:, :, SIDE // 2 :] += 100
    labels = np.zeros(most[:8].shape, np.uint8)
    labels[4, 50:100, 40:60], labels[4, 50:100, 180:200] = 1, 2
    with tempfile.TemporaryDirectory() as folder:
        desk = Path(folder)
        for count in planes:
            chunks = (16, SIDE, SIDE)
            array = zarr.create_array(
                desk / f"{count}.zarr", data=most[:count], chunks=chunks, dimension_names=("z", "y", "x")
            )
            assert array.shape[0] == count
        for number, (seen, spec) in enumerate(COSTS.items()):
            model = f"{number}.squiggle"
            trained = PixelClassifier(spec).fit(*_learnt_from(most[:8], labels, spec))
            trained.save(desk / model)
            run(desk, "apply", model, f"{planes[0]}.zarr", "-o", f"first{number}", "--quiet")  # compiles once for ever
            for count in planes:
                typed = ["apply", model, f"{count}.zarr", "-o", f"out{number}-{count}", "--threads", "2", "--quiet"]
                peaks: list[int] = []
                taken = seconds(lambda typed=typed, peaks=peaks: peaks.append(run(desk, *typed)))  # type: ignore[misc]
                yield {"seen": seen, "planes": count, "seconds": taken, "peak": peaks[0]}


def _learnt_from(pixels: NDArray[np.uint8], labels: NDArray[np.uint8], spec: FeatureSpec) -> tuple[Any, Any]:
    """A volume with its labels, or the one plane of it that has some."""
    return (pixels, labels) if spec.looks_around else (pixels[4], labels[4])


def markdown(rows: Sequence[Row]) -> str:
    """Two tables: mean IoU and its gain over single planes, by strokes; and speed and memory, by planes.

    Behind ± is the standard error over the annotations, of one volume.
    """
    scored, timed = [row for row in rows if "iou" in row], [row for row in rows if "peak" in row]
    return "\n\n".join(table for table in (_gains(scored), _speeds(timed)) if table)


def _gains(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    counts = sorted({row["strokes"] for row in rows})
    titles = [f"gain, {count} stroke{'s'[: count > 1]} a class and plane" for count in counts]
    lines = [["features of", "mean IoU", *titles, "gain, all"], ["---"] * (len(counts) + 3)]
    base, *_ = seen = list(dict.fromkeys(row["seen"] for row in rows))
    for one in seen:
        found = np.array([[row["iou"] for row in rows if (row["seen"], row["strokes"]) == (one, n)] for n in counts])
        plain = np.array([[row["iou"] for row in rows if (row["seen"], row["strokes"]) == (base, n)] for n in counts])
        gains = found - plain
        cells = (
            [_with_error(gain) for gain in [*gains, gains.mean(axis=0)]] if one != base else [""] * len([*counts, 0])
        )
        lines.append([one, f"{found.mean():.3f}", *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _with_error(gains: NDArray[np.float64]) -> str:
    return f"{gains.mean():+.3f} ± {gains.std(ddof=1) / np.sqrt(len(gains)):.3f}"


def _speeds(rows: Sequence[Row]) -> str:
    if not rows:
        return ""
    counts = sorted({row["planes"] for row in rows})
    lines = [
        ["features of", *(f"{count} planes" for count in counts)],
        ["---", *("---:" for _ in counts)],
    ]
    for one in dict.fromkeys(row["seen"] for row in rows):
        of = {row["planes"]: row for row in rows if row["seen"] == one}
        cells = [
            f"{count * SIDE * SIDE / 1e6 / of[count]['seconds']:.2f} megapixels/s, {of[count]['peak'] / 1e6:.0f} MB"
            for count in counts
        ]
        lines.append([one, *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
