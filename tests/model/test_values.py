"""What the type and the range of an image's values mean to a classifier."""

import numpy as np
import pytest

from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.model.classifier import PixelClassifier
from segmentation.model.values import adapted, classes_note, nearest_in_type, scale_note, type_taken

SMALL = FeatureSpec(sigma_max=4)


def counts(seed=0):
    """A chequered pattern of noisy counts below 256, and what is true."""
    random = np.random.default_rng(seed)
    truth = np.where((np.indices((64, 64)) // 16).sum(0) % 2, 2, 1).astype(np.uint8)
    return np.where(truth == 2, 160, 80) + random.integers(-20, 20, truth.shape), truth


def labelled_grid(truth):
    labels = np.zeros_like(truth)
    labels[::5, ::3] = truth[::5, ::3]
    return labels


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("dtype", ["u1", "u2", "i2", "u4", "i4", "i8", "u8", "f4", "f8"])
def test_the_same_counts_are_segmented_alike_whatever_their_type(dtype, kind):
    image, truth = counts()
    classifier = PixelClassifier(SMALL, kind=kind, n_estimators=20).fit(image.astype(dtype), labelled_grid(truth))
    assert (classifier.predict(image.astype(dtype)) == truth).mean() > 0.95
    assert classifier.tells_classes_apart()


@pytest.mark.parametrize("largest", [1e-8, 1e-15, 1e15])
def test_numbers_of_any_size_are_segmented(largest):
    image, truth = counts()
    image = (image * (largest / 255)).astype(np.float32)
    classifier = PixelClassifier(SMALL, n_estimators=20).fit(image, labelled_grid(truth))
    assert (classifier.predict(image) == truth).mean() > 0.95


def test_it_knows_whether_it_tells_its_classes_apart():
    truth = counts()[1]
    classifier = PixelClassifier(SMALL, n_estimators=5).fit(np.full(truth.shape, 7, np.uint8), labelled_grid(truth))
    assert not classifier.tells_classes_apart()
    classifier.pixels_ = None
    with pytest.raises(ValueError, match="without its training pixels"):
        classifier.tells_classes_apart()


@pytest.fixture(scope="module")
def of_bytes():
    """A classifier of a uint8 image, that image, and what it predicts."""
    image, truth = counts()
    image = image.astype(np.uint8)
    classifier = PixelClassifier(SMALL, n_estimators=20).fit(image, labelled_grid(truth))
    return classifier, image, classifier.predict(image)


@pytest.mark.parametrize("dtype", ["u2", "i2", "u4", "i4", "i8", "f4", "f8"])
@pytest.mark.filterwarnings("error")
def test_the_same_values_in_another_type_give_the_same_bytes(of_bytes, dtype):
    classifier, image, expected = of_bytes
    assert np.array_equal(classifier.predict(image.astype(dtype)), expected)
    proba = classifier.predict_proba(image.astype(dtype))
    assert np.array_equal(proba, classifier.predict_proba(image))


def test_how_values_are_taken_is_said_in_a_sentence(of_bytes):
    classifier, image, _ = of_bytes
    assert classifier.value_notes(image_from_pixels(image)) == []
    (note,) = classifier.value_notes(image_from_pixels(image.astype(np.uint16)))
    assert note == "This uint16 image is taken as uint8, which the classifier learnt from: the numbers are the same."
    (note,) = classifier.value_notes(image_from_pixels(image.astype(np.uint16) * 16))
    assert "are on another scale" in note


def test_a_result_of_one_class_is_said_in_a_sentence():
    names = {1: "Void", 2: "Matrix"}
    assert classes_note({"1": 0, "2": 9}, names, 2) == "The result is all one class, Matrix, of 2 that are known."
    assert classes_note({"1": 1, "2": 9}, names, 2) is None
    assert classes_note({"2": 9}, {2: "Matrix"}, 1) is None
    assert classes_note({"1": 0, "2": 0}, names, 2) == "No pixel has a class: the image holds no data."


@pytest.mark.filterwarnings("error")
def test_the_same_fractions_of_the_range_are_segmented_as_they_were(of_bytes):
    classifier, image, expected = of_bytes
    assert (classifier.predict(image.astype(np.uint16) * 257) == expected).mean() > 0.99
    assert (classifier.predict(image.astype(np.float32) / 255) == expected).mean() > 0.99
    classifier.predict((image // 2).astype(np.uint8))


@pytest.mark.parametrize(
    ("factor", "dtype"), [(16, np.uint16), (0.01, np.uint8), (1.5, np.float32), (1e-4, np.float32)]
)
def test_values_on_another_scale_are_told(of_bytes, factor, dtype):
    classifier, image, _ = of_bytes
    other = (image.astype(np.int64) * factor).astype(dtype)
    sentence = f"learnt from uint8 images with values from .* of this {np.dtype(dtype).name} image are on another scale"
    for predict in (classifier.predict, classifier.predict_proba):
        with pytest.warns(UserWarning, match=sentence) as told:
            predict(other)
        assert told[0].filename == __file__


def test_numbers_as_large_as_those_learnt_from_are_taken_for_them():
    image, truth = counts()
    classifier = PixelClassifier(SMALL, n_estimators=20).fit(image.astype(np.float32), labelled_grid(truth))
    expected = classifier.predict(image.astype(np.float32))
    assert np.array_equal(classifier.predict(image.astype(np.uint8)), expected)
    with pytest.warns(UserWarning, match="learnt from float32 images"):
        classifier.predict((image / 255).astype(np.float32))


@pytest.mark.filterwarnings("error")
def test_what_is_not_known_about_the_training_changes_nothing():
    image = image_from_pixels(counts()[0].astype(np.uint16))
    for facts in ({}, {"images": [{"hash": "00"}]}, {"images": [{"dtype": "text", "value_range": [0, 1]}]}):
        assert adapted(image, facts, SMALL) is image
        assert scale_note(image, facts) is None


def test_images_of_several_types_are_learnt_from_as_they_are():
    facts = {"images": [{"dtype": "uint8", "value_range": [0, 200]}, {"dtype": "float32", "value_range": [0, 1]}]}
    image = image_from_pixels(counts()[0].astype(np.uint16))
    assert adapted(image, facts, SMALL) is image
    note = scale_note(image, facts)
    assert note is not None
    assert "uint8 images with values from 0 to 200 and float32 images with values from 0 to 1" in note


@pytest.mark.parametrize(("largest", "taken"), [(255, "uint8"), (256, "uint16"), (60_000, "uint16")])
def test_a_type_that_does_not_hold_all_values_is_not_taken(largest, taken):
    training = {"images": [{"dtype": "uint8", "value_range": [0, 250]}]}
    assert type_taken(np.dtype(np.uint16), (0, largest), training) == taken


def test_of_values_that_a_type_does_not_have_the_nearest_are_taken():
    part = image_from_pixels(np.array([[-3.0, 1.4, 1.6], [7.0, 300.0, 2e9]], np.float32))
    taken = nearest_in_type(part, "uint8")
    assert (taken.pixels.dtype, taken.metadata["dtype"]) == (np.uint8, "uint8")
    assert taken.pixels.tolist() == [[0, 1, 2], [7, 255, 255]]
    whole = image_from_pixels(np.array([[3, 2**24 + 1]], np.uint32))
    assert nearest_in_type(whole, "float32").pixels.tolist() == [[3, 2**24]]
    assert nearest_in_type(taken, "uint8") is taken
