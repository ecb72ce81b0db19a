import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality import examples
from benchmarks.scribbles import Annotator
from segmentation.features.compute import compute_planes
from segmentation.forest._bit_layout import BINS
from segmentation.forest.bins import Bins
from segmentation.forest.forest import Forest
from segmentation.forest.growing import grow_forest
from segmentation.forest.program import Program
from segmentation.forest.reference import reference_classes, reference_proba
from segmentation.forest.settings import ForestSettings
from segmentation.strokes import rasterise

N_FEATURES = 5


def bins_of(n_features=N_FEATURES):
    return Bins(np.zeros(n_features, np.float32), np.full(n_features, BINS, np.float32))


def forest_of(roots, nodes, classes, n_features=N_FEATURES):
    """A forest of nodes: feature, edge, left, right, class."""
    bins, (feature, edge, left, right, vote) = bins_of(n_features), np.array(nodes, np.int32).reshape(-1, 5).T.copy()
    threshold = np.zeros(len(feature), np.float32)
    threshold[feature >= 0] = bins.thresholds(feature[feature >= 0], edge[feature >= 0])
    shares = np.eye(classes)[vote]
    return Forest(n_features, np.array(roots, np.int32), feature, threshold, left, right, shares, bins)


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
    return forest_of(roots, nodes, classes, n_features)


def planes(pixels, n_features=N_FEATURES, seed=0):
    return np.random.default_rng(seed).random((n_features, pixels), np.float32)


def walked(forest, planes):
    """The votes for each class, by going down each tree with all pixels."""
    counts = np.zeros((forest.n_classes, planes.shape[1]), int)
    for root in forest.roots:
        at = np.full(planes.shape[1], root)
        while (forest.feature[at] >= 0).any():
            inner = np.flatnonzero(forest.feature[at] >= 0)
            node = at[inner]
            above = planes[forest.feature[node], inner] > forest.threshold[node]
            at[inner] = np.where(above, forest.right[node], forest.left[node])
        counts[forest.probabilities[at].argmax(axis=1), np.arange(planes.shape[1])] += 1
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
    assert np.array_equal(classes, expected.argmax(axis=0)), "the first of equals"
    only_these = forest.bins.pack(planes, features=forest.program.features)
    assert np.array_equal(forest.program.classes(only_these, pixels), classes)
    floats = dataclasses.replace(forest, bins=None)
    for one in (forest, floats):
        assert np.array_equal(one.predict_proba(planes), (expected / forest.n_trees).astype(np.float32))
        assert np.array_equal(one.predict(planes), classes)
    weights = np.random.default_rng(pixels).integers(10, 100_001, forest.n_classes).astype(np.int32)
    weights[:2] = [1500, 1000][: forest.n_classes]  # so that numbers of votes that differ are equal with them
    products = expected * weights[:, np.newaxis].astype(np.int64)
    assert np.array_equal(forest.program.classes(packed, pixels, weights), products.argmax(axis=0))
    for one in (forest, floats):
        assert np.array_equal(one.predict(planes, weights), products.argmax(axis=0)), "the first of equals"
        assert np.array_equal(reference_classes(one, planes, weights), products.argmax(axis=0))
        probabilities = (products / products.sum(axis=0)).astype(np.float32)
        assert np.array_equal(one.predict_proba(planes, weights), probabilities)
        assert np.array_equal(reference_proba(one, planes, weights), probabilities)


@pytest.mark.slow
@given(st.integers(0, 2**32 - 1), st.integers(1, 20), st.integers(1, 6), st.integers(0, 7), st.integers(0, 3000))
def test_a_program_counts_what_the_trees_say(seed, trees, classes, depth, pixels):
    checked(random_forest(seed, trees, classes, depth), planes(pixels, seed=seed))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trees", "classes", "depth", "n_features"),
    [
        (1, 2, 0, 1),
        (3, 1, 4, 2),
        (1000, 2, 3, 3),
        (100, 2, 9, 40),
        (255, 3, 4, 7),
        (256, 3, 4, 7),
        (30, 40, 7, 9),
        (40, 255, 8, 9),
    ],
    ids=str,
)
def test_forests_large_and_small(trees, classes, depth, n_features):
    checked(random_forest(1, trees, classes, depth, n_features), planes(2500, n_features))


def test_every_edge_of_a_feature():
    nodes = [[[0, edge, 3 * edge + 1, 3 * edge + 2, 0], [-1, -1, -1, -1, 0], [-1, -1, -1, -1, 1]] for edge in range(63)]
    roots = np.arange(0, 3 * 63, 3, dtype=np.int32)
    forest = forest_of(roots, nodes, 2, 1)
    values = np.arange(BINS, dtype=np.float32)[None] / BINS
    checked(forest, values)
    assert forest.program.counts(forest.bins.pack(values), BINS)[1].tolist() == list(range(BINS))


@pytest.mark.parametrize("classes", [2, 3, 5, 12, 255])
def test_of_classes_with_as_many_votes_the_first_is_taken(classes):
    forest = forest_of(range(classes), [[-1, -1, -1, -1, kind] for kind in range(classes)], classes)
    checked(forest, planes(10))
    assert not forest.program.classes(forest.bins.pack(planes(10)), 10).any()


def test_of_classes_whose_weighted_votes_are_as_many_the_first_is_taken():
    forest = forest_of(range(5), [[-1, -1, -1, -1, kind] for kind in (1, 0, 1, 0, 1)], 2)
    packed = forest.bins.pack(planes(10))
    for weights, expected in (([1500, 1000], 0), ([1499, 1000], 1), ([1501, 1000], 0)):
        found = forest.program.classes(packed, 10, np.array(weights, np.int32))
        assert found.tolist() == [expected] * 10


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_real_images_are_segmented_as_by_floats_and_by_scikit_learn(kind):
    for example in list(examples())[::3]:
        labels = rasterise(Annotator(example.mask).draw(2, seed=0), example.mask.shape)
        features = compute_planes(example.image.pixels)
        planes = features.reshape(len(features), -1)
        rows = np.ascontiguousarray(planes[:, labels.ravel() > 0].T)
        forest = grow_forest(rows, labels[labels > 0], ForestSettings(kind, n_estimators=20))
        floats = dataclasses.replace(forest, bins=None, samples=None, impurity=None)
        assert np.array_equal(forest.predict(features), floats.predict(features))
        assert np.array_equal(forest.predict_proba(features), floats.predict_proba(features))
        some = np.random.default_rng(0).choice(planes.shape[1], 3000)
        expected = forest.to_sklearn().predict_proba(planes[:, some].T)
        assert np.allclose(forest.predict_proba(planes)[:, some].T, expected, atol=1e-7)


def test_the_number_of_threads_makes_no_difference():
    forest = random_forest(3, 30, 3, 6)
    packed = forest.bins.pack(planes(40_000))
    one, two = (forest.program.classes(packed, 40_000, threads=threads) for threads in (1, 2))
    assert np.array_equal(one, two)


def full_tree(depth):
    """The nodes of a tree, all of whose last comparisons vote for the second class on the left, and the first else."""
    nodes = []

    def grow(left, vote):
        node = len(nodes)
        nodes.append([0, node % (BINS - 1), -1, -1, vote] if left else [-1, -1, -1, -1, vote])
        if left:
            nodes[node][2:4] = grow(left - 1, 1), grow(left - 1, 0)
        return node

    grow(depth, 0)
    return nodes


@pytest.mark.parametrize("depth", [1, 2, 3, 8, 12])
def test_a_program_takes_no_more_than_was_said(depth):
    from segmentation.forest._program_kernels import FIRST_COMPARISON

    forest = forest_of([0], full_tree(depth), 2, 1)
    checked(forest, planes(500, 1))
    inner = int(np.count_nonzero(forest.feature >= 0))
    assert forest.program.nbytes <= Program.most_bytes(1, inner, 1, 2)
    before = FIRST_COMPARISON + len(forest.program.masks) + len(forest.roots)
    assert forest.program.first_digit - before <= 2 * depth, "rows are used again"


@pytest.mark.parametrize("trees", [1, 7, 8, 100, 1000])
@pytest.mark.parametrize("classes", [2, 3, 129, 255])
def test_counting_the_votes_of_many_classes_takes_no_more_than_was_said(trees, classes):
    forest = forest_of(range(trees), [[-1, -1, -1, -1, tree % classes] for tree in range(trees)], classes)
    assert forest.program.nbytes <= Program.most_bytes(trees, 0, N_FEATURES, classes)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
def test_a_leaf_that_says_a_little_for_another_class_too_is_no_vote(kernels, order):
    forest = forest_of(range(4), [[-1, -1, -1, -1, tree % 2] for tree in range(4)], 2)
    shares = forest.probabilities.copy()
    shares[1::2] = np.array([5e-7, 1])
    forest = dataclasses.replace(forest, probabilities=np.ascontiguousarray(shares[:, order]))
    forest.check()
    floats, pixels = dataclasses.replace(forest, bins=None), planes(10)
    for weights in (None, np.array([1000, 1500], np.int32)):
        for one in (forest, floats):
            assert np.array_equal(one.predict(pixels, weights), reference_classes(forest, pixels, weights))
            assert np.array_equal(one.predict_proba(pixels, weights), reference_proba(forest, pixels, weights))


def test_a_forest_by_hand():
    nodes = [[0, 31, 1, 2, 0], [-1, -1, -1, -1, 0], [1, 0, 3, 4, 1], [-1, -1, -1, -1, 1], [-1, -1, -1, -1, 0]]
    forest = forest_of([0, 5], [*nodes, [-1, -1, -1, -1, 1]], 2, 2)
    values = np.array([[0.25, 0.75, 0.75], [0.9, 0.001, 0.5]], np.float32)
    checked(forest, values)
    assert forest.program.counts(forest.bins.pack(values), 3).T.tolist() == [[1, 1], [0, 2], [1, 1]]


def test_kernels_are_compiled_once(kernels):
    from segmentation.forest._program_kernels import assemble_trees, run_program

    forest = random_forest(5, 4, 3, 4)
    packed = forest.bins.pack(planes(2000))
    forest.program.classes(packed, 2000)
    forest.program.counts(packed, 2000)
    for kernel in (assemble_trees, run_program):
        assert len(kernel.signatures) == 1
