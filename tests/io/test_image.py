"""What follows from the pixels of an image is in memory once, whatever else is said of it."""

import gc
from weakref import ref

import numpy as np
import pytest

from segmentation.io.image import image_from_pixels
from segmentation.io.pixel_size import PixelSize

PIXELS = np.arange(6 * 8 * 4, dtype=np.uint16).reshape(6, 8, 4)
REGION = np.arange(48).reshape(6, 8) % 3 == 0


def four_channels():
    return image_from_pixels(PIXELS, {"channel_names": list("abcd")})


@pytest.mark.slow
def test_an_image_that_is_worked_on_in_a_part_keeps_the_whole_in_sight():
    whole = four_channels()
    seen = ref(whole)
    part = whole.with_pixel_size(PixelSize(1, 2)).within(REGION)
    assert part.pixels is whole.pixels
    del whole
    gc.collect()
    assert seen() is not None
    del part
    gc.collect()
    assert seen() is None


def test_channels_of_a_part_are_those_of_the_whole():
    whole = four_channels()
    part = whole.with_pixel_size(PixelSize(1, 2)).within(REGION).with_channels((3, 1))
    assert part.pixels is whole.with_channels((3, 1)).pixels
    assert whole.with_channels((3, 1)) is whole.with_channels((3, 1))
    np.testing.assert_array_equal(part.pixels, PIXELS[..., [3, 1]])
    assert (part.pixel_size, part.channel_names) == (PixelSize(1, 2), ("d", "b"))
    np.testing.assert_array_equal(part.region, REGION)
    assert part.hash == whole.with_channels((3, 1)).hash == image_from_pixels(PIXELS[..., [3, 1]]).hash
    assert whole.with_channels((3, 1)).region is None
    assert whole.with_channels((3, 1)).pixel_size is None
