import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from segmentation.forest._sklearn import as_sklearn, grow_tree
from segmentation.forest.forest import Forest


def grown(random_thresholds, depth, classes=4, seed=5):
    random = np.random.default_rng(0)
    rows = random.normal(size=(200, 10)).astype(np.float32)
    classified = random.integers(0, classes, 200)
    state = np.random.RandomState(seed)
    tree = grow_tree(rows, classified, classes, random_thresholds=random_thresholds, max_depth=depth, random=state)
    return tree, rows, classified


@pytest.mark.parametrize(
    ("random_thresholds", "reference"), [(True, ExtraTreeClassifier), (False, DecisionTreeClassifier)]
)
@pytest.mark.parametrize("depth", [None, 1, 4])
def test_a_tree_is_that_of_scikit_learn(random_thresholds, reference, depth):
    tree, rows, classified = grown(random_thresholds, depth)
    expected = reference(max_features="sqrt", max_depth=depth, random_state=5).fit(rows, classified).tree_
    for name in ("feature", "threshold", "children_left", "children_right", "value", "max_depth"):
        assert np.array_equal(getattr(tree, name), getattr(expected, name)), name


def test_classes_without_a_pixel_have_their_place():
    tree, rows, _ = grown(True, None, classes=4)
    assert tree.value.shape[1:] == (1, 4)
    few = grow_tree(
        rows[:3], np.array([2, 2, 0]), 4, random_thresholds=True, max_depth=None, random=np.random.RandomState(0)
    )
    assert few.value.shape[1:] == (1, 4)
    assert few.predict(rows[:3])[:, [1, 3]].sum() == 0


def test_the_forest_is_one_that_scikit_learn_and_ours_can_use():
    tree, rows, _ = grown(True, None)
    model = as_sklearn([tree, tree], np.array([3, 5, 7, 9], np.uint8))
    assert model.classes_.tolist() == [3, 5, 7, 9]
    ours = Forest.from_sklearn(model).predict_proba(np.ascontiguousarray(rows.T))
    assert np.abs(ours.T - model.predict_proba(rows)).max() < 1e-6
    assert set(model.predict(rows)) <= {3, 5, 7, 9}
