"""Images relative to themselves: exact statistics, whole or in blocks."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segmentation.io.image import KEPT_TYPES, image_from_pixels
from segmentation.io.standardise import Moments, is_standardised, moments, standardised, standards

FINITE = {"allow_nan": False, "allow_infinity": False, "min_value": -(2.0**59), "max_value": 2.0**59}


@given(st.data(), st.sampled_from(KEPT_TYPES))
def test_sums_are_exact_for_all_types_of_values(data, name):
    dtype = np.dtype(name)
    elements = FINITE if dtype.kind == "f" else {}
    values = data.draw(arrays.arrays(dtype, st.integers(0, 40), elements=elements))
    exact = [Fraction(one) for one in values.tolist()]
    found = moments(values)
    assert (found.count, found.total, found.squares) == (len(exact), sum(exact), sum(one * one for one in exact))


@pytest.mark.parametrize("name", KEPT_TYPES)
def test_blocks_and_the_whole_have_the_same_mean_and_spread(name):
    random = np.random.default_rng(0)
    values = random.normal(0, 3e4, (97, 61, 2))
    limits = (-1e18, 1e18) if name == "float32" else (np.iinfo(name).min, np.iinfo(name).max)
    pixels = np.clip(values, *limits).astype(name)
    whole = standards([image_from_pixels(pixels)])
    blocks = [
        image_from_pixels(pixels[top : top + 13, left : left + 40]) for top in range(0, 97, 13) for left in (0, 40)
    ]
    assert standards(blocks) == whole
    assert np.allclose(whole, [(one.mean(), one.std()) for one in np.moveaxis(pixels.astype(float), -1, 0)])


def test_many_wide_values_are_summed_exactly():
    values = np.full(2**21 + 5, 2**32 - 1, np.uint32)
    assert moments(values) == Moments(len(values), len(values) * (2**32 - 1), len(values) * (2**32 - 1) ** 2)


def test_gain_and_offset_of_channels_do_not_matter():
    random = np.random.default_rng(1)
    pixels = random.integers(0, 100, (40, 50, 3)).astype(np.float32)
    others = pixels * np.float32([2, 0.5, 4]) + np.float32([8, -16, 0])
    one, other = (standardised(image_from_pixels(some)) for some in (pixels, others))
    assert np.allclose(one.pixels, other.pixels, atol=1e-6)
    assert np.allclose(one.pixels.mean(axis=(0, 1)), 0.5, atol=1e-5)
    assert np.allclose(one.pixels.std(axis=(0, 1)), 0.25, atol=1e-5)


def test_it_is_done_once_and_keeps_what_the_image_is():
    image = image_from_pixels(np.arange(12, dtype=np.uint8).reshape(3, 4))
    content = image.hash
    seen = standardised(image)
    assert is_standardised(seen)
    assert not is_standardised(image)
    assert seen.hash == content
    assert standardised(seen) is seen
    region = np.eye(3, 4, dtype=bool)
    for one in (standardised(image.within(region)), standardised(image)):
        assert one.hash == content
    assert np.array_equal(standardised(image.within(region)).region, region)
    assert standardised(image).region is None
    assert seen.metadata["dtype"] == "float32"


def test_an_image_of_one_value_is_grey():
    assert (standardised(image_from_pixels(np.full((3, 4), 7, np.uint16))).pixels == 0.5).all()


def test_pixels_without_data_do_not_count():
    pixels = np.ones((4, 6), np.float32)
    pixels[:2] = 3
    pixels[:, 0] = np.nan
    assert standards([image_from_pixels(pixels)]) == [(2.0, 1.0)]


def test_where_an_image_is_worked_on_changes_nothing_of_it():
    image = image_from_pixels(np.random.default_rng(0).integers(0, 99, (9, 8, 2)).astype(np.uint8))
    region = np.zeros((9, 8), bool)
    region[2:5, 3:6] = True
    for known in (False, True):
        assert ("hash" in vars(image)) == known
        limited = standardised(image.within(region))
        np.testing.assert_array_equal(limited.pixels, standardised(image).pixels)
        np.testing.assert_array_equal(limited.left_out, ~region)
        assert standardised(image).left_out is None
        assert len(image.hash) == 64
