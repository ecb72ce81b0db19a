"""What is taken from an image that is read block by block is what the whole of it gives."""

import numpy as np
import pytest

from segmentation.io.image import image_from_pixels
from segmentation.io.zarr_pyramid import open_pyramid
from segmentation.model.facts import image_ends, image_facts
from segmentation.model.pyramid_facts import pyramid_ends, pyramid_facts
from tests.support.images import textured
from tests.support.pyramids import write_pyramid


@pytest.fixture(params=[47, 61, 1000])
def side(request, monkeypatch):
    """Rows and columns that are read at a time; those of the grid lie 8 apart, so that few blocks begin on it."""
    monkeypatch.setattr("segmentation.io.pyramid._STREAMED_SIDE", request.param)


@pytest.mark.usefixtures("side")
@pytest.mark.parametrize("gaps", [False, True], ids=["whole", "gaps"])
@pytest.mark.parametrize("channels", [(0,), (2, 0)], ids=str)
def test_facts_and_ends_are_those_of_the_whole_image(channels, gaps, tmp_path):
    pixels = np.dstack([textured(450, 611, seed=seed) for seed in range(3)]).astype(np.float32)
    pixels += np.arange(611, dtype=np.float32)[:, None] * [1, -2, 3]
    if gaps:
        pixels[100:130, 20:340] = np.nan
    image, pyramid = image_from_pixels(pixels), open_pyramid(write_pyramid(tmp_path / "a.zarr", pixels, chunks=128))
    assert {**pyramid_facts(pyramid), "hash": ""} == {**image_facts(image), "hash": ""}
    assert pyramid_ends(pyramid, channels) == image_ends(image, channels)
