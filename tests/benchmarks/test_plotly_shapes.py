"""Shapes as plotly.js 4.1 wrote them: recorded from a browser in which each was drawn, then edited and moved."""

import numpy as np
import pytest

from benchmarks.plotly_shapes import stroke_from_shape, strokes_from_shapes
from segmentation.strokes.raster import rasterise

OPEN = {
    "editable": True, "visible": True, "name": None, "showlegend": False, "xref": "x", "yref": "y", "layer": "above",
    "opacity": 1, "line": {"color": "#e69f00", "width": 5, "dash": "solid"},
}  # fmt: skip
FILLED = {**OPEN, "fillcolor": "rgba(0,0,0,0)", "fillrule": "evenodd"}


def stroke(shape, **options):
    return stroke_from_shape(shape, 2, id="a", **options)


def test_drawopenpath():
    drawn = stroke({**OPEN, "type": "path", "path": "M31.5,31.5L57.1,44.3L63.5,76.3"})
    assert (drawn.kind, drawn.class_id, drawn.id, drawn.width) == ("path", 2, "a", 5.0)
    assert drawn.points.tolist() == [[31.5, 31.5], [57.1, 44.3], [63.5, 76.3]]
    assert stroke({**OPEN, "type": "path", "path": "M1,1L9,9"}, width=2.5).width == 2.5


def test_drawclosedpath():
    drawn = stroke({**FILLED, "type": "path", "path": "M127.5,31.5L191.5,31.5L191.5,95.5L127.5,89.1Z"})
    assert drawn.kind == "polygon"
    assert len(drawn.points) == 4


def test_drawclosedpath_that_ends_exactly_where_it_began_has_no_z():
    path = "M127.5,159.5L191.5,159.5L191.5,223.5L127.5,217.1L127.5,159.5"
    assert stroke({**FILLED, "type": "path", "path": path}).kind == "polygon"
    # an open path that does the same stays a path: it has no fillrule
    assert stroke({**OPEN, "type": "path", "path": path}).kind == "path"
    # once its first vertex was moved, only who knows the drawing mode can tell
    edited = "M127.5,159.5L191.5,159.5L191.5,223.5L127.5,217.1L135.18,165.26"
    assert stroke({**FILLED, "type": "path", "path": edited}, kind="polygon").kind == "polygon"


def test_an_open_path_with_a_fillrule_stays_open():
    assert stroke({**FILLED, "type": "path", "path": "M1,1L9,1L9,9L2,2"}).kind == "path"


def test_drawline():
    drawn = stroke({**OPEN, "type": "line", "x0": 319.5, "y0": 31.5, "x1": 255.5, "y1": 76.3})
    assert drawn.kind == "path"
    assert drawn.points.tolist() == [[319.5, 31.5], [255.5, 76.3]]
    assert drawn.width == 5


def test_drawrect():
    drawn = stroke({**FILLED, "type": "rect", "x0": 332.3, "y0": 127.5, "x1": 268.3, "y1": 191.5})
    assert drawn.kind == "rectangle"
    assert drawn.points.tolist() == [[268.3, 127.5], [332.3, 191.5]]


def test_drawcircle():
    drawn = stroke(
        {**FILLED, "type": "circle", "x0": 460.75483399593907, "y0": 163.70386719675122, "x1": 370.24516600406093,
         "y1": 91.29613280324878}
    )  # fmt: skip
    assert drawn.kind == "circle"
    assert drawn.points.tolist() == [[370.24516600406093, 91.29613280324878], [460.75483399593907, 163.70386719675122]]


@pytest.mark.slow
def test_a_circle_as_a_path_of_arcs_labels_what_the_circle_labels():
    circle = stroke({**FILLED, "type": "circle", "x0": 10, "y0": 12, "x1": 51, "y1": 40})
    arcs = stroke({**FILLED, "type": "path", "path": "M51,26A20.5,14 0 1,1 30.5,12A20.5,14 0 0,1 51,26Z"})
    assert arcs.kind == "polygon"
    a, b = rasterise([circle], (60, 60)) > 0, rasterise([arcs], (60, 60)) > 0
    assert (a & b).sum() / (a | b).sum() > 0.98


def test_an_edited_path_with_curves_and_several_parts():
    drawn = stroke({**OPEN, "type": "path", "path": "M10,10C10,20,20,20,20,10Q25,0,30,10M40,10L50,1e1"})
    assert drawn.starts == (0, len(drawn.points) - 2)
    assert drawn.points[-1].tolist() == [50, 10]


def test_a_closed_part_of_an_open_path_returns_to_its_start():
    drawn = stroke({**OPEN, "type": "path", "path": "M1,1L9,1L9,9ZM20,20L30,30"})
    assert drawn.kind == "path"
    assert drawn.points[3].tolist() == [1, 1]
    assert drawn.starts == (0, 4)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        (None, "JSON object"),
        ({}, "must be a path, a line"),
        ({**OPEN, "type": "polygon"}, "must be a path, a line"),
        ({**OPEN, "type": "path"}, "lacks its path"),
        ({**OPEN, "type": "path", "path": None}, "lacks its path"),
        ({**OPEN, "type": "path", "path": "M1,1L2,2"} | {"line": None}, "width"),
        ({**OPEN, "type": "path", "path": "M1,1L2,2"} | {"line": {"width": 0}}, "above 0"),
        ({**OPEN, "type": "path", "path": "M1,1L2,2"} | {"line": {"width": "5"}}, "width"),
        ({**OPEN, "type": "path", "path": "M2026-01-01_00:00,1L2,2"}, "path"),
        ({**OPEN, "type": "line", "x0": 1, "y0": 2, "x1": 3}, "y1 of a shape"),
        ({**FILLED, "type": "rect", "x0": "1", "y0": 2, "x1": 3, "y1": 4}, "x0 of a shape"),
        ({**FILLED, "type": "rect", "x0": float("nan"), "y0": 2, "x1": 3, "y1": 4}, "x0 of a shape"),
        ({**FILLED, "type": "rect", "x0": 1e8, "y0": 2, "x1": 3, "y1": 4}, "coordinates"),
        ({**OPEN, "type": "path", "path": "M1,1L2,2", "xref": "paper"}, "pixels of the image"),
        ({**OPEN, "type": "path", "path": "M1,1L2,2", "yref": "y domain"}, "pixels of the image"),
        ({**OPEN, "type": "path", "path": "M1,1L2,2", "xsizemode": "pixel"}, "pixels of the image"),
    ],
)
def test_what_is_no_stroke_is_refused(shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        stroke(shape)


def test_a_whole_list_of_shapes():
    shapes = [
        {**OPEN, "type": "path", "path": "M1,1L9,9"},
        {**FILLED, "type": "rect", "x0": 2, "y0": 2, "x1": 4, "y1": 4, "line": {"color": "#56B4E9", "width": 1}},
    ]
    strokes = strokes_from_shapes(shapes, {"#E69F00": 1, "#56b4e9": 3}, pixels_per_screen_pixel=0.5)
    assert [(s.id, s.class_id, s.kind) for s in strokes] == [("1", 1, "path"), ("2", 3, "rectangle")]
    assert strokes[0].width == 2.5
    np.testing.assert_array_equal(np.unique(rasterise(strokes, (12, 12))), [0, 1, 3])


@pytest.mark.parametrize("shape", [{**OPEN, "line": {"color": "#000000", "width": 5}}, {"type": "path"}, None])
def test_a_colour_of_no_class_is_refused(shape):
    with pytest.raises(ValueError, match="Shape 1 has a colour"):
        strokes_from_shapes([shape], {"#e69f00": 1})
