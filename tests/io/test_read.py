"""The files that people bring give the right pixels, or one sentence."""

import hashlib
import io
import struct
import tracemalloc
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from PIL import ImageOps

from segmentation.io.display import display_pixels, display_range, encode_jpeg, encode_png
from segmentation.io.image import Image, image_from_pixels
from segmentation.io.limits import ImageError
from segmentation.io.read import read_image, read_stack
from tests.support.imagefiles import PNG_MAGIC, pillow_bytes, png_chunk, tiff_bytes
from tests.support.lossless_files import ALPHA, GREY, LOSSLESS, RGB, RGB16, RNG

DATA = Path(__file__).resolve().parents[1] / "data"


def assert_pixels(image, expected):
    assert image.pixels.dtype == expected.dtype
    assert image.pixels.dtype.isnative
    assert image.pixels.flags.c_contiguous
    assert image.pixels.flags.writeable
    np.testing.assert_array_equal(image.pixels, expected)


@pytest.mark.parametrize("name", LOSSLESS)
def test_pixels_are_those_of_the_file(name):
    data, expected = LOSSLESS[name]
    assert_pixels(read_image(data), expected)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"])
@pytest.mark.parametrize("compression", [None, "lzw", "zlib", "packbits", "zstd"])
@pytest.mark.parametrize("tile", [None, (16, 32)])
def test_tiff_of_every_type_compression_and_cut(dtype, compression, tile):
    values = (RGB16.astype(np.int64) - 30000).astype(dtype)
    predictor = compression in ("lzw", "zlib", "zstd")
    data = tiff_bytes(values, compression=compression, tile=tile, predictor=predictor, photometric="rgb")
    assert_pixels(read_image(data), values)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (GREY > 99, (GREY > 99).astype(np.uint8)),
        (GREY.astype(np.float16), GREY.astype(np.float32)),
        (GREY / 7, (GREY / 7).astype(np.float32)),
        (GREY.astype(np.int64) - 9, GREY.astype(np.int32) - 9),
        (GREY.astype(np.uint64), GREY.astype(np.int32)),
        (GREY.astype(np.int64) + 2**31, GREY.astype(np.uint32) + np.uint32(2**31)),
        (GREY * 2.0**40, (GREY * 2.0**40).astype(np.float32)),
        ((GREY.astype(np.int64) << 40) - 5, ((GREY.astype(np.int64) << 40) - 5).astype(np.float32)),
        (RGB16.astype(">u2"), RGB16),
        (RGB[..., :1], GREY),
        (RGB[:, ::-1], RGB[:, ::-1]),
        ([[1, 2], [3, 4]], np.array([[1, 2], [3, 4]], np.int32)),
    ],
)
def test_arrays_become_the_nearest_kept_type(given, expected):
    image = image_from_pixels(given)
    assert_pixels(image, expected)
    assert image.metadata["dtype"] == expected.dtype.name
    assert image.metadata["value_range"] == [expected.min(), expected.max()]


def test_array_is_copied():
    pixels = GREY.copy()
    image = image_from_pixels(pixels, {"name": "mine"})
    pixels[:] = 0
    assert_pixels(image, GREY)
    assert image.metadata["name"] == "mine"


def test_jpeg_is_what_pillow_decodes():
    for mode in ("L", "RGB", "CMYK"):
        data = pillow_bytes(PillowImage.open(DATA / "histology_purple.png"), "JPEG", mode=mode, progressive=True)
        with PillowImage.open(io.BytesIO(data)) as file:
            expected = np.asarray(file if mode != "CMYK" else file.convert("RGB"), dtype=int)
        image = read_image(data)
        assert image.channels == (1 if mode == "L" else 3)
        assert np.abs(image.pixels - expected).max() <= (2 if mode == "CMYK" else 0)


def test_jpeg_of_a_phone_with_a_film_behind_it():
    data = pillow_bytes(RGB, "JPEG", progressive=True)
    assert read_image(data + b"\xff\xda" * 1000).hash == read_image(data).hash


def test_jpeg_with_absurdly_many_scans_is_refused():
    data = pillow_bytes(RGB, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    assert read_image(data[:-2] + 5 * data[last:-2] + data[-2:]).shape == (30, 43)
    with pytest.raises(ImageError, match="damaged"):
        read_image(data[:-2] + 200 * data[last:-2] + data[-2:])


def test_jpeg_inside_tiff():
    data = tiff_bytes(
        np.full((64, 64, 3), (200, 90, 10), np.uint8), compression="jpeg", photometric="rgb", tile=(32, 32)
    )
    image = read_image(data)
    assert image.shape == (64, 64)
    assert np.abs(image.pixels.astype(int) - (200, 90, 10)).max() <= 4


def test_cmyk_tiff_becomes_rgb():
    inks = np.zeros((4, 5, 4), np.uint16)
    inks[0] = (65535, 0, 0, 0)
    inks[1] = (0, 0, 0, 65535)
    image = read_image(tiff_bytes(inks, photometric="separated"))
    assert image.pixels.dtype == np.uint16
    np.testing.assert_array_equal(image.pixels[:3, 0], [[0, 65535, 65535], [0, 0, 0], [65535] * 3])


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_palettes_become_colours_and_grey_palettes_grey(kind):
    colourful = PillowImage.fromarray(RGB).quantize(16)
    image = read_image(pillow_bytes(colourful, kind))
    assert_pixels(image, np.asarray(colourful.convert("RGB")))
    assert image.metadata["colour"]
    grey = PillowImage.fromarray(GREY // 16 * 17).convert("L").quantize(16)
    image = read_image(pillow_bytes(grey, kind))
    assert_pixels(image, np.asarray(grey.convert("L")))
    assert not image.metadata["colour"]


@pytest.mark.parametrize("bits", [2, 4])
def test_few_bits_start_at_zero(bits):
    values = GREY >> (8 - bits)
    rows = np.packbits(np.unpackbits(values[..., None], axis=2)[..., -bits:].reshape(30, -1), axis=1)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", 43, 30, bits, 0, 0, 0, 0)
    data = PNG_MAGIC + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b"")
    image = read_image(data)
    assert_pixels(image, values)
    assert image.metadata["bits"] == bits
    assert read_image(tiff_bytes(values, bitspersample=bits)).hash == image.hash


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(kind, orientation):
    exif = PillowImage.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    data = pillow_bytes(RGB, kind, exif=exif, **options)
    with PillowImage.open(io.BytesIO(data)) as file:
        expected = np.asarray(ImageOps.exif_transpose(file))
    assert_pixels(read_image(data), expected)


def test_hash_is_of_the_pixels_not_of_the_file():
    same = [
        read_image(imagecodecs.png_encode(RGB16)),
        read_image(tiff_bytes(RGB16, photometric="rgb", compression="lzw"), name="other"),
        read_image(tiff_bytes(np.moveaxis(RGB16, 2, 0).copy(), photometric="rgb", planarconfig="separate")),
        image_from_pixels(RGB16.astype(">u2")),
    ]
    assert len({image.hash for image in same}) == 1
    other = [GREY, GREY.astype(np.uint16), GREY.T, GREY.reshape(15, 86), RGB, GREY.view(np.int8)]
    assert len({image_from_pixels(pixels).hash for pixels in other}) == len(other)
    assert image_from_pixels(GREY).hash == hashlib.sha256(b"uint8 (30, 43) " + GREY.tobytes()).hexdigest()


def test_metadata():
    path = DATA / "nuclei_fluo_u16.tif"
    image = read_image(path)
    assert isinstance(image, Image)
    assert (image.shape, image.channels, image.stacked.shape) == ((128, 128), 1, (128, 128, 1))
    assert np.shares_memory(image.stacked, image.pixels)
    assert image.metadata == {
        "format": "TIFF",
        "name": "nuclei_fluo_u16.tif",
        "file_bytes": path.stat().st_size,
        "pages": 1,
        "page": 1,
        "alike": True,
        "bits": 16,
        "colour": False,
        "notes": [],
        "dtype": "uint16",
        "value_range": [int(image.pixels.min()), int(image.pixels.max())],
    }
    assert read_image(imagecodecs.png_encode(np.dstack([RGB, ALPHA]))).metadata["notes"] == [
        "The transparency was left out: it is not a measurement. Where nothing is seen, there is no data."
    ]


def test_sources_are_equal_and_names_are_only_shown():
    path = DATA / "histology_purple.png"
    image = read_image(path)
    assert image.shape == (256, 320)
    assert read_image(str(path)).hash == image.hash
    with path.open("rb") as file:
        assert read_image(file).hash == image.hash
    named = read_image(path.read_bytes(), name="../../etc/passwd\n\0evil.tif")
    assert named.metadata["name"] == "passwdevil.tif"
    assert named.metadata["format"] == "PNG"
    assert named.hash == image.hash


def test_stack_reads_each_page_when_asked():
    pages = np.stack([GREY, GREY + 1, GREY + 2])
    data = tiff_bytes(pages, photometric="minisblack", compression="zlib")
    stack = list(read_stack(data, name="z.tif"))
    for number, (image, page) in enumerate(zip(stack, pages, strict=True), start=1):
        assert_pixels(image, page)
        assert (image.metadata["page"], image.metadata["pages"]) == (number, 3)
    first = read_image(data)
    assert_pixels(first, GREY)
    assert first.metadata["notes"] == ["This is the first of 3 images in the file."]
    assert len(list(read_stack(pillow_bytes(RGB, "PNG")))) == 1

    broken = bytearray(data)
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        start = tiff.pages[2].dataoffsets[0]
    broken[start : start + 8] = b"\xff" * 8
    images = read_stack(bytes(broken))
    assert_pixels(next(images), pages[0])
    assert_pixels(next(images), pages[1])
    with pytest.raises(ImageError):
        next(images)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
def test_channels_that_are_stored_as_pages_are_read_together(kind):
    volume = RNG.integers(0, 256, (2, 3, 20, 24), dtype=np.uint8)
    data = tiff_bytes(volume, metadata={"axes": "ZCYX"}, **{kind: True})
    stack = list(read_stack(data))
    assert len(stack) == 2
    for image, planes in zip(stack, volume, strict=True):
        assert_pixels(image, np.moveaxis(planes, 0, -1))
        assert not image.metadata["colour"]


def test_ome_with_channels_outside_of_the_slices():
    volume = RNG.integers(0, 256, (3, 2, 20, 24), dtype=np.uint8)
    stack = list(read_stack(tiff_bytes(volume, metadata={"axes": "CZYX"}, ome=True)))
    assert len(stack) == 2
    assert_pixels(stack[1], np.moveaxis(volume[:, 1], 0, -1))


def test_thumbnails_are_passed_over():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(GREY[::4, ::4], subfiletype=1)
        writer.write(GREY)
        writer.write(GREY[::2, ::2], subfiletype=1)
    (image,) = read_stack(file.getvalue())
    assert_pixels(image, GREY)


# How images are shown


def test_eight_bit_colour_is_shown_as_it_is():
    image = image_from_pixels(RGB // 3)
    assert display_range(image) == ((0, 255),) * 3
    np.testing.assert_array_equal(display_pixels(image), RGB // 3)


def test_eight_bit_grey_is_stretched_only_where_it_is_narrow():
    wide = image_from_pixels(GREY)
    assert display_range(wide) == ((0, 255),)
    np.testing.assert_array_equal(display_pixels(wide)[..., 1], GREY)
    narrow = image_from_pixels(60 + GREY // 8)
    shown = display_pixels(narrow)
    assert (shown.min(), shown.max()) == (0, 255)


def test_sixteen_bit_is_seen_well_in_spite_of_outliers():
    image = read_image(DATA / "nuclei_fluo_u16.tif")
    ((low, high),) = display_range(image)
    assert image.pixels.min() <= low < high <= image.pixels.max()
    outlier = image.pixels.copy()
    outlier[0, :3] = 65535
    ((_, high_too),) = display_range(image_from_pixels(outlier))
    assert high_too < 2 * high
    shown = display_pixels(image)
    assert shown.std() > 30
    order = np.argsort(image.pixels, axis=None)
    assert (np.diff(shown[..., 0].ravel()[order].astype(int)) >= 0).all()


def test_colours_beyond_eight_bits_keep_their_hue():
    image = image_from_pixels(RGB16 // 64 * np.array([1, 2, 4], np.uint16))
    assert len(set(display_range(image))) == 1
    fluorescence = Image(image.pixels, {"colour": False})
    assert len(set(display_range(fluorescence))) == 3


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32"])
def test_every_type_is_stretched_the_same_way(dtype):
    values = np.arange(-60, 60, dtype=np.int64).reshape(10, 12)
    if dtype.startswith("u"):
        values += 60
    low, high = values.min() + 20, values.max() - 20
    shown = display_pixels(image_from_pixels(values.astype(dtype)), ranges=[(low, high)])
    expected = np.rint(np.clip((values - low) * 255 / (high - low), 0, 255))
    np.testing.assert_array_equal(shown[..., 0], expected)


def test_flat_and_nearly_flat_images_have_a_range():
    for dtype in (np.uint8, np.uint16, np.int32, np.float32):
        flat = image_from_pixels(np.full((40, 50), 100, dtype))
        assert display_pixels(flat).min() > 0
        sparse = np.zeros((400, 500), dtype)
        sparse[7, 8] = 1
        assert display_pixels(image_from_pixels(sparse)).max() == 255


def test_two_channels_are_green_and_magenta_and_more_are_the_first_three():
    two = display_pixels(image_from_pixels(RGB[..., :2]), ranges=[(0, 255)] * 2)
    np.testing.assert_array_equal(two, RGB[..., [1, 0, 1]])
    five = image_from_pixels(np.dstack([RGB, RGB[..., :2]]))
    np.testing.assert_array_equal(display_pixels(five, ranges=[(0, 255)] * 5), RGB)


@given(
    st.integers(0, 29), st.integers(1, 30), st.integers(0, 42), st.integers(1, 43), st.integers(1, 50), st.booleans()
)
def test_window_and_step_average_what_is_shown(top, height, left, width, step, colour):
    image = image_from_pixels(RGB if colour else RGB16[..., 0])
    rows, columns = slice(top, min(top + height, 30)), slice(left, min(left + width, 43))
    shown = display_pixels(image, rows=rows, columns=columns, step=step)
    whole = display_pixels(image)[rows, columns].astype(float)
    expected = [
        [whole[r : r + step, c : c + step].mean((0, 1)) for c in range(0, whole.shape[1], step)]
        for r in range(0, whole.shape[0], step)
    ]
    assert shown.shape == np.shape(expected)
    assert np.abs(shown - expected).max() <= 1


def test_large_windows_are_shown_in_strips():
    pixels = RNG.integers(0, 65536, (3000, 3000), dtype=np.uint16)
    image = image_from_pixels(pixels)
    tracemalloc.start()
    try:
        shown = display_pixels(image, step=7)
        assert tracemalloc.get_traced_memory()[1] < 60e6
    finally:
        tracemalloc.stop()
    assert shown.shape == (429, 429, 3)
    np.testing.assert_array_equal(shown[300:], display_pixels(image, rows=slice(2100, 3000), step=7))


@pytest.mark.parametrize(
    "options",
    [
        {"rows": slice(5, 5)},
        {"rows": slice(40, 50)},
        {"columns": slice(0, 9, 2)},
        {"step": 0},
        {"ranges": [(0, 255)] * 2},
        {"ranges": [(0, 0)] * 3},
    ],
)
def test_impossible_windows(options):
    with pytest.raises(ValueError, match="must"):
        display_pixels(image_from_pixels(RGB), **options)


def test_encoded_pixels():
    for pixels in (RGB, GREY, RGB[::2, ::-1]):
        np.testing.assert_array_equal(read_image(encode_png(pixels)).pixels, pixels)
    tissue = read_image(DATA / "histology_purple.png").pixels
    jpeg = read_image(encode_jpeg(tissue))
    assert jpeg.metadata["format"] == "JPEG"
    assert np.abs(jpeg.pixels.astype(int) - tissue).mean() < 3
    for wrong in (RGB16, RGB[..., :2], GREY.astype(bool)):
        with pytest.raises(ValueError, match="uint8"):
            encode_png(wrong)
    with pytest.raises(ValueError, match="65535"):
        encode_jpeg(np.zeros((1, 65_536), np.uint8))


def test_reading_a_stack_may_begin_later(tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", np.arange(48, dtype=np.uint8).reshape(3, 4, 4), photometric="minisblack")
    whole = list(read_stack(tmp_path / "stack.tif"))
    later = list(read_stack(tmp_path / "stack.tif", first=2))
    assert [image.hash for image in later] == [image.hash for image in whole[1:]]
    assert [image.metadata for image in later] == [image.metadata for image in whole[1:]]
