import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from skimage.feature import hessian_matrix_eigvals, multiscale_basic_features
from skimage.filters import sobel
from skimage.util import img_as_float32

import segmentation as seg
from segmentation._shared.kernels import references_instead
from segmentation.features.volumes import around_planes
from segmentation.io.volumes import volume_planes

OWN = {"differences": False, "colour": False}


def noise(*shape, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    if np.issubdtype(dtype, np.floating):
        return rng.normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)


def assert_close(ours, theirs):
    """Equal to the last bit but for one value in 10,000, as for features of two dimensions."""
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    assert np.count_nonzero(ours != theirs) <= ours.size / 10_000
    assert np.allclose(ours, theirs, rtol=1e-5, atol=1e-6 * np.abs(theirs).max())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.uint32, np.float32])
@pytest.mark.parametrize("shape", [(2, 2, 2), (7, 19, 23), (3, 40, 9), (21, 5, 6)])
def test_features_of_a_volume_are_those_of_scikit_image(shape, dtype):
    pixels = noise(*shape, dtype=dtype)
    ours = seg.compute_features(pixels, seg.FeatureSpec(dimensions=3, sigma_max=4, **OWN))
    assert_close(ours, multiscale_basic_features(pixels, sigma_max=4))


@pytest.mark.parametrize(
    "kinds",
    [{"edges": False, "texture": False}, {"intensity": False, "texture": False}, {"intensity": False, "edges": False}],
)
def test_kinds_can_be_chosen(kinds):
    pixels = noise(5, 12, 11)
    ours = seg.compute_features(pixels, seg.FeatureSpec(dimensions=3, sigma_min=1, sigma_max=2, **OWN, **kinds))
    assert_close(ours, multiscale_basic_features(pixels, sigma_min=1, sigma_max=2, **kinds))


def test_channels_come_one_after_the_other():
    pixels = noise(4, 14, 13, 2)
    ours = seg.compute_features(pixels, seg.FeatureSpec(dimensions=3, sigma_max=2, channels=(1, 0), **OWN))
    assert_close(ours, multiscale_basic_features(pixels[..., ::-1], sigma_max=2, channel_axis=-1))


@pytest.mark.parametrize("distance", [0.5, 2.5, 12.0])
def test_sigmas_along_planes_are_divided_by_their_distance(distance):
    pixels, expected = noise(9, 21, 20), []
    for sigma in (1.0, 2.0):
        smooth = gaussian_filter(img_as_float32(pixels), (sigma / distance, sigma, sigma), mode="nearest", truncate=4)
        second = [
            np.gradient(np.gradient(smooth, axis=one), axis=other)
            for one, other in ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))
        ]
        expected += [smooth, sobel(smooth), *hessian_matrix_eigvals(second)]
    spec = seg.FeatureSpec(dimensions=3, sigma_min=1, sigma_max=2, plane_distance=distance, **OWN)
    assert_close(seg.compute_features(pixels, spec), np.stack(expected, axis=-1))


def test_what_is_kept_of_a_volume_is_kept_for_each_distance_of_its_planes():
    pixels, whole = noise(9, 21, 20), (slice(0, 21), slice(0, 20))
    near, far = (seg.FeatureSpec(dimensions=3, sigma_max=2, plane_distance=distance, **OWN) for distance in (1, 2.5))
    plane = volume_planes(pixels, near.depth_halo)[4]
    for spec in (near, far, near):
        found = around_planes(plane, spec, rows=whole[0], columns=whole[1])
        assert np.array_equal(np.moveaxis(found, 0, -1), seg.compute_features(pixels, spec)[4])


def test_pointwise_features_follow_from_those_of_the_volume():
    pixels, spec = noise(5, 12, 11), seg.FeatureSpec(dimensions=3, sigma_min=1, sigma_max=2)
    features = dict(zip(spec.names(1), np.moveaxis(seg.compute_features(pixels, spec), -1, 0), strict=True))
    assert list(features) == list(dict.fromkeys(spec.names(1)))
    own = np.moveaxis(multiscale_basic_features(pixels, sigma_min=1, sigma_max=2), -1, 0)
    difference, *traces = list(features.values())[10:]
    assert_close(difference, own[0] - own[5])
    assert_close(traces[0], own[2] + own[3] + own[4])


@pytest.mark.parametrize(
    "spec",
    [
        seg.FeatureSpec(dimensions=3, sigma_max=4),
        seg.FeatureSpec(dimensions=3, sigma_max=4, plane_distance=3),
        seg.FeatureSpec(planes_around=2, sigma_max=4),
    ],
    ids=["3-D", "anisotropic", "planes around"],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32])
def test_reference_gives_the_same_bytes(spec, dtype):
    pixels = noise(6, 23, 18, 3, dtype=dtype)
    compiled = seg.compute_features(pixels, spec)
    with references_instead():
        assert np.array_equal(compiled, seg.compute_features(pixels, spec))


SPECS = st.sampled_from(
    [
        seg.FeatureSpec(dimensions=3, sigma_max=2),
        seg.FeatureSpec(dimensions=3, sigma_max=4, plane_distance=2),
        seg.FeatureSpec(planes_around=1, sigma_max=2),
    ]
)


@settings(deadline=None, max_examples=15)
@given(st.data(), SPECS)
def test_blocks_have_the_features_of_the_whole(data, spec):
    pixels = noise(*(data.draw(st.integers(2, most)) for most in (9, 40, 40)))
    whole = seg.compute_features(pixels, spec)
    planes = volume_planes(pixels, spec.depth_halo)
    z, top, left = (data.draw(st.integers(0, length - 1)) for length in pixels.shape)
    rows, columns = slice(top, top + 7), slice(left, left + 9)
    rows, columns = (
        slice(part.start, min(part.stop, length))
        for part, length in zip((rows, columns), pixels.shape[1:], strict=True)
    )
    block = around_planes(planes[z], spec, rows=rows, columns=columns)
    assert np.array_equal(np.moveaxis(block, 0, -1), whole[z, rows, columns])


def test_features_of_planes_around_are_those_of_each_plane():
    pixels, spec = noise(4, 15, 16, 3), seg.FeatureSpec(planes_around=1, sigma_max=2, colour=False)
    features = seg.compute_features(pixels, spec)
    flat = np.stack([seg.compute_features(plane, spec.flat) for plane in pixels])
    for z in range(4):
        expected = np.concatenate([flat[z], flat[max(z - 1, 0)], flat[min(z + 1, 3)]], axis=-1)
        assert np.array_equal(features[z], expected)
    names = spec.names(3)
    assert len(names) == len(set(names)) == features.shape[-1]
    assert names[flat.shape[-1]] == "channel 1, intensity 1 plane above, sigma 0.5"


def test_one_plane_is_enough_for_features():
    spec = seg.FeatureSpec(dimensions=3, sigma_max=1)
    assert np.isfinite(seg.compute_features(noise(1, 1, 1), spec)).all()


@pytest.mark.parametrize(
    ("settings_of", "sentence"),
    [
        ({"dimensions": 4}, "2 or 3 dimensions"),
        ({"planes_around": 4}, "at most 3 planes"),
        ({"planes_around": -1}, "at most 3 planes"),
        ({"dimensions": 3, "planes_around": 1}, "choose one of the two"),
        ({"dimensions": 3, "plane_distance": 0}, "between 0.01 and 100"),
        ({"plane_distance": 2}, "three dimensions only"),
        ({"dimensions": 3, "standardise": True}, "cannot be standardised"),
    ],
)
def test_what_cannot_go_together_is_refused(settings_of, sentence):
    with pytest.raises(ValueError, match=sentence):
        seg.FeatureSpec(**settings_of)


def test_a_spec_of_volumes_survives_json_and_one_of_images_says_nothing_of_them():
    for spec in (seg.FeatureSpec(dimensions=3, plane_distance=2.5), seg.FeatureSpec(planes_around=2)):
        assert seg.FeatureSpec.from_json(spec.to_json()) == spec
    assert not {"dimensions", "planes_around", "plane_distance"} & seg.FeatureSpec().to_json().keys()


def test_what_is_no_volume_gets_a_sentence():
    with pytest.raises(seg.ImageError, match="A volume has planes, rows, columns"):
        seg.compute_features(noise(5, 5), seg.FeatureSpec(dimensions=3))
