"""The engine against what users would otherwise run: features, forest and fit, side by side in one run.

``python -m benchmarks.engine`` prints the table. Two threads each; medians of five, the two taking turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.feature import multiscale_basic_features
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from benchmarks.inputs import SAME_KINDS, careful_strokes, mirrored
from segmentation.features.compute import compute_planes
from segmentation.forest.forest import Forest
from segmentation.forest.growing import grow_forest
from segmentation.forest.settings import ForestSettings
from segmentation.model.classifier import PixelClassifier
from segmentation.strokes.raster import rasterise

THREADS = 2
TIMES = 5
TRAINING_PIXELS = 5_000
CLASSES = 3
PREDICTED_ROWS = 1 << 19
SIDES = (1024, 2048, 4096, 8192)


def in_turn(*works: Callable[[], Any]) -> list[float]:
    """Median seconds of each piece of work, after one go that does not count; they take turns."""
    for work in works:
        work()
    return turns(*works)


def turns(*works: Callable[[], Any]) -> list[float]:
    """Median seconds of each piece of work; they take turns, so that a slow minute of the machine meets all of them."""
    found: list[list[float]] = [[] for _ in works]
    for _ in range(TIMES):
        for work, seconds in zip(works, found, strict=True):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
    return [median(seconds) for seconds in found]


def feature_rows() -> list[dict[str, Any]]:
    """The kinds of features that scikit-image has, sigma 0.5 to 16, against it."""
    rows = []
    for channels, name in ((3, "RGB"), (1, "grey")):
        for side, megapixels in ((512, "0.25"), (1024, "1"), (2048, "4")):
            pixels = mirrored(side)[0] if channels == 3 else np.ascontiguousarray(mirrored(side)[0][..., 0])
            out = compute_planes(pixels, SAME_KINDS, threads=THREADS)

            def ours(pixels: NDArray[np.uint8] = pixels, out: NDArray[np.float32] = out) -> object:
                return compute_planes(pixels, SAME_KINDS, threads=THREADS, out=out)

            def reference(pixels: NDArray[np.uint8] = pixels, channels: int = channels) -> object:
                axis = -1 if channels == 3 else None
                return multiscale_basic_features(pixels, channel_axis=axis, workers=THREADS)

            mine, theirs = in_turn(ours, reference)
            rows.append(row(f"features, {megapixels} megapixel {name}", mine, theirs, "at least 15x"))
    return rows


def labelled() -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8]]:
    """Planes of one megapixel RGB, and feature rows and classes of 5,000 pixels under strokes of three classes."""
    pixels, mask = mirrored(1024)
    bright = pixels.mean(axis=2) > np.median(pixels.mean(axis=2)[mask == 1])
    three = np.where((mask == 1) & bright, CLASSES, mask).astype(np.uint8)
    labels = rasterise(careful_strokes(three, 8), three.shape)
    planes = compute_planes(pixels, SAME_KINDS, threads=THREADS)
    places = np.flatnonzero(labels)
    chosen = np.sort(np.random.default_rng(0).permutation(places)[:TRAINING_PIXELS])
    return planes, np.ascontiguousarray(planes.reshape(len(planes), -1)[:, chosen].T), labels.ravel()[chosen]


def forest_rows() -> list[dict[str, Any]]:
    """Prediction and fit on 5,000 labelled pixels of three classes, 72 features, against scikit-learn."""
    planes, training, class_ids = labelled()
    some = np.ascontiguousarray(planes.reshape(len(planes), -1)[:, :PREDICTED_ROWS])
    as_rows = np.ascontiguousarray(some.T)
    default = ForestSettings()
    grown = grow_forest(training, class_ids, default, THREADS)
    theirs_of = {
        "50 trees, depth 8, 5 % of the samples": RandomForestClassifier(
            50, max_depth=8, max_samples=0.05, random_state=0
        ).fit(training, class_ids),
        "our default forest": grown.to_sklearn(np.unique(class_ids)),
        "100 trees, unlimited, all samples": RandomForestClassifier(100, random_state=0).fit(training, class_ids),
    }
    rows = []
    for (name, model), goal in zip(theirs_of.items(), ("8x", "80x", "4x"), strict=True):
        model.n_jobs = THREADS
        forest = grown if name == "our default forest" else Forest.from_sklearn(model)

        def ours(forest: Forest = forest) -> object:
            return forest.predict_proba(some, threads=THREADS)

        def reference(model: RandomForestClassifier = model) -> object:
            return model.predict_proba(as_rows)

        mine, theirs = in_turn(ours, reference)
        rows.append(row(f"prediction, {name}, 0.5 megapixel", mine, theirs, f"at least {goal}"))

    def grow() -> object:
        return grow_forest(training, class_ids, default, THREADS)

    def reference_growing() -> object:
        model = ExtraTreesClassifier(100, bootstrap=True, max_samples=default.max_samples, n_jobs=THREADS)
        return model.fit(training, class_ids)

    mine, theirs = in_turn(grow, reference_growing)
    rows.append(row("fit, 5,000 labelled pixels, 72 features, our default forest", mine, theirs, "at least 5x"))
    return rows


def size_rows() -> list[dict[str, Any]]:
    """Features and prediction together, tile by tile, from 1 to 64 megapixels RGB: seconds a megapixel."""
    pixels, mask = mirrored(1024)
    labels = rasterise(careful_strokes(mask, 4), mask.shape)
    classifier = PixelClassifier(threads=THREADS).fit(pixels, labels)
    images = {side * side / 2**20: mirrored(side)[0] for side in SIDES}
    classifier.predict(pixels)
    seconds = turns(*(partial(classifier.predict, image) for image in images.values()))
    costs = {megapixels: cost / (megapixels * 2**20 / 1e6) for megapixels, cost in zip(images, seconds, strict=True)}
    slowest, fastest = max(costs.values()), min(costs.values())
    listed = ", ".join(f"{1000 * cost:.0f} at {megapixels:.0f}" for megapixels, cost in costs.items())
    name = f"slowest against fastest cost a megapixel RGB, features and prediction (ms: {listed} megapixels)"
    return [{"figure": name, "ours": slowest / fastest, "reference": None, "unit": "x", "goal": "1.2x"}]


def row(figure: str, ours: float, reference: float | None, goal: str) -> dict[str, Any]:
    """A line of the table, in milliseconds."""
    theirs = None if reference is None else 1000 * reference
    return {"figure": figure, "ours": 1000 * ours, "reference": theirs, "unit": "ms", "goal": goal}


def engine_rows() -> list[dict[str, Any]]:
    """The figures of the engine: figure, ours, reference, unit, goal."""
    return feature_rows() + forest_rows() + size_rows()


if __name__ == "__main__":
    from benchmarks.table import markdown

    print(markdown(engine_rows()))
