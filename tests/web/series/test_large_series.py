"""Images of a series that are too large to be read whole are segmented block by block, as the command line does it."""

import io

import numpy as np
import pytest
import tifffile
import zarr
from PIL import Image

from segmentation._shared.tiling import whole_window
from segmentation.io import tiff_images
from segmentation.io.pyramid_file import open_pyramid_file
from segmentation.series.run import apply_series
from segmentation.web.settings import Settings
from segmentation.web.store import Limits
from tests.support.files import png
from tests.support.images import scene
from tests.support.series import Series, contents_of, work
from tests.support.wholes import SHAPE

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_blocks")]


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=tmp_path / "data", max_pixels=100_000, max_upload_bytes=5_000_000)


def test_a_series_segments_large_images_as_the_command_line_does(client, ozx, bench, pixels, tmp_path, monkeypatch):
    series = Series(client)
    tifffile.imwrite(tmp_path / "a.tif", pixels, tile=(128, 128), compression="zlib", metadata=None)
    files = {"cells.ozx": ozx, "a.tif": (tmp_path / "a.tif").read_bytes(), "small.png": png(scene(1))}
    for name, content in files.items():
        assert series.add(name, content) == {"added": 1, "refused": []}
    work(bench)
    progress = series.progress
    assert (progress["done"], progress["failed"], progress["under_way"]) == (3, 0, 0)
    results = series.results()
    (tmp_path / "a.squiggle").write_bytes(results["classifier.squiggle"])
    monkeypatch.setattr(tiff_images, "LARGE_PIXELS", 100_000)
    images = [tmp_path / name for name in ("a.tif", "cells.ozx")]
    assert not apply_series(tmp_path / "a.squiggle", images, tmp_path / "out").failed
    assert results["a.tif"] == (tmp_path / "out/a.tif").read_bytes()
    expected = zarr.open_group(tmp_path / "out/cells.zarr", mode="r")
    (tmp_path / "cells.tif").write_bytes(results["cells.tif"])
    made = open_pyramid_file(tmp_path / "cells.tif", "cells.tif")
    assert [level.shape for level in made.levels] == [SHAPE, (150, 200)]
    for level, shape in enumerate([SHAPE, (150, 200)]):
        assert np.array_equal(made.read(whole_window(shape), level).pixels, expected[str(level)][:])
    for item in progress["items"]:
        picture = client.get(f"{series.url}/pictures/{item['number']}").data
        assert Image.open(io.BytesIO(picture)).size == ((90, 60) if item["name"] == "small.png" else (200, 150))
    with_objects = contents_of(client.get(f"{series.url}/results.zip?objects=1").data)
    assert with_objects["failed.csv"].decode().count("no objects are counted on it") == 2

    assert client.post(f"{series.url}/again", json={"image": None}).json == {"again": 0}
    (opened,) = [one["number"] for one in progress["items"] if one["name"] == "a.tif"]
    assert client.post(f"{series.url}/open/{opened}").json["preparing"]["name"] == "a.tif"


def test_a_zipped_zarr_for_which_there_is_no_room_is_refused_as_other_files_are(client, bench, ozx, monkeypatch):
    series = Series(client)
    monkeypatch.setattr(bench.store.files, "_limits", Limits(session_bytes=1))
    told = [series.add(name, content) for name, content in {"cells.ozx": ozx, "small.png": png(scene(1))}.items()]
    assert [one["added"] for one in told] == [0, 0]
    assert [one["refused"][0]["name"] for one in told] == ["cells.ozx", "small.png"]
    assert all("This session is full" in one["refused"][0]["reason"] for one in told)


def test_a_series_says_what_does_a_stack_of_large_images(client, bench, pixels):
    series, file = Series(client), io.BytesIO()
    tifffile.imwrite(file, np.stack([pixels, pixels]), photometric="minisblack", compression="zlib")
    series.add("stack.tif", file.getvalue())
    work(bench)
    (item,) = series.progress["items"]
    assert "a stack of 2 images that are too large to be read whole" in item["reason"]
