import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from segmentation.forest.bins import Bins
from segmentation.forest.forest import Forest
from segmentation.forest.growing import grow_forest
from segmentation.forest.settings import ForestSettings

N_FEATURES = 7


def rows(count, seed=0):
    """Feature rows of which many share a value, so that thresholds are met exactly."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=(count, N_FEATURES)), 1).astype(np.float32)


def fitted(model, classes=3, samples=600, seed=0):
    rng = np.random.default_rng(seed)
    x = rows(samples, seed)
    score = x[:, 0] + np.sin(2 * x[:, 1]) + rng.normal(size=samples) * 0.3
    edges = np.quantile(score, np.arange(1, classes) / classes)
    return model.fit(x, np.digitize(score, edges))


FORESTS = {
    "default": lambda: fitted(RandomForestClassifier(20, random_state=0)),
    "shallow": lambda: fitted(RandomForestClassifier(50, max_depth=8, max_samples=0.05, random_state=0)),
    "extremely randomised": lambda: fitted(
        ExtraTreesClassifier(30, bootstrap=True, max_samples=0.1, class_weight="balanced", random_state=0)
    ),
    "stumps": lambda: fitted(RandomForestClassifier(10, max_depth=1, random_state=0)),
    "best first": lambda: fitted(RandomForestClassifier(10, max_leaf_nodes=40, random_state=0)),
    "one tree": lambda: fitted(RandomForestClassifier(1, random_state=0)),
    "large trees": lambda: fitted(ExtraTreesClassifier(5, random_state=0), samples=8000),
    "more trees than a group": lambda: fitted(RandomForestClassifier(150, max_depth=3, random_state=0)),
    "two classes": lambda: fitted(RandomForestClassifier(10, random_state=0), classes=2),
    "twenty classes": lambda: fitted(RandomForestClassifier(10, random_state=0), classes=20),
    "one class": lambda: fitted(RandomForestClassifier(5, random_state=0), classes=1),
    "leaves only": lambda: fitted(RandomForestClassifier(5, min_samples_leaf=400, random_state=0)),
    "leaves and trees": lambda: fitted(RandomForestClassifier(40, max_samples=4, random_state=0)),
}


SHALLOW = Forest.from_sklearn(FORESTS["shallow"]())


@pytest.fixture(params=FORESTS, ids=str, scope="module")
def model(request):
    return FORESTS[request.param]()


def planar(x, *shape):
    return np.ascontiguousarray(x.T).reshape(x.shape[1], *shape)


@pytest.mark.parametrize("shape", [(40, 50), (2, 1000), (2000,), (1, 2000), (2000, 1), (10, 4, 50)], ids=str)
def test_probabilities_are_those_of_scikit_learn(model, shape):
    x = rows(2000, seed=1)
    forest = Forest.from_sklearn(model)
    probabilities = forest.predict_proba(planar(x, *shape))
    expected = model.predict_proba(x)
    assert probabilities.dtype == np.float32
    assert probabilities.shape == (forest.n_classes, *shape)
    assert np.abs(probabilities.reshape(forest.n_classes, -1).T - expected).max() <= 1e-6


def test_classes_are_the_argmax_of_the_probabilities(model):
    x = rows(3000, seed=2)
    forest = Forest.from_sklearn(model)
    classes = forest.predict(planar(x, 50, 60))
    assert classes.dtype == np.uint8
    assert np.array_equal(classes, forest.predict_proba(planar(x, 50, 60)).argmax(axis=0))


def test_classes_are_those_of_scikit_learn_unless_it_is_a_tie(model):
    x = rows(3000, seed=3)
    two_best = np.sort(model.predict_proba(x), axis=1)[:, -2:]
    clear = np.ones(len(x), bool) if two_best.shape[1] == 1 else two_best[:, 1] - two_best[:, 0] > 1e-6
    classes = model.classes_[Forest.from_sklearn(model).predict(planar(x, 50, 60)).ravel()]
    assert np.array_equal(classes[clear], model.predict(x)[clear])


def test_a_feature_next_to_a_threshold_goes_where_scikit_learn_sends_it():
    model = FORESTS["default"]()
    thresholds = np.concatenate([tree.tree_.threshold[tree.tree_.feature >= 0] for tree in model.estimators_])
    near = thresholds.astype(np.float32)
    near = np.concatenate([near, np.nextafter(near, np.float32(np.inf)), np.nextafter(near, np.float32(-np.inf))])
    x = np.random.default_rng(0).choice(near, (2000, N_FEATURES))
    probabilities = Forest.from_sklearn(model).predict_proba(planar(x, 2000))
    assert np.abs(probabilities.T - model.predict_proba(x)).max() <= 1e-6


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 70), st.integers(0, 70), st.integers(1, 3))
def test_the_shape_of_an_image_makes_no_difference(height, width, threads):
    x = rows(height * width, seed=height)
    forest = SHALLOW
    image = forest.predict_proba(planar(x, height, width), threads=threads)
    assert np.array_equal(image.reshape(3, -1), forest.predict_proba(planar(x, height * width), threads=1))
    classes = forest.predict(planar(x, height, width), threads=threads)
    assert np.array_equal(classes, image.argmax(axis=0))


def test_the_number_of_threads_makes_no_difference():
    forest = Forest.from_sklearn(FORESTS["default"]())
    planes = planar(rows(300 * 250), 300, 250)
    one, two = (forest.predict_proba(planes, threads=threads).tobytes() for threads in (1, 2))
    assert one == two


def test_planes_in_any_memory_order():
    forest = Forest.from_sklearn(FORESTS["default"]())
    planes = planar(rows(1200), 30, 40)
    rotated = planes.transpose(0, 2, 1)
    assert np.array_equal(forest.predict(rotated), forest.predict(np.ascontiguousarray(rotated)))


def test_planes_that_cannot_be_written():
    planes = planar(rows(100), 10, 10)
    expected = SHALLOW.predict(planes)
    planes.flags.writeable = False
    assert np.array_equal(SHALLOW.predict(planes), expected)


def test_planes_that_are_not_the_features_are_refused():
    forest = Forest.from_sklearn(FORESTS["stumps"]())
    with pytest.raises(ValueError, match="needs 7 float32 features"):
        forest.predict(np.zeros((6, 5, 5), np.float32))
    with pytest.raises(ValueError, match="needs 7 float32 features"):
        forest.predict_proba(np.zeros((7, 5, 5)))


def test_the_way_through_scikit_learn_and_back(model):
    x = rows(2000, seed=4)
    forest = Forest.from_sklearn(model)
    back = forest.to_sklearn(model.classes_)
    assert np.array_equal(back.classes_, model.classes_)
    assert np.abs(back.predict_proba(x) - model.predict_proba(x)).max() <= 1e-12
    assert np.abs(back.predict_proba(x).T - forest.predict_proba(planar(x, 2000))).max() <= 1e-6
    assert np.array_equal(back.predict(x), model.classes_[back.predict_proba(x).argmax(axis=1)])
    again = Forest.from_sklearn(back)
    assert np.array_equal(again.predict_proba(planar(x, 2000)), forest.predict_proba(planar(x, 2000)))


def test_a_forest_given_to_scikit_learn_has_the_classes_one_asks_for():
    forest = Forest.from_sklearn(FORESTS["stumps"]())
    assert set(forest.to_sklearn(["a", "b", "c"]).predict(rows(200))) <= {"a", "b", "c"}
    assert list(forest.to_sklearn().classes_) == [0, 1, 2]
    with pytest.raises(ValueError, match="3 classes, but 2"):
        forest.to_sklearn([1, 2])


def small_forest(**changes):
    """A tree with three leaves, and a leaf that is a tree."""
    arrays = {
        "n_features": 2,
        "roots": np.array([0, 5], np.int32),
        "feature": np.array([0, -1, 1, -1, -1, -1], np.int32),
        "threshold": np.array([0.5, 0, -1, 0, 0, 0], np.float32),
        "left": np.array([1, -1, 3, -1, -1, -1], np.int32),
        "right": np.array([2, -1, 4, -1, -1, -1], np.int32),
        "probabilities": np.array([[0.5, 0.5], [1, 0], [0.2, 0.8], [0.4, 0.6], [0, 1], [0.5, 0.5]]),
    }
    return Forest(**(arrays | changes))


def test_a_forest_by_hand():
    planes = np.array([[0.5, 0.6, 0.6], [9, -1, -0.9]], np.float32)
    forest = small_forest()
    forest.check()
    expected = (np.array([[1, 0], [0.4, 0.6], [0, 1]]) + 0.5) / 2
    assert np.allclose(forest.predict_proba(planes).T, expected, atol=1e-7)
    assert list(forest.predict(planes)) == [0, 1, 1]


@pytest.mark.parametrize("classes", [2, 3, 5, 7, 12, 255])
def test_of_equally_probable_classes_the_first_is_taken(classes):
    leaf = {name: getattr(small_forest(), name)[-1:] for name in ("feature", "threshold", "left", "right")}
    shares = np.full((1, classes), 1 / classes)
    undecided = small_forest(roots=np.array([0], np.int32), probabilities=shares, **leaf)
    probabilities = undecided.predict_proba(np.zeros((2, 5), np.float32))
    assert np.abs(probabilities - 1 / classes).max() <= 1e-7
    assert classes > 16 or not undecided.predict(np.zeros((2, 5), np.float32)).any()


def changed(name, place, value):
    array = getattr(small_forest(), name).copy()
    array[place] = value
    return {name: array}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"roots": np.array([0, 5])}, "roots are not an array of int32 in 1 dimensions"),
        ({"feature": [0, -1, 1, -1, -1, -1]}, "feature are not an array"),
        ({"threshold": np.zeros(6)}, "threshold are not an array of float32"),
        ({"left": np.zeros((6, 1), np.int32)}, "left are not an array"),
        ({"probabilities": np.ones(6)}, "probabilities are not an array of float64 in 2"),
        ({"right": np.full(5, -1, np.int32)}, "different lengths"),
        ({"roots": np.empty(0, np.int32)}, "no trees"),
        ({"probabilities": np.empty((6, 0))}, "1 to 255 classes"),
        ({"probabilities": np.full((6, 256), 1 / 256)}, "1 to 255 classes"),
        (changed("feature", 0, 2), "none of its 2"),
        (changed("feature", 1, -2), "none of its 2"),
        (changed("left", 1, 3), "leaf of the forest has children"),
        (changed("right", 2, 6), "does not come after it"),
        (changed("right", 2, 2**31 - 1), "does not come after it"),
        (changed("left", 2, 0), "does not come after it"),
        (changed("left", 2, 2), "does not come after it"),
        (changed("left", 0, -1), "does not come after it"),
        (changed("left", 0, -(2**31)), "does not come after it"),
        (changed("roots", 1, 6), "does not exist"),
        (changed("roots", 0, -1), "does not exist"),
        (changed("right", 0, 1), "more than one way"),
        (changed("roots", 1, 4), "more than one way"),
        (changed("roots", 1, 0), "more than one way"),
        (changed("threshold", 0, np.nan), "not a finite number"),
        (changed("threshold", 2, np.inf), "not a finite number"),
        (changed("probabilities", 3, np.nan), "not between 0 and 1"),
        (changed("probabilities", (3, 0), -0.1), "not between 0 and 1"),
        (changed("probabilities", (3, 0), 1e300), "not between 0 and 1"),
        (changed("probabilities", (3, 0), 0.5), "add up to 1"),
    ],
)
def test_arrays_that_are_no_forest_are_refused(changes, sentence):
    hostile = small_forest(**changes)
    with pytest.raises(ValueError, match=sentence):
        hostile.check()
    with pytest.raises(ValueError, match=sentence):
        hostile.to_sklearn()
    with pytest.raises(ValueError, match=sentence):
        hostile.predict(np.zeros((2, 64, 64), np.float32))


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Forest)])
def test_a_forest_cannot_be_changed_under_the_table_that_was_made_of_it(field):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(small_forest(), field, None)


def test_the_kernel_is_compiled_once(kernels):
    from segmentation.forest._walk_kernels import predict_rectangle

    forest = Forest.from_sklearn(FORESTS["twenty classes"]())
    forest.predict_proba(planar(rows(1200), 30, 40))
    forest.predict(planar(rows(1200), 1200))
    assert len(predict_rectangle.signatures) == 1


def test_its_size_in_memory_is_known_before_it_has_predicted(model):
    forest = Forest.from_sklearn(model)
    before = forest.nbytes
    forest.predict(planar(rows(64), 64), threads=1)
    walk = forest._float_walk
    arrays = [array for array in vars(forest).values() if isinstance(array, np.ndarray)]
    assert forest.nbytes == before
    assert before == sum(array.nbytes for array in [*arrays, walk.nodes, walk.slots, walk.shares])
    assert walk.features.nbytes + walk.roots.nbytes < 8 * (N_FEATURES + forest.n_trees)


# ---------------------------------------------------------------- with bins


def grown(classes=3, seed=0, **settings):
    x = rows(600, seed)
    score = x[:, 0] + np.sin(2 * x[:, 1])
    class_ids = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes)).astype(np.uint8) + 1
    return grow_forest(x, class_ids, ForestSettings(**{"n_estimators": 20} | settings))


def without_bins(forest):
    return dataclasses.replace(forest, bins=None, samples=None, impurity=None)


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("depth", [None, 1, 4])
@pytest.mark.parametrize("classes", [2, 3, 9])
def test_bits_floats_and_scikit_learn_say_the_same(kind, depth, classes):
    forest = grown(classes, kind=kind, max_depth=depth)
    assert forest.votes == (depth is None)
    x = rows(40_000, seed=1)
    planes, floats = planar(x, 200, 200), without_bins(forest)
    assert not floats.votes
    assert np.array_equal(forest.predict(planes), floats.predict(planes))
    assert forest.predict_proba(planes).tobytes() == floats.predict_proba(planes).tobytes()
    expected = forest.to_sklearn().predict_proba(x)
    assert np.abs(forest.predict_proba(planes).reshape(classes, -1).T - expected).max() <= 1e-6


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("shape", [(0,), (1,), (1023,), (1024,), (130, 257), (3, 5, 7)], ids=str)
def test_on_bits_neither_shape_nor_threads_matter(shape, threads):
    forest, count = grown(), int(np.prod(shape))
    planes = planar(rows(count, seed=2), *shape)
    assert np.array_equal(forest.predict(planes, threads=threads), without_bins(forest).predict(planes))
    proba = forest.predict_proba(planes, threads=threads)
    assert proba.shape == (3, *shape)
    assert np.array_equal(proba, without_bins(forest).predict_proba(planes))


def test_planes_are_the_same_in_any_memory_on_bits():
    forest, planes = grown(), planar(rows(1200), 30, 40)
    expected = forest.predict(planes)
    assert np.array_equal(forest.predict(planes.transpose(0, 2, 1)), expected.T)
    planes.flags.writeable = False
    assert np.array_equal(forest.predict(planes), expected)


@pytest.mark.parametrize("classes", [2, 7, 40])
def test_what_it_takes_on_bits_is_within_what_is_said_before(classes):
    forest = grown(classes, n_estimators=100)
    said = forest.nbytes
    forest.predict(planar(rows(64), 64))
    arrays = [array for array in vars(forest).values() if isinstance(array, np.ndarray)]
    assert sum(array.nbytes for array in arrays) + forest.program.nbytes <= said == forest.nbytes


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (lambda f: {"bins": Bins(f.bins.low[1:], f.bins.scale[1:])}, "bins for 6 features, but looks at 7"),
        (lambda f: {"bins": Bins(f.bins.low + 1, f.bins.scale)}, "none of the edges"),
        (lambda f: {"threshold": np.nextafter(f.threshold, np.float32(99))}, "none of the edges"),
        (lambda f: {"threshold": np.full_like(f.threshold, 1e30)}, "none of the edges"),
        (lambda f: {"roots": f.roots[::-1].copy()}, "one after the other"),
        (lambda f: {"roots": f.roots[:1]}, None),
        (lambda f: {"samples": None}, "together or not at all"),
        (lambda f: {"samples": f.samples + np.int32(1)}, "not those of its children"),
        (lambda f: {"samples": f.samples[1:]}, "not an array of int32"),
        (lambda f: {"impurity": f.impurity.astype(np.float32)}, "not an array of float64"),
        (lambda f: {"impurity": f.impurity - 0.5}, "impurity of the forest is not between"),
    ],
)
def test_bins_and_samples_that_do_not_belong_to_the_trees_are_refused(changes, sentence):
    forest = grown()
    hostile = dataclasses.replace(forest, **changes(forest))
    if sentence is None:
        hostile.check()
        return
    for work in (hostile.check, hostile.to_sklearn, lambda: hostile.predict(np.zeros((7, 64, 64), np.float32))):
        with pytest.raises(ValueError, match=sentence):
            work()


def test_a_child_in_another_tree_is_refused():
    forest = grown()
    right = forest.right.copy()
    last = np.flatnonzero(forest.feature[: forest.roots[1]] >= 0)[-1]
    right[last] = forest.roots[1] + 1
    with pytest.raises(ValueError, match=r"more than one way|child in another tree"):
        dataclasses.replace(forest, right=right).check()


def test_only_a_forest_that_votes_has_a_program():
    for forest in (grown(max_depth=2), without_bins(grown())):
        with pytest.raises(ValueError, match="walked on bits"):
            _ = forest.program
