"""Cells that are kept decoded are put together to what is asked for, and are read in parts that fit small memories."""

import numpy as np
import pytest

from segmentation._shared.tiling import Window
from segmentation.io.image import Image
from segmentation.io.pyramid import Level, Pyramid
from segmentation.web.session.cells import Cells

SMALL, USUAL = 48 * 2**20, 2**29


class Decoded:
    """Decodes windows of an image whose pixels say where they are, and knows which."""

    def __init__(self, side, channels, piece):
        self.channels, self.windows = channels, []
        self.pyramid = Pyramid(
            name="a",
            levels=(Level((side, side)),),
            channels=channels,
            dtype=np.dtype(np.float32),
            values=lambda window, level: self.pixels(window),
            piece=piece,
        )

    def pixels(self, window):
        rows, columns = np.ogrid[window.rows, window.columns]
        return np.dstack([rows * 4096.0 + columns + number / 8 for number in range(self.channels)]).astype(np.float32)

    def __call__(self, window, level):
        self.windows.append(window)
        rows, columns = np.ogrid[window.rows, window.columns]
        return Image(self.pixels(window), {}, (rows + columns) % 7 == 0)

    @property
    def most_bytes(self):
        return max(one.shape[0] * one.shape[1] * self.channels * 4 for one in self.windows)


@pytest.mark.parametrize("piece", [(256, 256), (8, 3000)], ids=["tiles", "strips"])
@pytest.mark.parametrize("cache_bytes", [SMALL, USUAL])
def test_a_small_cache_is_filled_by_small_parts_and_keeps_a_window(piece, cache_bytes):
    decoded, cells = Decoded(3000, 3, piece), Cells(cache_bytes)
    window = Window(slice(700, 1532), slice(900, 1732))
    for time in range(2):
        missing = cells.missing("a", decoded.pyramid, window, 0, decoded)
        values = cells.values("a", decoded.pyramid, window, 0, decoded)
        np.testing.assert_array_equal(values, decoded.pixels(window))
        np.testing.assert_array_equal(missing, decoded(window, 0).no_data)
        decoded.windows.pop()
        if not time:
            assert decoded.most_bytes <= max(cache_bytes // 4, 12 * 2**20)
            first = len(decoded.windows)
    assert len(decoded.windows) == first, "all of it is kept"


def test_what_is_kept_gives_way():
    decoded, cells = Decoded(1500, 2, (256, 256)), Cells(SMALL)
    window = Window(slice(0, 900), slice(0, 900))
    cells.values("a", decoded.pyramid, window, 0, decoded)
    first = len(decoded.windows)
    cells.values("a", decoded.pyramid, window, 0, decoded)
    assert len(decoded.windows) == first
    cells.clear()
    cells.values("a", decoded.pyramid, window, 0, decoded)
    assert len(decoded.windows) == 2 * first
