"""The files of the field, small: a stack, four channels with names, a hyperstack, a satellite's bands, a radar image.

Each is two halves side by side, of which one is brighter in some channel, so that two strokes tell them apart.
"""

from dataclasses import dataclass

import numpy as np
import rasterio
import tifffile
from rasterio.transform import Affine

from segmentation.io.pixel_size import PixelSize

ROWS, COLUMNS = 60, 90
CRS = "EPSG:32633"
TRANSFORM = Affine(10, 0, 500_000, 0, -10, 5_100_000)
CHANNELS = ("DAPI", "GFP", "RFP", "Cy5")


@dataclass(frozen=True)
class FieldFile:
    """What a file of the field is like.

    Attributes:
        name: of the file.
        write: writes it to a path.
        images: how many it holds.
        channels: of each of them.
        size: of its pixels.
        missing: whether it has pixels without data.
    """

    name: str
    write: object
    images: int
    channels: int
    size: PixelSize | None
    missing: bool = False


def halves(*leading, dtype=np.uint16, seed=0):
    """Noise, brighter to the right, ``(..., rows, columns)``."""
    pixels = np.random.default_rng(seed).integers(100, 400, (*leading, ROWS, COLUMNS)).astype(dtype)
    pixels[..., COLUMNS // 2 :] += 2000
    return pixels


def _stack(path):
    tifffile.imwrite(path, halves(20), photometric="minisblack", resolution=(2000, 2000), resolutionunit="CENTIMETER")


def _ome(path):
    size = {"PhysicalSizeX": 0.325, "PhysicalSizeXUnit": "µm", "PhysicalSizeY": 0.325, "PhysicalSizeYUnit": "µm"}
    with tifffile.TiffWriter(path, ome=True) as writer:
        about = {"axes": "CYX", "Channel": {"Name": list(CHANNELS)}} | size
        writer.write(halves(4), photometric="minisblack", metadata=about)


def _hyperstack(path):
    about = {"axes": "TZCYX", "spacing": 2.0, "unit": "um", "finterval": 0.5}
    tifffile.imwrite(path, halves(2, 3, 2), imagej=True, resolution=(4, 4), metadata=about)


def _satellite(path):
    pixels = halves(13, dtype=np.int16)
    pixels[:, :8] = -9999
    options = {"driver": "GTiff", "width": COLUMNS, "height": ROWS, "count": 13, "dtype": "int16", "nodata": -9999}
    with rasterio.open(path, "w", crs=CRS, transform=TRANSFORM, **options) as file:
        file.write(pixels)
        file.descriptions = tuple(f"B{number}" for number in range(1, 14))


def _radar(path):
    pixels = halves(dtype=np.float32) / 1000 - 0.5
    pixels[:, -6:] = np.nan
    options = {"driver": "GTiff", "width": COLUMNS, "height": ROWS, "count": 1, "dtype": "float32"}
    with rasterio.open(path, "w", crs=CRS, transform=TRANSFORM, **options) as file:
        file.write(pixels, 1)


FIELD_FILES = (
    FieldFile("stack.tif", _stack, 20, 1, PixelSize(5, 5, "µm")),
    FieldFile("cells.ome.tif", _ome, 1, 4, PixelSize(0.325, 0.325, "µm")),
    FieldFile("hyperstack.tif", _hyperstack, 6, 2, PixelSize(0.25, 0.25, "µm", 2.0)),
    FieldFile("scene.tif", _satellite, 1, 13, PixelSize(10, 10, "m"), missing=True),
    FieldFile("radar.tif", _radar, 1, 1, PixelSize(10, 10, "m"), missing=True),
)
