"""Objects in volumes are those of scikit-image, and a clean-up means there what it means in an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.measure import label, regionprops_table

import segmentation as seg

IDS = np.random.default_rng(0).choice([1, 2], (8, 20, 24), p=[0.7, 0.3]).astype(np.uint8)
IDS[2:6, 5:12, 6:14] = 2
IDS[3, 7, 9] = 1
VALUES = np.random.default_rng(1).random((*IDS.shape, 2)).astype(np.float32)


@pytest.mark.parametrize(("connectivity", "theirs"), [(6, 1), (18, 2), (26, 3), (None, 3)])
@pytest.mark.parametrize("spacing", [None, 0.5, (2.0, 0.5, 0.25)])
def test_measures_are_those_of_scikit_image(connectivity, theirs, spacing):
    found = seg.measure_objects(IDS, 2, VALUES, spacing, connectivity=connectivity)
    names = ("label", "area", "equivalent_diameter_area", "extent", "axis_major_length", "centroid", "bbox")
    values = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std")
    scale = tuple(np.broadcast_to(1.0 if spacing is None else spacing, 3))
    expected = regionprops_table(label(IDS == 2, connectivity=theirs), VALUES, properties=names + values, spacing=scale)
    assert list(found) == list(expected)
    for name, column in expected.items():
        assert np.array_equal(found[name], column), name


def test_a_class_without_a_voxel_has_all_columns_and_no_rows():
    found = seg.measure_objects(IDS, 9, VALUES)
    assert set(found) == set(seg.measure_objects(IDS, 2, VALUES))
    assert {len(column) for column in found.values()} == {0}


def test_what_is_not_possible_is_said():
    with pytest.raises(ValueError, match="6, 18 or 26"):
        seg.measure_objects(IDS, 2, connectivity=8)
    with pytest.raises(ValueError, match="not split"):
        seg.label_objects(IDS, 2, split=0.5)
    with pytest.raises(ValueError, match="as many planes"):
        seg.measure_objects(IDS, 2, VALUES[1:])
    with pytest.raises(ValueError, match="planes, rows and columns"):
        seg.clean_up(IDS.astype(float), [])


def test_holes_are_filled_and_small_parts_go_to_what_surrounds_them():
    filled = seg.clean_up(IDS, [{"kind": "fill_holes", "size": 1, "classes": [2]}])
    assert filled[3, 7, 9] == 2
    dropped = seg.clean_up(filled, [{"kind": "drop_small", "size": 100, "classes": [2]}])
    sizes = np.bincount(label(dropped == 2, connectivity=3).ravel())[1:]
    assert len(sizes)
    assert (sizes >= 100).all()
    inner = seg.clean_up(IDS, [{"kind": "drop_border", "classes": [2]}])
    parts = label(inner == 2, connectivity=3)
    borders = np.concatenate([np.take(parts, (0, -1), axis).ravel() for axis in range(3)])
    assert not borders.any()


@given(st.lists(st.sampled_from(["fill_holes=3", "drop_small=5", "smooth=1", "drop_small=9@2"]), max_size=3))
def test_one_plane_that_is_an_image_is_cleaned_up_as_one_where_that_means_the_same(steps):
    """All but filling and what touches the border, since each voxel of a single plane is at its border."""
    chosen = [seg.CleanUpStep.from_text(one) for one in steps if not one.startswith("fill")]
    volume = seg.clean_up(IDS[:1], chosen)
    assert np.array_equal(volume[0], seg.clean_up(IDS[0], chosen))
