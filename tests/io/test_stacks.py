"""Where the images of a stack lie, and what they are called."""

import numpy as np
import pytest
import tifffile

from segmentation.io.read import read_stack
from segmentation.io.shares import shares_table
from segmentation.io.stacks import image_in_words
from tests.support.imagefiles import tiff_bytes

PLANES = np.arange(6 * 4 * 5, dtype=np.uint8).reshape(6, 4, 5)


def called(content):
    return [
        image_in_words("a.tif", one.metadata["page"], one.metadata["pages"], one.place) for one in read_stack(content)
    ]


def test_planes_are_called_by_where_they_lie():
    hyperstack = tiff_bytes(PLANES.reshape(2, 3, 4, 5), imagej=True, metadata={"axes": "TZYX"})
    assert called(hyperstack)[3:5] == ["a.tif, plane z 1, t 2", "a.tif, plane z 2, t 2"]
    assert called(tiff_bytes(PLANES, imagej=True, metadata={"axes": "TYX"}))[4] == "a.tif, plane t 5"
    assert called(tiff_bytes(PLANES, metadata=None))[4] == "a.tif, plane z 5"
    assert called(tiff_bytes(PLANES[0])) == ["a.tif"]


def test_images_that_are_not_alike_are_counted(tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for image in (PLANES[0], PLANES[1, ::2]):
            writer.write(image, photometric="minisblack", metadata=None)
    assert called(tmp_path / "a.tif") == ["a.tif, image 1 of 2", "a.tif, image 2 of 2"]


@pytest.mark.parametrize(
    ("places", "columns"), [([{}, {}], []), ([{"z": 2}, {}], ["z"]), ([{"t": 1, "z": 3}], ["z", "t"])]
)
def test_tables_have_columns_for_the_axes_that_there_are(places, columns):
    pages = [{"rows": 1, "columns": 1, "pixels": {"1": 1}, "place": place} for place in places]
    header, *rows = (line.split(",") for line in shares_table({1: "void"}, [("a.tif", pages)]).splitlines())
    assert header[:-4] == ["image", "page", *columns]
    for row, place in zip(rows, places, strict=True):
        assert row[2 : 2 + len(columns)] == [str(place.get(axis, "")) for axis in columns]
