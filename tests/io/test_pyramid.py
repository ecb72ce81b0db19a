"""Pyramids: every window is what the whole image has there, and what is wrong with one is said in a sentence."""

import json
import tracemalloc
import zipfile

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.tiling import Window
from segmentation.io import image as images
from segmentation.io import pyramid as pyramids
from segmentation.io import sampling
from segmentation.io.image import image_from_pixels
from segmentation.io.limits import ImageError
from segmentation.io.no_data import filled
from segmentation.io.pyramid import Level, Pyramid
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.io.zarr_pyramid import open_pyramid
from tests.support.images import textured
from tests.support.pyramids import write_pyramid, zipped


@pytest.fixture(scope="module")
def pixels():
    return np.dstack([textured(200, 150, seed) for seed in range(3)])


@pytest.fixture(scope="module", params=["0.4", "0.5"])
def opened(request, pixels, tmp_path_factory):
    path = write_pyramid(tmp_path_factory.mktemp("ome") / "a.zarr", pixels, version=request.param, names="abc")
    return open_pyramid(path)


def test_levels_channels_and_sizes_are_those_of_the_metadata(opened):
    assert [(one.shape, one.step) for one in opened.levels] == [((200, 150), 1), ((100, 75), 2), ((50, 38), 4)]
    assert (opened.channels, opened.dtype.name, opened.channel_names) == (3, "uint8", ("a", "b", "c"))
    assert opened.pixel_size.spacing == (0.5, 0.5)
    assert not opened.is_large


@settings(max_examples=20)
@given(data=st.data())
def test_a_window_of_a_level_is_that_part_of_it(opened, pixels, data):
    level = data.draw(st.integers(0, 2))
    rows, columns = opened.levels[level].shape
    top, left = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    window = Window(slice(top, data.draw(st.integers(top + 1, rows))),
                    slice(left, data.draw(st.integers(left + 1, columns))))  # fmt: skip
    step = 2**level
    read = opened.read(window, level)
    assert np.array_equal(read.pixels, pixels[::step, ::step][window.rows, window.columns])
    assert read.channel_names == ("a", "b", "c")


def test_a_block_has_its_halo_and_a_hash_of_its_place(opened, pixels):
    window = Window(slice(64, 128), slice(0, 64))
    image, inner = opened.block(window, 10)
    assert np.array_equal(image.pixels, pixels[54:138, :74])
    assert np.array_equal(image.pixels[inner.rows, inner.columns], pixels[64:128, :64])
    assert image.hash == f"{opened.hash}@54,0"


def test_equal_pyramids_have_equal_hashes_wherever_they_lie(pixels, tmp_path):
    one, other = (write_pyramid(tmp_path / name, pixels) for name in ("a.zarr", "b.zarr"))
    different = write_pyramid(tmp_path / "c.zarr", 255 - pixels)
    assert open_pyramid(one).hash == open_pyramid(other).hash
    assert open_pyramid(one).hash != open_pyramid(different).hash
    assert open_pyramid(one).hash != open_pyramid(one, origin="https://example.org/a.zarr").hash


def test_some_channels_are_a_pyramid_too(opened, pixels):
    some = opened.with_channels((2, 0))
    window = Window(slice(0, 20), slice(30, 50))
    assert np.array_equal(some.read(window).pixels, pixels[:20, 30:50, [2, 0]])
    assert some.channel_names == ("c", "a")
    assert some.hash != opened.hash
    assert opened.with_channels((2, 0)) is some
    standards = opened.channel_standards
    assert opened.standardised().with_channels((2, 0)).standards == (standards[2], standards[0])


def test_some_channels_hold_data_where_the_whole_image_does(pixels, tmp_path):
    values = pixels.astype(np.float32)
    values[20:30, 40:60, 1] = np.nan
    opened = open_pyramid(write_pyramid(tmp_path / "gaps.zarr", values))
    window = Window(slice(0, 64), slice(30, 90))
    found, whole = opened.with_channels((2, 0)).read(window), opened.read(window)
    assert np.array_equal(found.no_data, whole.no_data)
    assert found.pixels.tobytes() == whole.with_channels((2, 0)).pixels.tobytes()


def test_the_level_that_is_read_is_no_coarser_than_what_is_shown(opened):
    assert [opened.level_for(step) for step in (1, 1.5, 2, 3.9, 4, 100)] == [0, 0, 1, 1, 2, 2]


def test_chunks_that_are_missing_are_empty_and_those_that_are_damaged_are_told_of(pixels, tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", pixels[..., 0])
    (path / "0/c/0/0").unlink()
    (path / "0/c/1/1").write_bytes(b"damaged")
    opened = open_pyramid(path)
    assert not opened.read(Window(slice(0, 64), slice(0, 64))).pixels.any()
    with pytest.raises(ImageError, match="cannot be read"):
        opened.read(Window(slice(60, 70), slice(60, 70)))
    rest = opened.read(Window(slice(128, 200), slice(0, 150)))
    assert np.array_equal(rest.pixels, pixels[128:, :, 0])


def test_pixels_that_are_no_numbers_hold_no_data(tmp_path):
    values = textured(100, 90).astype(np.float32)
    values[20:40, 30:50] = np.nan
    opened = open_pyramid(write_pyramid(tmp_path / "a.zarr", values))
    image, inner = opened.block(Window(slice(30, 60), slice(30, 60)), 8)
    whole = image_from_pixels(values)
    assert np.array_equal(image.no_data[inner.rows, inner.columns], whole.no_data[30:60, 30:60])
    assert np.array_equal(image.pixels[inner.rows, inner.columns], whole.pixels[30:60, 30:60])


def test_what_stands_where_there_is_no_data_is_found_once_for_a_block_and_only_there(tmp_path, monkeypatch):
    values = textured(100, 90).astype(np.float32)
    values[20:40, 30:50] = np.nan
    opened = open_pyramid(write_pyramid(tmp_path / "a.zarr", values))
    window, times = Window(slice(30, 60), slice(9, 60)), []
    monkeypatch.setattr(images, "filled", lambda *given: times.append(given) or filled(*given))
    assert opened.problem_of(window, 8) == ""
    assert np.array_equal(opened.no_data(window), np.isnan(values[30:60, 9:60]))
    assert not times
    assert opened.block(window, 8)[0].shape == (30 + 24 + 24, 60 + 24)
    assert len(times) == 1


def test_a_plain_array_is_a_single_level(tmp_path):
    values = textured(50, 60)
    zarr.save_array(tmp_path / "a.zarr", values)
    opened = open_pyramid(tmp_path / "a.zarr")
    assert [one.shape for one in opened.levels] == [(50, 60)]
    assert np.array_equal(opened.read(Window(slice(3, 9), slice(2, 60))).pixels, values[3:9, 2:])


def test_no_more_is_read_at_once_than_fits(opened, monkeypatch):
    monkeypatch.setattr(pyramids, "MAX_WINDOW_BYTES", 1000)
    with pytest.raises(ImageError, match="too large to be read at once"):
        opened.read(Window(slice(0, 200), slice(0, 150)))


def test_all_of_it_is_read_in_blocks_that_fit(opened, pixels, monkeypatch):
    assert pyramids.side_that_fits(2048, 128) == 1024
    assert pyramids.side_that_fits(2048, 12, halo=200) == 2048
    monkeypatch.setattr(pyramids, "MAX_WINDOW_BYTES", 64**2 * opened.channels * opened.dtype.itemsize)
    read = np.zeros_like(pixels)
    for window, image in opened.blocks():
        assert max(window.shape) <= 64
        read[window.rows, window.columns] = image.pixels
    assert np.array_equal(read, pixels)


def test_chunks_that_claim_gigabytes_are_refused(tmp_path):
    zarr.create_array(tmp_path / "a.zarr", shape=(10**6, 10**6), chunks=(10**5, 10**5), dtype="uint8")
    with pytest.raises(ImageError, match="10,000 MB"):
        open_pyramid(tmp_path / "a.zarr")


def changed(path, change):
    described = json.loads((path / "zarr.json").read_text())
    change(described["attributes"]["ome"]["multiscales"][0]["datasets"])
    (path / "zarr.json").write_text(json.dumps(described))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda levels: levels.reverse(), "disagree"),
        (lambda levels: levels[1].update(path="0", coordinateTransformations=[]), "disagree"),
        (lambda levels: levels[1].update(path="../b.zarr"), "does not lie in it"),
        (lambda levels: levels[1].update(path="missing"), "missing or damaged"),
        (lambda levels: levels.extend(levels * 20), "levels"),
        (lambda levels: levels.clear(), "levels"),
        (lambda levels: levels[1]["coordinateTransformations"][0].update(scale=[1, 7.0, 7.0]), "disagree"),
    ],
)
def test_levels_that_disagree_are_refused(change, sentence, pixels, tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", pixels)
    changed(path, change)
    with pytest.raises(ImageError, match=sentence):
        open_pyramid(path)


def test_levels_of_another_type_are_refused(pixels, tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", pixels)
    zarr.create_array(path, name="1", shape=(3, 100, 75), chunks=(1, 64, 64), dtype="uint16", overwrite=True)
    with pytest.raises(ImageError, match="another type"):
        open_pyramid(path)


def test_metadata_that_are_too_large_are_not_read(pixels, tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", pixels)
    (path / "0/zarr.json").write_text(" " * 2**23)
    with pytest.raises(ImageError, match="too large to be read"):
        open_pyramid(path)


def test_a_sample_is_spread_over_the_image_and_leaves_out_what_is_damaged(pixels, tmp_path, monkeypatch):
    monkeypatch.setattr(sampling, "SAMPLED_SIDE", 16)
    path = write_pyramid(tmp_path / "a.zarr", pixels)
    assert open_pyramid(path).sample.shape == (16 * 16, 16)
    (path / "0/c/0/0/0").write_bytes(b"damaged")
    assert open_pyramid(path).sample.shape[0] < 16 * 16


@pytest.mark.parametrize(
    ("shape", "chunks", "shards", "is_read"),
    [
        ((1000, 900), (1, 1), None, False),
        ((1024, 1024), (1, 1), (1024, 1024), False),
        ((2000, 2000), (4, 8), None, False),
        ((60, 50), (1, 1), None, True),
        ((1000, 900), (1, 900), None, True),
        ((9000, 9000), (16, 16), None, True),
    ],
)
def test_chunks_that_are_too_small_for_their_array_are_refused(tmp_path, shape, chunks, shards, is_read):
    zarr.create_array(tmp_path / "a.zarr", shape=shape, chunks=chunks, shards=shards, dtype="uint8")
    if is_read:
        assert open_pyramid(tmp_path / "a.zarr").shape == shape
        return
    with pytest.raises(ImageError, match=f"chunks of {chunks[1]} × {chunks[0]} pixels, which are too many"):
        open_pyramid(tmp_path / "a.zarr")


def test_the_table_of_a_zip_is_read_once(pixels, tmp_path, monkeypatch):
    file = tmp_path / "a.ozx"
    file.write_bytes(zipped(write_pyramid(tmp_path / "a.zarr", pixels)))
    read, tables = zipfile.ZipFile._RealGetContents, []
    monkeypatch.setattr(zipfile.ZipFile, "_RealGetContents", lambda archive: tables.append(archive) or read(archive))
    opened = open_pyramid_file(file, "a.ozx")
    assert np.array_equal(opened.read(Window(slice(0, 50), slice(0, 60))).pixels, pixels[:50, :60])
    assert len(tables) == 1


def test_what_streams_an_image_without_data_takes_little_memory():
    def values(window, level):
        found = np.ones((*window.shape, 3), np.float32)
        found[::5] = np.nan
        return found

    pyramid = Pyramid(name="a", levels=(Level((4096, 4096)),), channels=3, dtype=np.dtype(np.float32), values=values)
    next(pyramid.blocks())  # loads what fills
    tracemalloc.start()
    try:
        window, image = next(pyramid.blocks())
        assert tracemalloc.get_traced_memory()[1] < 64e6
    finally:
        tracemalloc.stop()
    assert image.no_data.sum() == -(-window.shape[0] // 5) * window.shape[1]
    assert (image.pixels == 1).all()
