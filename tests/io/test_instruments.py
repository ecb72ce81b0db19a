"""Files of microscopes and clinics give the pixels that are in them, plane by plane, or a sentence."""

import io
import random
import sys
from contextlib import suppress
from pathlib import Path

import h5py
import imagecodecs
import numpy as np
import pytest

from segmentation.io import formats
from segmentation.io.limits import ImageError, PageError
from segmentation.io.read import read_image, read_pages, read_stack
from tests.support.damaged import damaged
from tests.support.instrument_files import dicom_bytes, hdf5_bytes, lif_bytes, nd2_bytes, nifti_bytes

DATA = Path("tests/data")
RNG = np.random.default_rng(3)
STACK = RNG.integers(0, 4000, (3, 9, 13, 2), dtype=np.uint16)  # planes, rows, columns, channels
GREY = STACK[..., 0]
RGB = RNG.integers(0, 255, (1, 10, 14, 3), dtype=np.uint8)
JPEG_SYNTAX = "1.2.840.10008.1.2.4."

FILES = {
    "hdf5": hdf5_bytes({"exported_data": (STACK, "zyxc", (2.0, 0.5, 0.25))}),
    "nifti": nifti_bytes(np.ascontiguousarray(GREY.transpose(2, 1, 0)), (0.5, 0.75, 2)),
    "nifti-gz": nifti_bytes(np.ascontiguousarray(GREY.transpose(2, 1, 0)), (0.5, 0.75, 2), packed=True),
    "dicom": dicom_bytes(GREY, PixelSpacing=[0.75, 0.5], SpacingBetweenSlices=2),
    "dicom-lossless-jpeg": dicom_bytes(
        GREY, f"{JPEG_SYNTAX}70", [imagecodecs.ljpeg_encode(frame, bitspersample=16) for frame in GREY]
    ),
    "dicom-jpeg-ls": dicom_bytes(GREY, f"{JPEG_SYNTAX}80", [imagecodecs.jpegls_encode(frame) for frame in GREY]),
    "dicom-jpeg-2000": dicom_bytes(
        GREY, f"{JPEG_SYNTAX}90", [imagecodecs.jpeg2k_encode(frame, codecformat="j2k") for frame in GREY]
    ),
    "lif": lif_bytes(np.ascontiguousarray(STACK.transpose(0, 3, 1, 2)), (2.0, 0.75, 0.5), ["Green", "Red"]),
    "nd2": nd2_bytes(STACK, (0.5, 2.0), ["DAPI", "GFP"]),
}


def planes(content):
    return [image.pixels for image in read_stack(content)]


@pytest.mark.parametrize("kind", FILES)
def test_the_planes_of_a_stack_have_the_pixels_of_the_file(kind):
    expected = STACK if kind in ("hdf5", "lif", "nd2") else GREY
    read = planes(FILES[kind])
    np.testing.assert_array_equal(np.stack(read), expected)
    assert read[0].dtype == expected.dtype
    (second,) = [image for image in read_stack(FILES[kind], first=2) if image.metadata["page"] == 2]
    np.testing.assert_array_equal(second.pixels, expected[1])
    assert second.place == {"z": 2}


SIZES = {
    "hdf5": {"x": 0.25, "y": 0.5, "z": 2.0, "unit": "µm"},
    "nifti": {"x": 0.5, "y": 0.75, "z": 2.0, "unit": "mm"},
    "dicom": {"x": 0.5, "y": 0.75, "z": 2.0, "unit": "mm"},
    "lif": {"x": 0.5, "y": 0.75, "z": 2.0, "unit": "µm"},
    "nd2": {"x": 0.5, "y": 0.5, "z": 2.0, "unit": "µm"},
}


@pytest.mark.parametrize("kind", SIZES)
def test_the_size_of_pixels_and_the_names_of_channels_are_those_of_the_file(kind):
    image = read_image(FILES[kind])
    assert image.pixel_size.to_json() == SIZES[kind]
    names = {"lif": ("Green", "Red"), "nd2": ("DAPI", "GFP")}
    assert image.channel_names == names.get(kind, tuple(f"channel {n + 1}" for n in range(image.channels)))
    assert image.metadata["notes"][-1] == "This is the first of 3 images in the file."


def test_a_czi_that_zeiss_library_wrote_is_laid_together_from_its_tiles():
    """Compressed by Zstandard, with bytes packed; two tiles a plane (see tests/data/README.md)."""
    images = list(read_stack(DATA / "two_channels.czi"))
    for z, image in enumerate(images):
        first = np.arange(20 * 30).reshape(20, 30) + 1000 * z
        np.testing.assert_array_equal(image.pixels, np.dstack([first, first + 5000]))
        assert image.pixels.dtype == np.uint16
        assert image.place == {"z": z + 1}
    assert images[0].pixel_size.to_json() == {"x": 0.2, "y": 0.3, "z": 1.0, "unit": "µm"}
    assert images[0].channel_names == ("nuclei", "membranes")


def test_where_a_czi_has_no_tile_there_is_no_data():
    image = read_image(DATA / "two_tiles.czi")
    assert image.metadata["colour"]
    assert image.shape == (16, 36)
    covered = np.zeros(image.shape, bool)
    covered[:12, :18] = covered[4:16, 30:] = True
    np.testing.assert_array_equal(image.no_data, ~covered)
    np.testing.assert_array_equal(image.pixels[:12, :18, 2], 1)
    np.testing.assert_array_equal(image.pixels[3, :18, 1], np.arange(18))
    np.testing.assert_array_equal(image.pixels[4:16, 33, 0], 200 + np.arange(12))


def test_values_are_scaled_as_clinics_say():
    slices = RNG.integers(0, 4096, (2, 5, 6), dtype=np.uint16)
    image = read_image(dicom_bytes(slices, RescaleSlope=1, RescaleIntercept=-1024, BitsStored=12, HighBit=11))
    np.testing.assert_array_equal(image.pixels, slices[0].astype(np.int16) - 1024)
    assert image.pixels.dtype == np.int16
    volume = RNG.integers(-5, 5, (6, 5, 2), dtype=np.int16)
    image = read_image(nifti_bytes(volume, (1, 1, 1), slope=0.5, inter=3.0))
    np.testing.assert_array_equal(image.pixels, volume[..., 0].T * np.float32(0.5) + 3)


def test_colours_of_dicom_are_colours():
    for content in (
        dicom_bytes(RGB),
        dicom_bytes(RGB, f"{JPEG_SYNTAX}90", [imagecodecs.jpeg2k_encode(RGB[0], codecformat="j2k")]),
    ):
        image = read_image(content)
        np.testing.assert_array_equal(image.pixels, RGB[0])
        assert image.metadata["colour"]


def test_of_several_arrays_that_of_ilastik_is_read_else_each_is_an_image():
    other = RNG.random((4, 5)).astype(np.float32)
    both = hdf5_bytes({"exported_data": (GREY, "zyx", None), "else/where": (other, None, None)})
    assert len(planes(both)) == 3
    images = list(read_stack(hdf5_bytes({"a": (other, None, None), "b": (other + 1, None, None)})))
    np.testing.assert_array_equal([image.pixels for image in images], [other, other + 1])
    assert images[1].place == {}
    guessed = read_image(hdf5_bytes({"a": (GREY, None, None)}))
    assert any("taken for z, y, x" in note for note in guessed.metadata["notes"])


def with_external_link():
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened["image"] = h5py.ExternalLink("/etc/hostname", "/data")
        opened["soft"] = h5py.SoftLink("/nowhere")
    return file.getvalue()


def with_pixels_elsewhere():
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened.create_dataset("image", (8, 8), "u1", external=[("/etc/passwd", 0, 64)])
    return file.getvalue()


def with_virtual_pixels():
    file = io.BytesIO()
    layout = h5py.VirtualLayout((8, 8), "u1")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (8, 8))
    with h5py.File(file, "w") as opened:
        opened.create_virtual_dataset("image", layout)
    return file.getvalue()


def of_objects():
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened.create_dataset("image", (8, 8), h5py.string_dtype())
    return file.getvalue()


def huge(shape, chunks):
    file = io.BytesIO()
    with h5py.File(file, "w") as opened:
        opened.create_dataset("image", shape, "u1", chunks=chunks)
    return file.getvalue()


def lying(content, old, new):
    assert content.count(old) == 1
    return content.replace(old, new)


REFUSED = {
    "hdf5-link": (with_external_link(), "no array of numbers"),
    "hdf5-external": (with_pixels_elsewhere(), "from other files"),
    "hdf5-virtual": (with_virtual_pixels(), "from other files"),
    "hdf5-objects": (of_objects(), "no array of numbers"),
    "hdf5-terapixels": (huge((10**6, 10**6), (64, 64)), "megapixels"),
    "hdf5-huge-chunks": (huge((2**16, 2**16), (2**15, 2**15)), "chunks of an absurd size"),
    "hdf5-planes": (huge((10**6, 8, 8), (1, 8, 8)), "more than 65536 planes"),
    "hdf5-complex": (hdf5_bytes({"a": (GREY.astype(np.complex64), "zyx", None)}), "no array of numbers"),
    "hdf5-axes": (hdf5_bytes({"a": (GREY, "zyq", None)}), "axes of the array /a are z, y, q"),
    "dicom-deflated": (dicom_bytes(GREY, "1.2.840.10008.1.2.1.99"), "compressed as a whole"),
    "dicom-unknown": (lying(dicom_bytes(GREY), b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.8\0"), "rare way"),
    "dicom-directory": (dicom_bytes(GREY)[:400], "DICOM"),
    "dicom-slide": (dicom_bytes(GREY, TotalPixelMatrixColumns=9999), "slide cut into tiles"),
    "dicom-lossy-size": (
        dicom_bytes(GREY, f"{JPEG_SYNTAX}80", [imagecodecs.jpegls_encode(np.zeros((500, 700), np.uint16))] * 3),
        "not as large as it says",
    ),
    "nifti-incomplete": (FILES["nifti"][:-100], "some of its pixels are missing"),
    "nd2-incomplete": (FILES["nd2"][:-300], "damaged, incomplete"),
    "lif-without-pixels": (FILES["lif"][:-2000], "LIF file"),
    "czi-incomplete": ((DATA / "two_channels.czi").read_bytes()[:600], "CZI file"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_lies_or_leads_elsewhere_is_refused_with_a_sentence(kind):
    content, words = REFUSED[kind]
    with pytest.raises(ImageError, match=words):
        read_image(content)


def test_a_plane_that_is_missing_is_said_and_the_others_are_read():
    before, name, behind = FILES["nd2"].rpartition(b"ImageDataSeq|1!")  # in the map of the file
    content = before + name.replace(b"1", b"7") + behind
    first, second, third = read_pages(content)
    assert isinstance(second, PageError)
    assert "pixels are missing" in str(second)
    np.testing.assert_array_equal([first.pixels, third.pixels], STACK[[0, 2]])
    *whole, last = read_pages(FILES["lif"][:-300])
    np.testing.assert_array_equal([image.pixels for image in whole], STACK[:2])
    assert isinstance(last, PageError)


@pytest.mark.parametrize("kind", [*FILES, "czi"])
def test_without_its_reader_a_file_says_how_to_get_it(kind, monkeypatch):
    content = (DATA / "two_channels.czi").read_bytes() if kind == "czi" else FILES[kind]
    name = formats.image_format(content[: formats.HEAD], content[-formats.TAIL :]).lower()
    monkeypatch.setitem(sys.modules, f"segmentation.io.instruments.{name}", None)
    with pytest.raises(ImageError, match=r"pip install squiggle\[formats\]"):
        read_image(content)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [*FILES, "czi"])
def test_damaged_files_give_an_image_or_a_sentence(kind):
    chance = random.Random(kind)
    whole = (DATA / "two_channels.czi").read_bytes() if kind == "czi" else FILES[kind]
    for _ in range(60):
        with suppress(ImageError):
            for image in read_pages(damaged(whole, chance), max_pixels=10**6):
                assert isinstance(image, PageError) or image.pixels.size <= 10**6 * 32
