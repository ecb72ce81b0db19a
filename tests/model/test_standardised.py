"""Brightness or colour differs between images: the same bytes by every way."""

import numpy as np
import pytest
import zarr

from segmentation.__main__ import main
from segmentation._shared.tiling import TileGrid
from segmentation.features.all_pixels import compute_features
from segmentation.features.cache import FeatureCache
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.io.read import read_image
from segmentation.live.ahead import compute_ahead
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier, load_classifier
from segmentation.model.labelled import LabelledImage
from segmentation.model.modelfile import load_model
from segmentation.series.run import apply_series

pytestmark = pytest.mark.usefixtures("kernels")

SPEC = FeatureSpec(sigma_max=4, standardise=True)
SETTINGS = ForestSettings(n_estimators=12)


def scene(gain=1.0, channels=3, seed=0):
    """Noisy squares, and what is true; of another light with another gain."""
    random = np.random.default_rng(seed)
    truth = np.where((np.indices((80, 96)) // 16).sum(0) % 2, 2, 1).astype(np.uint8)
    pixels = np.where(truth == 2, 110, 60)[..., None] + random.integers(-20, 20, (*truth.shape, channels))
    return (gain * pixels).astype(np.uint8).squeeze(), truth


def labels_of(truth):
    labels = np.zeros_like(truth)
    labels[::5, ::3] = truth[::5, ::3]
    return labels


@pytest.fixture(scope="module")
def classifier():
    pixels, truth = scene()
    return PixelClassifier(SPEC, **SETTINGS.to_json()).fit(pixels, labels_of(truth))


def test_another_light_is_segmented_as_well(classifier):
    pixels, truth = scene(gain=0.4, seed=1)
    plain = PixelClassifier(FeatureSpec(sigma_max=4), n_estimators=12).fit(*map(np.asarray, _first()))
    assert (classifier.predict(pixels) == truth).mean() > 0.95
    assert (plain.predict(pixels) == truth).mean() < 0.7


def _first():
    pixels, truth = scene()
    return pixels, labels_of(truth)


def test_file_engines_and_threads_give_the_same_bytes(classifier, tmp_path):
    pixels, _ = scene(gain=0.5, seed=2)
    expected = classifier.predict(pixels)
    classifier.save(tmp_path / "model.squiggle")
    assert load_model(tmp_path / "model.squiggle").spec.standardise
    for engine, threads in (("compiled", 1), ("compiled", 3), ("reference", 2)):
        opened = load_classifier(tmp_path / "model.squiggle", engine=engine, threads=threads)
        assert np.array_equal(opened.predict(pixels), expected)
    again = PixelClassifier(SPEC, **SETTINGS.to_json(), engine="reference").fit(*_first())
    again.save(tmp_path / "again.squiggle")
    assert (tmp_path / "again.squiggle").read_bytes() == (tmp_path / "model.squiggle").read_bytes()


@pytest.mark.parametrize("budget", [0, 2**30])
def test_the_live_engine_gives_the_same_bytes(classifier, budget):
    pixels, truth = scene()
    other = image_from_pixels(scene(gain=0.5, seed=2)[0])
    live = LiveSegmenter(FeatureCache(budget))
    image = image_from_pixels(pixels)
    compute_ahead(live, image, SPEC.chosen, SETTINGS, TileGrid(image.shape, 32).order())
    trained = live.train([LabelledImage.from_image(image, labels_of(truth))], SPEC, SETTINGS)
    plain = live.train([LabelledImage.from_image(image, labels_of(truth))], FeatureSpec(sigma_max=4), SETTINGS)
    assert np.array_equal(trained.forest_.threshold, classifier.forest_.threshold)
    for model, expected in ((trained, classifier), (plain, plain)):
        for _ in range(2):
            tiles = live.segment_tiles(other, model, TileGrid(other.shape, 32).order())
            found = np.zeros(other.shape, np.uint8)
            for tile, ids in tiles:
                found[tile.rows, tile.columns] = ids
            assert np.array_equal(found, expected.predict(other))


@pytest.mark.parametrize("name", ["uint8", "uint16", "float32", "int32"])
def test_blocks_of_an_array_give_the_bytes_of_the_whole(classifier, name, tmp_path, monkeypatch):
    monkeypatch.setattr("segmentation.io.zarr_images.BLOCK_SIDE", 32)
    pixels = scene(gain=0.5, seed=3)[0].astype(name)
    array = zarr.create_array(tmp_path / "in.zarr", shape=pixels.shape, chunks=(32, 32, 3), dtype=name)
    array[:] = pixels
    report = apply_series(classifier, tmp_path / "in.zarr", tmp_path / "out")
    assert not report.failed
    assert np.array_equal(zarr.open(tmp_path / "out" / "in.zarr", mode="r")[:], classifier.predict(pixels))


def test_the_command_line_has_it(classifier, tmp_path):
    import tifffile

    pixels, labels = _first()
    tifffile.imwrite(tmp_path / "image.tif", pixels, photometric="rgb")
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    options = ["--standardise", "--sigma-max", "4", "--trees", "12"]
    paths = [str(tmp_path / one) for one in ("image.tif", "labels.tif", "model.squiggle")]
    assert main(["train", paths[0], "--labels", paths[1], "-o", paths[2], *options]) == 0
    assert main(["apply", paths[2], paths[0], "-o", str(tmp_path / "out"), "--quiet"]) == 0
    assert np.array_equal(read_image(tmp_path / "out" / "image.tif").pixels, classifier.predict(pixels))


def test_values_on_another_scale_need_no_warning(classifier, recwarn):
    pixels = scene()[0].astype(np.float32)
    assert classifier.value_notes(image_from_pixels(pixels * 1000)) == []
    assert np.array_equal(classifier.predict(pixels), classifier.predict(pixels * 1024))
    assert not recwarn.list


def test_features_of_the_spec_are_those_of_the_standardised_image(classifier):
    pixels = scene(gain=0.7)[0]
    rows = compute_features(pixels, classifier.spec_).reshape(-1, classifier.forest_.n_features)
    found = classifier.classes_[classifier.forest_.predict(np.ascontiguousarray(rows.T))]
    assert np.array_equal(found.reshape(pixels.shape[:2]), classifier.predict(pixels))


def test_files_and_journals_without_it_are_as_they_were():
    assert "standardise" not in FeatureSpec().to_json()
    assert FeatureSpec.from_json(SPEC.to_json()) == SPEC
    with pytest.raises(ValueError, match="wrong type"):
        FeatureSpec.from_json(FeatureSpec().to_json() | {"standardise": 1})
