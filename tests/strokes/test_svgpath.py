import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation.strokes.svgpath import FLATNESS, MAX_POINTS, Subpath, format_path, parse_path

coordinate = st.floats(-1e7, 1e7, allow_nan=False)
point = st.tuples(coordinate, coordinate)


def only(path):
    (subpath,) = parse_path(path)
    return subpath


def points(path):
    return only(path).points.tolist()


def test_what_plotly_writes():
    assert points("M31.5,31.5L57.1,44.3L63.5,76.3") == [[31.5, 31.5], [57.1, 44.3], [63.5, 76.3]]
    assert points("M1e-15,-2.5E+2L.5,1.") == [[1e-15, -250], [0.5, 1]]
    closed = only("M127.5,31.5L191.5,31.5L191.5,95.5L127.5,89.1Z")
    assert closed.closed
    assert closed.points.tolist() == [[127.5, 31.5], [191.5, 31.5], [191.5, 95.5], [127.5, 89.1]]
    assert not only("M1,2L3,4").closed
    assert points("M0,0Z") == [[0, 0]]


@pytest.mark.parametrize(
    "path",
    [
        "M 1 2 L 3 4",
        "M1,2 L3,4",
        " M1,2\n\tL3 , 4 ",
        "M1 2 3 4",
        "m1 2 l2 2",
        "m1,2 2,2",
        "M1,2H3V4",
        "M1,2h2v2",
        "M1,2,3,4",
    ],
)
def test_the_same_line_in_other_words(path):
    assert points(path)[0] == [1, 2]
    assert points(path)[-1] == [3, 4]


def test_numbers_need_no_separators_where_svg_needs_none():
    assert points("M10-20L.5.25") == [[10, -20], [0.5, 0.25]]


def test_several_subpaths():
    parts = parse_path("M0,0L4,0L4,4ZM1,1L2,1L2,2ZM9,9L8,8")
    assert [part.closed for part in parts] == [True, True, False]
    assert [part.points[0].tolist() for part in parts] == [[0, 0], [1, 1], [9, 9]]


def test_after_closing_the_pen_is_back_at_the_start():
    parts = parse_path("M1,1L4,1L4,4Zl2,2")
    assert parts[1].points.tolist() == [[1, 1], [3, 3]]
    assert parse_path("M1,1l4,0zm1,1l1,0")[1].points.tolist() == [[2, 2], [3, 2]]


def curve(control, t):
    layer = [np.array([p], float) for p in control]
    while len(layer) > 1:
        layer = [(1 - t[:, None]) * a + t[:, None] * b for a, b in pairwise(layer)]
    return layer[0]


def distance_to_polyline(polyline, place):
    a, d = polyline[:-1], np.diff(polyline, axis=0)
    square = np.maximum((d**2).sum(1), 1e-300)
    t = np.clip(((place - a) * d).sum(1) / square, 0, 1)
    return np.hypot(*(a + t[:, None] * d - place).T).min()


small = st.tuples(st.floats(-500, 500), st.floats(-500, 500))


@settings(deadline=None)
@given(st.lists(small, min_size=3, max_size=4))
def test_curves_are_flat_to_a_tenth_of_a_pixel(control):
    letter = "Q" if len(control) == 3 else "C"
    text = f"M{control[0][0]!r},{control[0][1]!r}{letter}" + " ".join(f"{x!r},{y!r}" for x, y in control[1:])
    polyline = only(text).points
    assert polyline[0].tolist() == list(control[0])
    assert polyline[-1].tolist() == list(control[-1])
    np.testing.assert_allclose(polyline, curve(control, np.linspace(0, 1, len(polyline))), atol=1e-6)
    for place in curve(control, np.linspace(0, 1, 41)):
        assert distance_to_polyline(polyline, place) <= FLATNESS + 1e-9


def test_smooth_curves_mirror_the_control_point():
    smooth, explicit = points("M0,0C0,10 10,10 10,0S20,-10 20,0"), points("M0,0C0,10 10,10 10,0C10,-10 20,-10 20,0")
    np.testing.assert_allclose(smooth, explicit)
    smooth, explicit = points("M0,0Q5,10 10,0T20,0"), points("M0,0Q5,10 10,0Q15,-10 20,0")
    np.testing.assert_allclose(smooth, explicit)
    # after anything else, the pen's place is the control point
    np.testing.assert_allclose(points("M0,0L10,0S20,10 20,0"), points("M0,0L10,0C10,0 20,10 20,0"))
    np.testing.assert_allclose(points("M0,0Q5,10 10,0S20,10 20,0"), points("M0,0Q5,10 10,0C10,0 20,10 20,0"))
    np.testing.assert_allclose(points("M0,0T10,0T20,5"), points("M0,0Q0,0 10,0Q20,0 20,5"))


def test_relative_curves():
    np.testing.assert_allclose(points("M5,5c0,10 10,10 10,0s10,-10 10,0"), points("M5,5C5,15 15,15 15,5S25,-5 25,5"))
    np.testing.assert_allclose(points("M5,5q5,10 10,0t10,0"), points("M5,5Q10,15 15,5T25,5"))
    np.testing.assert_allclose(points("M5,5a5,5 0 0 1 10,0"), points("M5,5A5,5 0 0 1 15,5"))


@settings(deadline=None)
@given(st.floats(1, 300), st.floats(1, 300), st.floats(-180, 180), st.floats(0, 6.28), st.floats(0.3, 6), st.booleans())
def test_arcs_lie_on_their_ellipse(rx, ry, degrees, first, turn, sweep):
    turn = turn if sweep else -turn
    rotation = np.array(
        [[math.cos(math.radians(degrees)), -math.sin(math.radians(degrees))],
         [math.sin(math.radians(degrees)), math.cos(math.radians(degrees))]]
    )  # fmt: skip

    def at(angle):
        return rotation @ [rx * math.cos(angle), ry * math.sin(angle)] + [20, 30]

    (x0, y0), (x1, y1) = at(first).tolist(), at(first + turn).tolist()
    large = int(abs(turn) > math.pi)
    polyline = only(f"M{x0},{y0}A{rx},{ry} {degrees} {large} {int(sweep)} {x1},{y1}").points
    unit = (polyline - [20, 30]) @ rotation / [rx, ry]
    # where half a turn is cut off, the two possible centres meet, and rounding moves them along the chord's normal
    if abs(abs(turn) - math.pi) > 0.01:
        np.testing.assert_allclose(np.hypot(*unit.T), 1, atol=1e-6)
        for angle in np.linspace(first, first + turn, 31):
            assert distance_to_polyline(polyline, at(angle)) <= FLATNESS + 1e-6


def test_arcs_that_cannot_be_are_made_possible_as_svg_says():
    assert points("M0,0A0,5 0 0 1 10,0") == [[0, 0], [10, 0]]
    assert points("M3,3A5,5 0 1 1 3,3") == [[3, 3], [3, 3]]
    too_small = only("M0,0A1,1 0 0 1 10,0").points
    np.testing.assert_allclose(np.hypot(*(too_small - [5, 0]).T), 5)
    np.testing.assert_allclose(points("M0,0A-5,-5 0 0 1 5,5"), points("M0,0A5,5 0 0 1 5,5"))


def test_a_circle_of_two_arcs_as_plotly_draws_it():
    circle = only("M60,50A10,10 0 1,1 50,40A10,10 0 0,1 60,50Z")
    assert circle.closed
    np.testing.assert_allclose(np.hypot(*(circle.points - [50, 50]).T), 10)
    assert len(circle.points) > 16


@given(st.lists(st.tuples(st.lists(point, min_size=1, max_size=6), st.booleans()), min_size=1, max_size=4))
def test_written_paths_are_read_back_to_the_last_bit(parts):
    written = [Subpath(np.array(p), closed) for p, closed in parts]
    read = parse_path(format_path(written))
    assert [part.closed for part in read] == [part.closed for part in written]
    for a, b in zip(written, read, strict=True):
        np.testing.assert_array_equal(a.points, b.points)


@pytest.mark.parametrize(
    "path",
    [
        "", "  ", "L1,2", "1,2", "x", "M", "M1", "M1,2L3", "M1,2L3,x", "M1,NaNL3,4", "M1,2L3,undefined", "M1,2Z3",
        "M1,2L", "M1,2B3,4", "M1,2L1e8,0", "M1,2L1e999,0", "M1,2C1,2,3,4", "M1,2A5,5,0,2,1,8,8", "M1_0,2", "M１,2L3,4",
        "M0x10,2", None, 5, b"M1,2", ["M1,2"],
    ],
)  # fmt: skip
def test_what_is_no_path_is_refused(path):
    with pytest.raises(ValueError, match="path"):
        parse_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "M0,0" + "L1,1" * MAX_POINTS,
        "M0,0 " + "1 1 " * MAX_POINTS,
        "M0,0Q1e7,1e7 0,0" * 100,
        "M-1e7,0A1e7,1e7 0 1 1 1e7,1" * 100,
        "M0,0" + " " * 10_000_000,
    ],
)
def test_a_path_cannot_have_endless_points(path):
    with pytest.raises(ValueError, match=r"more than 100,000 points"):
        parse_path(path)


@given(st.text("MLHVCSQTAZmlhvcsqtaz0123456789.,-+eE \n", max_size=60))
def test_any_text_is_a_path_or_refused(text):
    try:
        parts = parse_path(text)
    except ValueError:
        return
    assert all(len(part.points) for part in parts)
    assert all(np.isfinite(part.points).all() for part in parts)
