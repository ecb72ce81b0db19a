"""What is seen of a feature: in percent of the range over which its bins lie."""

import numpy as np
import pytest

from segmentation._shared.tiling import Window
from segmentation.features.all_pixels import compute_features
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.live.layers import NO_DATA, Layer
from segmentation.model.classifier import PixelClassifier

SPEC = FeatureSpec(sigma_max=2)
WINDOW = Window(slice(10, 50), slice(5, 60))
INSIDE = WINDOW.rows, WINDOW.columns


def scene(channels=1):
    random = np.random.default_rng(0)
    pixels = random.random((70, 80, channels) if channels > 1 else (70, 80), np.float32)
    labels = np.zeros((70, 80), np.uint8)
    labels[:8], labels[60:] = 1, 2
    return pixels, labels


@pytest.mark.parametrize("number", [0, 3, 11])
def test_a_feature_is_shown_in_percent_of_its_range(number):
    pixels, labels = scene()
    classifier = PixelClassifier(SPEC, n_estimators=5).fit(pixels, labels)
    name, bins = classifier.feature_names_[number], classifier.forest_.bins
    shown = Layer(feature=name).feature_values(image_from_pixels(pixels), classifier, WINDOW)
    values = compute_features(pixels, SPEC)[..., number][INSIDE]
    percent = np.clip((values - bins.low[number]) * bins.scale[number] / 64 * 100, 0, 100)
    assert (shown.shape, shown.dtype) == (WINDOW.shape, np.uint8)
    assert np.abs(shown - percent).max() <= 0.501
    assert np.ptp(shown) > 20


def test_where_there_is_no_data_nothing_is_seen_of_it():
    pixels, labels = scene()
    pixels[20:30, 10:70] = np.nan
    image = image_from_pixels(pixels)
    classifier = PixelClassifier(SPEC, n_estimators=5).fit(image, labels)
    shown = Layer(feature=classifier.feature_names_[0]).feature_values(image, classifier, WINDOW)
    assert np.array_equal(shown == NO_DATA, image.no_data[INSIDE])


def test_of_a_feature_that_a_classifier_has_not_nothing_is_seen():
    pixels, labels = scene()
    classifier = PixelClassifier(SPEC, n_estimators=5).fit(pixels, labels)
    shown = Layer(feature="smell").feature_values(image_from_pixels(pixels), classifier, WINDOW)
    assert (shown == NO_DATA).all()


def test_a_classifier_of_rows_takes_the_constants_of_the_image():
    pixels, labels = scene(channels=3)
    features = compute_features(pixels, SPEC)
    classifier = PixelClassifier(SPEC, n_estimators=5).fit_rows(features[labels > 0], labels[labels > 0])
    assert classifier.spec_.constants is None
    image = image_from_pixels(pixels)
    name, bins = "channels 1 and 3, ratio, sigma 2", classifier.forest_.bins
    number = classifier.feature_names_.index(name)
    shown = Layer(feature=name).feature_values(image, classifier, WINDOW)
    percent = np.clip((features[..., number][INSIDE] - bins.low[number]) * bins.scale[number] / 64 * 100, 0, 100)
    assert np.abs(shown - percent).max() <= 0.501
