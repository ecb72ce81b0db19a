import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.kernels import references_instead
from segmentation.forest.sampling import PixelSample, TrainingSample, count_classes, random_uint64


def labelled(rows, columns, share, classes=2, seed=0):
    random = np.random.default_rng(seed)
    labels = random.integers(1, classes + 1, (rows, columns)).astype(np.uint8)
    labels[random.random((rows, columns)) > share] = 0
    return labels


def test_all_labelled_pixels_are_taken_in_raster_order_while_there_is_room():
    labels = labelled(40, 50, 0.2)
    sample = TrainingSample.draw([labels], seed=3)
    assert np.array_equal(sample.places[0], np.flatnonzero(labels))
    assert np.array_equal(sample.class_ids, labels[labels > 0])
    assert sample.labelled_pixels == {1: int((labels == 1).sum()), 2: int((labels == 2).sum())}


@settings(deadline=None)
@given(st.tuples(st.integers(1, 9), st.integers(1, 40)), st.integers(0, 7), st.integers(0, 99))
def test_classes_are_counted_wherever_the_labels_lie_in_memory(shape, offset, seed):
    memory = np.random.default_rng(seed).integers(0, 4, offset + shape[0] * shape[1]).astype(np.uint8)
    labels = memory[offset:].reshape(shape)
    expected = {class_id: int((labels == class_id).sum()) for class_id in (1, 2, 3) if (labels == class_id).any()}
    for layout in (labels, np.asfortranarray(labels), np.repeat(labels, 2, axis=1)[:, ::2]):
        assert count_classes(layout) == expected
        with references_instead():
            assert count_classes(layout) == expected
    labels.flags.writeable = False
    assert count_classes(labels, labels) == {class_id: 2 * count for class_id, count in expected.items()}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 400), st.floats(0.1, 1))
def test_those_of_the_smallest_priorities_are_taken(seed, limit, share):
    rasters = [labelled(31, 17, share, 3, 1), labelled(8, 40, share, 3, 2)]
    expected = [np.zeros(0, int)] * 2
    for class_id in (1, 2, 3):
        places = [np.flatnonzero(raster == class_id) for raster in rasters]
        priorities = [
            random_uint64(seed, image, at // raster.shape[1], at % raster.shape[1])
            for image, (raster, at) in enumerate(zip(rasters, places, strict=True))
        ]
        every = np.sort(np.concatenate(priorities))
        last = every[min(limit // 3, len(every)) - 1]
        expected = [
            np.union1d(before, at[priority <= last])
            for before, at, priority in zip(expected, places, priorities, strict=True)
        ]
    sample = TrainingSample.draw(rasters, seed, limit)
    for found, wanted in zip(sample.places, expected, strict=True):
        assert np.array_equal(found, wanted)
    with references_instead():
        assert TrainingSample.draw(rasters, seed, limit).digest() == sample.digest()


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 5), st.floats(0.05, 1), st.integers(0, 2**32 - 1), st.integers(10, 300))
def test_a_flood_is_cut_to_equal_shares(classes, share, seed, limit):
    rasters = [labelled(30, 41, share, classes, 1), labelled(25, 10, share, classes, 2)]
    every = np.concatenate([raster[raster > 0] for raster in rasters])
    sample = TrainingSample.draw(rasters, seed, limit)
    for class_id in range(1, classes + 1):
        available = int((every == class_id).sum())
        assert sample.labelled_pixels[class_id] == available
        assert (sample.class_ids == class_id).sum() == min(available, limit // classes)
    assert all((np.diff(places) > 0).all() for places in sample.places)
    found = [raster.ravel()[places] for raster, places in zip(rasters, sample.places, strict=True)]
    assert np.array_equal(np.concatenate(found), sample.class_ids)


def test_a_new_stroke_replaces_few_of_the_pixels_chosen_before():
    before = labelled(200, 200, 0.5)
    after = before.copy()
    after[:20][before[:20] == 0] = 1
    old, new = (set(TrainingSample.draw([labels], 0, 2000).places[0].tolist()) for labels in (before, after))
    unchanged = set(np.flatnonzero(before == after).tolist())
    added = len(new - old)
    assert added == len(old - new) <= 400
    assert new & unchanged <= old


def test_another_seed_takes_other_pixels():
    labels = labelled(100, 100, 1)
    first, second = (TrainingSample.draw([labels], seed, 1000).places[0] for seed in (0, 1))
    assert len(np.intersect1d(first, second)) < 300


def test_the_sample_is_spread_evenly_over_the_image():
    labels = np.ones((256, 256), np.uint8)
    labels[:, ::2] = 2
    rows, columns = np.divmod(TrainingSample.draw([labels], 0, 4096).places[0], 256)
    counts = np.histogram2d(rows, columns, bins=4)[0]
    assert abs(counts - 256).max() < 6 * 16


@pytest.mark.parametrize(("labels", "why"), [([0, 0], "none has"), ([0, 7], "only one has")])
def test_fewer_than_two_classes_are_refused_with_a_sentence(labels, why):
    with pytest.raises(ValueError, match=f"Draw strokes of at least two classes: {why} labelled pixels"):
        TrainingSample.draw([np.array([labels], np.uint8)], 0)


def test_what_is_drawn_depends_on_each_number_and_never_changes():
    assert random_uint64(1, 2).tolist() == random_uint64(np.array([1]), np.array([2])).tolist()
    values = random_uint64(np.arange(5)[:, None, None], np.arange(6)[:, None], np.arange(7))
    assert values.shape == (5, 6, 7)
    assert len(np.unique(values)) == values.size
    assert random_uint64(0, 1, 2).tolist() == [17650578182555822980]


def pixels(*class_ids):
    return PixelSample(np.arange(2 * len(class_ids), dtype=np.float32).reshape(-1, 2), np.array(class_ids, np.uint8))


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 4), max_size=60),
    st.lists(st.integers(1, 4), max_size=60),
    st.integers(4, 50),
    st.integers(0, 9),
)
def test_joined_pixels_keep_their_class_and_no_class_gets_more_than_its_share(held, new, limit, seed):
    joined = pixels(*held).joined(pixels(*new), seed, limit)
    together = np.concatenate([pixels(*held).features, pixels(*new).features]), np.array(held + new, np.uint8)
    pairs = {(tuple(row), class_id) for row, class_id in zip(*together, strict=True)}
    assert all((tuple(row), one) in pairs for row, one in zip(joined.features, joined.class_ids, strict=True))
    counts = count_classes(together[1])
    kept = count_classes(joined.class_ids)
    assert kept == {one: min(count, limit // len(counts)) for one, count in counts.items()}
    again = pixels(*held).joined(pixels(*new), seed, limit)
    assert again.features.tobytes() == joined.features.tobytes()


def test_classes_of_an_earlier_classifier_have_their_share():
    labels = labelled(100, 100, 1.0)
    assert len(TrainingSample.draw([labels], seed=0, limit=900).class_ids) == 900
    assert len(TrainingSample.draw([labels], seed=0, limit=900, earlier_classes=(2, 7)).class_ids) == 600
    one = np.minimum(labels, 1)
    assert set(TrainingSample.draw([one], seed=0, earlier_classes=(2,)).class_ids) == {1}
    assert len(TrainingSample.draw([np.zeros((3, 3), np.uint8)], seed=0, earlier_classes=(1, 2)).class_ids) == 0
    with pytest.raises(ValueError, match="two classes"):
        TrainingSample.draw([one], seed=0, earlier_classes=(1,))
