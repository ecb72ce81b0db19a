"""The pixels under strokes, against the rules written out pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.kernels import references_instead
from segmentation.strokes import raster as painting
from segmentation.strokes.raster import paint, rasterise, stroke_bounds, stroke_pixels
from segmentation.strokes.stroke import Stroke

# on this grid of coordinates borders often run exactly through pixel centres, and sums are exact
on_grid = st.integers(-160, 320).map(lambda eighths: eighths / 8)
anywhere = st.floats(-20, 40)
far = st.floats(-1e7, 1e7)
coordinates = st.one_of(on_grid, anywhere)
point = st.tuples(coordinates, coordinates)
polyline = st.lists(point, min_size=1, max_size=6)
width = st.one_of(st.integers(1, 320).map(lambda eighths: eighths / 8), st.floats(0.01, 60))
shape = st.tuples(st.integers(1, 24), st.integers(1, 24))


def centres(rows, columns):
    y, x = np.mgrid[:rows, :columns]
    return x.astype(float), y.astype(float)


def square_distance(a, b, x, y):
    """Squared distance of pixel centres to the segment from a to b."""
    a, d = np.array(a, float), np.array(b, float) - a
    square = d[0] * d[0] + d[1] * d[1]
    t = np.clip(((x - a[0]) * d[0] + (y - a[1]) * d[1]) / square, 0, 1) if square > 0 else 0.0
    return (x - a[0] - t * d[0]) ** 2 + (y - a[1] - t * d[1]) ** 2


def pixels_of_path(points, width, shape):
    """Every pixel is compared with every segment; the pixels of the points are added."""
    x, y = centres(*shape)
    radius = max(width, 1) / 2
    hit = np.zeros(shape, bool)
    for a, b in zip(points, points[1:] or points, strict=False):
        hit |= square_distance(a, b, x, y) <= radius**2 + 1e-9
    for column, row in np.rint(np.array(points)).astype(int):
        if 0 <= row < shape[0] and 0 <= column < shape[1]:
            hit[row, column] = True
    return hit


def pixels_of_rings(rings, shape):
    """Inside is where a ray to the left crosses an odd number of edges; a border within rounding counts too."""
    x, y = centres(*shape)
    inside, border = np.zeros(shape, bool), np.zeros(shape, bool)
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
            border |= square_distance((ax, ay), (bx, by), x, y) <= 1e-9
            crossed = (ay <= y) != (by <= y)
            with np.errstate(all="ignore"):
                inside ^= crossed & (ax + (y - ay) * (bx - ax) / (by - ay) < x)
    return inside | border


def mask(stroke, shape):
    labels = rasterise([stroke], shape)
    assert set(np.unique(labels)) <= {0, stroke.class_id}
    with references_instead():
        assert np.array_equal(rasterise([stroke], shape), labels)
    return labels > 0


@pytest.mark.slow
@settings(deadline=None, max_examples=400)
@given(polyline, width, shape)
def test_a_path_labels_what_lies_within_half_its_width(points, width, shape):
    stroke = Stroke("s", 7, "path", points, width)
    np.testing.assert_array_equal(mask(stroke, shape), pixels_of_path(points, width, shape))


@settings(deadline=None)
@given(st.lists(st.tuples(far, far), min_size=1, max_size=4), st.floats(0.01, 10_000), shape)
def test_a_path_from_far_away(points, width, shape):
    """Rounding moves such a border by a little, so what is close to it may go either way."""
    got = mask(Stroke("s", 1, "path", points, width), shape)
    radius = max(width, 1) / 2
    x, y = centres(*shape)
    distance = np.min(
        [np.sqrt(square_distance(a, b, x, y)) for a, b in zip(points, points[1:] or points, strict=False)], axis=0
    )
    sure = np.abs(distance - radius) > 1e-3
    np.testing.assert_array_equal(got[sure], (distance < radius)[sure] | pixels_of_path(points, 1e-9, shape)[sure])


@settings(deadline=None)
@given(st.lists(polyline, min_size=1, max_size=3), width, shape)
def test_parts_of_a_path_are_not_joined(parts, width, shape):
    starts = np.cumsum([0, *map(len, parts[:-1])])
    stroke = Stroke("s", 1, "path", np.concatenate(parts), width, tuple(starts.tolist()))
    expected = np.any([pixels_of_path(part, width, shape) for part in parts], axis=0)
    np.testing.assert_array_equal(mask(stroke, shape), expected)


@settings(deadline=None)
@given(polyline, width, shape)
def test_both_ways_of_painting_a_path_agree(points, width, shape):
    from segmentation.strokes import _kernels as raster

    stroke = Stroke("s", 1, "path", points, width)
    windows = []
    for dense in (False, True):
        window = np.zeros(shape, np.uint8)
        reach = (max(width, 1) / 2) ** 2 + raster.SLACK
        painted = raster.paint_path(window, stroke.points, np.zeros(1, np.int64), reach, 1, 0, 0, dense)
        assert painted == window.any()
        windows.append(window)
    np.testing.assert_array_equal(*windows)


@settings(deadline=None)
@given(polyline, shape)
def test_a_thin_path_has_no_gaps(points, shape):
    from scipy.ndimage import label

    inside = [(min(max(x, 0), shape[1] - 1), min(max(y, 0), shape[0] - 1)) for x, y in points]
    got = mask(Stroke("s", 1, "path", inside, 0.01), shape)
    assert label(got, np.ones((3, 3)))[1] == 1
    for column, row in np.rint(np.array(inside)).astype(int):
        assert got[row, column]


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(st.lists(st.lists(point, min_size=3, max_size=7), min_size=1, max_size=3), shape)
def test_a_polygon_labels_its_inside_and_border(rings, shape):
    starts = np.cumsum([0, *map(len, rings[:-1])])
    stroke = Stroke("s", 9, "polygon", np.concatenate(rings), starts=tuple(starts.tolist()))
    got, expected = mask(stroke, shape), pixels_of_rings(rings, shape)
    column, row = np.rint(np.array(rings[0][0])).astype(int)
    if 0 <= row < shape[0] and 0 <= column < shape[1]:
        expected[row, column] = got[row, column]  # the pixel under the first point has a rule of its own, tested below
    np.testing.assert_array_equal(got, expected)


@settings(deadline=None)
@given(st.tuples(on_grid, on_grid), st.tuples(on_grid, on_grid), shape)
def test_a_rectangle_labels_the_centres_between_its_sides(a, b, shape):
    x, y = centres(*shape)
    (x0, x1), (y0, y1) = sorted((a[0], b[0])), sorted((a[1], b[1]))
    expected = (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    got = mask(Stroke("s", 1, "rectangle", [a, b]), shape)
    if np.ceil(x0) <= np.floor(x1) and np.ceil(y0) <= np.floor(y1):
        np.testing.assert_array_equal(got, expected)
    else:
        assert got.sum() <= 1


@settings(deadline=None)
@given(point, point, shape)
def test_a_circle_labels_the_inside_of_its_ellipse(a, b, shape):
    x, y = centres(*shape)
    centre, radius = (np.add(a, b) / 2), np.abs(np.subtract(a, b)) / 2
    got = mask(Stroke("s", 1, "circle", [a, b]), shape)
    if radius.min() < 0.71:  # wide enough to hold a pixel centre for certain
        return
    value = ((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2
    sure = np.abs(value - 1) > 1e-8
    np.testing.assert_array_equal(got[sure], (value < 1)[sure])


def test_centres_exactly_on_a_border_are_inside():
    rows, columns = stroke_pixels(Stroke("s", 1, "circle", [[5, 5], [15, 15]]), (30, 30))
    on_border = {(10, 5), (10, 15), (5, 10), (15, 10), (6, 7), (7, 6), (13, 14), (14, 13)}
    assert on_border <= set(zip(rows.tolist(), columns.tolist(), strict=True))
    triangle = rasterise([Stroke("s", 1, "polygon", [[2, 2], [6, 2], [2, 6]])], (9, 9))
    np.testing.assert_array_equal(triangle[2:7, 2:7], np.tri(5, dtype=np.uint8)[::-1])
    assert triangle.sum() == 15
    assert rasterise([Stroke("s", 1, "rectangle", [[1, 1], [3, 2]])], (9, 9)).sum() == 6


def test_even_odd_leaves_holes():
    pentagram = [[20 + 18 * np.sin(k * 0.8 * np.pi), 20 - 18 * np.cos(k * 0.8 * np.pi)] for k in range(5)]
    assert rasterise([Stroke("s", 1, "polygon", pentagram)], (40, 40))[20, 20] == 0
    frame = [[2, 2], [12, 2], [12, 12], [2, 12], [5, 5], [9, 5], [9, 9], [5, 9]]
    labels = rasterise([Stroke("s", 1, "polygon", frame, starts=(0, 4))], (15, 15))
    assert labels[7, 7] == 0
    assert labels[3, 7] == 1
    assert labels[5, 7] == 1


@pytest.mark.parametrize("offset", [(0, 0), (-7, -7), (-4, 3)])
@pytest.mark.parametrize(
    ("kind", "points", "pixel"),
    [
        ("rectangle", [[7.1, 7.1], [7.4, 7.4]], (7, 7)),
        ("rectangle", [[5.2, 3.2], [5.4, 20.8]], (12, 5)),
        ("circle", [[7.2, 7.2], [7.6, 7.7]], (7, 7)),
        ("circle", [[7.2, 7.2], [7.2, 7.2]], (7, 7)),
        ("polygon", [[7.2, 7.3], [7.3, 7.2], [7.4, 7.4]], (7, 7)),
        ("polygon", [[7.4, 8.45]], (8, 7)),
        ("polygon", [[0.3, 0.4], [20.3, 0.45], [20.3, 0.4]], (0, 0)),
    ],
)
def test_a_shape_without_a_pixel_centre_labels_one_pixel(kind, points, pixel, offset):
    labels = rasterise([Stroke("s", 3, kind, np.add(points, offset[::-1]))], (30, 30))
    expected = np.zeros((30, 30), np.uint8)
    row, column = np.add(pixel, offset)
    if row >= 0 and column >= 0:
        expected[row, column] = 3
    np.testing.assert_array_equal(labels, expected)


strokes = st.builds(
    Stroke,
    st.just("s"),
    st.integers(1, 255),
    st.sampled_from(["path", "polygon", "rectangle", "circle"]),
    st.lists(st.tuples(on_grid, on_grid), min_size=2, max_size=2),
    st.integers(1, 240).map(lambda eighths: eighths / 8),
) | st.builds(
    Stroke,
    st.just("s"),
    st.integers(1, 255),
    st.sampled_from(["path", "polygon"]),
    st.lists(st.tuples(on_grid, on_grid), min_size=1, max_size=8),
    st.integers(1, 240).map(lambda eighths: eighths / 8),
)


def moved(stroke, x, y):
    return Stroke(stroke.id, stroke.class_id, stroke.kind, np.add(stroke.points, (x, y)), stroke.width, stroke.starts)


@pytest.mark.slow
@settings(deadline=None, max_examples=300)
@given(strokes, st.integers(-20, 20), st.integers(-20, 20))
def test_a_moved_stroke_labels_moved_pixels(stroke, x, y):
    # by even steps, since halves are rounded to even
    here = np.argwhere(rasterise([moved(stroke, 100, 100)], (240, 240)))
    there = np.argwhere(rasterise([moved(stroke, 100 + 2 * x, 100 + 2 * y)], (240, 240)))
    np.testing.assert_array_equal(np.add(here, (2 * y, 2 * x)), there)


@settings(deadline=None, max_examples=300)
@given(strokes, shape, st.integers(0, 20), st.integers(0, 20))
def test_what_is_cut_off_changes_nothing_of_the_rest(stroke, shape, row, column):
    whole = rasterise([moved(stroke, 60, 60)], (160, 160))
    row, column = 50 + 2 * row, 50 + 2 * column
    part = rasterise([moved(stroke, 60 - column, 60 - row)], shape)
    np.testing.assert_array_equal(part, whole[row : row + shape[0], column : column + shape[1]])


@settings(deadline=None)
@given(st.lists(strokes, max_size=5), shape)
def test_later_strokes_win(drawn, shape):
    expected = np.zeros(shape, np.uint8)
    for stroke in drawn:
        expected[rasterise([stroke], shape) > 0] = stroke.class_id
    np.testing.assert_array_equal(rasterise(drawn, shape), expected)


@settings(deadline=None)
@given(strokes, shape)
def test_pixels_bounds_and_paint_agree(stroke, shape):
    labels = rasterise([stroke], shape)
    rows, columns = stroke_pixels(stroke, shape)
    np.testing.assert_array_equal(np.argwhere(labels), np.stack([rows, columns], 1))
    bounds = stroke_bounds(stroke, shape)
    if bounds is None:
        assert len(rows) == 0
    else:
        row, stop_row, column, stop_column = bounds
        labels[row:stop_row, column:stop_column] = 0
        assert not labels.any()
        assert 0 <= row < stop_row <= shape[0]
        assert 0 <= column < stop_column <= shape[1]


@settings(deadline=None)
@given(strokes)
def test_strips_of_rows_make_no_difference(stroke):
    whole = rasterise([stroke], (40, 40))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(painting, "STRIP_PIXELS", 100)
        np.testing.assert_array_equal(rasterise([stroke], (40, 40)), whole)


def test_painting_into_part_of_an_array():
    labels = np.zeros((20, 40), np.uint8)
    paint(labels[::2, ::2], [Stroke("s", 4, "path", [[0, 5], [19, 5]], 1)])
    np.testing.assert_array_equal(np.argwhere(labels), [[10, column] for column in range(0, 40, 2)])


@pytest.mark.parametrize("kind", ["path", "polygon"])
@pytest.mark.parametrize("pen", [0.5, 10_000])
def test_absurd_strokes_come_to_an_end(kind, pen):
    points = np.random.default_rng(0).uniform(-1e7, 1e7, (100_000, 2))
    labels = rasterise([Stroke("s", 1, kind, points, pen)], (256, 256))
    assert labels.all() == (kind == "path" and pen == 10_000)


def test_an_image_without_pixels():
    assert rasterise([Stroke("s", 1, "path", [[0, 0], [5, 5]], 3)], (0, 5)).shape == (0, 5)


def test_what_the_eraser_drew_is_unlabelled_unless_it_is_drawn_over_again():
    strokes = [
        {"class_id": 1, "points": [(2, 10), (30, 10)], "width": 5},
        {"class_id": 0, "points": [(16, 0), (16, 20)], "width": 6},
        {"class_id": 2, "points": [(16, 11)], "width": 1},
    ]
    whole, cut, again = (rasterise(strokes[:count], (21, 33)) for count in (1, 2, 3))
    erased = rasterise([{**strokes[1], "class_id": 1}], (21, 33)) > 0
    assert (cut == np.where(erased, 0, whole)).all()
    assert (whole > cut).any()
    assert np.argwhere(again != cut).tolist() == [[11, 16]]
    assert again[11, 16] == 2


def test_a_stroke_that_names_no_class_is_refused_rather_than_erasing():
    with pytest.raises(ValueError, match="class"):
        rasterise([{"points": [(2, 2)]}], (5, 5))
