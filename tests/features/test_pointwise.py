"""Features that follow from scikit-image's pixel by pixel, held against plain NumPy and scikit-image."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.color import rgb2lab
from skimage.feature import multiscale_basic_features

from segmentation.features._pointwise_reference import lab, logarithm
from segmentation.features.compute import compute_planes
from segmentation.features.constants import ColourConstants
from segmentation.features.reference import reference_planes
from segmentation.features.smoothed import Smoothed, planes_of
from segmentation.features.spec import FeatureSpec

SPECS = (
    FeatureSpec(),
    FeatureSpec(intensity=False, texture=False),
    FeatureSpec(edges=False, colour=False, sigma_max=4),
    FeatureSpec(differences=False, num_sigma=3),
    FeatureSpec(intensity=False, edges=False, texture=False, sigma_min=2, sigma_max=2),
)
SHAPES = ((29, 41), (40, 33, 2), (33, 40, 3), (27, 30, 4), (31, 28, 6))


def noise(shape, dtype=np.uint8, seed=0):
    values = np.random.default_rng(seed).random(shape)
    return (values * 255).astype(dtype) if np.dtype(dtype).kind in "iu" else (3 * values - 1).astype(dtype)


def whole(pixels):
    return slice(0, pixels.shape[0]), slice(0, pixels.shape[1])


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_they_equal_plain_numpy_to_the_last_bit(spec, shape, dtype):
    pixels = noise(shape, dtype)
    rows, columns = whole(pixels)
    found = compute_planes(pixels, spec, threads=2)
    assert np.array_equal(found, reference_planes(pixels, spec, rows=rows, columns=columns))
    names = spec.names(1 if pixels.ndim == 2 else shape[2])
    assert len(set(names)) == len(names) == len(found)
    assert np.isfinite(found).all()


def test_the_formulas_are_those_that_are_documented():
    pixels, spec = noise((40, 50, 3)), FeatureSpec()
    theirs = np.moveaxis(multiscale_basic_features(pixels, channel_axis=-1), -1, 0).reshape(3, 6, 4, 40, 50)
    planes, constants = compute_planes(pixels, spec), ColourConstants.of_pixels(pixels)
    assert np.array_equal(planes[[0, 2, 3]], theirs[0, 0, [0, 2, 3]])
    intensity = theirs[:, :, 0]
    expected = []
    for channel in range(3):
        expected += [intensity[channel, a] - intensity[channel, b] for a in range(6) for b in range(a + 1, 6)]
        expected += list(theirs[channel, :, 2] + theirs[channel, :, 3])
    logs = np.log(np.maximum(intensity - constants.low, 0) + constants.offset)
    expected += [logs[a, sigma] - logs[b, sigma] for sigma in range(6) for a in range(3) for b in range(a + 1, 3)]
    for sigma in (0, 2, 4):
        expected += list(np.moveaxis(rgb2lab(np.moveaxis(intensity[:, sigma].astype(np.float64), 0, -1)), -1, 0))
    assert len(expected) == len(planes) - 72
    exact = slice(72, 72 + 3 * 21)
    assert np.array_equal(planes[exact], expected[: 3 * 21])
    assert np.allclose(planes[exact.stop :], expected[3 * 21 :], atol=5e-4)


def test_of_more_channels_each_is_held_against_the_mean_of_all():
    pixels, spec = noise((20, 30, 5)), FeatureSpec(differences=False, sigma_max=1)
    planes, constants = compute_planes(pixels, spec), ColourConstants.of_pixels(pixels)
    intensity = planes[: 5 * 2 * 4].reshape(5, 2, 4, 20, 30)[:, :, 0]
    logs = np.log(np.maximum(intensity - constants.low, 0) + constants.offset)
    assert np.allclose(
        planes[5 * 2 * 4 :].reshape(2, 5, 20, 30), np.moveaxis(logs - logs.mean(axis=0), 0, 1), atol=1e-5
    )


def test_the_number_of_features_is_that_of_the_formulas():
    assert [FeatureSpec().count(channels) for channels in (1, 3, 13)] == [45, 162, 663]
    assert FeatureSpec(colour=False, differences=False).count(3) == 72


@given(st.floats(2.0**-100, 2.0**100, width=32))
def test_logarithms_are_right(value):
    assert logarithm(np.full(3, value, np.float32))[0] == pytest.approx(
        np.log(float(np.float32(value))), rel=3e-7, abs=1e-7
    )


@given(st.lists(st.floats(-1, 2, width=32), min_size=3, max_size=3))
def test_perceived_colour_is_that_of_scikit_image(values):
    pixel = np.array(values, np.float32)
    assert np.allclose(lab(pixel[:, None])[:, 0], rgb2lab(pixel.clip(0, 1).astype(np.float64)), atol=5e-4)


@pytest.mark.parametrize("spec", SPECS)
def test_only_what_is_wanted_need_be_computed(spec):
    pixels = noise((60, 70, 3))
    spec = replace(spec, constants=ColourConstants.of_pixels(pixels))
    expected = compute_planes(pixels, spec)
    random = np.random.default_rng(1)
    for share in (0.02, 0.5):
        wanted = random.random(len(expected)) < share
        out = np.full_like(expected, np.nan)
        compute_planes(pixels, spec, out=out, wanted=wanted)
        assert np.array_equal(out[wanted], expected[wanted])
        few = planes_of(spec, 3, wanted)
        smoothed = Smoothed.compute(pixels, spec, *whole(pixels), wanted=few)
        window = slice(5, 31), slice(11, 47)
        part = smoothed.features(spec, *window, wanted=wanted)
        assert np.array_equal(part[wanted], expected[wanted][:, window[0], window[1]])


def test_windows_and_threads_change_nothing():
    pixels = noise((150, 140, 3))
    expected = compute_planes(pixels, threads=1)
    assert np.array_equal(compute_planes(pixels, threads=3), expected)
    window = slice(31, 90), slice(60, 61)
    assert np.array_equal(compute_planes(pixels, rows=window[0], columns=window[1]), expected[:, window[0], window[1]])


def test_constants_depend_on_the_values_alone():
    images = [(0.1, 0.4), (-0.5, 0.2), (0.0, 0.9)]
    assert ColourConstants.of(images) == ColourConstants.of(images[::-1]) == ColourConstants(-0.5, 0.02 * 0.9 + 1e-6)
    dark = ColourConstants.of_pixels(np.zeros((5, 5, 3), np.uint16))
    assert dark == ColourConstants(0.0, 1e-6)
    assert ColourConstants.from_json(dark.to_json()) == dark


@pytest.mark.parametrize(
    "values",
    [None, {}, {"low": 0.0}, {"low": 1.0, "offset": 1.0}, {"low": 0.0, "offset": 0.0}, {"low": "0", "offset": 1}],
)
def test_constants_that_make_no_sense_are_refused(values):
    with pytest.raises(ValueError, match="constants"):
        ColourConstants.from_json(values)
