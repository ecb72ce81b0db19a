"""Between which values features of an image lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.tiling import TileGrid
from segmentation.features.compute import compute_planes
from segmentation.features.pointwise import with_constants
from segmentation.features.ranges import MOST_BLOCKS, PIXELS, blocks_in_tiles, feature_ranges
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.io.no_data import LARGEST_VALUE

SPEC = FeatureSpec(sigma_max=2, colour=False)


@given(st.integers(1, 30_000), st.integers(1, 30_000))
@settings(deadline=None, max_examples=60)
def test_blocks_lie_apart_each_in_a_tile_of_its_own_and_are_bounded(rows, columns):
    blocks = blocks_in_tiles((rows, columns))
    tiles = TileGrid((rows, columns)).tiles
    assert 1 <= len(blocks) <= MOST_BLOCKS
    assert len(blocks) >= min(len(tiles), MOST_BLOCKS // 2)
    assert len({tile.index for tile, _ in blocks}) == len(blocks)
    assert sum(block.shape[0] * block.shape[1] for _, block in blocks) <= PIXELS
    for tile, block in blocks:
        assert tile == tiles[tile.index]
        assert tile.rows.start <= block.rows.start < block.rows.stop <= tile.rows.stop
        assert tile.columns.start <= block.columns.start < block.columns.stop <= tile.columns.stop


@pytest.mark.parametrize(("high", "wide"), [(1, 16), (16, 1), (2, 8), (4, 4), (40, 4), (100, 100)])
def test_there_are_as_many_blocks_as_may_be(high, wide):
    assert len(blocks_in_tiles((256 * high, 256 * wide))) == MOST_BLOCKS


def noise(rows, columns, seed=0):
    return np.random.default_rng(seed).normal(0.5, 0.2, (rows, columns)).astype(np.float32)


@pytest.mark.parametrize("shape", [(3, 5), (200, 256), (300, 520)])
def test_ranges_are_those_of_the_features_in_the_blocks(shape):
    image = image_from_pixels(noise(*shape))
    planes = compute_planes(image.pixels, SPEC)
    inside = np.zeros(shape, bool)
    for _, block in blocks_in_tiles(shape):
        inside[block.rows, block.columns] = True
    assert inside.all() == (shape[1] <= 256)
    expected = np.stack([planes[:, inside].min(axis=1), planes[:, inside].max(axis=1)])
    for threads in (1, 3):
        assert np.array_equal(feature_ranges(image, SPEC, threads=threads), expected)


def test_smoothed_tiles_change_nothing():
    image = image_from_pixels(noise(300, 520))

    def smoothed(tile):
        return Smoothed.compute(image.pixels, SPEC, tile.rows, tile.columns) if tile.index % 2 else None

    assert np.array_equal(feature_ranges(image, SPEC, smoothed=smoothed), feature_ranges(image, SPEC))


def test_pixels_without_data_do_not_count():
    pixels = noise(40, 60)
    pixels[:, :30] = np.nan
    image = image_from_pixels(pixels)
    planes = compute_planes(image.pixels, SPEC)[:, :, 30:].reshape(SPEC.count(1), -1)
    assert np.array_equal(feature_ranges(image, SPEC), np.stack([planes.min(axis=1), planes.max(axis=1)]))


def test_of_an_image_without_data_nothing_is_known():
    image = image_from_pixels(np.array([[np.nan, 1.0], [np.nan, np.nan]], np.float32))
    image.no_data[:] = True
    assert np.isnan(feature_ranges(image, SPEC)).all()


def test_values_of_any_size_give_ranges_that_are_finite():
    random = np.random.default_rng(0)
    for channels in ((), (3,)):
        pixels = LARGEST_VALUE * random.choice([-1, -0.1, 0, 0.5, 1], (60, 70, *channels))
        image = image_from_pixels(pixels.astype(np.float64))
        spec = with_constants(FeatureSpec(sigma_min=0.1, sigma_max=4), image.pixels)
        assert image.no_data is None
        assert np.isfinite(feature_ranges(image, spec)).all()
