import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.features.compute import compute_planes
from segmentation.features.pointwise import with_constants
from segmentation.features.smoothed import Smoothed, smoothed_bytes
from segmentation.features.spec import FeatureSpec

SPECS = [
    FeatureSpec(sigma_max=4),
    FeatureSpec(sigma_min=1, sigma_max=1, intensity=False),
    FeatureSpec(sigma_max=2, texture=False),
    FeatureSpec(sigma_max=2, edges=False, channels=(1, 0)),
]


def parts(length):
    return st.tuples(st.integers(0, length - 1), st.integers(1, length)).map(
        lambda ends: slice(min(ends[0], ends[1] - 1), max(ends[0] + 1, ends[1]))
    )


def inner(window, data):
    start, stop = sorted(data.draw(st.tuples(*[st.integers(window.start, window.stop)] * 2)))
    return slice(min(start, window.stop - 1), max(stop, min(start, window.stop - 1) + 1))


@settings(max_examples=80, deadline=None)
@given(st.tuples(st.integers(1, 40), st.integers(1, 40)), st.sampled_from(SPECS), st.integers(0, 99), st.data())
def test_features_of_any_part_of_a_window_are_those_of_the_image(shape, spec, seed, data):
    pixels = np.random.default_rng(seed).random((*shape, 2), np.float32)
    spec = with_constants(spec, pixels)
    window = data.draw(parts(shape[0])), data.draw(parts(shape[1]))
    smoothed = Smoothed.compute(pixels, spec, *window, threads=1)
    part = inner(window[0], data), inner(window[1], data)
    expected = compute_planes(pixels, spec, threads=1)[:, part[0], part[1]]
    assert np.array_equal(smoothed.features(spec, *part), expected)


def test_memory_is_reused_if_it_is_given():
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8)
    spec, window = FeatureSpec(sigma_max=2), (slice(3, 20), slice(5, 40))
    out = np.full((spec.count(1), 17, 35), np.nan, np.float32)
    assert Smoothed.compute(pixels, spec, *window).features(spec, *window, out=out) is out
    assert np.array_equal(out, compute_planes(pixels, spec, rows=window[0], columns=window[1]))


@pytest.mark.parametrize("shape", [(50, 60), (13, 20)])
def test_the_bytes_are_known_before(shape):
    pixels = np.zeros((*shape, 3), np.uint8)
    window = slice(3, 13), slice(4, 20)
    for spec in SPECS:
        bytes_taken = Smoothed.compute(pixels, spec, *window).planes.nbytes
        assert bytes_taken <= smoothed_bytes(spec, 3, (10, 16))
    assert Smoothed.compute(np.zeros((50, 60, 3)), spec, *window).planes.nbytes == smoothed_bytes(spec, 3, (10, 16))


def test_a_smoothed_window_cannot_be_written_to():
    smoothed = Smoothed.compute(np.zeros((9, 9)), FeatureSpec(), slice(0, 5), slice(0, 5))
    with pytest.raises(ValueError, match="read-only"):
        smoothed.planes[0, 0, 0] = 1
