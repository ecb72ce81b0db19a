import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.tiling import whole_window
from segmentation.features.compute import compute_planes
from segmentation.features.pieces import PIECE, feature_rows, for_each_piece, groups
from segmentation.features.pointwise import with_constants
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels

IMAGE = image_from_pixels(np.random.default_rng(0).integers(0, 256, (150, 300, 2), np.uint8))
SPEC = with_constants(FeatureSpec(sigma_max=2), IMAGE.pixels)
WHOLE = compute_planes(IMAGE.pixels, SPEC)


@pytest.mark.parametrize("smoothed_first", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_pieces_have_the_features_of_the_whole(smoothed_first, threads):
    window = whole_window(IMAGE.shape).split(140, 290)[0]
    smoothed = Smoothed.compute(IMAGE.pixels, SPEC, window.rows, window.columns) if smoothed_first else None
    found = np.full_like(WHOLE, np.nan)

    def copy(piece, planes):
        found[:, piece.rows, piece.columns] = planes

    for_each_piece(IMAGE, SPEC, window.split(*PIECE), copy, smoothed=smoothed, threads=threads)
    assert np.array_equal(found[:, window.rows, window.columns], WHOLE[:, window.rows, window.columns])
    assert np.isnan(found[:, 140:]).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 150 * 300 - 1), max_size=12, unique=True), st.booleans())
def test_rows_of_single_pixels_are_those_of_the_whole(places, smoothed_first):
    places = np.array(sorted(places), np.int64)
    smoothed = Smoothed.compute(IMAGE.pixels, SPEC, slice(0, 150), slice(0, 300)) if smoothed_first else None
    rows = feature_rows(IMAGE, SPEC, places, smoothed=smoothed)
    assert rows.dtype == np.float32
    assert np.array_equal(rows, WHOLE.reshape(len(WHOLE), -1)[:, places].T)


@given(st.lists(st.integers(-3, 3)))
def test_groups_have_equal_keys_and_all_indices(keys):
    keys = np.array(keys, np.int64)
    found = groups(keys)
    assert sorted(np.concatenate([np.empty(0, int), *found]).tolist()) == list(range(len(keys)))
    assert [set(keys[group].tolist()) for group in found] == [{key} for key in np.unique(keys)]
    assert all((np.diff(group) > 0).all() for group in found)
