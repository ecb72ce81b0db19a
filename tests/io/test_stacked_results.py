"""Results of stacks say along which axes their pages lie, and how large their pixels are, as other programs read it."""

import io

import numpy as np
import pytest
import tifffile

from segmentation.io.export import label_pages, probability_pages
from segmentation.io.image import image_from_pixels
from segmentation.io.ome_classes import ome_tiff
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_stack
from segmentation.strokes.classes import LabelClass
from tests.support.imagefiles import tiff_bytes

PLANES = np.arange(6 * 12 * 17, dtype=np.uint16).reshape(6, 12, 17)
CLASSES = [LabelClass(1, "void", "#e69f00"), LabelClass(2, "Größe <2>", "#0072b2")]
IDS = (PLANES % 3).astype(np.uint8)
TYPED = PixelSize(0.3, 0.4, "µm", 2.5)


def ome(pixels, axes):
    file = io.BytesIO()
    with tifffile.TiffWriter(file, ome=True) as writer:
        writer.write(pixels, photometric="minisblack", metadata={"axes": axes})
    return file.getvalue()


def plain():
    return tiff_bytes(PLANES, metadata=None)


STACKS = {
    "plain": (plain, "ZYX", "ImageJ", {"z": 6, "t": 1}),
    "t of ImageJ": (lambda: tiff_bytes(PLANES, imagej=True, metadata={"axes": "TYX"}), "TYX", "ImageJ", {"t": 6}),
    "t of OME": (lambda: ome(PLANES, "TYX"), "TYX", "OME", {"t": 6}),
    "z and t of OME": (lambda: ome(PLANES.reshape(3, 2, 12, 17), "ZTYX"), "ZTYX", "OME", {"z": 3, "t": 2}),
}


def written(first, count=len(PLANES)):
    file = io.BytesIO()
    with label_pages(file, CLASSES, like=first, images=count) as pages:
        for ids in IDS:
            pages.add(ids, "class ids")
    return file.getvalue()


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("size", [None, TYPED], ids=["no size", "typed"])
def test_axes_and_the_size_that_was_typed_come_back(name, size):
    make, axes, program, lengths = STACKS[name]
    first = next(read_stack(make())).with_pixel_size(size)
    content = written(first)
    with tifffile.TiffFile(io.BytesIO(content)) as tiff:
        assert (tiff.series[0].axes, tiff.is_imagej, tiff.is_ome) == (axes, program == "ImageJ", program == "OME")
        np.testing.assert_array_equal(tiff.series[0].asarray().reshape(IDS.shape), IDS)
        if size is not None and program == "ImageJ":
            assert tiff.imagej_metadata["spacing"] == TYPED.z
            assert tiff.imagej_metadata["unit"] == "\\u00B5m"
            assert tiff.pages.first.resolution == pytest.approx((1 / TYPED.x, 1 / TYPED.y), rel=1e-6)
        if size is not None and program == "OME":
            assert 'PhysicalSizeZ="2.5" PhysicalSizeZUnit="&#181;m"' in tiff.ome_metadata
    again = list(read_stack(content))
    assert [one.pixel_size for one in again] == [size] * 6
    told = {axis: length for axis, length in again[0].metadata["stack"] if length > 1}
    assert told == {axis: length for axis, length in lengths.items() if length > 1}
    np.testing.assert_array_equal(np.stack([one.pixels for one in again]), IDS)


def test_pages_of_probabilities_are_channels_of_the_planes():
    file = io.BytesIO()
    first = next(read_stack(plain())).with_pixel_size(TYPED)
    with probability_pages(file, ["void", "grain"], like=first, images=6) as pages:
        for number in range(12):
            pages.add(np.full((12, 17), number, np.float32), "page")
    with tifffile.TiffFile(io.BytesIO(file.getvalue())) as tiff:
        assert (tiff.series[0].axes, tiff.series[0].shape) == ("ZCYX", (6, 2, 12, 17))
        assert tiff.imagej_metadata["spacing"] == TYPED.z
        assert (tiff.series[0].asarray()[3, 1] == 7).all()


def test_images_that_were_made_a_stack_lie_along_its_axis():
    first = image_from_pixels(PLANES[0]).with_pixel_size(TYPED).in_stack([("t", 6)])
    with tifffile.TiffFile(io.BytesIO(written(first))) as tiff:
        assert tiff.series[0].axes == "TYX"


def test_images_that_are_not_alike_stay_pages():
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        for image in (PLANES[0], PLANES[1, ::2]):
            writer.write(image, photometric="minisblack", metadata=None)
    first = next(read_stack(file.getvalue()))
    with tifffile.TiffFile(io.BytesIO(written(first, 2))) as tiff:
        assert not tiff.is_imagej


@pytest.mark.parametrize("name", STACKS)
def test_class_ids_as_ome_tiff_lie_along_the_axes_of_the_stack(name):
    make, axes, _, _ = STACKS[name]
    like = next(read_stack(make())).with_pixel_size(TYPED)
    with tifffile.TiffFile(io.BytesIO(ome_tiff(list(IDS), CLASSES, like=like))) as tiff:
        assert tiff.series[0].axes == axes
        assert 'PhysicalSizeZ="2.5" PhysicalSizeZUnit="&#181;m"' in tiff.ome_metadata


def test_a_size_in_degrees_is_none_that_ome_knows():
    first = next(read_stack(ome(PLANES, "TYX"))).with_pixel_size(PixelSize(1, 1, "°"))
    with tifffile.TiffFile(io.BytesIO(written(first))) as tiff:
        assert "PhysicalSize" not in tiff.ome_metadata
