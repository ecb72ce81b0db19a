"""Image files in memory, also such as no program would write."""

import io
import struct
import zlib

import tifffile
from PIL import Image as PillowImage

from segmentation.io.masks import read_masks


def pillow_bytes(pixels, kind, mode=None, **options):
    image = pixels if isinstance(pixels, PillowImage.Image) else PillowImage.fromarray(pixels)
    file = io.BytesIO()
    (image.convert(mode) if mode else image).save(file, kind, **options)
    return file.getvalue()


def read_mask(path, values=None):
    """The class ids of a file that holds a single mask."""
    (mask,) = read_masks(path, values)
    return mask.pixels


def tiff_bytes(pixels, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def tiff_with_broken_page(pages, number):
    """A stack of grey pages, one of which, counted from 0, is damaged."""
    data = bytearray(tiff_bytes(pages, photometric="minisblack", compression="zlib"))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        start = tiff.pages[number].dataoffsets[0]
    data[start : start + 8] = b"\xff" * 8
    return bytes(data)


def bare_tiff(tags, data, next_page=0):
    """A little-endian TIFF with one directory, its data at byte 8."""
    directory = b"".join(
        struct.pack("<HHI", tag, kind, count) + struct.pack("<I", value) for tag, kind, count, value in sorted(tags)
    )
    start = struct.pack("<I", 8 + len(data))
    return b"II*\0" + start + data + struct.pack("<H", len(tags)) + directory + struct.pack("<I", next_page)


def grey_tiff_tags(columns, rows, compression, size):
    return [
        (256, 4, 1, columns),
        (257, 4, 1, rows),
        (258, 3, 1, 8),
        (259, 3, 1, compression),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (277, 3, 1, 1),
        (278, 4, 1, rows),
        (279, 4, 1, size),
    ]


PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
