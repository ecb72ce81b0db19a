"""What is no image that can be opened is refused with a sentence; mutated files are read or refused."""

import io
import logging
import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from segmentation.io.display import display_pixels
from segmentation.io.image import image_from_pixels
from segmentation.io.limits import MAX_CHANNELS, ImageError
from segmentation.io.read import read_image, read_stack
from tests.support.imagefiles import PNG_MAGIC, bare_tiff, grey_tiff_tags, pillow_bytes, png_chunk, tiff_bytes
from tests.support.lossless_files import GREY, LOSSLESS, RGB


def png_claiming(columns, rows):
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0))
    return PNG_MAGIC + header + png_chunk(b"IDAT", zlib.compress(bytes(1000))) + png_chunk(b"IEND", b"")


def circle_of_pages(pages):
    entry = struct.pack("<HHIIHHII", 256, 4, 1, 5, 257, 4, 1, 5)
    size = 2 + len(entry) + 4
    chain = [struct.pack("<H", 2) + entry + struct.pack("<I", 8 + (i + 1) % pages * size) for i in range(pages)]
    return b"II*\0" + struct.pack("<I", 8) + b"".join(chain)


ZIP = b"PK\x05\x06" + bytes(18)

REFUSED = {
    "empty": (b"", "empty"),
    "svg": (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
    "svg-utf-16": ("<svg/>".encode("utf-16"), "SVG drawing"),
    "html": (b"\n <!DOCTYPE html><html></html>", "web page"),
    "pdf": (b"%PDF-1.7 ...", "PDF document"),
    "zip": (b"PK\x03\x04" + bytes(40), "ZIP archive"),
    "gif": (pillow_bytes(GREY, "GIF"), "GIF"),
    "heic": (b"\0\0\0\x18ftypheic" + bytes(40), "HEIC"),
    "jpeg-2000": (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    "czi": (b"ZISRAWFILE" + bytes(40), "CZI file is damaged"),
    "dicom": (bytes(128) + b"DICM" + bytes(40), "DICOM"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "HDF5"),
    "text": (b"sepal,petal\n1,2\n", "not an image"),
    "pickle": (b"\x80\x04K\x01.", "not an image"),
    "film": (b"RIFF\0\0\0\0AVI LIST", "film"),
    "png-and-zip": (pillow_bytes(GREY, "PNG") + ZIP, "at once"),
    "png-and-pdf": (PNG_MAGIC + b"%PDF-1.7" + pillow_bytes(GREY, "PNG"), "at once"),
    "animation": (
        pillow_bytes(GREY, "WEBP", save_all=True, append_images=[PillowImage.fromarray(255 - GREY)]),
        "animation",
    ),
    "complex": (tiff_bytes(GREY.astype(np.complex64)), "cannot be read"),
    "too-many-channels": (
        tiff_bytes(np.dstack([GREY] * 33), photometric="minisblack", planarconfig="contig"),
        "33 channels",
    ),
    "jpeg-xr-in-tiff": (tiff_bytes(RGB, compression="jpegxr", photometric="rgb"), "compressed in a rare way"),
    "lab": (tiff_bytes(RGB, photometric="cielab"), "colours in a rare way"),
    "volume": (tiff_bytes(np.zeros((16, 16, 16), np.uint8), volumetric=True, tile=(16, 16, 16)), "volumes"),
    "png-of-gigapixels": (png_claiming(60_000, 60_000), "3600.0 megapixels"),
    "png-without-pixels": (png_claiming(0, 5), "no pixels"),
    "tiff-of-terapixels": (bare_tiff(grey_tiff_tags(2**31 - 1, 2**31 - 1, 1, 100), bytes(100)), "megapixels"),
    "tiff-without-pixels": (bare_tiff(grey_tiff_tags(0, 10, 1, 100), bytes(100)), "no pixels"),
    "tiff-in-a-circle": (circle_of_pages(300), "circle"),
    "tiff-with-too-many-pages": (circle_of_pages(70_000), "more than 65536 pages"),
    "tiff-claiming-one-text-often": (
        bare_tiff([(270, 2, 10**6, 8)] * 4000 + grey_tiff_tags(10, 10, 1, 100), bytes(10**6)),
        "claims more",
    ),
    "tiff-beyond-its-end": (
        bare_tiff(grey_tiff_tags(10, 10, 1, 10**6), bytes(100)),
        "pixels are missing: copy it again",
    ),
    "tiff-with-empty-strip": (bare_tiff(grey_tiff_tags(10, 10, 8, 0), bytes(100)), "pixels are missing: copy it again"),
    "tiff-with-huge-tiles": (
        bare_tiff(
            [
                *(tag for tag in grey_tiff_tags(10, 10, 8, 100) if tag[0] not in (273, 278, 279)),
                *((322, 4, 1, 2**30), (323, 4, 1, 2**30), (324, 4, 1, 8), (325, 4, 1, 100)),
            ],
            bytes(100),
        ),
        "absurd size",
    ),
    "bmp-of-terapixels": (
        b"BM" + struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, 2**31 - 1, 2**31 - 1, 1, 24, *[0] * 6),
        "megapixels",
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if "too-many-pages" in name else name for name in REFUSED]
)
def test_refused_with_one_sentence(name, caplog, capfd):
    data, words = REFUSED[name]
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match=words) as caught:
            read_image(data, name="innocent.png")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 200
    assert peak < 50e6
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_compressed_bombs_stop_at_the_size_they_claim():
    nothing = bytes(10**8)
    bombs = {8: zlib.compress(nothing, 9), 50000: imagecodecs.zstd_encode(nothing)}
    bombs[7] = pillow_bytes(PillowImage.new("L", (9000, 9000)), "JPEG")
    del nothing
    for compression, bomb in bombs.items():
        data = bare_tiff(grey_tiff_tags(100, 100, compression, len(bomb)), bomb)
        tracemalloc.start()
        try:
            with pytest.raises(ImageError, match="damaged"):
                read_image(data)
            assert tracemalloc.get_traced_memory()[1] < 10 * len(bomb) + 2e6
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF"])
def test_limits_come_before_decoding(kind):
    data = pillow_bytes(RGB, kind)
    assert read_image(data, max_pixels=30 * 43, max_bytes=len(data)).shape == (30, 43)
    with pytest.raises(ImageError, match=r"43 x 30 pixels .* megapixels are allowed"):
        read_image(data, max_pixels=30 * 43 - 1)
    for source in (data, io.BytesIO(data)):
        with pytest.raises(ImageError, match=r"only .* MB are allowed"):
            read_image(source, max_bytes=len(data) - 1)
    undecodable = data[: len(data) // 2]
    if kind not in ("TIFF", "BMP"):
        with pytest.raises(ImageError, match="megapixels are allowed"):
            read_image(undecodable, max_pixels=100)


def test_values_per_pixel_are_limited():
    data = tiff_bytes(np.zeros((100, 100, 20), np.float32), photometric="minisblack", planarconfig="contig")
    with pytest.raises(ImageError, match="GB of values"):
        read_image(data, max_pixels=10_000)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((0, 5), np.uint8), "no pixels"),
        (np.zeros((5, 5, 0), np.uint8), "no pixels"),
        (np.zeros(5, np.uint8), "1 dimensions"),
        (np.zeros((2, 5, 5, 3), np.uint8), "4 dimensions"),
        (np.zeros((5, 5, MAX_CHANNELS + 1), np.uint8), "33 channels"),
        (np.array([["a", "b"]]), "type <U1"),
        (np.array([[None]]), "type object"),
        (np.zeros((5, 5), np.complex64), "complex64"),
        ([[1, 2], [3]], "as many columns in each row"),
    ],
)
def test_impossible_arrays(given, words):
    with pytest.raises(ImageError, match=words):
        image_from_pixels(given)


def test_files_that_cannot_be_opened(tmp_path):
    for path in (tmp_path / "missing.png", tmp_path, "bad\0name.png"):
        with pytest.raises(ImageError, match="cannot be opened"):
            read_image(path)


def test_file_is_closed_when_reading_ends(tmp_path):
    path = tmp_path / "stack.tif"
    path.write_bytes(tiff_bytes(np.stack([GREY, GREY]), photometric="minisblack"))
    images = read_stack(path)
    next(images)
    images.close()  # an open file would be a ResourceWarning, and warnings are errors
    path.write_bytes(b"II*\0damaged")
    with pytest.raises(ImageError, match="damaged"):
        read_image(path)


def test_other_users_of_tifffile_still_hear_from_it(caplog):
    read_image(LOSSLESS["tiff-rgba"][0])
    with caplog.at_level(logging.WARNING):
        logging.getLogger("tifffile").warning("heard")
    assert "heard" in caplog.text


MUTATED = {
    **{name: data for name, (data, _) in LOSSLESS.items()},
    "jpeg": pillow_bytes(RGB, "JPEG"),
    "jpeg-progressive": pillow_bytes(RGB, "JPEG", progressive=True),
    "webp-lossy": pillow_bytes(RGB, "WEBP"),
    "palette": pillow_bytes(PillowImage.fromarray(RGB).quantize(16), "PNG"),
    "bmp-palette": pillow_bytes(PillowImage.fromarray(RGB).quantize(16), "BMP"),
    "tiff-palette": pillow_bytes(PillowImage.fromarray(RGB).quantize(16), "TIFF"),
    "imagej": tiff_bytes(np.zeros((2, 3, 20, 24), np.uint8), imagej=True, metadata={"axes": "ZCYX"}),
    "imagej-one-directory": tiff_bytes(
        np.zeros((2, 3, 20, 24), np.uint8), imagej=True, truncate=True, metadata={"axes": "ZCYX"}
    ),
    "ome": tiff_bytes(np.zeros((2, 3, 20, 24), np.uint8), ome=True, metadata={"axes": "ZCYX"}),
    **{
        f"tiff-{compression}-{tile}": tiff_bytes(RGB, compression=compression, tile=tile, photometric="rgb")
        for compression in (
            *(None, "lzw", "zlib", "packbits", "zstd", "jpeg"),
            *("lzma", "jpeg2000", "lerc", "webp", "png", "jpegxl"),
        )
        for tile in (None, (16, 16))
    },
}

SPLICES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\1\0", b"\1\0\0\0\0\0\0\0"]),
)

PLACES = st.one_of(st.integers(0, 400), st.integers(0, 10**6), st.integers(-400, -1))

EDITS = st.lists(st.tuples(PLACES, SPLICES, st.booleans()), max_size=6)


@pytest.mark.slow
@settings(max_examples=1500, deadline=None)
@given(name=st.sampled_from(sorted(MUTATED)), edits=EDITS, cut=st.one_of(st.none(), st.integers(0, 10**6)))
def test_mutated_files_are_read_or_refused(name, edits, cut):
    data = bytearray(MUTATED[name])
    for place, splice, insert in edits:
        at = place % len(data)
        data[at : at + (0 if insert else len(splice))] = splice
    if cut is not None:
        del data[cut % len(data) :]
    try:
        images = list(read_stack(bytes(data), max_pixels=200_000))
    except ImageError:
        return
    for image in images:
        assert display_pixels(image).shape == (*image.shape, 3)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200), st.sampled_from([b"", PNG_MAGIC, b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0+", b"RIFF"]))
def test_noise_is_refused(noise, magic):
    with pytest.raises(ImageError):
        read_image(magic + noise)


def test_truncated_files_are_refused_wherever_they_are_cut():
    for name in ("png-rgb", "bmp-rgb", "webp", "tiff-planar"):
        data, _ = LOSSLESS[name]
        for end in range(0, len(data) - 12, 97):
            with pytest.raises(ImageError):
                read_image(data[:end])
