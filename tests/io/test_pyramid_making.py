"""Levels that are made of an image are means of its pixels, and go on to equal bytes where they were interrupted."""

import io
import itertools
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
import tifffile

from segmentation._shared.tiling import Window, whole_window
from segmentation.io import halving, pyramid_making, reduced
from segmentation.io.coarser_levels import MakingStopped, Unreduced, coarser_levels
from segmentation.io.halving import halved_by_first, halved_by_means, halved_where_all, level_shapes
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.io.pyramid_making import UNFINISHED, hold_data, make_levels, pack_levels
from segmentation.io.reduced import read_reduced
from segmentation.io.tiff_pyramid import open_tiff_pyramid
from segmentation.io.unread import unread_part
from segmentation.io.zarr_pyramid import open_pyramid
from tests.support.files import files_in
from tests.support.images import textured

pytestmark = pytest.mark.slow

SHAPE = 183, 150
SMALL = {"pyramid_making": {"CHUNK_SIDE": 8, "LEAST_ROWS": 2}, "halving": {"COARSEST_SIDE": 20},
         "reduced": {"BAND_BYTES": 2**11, "LEAST_SIDE": 8}}  # fmt: skip


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    for module in (pyramid_making, halving, reduced):
        for name, value in SMALL[module.__name__.rpartition(".")[2]].items():
            monkeypatch.setattr(module, name, value)


def tiff(path, pixels, **options):
    tifffile.imwrite(path, pixels, **{"metadata": None, "rowsperstrip": 7, "compression": "zlib"} | options)
    return open_tiff_pyramid(path)


def unreduced(pyramid, read=None):
    """What coarser levels of a pyramid are made of."""
    level = len(pyramid.levels) - 1
    return Unreduced(
        key=pyramid.hash, shape=pyramid.levels[-1].shape, channels=pyramid.channels, dtype=pyramid.dtype,
        piece=pyramid.piece, read=read or (lambda window: read_reduced(pyramid, window, level)),
    )  # fmt: skip


def packed(folder):
    content = io.BytesIO()
    pack_levels(folder, content)
    return content.getvalue()


def whole_levels(pyramid):
    return [pyramid.read(whole_window(level.shape), number) for number, level in enumerate(pyramid.levels)]


def expected_levels(pixels, count, missing=None):
    """The means of an image in memory, and where there are none."""
    values = np.moveaxis(pixels, -1, 0) if pixels.ndim == 3 else pixels
    found = []
    for number in range(count + 1):
        values = halved_by_means(values, missing)
        missing = None if missing is None else halved_where_all(missing)
        if number:
            found.append((np.moveaxis(values, 0, -1) if pixels.ndim == 3 else values, missing))
    return found


@pytest.mark.parametrize("layout", [{}, {"tile": (16, 32), "rowsperstrip": None}, {"compression": None}])
@pytest.mark.parametrize("kind", ["grey", "rgb", "16 bits", "floats"])
def test_levels_are_means_however_the_file_stores_the_image(kind, layout, tmp_path):
    pixels = textured(*SHAPE)
    if kind == "rgb":
        pixels = np.dstack([textured(*SHAPE, seed) for seed in range(3)])
    pixels = {"16 bits": pixels.astype(np.uint16) * 250, "floats": pixels.astype(np.float32) / 3}.get(kind, pixels)
    source = tiff(tmp_path / "a.tif", pixels, photometric="rgb" if kind == "rgb" else "minisblack", **layout)
    parts = []
    made = open_pyramid(make_levels(unreduced(source), tmp_path / "a.zarr", on_progress=parts.append))
    told = coarser_levels(source.levels[0])
    assert [one.shape for one in made.levels] == [one.shape for one in told] == [(46, 38), (23, 19), (12, 10)]
    assert [one.step for one in told] == [4, 8, 16]
    assert (made.dtype, made.channels) == (source.dtype, source.channels)
    for read, (values, _) in zip(whole_levels(made), expected_levels(pixels, 3), strict=True):
        assert np.array_equal(read.pixels, values)
        assert read.no_data is None
    assert parts == sorted(parts)
    assert parts[-1] == 1


def test_means_are_of_what_there_is():
    pixels = np.array([[1, 2, 250], [3, 5, 255], [7, 8, 9]], np.uint8)
    assert halved_by_means(pixels).tolist() == [[3, 253], [8, 9]]
    missing = np.array([[0, 1, 1], [0, 0, 1], [1, 1, 0]], bool)
    assert halved_by_means(pixels, missing).tolist() == [[3, 0], [0, 9]]
    assert halved_where_all(missing).tolist() == [[False, True], [True, False]]
    floats = np.array([[1, np.nan, np.nan], [3, 5, np.nan]], np.float32)
    assert np.array_equal(halved_by_means(floats), np.float32([[3, np.nan]]), equal_nan=True)
    assert halved_by_means(np.full((2, 2), 2**32 - 1, np.uint32)).tolist() == [[2**32 - 1]]
    assert halved_by_means(np.array([[-3, -4]], np.int16)).tolist() == [[-3]]
    assert halved_by_first(pixels).tolist() == [[1, 250], [7, 9]]
    assert level_shapes((100, 3)) == [(100, 3), (50, 2), (25, 1), (13, 1)]


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_where_there_is_no_data_is_kept(kind, tmp_path):
    pixels = textured(*SHAPE).astype(kind)
    pixels[41:90, 30:117] = 7
    source = tiff(tmp_path / "a.tif", pixels, extratags=[(42113, "s", 0, "7", True)])
    made = open_pyramid(make_levels(unreduced(source), tmp_path / "a.zarr"))
    for read, (values, missing) in zip(whole_levels(made), expected_levels(pixels, 3, pixels == 7), strict=True):
        assert np.array_equal(read.no_data, missing)
        assert np.array_equal(read.pixels[~missing], values[~missing])
    assert made.read(Window(slice(0, 4), slice(0, 4))).no_data is None


def test_each_strip_is_decoded_once_or_twice(tmp_path, monkeypatch):
    counts: dict[int, int] = {}
    decode = tifffile.TiffPage.decode

    def read(window):
        fresh = open_tiff_pyramid(tmp_path / "a.tif")  # as each part is read in a process of its own
        return read_reduced(fresh, window, 0)

    def counted(page):
        def decoded(data, index, **options):
            counts[index] = counts.get(index, 0) + 1
            return decode.__get__(page)(data, index, **options)

        return decoded

    source = unreduced(tiff(tmp_path / "a.tif", textured(200, 600), rowsperstrip=10), read)
    monkeypatch.setattr(tifffile.TiffPage, "decode", property(counted))
    make_levels(source, tmp_path / "a.zarr")
    assert len(counts) == 20
    assert max(counts.values()) <= 2


def test_what_was_interrupted_goes_on_to_equal_bytes(tmp_path):
    source = unreduced(tiff(tmp_path / "a.tif", textured(*SHAPE)))
    whole = make_levels(source, tmp_path / "whole.zarr")
    counts = [0]

    def stopped():
        counts[0] += 1
        return counts[0] % 3 == 0

    place = tmp_path / "part.zarr"
    for _ in range(30):
        try:
            make_levels(source, place, stopped=stopped)
        except MakingStopped:
            assert not place.exists()
        else:
            break
    assert counts[0] > 6
    assert files_in(place) == files_in(whole)
    assert packed(place) == packed(whole)
    assert not place.with_name(place.name + UNFINISHED).exists()
    make_levels(source, place, on_progress=lambda part: pytest.fail("It is made again."))


KILLED = """
import sys, time
from pathlib import Path
from segmentation.io import halving, pyramid_making, reduced
for module, values in {small}.items():
    vars(sys.modules["segmentation.io." + module]).update(values)
from segmentation.io.coarser_levels import Unreduced
from segmentation.io.pyramid_making import make_levels
from segmentation.io.tiff_pyramid import open_tiff_pyramid
pyramid = open_tiff_pyramid(Path({tiff!r}))
def read(window):
    time.sleep(0.02)
    return reduced.read_reduced(pyramid, window, 0)
source = Unreduced(key=pyramid.hash, shape=pyramid.shape, channels=1, dtype=pyramid.dtype, piece=pyramid.piece,
                   read=read)
make_levels(source, Path({folder!r}), on_progress=lambda part: print(part, flush=True))
"""


def test_a_process_that_is_killed_leaves_what_another_goes_on_with_to_equal_bytes(tmp_path):
    path, place = tmp_path / "a.tif", tmp_path / "part.zarr"
    source = unreduced(tiff(path, textured(400, 300), tile=(16, 16), rowsperstrip=None))
    script = KILLED.format(small=SMALL, tiff=str(path), folder=str(place))
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        for _ in range(8):
            assert process.stdout.readline()
        process.kill()
    assert not place.exists()
    assert place.with_name(place.name + UNFINISHED).is_dir()
    read, parts = [], []

    def counted(window):
        read.append(window)
        return source.read(window)

    whole = make_levels(source, tmp_path / "whole.zarr", on_progress=parts.append)
    make_levels(Unreduced(**vars(source) | {"read": counted}), place)
    assert 0 < len(read) < 13 * 10 - 6
    assert packed(place) == packed(whole)


def test_what_was_begun_of_another_image_is_begun_anew(tmp_path):
    one, other = (unreduced(tiff(tmp_path / f"{seed}.tif", textured(*SHAPE, seed))) for seed in (1, 2))
    place = tmp_path / "a.zarr"
    with pytest.raises(MakingStopped):
        make_levels(one, place, stopped=lambda: True)
    make_levels(other, place)
    expected = expected_levels(textured(*SHAPE, 2), 1)[0][0]
    assert np.array_equal(open_pyramid(place).read(whole_window((46, 38))).pixels, expected)


@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16), "rowsperstrip": None}])
def test_a_part_that_is_damaged_holds_no_data_and_the_rest_is_there(layout, tmp_path):
    pixels = textured(*SHAPE)
    tiff(tmp_path / "a.tif", pixels, **layout)
    damage(tmp_path / "a.tif", 5)
    made = open_pyramid(make_levels(unreduced(open_tiff_pyramid(tmp_path / "a.tif")), tmp_path / "a.zarr"))
    read, (expected, _) = whole_levels(made)[0], expected_levels(pixels, 1)[0]
    missing = np.zeros(read.shape, bool)
    if layout:
        missing[0:4, 20:24] = True
    else:
        missing[8:10] = True  # with the rows before it that are read with it
    assert np.array_equal(read.no_data & missing, missing)
    assert read.no_data.sum() <= 2 * missing.sum()
    intact = ~read.no_data
    intact[6:11] &= bool(layout)
    assert np.array_equal(read.pixels[intact], expected[intact])


def test_how_much_cannot_be_read_is_known_however_often_it_was_interrupted(tmp_path):
    tiff(tmp_path / "a.tif", textured(*SHAPE), tile=(16, 16), rowsperstrip=None)
    for index in (5, 60):
        damage(tmp_path / "a.tif", index)
    source, stops = unreduced(open_tiff_pyramid(tmp_path / "a.tif")), itertools.cycle([False, True])
    place, whole = tmp_path / "part.zarr", make_levels(source, tmp_path / "whole.zarr")
    while not place.exists():
        with suppress(MakingStopped):
            make_levels(source, place, stopped=lambda: next(stops))
    assert unread_part(open_pyramid(whole).metadata) == 2 * 16 * 16 / (SHAPE[0] * SHAPE[1])
    assert packed(place) == packed(whole)


def test_an_image_of_which_nothing_can_be_read_is_told_from_others(tmp_path):
    for name, pieces in (("a", range(1)), ("b", range(27))):
        tiff(tmp_path / f"{name}.tif", textured(*SHAPE))
        for index in pieces:
            damage(tmp_path / f"{name}.tif", index)
        source = unreduced(open_tiff_pyramid(tmp_path / f"{name}.tif"))
        assert hold_data(make_levels(source, tmp_path / f"{name}.zarr")) == (name == "a")


def damage(path, index):
    """Let a strip or tile of a TIFF be none any more."""
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[index]
    data = bytearray(path.read_bytes())
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)


def test_levels_that_were_made_are_an_image_of_their_own(tmp_path):
    source = unreduced(tiff(tmp_path / "a.tif", textured(*SHAPE)))
    (tmp_path / "a.ozx").write_bytes(packed(make_levels(source, tmp_path / "a.zarr")))
    assert [one.shape for one in open_pyramid_file(tmp_path / "a.ozx", "a.ozx").levels] == source.levels
