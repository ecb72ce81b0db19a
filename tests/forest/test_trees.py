import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from segmentation.forest.binned import EDGE, FEATURE, LEFT, RIGHT, VOTE
from segmentation.forest.bins import Bins
from segmentation.forest.growing import bootstrap, draws_of_each_class, tree_seeds
from segmentation.forest.settings import ForestSettings
from segmentation.forest.trees import grow_binned_forest, tries


def blobs(pixels=600, features=9, classes=3, seed=0, spread=2.0):
    random = np.random.default_rng(seed)
    class_ids = np.sort(random.integers(0, classes, pixels)).astype(np.uint8) * 2 + 3
    return (random.normal(class_ids[:, None], spread, (pixels, features))).astype(np.float32), class_ids


def trees_of(forest):
    """The nodes of each tree, numbered from 0."""
    for root, end in zip(forest.roots, [*forest.roots[1:], len(forest.nodes)], strict=True):
        nodes = forest.nodes[root:end].copy()
        nodes[:, [LEFT, RIGHT]] -= np.where(nodes[:, [LEFT, RIGHT]] < 0, 0, root)
        yield nodes


def walk(nodes, bins):
    """The leaf of each pixel of ``(features, pixels)`` bins."""
    leaves = np.zeros(bins.shape[1], int)
    while (nodes[leaves, FEATURE] >= 0).any():
        inner = np.flatnonzero(nodes[leaves, FEATURE] >= 0)
        node = nodes[leaves[inner]]
        above = bins[node[:, FEATURE], inner] > node[:, EDGE]
        leaves[inner] = np.where(above, node[:, RIGHT], node[:, LEFT])
    return leaves


KINDS = ("extra_trees", "random_forest")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("classes", [2, 3, 7])
def test_each_tree_tells_the_pixels_apart_that_it_saw(kind, classes):
    rows, class_ids = blobs(classes=classes)
    chosen = ForestSettings(kind, n_estimators=7)
    forest = grow_binned_forest(rows, class_ids, chosen)
    forest.check()
    assert forest.class_ids == tuple(np.unique(class_ids).tolist())
    columns = forest.bins.columns(rows)
    samples = bootstrap(class_ids, chosen)
    for nodes, sample in zip(trees_of(forest), samples, strict=True):
        votes = nodes[walk(nodes, columns[:, sample]), VOTE]
        assert np.array_equal(np.array(forest.class_ids)[votes], class_ids[sample])
        reached = np.unique(walk(nodes, columns[:, sample]))
        assert np.array_equal(reached, np.flatnonzero(nodes[:, FEATURE] < 0)), "a leaf that no pixel led to"


def test_a_tree_of_scikit_learn_on_the_bins():
    rows, class_ids = blobs()
    chosen = ForestSettings("random_forest", n_estimators=5, max_depth=6)
    forest = grow_binned_forest(rows, class_ids, chosen)
    bins = forest.bins.columns(rows).T.astype(np.float32)
    other = forest.bins.columns(blobs(seed=1)[0])
    samples, seeds = bootstrap(class_ids, chosen), tree_seeds(chosen)
    for nodes, sample, seed in zip(trees_of(forest), samples, seeds, strict=True):
        expected = DecisionTreeClassifier(max_features="sqrt", max_depth=6, random_state=int(seed))
        expected.fit(bins[sample], class_ids[sample])
        votes = np.array(forest.class_ids)[nodes[walk(nodes, other), VOTE]]
        assert np.array_equal(votes, expected.predict(other.T.astype(np.float32)))


def test_trees_are_like_those_of_scikit_learn():
    rows, class_ids = blobs(3000, 16, spread=4)
    test_rows, test_ids = blobs(3000, 16, seed=1, spread=4)
    chosen = ForestSettings(n_estimators=200)
    forest = grow_binned_forest(rows, class_ids, chosen)
    bins = forest.bins.columns(rows).T.astype(np.float32)
    columns = forest.bins.columns(test_rows)
    ours, theirs, leaves = [], [], []
    for nodes, sample, seed in zip(trees_of(forest), bootstrap(class_ids, chosen), tree_seeds(chosen), strict=True):
        reference = ExtraTreeClassifier(max_features="sqrt", random_state=int(seed))
        reference.fit(bins[sample], class_ids[sample])
        votes = np.array(forest.class_ids)[nodes[walk(nodes, columns), VOTE]]
        ours.append((votes == test_ids).mean())
        theirs.append((reference.predict(columns.T.astype(np.float32)) == test_ids).mean())
        leaves.append((len(nodes), reference.tree_.node_count))
    error = np.std(np.subtract(ours, theirs)) / np.sqrt(200)
    assert abs(np.mean(ours) - np.mean(theirs)) < 4 * error
    ours_leaves, their_leaves = np.mean(leaves, axis=0)
    assert abs(ours_leaves - their_leaves) < 0.03 * their_leaves


def test_features_are_tried_as_often_as_scikit_learn_tries_them_where_most_are_constant():
    random = np.random.default_rng(0)
    rows = np.zeros((400, 25), np.float32)
    class_ids = np.repeat([1, 2], 200).astype(np.uint8)
    rows[:, 3] = class_ids + random.normal(0, 0.1, 400)  # tells them apart at once
    rows[:, 7] = random.normal(size=400)  # tells nothing
    forest = grow_binned_forest(rows, class_ids, ForestSettings(n_estimators=500))
    bins = forest.bins.columns(rows).T.astype(np.float32)
    at_root = np.mean([nodes[0, FEATURE] == 3 for nodes in trees_of(forest)])
    expected = [
        ExtraTreeClassifier(max_features="sqrt", random_state=seed).fit(bins, class_ids).tree_.feature[0] == 3
        for seed in range(500)
    ]
    assert abs(at_root - np.mean(expected)) < 4 * np.sqrt(2 * 0.25 / 500)


def test_edges_are_drawn_evenly_between_the_smallest_and_the_largest_bin():
    rows = np.concatenate([np.zeros(50), np.full(50, 10)]).astype(np.float32)[:, None]
    rows[-1] = 63 / 64 * 10 / 0.3  # so that the rows of the other class lie in low bins, one far away
    class_ids = np.repeat([1, 2], 50).astype(np.uint8)
    forest = grow_binned_forest(rows, class_ids, ForestSettings(n_estimators=1000, max_samples=1.0))
    bins = forest.bins.columns(rows)[0]
    edges = np.array([nodes[0, EDGE] for nodes in trees_of(forest)])
    highest = [
        bins[sample].max() for sample in bootstrap(class_ids, ForestSettings(n_estimators=1000, max_samples=1.0))
    ]
    wide = edges[np.array(highest) == bins.max()]
    counts = np.bincount(wide, minlength=bins.max())
    assert len(counts) == bins.max()
    assert abs(counts - len(wide) / bins.max()).max() < 5 * np.sqrt(len(wide) / bins.max())


def test_where_no_feature_tells_pixels_apart_the_majority_decides():
    rows = np.ones((9, 4), np.float32)
    class_ids = np.array([1, 1, 1, 2, 2, 2, 2, 2, 2], np.uint8)
    forest = grow_binned_forest(rows, class_ids, ForestSettings(n_estimators=3))
    assert forest.nodes.tolist() == [[-1, -1, -1, -1, 0]] * 3, "as many pixels of each class are drawn: the first"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [1, 4])
def test_trees_are_no_deeper_than_they_may_be(kind, depth):
    rows, class_ids = blobs()
    forest = grow_binned_forest(rows, class_ids, ForestSettings(kind, n_estimators=20, max_depth=depth))
    for nodes in trees_of(forest):
        depths = np.zeros(len(nodes), int)
        for node in np.flatnonzero(nodes[:, FEATURE] >= 0):
            depths[nodes[node, [LEFT, RIGHT]]] = depths[node] + 1
        assert depths.max() == depth


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_threads_changes_no_node(kind):
    rows, class_ids = blobs()
    one, two, many = (
        grow_binned_forest(rows, class_ids, ForestSettings(kind, n_estimators=21), threads) for threads in (1, 2, 30)
    )
    for other in (two, many):
        assert np.array_equal(one.roots, other.roots)
        assert np.array_equal(one.nodes, other.nodes)


def test_the_seed_decides():
    rows, class_ids = blobs()
    one, same, other = (grow_binned_forest(rows, class_ids, ForestSettings(random_state=seed)) for seed in (1, 1, 2))
    assert np.array_equal(one.nodes, same.nodes)
    assert one.nodes.shape != other.nodes.shape or not np.array_equal(one.nodes, other.nodes)


def test_more_trees_leave_the_first_as_they_are():
    rows, class_ids = blobs()
    few, many = (grow_binned_forest(rows, class_ids, ForestSettings(n_estimators=count)) for count in (5, 50))
    assert np.array_equal(few.nodes, many.nodes[: len(few.nodes)])


@pytest.mark.parametrize(("n_features", "expected"), [(1, 1), (3, 1), (24, 4), (72, 8), (162, 12)])
def test_as_many_features_are_tried_as_scikit_learn_tries(n_features, expected):
    assert tries(n_features) == expected


@pytest.mark.parametrize("pixels", [3, 99, 1000])
def test_as_many_pixels_are_drawn_as_the_bootstrap_has(pixels):
    class_ids = np.resize([1, 1, 2], pixels).astype(np.uint8)
    assert bootstrap(class_ids, ForestSettings()).shape[1] == 2 * draws_of_each_class(pixels, 2, ForestSettings())


def test_edges_depend_on_the_rows_alone():
    rows, class_ids = blobs()
    forest = grow_binned_forest(rows, class_ids, ForestSettings(n_estimators=2))
    assert np.array_equal(forest.bins.edges, Bins.of_rows(rows).edges)
