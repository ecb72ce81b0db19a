"""Levels stand for the values of a channel, as near as 16 bits can."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmentation.io.image import image_from_pixels
from segmentation.io.levels import block_means, channel_facts, levels

ALL = slice(None)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"])
def test_levels_stand_for_values(dtype):
    random = np.random.default_rng(0)
    ends = (np.iinfo(dtype).min, np.iinfo(dtype).max) if dtype != "float32" else (-1e3, 1e5)
    pixels = random.uniform(*ends, (40, 50, 2)).astype(dtype)
    image = image_from_pixels(pixels)
    for channel, facts in enumerate(channel_facts(image)):
        found = levels(image, facts, channel, ALL, ALL).astype(np.float64) * facts.scale + facts.offset
        error = np.abs(found - pixels[..., channel].astype(np.float64)).max()
        assert error <= (0 if pixels.dtype.itemsize <= 2 else facts.scale * 0.5001)
        assert (facts.smallest, facts.largest) == (pixels[..., channel].min(), pixels[..., channel].max())
        assert sum(facts.histogram) == 2000
        assert facts.bits == (8 if pixels.dtype.itemsize == 1 else 16)


@given(values=arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(-9, 9, width=32)))
def test_means_are_those_of_the_pixels_that_are_there(values):
    found = block_means(values, 4)
    for (row, column), mean in np.ndenumerate(found):
        part = values[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert mean == pytest.approx(part.mean(dtype=np.float64), abs=1e-6)


def test_a_flat_channel_and_one_without_data_have_facts():
    flat, empty = image_from_pixels(np.full((5, 6), 3.5)), image_from_pixels(np.full((5, 6), np.nan))
    for image, counted in ((flat, 30), (empty, 0)):
        (facts,) = channel_facts(image)
        assert facts.low < facts.high
        assert sum(facts.histogram) == counted
        assert not levels(image, facts, 0, ALL, ALL, 2).any()


def test_pixels_without_data_are_not_in_the_histogram():
    pixels = np.arange(30.0).reshape(5, 6)
    pixels[2] = np.nan
    assert sum(channel_facts(image_from_pixels(pixels))[0].histogram) == 24


def test_pixels_without_data_say_nothing_of_how_the_others_are_shown():
    pixels = np.random.default_rng(0).uniform(900, 1000, (60, 50))
    pixels[:40] = np.nan
    image = image_from_pixels(pixels)
    blank = np.where(np.isnan(pixels), 0, pixels)  # as blocks of a sample have it that hold no data at all
    facts = channel_facts(replace(image, pixels=blank))[0]
    assert (facts.smallest, facts.largest) == (np.nanmin(pixels), np.nanmax(pixels))
    assert (facts.low, facts.high) == tuple(np.nanpercentile(pixels, (0.35, 99.65)))
