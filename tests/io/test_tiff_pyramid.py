"""TIFF files by tiles and strips: every window has the pixels of the whole image, and levels are those of the file."""

import io

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.tiling import Window
from segmentation.io import tiff_pyramid
from segmentation.io.limits import ImageError
from segmentation.io.read import read_image, read_stack
from segmentation.io.tiff_pyramid import MISFITTING, TiffPyramids, open_tiff_pyramid
from segmentation.io.tiff_windows import PlaneWindows
from segmentation.io.unread import unread_part
from tests.support.images import textured

ROWS, COLUMNS = 83, 70
GREY = textured(ROWS, COLUMNS)
RGB = np.dstack([textured(ROWS, COLUMNS, seed) for seed in range(3)])
ALPHA = np.where(GREY > 90, 255, 0).astype(np.uint8)
RAMP = np.arange(256, dtype=np.uint16) * 257
PALETTE = np.stack([RAMP, RAMP[::-1], RAMP])

KINDS = {
    "grey": (GREY, {"photometric": "minisblack"}),
    "inverted": (GREY, {"photometric": "miniswhite"}),
    "16 bits": (GREY.astype(np.uint16) * 200, {"photometric": "minisblack"}),
    "floats": (GREY.astype(np.float32) / 7, {"photometric": "minisblack"}),
    "doubles": (GREY.astype(np.float64) / 7, {"photometric": "minisblack"}),
    "bits": (GREY > 90, {"photometric": "minisblack"}),
    "rgb": (RGB, {"photometric": "rgb"}),
    "separate": (np.moveaxis(RGB, -1, 0).copy(), {"photometric": "rgb", "planarconfig": "separate"}),
    "transparent": (np.dstack([RGB, ALPHA]), {"photometric": "rgb", "extrasamples": ["unassalpha"]}),
    "inks": (np.dstack([RGB, ALPHA]), {"photometric": "separated"}),
    "palette": (GREY, {"photometric": "palette", "colormap": PALETTE}),
    "grey palette": (GREY, {"photometric": "palette", "colormap": np.stack([RAMP[::-1]] * 3)}),
    "no data": (GREY, {"photometric": "minisblack", "extratags": [(42113, "s", 0, str(GREY[5, 5]), True)]}),
}
CUTS = {
    "strips": {"rowsperstrip": 16},
    "one strip": {"rowsperstrip": ROWS},
    "rows": {"rowsperstrip": 1},
    "tiles": {"tile": (32, 16)},
    "a large tile": {"tile": (96, 96)},
}
COMPRESSIONS = ("none", "zlib", "lzw", "zstd", "packbits", "lzma", "jpeg")


def write(path, pixels, **options):
    tifffile.imwrite(path, pixels, metadata=None, **options)
    return path


def windows():
    rows = st.tuples(st.integers(0, ROWS - 1), st.integers(1, ROWS))
    return st.lists(st.tuples(rows, rows), min_size=1, max_size=4)


@pytest.mark.slow
@settings(max_examples=120)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    cut=st.sampled_from(sorted(CUTS)),
    compression=st.sampled_from(COMPRESSIONS),
    predictor=st.booleans(),
    big=st.booleans(),
    order=st.sampled_from("<>"),
    orientation=st.integers(1, 8),
    wanted=windows(),
)
def test_a_window_has_the_pixels_of_the_whole_image(
    tmp_path_factory, kind, cut, compression, predictor, big, order, orientation, wanted
):
    pixels, options = KINDS[kind]
    if pixels.dtype == bool:
        compression, predictor = "none" if compression in ("jpeg", "lzma") else compression, False
    if compression == "jpeg" and (pixels.dtype != np.uint8 or kind not in ("grey", "rgb", "inverted")):
        compression = "zlib"
    made = dict(options) | CUTS[cut]
    made |= {} if compression == "none" else {"compression": compression}
    if predictor and compression in ("zlib", "lzw", "zstd") and kind not in ("palette", "grey palette"):
        made["predictor"] = True
    made["extratags"] = [*made.get("extratags", ()), (274, "H", 1, orientation, True)]
    path = write(tmp_path_factory.mktemp("t") / "a.tif", pixels, bigtiff=big, byteorder=order, **made)
    whole, opened = read_image(path), open_tiff_pyramid(path)
    assert (opened.shape, opened.channels, opened.dtype) == (whole.shape, whole.channels, whole.pixels.dtype)
    assert opened.metadata["colour"] == whole.metadata["colour"]
    for (top, bottom), (left, right) in wanted:
        top, left = top % whole.shape[0], left % whole.shape[1]
        window = Window(slice(top, min(whole.shape[0], top + bottom)), slice(left, min(whole.shape[1], left + right)))
        image, inner = opened.block(window, 3)
        missing = whole.no_data[window.rows, window.columns] if whole.no_data is not None else None
        found = image.no_data[inner.rows, inner.columns] if image.no_data is not None else np.zeros(window.shape, bool)
        assert np.array_equal(found, np.zeros(window.shape, bool) if missing is None else missing)
        there = ~found
        expected = whole.pixels[window.rows, window.columns]
        assert np.array_equal(image.pixels[inner.rows, inner.columns][there], expected[there])


def halves(pixels, count):
    return [pixels[:: 2**n, :: 2**n] for n in range(1, count + 1)]


def ome_with_levels(path, pixels, levels):
    with tifffile.TiffWriter(path, ome=True) as writer:
        options = {"tile": (16, 16), "compression": "zlib"}
        writer.write(pixels, subifds=len(levels), metadata={"PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}, **options)
        for level in levels:
            writer.write(level, subfiletype=1, **options)
    return path


def overviews(path, pixels, levels):
    with tifffile.TiffWriter(path, bigtiff=True) as writer:
        writer.write(pixels, photometric="rgb", tile=(16, 16), metadata=None)
        for level in levels:
            writer.write(level, photometric="rgb", tile=(16, 16), subfiletype=1, metadata=None)
    return path


def slide(path, pixels, levels):
    with tifffile.TiffWriter(path) as writer:
        options = {"photometric": "rgb", "metadata": None}
        writer.write(pixels, tile=(16, 16), description="Aperio Image Library v1", **options)
        writer.write(pixels[::7, ::7], **options)
        for level in levels:
            writer.write(level, tile=(16, 16), **options)
        writer.write(pixels[:30, :20], subfiletype=1, description="label", **options)
        writer.write(pixels[:20, :40], subfiletype=9, description="macro", **options)
    return path


@pytest.mark.parametrize("program", [overviews, slide])
def test_levels_of_the_file_are_used(program, tmp_path):
    levels = halves(RGB, 2)
    opened = open_tiff_pyramid(program(tmp_path / "a.tif", RGB, levels))
    assert [(one.shape, one.step) for one in opened.levels] == [((83, 70), 1), ((42, 35), 2), ((21, 18), 4)]
    for number, level in enumerate([RGB, *levels]):
        window = Window(slice(3, 19), slice(0, 17))
        assert np.array_equal(opened.read(window, number).pixels, level[3:19, :17])
    assert opened.metadata["notes"] == []


def test_levels_of_channels_that_are_pages_are_used(tmp_path):
    planes = np.moveaxis(RGB, -1, 0).astype(np.uint16)
    path = ome_with_levels(tmp_path / "a.ome.tif", planes, [planes[:, ::2, ::2]])
    opened = open_tiff_pyramid(path)
    assert [one.shape for one in opened.levels] == [(83, 70), (42, 35)]
    assert np.array_equal(opened.read(Window(slice(0, 42), slice(0, 35)), 1).pixels, RGB[::2, ::2])
    assert opened.pixel_size.spacing == (0.5, 0.5)


def test_levels_that_do_not_fit_are_left_out_and_told_of(tmp_path):
    opened = open_tiff_pyramid(overviews(tmp_path / "a.tif", RGB, [RGB[::2, ::2], RGB[::4, ::3]]))
    assert [one.shape for one in opened.levels] == [(83, 70), (42, 35)]
    assert opened.metadata["notes"] == [MISFITTING]


def test_directories_of_levels_that_are_damaged_leave_the_image_as_it_is(tmp_path):
    path = ome_with_levels(tmp_path / "a.ome.tif", GREY, [GREY[::2, ::2]])
    with tifffile.TiffFile(path) as file:
        (below,) = file.pages[0].subifds
    data = bytearray(path.read_bytes())
    data[below : below + 2] = b"\xff\xff"
    path.write_bytes(data)
    opened = open_tiff_pyramid(path)
    assert [one.shape for one in opened.levels] == [(83, 70)]
    assert opened.metadata["notes"] == [MISFITTING]
    assert np.array_equal(opened.read(Window(slice(3, 9), slice(5, 9))).pixels, GREY[3:9, 5:9])


def test_images_of_a_stack_are_pyramids_each(tmp_path):
    stack = np.stack([textured(40, 50, seed) for seed in range(4)])
    path = tmp_path / "a.tif"
    for options in ({"imagej": True, "metadata": {"axes": "ZYX"}}, {"tile": (16, 16), "compression": "zlib"}):
        tifffile.imwrite(path, stack, photometric="minisblack", **options)
        images = TiffPyramids(path)
        assert len(images) == 4
        for number, whole in enumerate(read_stack(path), start=1):
            read = images.open(number).read(Window(slice(7, 33), slice(5, 50)))
            assert np.array_equal(read.pixels, whole.pixels[7:33, 5:])
            assert read.place == whole.place == {"z": number}


def test_a_damaged_tile_is_told_of_and_the_rest_goes_on(tmp_path):
    path = write(tmp_path / "a.tif", GREY, tile=(32, 32), compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        start = tiff.pages[0].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    opened = open_tiff_pyramid(path)
    with pytest.raises(ImageError, match="damaged"):
        opened.read(Window(slice(0, 40), slice(0, 40)))
    assert np.array_equal(opened.read(Window(slice(32, 83), slice(0, 70))).pixels, GREY[32:])


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("cut", [{"rowsperstrip": 7}, {"rowsperstrip": ROWS}, {"tile": (16, 16)}])
def test_of_a_file_that_was_not_copied_to_its_end_what_is_there_can_be_read(cut, compression, tmp_path):
    path = write(tmp_path / "a.tif", GREY, compression=compression, **cut)
    with tifffile.TiffFile(path) as tiff:
        end = tiff.pages[0].dataoffsets[-1] + tiff.pages[0].databytecounts[-1]
        begin = tiff.pages[0].dataoffsets[0]
        lacking = np.array(tiff.pages[0].dataoffsets) + tiff.pages[0].databytecounts > (begin + end) // 2
    path.write_bytes(path.read_bytes()[: (begin + end) // 2])
    with pytest.raises(ImageError, match="damaged or incomplete"):
        open_tiff_pyramid(path)
    if lacking.all() and compression:
        with pytest.raises(ImageError, match="damaged or incomplete"):
            open_tiff_pyramid(path, partly=True)
        return
    opened = open_tiff_pyramid(path, partly=True)
    assert unread_part(opened.metadata) == pytest.approx(0.5 if not compression else lacking.mean(), abs=0.1)
    assert np.array_equal(opened.read(Window(slice(0, 14), slice(0, COLUMNS))).pixels, GREY[:14])
    with pytest.raises(ImageError, match="damaged or incomplete"):
        opened.read(Window(slice(ROWS - 5, ROWS), slice(0, COLUMNS)))


def test_tiles_that_were_never_written_are_told_of(tmp_path):
    path = write(tmp_path / "a.tif", GREY, tile=(32, 32), compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        places = tiff.pages[0].tags[324].valueoffset, tiff.pages[0].tags[325].valueoffset
        tiles, size = len(tiff.pages[0].dataoffsets), tiff.pages[0].tags[325].valuebytecount
    data = bytearray(path.read_bytes())
    for place, length in zip(places, (4, size // tiles), strict=True):
        data[place : place + length] = bytes(length)
    path.write_bytes(data)
    opened = open_tiff_pyramid(path, partly=True)
    assert unread_part(opened.metadata) == 1 / tiles
    with pytest.raises(ImageError, match="damaged or incomplete"):
        opened.read(Window(slice(0, 5), slice(0, 5)))
    assert np.array_equal(opened.read(Window(slice(32, ROWS), slice(0, COLUMNS))).pixels, GREY[32:])


@pytest.mark.parametrize("cut", [{"rowsperstrip": ROWS}, {"tile": (96, 96)}])
def test_pieces_that_are_too_large_are_refused_unless_they_can_be_read_by_rows(cut, tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_pyramid, "MAX_SEGMENT_BYTES", 1000)
    with pytest.raises(ImageError, match="save it anew in tiles"):
        open_tiff_pyramid(write(tmp_path / "a.tif", GREY, compression="zlib", **cut))
    plain = open_tiff_pyramid(write(tmp_path / "b.tif", GREY, rowsperstrip=ROWS))
    assert np.array_equal(plain.read(Window(slice(3, 9), slice(5, 9))).pixels, GREY[3:9, 5:9])


def test_what_is_no_tiff_or_ends_too_early_is_told(tmp_path):
    path = tmp_path / "a.tif"
    for data in (b"", b"no TIFF at all, but text", tiff_of(GREY)[:300], tiff_of(GREY)[:-100]):
        path.write_bytes(data)
        with pytest.raises(ImageError):
            open_tiff_pyramid(path).read(Window(slice(0, ROWS), slice(0, COLUMNS)))
    with pytest.raises(ImageError, match="cannot be opened"):
        open_tiff_pyramid(tmp_path / "missing.tif")
    with pytest.raises(ImageError, match="64-bit"):
        open_tiff_pyramid(write(path, GREY.astype(np.int64)))


def tiff_of(pixels):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None)
    return file.getvalue()


@pytest.mark.parametrize("cut", ["strips", "tiles"])
def test_a_transparent_part_is_told_from_a_transparent_image_without_a_look_at_all_of_it(cut, tmp_path, monkeypatch):
    pixels = np.dstack([RGB, np.where(np.arange(COLUMNS) < 20, 0, ALPHA)]).astype(np.uint8)
    seen, unseen = (
        write(tmp_path / name, given, photometric="rgb", extrasamples=["unassalpha"], **CUTS[cut])
        for name, given in (("seen.tif", pixels), ("unseen.tif", pixels * np.uint8([1, 1, 1, 0])))
    )
    window = Window(slice(0, 20), slice(0, 20))
    assert open_tiff_pyramid(unseen).read(window).no_data is None
    monkeypatch.setattr(PlaneWindows, "_bands", lambda _plane: pytest.fail("All of it was looked at."))
    assert open_tiff_pyramid(seen).read(window).no_data.all()


@pytest.mark.parametrize("cut", ["strips", "tiles"])
def test_a_palette_with_colours_is_told_from_one_in_use_without_a_look_at_all_of_it(cut, tmp_path, monkeypatch):
    palette = np.tile(np.arange(256, dtype=np.uint16) * 257, (3, 1))
    palette[:, 255] = 65535, 0, 0
    some = np.where(np.arange(COLUMNS) < 20, 7, 255).astype(np.uint8) * np.ones((ROWS, 1), np.uint8)
    seen, grey = (
        write(tmp_path / name, given, photometric="palette", colormap=palette, **CUTS[cut])
        for name, given in (("seen.tif", some), ("grey.tif", np.minimum(some, 254)))
    )
    assert open_tiff_pyramid(grey).channels == 1
    monkeypatch.setattr(PlaneWindows, "_bands", lambda _plane: pytest.fail("All of it was looked at."))
    assert open_tiff_pyramid(seen).channels == 3
    monkeypatch.setattr("segmentation.io.sampling.LARGE_PIXELS", 1000)
    large = open_tiff_pyramid(grey)
    assert large.channels == 3
    window = Window(slice(0, 20), slice(0, 20))
    assert (large.values(window, 0) == 7).all()
