"""The next stroke belongs where votes do not agree, and no stroke is near."""

import numpy as np
import pytest

import segmentation as seg
from segmentation.assessment.next_stroke import Grid, Place, best_of_all, places_to_draw
from segmentation.features.pieces import feature_rows
from segmentation.features.spec import FeatureSpec

SHAPE = (120, 160)


def three_grounds():
    """Dark to the left and bright to the right, both drawn on; and between the two what nobody has drawn on."""
    random = np.random.default_rng(0)
    pixels = random.normal(60, 6, SHAPE)
    pixels[:, 60:110] += 60
    pixels[:, 110:] += 120
    return seg.image_from_pixels(pixels.clip(0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def drawn():
    image = three_grounds()
    labels = np.zeros(SHAPE, np.uint8)
    labels[20:100, 10:20], labels[20:100, 140:150] = 1, 2
    return image, labels, seg.PixelClassifier(FeatureSpec(sigma_max=4), n_estimators=30).fit(image, labels)


def places_of(image, labels, classifier, count=5):
    grid = Grid.over(image.shape)
    features = feature_rows(image, classifier.spec_, grid.places)
    drawn = np.flatnonzero(labels)
    return places_to_draw(classifier, grid, features, drawn, count)


def test_the_first_place_is_in_what_nobody_has_drawn_on(drawn):
    first, *others = places_of(*drawn)
    assert 60 <= first.column < 110
    assert all(one.worth <= first.worth for one in others)


def test_places_keep_away_from_strokes_and_from_each_other(drawn):
    image, labels, classifier = drawn
    places = places_of(image, labels, classifier)
    strokes = np.argwhere(labels)
    for number, one in enumerate(places):
        at = np.array([one.row, one.column])
        assert np.hypot(*(strokes - at).T).min() > 5
        for other in places[:number]:
            assert np.hypot(one.row - other.row, one.column - other.column) > 5


def test_once_it_is_drawn_on_the_next_place_is_elsewhere(drawn):
    image, labels, classifier = drawn
    first = places_of(image, labels, classifier)[0]
    more = labels.copy()
    more[max(0, first.row - 20) : first.row + 20, first.column : first.column + 4] = 1
    again = seg.PixelClassifier(FeatureSpec(sigma_max=4), n_estimators=30).fit(image, more)
    second = places_of(image, more, again)[0]
    assert np.hypot(second.row - first.row, second.column - first.column) > 8


def test_the_grid_lies_within_any_image():
    for shape in ((1, 1), (1, 5000), (3, 2), (4000, 3000)):
        grid = Grid.over(shape)
        assert grid.places.max() < shape[0] * shape[1]
        assert np.array_equal(grid.places, np.unique(grid.places))
        assert 1 <= len(grid.places) < 12_000


def test_places_of_several_images_are_put_in_one_order():
    places = [("b", Place(1, 1, 0.5)), ("a", Place(1, 1, 0.9)), ("a", Place(2, 2, 0.5))]
    assert [(one, place.worth) for one, place in best_of_all(places, 2)] == [("a", 0.9), ("a", 0.5)]
