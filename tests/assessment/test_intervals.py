"""How sure shares and numbers of objects are: what is told is what the strokes and the votes say."""

import numpy as np
import pytest

import segmentation as seg
from segmentation._shared.tiling import whole_window
from segmentation.assessment.counting import COUNTED_AGAIN, RecountedObjects, count_bounds
from segmentation.assessment.dissent import dissent, half_width, interval
from segmentation.series.model import Model
from tests.support.images import textured

ROWS, COLUMNS = 80, 100


def stroke(class_id, row, first, last):
    return {"class_id": class_id, "kind": "path", "points": [[first, row], [last, row]], "width": 3}


STROKES = [stroke(1, 10, 5, 40), stroke(2, 70, 5, 40), stroke(1, 20, 50, 90), stroke(2, 60, 50, 90)]


@pytest.fixture(scope="module")
def image():
    return seg.image_from_pixels(textured(ROWS, COLUMNS))


@pytest.fixture(scope="module")
def classifier(image):
    return seg.PixelClassifier(n_estimators=30).fit(image, seg.rasterise(STROKES, image.shape))


def test_dissent_is_the_share_of_votes_that_go_another_way():
    votes = np.array([[1.0, 0.75, 0.25, 0.0], [0.0, 0.25, 0.75, 1.0]])
    assert dissent(votes).tolist() == [0.125, 0.125]
    assert dissent(np.eye(3)).tolist() == [0.0, 0.0, 0.0]


def test_an_interval_grows_with_dissent_and_with_the_error_and_stays_between_0_and_1():
    assert half_width(0.1, 0.0) < half_width(0.1, 0.05) < half_width(0.1, 0.1)
    assert half_width(0.2) == 2 * half_width(0.1)
    assert interval(0.02, 0.1) == (0.0, pytest.approx(0.12))
    assert interval(0.98, 0.1) == (pytest.approx(0.88), 1.0)


def test_the_shares_are_those_of_the_segmentation_and_lie_within_their_intervals(image, classifier):
    found = [one.share for one in seg.share_intervals(image, classifier)]
    segmentation = classifier.predict(image)
    assert found == [np.mean(segmentation == 1), np.mean(segmentation == 2)]


def test_strokes_that_are_held_out_tell_more_than_votes(image, classifier):
    votes = seg.share_intervals(image, classifier)
    held_out = seg.share_intervals(image, classifier, image, STROKES)
    for one, other in zip(votes, held_out, strict=True):
        assert one.low <= one.share <= one.high
        assert (one.id, one.share) == (other.id, other.share)
    assert [(one.low, one.high) for one in votes] != [(one.low, one.high) for one in held_out]
    single = seg.share_intervals(image, classifier, image, STROKES[:3])
    assert [(one.low, one.high) for one in single] == [(one.low, one.high) for one in votes]


def test_the_same_gives_the_same_with_any_number_of_threads(image, classifier):
    many = seg.PixelClassifier(n_estimators=30, threads=2).fit(image, seg.rasterise(STROKES, image.shape))
    assert seg.share_intervals(image, classifier, image, STROKES) == seg.share_intervals(image, many, image, STROKES)


def test_python_and_a_series_tell_the_same(image, classifier):
    trust = Model.from_classifier(classifier).segment_whole(image, False).trust
    for one in seg.share_intervals(image, classifier):
        assert interval(one.share, trust.margins[one.id]) == (one.low, one.high)


def test_objects_are_counted_again_where_votes_weigh_more_and_less(image, classifier):
    again = RecountedObjects(classifier, image)
    found = classifier.predict_window(image, whole_window(image.shape), on_piece=again.add)
    counts = {int(one): int(seg.label_objects(found, one).max()) for one in classifier.classes_}
    bounds = again.bounds(counts, ())
    for number in (1, 2):
        others = []
        for weight in (COUNTED_AGAIN, 1 / COUNTED_AGAIN):
            weighed = classifier.weighed({number: weight}).predict(image)
            others.append(int(seg.label_objects(weighed, number).max()))
        assert bounds[number] == count_bounds(counts[number], *others)
        assert bounds[number][0] <= counts[number] <= bounds[number][1]


def test_bounds_of_a_count_are_whole_and_not_below_0():
    assert count_bounds(0, 0, 0) == (0, 0)
    low, high = count_bounds(3, 0, 9)
    assert (low, high) == (0, 10)
