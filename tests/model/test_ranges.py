"""Between which values features lie in the images that a classifier learns from, and what becomes of it."""

from io import BytesIO

import numpy as np
import pytest

from segmentation.features.ranges import feature_ranges
from segmentation.features.spec import FeatureSpec
from segmentation.forest.bins import joined_ranges
from segmentation.forest.growing import grow_forest
from segmentation.io.image import image_from_pixels
from segmentation.model.classifier import PixelClassifier, load_classifier

SPEC = FeatureSpec(sigma_max=2)


def noise(low, high, seed=0):
    return np.random.default_rng(seed).integers(low, high, (40, 50), np.uint8)


def labelled(*class_ids):
    labels = np.zeros((40, 50), np.uint8)
    for number, class_id in enumerate(class_ids):
        labels[5 * number, :20] = class_id
    return labels


def of_image(pixels):
    return feature_ranges(image_from_pixels(pixels), SPEC)


def learnt(*images, earlier=None, **settings):
    pixels, labels = zip(*images, strict=True) if images else ((), ())
    return PixelClassifier(SPEC, n_estimators=5, **settings).fit(list(pixels), list(labels), earlier=earlier)


def written(classifier):
    file = BytesIO()
    classifier.save(file)
    return file.getvalue()


def edges(classifier):
    return classifier.forest_.bins.edges


DARK, BRIGHT, ALL = noise(0, 60), noise(180, 255), noise(0, 255)


def test_bins_cover_all_images_that_are_learnt_from_and_no_others():
    classifier = learnt((DARK, labelled(1)), (BRIGHT, labelled(2)), (ALL, labelled()))
    assert np.array_equal(classifier.pixels_.ranges, joined_ranges([of_image(DARK), of_image(BRIGHT)]))
    pixels = classifier.pixels_
    for ranges, same in ((pixels.ranges, True), (of_image(DARK), False)):
        grown = grow_forest(pixels.features, pixels.class_ids, classifier.settings, ranges=ranges)
        assert np.array_equal(grown.bins.edges, edges(classifier)) == same


def test_bins_cover_the_images_of_an_earlier_classifier_too():
    earlier = load_classifier(written(learnt((DARK, labelled(1, 2)))))
    further = learnt((BRIGHT, labelled(2)), earlier=earlier)
    assert np.array_equal(further.pixels_.ranges, joined_ranges([of_image(DARK), of_image(BRIGHT)]))


def test_who_wants_no_ranges_gets_none_of_an_earlier_classifier_either():
    earlier = learnt((ALL, labelled(1, 2)))
    again = learnt(earlier=earlier, image_ranges=False)
    alone = learnt((ALL, labelled(1, 2)), image_ranges=False)
    assert np.array_equal(edges(again), edges(alone))
    assert not np.array_equal(edges(again), edges(earlier))


def test_an_earlier_classifier_may_know_none_and_so_may_the_file_of_the_next():
    earlier = learnt((ALL, labelled(1, 2)), image_ranges=False)
    again = learnt(earlier=load_classifier(written(earlier)))
    assert again.pixels_.ranges is None
    opened = load_classifier(written(again))
    assert np.isnan(opened.pixels_.ranges).all()
    assert np.array_equal(edges(learnt(earlier=opened)), edges(again))
    further = learnt((DARK, labelled(1)), earlier=opened)
    assert np.array_equal(further.pixels_.ranges, of_image(DARK))


@pytest.mark.parametrize("steps", [1, 2, 4, 8])
def test_an_image_of_one_value_is_learnt_from(steps):
    pixels = np.full((40, 50), 7, np.uint8)
    classifier = learnt((pixels, labelled(1, 1, 2)), range_steps=steps)
    assert np.isfinite(edges(classifier)).all()
    assert (classifier.predict(pixels) == 1).all(), "the class of most pixels"
