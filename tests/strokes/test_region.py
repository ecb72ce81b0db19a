"""Where an image is worked on, and only there: outlines among the strokes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.strokes.classes import REGION, LabelClass
from segmentation.strokes.document import outlines_of, strokes_from_json, strokes_to_json
from segmentation.strokes.raster import rasterise, region_of, stroke_pixels
from segmentation.strokes.stroke import Stroke

SHAPE = 30, 40
PLACES = st.tuples(st.integers(-5, 45), st.integers(-5, 35))
STROKES = st.lists(
    st.builds(
        lambda class_id, corners: Stroke("s", class_id, "rectangle", np.array(corners, float)),
        st.sampled_from([0, 1, 2, REGION]),
        st.tuples(PLACES, PLACES),
    ),
    max_size=6,
).map(lambda drawn: [Stroke(f"s{n}", one.class_id, one.kind, one.points) for n, one in enumerate(drawn)])


@given(drawn=STROKES)
def test_outside_nothing_is_labelled_and_inside_all_is_as_it_was(drawn):
    region = region_of(drawn, SHAPE)
    expected = rasterise([stroke for stroke in drawn if stroke.class_id != REGION], SHAPE)
    if region is not None:
        inside = np.zeros(SHAPE, bool)
        for stroke in drawn:
            if stroke.class_id == REGION:
                inside[stroke_pixels(stroke, SHAPE)] = True
        np.testing.assert_array_equal(region, inside)
        expected[~region] = 0
    assert (region is None) == all(stroke.class_id != REGION for stroke in drawn)
    np.testing.assert_array_equal(rasterise(drawn, SHAPE), expected)


def test_outlines_travel_in_files_and_have_no_class():
    drawn = [
        Stroke("a", 1, "path", [[1, 1], [9, 9]], 3),
        Stroke("here", REGION, "circle", [[2, 2], [20, 20]]),
    ]
    document = strokes_from_json(strokes_to_json(drawn, [LabelClass(1, "void", "#112233")], "h", SHAPE))
    assert document.drawings[0].strokes == tuple(drawn)
    assert outlines_of([document]) == {"h": [drawn[1].to_json()]}
    assert [stroke.has_class for stroke in drawn] == [True, False]
    with pytest.raises(ValueError, match="a line has no inside"):
        Stroke("here", REGION, "path", [[2, 2], [20, 20]])
