"""A result lies on its map: GDAL, which reads maps for QGIS, says so."""

import numpy as np
import pytest
import rasterio
from rasterio.transform import Affine

from segmentation.io.export import label_tiff, probabilities_tiff
from segmentation.io.pixel_size import PixelSize
from segmentation.io.read import read_image
from segmentation.strokes.classes import LabelClass

CLASSES = [LabelClass(1, "water", "#0072b2"), LabelClass(2, "land", "#e69f00")]
NAMES = tuple(f"B{number}" for number in range(1, 14))


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
    with rasterio.open(tmp_path / "ids.tif") as result:
        np.testing.assert_array_equal(result.read(1), ids)
        np.testing.assert_array_equal(result.dataset_mask() == 0, ids == 0)
