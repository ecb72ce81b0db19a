import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sklearn.tree import DecisionTreeClassifier, ExtraTreeClassifier

from segmentation._shared.kernels import references_instead
from segmentation.forest.bins import Bins
from segmentation.forest.growing import bootstrap, draws_of_each_class, grow_forest, tree_seeds, tries
from segmentation.forest.settings import MIN_TREE_PIXELS, ForestSettings


def blobs(pixels=600, features=9, classes=3, seed=0, spread=2.0):
    random = np.random.default_rng(seed)
    class_ids = np.sort(random.integers(0, classes, pixels)).astype(np.uint8) * 2 + 3
    return (random.normal(class_ids[:, None], spread, (pixels, features))).astype(np.float32), class_ids


def forest_bytes(forest):
    return b"".join(getattr(forest, name).tobytes() for name in ("roots", "feature", "threshold", "left", "right"))


def test_settings_survive_json():
    chosen = ForestSettings("random_forest", 7, 5, 0.25, 0.5, 0.25, 11, 4, False, 0.25)
    assert ForestSettings.from_json(chosen.to_json()) == chosen
    before = ForestSettings.from_json({"n_estimators": 9})
    ranges = {"range_steps": 8, "image_ranges": False, "range_margin": 0}
    first = {"max_samples": 0.2, "balance": 1, "fine_trees": 0, **ranges}
    assert before == ForestSettings(n_estimators=9, **first), "as before there were any"


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kind": "svm"}, "kind of forest must be one of extra_trees, random_forest"),
        ({"kind": 3}, "kind of forest"),
        ({"range_steps": 3}, "steps of a range must be 1, 2, 4 or 8"),
        ({"range_steps": True}, "steps of a range"),
        ({"image_ranges": 1}, "must be true or false"),
        ({"range_margin": -0.1}, "margin of a range must be between 0 and 1"),
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
    chosen = bootstrap(class_ids, ForestSettings(n_estimators=4, max_samples=share, balance=1))
    assert len(chosen) == 4
    for tree in chosen:
        counts = np.bincount(class_ids[tree])
        present = np.unique(class_ids)
        assert set(counts[present]) == {round(seen / len(present))}
    assert not np.array_equal(chosen[0], chosen[1])


def test_few_pixels_are_all_there_is():
    class_ids = np.array([1, 1, 2], np.uint8)
    assert bootstrap(class_ids, ForestSettings(n_estimators=2, balance=1)).shape == (2, 4)


def edges_of(forest):
    """The edge that each node compares with, -1 at a leaf."""
    inner = forest.feature >= 0
    edges = np.full(len(inner), -1)
    edges[inner] = forest.bins.of_values(forest.feature[inner], forest.threshold[inner])
    return edges


def trees_of(forest):
    """Feature, edge, left, right and class of the nodes of each tree, numbered from 0."""
    columns = (forest.feature, edges_of(forest), forest.left, forest.right, forest.probabilities.argmax(axis=1))
    nodes = np.stack(columns, axis=1)
    for root, end in zip(forest.roots, [*forest.roots[1:], len(nodes)], strict=True):
        tree = nodes[root:end].copy()
        tree[:, [LEFT, RIGHT]] -= np.where(tree[:, [LEFT, RIGHT]] < 0, 0, root)
        yield tree


def arrays(forest):
    names = ("roots", "feature", "threshold", "left", "right", "probabilities", "samples", "impurity")
    return [getattr(forest, name) for name in names]


FEATURE, EDGE, LEFT, RIGHT, VOTE = range(5)


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
    forest = grow_forest(rows, class_ids, chosen)
    forest.check()
    known = np.unique(class_ids)
    assert forest.n_classes == len(known)
    columns = forest.bins.columns(rows)
    samples = bootstrap(class_ids, chosen)
    for nodes, sample in zip(trees_of(forest), samples, strict=True):
        votes = nodes[walk(nodes, columns[:, sample]), VOTE]
        assert np.array_equal(known[votes], class_ids[sample])
        reached = np.unique(walk(nodes, columns[:, sample]))
        assert np.array_equal(reached, np.flatnonzero(nodes[:, FEATURE] < 0)), "a leaf that no pixel led to"


def test_a_tree_of_scikit_learn_on_the_bins():
    rows, class_ids = blobs()
    chosen = ForestSettings("random_forest", n_estimators=5, max_depth=6)
    forest = grow_forest(rows, class_ids, chosen)
    bins = forest.bins.columns(rows).T.astype(np.float32)
    other = forest.bins.columns(blobs(seed=1)[0])
    samples, seeds = bootstrap(class_ids, chosen), tree_seeds(chosen)
    for nodes, sample, seed in zip(trees_of(forest), samples, seeds, strict=True):
        expected = DecisionTreeClassifier(max_features="sqrt", max_depth=6, random_state=int(seed))
        expected.fit(bins[sample], class_ids[sample])
        votes = np.unique(class_ids)[nodes[walk(nodes, other), VOTE]]
        assert np.array_equal(votes, expected.predict(other.T.astype(np.float32)))


def test_trees_are_like_those_of_scikit_learn():
    rows, class_ids = blobs(3000, 16, spread=4)
    test_rows, test_ids = blobs(3000, 16, seed=1, spread=4)
    chosen = ForestSettings(n_estimators=200)
    forest = grow_forest(rows, class_ids, chosen)
    bins = forest.bins.columns(rows).T.astype(np.float32)
    columns = forest.bins.columns(test_rows)
    ours, theirs, leaves = [], [], []
    for nodes, sample, seed in zip(trees_of(forest), bootstrap(class_ids, chosen), tree_seeds(chosen), strict=True):
        reference = ExtraTreeClassifier(max_features="sqrt", random_state=int(seed))
        reference.fit(bins[sample], class_ids[sample])
        votes = np.unique(class_ids)[nodes[walk(nodes, columns), VOTE]]
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
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=500))
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
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=1000, max_samples=1.0))
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
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=3, balance=1))
    assert forest.feature.tolist() == [-1] * 3
    assert forest.probabilities.tolist() == [[1, 0]] * 3, "as many pixels of each class are drawn: the first"
    assert forest.impurity.tolist() == [0.5] * 3
    assert forest.votes


def test_a_leaf_that_the_depth_stops_has_shares_of_classes():
    rows, class_ids = blobs()
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=5, max_depth=2))
    assert not forest.votes
    leaves = forest.feature < 0
    counts = forest.probabilities * forest.samples[:, None]
    assert np.allclose(counts, np.rint(counts))
    assert (forest.probabilities[leaves].max(axis=1) < 1).any()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("depth", [1, 4])
def test_trees_are_no_deeper_than_they_may_be(kind, depth):
    rows, class_ids = blobs()
    forest = grow_forest(rows, class_ids, ForestSettings(kind, n_estimators=20, max_depth=depth))
    for nodes in trees_of(forest):
        depths = np.zeros(len(nodes), int)
        for node in np.flatnonzero(nodes[:, FEATURE] >= 0):
            depths[nodes[node, [LEFT, RIGHT]]] = depths[node] + 1
        assert depths.max() == depth


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_of_threads_changes_no_node(kind):
    rows, class_ids = blobs()
    one, two, many = (
        grow_forest(rows, class_ids, ForestSettings(kind, n_estimators=21), threads) for threads in (1, 2, 30)
    )
    for other in (two, many):
        assert all(array.tobytes() == same.tobytes() for array, same in zip(arrays(one), arrays(other), strict=True))


def test_the_seed_decides():
    rows, class_ids = blobs()
    one, same, other = (grow_forest(rows, class_ids, ForestSettings(random_state=seed)) for seed in (1, 1, 2))
    assert all(array.tobytes() == again.tobytes() for array, again in zip(arrays(one), arrays(same), strict=True))
    assert arrays(one)[1].tobytes() != arrays(other)[1].tobytes()


def test_more_trees_leave_the_first_as_they_are():
    rows, class_ids = blobs()
    few, many = (grow_forest(rows, class_ids, ForestSettings(n_estimators=count)) for count in (5, 50))
    for array, longer in zip(arrays(few), arrays(many), strict=True):
        assert np.array_equal(array, longer[: len(array)])


@pytest.mark.parametrize(("n_features", "expected"), [(1, 1), (3, 1), (24, 4), (72, 8), (162, 12)])
def test_as_many_features_are_tried_as_scikit_learn_tries(n_features, expected):
    assert tries(n_features) == expected


@pytest.mark.parametrize("pixels", [3, 99, 1000])
def test_as_many_pixels_are_drawn_as_the_bootstrap_has(pixels):
    class_ids = np.resize([1, 1, 2], pixels).astype(np.uint8)
    assert (
        bootstrap(class_ids, ForestSettings()).shape[1]
        == draws_of_each_class(np.bincount(class_ids)[1:], ForestSettings()).sum()
    )


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("threads", [1, 3])
def test_some_trees_see_fine_features_only(kind, threads):
    rows, class_ids = blobs(features=9)
    fine = np.arange(9) % 3 == 1
    chosen = ForestSettings(kind, n_estimators=7, fine_trees=0.5)
    forest = grow_forest(rows, class_ids, chosen, threads, fine=fine)
    ends = np.append(forest.roots[1:], len(forest.feature))
    seen = [np.unique(forest.feature[start:end]) for start, end in zip(forest.roots, ends, strict=True)]
    assert [set(features[features >= 0].tolist()) <= {1, 4, 7} for features in seen] == [False] * 3 + [True] * 4
    every = grow_forest(rows, class_ids, ForestSettings(kind, n_estimators=7, fine_trees=0), threads, fine=fine)
    assert np.array_equal(forest.threshold[: ends[2]], every.threshold[: ends[2]]), "the others are as they would be"
    assert forest_bytes(grow_forest(rows, class_ids, chosen, threads)) == forest_bytes(every), "none is known to be"


def test_in_the_strokes_own_proportions_rare_classes_are_seen_less():
    class_ids = np.repeat([1, 2], [900, 100]).astype(np.uint8)
    counts = np.array([900, 100])
    drawn = [draws_of_each_class(counts, ForestSettings(max_samples=0.2, balance=balance)) for balance in (1, 0.5, 0)]
    assert [draws.tolist() for draws in drawn] == [[100, 100], [140, 60], [180, 20]]
    chosen = bootstrap(class_ids, ForestSettings(n_estimators=3, max_samples=0.2, balance=0))
    assert np.count_nonzero(class_ids[chosen] == 2, axis=1).tolist() == [20] * 3


def test_edges_depend_on_the_rows_alone():
    rows, class_ids = blobs()
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=2))
    assert np.array_equal(forest.bins.edges, Bins.of_rows(rows).edges)


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("exponent", [-20, -34, -60, -110, 3, 100])
def test_no_span_of_features_counts_as_constant(kind, exponent):
    rows, class_ids = blobs()
    rows = np.ldexp(np.rint(np.ldexp(rows, 8)), -13)  # so few digits that even denormal numbers hold them
    rows[:, 3] = 5
    scaled = np.ldexp(rows, exponent)
    assert np.array_equal(np.ldexp(scaled, -exponent), rows)
    chosen = ForestSettings(kind, n_estimators=5)
    forest, expected = (grow_forest(some, class_ids, chosen) for some in (scaled, rows))
    found = forest.predict(np.ascontiguousarray(scaled.T))
    assert np.array_equal(found, expected.predict(np.ascontiguousarray(rows.T)))
    assert (np.unique(class_ids)[found] == class_ids).mean() > 0.8
    assert np.array_equal(forest.feature, expected.feature)
    assert np.array_equal(edges_of(forest), edges_of(expected))


def test_tiny_features_are_told_apart():
    tiny = np.float32(2.0**-121)
    rows = np.repeat(np.array([[0], [1], [2]], np.float32) * tiny, 50, axis=0)
    class_ids = np.repeat(np.array([1, 2, 3], np.uint8), 50)
    forest = grow_forest(rows, class_ids, ForestSettings(n_estimators=9))
    assert (forest.predict(np.ascontiguousarray(rows.T)) + 1 == class_ids).all()


@pytest.mark.parametrize("depth", [None, 3])
def test_what_training_knows_of_a_random_forest_is_what_scikit_learn_computes(depth):
    rows, class_ids = blobs()
    chosen = ForestSettings("random_forest", n_estimators=6, max_depth=depth)
    forest = grow_forest(rows, class_ids, chosen)
    bins = forest.bins.columns(rows).T.astype(np.float32)
    known, importances = np.unique(class_ids, return_inverse=True), []
    model = forest.to_sklearn(known[0])
    for ours, sample, seed in zip(model.estimators_, bootstrap(class_ids, chosen), tree_seeds(chosen), strict=True):
        theirs = DecisionTreeClassifier(max_features="sqrt", max_depth=depth, random_state=int(seed))
        theirs.fit(bins[sample], known[1][sample])
        importances.append(theirs.feature_importances_)
        assert np.array_equal(ours.tree_.impurity, theirs.tree_.impurity)
        assert np.array_equal(ours.tree_.n_node_samples, theirs.tree_.n_node_samples)
        assert np.array_equal(ours.feature_importances_, theirs.feature_importances_)
    assert np.allclose(model.feature_importances_, np.mean(importances, axis=0))


def test_what_training_knows_of_extremely_randomised_trees_is_what_the_pixels_say():
    rows, class_ids = blobs()
    chosen = ForestSettings(n_estimators=6)
    forest = grow_forest(rows, class_ids, chosen)
    columns, kinds = forest.bins.columns(rows), np.unique(class_ids, return_inverse=True)[1]
    for root, nodes, sample in zip(forest.roots, trees_of(forest), bootstrap(class_ids, chosen), strict=True):
        counts = np.zeros((len(nodes), 3), int)
        np.add.at(counts, (walk(nodes, columns[:, sample]), kinds[sample]), 1)
        for node in reversed(np.flatnonzero(nodes[:, FEATURE] >= 0)):
            counts[node] = counts[nodes[node, [LEFT, RIGHT]]].sum(axis=0)
        of_tree = slice(root, root + len(nodes))
        assert np.array_equal(forest.samples[of_tree], counts.sum(axis=1))
        shares = counts / counts.sum(axis=1, keepdims=True)
        assert np.allclose(forest.impurity[of_tree], 1 - (shares**2).sum(axis=1), atol=1e-12)


@examples(max_examples=40, deadline=None)
@given(
    st.integers(2, 250),
    st.integers(1, 12),
    st.integers(2, 5),
    st.sampled_from([0.0, 0.3, 2.0]),
    st.sampled_from([None, 1, 4]),
    st.integers(0, 2**32 - 1),
)
def test_the_reference_grows_the_same_trees(pixels, features, classes, spread, depth, seed):
    rows, class_ids = blobs(pixels, features, classes, seed, spread)
    rows[:, ::3] = np.rint(rows[:, ::3])
    settings = ForestSettings(n_estimators=4, max_depth=depth, random_state=seed)
    forest = grow_forest(rows, class_ids, settings)
    with references_instead():
        by_reference = grow_forest(rows, class_ids, settings)
    for field in ("roots", "feature", "threshold", "left", "right", "probabilities", "samples", "impurity"):
        assert getattr(forest, field).tobytes() == getattr(by_reference, field).tobytes()
