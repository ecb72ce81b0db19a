"""Image files of every kind that loses nothing, with the pixels that are read from them."""

import imagecodecs
import numpy as np

from tests.support.imagefiles import pillow_bytes, tiff_bytes

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (30, 43, 3), dtype=np.uint8)
GREY = np.ascontiguousarray(RGB[..., 0])
RGB16 = RNG.integers(0, 65536, (30, 43, 3), dtype=np.uint16)
ALPHA = np.full((30, 43, 1), 77, np.uint8)
LOSSLESS = {
    "png-grey": (pillow_bytes(GREY, "PNG"), GREY),
    "png-rgb": (pillow_bytes(RGB, "PNG"), RGB),
    "png-rgb-16": (imagecodecs.png_encode(RGB16), RGB16),
    "png-grey-16": (imagecodecs.png_encode(RGB16[..., 0].copy()), RGB16[..., 0]),
    "png-rgba": (imagecodecs.png_encode(np.dstack([RGB, ALPHA])), RGB),
    "png-rgba-16": (imagecodecs.png_encode(np.dstack([RGB16, RGB16[..., :1]])), RGB16),
    "png-grey-alpha": (imagecodecs.png_encode(np.dstack([GREY, ALPHA])), GREY),
    "png-transparent-colour": (pillow_bytes(RGB, "PNG", transparency=(1, 2, 3)), RGB),
    "png-1-bit": (pillow_bytes(GREY > 99, "PNG"), (GREY > 99).astype(np.uint8)),
    "bmp-rgb": (pillow_bytes(RGB, "BMP"), RGB),
    "bmp-grey": (pillow_bytes(GREY, "BMP"), GREY),
    "bmp-1-bit": (pillow_bytes(GREY > 99, "BMP"), (GREY > 99).astype(np.uint8)),
    "webp": (pillow_bytes(RGB, "WEBP", lossless=True), RGB),
    "webp-alpha": (pillow_bytes(np.dstack([RGB, ALPHA]), "WEBP", lossless=True, exact=True), RGB),
    "tiff-1-bit-group-4": (pillow_bytes(GREY > 99, "TIFF", compression="group4"), (GREY > 99).astype(np.uint8)),
    "tiff-12-bit": (tiff_bytes(RGB16[..., 0] >> 4, bitspersample=12), RGB16[..., 0] >> 4),
    "tiff-big-endian": (tiff_bytes(RGB16.astype(">u2"), byteorder=">", photometric="rgb"), RGB16),
    "tiff-bigtiff": (tiff_bytes(RGB16, bigtiff=True, photometric="rgb"), RGB16),
    "tiff-rgba": (tiff_bytes(np.dstack([RGB, ALPHA]), photometric="rgb", extrasamples=["unassalpha"]), RGB),
    "tiff-near-infrared": (
        tiff_bytes(np.dstack([RGB, ALPHA]), photometric="rgb", extrasamples=["unspecified"]),
        np.dstack([RGB, ALPHA]),
    ),
    "tiff-white-is-zero": (tiff_bytes(GREY, photometric="miniswhite"), 255 - GREY),
    "tiff-two-channels": (tiff_bytes(RGB16[..., :2], photometric="minisblack", planarconfig="contig"), RGB16[..., :2]),
    "tiff-32-channels": (
        tiff_bytes(np.dstack([GREY] * 32), photometric="minisblack", planarconfig="contig"),
        np.dstack([GREY] * 32),
    ),
    "tiff-planar": (tiff_bytes(np.moveaxis(RGB16, 2, 0).copy(), photometric="rgb", planarconfig="separate"), RGB16),
}
