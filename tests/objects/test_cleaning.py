"""A clean-up does what scikit-image and SciPy do, in the order of its steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage
from skimage.filters.rank import majority
from skimage.measure import label
from skimage.morphology import disk, remove_small_objects

import segmentation as seg
from segmentation.objects.cleaning import clean_up_found

IDS = arrays.arrays(np.uint8, st.tuples(st.integers(1, 15), st.integers(1, 15)), elements=st.integers(0, 3))


def noise(seed=0, classes=2, shape=(90, 110), smooth=1.2):
    random = np.random.default_rng(seed)
    fields = [ndimage.gaussian_filter(random.random(shape), smooth) for _ in range(classes)]
    return (np.argmax(fields, axis=0) + 1).astype(np.uint8)


def step(kind, size=0, classes=None):
    return seg.CleanUpStep(kind, size, classes)


@pytest.mark.parametrize("area", [1, 5, 40, 10_000])
def test_small_parts_are_those_that_scikit_image_removes(area):
    segmentation = np.where(noise() == 1, 1, 0).astype(np.uint8)
    cleaned = seg.clean_up(segmentation, [step("drop_small", area, (1,))])
    assert np.array_equal(cleaned > 0, remove_small_objects(segmentation > 0, max_size=area - 1, connectivity=2))


@pytest.mark.parametrize("area", [1, 5, 40])
def test_holes_are_those_that_scipy_fills_up_to_an_area(area):
    segmentation = np.where(noise() == 1, 1, 0).astype(np.uint8)
    cleaned = seg.clean_up(segmentation, [step("fill_holes", area, (1,))])
    holes = label(ndimage.binary_fill_holes(segmentation) & (segmentation == 0), connectivity=1)
    small = np.bincount(holes.ravel()) <= area
    small[0] = False
    assert np.array_equal(cleaned > 0, (segmentation > 0) | small[holes])
    assert (cleaned != segmentation).any()


@pytest.mark.parametrize("radius", [1, 2, 5, 9])
def test_smoothing_takes_the_most_frequent_class_of_a_disk(radius):
    segmentation = noise(classes=3)
    cleaned = seg.clean_up(segmentation, [step("smooth", radius)])
    shares = [majority_count(segmentation == one, radius) for one in (1, 2, 3)]
    most = np.max(shares, axis=0)
    unique = sum(share == most for share in shares) == 1
    assert np.array_equal(cleaned[unique], majority(segmentation, disk(radius))[unique])
    assert (np.choose(cleaned - 1, shares) == most).all()
    own = np.choose(segmentation - 1, shares) == most
    assert np.array_equal(cleaned[own], segmentation[own]), "of several a pixel keeps its own"


def majority_count(mask, radius):
    return ndimage.convolve(mask.astype(np.int32), disk(radius).astype(np.int32), mode="constant")


@given(IDS, st.integers(1, 60))
def test_no_small_part_is_left(segmentation, area):
    cleaned = seg.clean_up(segmentation, [step("drop_small", area)])
    for class_id in (1, 2, 3):
        sizes = np.bincount(label(cleaned == class_id, connectivity=2).ravel())[1:]
        assert (sizes >= min(area, segmentation.size)).all() or (cleaned == class_id).all()


@given(IDS, st.sampled_from(["fill_holes", "drop_small", "smooth"]), st.integers(1, 9), st.integers(1, 3))
def test_a_step_for_one_class_leaves_the_borders_between_others_alone(segmentation, kind, size, class_id):
    cleaned = seg.clean_up(segmentation, [step(kind, size, (class_id,))])
    changed = cleaned != segmentation
    assert ((segmentation == class_id) | (cleaned == class_id))[changed].all()


def test_a_part_goes_to_the_class_that_most_of_its_border_touches():
    segmentation = np.full((10, 20), 2, np.uint8)
    segmentation[:, 12:] = 3
    segmentation[4:6, 10:13] = 1
    cleaned = seg.clean_up(segmentation, [step("drop_small", 10, (1,))])
    assert (cleaned[4:6, 10:13] == 2).all()


def test_parts_at_the_border_are_dropped_or_kept():
    segmentation = np.full((20, 20), 2, np.uint8)
    segmentation[0:4, 3:6] = segmentation[10:14, 10:14] = 1
    dropped = seg.clean_up(segmentation, [step("drop_border", classes=(1,))])
    kept = seg.clean_up(segmentation, [step("keep_border", classes=(1,))])
    assert np.count_nonzero(dropped == 1) == 16
    assert np.count_nonzero(kept == 1) == 12


def test_the_order_of_the_steps_counts_and_the_segmentation_stays_as_it_is():
    segmentation = noise(seed=4)
    before = segmentation.copy()
    steps = [step("drop_small", 30), step("smooth", 3)]
    assert (seg.clean_up(segmentation, steps) != seg.clean_up(segmentation, steps[::-1])).any()
    assert np.array_equal(segmentation, before)


def test_nothing_to_do_and_splitting_change_no_pixel():
    segmentation = noise()
    assert np.array_equal(seg.clean_up(segmentation, []), segmentation)
    assert np.array_equal(seg.clean_up(segmentation, [step("split", 0.8), step("split_corners")]), segmentation)


def test_an_image_of_one_class_stays():
    segmentation = np.full((5, 5), 7, np.uint8)
    assert (seg.clean_up(segmentation, [step("drop_small", 1000), step("smooth", 9)]) == 7).all()


def test_steps_are_the_same_as_text_and_as_json():
    steps = [step("fill_holes", 50), step("drop_small", 20, (2, 1)), step("drop_border", classes=(1,))]
    steps += [step("smooth", 2), step("split", 0.35, (1,))]
    assert [seg.CleanUpStep.from_text(one.to_text()) for one in steps] == steps
    assert [seg.CleanUpStep.from_json(one.to_json()) for one in steps] == steps
    assert steps[1].to_text() == "drop_small=20@1,2"
    plain = [one.to_json() for one in steps]
    assert np.array_equal(seg.clean_up(noise(), plain), seg.clean_up(noise(), steps))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"kind": "polish"}, "one of fill_holes, drop_small"),
        ({"kind": "drop_small"}, "between 1 and"),
        ({"kind": "drop_small", "size": 2.5}, "whole number"),
        ({"kind": "smooth", "size": 51}, "between 1 and 50"),
        ({"kind": "split", "size": 2}, "between 0 and 1"),
        ({"kind": "drop_border"}, "for which classes"),
        ({"kind": "drop_border", "size": 3, "classes": [1]}, "no size"),
        ({"kind": "smooth", "size": 1, "classes": [0]}, "between 1 and 255"),
        ({"kind": "smooth", "size": 1, "classes": []}, "needs a class"),
        ({"kind": "smooth", "size": 1, "radius": 1}, "unknown key"),
        ("smooth", "JSON object"),
    ],
)
def test_steps_that_are_not_possible_are_refused_with_a_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        seg.clean_up(np.ones((3, 3), np.uint8), [values])


@pytest.mark.parametrize("text", ["drop_small=", "drop small=3", "smooth=1@x", "=3", "smooth=1.2.3", "drop_small=1@,"])
def test_text_that_is_no_step_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match=r"no step|not a number|needs a class"):
        seg.CleanUpStep.from_text(text)


def test_more_steps_than_anybody_wants_are_refused():
    with pytest.raises(ValueError, match="at most 32"):
        seg.clean_up(np.ones((3, 3), np.uint8), [step("smooth", 1)] * 33)


@given(IDS, st.integers(1, 30))
def test_pixels_without_data_stay_so_and_no_others_become_so(segmentation, size):
    cleaned = clean_up_found(segmentation, [step("drop_small", size), step("smooth", 2), step("fill_holes", size)])
    assert np.array_equal(cleaned == 0, segmentation == 0)
