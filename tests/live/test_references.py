"""While kernels are compiled, references compute the same bytes, and load no compiler."""

import subprocess
import sys

import numpy as np
import pytest

from segmentation._shared.kernels import kernels_are_ready, references_instead
from segmentation._shared.tiling import TileGrid
from segmentation.features.cache import FeatureCache
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live.ahead import compute_ahead
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage
from tests.support import ROOT

WAVES = np.sin(np.arange(150) / 9)[:, None] + np.cos(np.arange(200) / 7)


def image_of(channels, dtype, shape=WAVES.shape):
    noise = np.random.default_rng(0).normal(size=(*shape, channels)) / 3
    pixels = (WAVES[: shape[0], : shape[1], None] + noise + 2) / 4
    values = pixels.astype(dtype) if np.dtype(dtype).kind == "f" else (pixels * 200).astype(dtype)
    return image_from_pixels(values[..., 0] if channels == 1 else values)


def labels_of(shape, strokes):
    labels = np.zeros(shape, np.uint8)
    for class_id, row, column in strokes:
        row, column = min(row, shape[0] - 1), min(column, shape[1] - 1)
        labels[row : row + 4, column : column + 30] = class_id
    return labels


def overlay(live, image, classifier, order):
    segmentation = np.zeros(image.shape, np.uint8)
    for tile, ids in live.segment_tiles(image, classifier, order):
        segmentation[tile.rows, tile.columns] = ids
    return segmentation


def work(live, image, spec, forest):
    """What a person gets for some strokes, as bytes: forests, overlays, probabilities; and drafts, if there are any."""
    order = TileGrid(image.shape, 64).order((0, *image.shape, 0))
    compute_ahead(live, image, spec, forest, order)
    strokes, results = [(1, 2, 3), (2, 60, 60)], []
    for further in ([], [(2, 0, 0)], [(3, 100, 2), (1, 55, 20)]):
        strokes += further
        labels = labels_of(image.shape, strokes)
        classifier = live.train([LabelledImage.from_image(image, labels)], spec, forest)
        results += [getattr(classifier.forest_, field).tobytes() for field in ("feature", "threshold", "probabilities")]
        live.draft(image, classifier, order)
        results.append(overlay(live, image, classifier, order).tobytes())
        results += [live.probabilities(image, classifier, tile).tobytes() for tile in order[:2]]
    return results


@pytest.mark.slow
@pytest.mark.parametrize("budget", [0, 10**8])
@pytest.mark.parametrize(
    ("image", "spec", "forest"),
    [
        (image_of(3, np.uint8), FeatureSpec(sigma_max=4), ForestSettings(n_estimators=8)),
        (image_of(1, np.uint16), FeatureSpec(texture=False), ForestSettings(n_estimators=5, max_depth=3)),
        (image_of(2, np.float32), FeatureSpec(sigma_max=2, edges=False), ForestSettings("random_forest", 5)),
        (image_of(1, np.uint8, (150, 1)), FeatureSpec(sigma_max=2), ForestSettings(n_estimators=3)),
        (image_of(1, np.uint8), FeatureSpec(sigma_max=1, learned=True), ForestSettings(n_estimators=5)),
        (image_of(1, np.int16, (1, 200)), FeatureSpec(sigma_max=1, intensity=False), ForestSettings(n_estimators=3)),
    ],
    ids=["defaults", "shallow", "random forest", "a column", "learned", "a row"],
)
def test_what_a_person_gets_is_the_same(image, spec, forest, budget):
    with references_instead():
        assert not kernels_are_ready()
        by_reference = work(LiveSegmenter(FeatureCache(budget), threads=2), image, spec, forest)
    assert kernels_are_ready()
    assert work(LiveSegmenter(FeatureCache(budget), threads=2), image, spec, forest) == by_reference


def test_what_references_have_cached_serves_kernels():
    image, spec, forest = image_of(3, np.uint8), FeatureSpec(sigma_max=4), ForestSettings(n_estimators=8)
    live = LiveSegmenter(FeatureCache(10**8), threads=2)
    with references_instead():
        expected = work(live, image, spec, forest)
    live.classifiers.make_room(live.classifiers.budget)  # so that they are grown anew
    assert work(live, image, spec, forest) == expected


@pytest.mark.slow
def test_references_load_no_compiler():
    code = """
import sys
import numpy as np
from segmentation._shared.kernels import references_instead
from segmentation.strokes.raster import rasterise
from tests.live.test_references import LiveSegmenter, FeatureCache, FeatureSpec, ForestSettings, image_of, work

with references_instead():
    work(LiveSegmenter(FeatureCache(10**8)), image_of(3, np.uint8), FeatureSpec(), ForestSettings(n_estimators=5))
    corners = [(3, 4), (9, 30), (40, 12)]
    for kind, points in [("path", corners), ("polygon", corners), ("rectangle", corners[:2]), ("circle", corners[:2])]:
        assert rasterise([{"class_id": 1, "kind": kind, "points": points, "width": 3}], (60, 60)).any()
assert not {"numba", "llvmlite"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
