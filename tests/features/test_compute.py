import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from skimage import data, filters
from skimage.feature import multiscale_basic_features
from skimage.util import img_as_float32

from segmentation.features.all_pixels import compute_features
from segmentation.features.compute import compute_planes
from segmentation.features.spec import FeatureSpec


def reference(pixels, spec=FeatureSpec()):
    stacked = pixels[..., None] if pixels.ndim == 2 else pixels
    features = multiscale_basic_features(
        stacked[..., spec.channel_indices(stacked.shape[2])],
        spec.intensity,
        spec.edges,
        spec.texture,
        spec.sigma_min,
        spec.sigma_max,
        spec.num_sigma,
        channel_axis=-1,
    )
    return np.moveaxis(features, -1, 0)


def in_float64(plane, spec):
    """The features of a float plane, with float64 throughout."""
    planes = []
    for sigma in spec.sigmas:
        smooth = ndimage.gaussian_filter(plane.astype(np.float64), sigma, mode="nearest", truncate=4)
        down, across = np.gradient(smooth)
        vertical, mixed, horizontal = np.gradient(down, axis=0), np.gradient(down, axis=1), np.gradient(across, axis=1)
        mean = (vertical + horizontal) / 2
        distance = np.hypot(mixed, (vertical - horizontal) / 2)
        planes += [smooth, filters.sobel(smooth), mean + distance, mean - distance]
    return np.array(planes)


def assert_equals_reference(pixels, spec=FeatureSpec()):
    """Equal to the last bit, but for one pixel in 10,000: scipy may be built with fused multiply-adds."""
    theirs = reference(pixels, spec)
    ours = compute_planes(pixels, spec)[: len(theirs)]
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.count_nonzero(ours != theirs) <= ours.size / 10_000
    assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6 * np.abs(theirs).max())


def noise(*shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    if dtype is bool:
        return rng.random(shape) < 0.5
    if np.issubdtype(dtype, np.floating):
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


@pytest.mark.parametrize(
    "dtype", [np.uint8, np.uint16, np.int16, np.uint32, np.int64, np.float16, np.float32, np.float64, bool]
)
def test_every_type_of_pixel_is_scaled_as_scikit_image_does(dtype):
    assert_equals_reference(noise(37, 53, dtype=dtype))


def test_the_most_negative_integer_is_minus_one():
    pixels = np.full((3, 3), -128, np.int8)
    assert compute_planes(pixels, FeatureSpec(edges=False, texture=False, differences=False)).min() == -1


@pytest.mark.parametrize(
    "spec",
    [
        FeatureSpec(edges=False, texture=False),
        FeatureSpec(intensity=False, texture=False),
        FeatureSpec(intensity=False, edges=False),
        FeatureSpec(intensity=False),
        FeatureSpec(sigma_min=1, sigma_max=1),
        FeatureSpec(sigma_min=0.1, sigma_max=0.3, num_sigma=2),
        FeatureSpec(sigma_min=0.7, sigma_max=5, num_sigma=4),
        FeatureSpec(sigma_min=1, sigma_max=64),
        FeatureSpec(channels=(2, 0)),
    ],
    ids=str,
)
def test_every_option(spec):
    assert_equals_reference(noise(61, 47, 3), spec)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 13])
def test_any_number_of_channels(channels):
    assert_equals_reference(noise(33, 20, channels, dtype=np.uint16), FeatureSpec(sigma_max=4))


@pytest.mark.parametrize(
    "shape", [(2, 2), (3, 2), (2, 5), (3, 3), (4, 17), (19, 5), (9, 33), (131, 7), (129, 63), (5, 1030)]
)
def test_sizes_smaller_and_larger_than_halo_tile_and_registers(shape):
    assert_equals_reference(noise(*shape))


def test_wide_images_are_cut_into_tiles_that_do_not_show():
    assert_equals_reference(noise(5, 2100), FeatureSpec(sigma_max=2))


def test_a_photograph():
    assert_equals_reference(data.camera()[100:300, 150:400])


@pytest.mark.parametrize(
    "pixels",
    [
        data.camera()[:200, :180],
        data.camera()[:200, :180] > 128,
        (0.5 + data.camera()[:200, :180] / 25500).astype(np.float32),
        data.camera()[:200, :180] * 1000.0 + 1e5,
        noise(150, 170),
        ndimage.gaussian_filter(noise(150, 170, dtype=np.float32), 15),
    ],
    ids=["photograph", "binary", "low contrast", "large values", "noise", "smooth"],
)
def test_no_further_from_float64_than_three_times_scikit_image(pixels):
    spec = FeatureSpec()
    exact = in_float64(img_as_float32(pixels), spec)
    ours = np.abs(compute_planes(pixels, spec)[: len(exact)] - exact).max(axis=(1, 2))
    theirs = np.abs(reference(pixels, spec) - exact).max(axis=(1, 2))
    assert np.all(ours <= 3 * theirs)


def test_a_constant_image_has_no_edges_and_no_texture():
    planes = compute_planes(np.full((40, 30), 77, np.uint8))
    basic = planes[:24]
    assert np.allclose(basic[0::4], 77 / 255, rtol=1e-7)
    assert np.abs(basic[1::4]).max() == 0
    assert np.abs(basic[2::4]).max() == 0
    assert np.abs(planes[24:]).max() < 1e-6, "nor does it differ from scale to scale"


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (1, 2, 3)])
def test_along_an_axis_of_one_pixel_derivatives_are_zero(shape):
    pixels = noise(*shape)
    planes = compute_planes(pixels)
    assert np.isfinite(planes).all()
    # the same image repeated along its narrow axes has the same features, since the border is repeated as well
    repeats = [5 if side == 1 and axis < 2 else 1 for axis, side in enumerate(shape)]
    repeated = compute_planes(np.tile(pixels, repeats))
    assert np.array_equal(planes, repeated[:, : shape[0], : shape[1]])


def test_features_come_last_in_compute_features():
    pixels = noise(12, 9, 2)
    spec = FeatureSpec(sigma_max=2)
    features = compute_features(pixels, spec)
    assert features.shape == (12, 9, spec.count(2))
    assert np.array_equal(np.moveaxis(features, -1, 0), compute_planes(pixels, spec))


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_window_has_the_features_of_the_whole_image_to_the_last_bit(draw):
    height, width = draw.draw(st.integers(1, 150)), draw.draw(st.integers(1, 150))
    spec = FeatureSpec(sigma_max=draw.draw(st.sampled_from([0.5, 2, 8])))
    dtype = draw.draw(st.sampled_from([np.uint8, np.uint16, np.float64]))
    pixels = noise(height, width, draw.draw(st.integers(1, 2)), dtype=dtype, seed=draw.draw(st.integers(0, 9)))
    top, left = draw.draw(st.integers(0, height)), draw.draw(st.integers(0, width))
    rows, columns = slice(top, draw.draw(st.integers(top, height))), slice(left, draw.draw(st.integers(left, width)))
    window = compute_planes(pixels, spec, rows=rows, columns=columns)
    assert np.array_equal(window, compute_planes(pixels, spec)[:, rows, columns])


def test_a_window_looks_at_nothing_beyond_its_halo():
    spec = FeatureSpec(sigma_max=2)
    pixels = noise(90, 80, dtype=np.float32)
    whole = compute_planes(pixels, spec)
    window = {"rows": slice(30, 50), "columns": slice(35, 45)}
    beyond = np.full_like(pixels, np.nan)
    near = slice(30 - spec.halo, 50 + spec.halo), slice(35 - spec.halo, 45 + spec.halo)
    beyond[near] = pixels[near]
    assert np.array_equal(compute_planes(beyond, spec, **window), whole[:, 30:50, 35:45])


@pytest.mark.parametrize("threads", [2, 5])
def test_the_number_of_threads_makes_no_difference(threads):
    pixels = noise(300, 200, 3)
    assert compute_planes(pixels, threads=threads).tobytes() == compute_planes(pixels, threads=1).tobytes()


def test_features_are_written_where_they_are_wanted():
    pixels = noise(20, 30)
    spec = FeatureSpec(sigma_max=1)
    out = np.full((spec.count(1), 20, 30), np.nan, np.float32)
    assert compute_planes(pixels, spec, out=out) is out
    assert np.array_equal(out, compute_planes(pixels, spec))


@pytest.mark.parametrize(
    "out",
    [np.empty((8, 20, 31), np.float32), np.empty((8, 20, 30)), np.empty((8, 30, 20), np.float32).transpose(0, 2, 1)],
    ids=["shape", "type", "order"],
)
def test_an_array_that_does_not_fit_is_refused(out):
    with pytest.raises(ValueError, match=r"C-contiguous float32 array of shape \(8, 20, 30\)"):
        compute_planes(noise(20, 30), FeatureSpec(differences=False, sigma_max=1), out=out)


def test_pixels_in_any_memory_order():
    pixels = noise(40, 31, 3)
    expected = compute_planes(pixels, FeatureSpec(sigma_max=2))
    assert np.array_equal(compute_planes(np.asfortranarray(pixels), FeatureSpec(sigma_max=2)), expected)
    assert np.array_equal(compute_planes(pixels[::-1, ::-1][::-1, ::-1], FeatureSpec(sigma_max=2)), expected)
    big_endian = pixels.astype(">u2") * 257
    assert np.array_equal(
        compute_planes(big_endian, FeatureSpec(sigma_max=2)),
        compute_planes(big_endian.astype("<u2"), FeatureSpec(sigma_max=2)),
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_pixels_that_are_not_finite_are_refused(bad):
    pixels = np.zeros((200, 40))
    pixels[170, 20] = bad
    with pytest.raises(ValueError, match="not a number"):
        compute_planes(pixels)


@pytest.mark.parametrize("shape", [(0, 5), (5,), (2, 2, 2, 2), (4, 4, 0)])
def test_what_is_not_an_image_is_refused(shape):
    with pytest.raises(ValueError, match="rows, columns"):
        compute_planes(np.zeros(shape))


def test_complex_pixels_are_refused():
    with pytest.raises(ValueError, match="real numbers"):
        compute_planes(np.zeros((4, 4), complex))


def test_a_window_with_gaps_is_refused():
    with pytest.raises(ValueError, match="cannot skip rows"):
        compute_planes(np.zeros((4, 4)), rows=slice(0, 4, 2))


def test_no_threads_are_refused():
    with pytest.raises(ValueError, match="At least one thread"):
        compute_planes(np.zeros((4, 4)), threads=0)


def test_a_missing_channel_is_refused():
    with pytest.raises(ValueError, match="need channel 3, but the image has 2"):
        compute_planes(np.zeros((4, 4, 2)), FeatureSpec(channels=(2,)))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"intensity": False, "edges": False, "texture": False, "differences": False}, "at least one kind"),
        ({"sigma_min": float("nan")}, "smallest sigma must be a finite number"),
        ({"sigma_max": 10**400}, "largest sigma must be a finite number"),
        ({"sigma_min": 0.05}, "at least 0.1"),
        ({"sigma_max": 65}, "at most 64"),
        ({"sigma_min": 4, "sigma_max": 2}, "swap them"),
        ({"num_sigma": 17}, "between 1 and 16"),
        ({"channels": ()}, "at least one channel"),
        ({"channels": (0,) * 33}, "at most 32 channels"),
        ({"channels": (0, 10**40)}, "at most 32 channels"),
        ({"by_channel": {32: ()}}, "at most 32 channels"),
        ({"by_channel": dict.fromkeys(range(-9, 30), ())}, "at most 32 channels"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        FeatureSpec(**values)


def test_names_and_count_follow_the_planes():
    spec = FeatureSpec(edges=False, differences=False, sigma_min=1, sigma_max=2, channels=(1,))
    assert spec.names(3) == [
        "channel 2, intensity, sigma 1",
        "channel 2, texture (larger eigenvalue), sigma 1",
        "channel 2, texture (smaller eigenvalue), sigma 1",
        "channel 2, intensity, sigma 2",
        "channel 2, texture (larger eigenvalue), sigma 2",
        "channel 2, texture (smaller eigenvalue), sigma 2",
    ]
    assert spec.count(3) == len(compute_planes(noise(5, 5, 3), spec)) == 6


def test_a_spec_survives_json():
    spec = FeatureSpec(edges=False, colour=False, sigma_max=8, num_sigma=3, channels=(0, 2))
    assert FeatureSpec.from_json(spec.to_json()) == spec


def test_settings_of_before_have_no_kinds_that_came_later():
    before = {"intensity": True, "edges": True, "texture": True, "sigma_min": 0.5, "sigma_max": 16.0}
    spec = FeatureSpec.from_json(before)
    assert (spec.differences, spec.colour) == (False, False)
    assert (FeatureSpec().differences, FeatureSpec().colour) == (True, True)


@pytest.mark.parametrize(
    "values",
    [{"sigma": 1}, {"edges": 1}, {"sigma_min": "1"}, {"num_sigma": True}, {"channels": [0.5]}, 5, None, "edges"],
)
def test_json_of_the_wrong_kind_is_refused(values):
    with pytest.raises(ValueError, match="feature setting"):
        FeatureSpec.from_json(values)


def test_kernels_are_compiled_once_for_every_image(kernels):
    from segmentation.features._derivative_kernels import derive
    from segmentation.features._smoothing_kernels import smooth_piece

    compute_planes(np.zeros((1, 1), np.uint8), threads=1)
    compiled = [len(kernel.signatures) for kernel in (smooth_piece, derive)]
    compute_planes(noise(200, 300, 3, dtype=np.float64), FeatureSpec(texture=False, num_sigma=1))
    assert [len(kernel.signatures) for kernel in (smooth_piece, derive)] == compiled == [1, 1]


@pytest.mark.slow
def test_the_processor_makes_no_difference(tmp_path):
    code = """
import hashlib, numpy as np
from segmentation.features import compute_planes
print(hashlib.sha256(compute_planes(np.arange(140 * 90, dtype=np.uint16).reshape(140, 90) ** 2)).hexdigest())
"""
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sse2", "NUMBA_CACHE_DIR": str(tmp_path)}
    hashes = {
        subprocess.run([sys.executable, "-c", code], env=os.environ | settings, capture_output=True, check=True).stdout
        for settings in ({}, plain)
    }
    assert len(hashes) == 1


def test_importing_the_features_does_not_import_numba():
    code = "import segmentation.features.compute, sys; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
