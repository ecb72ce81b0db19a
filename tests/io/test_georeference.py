"""A result lies on its map: GDAL, which reads maps for QGIS, says so."""

import numpy as np
import pytest
import rasterio
import tifffile
from rasterio.transform import Affine

from segmentation.io.export import label_tiff, probabilities_tiff, segmentation_png
from segmentation.io.image import image_from_pixels
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_image
from segmentation.io.worldfile import map_files
from segmentation.strokes.classes import LabelClass

CLASSES = [LabelClass(1, "water", "#0072b2"), LabelClass(2, "land", "#e69f00")]
NAMES = tuple(f"B{number}" for number in range(1, 14))


def _lays_a_png(folder, image, ids, crs, transform):
    """The files beside a PNG say where it lies; the world file alone says it without the projection."""
    folder = folder / "beside"
    folder.mkdir()
    (folder / "ids.png").write_bytes(segmentation_png(ids, {1: "#0072b2"}))
    assert map_files(image).keys() == {".pgw", ".png.aux.xml"}
    for suffix, content in map_files(image).items():
        (folder / f"ids{suffix}").write_bytes(content)
    with rasterio.open(folder / "ids.png") as result:
        assert (result.crs, result.transform.almost_equals(transform, 1e-9)) == (crs, True)
    (folder / "ids.png.aux.xml").unlink()
    with rasterio.open(folder / "ids.png") as result:
        assert (result.crs, result.transform.almost_equals(transform, 1e-9)) == (None, True)


@pytest.mark.parametrize(
    ("crs", "transform", "size"),
    [
        ("EPSG:32633", Affine(10, 0, 500_000, 0, -20, 5_100_000), PixelSize(10, 20, "m")),
        ("EPSG:4326", Affine(1e-3, 0, 13, 0, -1e-3, 52), PixelSize(1e-3, 1e-3, "°")),
        ("EPSG:32633", Affine(8, 6, 500_000, 6, -8, 5_100_000), PixelSize(10, 10, "m")),
    ],
)
def test_results_of_thirteen_bands_lie_on_them(crs, transform, size, tmp_path):
    pixels = np.random.default_rng(0).integers(-100, 3000, (13, 40, 50)).astype(np.int16)
    pixels[:, :, :5] = -9999
    options = {"driver": "GTiff", "width": 50, "height": 40, "count": 13, "dtype": "int16", "nodata": -9999}
    with rasterio.open(tmp_path / "scene.tif", "w", crs=crs, transform=transform, **options) as file:
        file.write(pixels)
        file.descriptions = NAMES
    image = read_image(tmp_path / "scene.tif")
    assert image.pixel_size == size
    assert image.channel_names == NAMES
    np.testing.assert_array_equal(image.no_data, (pixels == -9999).any(axis=0))
    ids = image.clear(np.ones(image.shape, np.uint8))
    planes = np.full((*image.shape, 2), 0.5, np.float32)
    (tmp_path / "ids.tif").write_bytes(label_tiff(ids, CLASSES, like=image))
    (tmp_path / "planes.tif").write_bytes(probabilities_tiff(planes, ["water", "land"], like=image))
    for name in ("ids.tif", "planes.tif"):
        with rasterio.open(tmp_path / name) as result:
            assert result.crs == crs
            assert result.transform.almost_equals(transform, 1e-9)
    _lays_a_png(tmp_path, image, ids, crs, transform)
    with rasterio.open(tmp_path / "ids.tif") as result:
        np.testing.assert_array_equal(result.read(1), ids)
        np.testing.assert_array_equal(result.dataset_mask() == 0, ids == 0)


def test_middles_of_pixels_and_tie_points_that_lie_elsewhere_are_understood(tmp_path):
    keys = [1, 1, 0, 2, 1024, 0, 1, 1, 1025, 0, 1, 2]
    scale, tie = (10.0, 20.0, 0.0), (3.0, 2.0, 0.0, 500.0, 900.0, 0.0)
    tags = [(33550, "d", 3, scale), (33922, "d", 6, tie), (34735, "H", 12, keys)]
    extra = [(*tag, True) for tag in tags]
    tifffile.imwrite(tmp_path / "points.tif", np.zeros((4, 5), np.uint8), photometric="minisblack", extratags=extra)
    with rasterio.open(tmp_path / "points.tif") as map_of_gdal:
        expected = map_of_gdal.transform
    files = map_files(read_image(tmp_path / "points.tif"))
    assert files.keys() == {".pgw"}
    (tmp_path / "ids.png").write_bytes(segmentation_png(np.ones((4, 5), np.uint8), {1: "#0072b2"}))
    (tmp_path / "ids.pgw").write_bytes(files[".pgw"])
    with rasterio.open(tmp_path / "ids.png") as result:
        assert result.transform.almost_equals(expected, 1e-9)


def test_what_is_no_map_has_nothing_beside_it():
    assert map_files(image_from_pixels(np.zeros((4, 5), np.uint8))) == {}
