"""Windows of images, whatever they are computed from."""

import numpy as np
import pytest

from segmentation._shared.tiling import Window, whole_window
from segmentation.features.compute import compute_planes
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.model import prediction
from segmentation.model.classifier import PixelClassifier

pytestmark = pytest.mark.usefixtures("kernels")

PIXELS = np.random.default_rng(0).integers(0, 256, (300, 530, 3), np.uint8)
WINDOWS = [whole_window(PIXELS.shape), Window(slice(250, 299), slice(3, 511)), Window(slice(7, 8), slice(0, 530))]


@pytest.fixture(
    scope="module", params=[FeatureSpec(sigma_max=4), FeatureSpec(sigma_max=4, texture=False, colour=False)]
)
def classifier(request):
    labels = np.zeros(PIXELS.shape[:2], np.uint8)
    labels[10:12, 40:80], labels[200:203, 300:360] = 1, 2
    return PixelClassifier(request.param, n_estimators=10).fit(PIXELS, labels)


@pytest.fixture(params=["piece by piece", "smoothed first"])
def way(request, monkeypatch):
    """Windows are smoothed first, or not."""
    smoothed = []

    def compute(*given, **named):
        smoothed.append(given)
        return Smoothed.compute(*given, **named)

    first = request.param == "smoothed first"
    monkeypatch.setattr(prediction, "MAX_FREE_BYTES", 0 if first else 2**40)
    monkeypatch.setattr(prediction, "Smoothed", type("Watched", (Smoothed,), {"compute": staticmethod(compute)}))
    yield
    assert bool(smoothed) == first


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.usefixtures("way")
def test_windows_are_equal_to_the_last_bit_however_they_are_computed(classifier, threads):
    image = image_from_pixels(PIXELS)
    planes = compute_planes(image.pixels, classifier.spec_)
    ids, shares = classifier.ids_of(classifier.forest_.predict(planes)), classifier.forest_.predict_proba(planes)
    for window in WINDOWS:
        rows, columns = window.rows, window.columns
        assert np.array_equal(classifier.predict_window(image, window, threads=threads), ids[rows, columns])
        found = classifier.predict_proba_window(image, window, threads=threads)
        assert np.array_equal(found, shares[:, rows, columns])
