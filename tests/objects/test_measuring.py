"""Measures are those of scikit-image, whatever the shape of the objects."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.ndimage import gaussian_filter
from skimage.measure import label, regionprops_table

import segmentation as seg
from segmentation.objects import labelling, measured
from segmentation.strokes.classes import LabelClass

PROPERTIES = [
    "label",
    "area",
    "equivalent_diameter_area",
    "perimeter",
    "eccentricity",
    "solidity",
    "orientation",
    "feret_diameter_max",
    "centroid",
    "bbox",
]
VALUES = ["intensity_mean", "intensity_min", "intensity_max", "intensity_std"]


def blobs(rows=150, columns=170, seed=0, smooth=2.0):
    field = gaussian_filter(np.random.default_rng(seed).random((rows, columns)), smooth)
    return np.where(field > 0.51, 3, 1).astype(np.uint8)


def assert_equal_tables(ours, theirs):
    assert list(ours) == list(theirs)
    for name, column in theirs.items():
        if name != "orientation":
            np.testing.assert_allclose(ours[name], column, rtol=1e-9, atol=1e-9, err_msg=name)


def assert_equal_orientations(ours, theirs):
    """Where an object has one: of a disk it is as the last digits of rounding will have it."""
    long = theirs["eccentricity"] > 0.05
    difference = np.abs(ours["orientation"] - theirs["orientation"])[long]
    assert np.minimum(difference, np.pi - difference).max(initial=0) < 1e-9


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("spacing", [None, 0.5, (0.5, 0.5), (0.3, 1.7)])
def test_the_columns_are_those_of_regionprops_table(connectivity, spacing):
    segmentation = blobs()
    image = np.random.default_rng(1).integers(0, 60000, (*segmentation.shape, 2)).astype(np.uint16)
    square = spacing != (0.3, 1.7)
    properties = [one for one in PROPERTIES if square or one != "perimeter"] + VALUES
    pair = (spacing, spacing) if isinstance(spacing, float) else spacing
    labels = label(segmentation == 3, connectivity=connectivity // 4)
    theirs = regionprops_table(labels, image, properties=properties, spacing=pair)
    ours = seg.measure_objects(segmentation, 3, image, spacing, connectivity=connectivity)
    if not square:
        assert np.isnan(ours.pop("perimeter")).all(), "scikit-image has none for pixels that are not square"
    assert len(ours["label"]) > 50
    assert_equal_tables(ours, theirs)
    assert_equal_orientations(ours, theirs)


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.integers(0, 2)))
def test_small_and_odd_shapes_measure_the_same(segmentation):
    labels = label(segmentation == 1)
    ours = seg.measure_objects(segmentation, 1)
    if labels.max() == 0:
        assert {len(column) for column in ours.values()} == {0}
        return
    theirs = regionprops_table(labels, properties=PROPERTIES)
    assert_equal_tables(ours, theirs)
    assert_equal_orientations(ours, theirs)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32, np.float32])
def test_values_are_measured_in_every_type(dtype):
    segmentation = blobs(60, 60)
    image = (np.random.default_rng(2).random(segmentation.shape) * 100).astype(dtype)
    theirs = regionprops_table(label(segmentation == 3), image.astype(np.float64), properties=VALUES)
    ours = seg.measure_objects(segmentation, 3, seg.image_from_pixels(image))
    for name in VALUES:
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-9, atol=1e-9)


def test_an_object_with_one_value_has_no_spread_however_large_the_value():
    image = np.full((20, 20), 4_000_000_123, np.uint32)
    ours = seg.measure_objects(np.ones((20, 20), np.uint8), 1, image)
    assert ours["intensity_std"].tolist() == [0]
    assert ours["intensity_mean"].tolist() == [4_000_000_123]


def test_a_class_without_a_pixel_gives_an_empty_table_with_its_columns():
    segmentation = np.ones((8, 9), np.uint8)
    image = np.zeros((8, 9, 3), np.uint8)
    empty, full = seg.measure_objects(segmentation, 2, image), seg.measure_objects(segmentation, 1, image)
    assert list(empty) == list(full)
    assert {len(column) for column in empty.values()} == {0}
    assert [column.dtype for column in empty.values()] == [column.dtype for column in full.values()]


def test_pandas_would_take_the_table():
    table = seg.measure_objects(blobs(), 3)
    assert {(column.ndim, len(column)) for column in table.values()} == {(1, len(table["label"]))}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((np.ones((4, 4), np.float32), 1), "whole numbers"),
        ((np.ones((4, 4, 3, 2), np.uint8), 1), "rows and columns"),
        ((np.full((4, 4), 300), 1), "0 to 255"),
        ((np.ones((4, 4), np.uint8), 0), "between 1 and 255"),
        ((np.ones((4, 4), np.uint8), 1, np.zeros((4, 5))), "4 x 5 pixels, but the segmentation has 4 x 4"),
        ((np.ones((4, 4), np.uint8), 1, None, (1, 2, 3)), "one number, or two"),
        ((np.ones((4, 4), np.uint8), 1, None, 0), "spacing must be between"),
    ],
)
def test_what_cannot_be_measured_is_told_in_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        seg.measure_objects(*arguments)


def test_too_many_parts_are_refused_with_a_size_filter_and_what_it_leaves(monkeypatch):
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 20)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 3)
    segmentation = np.zeros((60, 60), np.uint8)
    segmentation[::3, ::3] = 1
    segmentation[0:2, 0:2] = segmentation[30:33, 30:32] = 1
    with pytest.raises(labelling.TooManyObjects, match=r"falls into 399 parts.*drop_small=2\): that leaves 2\."):
        seg.measure_objects(segmentation, 1)
    left = seg.measure_objects(seg.clean_up(segmentation, [{"kind": "drop_small", "size": 2}]), 1)
    assert len(left["label"]) == 2


def test_a_size_filter_that_is_offered_leaves_some_or_it_is_said_that_none_does(monkeypatch):
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 20)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 3)
    alike = np.zeros((60, 60), np.uint8)
    alike[::3, ::3] = 1
    with pytest.raises(labelling.TooManyObjects, match=r"400 parts.*no size filter leaves some.*smooth=1"):
        seg.measure_objects(alike, 1)
    alike[1, 0:15:3] = 1  # five parts of two pixels: more than few
    with pytest.raises(labelling.TooManyObjects, match=r"drop_small=2\): that leaves 5\."):
        seg.measure_objects(alike, 1)
    assert len(seg.measure_objects(seg.clean_up(alike, [{"kind": "drop_small", "size": 2}]), 1)["label"]) == 5


def test_what_a_size_filter_leaves_is_a_least_number_where_objects_are_split_or_apart_at_corners(monkeypatch):
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 20)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 3)
    segmentation = np.zeros((60, 60), np.uint8)
    segmentation[:40:3, ::3] = 1
    segmentation[50:53, 0:3] = segmentation[53:56, 3:6] = 1  # two that touch at a corner
    for how in ({"connectivity": 4}, {"split": 0.9}):
        with pytest.raises(labelling.TooManyObjects) as refused:
            seg.measure_objects(segmentation, 1, **how)
        _, size, least = re.search(r"(drop_small=)(\d+)\): that leaves at least (\d+)\.", str(refused.value)).groups()
        left = seg.clean_up(segmentation, [{"kind": "drop_small", "size": int(size)}])
        assert len(seg.measure_objects(left, 1, **how)["label"]) >= int(least) > 0


def test_too_many_parts_of_all_classes_together_are_refused_with_a_size_filter(monkeypatch):
    for module in (labelling, measured):
        monkeypatch.setattr(module, "MOST_OBJECTS", 300)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 3)
    segmentation = np.zeros((60, 60), np.uint8)
    segmentation[:30:3, ::3], segmentation[30::3, ::3] = 1, 2
    segmentation[0, :2], segmentation[30, :2] = 1, 2
    classes = [LabelClass(1, "A", "#000000"), LabelClass(2, "B", "#ffffff")]
    with pytest.raises(
        labelling.TooManyObjects, match=r"more than 300 objects together.*drop_small=2\): that leaves 2\."
    ):
        measured.find_objects(segmentation, classes)


def test_a_million_parts_are_refused_with_what_a_size_filter_would_leave():
    segmentation = np.zeros((2000, 2000), np.uint8)
    segmentation[::2, ::2] = 1
    segmentation[:20, :30] = 1
    with pytest.raises(labelling.TooManyObjects, match=r"falls into 999,825 parts.*drop_small=2\): that leaves 1\."):
        seg.measure_objects(segmentation, 1)
    left = seg.clean_up(segmentation, [{"kind": "drop_small", "size": 2}])
    assert seg.measure_objects(left, 1)["area"].tolist() == [626]
