"""Pixels that hold no data are neither segmented nor counted nor learnt from, whatever computes."""

import numpy as np
import pytest
import tifffile
import zarr

import segmentation as seg
from segmentation._shared.tiling import TileGrid
from segmentation.features.cache import FeatureCache
from segmentation.io import zarr_images
from segmentation.io.display import display_pixels, display_range
from segmentation.io.image import image_from_pixels
from segmentation.io.shares import class_shares
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage

RNG = np.random.default_rng(11)
SPEC = seg.FeatureSpec(sigma_max=4)
ROWS, COLUMNS = 300, 290


def scene(channels=None):
    """A float scene in a slanted frame of NaN, with holes."""
    row, column = np.mgrid[:ROWS, :COLUMNS]
    pixels = RNG.normal(0, 0.1, (ROWS, COLUMNS)) + (column > COLUMNS / 2)
    outside = (row + column < 120) | (row - column > 200) | ((row % 97 < 20) & (column % 83 < 30))
    outside |= RNG.random(outside.shape) < 0.01
    if channels:
        pixels = np.dstack([pixels] * channels)
    pixels[outside] = np.nan
    return pixels.astype(np.float32), outside


@pytest.fixture(scope="module")
def trained():
    pixels, outside = scene()
    labels = np.zeros(outside.shape, np.uint8)
    labels[100:220, 60:70], labels[100:220, 200:210] = 1, 2
    return pixels, outside, labels, seg.PixelClassifier(SPEC, n_estimators=10).fit(pixels, labels)


@pytest.mark.parametrize("channels", [None, 2, 4])
def test_they_are_shown_black_and_the_others_as_they_are(channels):
    pixels, outside = scene(channels)
    image = image_from_pixels(pixels)
    shown = display_pixels(image, rows=slice(40, 250))
    assert not shown[outside[40:250]].any()
    whole = display_pixels(image_from_pixels(np.array(image.pixels)), rows=slice(40, 250), ranges=display_range(image))
    assert np.array_equal(shown[~outside[40:250]], whole[~outside[40:250]])


def test_results_are_0_there_and_a_class_elsewhere(trained):
    pixels, outside, _, classifier = trained
    found, probabilities = classifier.predict(pixels), classifier.predict_proba(pixels)
    np.testing.assert_array_equal(found == 0, outside)
    assert not probabilities[outside].any()
    np.testing.assert_allclose(probabilities[~outside].sum(axis=1), 1, rtol=1e-5)
    shares = class_shares(found, [1, 2])
    assert sum(one.pixels for one in shares) == np.count_nonzero(~outside)
    assert sum(one.share for one in shares) == pytest.approx(1)


def test_labels_there_teach_nothing(trained):
    pixels, outside, labels, classifier = trained
    without = np.where(outside, 0, labels).astype(np.uint8)
    assert (without != labels).any()
    again = seg.PixelClassifier(SPEC, n_estimators=10).fit(pixels, without)
    assert again.training_ == classifier.training_
    np.testing.assert_array_equal(again.pixels_.features, classifier.pixels_.features)
    with pytest.raises(ValueError, match="class"):
        seg.PixelClassifier(SPEC).fit(pixels, np.where(outside, 1, 0).astype(np.uint8))


def test_what_stood_there_does_not_matter(trained):
    pixels, outside, _, classifier = trained
    other = np.where(outside, -np.inf, pixels)
    np.testing.assert_array_equal(classifier.predict(other), classifier.predict(pixels))


@pytest.mark.slow
def test_the_reference_says_the_same(trained):
    pixels, _, _, classifier = trained
    small = pixels[60:180, 40:160]
    reference = seg.PixelClassifier(SPEC, n_estimators=10, engine="reference")
    vars(reference).update({name: value for name, value in vars(classifier).items() if name.endswith("_")})
    np.testing.assert_array_equal(reference.predict(small), classifier.predict(small))


def test_the_page_says_the_same_tile_by_tile(trained):
    pixels, outside, labels, classifier = trained
    image = image_from_pixels(pixels)
    live = LiveSegmenter(FeatureCache(2**26))
    settings = seg.ForestSettings(n_estimators=10)
    learnt = live.train([LabelledImage.from_image(image, labels)], SPEC, settings)
    expected = classifier.predict(image)
    for _ in range(2):
        for tile in TileGrid(image.shape).tiles:
            place = tile.rows, tile.columns
            np.testing.assert_array_equal(live.segment(image, learnt, tile), expected[place])
            assert not live.probabilities(image, learnt, tile)[:, outside[place]].any()


def test_drafts_leave_them_out():
    pixels, outside = (np.tile(part, (3, 3)) for part in scene())
    image = image_from_pixels(pixels)
    labels = np.zeros(outside.shape, np.uint8)
    labels[100:220, 60:70], labels[100:220, 200:210] = 1, 2
    settings = seg.ForestSettings(kind="random_forest", n_estimators=5, max_depth=4)
    live = LiveSegmenter(FeatureCache(0))
    learnt = live.train([LabelledImage.from_image(image, labels)], SPEC, settings)
    tiles = TileGrid(image.shape).tiles
    whole = np.zeros(image.shape, np.uint8)
    for tile in tiles:
        whole[tile.rows, tile.columns] = live.segment(image, learnt, tile)
    np.testing.assert_array_equal(whole == 0, outside)
    step = int(np.ceil(np.sqrt(whole.size / 2**14)))
    first = (step - 1) // 2
    drafts = live.draft(image, learnt, tiles)
    assert drafts
    for tile, ids in drafts:
        np.testing.assert_array_equal(ids, whole[tile.rows, tile.columns][first::step, first::step])


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_series_say_the_same(trained, tmp_path, workers):
    pixels, outside, _, classifier = trained
    tifffile.imwrite(tmp_path / "scene.tif", pixels)
    tifffile.imwrite(tmp_path / "whole.tif", np.nan_to_num(pixels))
    paths = [tmp_path / "scene.tif", tmp_path / "whole.tif"]
    report = seg.apply_series(classifier, paths, tmp_path / "out", table=True, probabilities=True, workers=workers)
    assert not report.failed
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out/scene.tif"), classifier.predict(pixels))
    assert not tifffile.imread(tmp_path / "out/scene.probabilities.tif")[:, outside].any()
    rows = [line.split(",") for line in (tmp_path / "out/shares.csv").read_text().splitlines()[1:]]
    of_scene = [row for row in rows if row[0] == "scene.tif"]
    assert sum(int(row[4]) for row in of_scene) == np.count_nonzero(~outside)
    assert sum(float(row[5]) for row in of_scene) == pytest.approx(100, abs=0.01)


def test_blocks_of_zarr_say_the_same(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)
    pixels, _, _, classifier = trained
    zarr.save_array(tmp_path / "scene.zarr", pixels)
    report = seg.apply_series(classifier, tmp_path / "scene.zarr", tmp_path / "out")
    assert not report.failed
    found = zarr.open(tmp_path / "out/scene.zarr", mode="r")[:]
    np.testing.assert_array_equal(found, classifier.predict(pixels))


def test_the_clean_up_leaves_them_out(trained):
    pixels, outside, _, classifier = trained
    cleaned = classifier.with_clean_up(({"kind": "fill_holes", "size": 1000}, {"kind": "smooth", "size": 3}))
    assert not cleaned.predict(pixels)[outside].any()


def test_several_channels(trained):
    pixels, outside = scene(channels=3)
    labels = np.zeros(outside.shape, np.uint8)
    labels[100:220, 60:70], labels[100:220, 200:210] = 1, 2
    pixels[150, 150, 1] = np.nan
    found = seg.PixelClassifier(SPEC, n_estimators=5).fit(pixels, labels).predict(pixels)
    outside[150, 150] = True
    np.testing.assert_array_equal(found == 0, outside)
