"""Views of large images: strip by strip, of the channels that are asked for, and what comes of a part that does not."""

import numpy as np
import pytest

from segmentation.io.limits import ImageError, PassingError
from segmentation.io.pyramid import Level, Pyramid
from segmentation.web.session import partial_views
from segmentation.web.session.partial_views import COMES_LATER, INCOMPLETE, cell_side, view_of

PIXELS = np.random.default_rng(4).normal(size=(700, 500, 20)).astype(np.float32)


def pyramid(fails=lambda window: None):
    """An image of twenty channels and two levels, and the bytes of the largest window that was read of it."""
    largest = [0]

    def values(window, level):
        if reason := fails(window):
            raise reason
        found = PIXELS[:: 1 + level, :: 1 + level][window.rows, window.columns]
        largest[0] = max(largest[0], found.nbytes)
        return found

    levels = Level((700, 500)), Level((350, 250), 2.0)
    return Pyramid(name="a", levels=levels, channels=20, dtype=PIXELS.dtype, values=values), largest


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("channels", [[0], [7, 2, 19]])
def test_strips_do_not_show_and_bound_what_is_read_at_once(monkeypatch, step, channels):
    whole, largest = pyramid()
    rows, columns = slice(10, 690), slice(3, 480)
    expected = view_of(whole, rows, columns, step, channels)
    level = 1 if step > 1 else 0
    down, across = (
        ((np.arange(part.start, part.stop, step) + step / 2) / (1 + level)).astype(int) for part in (rows, columns)
    )
    there = PIXELS[:: 1 + level, :: 1 + level][np.ix_(down, across, channels)]
    np.testing.assert_array_equal(expected.stacked, there)
    monkeypatch.setattr(partial_views, "STRIP_BYTES", 2**20)
    monkeypatch.setattr(partial_views, "CELL_BYTES", 2**20)
    largest[0] = 0
    np.testing.assert_array_equal(view_of(whole, rows, columns, step, channels).pixels, expected.pixels)
    assert largest[0] <= 128 * 500 * 20 * 4


@pytest.mark.parametrize(("error", "later"), [(ImageError("Damaged."), False), (PassingError("Away."), True)])
def test_a_strip_that_does_not_come_holds_no_data(monkeypatch, error, later):
    monkeypatch.setattr(partial_views, "STRIP_BYTES", 1)
    monkeypatch.setattr(partial_views, "CELL_BYTES", 1)
    whole, _ = pyramid(lambda window: error if window.rows.stop > 600 else None)
    seen = view_of(whole, slice(0, 700), slice(0, 500), 1, [0, 1])
    assert seen.metadata[INCOMPLETE] == str(error)
    assert seen.metadata[COMES_LATER] == later
    end = 512 if later else 576
    assert seen.no_data[end:].all()
    assert not seen.no_data[:end].any()
    np.testing.assert_array_equal(seen.pixels[:end], PIXELS[:end, :, :2])
    nothing, _ = pyramid(lambda window: error)
    with pytest.raises(type(error), match=str(error)):
        view_of(nothing, slice(0, 700), slice(0, 500), 1, [0])


def test_of_a_cell_that_is_damaged_is_seen_what_can_be_read(monkeypatch):
    monkeypatch.setattr(partial_views, "CELL_BYTES", 1)
    whole, _ = pyramid(lambda window: ImageError("Damaged.") if window.rows.start < 200 < window.rows.stop else None)
    seen = view_of(whole, slice(0, 700), slice(0, 500), 1, [0])
    assert seen.no_data[192:224].all()
    assert seen.no_data.sum() == 32 * 500
    np.testing.assert_array_equal(seen.pixels[~seen.no_data], PIXELS[..., 0][~seen.no_data])


def test_cells_of_many_channels_are_smaller():
    few, many = pyramid()[0].with_channels((0, 1, 2)), pyramid()[0]
    assert [cell_side(one) for one in (few, many)] == [1024, 256]
