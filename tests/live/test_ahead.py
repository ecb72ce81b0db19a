"""What is computed before the first stroke, so that what is learnt from it only has to be walked."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation._shared.tiling import TileGrid
from segmentation.features.cache import FeatureCache
from segmentation.features.planes_on_disk import PlanesOnDisk
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import Bins
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live import ahead
from segmentation.live.ahead import compute_ahead
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.model.labelled import LabelledImage

pytestmark = pytest.mark.usefixtures("kernels")

SPEC = FeatureSpec(sigma_max=2)
FOREST = ForestSettings(n_estimators=8)
PIXELS = np.random.default_rng(0).normal(100, 20, (150, 170, 3))
PIXELS[40:90, 60:140] += 70
IMAGE = image_from_pixels(PIXELS.clip(0, 255).astype(np.uint8))
TILES = TileGrid(IMAGE.shape, 64).order()


def labels_of_two_strokes():
    labels = np.zeros(IMAGE.shape, np.uint8)
    labels[50:53, 70:100], labels[10:13, 20:60] = 1, 2
    return labels


def segmented(live, classifier):
    found = np.zeros(IMAGE.shape, np.uint8)
    for tile, ids in live.segment_tiles(IMAGE, classifier, TILES):
        found[tile.rows, tile.columns] = ids
    return found


@pytest.mark.parametrize("on_disk", [False, True], ids=["in memory", "on the disk"])
@pytest.mark.parametrize(
    ("spec", "forest"),
    [
        (SPEC, FOREST),
        (FeatureSpec(sigma_max=2, standardise=True), FOREST),
        (FeatureSpec(sigma_max=1, learned=True), FOREST),
        (SPEC, ForestSettings("random_forest", 5, range_steps=8, range_margin=1)),
    ],
    ids=["defaults", "standardised", "learned", "random forest"],
)
def test_the_first_strokes_find_all_at_hand(spec, forest, on_disk, tmp_path, monkeypatch):
    disk = PlanesOnDisk(Path(tmp_path), 10**9)
    live = LiveSegmenter(FeatureCache(0, disk) if on_disk else FeatureCache(10**9))
    compute_ahead(live, IMAGE, spec, forest, TILES)
    labels = labels_of_two_strokes()
    classifier = live.train([LabelledImage.from_image(IMAGE, labels)], spec, forest)
    assert live.are_at_hand(IMAGE, classifier, TILES)
    monkeypatch.setattr("segmentation.features.bit_planes.compute_of", None)  # nothing is computed any more
    found = segmented(live, classifier)
    expected = PixelClassifier(spec, **forest.to_json()).fit(IMAGE, labels)
    assert np.array_equal(found, expected.predict(IMAGE))


@pytest.mark.parametrize("forest", [ForestSettings(n_estimators=8, max_depth=3), ForestSettings(image_ranges=False)])
def test_for_what_is_not_walked_on_bits_that_are_known_tiles_are_smoothed(forest):
    live = LiveSegmenter(FeatureCache(10**9))
    compute_ahead(live, IMAGE, SPEC, forest, TILES)
    assert all(live.cache.peek(IMAGE, SPEC, tile) for tile in TILES)


def test_no_more_is_computed_than_there_is_room_for_or_than_is_of_use(monkeypatch):
    classifier = PixelClassifier(SPEC, n_estimators=8).fit(IMAGE, labels_of_two_strokes())
    monkeypatch.setattr(ahead, "MOST_TILES", 2)
    live = LiveSegmenter(FeatureCache(10**9))
    compute_ahead(live, IMAGE, SPEC, FOREST, TILES)
    assert [live.are_at_hand(IMAGE, classifier, [tile]) for tile in TILES] == [True] * 2 + [False] * (len(TILES) - 2)
    none = LiveSegmenter(FeatureCache(0))
    compute_ahead(none, IMAGE, SPEC, FOREST, TILES)
    assert not any(none.are_at_hand(IMAGE, classifier, [tile]) for tile in TILES)


def test_who_is_stale_computes_no_more():
    live, asked = LiveSegmenter(FeatureCache(10**9)), []
    classifier = PixelClassifier(SPEC, n_estimators=8).fit(IMAGE, labels_of_two_strokes())
    compute_ahead(live, IMAGE, SPEC, FOREST, TILES, stale=lambda: asked.append(1) or len(asked) > 2)
    assert [live.are_at_hand(IMAGE, classifier, [tile]) for tile in TILES[:2]] == [True, False]


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2, 4, 8]), st.floats(0, 1))
def test_rows_within_ranges_have_the_bins_of_the_ranges(seed, steps, margin):
    random = np.random.default_rng(seed)
    ends = np.sort(random.normal(0, 10.0 ** random.integers(-3, 6), (2, 5)).astype(np.float32), axis=0)
    rows = (ends[0] + random.random((7, 5)) * (ends[1] - ends[0])).astype(np.float32).clip(*ends)
    found, expected = Bins.of_ranges(ends, steps), Bins.of_rows(rows, steps, ends, margin)
    assert np.array_equal(found.low, expected.low)
    assert np.array_equal(found.scale, expected.scale)
