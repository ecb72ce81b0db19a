"""Objects that touch are split at their waists."""

from itertools import product

import numpy as np
import pytest

import segmentation as seg
from segmentation.objects import splitting
from segmentation.objects.splitting import Splitter, find_basins


def disks(*places, shape=(120, 260)):
    rows, columns = np.indices(shape)
    mask = np.zeros(shape, bool)
    for row, column, radius in places:
        mask |= (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    return mask.astype(np.uint8)


def test_two_disks_that_overlap_are_two_objects():
    segmentation = disks((60, 60, 30), (60, 112, 30))
    assert seg.label_objects(segmentation, 1).max() == 1
    labels = seg.label_objects(segmentation, 1, split=0.8)
    assert labels.max() == 2
    assert np.array_equal(labels > 0, segmentation > 0), "splitting takes no pixel away"
    assert set(np.unique(labels[:, :84])) == {0, 1}, "the waist is where they are cut"
    assert set(np.unique(labels[:, 88:])) == {0, 2}


@pytest.mark.parametrize("radius", [10, 40])
def test_how_narrow_a_waist_is_split_does_not_depend_on_the_size(radius):
    apart = int(radius * 1.7)  # the waist is about half as wide as the disks
    segmentation = disks((60, 70, radius), (60, 70 + apart, radius))
    assert seg.label_objects(segmentation, 1, split=0.3).max() == 1
    assert seg.label_objects(segmentation, 1, split=0.8).max() == 2


def test_a_disk_and_a_square_stay_whole():
    segmentation = disks((60, 60, 35))
    segmentation[20:90, 140:220] = 1
    assert seg.label_objects(segmentation, 1, split=0.9).max() == 2


def test_more_eagerness_never_gives_fewer_objects():
    random = np.random.default_rng(3)
    places = [(random.integers(10, 110), random.integers(10, 250), random.integers(5, 14)) for _ in range(60)]
    segmentation = disks(*places)
    counts = [seg.label_objects(segmentation, 1, split=split).max() for split in (0, 0.2, 0.4, 0.6, 0.8, 1)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_objects_are_numbered_in_the_order_of_their_first_pixels():
    labels = seg.label_objects(disks((30, 180, 25), (30, 140, 25), (90, 40, 20)), 1, split=0.9)
    numbers, first = np.unique(labels, return_index=True)
    assert numbers.tolist() == [0, 1, 2, 3]
    assert first[1:].tolist() == sorted(first[1:])


def test_four_neighbours_do_not_join_over_corners():
    segmentation = np.eye(6, dtype=np.uint8)
    assert seg.label_objects(segmentation, 1).max() == 1
    assert seg.label_objects(segmentation, 1, connectivity=4).max() == 6
    assert seg.label_objects(segmentation, 1, connectivity=4, split=1).max() == 6
    with pytest.raises(ValueError, match="4 or with 8"):
        seg.label_objects(segmentation, 1, connectivity=6)


def test_what_is_remembered_of_other_splits_changes_nothing():
    random = np.random.default_rng(8)
    places = [(random.integers(10, 110), random.integers(10, 250), random.integers(4, 20)) for _ in range(70)]
    splitter = Splitter(2**20)
    for segmentation in (disks(*places), disks(*places[:30])):
        for connectivity, split in product((4, 8), (0.9, 0.1, 0.5)):
            whole = seg.label_objects(segmentation, 1, connectivity=connectivity)
            expected = seg.label_objects(segmentation, 1, connectivity=connectivity, split=split)
            assert np.array_equal(splitter(whole, split, connectivity // 4), expected)


@pytest.mark.parametrize(("budget", "searches"), [(2**20, 1), (1000, 3)])
def test_basins_are_searched_once_for_a_slider_where_they_fit_the_budget(monkeypatch, budget, searches):
    found = []
    monkeypatch.setattr(splitting, "find_basins", lambda *asked: found.append(asked) or find_basins(*asked))
    splitter, labels = Splitter(budget), seg.label_objects(disks((30, 40, 12), (30, 60, 12)), 1)
    for eagerness in (0.2, 0.4, 0.6):
        splitter(labels, eagerness, 2)
    assert len(found) == searches
