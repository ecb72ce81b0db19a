"""What classifier files of earlier versions segmented, they segment for ever, to the last bit.

If a test here fails, the code is wrong and not the corpus. ``tests/golden/make_golden.py`` tells how it was made.
"""

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation._shared.tiling import Window
from segmentation.features.compute import compute_planes

GOLDEN = Path(__file__).parent
NAMES = sorted(path.stem for path in GOLDEN.glob("*.squiggle"))
ARRAYS = ("roots", "feature", "threshold", "left", "right", "probabilities", "samples", "impurity")


def case(name):
    image = seg.read_image(GOLDEN / f"{name}_image.tif")
    return image, seg.load_classifier(GOLDEN / f"{name}.squiggle"), tifffile.imread(GOLDEN / f"{name}_expected.tif")


def test_there_is_a_corpus():
    assert len(NAMES) >= 9


@pytest.mark.parametrize("name", NAMES)
def test_a_classifier_file_segments_as_it_did(name):
    image, classifier, expected = case(name)
    assert set(np.unique(expected)) <= set(classifier.classes_)
    assert len(np.unique(expected)) > 1
    assert image.hash == classifier.training_["images"][0]["hash"]
    assert np.array_equal(classifier.predict(image), expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("threads", [1, 3])
def test_neither_threads_nor_windows_matter(name, threads):
    image, classifier, expected = case(name)
    classifier.threads = threads
    window = Window(slice(17, 61), slice(3, 98))
    assert np.array_equal(classifier.predict_window(image, window), expected[window.rows, window.columns])


@pytest.mark.parametrize("name", NAMES)
def test_scikit_learn_segments_alike(name):
    image, classifier, expected = case(name)
    planes = compute_planes(image.pixels, classifier.spec)
    rows = planes.reshape(len(planes), -1).T
    assert np.array_equal(classifier.to_sklearn().predict(rows).reshape(image.shape), expected)


def test_training_goes_on_from_a_file_as_it_did():
    name = "bins_tissue_with_strokes_and_pixels"
    image, classifier, expected = case(name)
    contents = seg.load_model(GOLDEN / f"{name}.squiggle")
    settings = contents.settings.to_json()
    regrown = seg.PixelClassifier(contents.spec, **settings).fit([], [], earlier=classifier)
    assert np.array_equal(regrown.predict(image), expected)
    labels = seg.rasterise(contents.strokes_by_image()[image.hash], image.shape)
    redrawn = seg.PixelClassifier(contents.spec, **settings).fit(image, labels)
    assert np.array_equal(redrawn.predict(image), expected)
    assert redrawn.pixels_.features.tobytes() == contents.pixels.features.tobytes()
    for field in ARRAYS:
        assert np.array_equal(getattr(redrawn.forest_, field), getattr(contents.forest, field))


def test_training_goes_on_from_a_file_of_the_first_version():
    image, classifier, _ = case("tissue_with_strokes_and_pixels")
    settings = seg.ForestSettings.from_json({"n_estimators": 20})
    regrown = seg.PixelClassifier(classifier.spec, **settings.to_json()).fit([], [], earlier=classifier)
    other = case("bins_tissue_with_strokes_and_pixels")[2]
    assert np.array_equal(regrown.predict(image), other), "the pixels are the same, and so are the settings"


@pytest.mark.parametrize("name", NAMES)
def test_a_loaded_file_can_be_saved_again(name, tmp_path):
    path = GOLDEN / f"{name}.squiggle"
    seg.load_classifier(path).save(tmp_path / "again.squiggle")
    again = seg.load_classifier(tmp_path / "again.squiggle").contents()
    for field in ARRAYS:
        first = getattr(seg.load_classifier(path).forest_, field)
        assert first is getattr(again.forest, field) is None or np.array_equal(getattr(again.forest, field), first)


@pytest.mark.parametrize("name", NAMES)
def test_the_version_of_the_file_says_whether_there_are_bins(name):
    with zipfile.ZipFile(GOLDEN / f"{name}.squiggle") as file:
        version = json.loads(file.read("classifier.json"))["version"]
    assert version == (2 if name.startswith("bins_") else 1)
    assert (seg.load_classifier(GOLDEN / f"{name}.squiggle").forest_.bins is None) == (version == 1)
