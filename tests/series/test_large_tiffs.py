"""TIFF files that are too large for memory are segmented block by block, to the bytes of the whole image."""

import json

import numpy as np
import pytest
import tifffile
import zarr

from segmentation.__main__ import main
from segmentation.io import halving, limits, pyramid, read, tiff_images, zarr_images, zarr_results
from segmentation.io.no_data import halo_with_no_data
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_image, read_stack
from segmentation.io.tiff_pyramid import open_tiff_pyramid
from segmentation.series.run import apply_series
from tests.support.classifiers import trained
from tests.support.files import files_in
from tests.support.images import textured

pytestmark = pytest.mark.slow

RGB = np.dstack([textured(93, 110, seed) for seed in range(3)])


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(tiff_images, "LARGE_PIXELS", 4000)
    monkeypatch.setattr(tiff_images, "BLOCK_SIDE", 32)
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)
    monkeypatch.setattr(zarr_results, "CHUNK_SIDE", 16)
    monkeypatch.setattr(halving, "COARSEST_SIDE", 40)
    assert limits.MAX_PIXELS == read.MAX_PIXELS


@pytest.fixture(scope="module")
def colour():
    return trained(RGB[:40, :50])


@pytest.fixture(scope="module")
def grey():
    return trained(textured())


@pytest.mark.parametrize("cut", [{"tile": (32, 48)}, {"rowsperstrip": 5}, {"rowsperstrip": 93}])
def test_blocks_give_what_the_whole_gives(cut, colour, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", compression="zlib", metadata=None, **cut)
    report = apply_series(colour, tmp_path / "a.tif", tmp_path / "out", table=True)
    assert not report.failed
    expected = colour.predict(read_image(tmp_path / "a.tif"))
    assert np.array_equal(read_image(tmp_path / "out/a.tif").pixels, expected)
    shares = (tmp_path / "out/shares.csv").read_text().splitlines()
    assert [int(row.split(",")[4]) for row in shares[1:]] == [np.count_nonzero(expected == one) for one in (1, 2)]
    assert [path.name for path in (tmp_path / "out/.squiggle").iterdir()] == ["a.json"]
    assert apply_series(colour, tmp_path / "a.tif", tmp_path / "out").finished_before


def test_blocks_of_many_channels_are_smaller_so_that_they_fit_memory(colour, tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", tile=(32, 48), metadata=None)
    around = 2 * halo_with_no_data(colour.spec_.halo)
    monkeypatch.setattr(pyramid, "MAX_WINDOW_BYTES", 3 * (16 + around) ** 2)
    sides = []
    blocks = tiff_images.TiffImages.blocks
    monkeypatch.setattr(
        tiff_images.TiffImages, "blocks", lambda self, side=None: blocks(self, sides.append(side) or side)
    )
    assert not apply_series(colour, tmp_path / "a.tif", tmp_path / "out").failed
    expected = colour.predict(read_image(tmp_path / "a.tif"))
    assert np.array_equal(read_image(tmp_path / "out/a.tif").pixels, expected)
    assert set(sides) == {None, 16}


def test_the_result_is_a_tiled_ome_tiff_with_levels(colour, tmp_path):
    size = {"PhysicalSizeX": 0.25, "PhysicalSizeY": 0.25}
    tifffile.imwrite(tmp_path / "a.ome.tif", RGB, photometric="rgb", tile=(32, 32), metadata=size)
    apply_series(colour, tmp_path / "a.ome.tif", tmp_path / "out", probabilities=True)
    expected = colour.predict(RGB)
    opened = open_tiff_pyramid(tmp_path / "out/a.ome.tif")
    assert [(one.shape, one.step) for one in opened.levels] == [((93, 110), 1), ((47, 55), 2), ((24, 28), 4)]
    assert opened.pixel_size.spacing == (0.25, 0.25)
    with tifffile.TiffFile(tmp_path / "out/a.ome.tif") as file:
        assert file.is_ome
        assert file.pages[0].is_tiled
        for number, level in enumerate(file.series[0].levels):
            assert np.array_equal(level.asarray(), expected[:: 2**number, :: 2**number])
    group = zarr.open_group(tmp_path / "out/a.ome.probabilities.zarr", mode="r")
    assert np.array_equal(np.moveaxis(group["0"][:], 0, -1), colour.predict_proba(RGB))
    assert group["1"].shape == (2, 47, 55)
    scales = [one["coordinateTransformations"][0]["scale"] for one in group.attrs["ome"]["multiscales"][0]["datasets"]]
    assert scales == [[1, 0.25, 0.25], [1, 0.5, 0.5], [1, 1, 1]]


def test_what_holds_no_data_is_0(grey, tmp_path):
    pixels = textured(93, 110)
    pixels[20:70, 30:80] = 7
    tifffile.imwrite(tmp_path / "a.tif", pixels, metadata=None, extratags=[(42113, "s", 0, "7", True)])
    apply_series(grey, tmp_path / "a.tif", tmp_path / "out")
    found = read_image(tmp_path / "out/a.tif").pixels
    assert np.array_equal(found, grey.predict(read_image(tmp_path / "a.tif")))
    assert not found[30:60, 40:70].any()


def test_the_pixel_size_that_somebody_typed_is_that_of_the_result(grey, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", textured(93, 110), tile=(32, 32), metadata=None)
    apply_series(grey, tmp_path / "a.tif", tmp_path / "out", pixel_size=PixelSize(0.5, 0.25, "µm"))
    assert open_tiff_pyramid(tmp_path / "out/a.tif").pixel_size == PixelSize(0.5, 0.25, "µm")


def test_planes_of_a_stack_are_pages_again(grey, tmp_path):
    stack = np.stack([textured(93, 110, seed) for seed in range(4)])
    axes = {"axes": "TZYX"}
    tifffile.imwrite(tmp_path / "a.tif", stack.reshape(2, 2, 93, 110), imagej=True, metadata=axes)
    report = apply_series(grey, tmp_path / "a.tif", tmp_path / "out")
    assert not report.failed
    found = [image.pixels for image in read_stack(tmp_path / "out/a.tif")]
    assert np.array_equal(np.stack(found), np.stack([grey.predict(plane) for plane in stack]))
    pages = json.loads((tmp_path / "out/.squiggle/a.json").read_text())["pages"]
    assert [page["place"] for page in pages] == [image.place for image in read_stack(tmp_path / "a.tif")]


def test_an_ome_zarr_image_gets_levels_of_both_versions(grey, tmp_path):
    for version in (2, 3):
        levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [0.5, 0.5]}]}]
        multiscales = [{"axes": [{"name": "y"}, {"name": "x"}], "datasets": levels, "version": "0.4"}]
        attributes = {"multiscales": multiscales} if version == 2 else {"ome": {"multiscales": multiscales}}
        group = zarr.open_group(tmp_path / f"a{version}.zarr", mode="w", zarr_format=version, attributes=attributes)
        group.create_array("0", shape=(93, 110), chunks=(50, 50), dtype="uint8")[:] = textured(93, 110)
        apply_series(grey, tmp_path / f"a{version}.zarr", tmp_path / "out")
        result = zarr.open_group(tmp_path / f"out/a{version}.zarr", mode="r")
        expected = grey.predict(textured(93, 110))
        for number in range(3):
            assert np.array_equal(result[str(number)][:], expected[:: 2**number, :: 2**number])
        told = result.attrs.asdict() if version == 2 else result.attrs["ome"]
        scales = [one["coordinateTransformations"][0]["scale"] for one in told["multiscales"][0]["datasets"]]
        assert scales == [[0.5, 0.5], [1, 1], [2, 2]]
        assert told["image-label"]["colors"][0]["label-value"] == 1


def test_an_interrupted_run_goes_on_to_equal_bytes(grey, tmp_path, monkeypatch):
    tifffile.imwrite(tmp_path / "a.tif", textured(93, 110), tile=(32, 32), metadata=None)
    apply_series(grey, tmp_path / "a.tif", tmp_path / "whole")
    written = []
    write = zarr_images.ZarrResults.write

    def write_some(*given):
        if len(written) == 5:
            raise KeyboardInterrupt
        written.append(given[2])
        write(*given)

    with monkeypatch.context() as patched:
        patched.setattr(zarr_images.ZarrResults, "write", write_some)
        with pytest.raises(KeyboardInterrupt):
            apply_series(grey, tmp_path / "a.tif", tmp_path / "out")
    assert files_in(tmp_path / "out") == {}
    assert not apply_series(grey, tmp_path / "a.tif", tmp_path / "out", workers=2).failed
    assert files_in(tmp_path / "out") == files_in(tmp_path / "whole")


def test_a_damaged_tile_and_what_cannot_be_made_get_a_sentence(grey, tmp_path, capsys):
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, textured(93, 110), tile=(32, 32), compression="zlib", metadata=None)
    grey.save(tmp_path / "m.squiggle")
    arguments = ["apply", str(tmp_path / "m.squiggle"), str(path), "-o", str(tmp_path / "out")]
    assert main([*arguments, "--png"]) == 1
    assert "A TIFF that is too large for memory can have no PNG" in capsys.readouterr().err
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[3]
    data = bytearray(path.read_bytes())
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    assert main(arguments) == 1
    assert "damaged" in capsys.readouterr().err
    assert not (tmp_path / "out/a.tif").exists()


def test_of_images_that_differ_the_first_is_segmented_and_that_is_told(colour, tmp_path):
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for pixels in (RGB, RGB[:40, :30]):
            writer.write(pixels, photometric="rgb", tile=(32, 32), metadata=None)
    report = apply_series(colour, tmp_path / "a.tif", tmp_path / "out", report=tmp_path / "report.html")
    assert np.array_equal(read_image(tmp_path / "out/a.tif").pixels, colour.predict(RGB))
    assert "This is the first of 2 images in the file." in report.notes[str(tmp_path / "a.tif")]
    assert "It is too large for memory" in (tmp_path / "report.html").read_text()


def test_of_a_file_that_is_incomplete_it_is_told_and_the_others_go_on(colour, tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", tile=(32, 48), compression="zlib", metadata=None)
    tifffile.imwrite(tmp_path / "b.tif", RGB, photometric="rgb", tile=(32, 48), compression="zlib", metadata=None)
    (tmp_path / "a.tif").write_bytes((tmp_path / "a.tif").read_bytes()[:-5000])
    report = apply_series(colour, [tmp_path / "a.tif", tmp_path / "b.tif"], tmp_path / "out")
    assert "damaged or incomplete, some of its pixels are missing: copy it again." in str(
        report.failed[str(tmp_path / "a.tif")]
    )
    assert (tmp_path / "out/b.tif").is_file()
    assert not (tmp_path / "out/a.tif").exists()
