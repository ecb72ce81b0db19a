import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import examples
from benchmarks.scribbles import Annotator
from segmentation.features.compute import compute_planes
from segmentation.forest._bit_layout import BINS
from segmentation.forest.binned import BinnedForest
from segmentation.forest.bins import Bins
from segmentation.forest.float_walk import FloatWalk
from segmentation.forest.settings import ForestSettings
from segmentation.forest.trees import grow_binned_forest
from segmentation.strokes import rasterise

N_FEATURES = 5


def bins_of(n_features=N_FEATURES):
    return Bins(np.zeros(n_features, np.float32), np.full(n_features, BINS, np.float32))


def random_forest(seed, trees, classes, depth, n_features=N_FEATURES):
    """Trees of any shape that ask anything and vote for anyone."""
    random = np.random.default_rng(seed)
    nodes, roots = [], []

    def grow(left):
        node = len(nodes)
        leaf = left == 0 or random.random() < 0.2
        feature, edge = (-1, -1) if leaf else (random.integers(n_features), random.integers(BINS - 1))
        nodes.append([feature, edge, -1, -1, random.integers(classes)])
        if not leaf:
            nodes[node][2:4] = grow(left - 1), grow(left - 1)
        return node

    for _ in range(trees):
        roots.append(grow(depth))
    ids = tuple(np.sort(random.choice(np.arange(1, 256), classes, replace=False)).tolist())
    return BinnedForest(bins_of(n_features), ids, np.array(roots, np.int32), np.array(nodes, np.int32))


def planes(pixels, n_features=N_FEATURES, seed=0):
    return np.random.default_rng(seed).random((n_features, pixels), np.float32)


def walked(forest, planes):
    """The votes for each class, by going down each tree with all pixels."""
    bins = forest.bins.of_values(np.arange(len(planes))[:, None], planes)
    counts = np.zeros((len(forest.class_ids), planes.shape[1]), int)
    for root in forest.roots:
        at = np.full(planes.shape[1], root)
        while (forest.nodes[at, 0] >= 0).any():
            inner = np.flatnonzero(forest.nodes[at, 0] >= 0)
            feature, edge, left, right, _ = forest.nodes[at[inner]].T
            at[inner] = np.where(bins[feature, inner] > edge, right, left)
        counts[forest.nodes[at, 4], np.arange(planes.shape[1])] += 1
    return counts


def checked(forest, planes):
    """Checks a forest's answers against one another."""
    forest.check()
    pixels = planes.shape[1]
    packed, expected = forest.bins.pack(planes), walked(forest, planes)
    counts, classes = forest.program.counts(packed, pixels), forest.program.classes(packed, pixels)
    assert counts.dtype == np.uint16
    assert classes.dtype == np.uint8
    assert np.array_equal(counts, expected)
    assert np.array_equal(classes, np.array(forest.class_ids)[expected.argmax(axis=0)]), "the first of equals"
    walk = FloatWalk.of(forest.as_forest())
    assert np.array_equal(walk.probabilities(planes), (expected / forest.n_trees).astype(np.float32))
    assert np.array_equal(np.array(forest.class_ids)[walk.classes(planes)], classes)


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 6), st.integers(0, 7), st.integers(0, 3000))
def test_a_program_counts_what_the_trees_say(seed, trees, classes, depth, pixels):
    checked(random_forest(seed, trees, classes, depth), planes(pixels, seed=seed))


@pytest.mark.parametrize(
    ("trees", "classes", "depth", "n_features"),
    [(1, 2, 0, 1), (1000, 2, 3, 3), (100, 2, 9, 40), (255, 3, 4, 7), (256, 3, 4, 7), (30, 40, 7, 9), (40, 255, 8, 9)],
    ids=str,
)
def test_forests_large_and_small(trees, classes, depth, n_features):
    checked(random_forest(1, trees, classes, depth, n_features), planes(2500, n_features))


def test_every_edge_of_a_feature():
    nodes = [[[0, edge, 3 * edge + 1, 3 * edge + 2, 0], [-1, -1, -1, -1, 0], [-1, -1, -1, -1, 1]] for edge in range(63)]
    roots = np.arange(0, 3 * 63, 3, dtype=np.int32)
    forest = BinnedForest(bins_of(1), (1, 2), roots, np.array(nodes, np.int32).reshape(-1, 5))
    values = np.arange(BINS, dtype=np.float32)[None] / BINS
    checked(forest, values)
    assert forest.program.counts(forest.bins.pack(values), BINS)[1].tolist() == list(range(BINS))


@pytest.mark.parametrize("classes", [2, 3, 5, 12, 255])
def test_of_classes_with_as_many_votes_the_first_is_taken(classes):
    nodes = np.array([[-1, -1, -1, -1, kind] for kind in range(classes)], np.int32)
    forest = BinnedForest(bins_of(), tuple(range(classes)), np.arange(classes, dtype=np.int32), nodes)
    checked(forest, planes(10))
    assert not forest.program.classes(forest.bins.pack(planes(10)), 10).any()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("depth", [None, 5])
def test_real_images_are_segmented_as_by_floats_and_by_scikit_learn(kind, depth):
    for example in list(examples())[::3]:
        labels = rasterise(Annotator(example.mask).draw(2, seed=0), example.mask.shape)
        features = compute_planes(example.image.pixels)
        planes = features.reshape(len(features), -1)
        rows = np.ascontiguousarray(planes[:, labels.ravel() > 0].T)
        chosen = ForestSettings(kind, n_estimators=20, max_depth=depth)
        forest = grow_binned_forest(rows, labels[labels > 0], chosen)
        forest.check()
        packed, pixels = forest.bins.pack(features), planes.shape[1]
        classes, counts = forest.program.classes(packed, pixels), forest.program.counts(packed, pixels)
        walk = FloatWalk.of(forest.as_forest())
        assert np.array_equal(np.array(forest.class_ids)[walk.classes(planes)], classes)
        assert np.array_equal(walk.probabilities(planes), (counts / forest.n_trees).astype(np.float32))
        reference = forest.as_forest().to_sklearn(forest.class_ids)
        some = np.random.default_rng(0).choice(pixels, 3000)
        assert np.allclose(reference.predict_proba(planes[:, some].T), counts[:, some].T / forest.n_trees, atol=1e-9)


def test_the_number_of_threads_makes_no_difference():
    forest = random_forest(3, 30, 3, 6)
    packed = forest.bins.pack(planes(40_000))
    one, two = (forest.program.classes(packed, 40_000, threads=threads) for threads in (1, 2))
    assert np.array_equal(one, two)


def small_forest(**changes):
    """A tree with three leaves, and a leaf that is a tree."""
    nodes = [[0, 31, 1, 2, 0], [-1, -1, -1, -1, 0], [1, 0, 3, 4, 1], [-1, -1, -1, -1, 1], [-1, -1, -1, -1, 0]]
    arrays = {
        "bins": bins_of(2),
        "class_ids": (1, 2),
        "roots": np.array([0, 5], np.int32),
        "nodes": np.array([*nodes, [-1, -1, -1, -1, 1]], np.int32),
    }
    return BinnedForest(**(arrays | changes))


def test_a_forest_by_hand():
    forest = small_forest()
    values = np.array([[0.25, 0.75, 0.75], [0.9, 0.001, 0.5]], np.float32)
    checked(forest, values)
    assert forest.program.counts(forest.bins.pack(values), 3).T.tolist() == [[1, 1], [0, 2], [1, 1]]


def changed(place, value):
    nodes = small_forest().nodes.copy()
    nodes[place] = value
    return {"nodes": nodes}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"roots": np.array([0, 5])}, "roots are not an array of int32 in 1 dimension"),
        ({"roots": np.array([0, 6], np.int32)}, "not in their order"),
        ({"roots": np.array([0, 0], np.int32)}, "not in their order"),
        ({"roots": np.array([1, 5], np.int32)}, "not in their order"),
        ({"roots": np.empty(0, np.int32)}, "not in their order"),
        ({"nodes": np.zeros((6, 5))}, "nodes are not an array of int32 in 2 dimensions"),
        ({"nodes": np.zeros((6, 4), np.int32)}, "4 numbers instead of 5"),
        ({"class_ids": ()}, "1 to 255 classes"),
        (changed((0, 0), 2), "none of its 2"),
        (changed((1, 0), -2), "none of its 2"),
        (changed((0, 1), 63), "edge that does not exist"),
        (changed((0, 1), -1), "edge that does not exist"),
        (changed((1, 4), 2), "votes for a class that does not exist"),
        (changed((1, 4), -1), "votes for a class that does not exist"),
        (changed((1, 1), 3), "leaf of the forest has children"),
        (changed((1, 2), 3), "leaf of the forest has children"),
        (changed((2, 2), 5), "does not come after it in its tree"),
        (changed((2, 3), 2**31 - 1), "does not come after it in its tree"),
        (changed((2, 2), 0), "does not come after it in its tree"),
        (changed((0, 2), -1), "does not come after it in its tree"),
        (changed((0, 3), 1), "not reached in one way"),
        (changed((2, 3), 3), "not reached in one way"),
    ],
)
def test_arrays_that_are_no_forest_are_refused(changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        small_forest(**changes).check()


def test_kernels_are_compiled_once():
    from segmentation.forest._program_kernels import assemble_comparisons, assemble_trees, run_program

    forest = random_forest(5, 4, 3, 4)
    packed = forest.bins.pack(planes(2000))
    forest.program.classes(packed, 2000)
    forest.program.counts(packed, 2000)
    for kernel in (assemble_comparisons, assemble_trees, run_program):
        assert len(kernel.signatures) == 1
