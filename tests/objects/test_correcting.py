"""Corrections come last, and change neither what was not corrected nor pixels without data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import segmentation as seg

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 6))


@given(SHAPES.flatmap(lambda shape: st.tuples(*[hnp.arrays(np.uint8, shape, elements=st.integers(0, 3))] * 2)))
def test_each_pixel_has_what_was_painted_or_what_was_found(both):
    found, painted = both
    before = found.copy()
    ids = seg.apply_corrections(found, painted)
    assert np.array_equal(found, before)
    assert ids.dtype == np.uint8
    for old, new, paint in zip(found.flat, ids.flat, painted.flat, strict=True):
        assert new == (paint if old and paint else old)


def test_corrections_of_another_size_are_refused():
    with pytest.raises(ValueError, match="Corrections of 3 x 2 pixels do not fit a segmentation of 2 x 2 pixels"):
        seg.apply_corrections(np.ones((2, 2), np.uint8), np.ones((2, 3), np.uint8))
