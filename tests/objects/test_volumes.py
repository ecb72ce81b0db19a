"""Objects in volumes are those of scikit-image, and a clean-up means there what it means in an image."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from skimage.measure import label, marching_cubes, mesh_surface_area, regionprops, regionprops_table
from skimage.morphology import ball
from skimage.segmentation import watershed

import segmentation as seg

IDS = np.random.default_rng(0).choice([1, 2], (8, 20, 24), p=[0.7, 0.3]).astype(np.uint8)
IDS[2:6, 5:12, 6:14] = 2
IDS[3, 7, 9] = 1
VALUES = np.random.default_rng(1).random((*IDS.shape, 2)).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize(("connectivity", "theirs"), [(6, 1), (18, 2), (26, 3), (None, 3)])
@pytest.mark.parametrize("spacing", [None, 0.5, (2.0, 0.5, 0.25)])
def test_measures_are_those_of_scikit_image(connectivity, theirs, spacing):
    found = seg.measure_objects(IDS, 2, VALUES, spacing, connectivity=connectivity)
    names = ("label", "area", "equivalent_diameter_area", "extent", "axis_major_length", "axis_minor_length")
    names += ("centroid", "bbox")
    values = ("intensity_mean", "intensity_min", "intensity_max", "intensity_std")
    scale = tuple(np.broadcast_to(1.0 if spacing is None else spacing, 3).tolist())
    labels = label(IDS == 2, connectivity=theirs)
    expected = regionprops_table(labels, VALUES, properties=names + values, spacing=scale)
    assert set(found) == {*expected, "surface_area", "solidity", "feret_diameter_max"}
    for name, column in expected.items():
        assert np.array_equal(found[name], column), name
    deep = []
    for region, surface in zip(regionprops(labels, spacing=scale), found["surface_area"], strict=True):
        points, faces, _, _ = marching_cubes(np.pad(region.image, 1), 0.5, spacing=scale)
        assert surface == mesh_surface_area(points, faces)
        deep.append(np.linalg.matrix_rank(region.coords - region.coords.mean(axis=0)) == 3)
    assert any(deep)
    assert not all(deep)
    kept = np.where(np.append(False, deep)[labels], labels, 0)
    theirs = regionprops_table(kept, properties=("solidity", "feret_diameter_max"), spacing=scale)
    assert np.array_equal(found["solidity"][deep], theirs["solidity"])
    np.testing.assert_allclose(found["feret_diameter_max"][deep], theirs["feret_diameter_max"], rtol=1e-6)
    assert np.isnan(found["solidity"][~np.array(deep)]).all()
    assert (found["feret_diameter_max"] > 0).all()


def test_the_surface_of_a_ball_is_about_that_of_a_sphere():
    found = seg.measure_objects(np.pad(ball(20), 3), 1, spacing=0.5)
    assert found["surface_area"][0] == pytest.approx(4 * np.pi * 10**2, rel=0.1)
    assert found["feret_diameter_max"][0] == pytest.approx(20, rel=0.05)
    assert found["solidity"][0] > 0.95


def balls(apart, radius=9):
    """Two balls that overlap or touch."""
    volume = np.zeros((2 * radius + 5, 2 * radius + 5, 2 * radius + 5 + apart), np.uint8)
    for column in (2, 2 + apart):
        volume[2:-2, 2:-2, column : column + 2 * radius + 1] |= ball(radius)
    return volume


def test_two_balls_that_overlap_are_split_at_their_waist():
    volume = balls(15)
    assert seg.label_objects(volume, 1).max() == 1
    labels = seg.label_objects(volume, 1, split=0.8)
    assert labels.max() == 2
    assert np.array_equal(labels > 0, volume > 0)
    middle = volume.shape[2] // 2
    assert set(np.unique(labels[:, :, : middle - 1])) == {0, 1}
    assert set(np.unique(labels[:, :, middle + 2 :])) == {0, 2}
    assert len(seg.measure_objects(volume, 1, split=0.8)["area"]) == 2
    assert seg.label_objects(balls(8), 1, split=0.3).max() == 1


def test_split_objects_are_made_of_basins_of_scikit_image():
    mask = np.pad(IDS == 2, 1)
    basins = watershed(-distance_transform_edt(mask).astype(np.float32), mask=mask, connectivity=3)
    labels = np.pad(seg.label_objects(IDS, 2, split=1.0), 1)
    assert 1 < labels.max() <= basins.max()
    for basin in range(1, basins.max() + 1):
        assert len(np.unique(labels[basins == basin])) == 1
    counts = [seg.label_objects(IDS, 2, split=split).max() for split in (0, 0.3, 0.6, 1)]
    assert counts == sorted(counts)


def test_waists_are_measured_in_the_spacing():
    volume = balls(15)
    flat = np.repeat(volume, 3, axis=0)  # planes three times as near
    labels = seg.label_objects(flat, 1, split=0.8, spacing=(1 / 3, 1, 1))
    assert labels.max() == 2


def test_a_class_without_a_voxel_has_all_columns_and_no_rows():
    found = seg.measure_objects(IDS, 9, VALUES)
    assert set(found) == set(seg.measure_objects(IDS, 2, VALUES))
    assert {len(column) for column in found.values()} == {0}


def test_what_is_not_possible_is_said():
    with pytest.raises(ValueError, match="6, 18 or 26"):
        seg.measure_objects(IDS, 2, connectivity=8)
    with pytest.raises(ValueError, match="eagerness"):
        seg.label_objects(IDS, 2, split=1.5)
    with pytest.raises(ValueError, match="one number, or three"):
        seg.measure_objects(IDS, 2, spacing=(1, 2))
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
