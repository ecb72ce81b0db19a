"""What the type and the range of an image's values mean to a classifier."""

import numpy as np
import pytest

from segmentation.features.spec import FeatureSpec
from segmentation.model.classifier import PixelClassifier

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
