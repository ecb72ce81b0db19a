"""Images that are compressed inside a TIFF: the right pixels, and nothing unfolds into more than it claims."""

import struct
import tracemalloc

import imagecodecs
import numpy as np
import pytest

from segmentation.io import headers
from segmentation.io.limits import ImageError
from segmentation.io.read import read_image
from tests.support.imagefiles import bare_tiff, grey_tiff_tags, tiff_bytes

RNG = np.random.default_rng(5)
GREY = RNG.integers(0, 255, (64, 80), dtype=np.uint8)
RGB = RNG.integers(0, 255, (64, 80, 3), dtype=np.uint8)
PIXELS = {
    "grey": (GREY, {}),
    "grey-16": (GREY.astype(np.uint16) * 257, {}),
    "rgb": (RGB, {"photometric": "rgb"}),
    "float": (GREY.astype(np.float32) / 256, {}),
}
KINDS = {
    "jpeg2000": ("grey", "grey-16", "rgb"),
    "lzma": ("grey", "grey-16", "rgb", "float"),
    "lerc": ("grey", "grey-16", "rgb", "float"),
    "png": ("grey", "grey-16", "rgb"),
    "webp": ("rgb",),
    "jpegxl": ("grey", "grey-16", "rgb", "float"),
}
LOSSLESS = {"webp": {"lossless": True, "level": -1}, "jpegxl": {"lossless": True}}


@pytest.mark.parametrize("tile", [None, (32, 32)])
@pytest.mark.parametrize(("compression", "kind"), [(name, kind) for name, kinds in KINDS.items() for kind in kinds])
def test_pixels_are_those_that_were_compressed(compression, kind, tile):
    pixels, options = PIXELS[kind]
    arguments = {"compressionargs": LOSSLESS[compression]} if compression in LOSSLESS else {}
    data = tiff_bytes(pixels, compression=compression, tile=tile, **options, **arguments)
    read = read_image(data)
    assert read.pixels.dtype == pixels.dtype
    np.testing.assert_array_equal(read.pixels, pixels)


def test_transparency_in_webp_is_left_out():
    pixels = np.dstack([RGB, np.maximum(GREY, 1)])  # what is wholly transparent is no data
    options = {"photometric": "rgb", "extrasamples": ["unassalpha"], "compressionargs": LOSSLESS["webp"]}
    np.testing.assert_array_equal(read_image(tiff_bytes(pixels, compression="webp", **options)).pixels, RGB)


NOTHING = np.zeros((9000, 9000), np.uint8)
BOMBS = {
    34712: lambda: imagecodecs.jpeg2k_encode(NOTHING),
    34925: lambda: imagecodecs.lzma_encode(NOTHING),
    34887: lambda: imagecodecs.lerc_encode(NOTHING),
    34933: lambda: imagecodecs.png_encode(NOTHING),
    50001: lambda: imagecodecs.webp_encode(np.zeros((9000, 9000, 3), np.uint8), lossless=True),
    50002: lambda: imagecodecs.jpegxl_encode(NOTHING, effort=1),
}


@pytest.mark.slow
@pytest.mark.parametrize("compression", BOMBS)
def test_bombs_stop_at_the_size_they_claim(compression):
    bomb = BOMBS[compression]()
    data = bare_tiff(grey_tiff_tags(100, 100, compression, len(bomb)), bomb)
    tracemalloc.start()
    try:
        if compression == 34925:  # the decoder stops where it is told to
            assert not read_image(data).pixels.any()
        else:
            with pytest.raises(ImageError, match="claims more than it holds"):
                read_image(data)
        assert tracemalloc.get_traced_memory()[1] < 10 * len(bomb) + 2e6
    finally:
        tracemalloc.stop()


def test_bombs_of_channels_are_refused_too():
    many = imagecodecs.lerc_encode(np.zeros((100, 100), np.uint8)) * 5000
    with pytest.raises(ImageError, match="claims more than it holds"):
        read_image(bare_tiff(grey_tiff_tags(100, 100, 34887, len(many)), many))
    film = imagecodecs.jpegxl_encode(np.zeros((5, 100, 100, 3), np.uint8))
    with pytest.raises(ImageError, match="animation"):
        read_image(bare_tiff(grey_tiff_tags(100, 100, 50002, len(film)), film))
    tiles = bytearray(imagecodecs.jpeg2k_encode(np.zeros((100, 100), np.uint8), codecformat="j2k"))
    tiles[24:32] = struct.pack(">II", 1, 1)
    with pytest.raises(ImageError, match="JPEG 2000 image in the file is damaged"):
        read_image(bare_tiff(grey_tiff_tags(100, 100, 34712, len(tiles)), bytes(tiles)))


SIZES = [(1, 1), (7, 13), (64, 80), (300, 1000), (9000, 12), (256, 512), (100, 1500), (1024, 1024)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("container", [False, True])
def test_sizes_in_the_headers_of_jpeg_xl_and_jpeg_2000(size, container):
    for dtype in (np.uint8, np.uint16, np.float32):
        for channels in (1, 2, 3, 4):
            pixels = np.zeros((*size, channels), dtype)[..., 0 if channels == 1 else slice(None)]
            data = imagecodecs.jpegxl_encode(pixels, effort=1, usecontainer=container)
            assert headers.jpeg_xl_size(data) == (*size, 3 + (channels in (2, 4)))
    jp2 = imagecodecs.jpeg2k_encode(np.zeros((*size, 3), np.uint8), codecformat="jp2" if container else "j2k")
    assert headers.jpeg_2000_size(jp2) == (*size, 3)


@pytest.mark.parametrize("read", ["jpeg_xl_size", "jpeg_2000_size", "lerc_size", "webp_size", "png_size"])
def test_headers_that_are_cut_off_or_missing_are_refused(read):
    size_of = getattr(headers, read)
    encode = {
        "jpeg_xl_size": imagecodecs.jpegxl_encode,
        "jpeg_2000_size": imagecodecs.jpeg2k_encode,
        "lerc_size": imagecodecs.lerc_encode,
        "webp_size": imagecodecs.webp_encode,
        "png_size": imagecodecs.png_encode,
    }[read]
    whole = encode(RGB)
    assert size_of(whole)[:2] == (64, 80)
    for end in range(4):
        with pytest.raises((ImageError, struct.error, IndexError)):
            size_of(whole[:end])
    with pytest.raises((ImageError, struct.error, KeyError)):
        size_of(bytes(200))
