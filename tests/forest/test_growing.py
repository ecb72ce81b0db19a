import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from segmentation.forest.growing import bootstrap, grow_forest, tree_seeds
from segmentation.forest.settings import MIN_TREE_PIXELS, ForestSettings


def blobs(pixels=600, features=9, classes=3, seed=0):
    random = np.random.default_rng(seed)
    class_ids = np.sort(random.integers(0, classes, pixels)).astype(np.uint8) * 2 + 3
    return (random.normal(class_ids[:, None], 2, (pixels, features))).astype(np.float32), class_ids


def test_settings_survive_json():
    chosen = ForestSettings("random_forest", 7, 5, 0.25, 11)
    assert ForestSettings.from_json(chosen.to_json()) == chosen
    assert ForestSettings.from_json({}) == ForestSettings()


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kind": "svm"}, "kind of forest must be one of extra_trees, random_forest"),
        ({"kind": 3}, "kind of forest"),
        ({"kind": []}, "kind of forest"),
        ({"n_estimators": 0}, "number of trees must be a whole number between 1 and 1000"),
        ({"n_estimators": 1001}, "number of trees"),
        ({"n_estimators": 10.0}, "number of trees"),
        ({"n_estimators": True}, "number of trees"),
        ({"max_depth": 0}, "depth of the trees must be a whole number between 1 and 64"),
        ({"max_depth": "8"}, "depth of the trees"),
        ({"max_samples": 0}, "share of the pixels that each tree sees must be between 0.001 and 1"),
        ({"max_samples": 1.01}, "share of the pixels"),
        ({"max_samples": float("nan")}, "share of the pixels"),
        ({"random_state": -1}, "seed must be a whole number"),
        ({"random_state": 2**32}, "seed"),
        ({"random_state": None}, "seed"),
        ({"trees": 5}, "unknown key 'trees'"),
        ([1], "must be a JSON object"),
    ],
)
def test_settings_from_strangers_are_refused_with_a_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        ForestSettings.from_json(values)


@pytest.mark.parametrize(("share", "seen"), [(0.5, 300), (0.1, MIN_TREE_PIXELS), (1.0, 600)])
def test_each_tree_sees_as_many_pixels_of_each_class(share, seen):
    _, class_ids = blobs(600)
    class_ids[:550] = 3
    chosen = bootstrap(class_ids, ForestSettings(n_estimators=4, max_samples=share))
    assert len(chosen) == 4
    for tree in chosen:
        counts = np.bincount(class_ids[tree])
        present = np.unique(class_ids)
        assert set(counts[present]) == {round(seen / len(present))}
    assert not np.array_equal(chosen[0], chosen[1])


def test_few_pixels_are_all_there_is():
    class_ids = np.array([1, 1, 2], np.uint8)
    assert bootstrap(class_ids, ForestSettings(n_estimators=2)).shape == (2, 4)


@pytest.mark.parametrize(
    ("kind", "reference"), [("extra_trees", ExtraTreeClassifier), ("random_forest", DecisionTreeClassifier)]
)
@pytest.mark.parametrize("depth", [None, 1, 4])
def test_trees_are_those_of_scikit_learn(kind, reference, depth):
    rows, class_ids = blobs()
    chosen = ForestSettings(kind, n_estimators=5, max_depth=depth)
    forest = grow_forest(rows, class_ids, chosen)
    classified = np.unique(class_ids, return_inverse=True)[1]
    samples, seeds = bootstrap(class_ids, chosen), tree_seeds(chosen)
    for estimator, sample, seed in zip(forest.estimators_, samples, seeds, strict=True):
        expected = reference(max_features="sqrt", max_depth=depth, random_state=int(seed))
        expected.fit(rows[sample], classified[sample])
        for name in ("feature", "threshold", "children_left", "children_right", "value"):
            assert np.array_equal(getattr(estimator.tree_, name), getattr(expected.tree_, name)), name


def test_the_forest_is_one_that_scikit_learn_can_use():
    rows, class_ids = blobs()
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=30))
    assert forest.classes_.tolist() == [3, 5, 7]
    assert forest.score(rows, class_ids) > 0.8
    assert np.allclose(forest.predict_proba(rows).sum(axis=1), 1)
    assert forest.feature_importances_.shape == (9,)


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_the_number_of_threads_changes_no_byte(kind):
    rows, class_ids = blobs()
    one, two = (grow_forest(rows, class_ids, ForestSettings(kind, n_estimators=21), threads) for threads in (1, 2))
    assert np.array_equal(one.predict_proba(rows), two.predict_proba(rows))
