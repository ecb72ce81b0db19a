"""Class ids of a tiled OME-TIFF go home as zipped OME-Zarr of either version, tile by tile."""

import io
import zipfile

import numpy as np
import pytest
import zarr
from zarr.storage import ZipStore

from segmentation.io import ome_classes, zarr_zip
from segmentation.io.image import Image
from segmentation.io.ome_classes import write_ome_pyramid
from segmentation.io.pixel_size import PixelSize
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.io.zarr_zip import FOLDER, zipped_classes
from segmentation.strokes.classes import LabelClass

CLASSES = LabelClass(1, "Pore", "#ff0000"), LabelClass(7, "Grain", "#00ff00")


@pytest.fixture
def ids():
    ids = np.random.default_rng(0).choice(np.array([0, 1, 7], np.uint8), (700, 1100))
    ids[:520, :520] = 0
    return ids


@pytest.fixture
def tiff(ids):
    file = io.BytesIO()
    like = Image(np.zeros((1, 1), np.uint8), {})
    write_ome_pyramid(file, ids.shape, 1, lambda _, n, w: ids[:: 2**n, :: 2**n][w.rows, w.columns], CLASSES, like=like)
    return file


@pytest.mark.parametrize("version", ["0.5", "0.4"])
def test_all_levels_classes_and_the_pixel_size_are_there(version, ids, tiff, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(b"".join(zipped_classes(tiff, CLASSES, PixelSize(0.5, 0.25, "µm"), version)))
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == ("zarr.json" if version == "0.5" else f"{FOLDER}.zattrs")
    group = zarr.open_group(ZipStore(path), mode="r", path=None if version == "0.5" else FOLDER.strip("/"))
    for number in range(3):
        assert np.array_equal(group[str(number)][:], ids[:: 2**number, :: 2**number])
    about = group.attrs.asdict().get("ome", group.attrs.asdict())
    assert [one["class"] for one in about["image-label"]["properties"]] == ["Pore", "Grain"]
    opened = open_pyramid_file(path, "a.zip")
    assert [level.shape for level in opened.levels] == [(700, 1100), (350, 550), (175, 275)]
    assert opened.pixel_size == PixelSize(0.5, 0.25, "µm")


def test_it_comes_in_parts(tiff, monkeypatch):
    whole = b"".join(zipped_classes(tiff, CLASSES, None, "0.5"))
    monkeypatch.setattr(zarr_zip, "PART_BYTES", 1000)
    parts = list(zipped_classes(tiff, CLASSES, None, "0.5"))
    assert len(parts) > 3
    assert b"".join(parts) == whole
    assert max(map(len, parts)) < ome_classes.TILE_SIDE**2
