"""Labels by tiles are those of the whole raster, wherever strokes lie."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.tiling import TileGrid, Window
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke
from segmentation.strokes.tiled import tiled_labels, window_labels

SHAPE = (700, 900)


@st.composite
def drawn(draw):
    strokes = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(["path", "path", "polygon", "rectangle", "circle"]))
        class_id = draw(st.sampled_from([0, 1, 2, 7, 256 if kind != "path" else 3]))
        count = 2 if kind in ("rectangle", "circle") else draw(st.integers(3, 5))
        point = st.tuples(st.floats(-100, 1000), st.floats(-100, 800))
        points = draw(st.lists(point, min_size=count, max_size=count))
        strokes.append(Stroke(str(number), class_id, kind, points, draw(st.floats(0.5, 60))))
    return strokes


def whole(labels):
    found = np.zeros(SHAPE, np.uint8)
    for tile, of_tile in labels.tiles():
        found[tile.rows, tile.columns] = of_tile
    return found


@settings(max_examples=60, deadline=None)
@given(drawn())
def test_labels_by_tiles_are_those_of_the_whole(strokes):
    expected, labels = rasterise(strokes, SHAPE), tiled_labels(strokes, SHAPE)
    assert np.array_equal(whole(labels), expected)
    places = np.flatnonzero(expected)
    assert np.array_equal(labels.places(), places)
    assert np.array_equal(labels.at(places), expected.ravel()[places])
    assert np.array_equal(labels.pixels_by_class[1:], np.bincount(expected.ravel(), minlength=256)[1:])
    window = Window(slice(100, 500), slice(300, 850))
    assert np.array_equal(window_labels(strokes, window, SHAPE), expected[window.rows, window.columns])


def test_a_stroke_costs_the_tiles_that_it_touches_however_large_the_image_is():
    shape = (2**20, 2**20)
    stroke = Stroke("a", 1, "path", [(10_000, 10_000), (10_400, 10_500)], 12)
    labels = tiled_labels([stroke], shape)
    assert len(labels.of_tiles) < 9
    assert labels.pixels_by_class[1] > 1000


def test_strokes_that_cover_too_much_are_refused():
    with pytest.raises(ValueError, match="cover too much"):
        tiled_labels([Stroke("a", 1, "rectangle", [(0, 0), (50_000, 50_000)], 1)], (2**20, 2**20))


def test_tiles_near_a_view_are_those_of_the_whole_order():
    grid = TileGrid((3000, 5000))
    view = (700, 1900, 1100, 3000)
    touching = [tile for tile in grid.order(view) if tile.touches(view)]
    assert grid.nearest(view, 1000) == touching
    assert grid.nearest(view, 7) == touching[:7]
    assert len(TileGrid((2**24, 2**24)).nearest((0, 2**24, 0, 2**24), 64)) == 64
