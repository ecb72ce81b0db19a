"""What lies on the desk of somebody who works on the command line."""

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

from segmentation.__main__ import main
from segmentation.io.export import segmentation_png
from tests.support.desk import SMALL, textured


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with an image, its labels, a mask, a small classifier and a series."""
    folder = tmp_path_factory.mktemp("desk")
    pixels = textured()
    labels = np.zeros(pixels.shape[:2], np.uint8)
    labels[5:10, 10:40], labels[45:50, 10:40] = 1, 2
    tifffile.imwrite(folder / "cells.tif", pixels, photometric="rgb")
    (folder / "labels.png").write_bytes(segmentation_png(labels, {1: "#e69f00", 2: "#0072b2"}))
    mask = np.full(labels.shape, 2, np.uint8)
    mask[:30] = 1
    PillowImage.fromarray(mask).save(folder / "mask.png")
    arguments = ["train", f"{folder}/cells.tif", "--labels", f"{folder}/labels.png", "-o", f"{folder}/cells.squiggle"]
    assert main([*arguments, *SMALL, "--class", "1=void", "--class", "2=grain,#00ff00"]) == 0
    (folder / "series").mkdir()
    for number in range(3):
        tifffile.imwrite(folder / f"series/day{number}.tif", textured(seed=number), photometric="rgb")
    return folder
