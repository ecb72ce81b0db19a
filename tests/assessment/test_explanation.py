"""What is said to have decided is what the trees look at, and what they learnt from."""

from collections import deque

import numpy as np
import pytest

import segmentation as seg
from segmentation.assessment.explanation import explain, steps
from segmentation.features.spec import FeatureSpec

SHAPE = (60, 80)


@pytest.fixture(scope="module")
def learnt():
    pixels = np.random.default_rng(0).integers(0, 60, SHAPE).astype(np.uint8)
    pixels[:, 40:] += 120
    labels, owner = np.zeros(SHAPE, np.uint8), np.full(SHAPE, -1)
    for number, (class_id, rows, columns) in enumerate(
        [(1, slice(5, 10), slice(5, 30)), (1, slice(40, 45), slice(5, 30)), (2, slice(20, 25), slice(50, 75))]
    ):
        labels[rows, columns], owner[rows, columns] = class_id, number
    classifier = seg.PixelClassifier(FeatureSpec(sigma_max=2), n_estimators=25).fit(pixels, labels)
    features = seg.compute_features(pixels, classifier.spec_).reshape(SHAPE[0] * SHAPE[1], -1)
    return pixels, classifier, features, owner.ravel()[np.flatnonzero(labels)]


def test_the_walk_ends_where_that_of_scikit_learn_does(learnt):
    _, classifier, features, _ = learnt
    forest, model = classifier.forest_, classifier.to_sklearn()
    (ends,) = deque(steps(forest, features), maxlen=1)
    taken = forest.probabilities[ends].mean(axis=1)
    assert np.allclose(taken, model.predict_proba(features))


def test_shares_of_strokes_add_up_and_the_own_class_decides(learnt):
    pixels, classifier, features, owners = learnt
    keys = [("image", "upper"), ("image", "lower"), ("image", "right")]
    left = {"upper", "lower"}
    for place, decided in ((7 * 80 + 20, left), (42 * 80 + 20, left), (22 * 80 + 60, {"right"})):
        why = explain(classifier, features[place], classifier.pixels_, owners, keys)
        assert why.class_id == classifier.predict(pixels).ravel()[place]
        assert sum(one.share for one in why.strokes) == pytest.approx(1)
        assert why.strokes[0].name[1] in decided
        assert sum(why.probabilities.values()) == pytest.approx(1)


def test_features_add_up_to_what_the_roots_do_not_know(learnt):
    _, classifier, features, owners = learnt
    keys = [("image", str(number)) for number in range(3)]
    why = explain(classifier, features[20], classifier.pixels_, owners, keys, most=1000)
    forest, chosen = classifier.forest_, list(classifier.classes_).index(why.class_id)
    at_roots = forest.probabilities[forest.roots, chosen].mean()
    assert sum(one.share for one in why.features) == pytest.approx(why.probabilities[why.class_id] - at_roots)
    assert {one.name for one in why.features} <= set(classifier.feature_names_)
