"""Ranges of features of images, from stroke to stroke."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from segmentation._shared.tiling import TileGrid
from segmentation.features import learned_planes
from segmentation.features.cache import FeatureCache
from segmentation.features.compute import compute_planes
from segmentation.features.learned.network import cells_of
from segmentation.features.ranges import feature_ranges
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live.ahead import compute_ahead
from segmentation.live.image_ranges import CachedEnds, CachedRanges
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage

pytestmark = pytest.mark.usefixtures("kernels")

SPEC = FeatureSpec(texture=False, sigma_max=2)
FOREST = ForestSettings(n_estimators=8)
IMAGE = image_from_pixels(np.random.default_rng(0).integers(0, 256, (60, 300, 3), np.uint8))
GRID = TileGrid(IMAGE.shape)


def strokes(count):
    """Labels after each of ``count`` strokes."""
    random = np.random.default_rng(0)
    labels = np.zeros(IMAGE.shape, np.uint8)
    labels[:2, :5] = 2
    for _ in range(count):
        row, column = (random.integers(0, length) for length in IMAGE.shape)
        labels[row : row + 3, column : column + 9] = 1
        yield labels.copy()


def bins_after_each(live, forest, spec=SPEC):
    return [live.train([LabelledImage.from_image(IMAGE, one)], spec, forest).forest_.bins for one in strokes(6)]


@pytest.fixture
def asked(monkeypatch):
    """The hashes of the images of which ranges were computed."""
    hashes = []

    def ranges(image, spec, **kwargs):
        hashes.append(image.hash)
        return feature_ranges(image, spec, **kwargs)

    monkeypatch.setattr("segmentation.live.image_ranges.feature_ranges", ranges)
    return hashes


def test_they_are_computed_once_whatever_is_drawn(asked):
    live = LiveSegmenter(FeatureCache(10**8))
    compute_ahead(live, IMAGE, SPEC, FOREST, GRID.order())
    assert asked == [IMAGE.hash]
    bins_after_each(live, FOREST)
    assert asked == [IMAGE.hash]


@pytest.mark.parametrize("standardise", [False, True])
def test_those_of_features_with_constants_are_prepared_too(asked, standardise):
    spec = FeatureSpec(sigma_max=2, standardise=standardise)
    live = LiveSegmenter(FeatureCache(10**8))
    compute_ahead(live, IMAGE, spec, FOREST, GRID.order())
    bins_after_each(live, FOREST, spec)
    assert len(asked) == 1


def test_those_of_learned_texture_are_prepared_where_some_pixels_hold_no_data(asked, monkeypatch):
    pixels = IMAGE.pixels.astype(np.float32)
    pixels[:, 40:140] = np.nan
    pixels[::2, 140:] *= 9
    image, spec = image_from_pixels(pixels), FeatureSpec(texture=False, sigma_max=2, learned=True)
    computed = []
    monkeypatch.setattr(learned_planes, "cells_of", lambda seen: computed.append(seen.shape) or cells_of(seen))
    live = LiveSegmenter(FeatureCache(10**8))
    compute_ahead(live, image, spec, FOREST, GRID.order())
    prepared = len(computed)
    (first,) = list(strokes(1))
    live.train([LabelledImage.from_image(image, first)], spec, FOREST)
    assert len(asked) == 1
    assert len(computed) == prepared > 0


def test_without_room_for_smoothed_tiles_they_are_prepared_still(asked):
    compute_ahead(LiveSegmenter(FeatureCache(0)), IMAGE, SPEC, FOREST, GRID.order())
    assert asked == [IMAGE.hash]


def test_nothing_is_prepared_of_channels_that_the_image_lacks(asked):
    live = LiveSegmenter(FeatureCache(10**8))
    compute_ahead(live, IMAGE, FeatureSpec(sigma_max=2, channels=(5,)), FOREST, GRID.order())
    assert asked == []


def test_who_does_not_want_them_does_not_wait_for_them(asked):
    live = LiveSegmenter(FeatureCache(10**8))
    without = ForestSettings(n_estimators=8, image_ranges=False)
    compute_ahead(live, IMAGE, SPEC, without, GRID.order())
    compute_ahead(live, IMAGE, SPEC, FOREST, GRID.order(), stale=lambda: True)
    before = bins_after_each(live, without)
    assert asked == []
    assert len(before[-1].differing(before[0]))


def test_those_of_an_image_of_any_size_are_computed_once_for_each_spec(monkeypatch):
    computed = []

    def ranges(pyramid, spec, **kwargs):
        computed.append((pyramid.hash, spec))
        return np.full((2, 1), len(computed), np.float32)

    monkeypatch.setattr("segmentation.live.image_ranges.pyramid_ranges", ranges)
    kept = CachedRanges(FeatureCache(0), threads=1)
    other = replace(SPEC, sigma_max=4)
    for image_hash, spec in (("one", SPEC), ("two", SPEC), ("one", other)) * 2:
        kept.of_pyramid(SimpleNamespace(hash=image_hash), spec)
    assert computed == [("one", SPEC), ("two", SPEC), ("one", other)]


def test_ends_are_found_once_for_each_image_and_its_channels(monkeypatch):
    found, ends_of = [], LabelledImage.ends
    monkeypatch.setattr(LabelledImage, "ends", lambda one, seen: found.append(seen) or ends_of(one, seen))
    pixels = np.random.default_rng(0).random((60, 70, 3)) * [1, 2, 3]
    images = [image_from_pixels(some) for some in (pixels, 2 * pixels)]
    one, other = (LabelledImage.from_image(image, np.zeros((60, 70), np.uint8)) for image in images)
    kept, asked = CachedEnds(), [(one, (0,)), (one, (1,)), (one, (1, 0)), (other, (0,))]
    for image, seen in asked * 2:
        assert kept(image, seen) == ends_of(image, seen)
    assert found == [seen for _, seen in asked]


def test_a_pixel_that_lies_a_little_beyond_moves_no_range(monkeypatch):
    def narrower(image, spec, **kwargs):
        low, high = feature_ranges(image, spec, **kwargs)
        return np.stack([low + (high - low) / 8, high - (high - low) / 8])

    monkeypatch.setattr("segmentation.live.image_ranges.feature_ranges", narrower)
    first, *others = bins_after_each(LiveSegmenter(FeatureCache(0)), FOREST)
    assert all(len(one.differing(first)) == 0 for one in others)
    first, *others = bins_after_each(LiveSegmenter(FeatureCache(0)), replace(FOREST, range_margin=0.0))
    assert len(others[-1].differing(first))


def test_a_further_stroke_moves_no_range_of_a_small_image():
    first, *others = bins_after_each(LiveSegmenter(FeatureCache(0)), FOREST)
    assert all(len(one.differing(first)) == 0 for one in others)
    planes = compute_planes(IMAGE.pixels, SPEC).reshape(first.n_features, -1)
    assert (first.low <= planes.min(axis=1)).all()
