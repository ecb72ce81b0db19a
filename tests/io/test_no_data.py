"""Pixels that hold no data are known, and filled with the nearest that do."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segmentation.io.image import image_from_pixels
from segmentation.io.masks import read_masks
from segmentation.io.no_data import filled
from segmentation.io.read import read_image
from tests.support.imagefiles import pillow_bytes, tiff_bytes

RNG = np.random.default_rng(7)
GREY = RNG.integers(1, 200, (30, 40)).astype(np.uint8)
HOLE = np.zeros(GREY.shape, bool)
HOLE[10:20, 5:15] = True
MASKS = arrays(bool, st.tuples(st.integers(1, 14), st.integers(1, 14)), elements=st.booleans())


def with_hole(value, dtype=np.float32, channels=None):
    pixels = np.dstack([GREY] * channels) if channels else GREY
    pixels = pixels.astype(dtype)
    pixels[HOLE] = value
    return pixels


def gdal(value):
    return [(42113, "s", 0, value, True)]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -3.4e38, 1e30])
@pytest.mark.parametrize("channels", [None, 3])
def test_what_is_no_number_is_no_data(value, channels):
    pixels = with_hole(value, channels=channels)
    image = read_image(tiff_bytes(pixels, photometric="rgb" if channels else "minisblack"))
    np.testing.assert_array_equal(image.no_data, HOLE)
    np.testing.assert_array_equal(image.pixels[~HOLE], pixels[~HOLE])
    assert np.isfinite(image.pixels).all()
    assert image.metadata["value_range"] == [GREY[~HOLE].min(), GREY[~HOLE].max()]
    assert "100 pixels without data" in " ".join(image.metadata["notes"])
    assert image.hash == image_from_pixels(pixels).hash


@pytest.mark.parametrize(
    ("pixels", "value", "expected"),
    [
        (with_hole(-9999, np.int16), "-9999", HOLE),
        (with_hole(-9999.5), "-9999.5", HOLE),
        (with_hole(0, np.uint8), "0", HOLE),
        (with_hole(7, np.float64), "7 ", HOLE | (GREY == 7)),
        (with_hole(np.nan), "nan", HOLE),
        (GREY, "-1", None),
        (GREY, "0.5", None),
        (GREY, "nan", None),
        (GREY, "nothing", None),
    ],
)
def test_the_value_that_gdal_names_is_no_data(pixels, value, expected):
    found = read_image(tiff_bytes(pixels, extratags=gdal(value))).no_data
    assert (found is None) == (expected is None)
    if expected is not None:
        np.testing.assert_array_equal(found, expected)


def test_of_colours_all_channels_must_hold_the_value():
    pixels = np.dstack([GREY, GREY, GREY])
    pixels[:5, :, 0] = 0
    pixels[HOLE] = 0
    image = read_image(tiff_bytes(pixels, photometric="rgb", extratags=gdal("0")))
    np.testing.assert_array_equal(image.no_data, HOLE)


@pytest.mark.parametrize("kind", ["PNG", "WebP", "TIFF", "grey PNG"])
def test_what_is_wholly_transparent_is_no_data(kind):
    alpha = np.where(HOLE, 0, 9).astype(np.uint8)
    grey = kind == "grey PNG"
    pixels = np.dstack([GREY, alpha] if grey else [GREY, GREY, GREY, alpha])
    if kind == "TIFF":
        data = tiff_bytes(pixels, photometric="rgb", extrasamples=["unassalpha"])
    else:
        data = pillow_bytes(pixels, kind.split()[-1], **({"lossless": True} if kind == "WebP" else {}))
    image = read_image(data)
    np.testing.assert_array_equal(image.no_data, HOLE)
    np.testing.assert_array_equal(image.stacked[~HOLE][:, 0], GREY[~HOLE])


def test_an_image_without_such_pixels_is_as_ever():
    opaque = np.dstack([GREY, GREY // 2, GREY // 3, np.full_like(GREY, 1)])
    image = read_image(pillow_bytes(opaque, "PNG"))
    assert image.no_data is None
    assert image.hash == image_from_pixels(opaque[..., :3]).hash
    assert read_image(pillow_bytes(np.dstack([opaque[..., :3], 0 * GREY]), "PNG")).hash == image.hash


def test_the_hash_counts_where_there_is_no_data():
    holes = [HOLE, HOLE & (np.arange(40) < 10)]
    hashes = {image_from_pixels(np.where(hole, np.nan, 1.0)).hash for hole in [*holes, HOLE & False]}
    assert len(hashes) == 3


def test_an_image_is_also_known_by_the_hash_that_it_had_before_pixels_without_data_counted():
    coloured = np.dstack([GREY, GREY // 2, GREY // 3])
    image = read_image(pillow_bytes(np.dstack([coloured, np.where(HOLE, 0, 9).astype(np.uint8)]), "PNG"))
    former = image_from_pixels(coloured).hash
    assert image.hashes == (image.hash, former)
    assert image.known_as(former).hash == former
    assert image.known_as("another").hash == image.hash
    assert image_from_pixels(with_hole(np.nan)).hashes == (image_from_pixels(with_hole(np.nan)).hash,)


def test_an_image_without_any_data_is_no_error():
    image = image_from_pixels(np.full((5, 6), np.nan))
    assert image.no_data.all()
    assert not image.pixels.any()


def test_no_data_of_masks_is_not_labelled(tmp_path):
    (tmp_path / "mask.tif").write_bytes(tiff_bytes(with_hole(np.nan), photometric="minisblack"))
    (mask,) = read_masks(tmp_path / "mask.tif")
    np.testing.assert_array_equal(mask.pixels, np.where(HOLE, 0, GREY))


@given(no_data=MASKS)
def test_the_nearest_is_repeated(no_data):
    pixels = np.arange(no_data.size, dtype=np.int32).reshape(no_data.shape) + 1
    found = filled(pixels, no_data)
    if no_data.all():
        assert not found.any()
        return
    rows, columns = np.nonzero(~no_data)
    for row, column in np.argwhere(no_data):
        distances = (rows - row) ** 2 + (columns - column) ** 2
        taken = divmod(int(found[row, column]) - 1, no_data.shape[1])
        assert (taken[0] - row) ** 2 + (taken[1] - column) ** 2 == distances.min()
        assert not no_data[taken]
    np.testing.assert_array_equal(found[~no_data], pixels[~no_data])


@given(no_data=MASKS, data=st.data())
def test_a_part_is_filled_as_the_whole_is(no_data, data):
    """If the part reaches as far as the nearest; also where several are equally near."""
    pixels = np.arange(no_data.size, dtype=np.int32).reshape(no_data.shape) + 1
    whole = filled(pixels, no_data)
    top, bottom = sorted(data.draw(st.lists(st.integers(0, len(no_data)), min_size=2, max_size=2)))
    left, right = sorted(data.draw(st.lists(st.integers(0, no_data.shape[1]), min_size=2, max_size=2)))
    part = (slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1)))
    cut = filled(pixels[part], no_data[part])
    rows, columns = np.nonzero(~no_data)
    for row, column in np.argwhere(no_data[part]):
        place = row + top, column + left
        distances = (rows - place[0]) ** 2 + (columns - place[1]) ** 2
        if not len(distances) or not no_data[part].size:
            continue
        near = np.flatnonzero(distances == distances.min())
        inside = [part[0].start <= rows[n] < part[0].stop and part[1].start <= columns[n] < part[1].stop for n in near]
        if all(inside):
            assert cut[row, column] == whole[place]
