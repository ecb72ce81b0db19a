import numpy as np
import pytest
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from segmentation.forest import Forest
from segmentation.sklearn_trees import as_sklearn, as_trees

ARRAYS = ("roots", "feature", "threshold", "left", "right")


def random_forest(kind, classes, depth):
    random = np.random.default_rng(classes)
    rows = random.normal(size=(300, 7)).astype(np.float32)
    class_ids = random.integers(1, classes + 1, 300).astype(np.uint8)
    return kind(6, max_depth=depth, random_state=0).fit(rows, class_ids), rows


@pytest.mark.parametrize("kind", [RandomForestClassifier, ExtraTreesClassifier])
@pytest.mark.parametrize("classes", [2, 3, 20])
@pytest.mark.parametrize("depth", [None, 1, 5])
def test_a_forest_survives_the_way_to_arrays_and_back(kind, classes, depth):
    model, rows = random_forest(kind, classes, depth)
    flat = Forest.from_sklearn(model)
    back = as_sklearn(as_trees(flat), model.classes_)
    assert np.array_equal(back.predict(rows), model.predict(rows))
    assert np.abs(back.predict_proba(rows) - model.predict_proba(rows)).max() < 1e-12
    assert [one.get_depth() for one in back.estimators_] == [one.get_depth() for one in model.estimators_]
    again = Forest.from_sklearn(back)
    assert all(np.array_equal(getattr(again, name), getattr(flat, name)) for name in ARRAYS)
    assert np.allclose(again.probabilities, flat.probabilities, rtol=1e-15, atol=0)


def test_a_tree_can_be_a_single_leaf():
    leaf = Forest(
        n_features=4,
        roots=np.array([0], np.int32),
        feature=np.array([-1], np.int32),
        threshold=np.zeros(1, np.float32),
        left=np.array([-1], np.int32),
        right=np.array([-1], np.int32),
        probabilities=np.array([[0.25, 0.75]]),
    )
    model = as_sklearn(as_trees(leaf), np.array([1, 2], np.uint8))
    assert model.predict_proba(np.zeros((2, 4), np.float32)).tolist() == [[0.25, 0.75]] * 2
    assert model.predict(np.zeros((1, 4), np.float32)).tolist() == [2]
