import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation.strokes.classes import LabelClass
from segmentation.strokes.document import Drawing, drawings_to_json, strokes_from_json, strokes_to_json
from segmentation.strokes.raster import as_stroke, rasterise
from segmentation.strokes.stroke import Stroke

coordinate = st.floats(-1e7, 1e7)
points = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=9)


@st.composite
def strokes(draw):
    kind = draw(st.sampled_from(["path", "polygon", "rectangle", "circle"]))
    drawn = draw(
        points if kind in ("path", "polygon") else st.lists(st.tuples(coordinate, coordinate), min_size=2, max_size=2)
    )
    starts = (0,)
    if kind in ("path", "polygon"):
        starts = (0, *sorted(draw(st.sets(st.integers(1, max(1, len(drawn) - 1)), max_size=2)) - {len(drawn)}))
    width = draw(st.floats(0, 10_000, exclude_min=True))
    return Stroke(
        draw(st.from_regex(r"[\w.:-]{1,64}", fullmatch=True, alphabet=st.characters(codec="ascii"))),
        draw(st.integers(0, 255)),
        kind,
        drawn,
        width,
        starts,
    )


@given(strokes())
def test_a_stroke_survives_json_to_the_last_bit(stroke):
    back = Stroke.from_json(json.loads(json.dumps(stroke.to_json(), allow_nan=False)))
    assert back == stroke
    assert hash(back) == hash(stroke)
    np.testing.assert_array_equal(back.points, stroke.points)


def test_json_of_each_kind():
    assert Stroke("a", 1, "path", [[1, 2.5], [3, 4]], 5).to_json() == {
        "id": "a", "class_id": 1, "kind": "path", "path": "M1,2.5L3,4", "width": 5.0,
    }  # fmt: skip
    assert Stroke("a", 1, "polygon", [[1, 2], [3, 4], [5, 0], [7, 7]], starts=(0, 3)).to_json() == {
        "id": "a", "class_id": 1, "kind": "polygon", "path": "M1,2L3,4L5,0ZM7,7Z",
    }  # fmt: skip
    assert Stroke("a", 1, "rectangle", [[5, 2], [3, 4]]).to_json() == {
        "id": "a", "class_id": 1, "kind": "rectangle", "x0": 3.0, "y0": 2.0, "x1": 5.0, "y1": 4.0,
    }  # fmt: skip


def test_a_filled_shape_may_come_with_a_width_that_does_not_matter():
    values = Stroke("a", 1, "circle", [[1, 2], [3, 4]]).to_json()
    assert Stroke.from_json({**values, "width": 5}) == Stroke.from_json(values)
    assert Stroke("a", 1, "circle", [[1, 2], [3, 4]], 7) == Stroke.from_json(values)


def test_strokes_differ_in_each_of_their_values():
    base = Stroke("a", 1, "path", [[1, 2], [3, 4]], 5)
    others = [
        Stroke("b", 1, "path", [[1, 2], [3, 4]], 5),
        Stroke("a", 2, "path", [[1, 2], [3, 4]], 5),
        Stroke("a", 1, "polygon", [[1, 2], [3, 4]], 5),
        Stroke("a", 1, "path", [[1, 2], [3, 5]], 5),
        Stroke("a", 1, "path", [[1, 2], [3, 4]], 6),
        Stroke("a", 1, "path", [[1, 2], [3, 4]], 5, (0, 1)),
    ]
    assert all(base != other for other in others)
    assert base != "a"


def test_a_stroke_keeps_its_points_to_itself():
    points = np.array([[1.0, 2.0], [3.0, 4.0]])
    stroke = Stroke("a", 1, "path", points, 5)
    points[:] = 0
    assert stroke.points.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(ValueError, match="read-only"):
        stroke.points[0] = 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": ""}, "id of a stroke"),
        ({"id": "a" * 65}, "id of a stroke"),
        ({"id": "<b>"}, "id of a stroke"),
        ({"id": "a\n"}, "id of a stroke"),
        ({"id": 5}, "id of a stroke"),
        ({"class_id": -1}, "class of a stroke"),
        ({"class_id": 257}, "class of a stroke"),
        ({"class_id": 256}, "a line has no inside"),
        ({"class_id": 1.0}, "class of a stroke"),
        ({"class_id": True}, "class of a stroke"),
        ({"kind": "square"}, "kind of a stroke"),
        ({"kind": ["path"]}, "kind of a stroke"),
        ({"width": 0}, "width of a stroke"),
        ({"width": -1}, "width of a stroke"),
        ({"width": 10_001}, "width of a stroke"),
        ({"width": float("nan")}, "width of a stroke"),
        ({"width": float("inf")}, "width of a stroke"),
        ({"width": "5"}, "width of a stroke"),
        ({"width": None}, "width of a stroke"),
        ({"points": []}, "points of a stroke"),
        ({"points": None}, "points of a stroke"),
        ({"points": {}}, "points of a stroke"),
        ({"points": "M1,2"}, "points of a stroke"),
        ({"points": [[1, 2], [3]]}, "points of a stroke"),
        ({"points": [[1, 2, 3]]}, "points of a stroke"),
        ({"points": np.zeros((100_001, 2))}, "points of a stroke"),
        ({"points": [[1, float("nan")]]}, "coordinates of a stroke"),
        ({"points": [[1, 1.1e7]]}, "coordinates of a stroke"),
        ({"points": [[1, 2]], "kind": "circle"}, "two points"),
        ({"kind": "rectangle", "starts": (0, 1)}, "two points"),
        ({"starts": (0, 2)}, "starts"),
        ({"starts": (1,)}, "starts"),
        ({"starts": ()}, "starts"),
        ({"starts": (0, 1, 1)}, "starts"),
    ],
)
def test_impossible_strokes_are_refused(change, sentence):
    values = {"id": "a", "class_id": 1, "kind": "path", "points": [[1, 2], [3, 4]], "width": 5.0} | change
    with pytest.raises(ValueError, match=sentence):
        Stroke(**values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (None, "JSON object"),
        ([], "JSON object"),
        ({}, "lacks 'id'"),
        ({"id": "a", "class_id": 1, "kind": "path", "path": "M1,2L3,4"}, "lacks 'width'"),
        ({"id": "a", "class_id": 1, "kind": "path", "path": "M1,2L3,x", "width": 5}, "path"),
        ({"id": "a", "class_id": 1, "kind": "path", "path": 5, "width": 5}, "path"),
        ({"id": "a", "class_id": 1, "kind": "path", "path": "M1,2L3,4", "width": 5, "x": 1}, "unknown key 'x'"),
        ({"id": "a", "class_id": 1, "kind": "blob", "path": "M1,2L3,4"}, "kind of a stroke"),
        ({"id": "a", "class_id": 1, "kind": "circle", "x0": 1, "y0": 1, "x1": 2}, "lacks 'y1'"),
        ({"id": "a", "class_id": 1, "kind": "circle", "x0": 1, "y0": 1, "x1": 2, "y1": None}, "y1 of a circle"),
        ({"id": "a", "class_id": 1, "kind": "circle", "x0": 1, "y0": 1, "x1": 2, "y1": 1e9}, "coordinates"),
    ],
)
def test_json_that_is_no_stroke_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Stroke.from_json(values)


@pytest.mark.slow
def test_labels_of_strokes_and_of_what_stands_for_strokes():
    stroke = Stroke("a", 3, "path", [[2, 2], [8, 6]], 3)
    expected = rasterise([stroke], (10, 10))
    assert expected.dtype == np.uint8
    assert expected.max() == 3
    for other in (
        {"cls": 3, "points": np.array([[2.0, 2], [8, 6]]), "width": 3.0},
        {"cls": np.int64(3), "points": [[2, 2], [8, 6]], "width": np.float32(3)},
        {"class_id": 3, "points": [[2, 2], [8, 6]], "width": 3, "id": "x"},
        stroke.to_json(),
        {"class_id": 3, "kind": "path", "path": "M2 2 L8 6", "width": 3},
    ):
        np.testing.assert_array_equal(rasterise([other], (10, 10, 3)), expected)


@pytest.mark.parametrize("value", [None, 5, "M1,2", {}, {"points": [[1, 2]]}, {"cls": -1, "points": [[1, 2]]}])
def test_what_stands_for_no_stroke_is_refused(value):
    with pytest.raises(ValueError, match=r"^(A|The) .*stroke"):
        as_stroke(value, id="1")


CLASSES = (LabelClass(1, "void", "#e69f00"), LabelClass(2, "solid", "#56b4e9"))
DRAWN = (Stroke("a", 1, "path", [[1, 2.25], [3, 4]], 5), Stroke("b", 2, "circle", [[5, 5], [9, 8]]))


def document(**changes):
    settings = {"features": {"sigma_max": 8}}
    return strokes_to_json(DRAWN, CLASSES, "sha256:00ff", (480, 640), settings) | changes


def test_a_strokes_document_survives_json():
    for given_as in (document(), json.dumps(document()), json.dumps(document()).encode()):
        read = strokes_from_json(given_as)
        assert read.drawings == (Drawing("sha256:00ff", (480, 640), DRAWN),)
        assert read.classes == CLASSES
        assert read.settings == {"features": {"sigma_max": 8}}
    without = strokes_to_json(DRAWN, CLASSES, "00ff", (480, 640, 3))
    assert "settings" not in without
    assert strokes_from_json(without).settings == {}


def test_the_strokes_on_several_images_survive_json_in_their_order():
    drawings = (
        Drawing("00ff", (480, 640), DRAWN, "first.tif", 3),
        Drawing("00ee", (10, 20), DRAWN[:1], "second.tif", 1),
        Drawing("00dd", (10, 20), ()),
    )
    several = drawings_to_json(drawings, CLASSES, {"forest": {}})
    read = strokes_from_json(json.dumps(several))
    assert read.drawings == drawings
    assert several["strokes"] == strokes_to_json(DRAWN, CLASSES, "00ff", (480, 640))["strokes"]
    assert drawings_to_json([Drawing("00ff", (480, 640), DRAWN)], CLASSES) == strokes_to_json(
        DRAWN, CLASSES, "00ff", (480, 640)
    )


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        (b"\x89PNG", "not valid JSON"),
        ("[1, 2]", "not a strokes file"),
        ({}, "not a strokes file"),
        (None, "not a strokes file"),
        (document(format="geojson"), "not a strokes file"),
        (document(version=2), "another version"),
        (document(version="1"), "another version"),
        (document(extra=1), "unknown key"),
        ({k: v for k, v in document().items() if k != "strokes"}, "lacks 'strokes'"),
        (document(image={"hash": "00"}), "lacks 'rows'"),
        (document(image={"hash": "../x", "rows": 1, "columns": 1}), "hash"),
        (document(image={"hash": "00", "rows": 0, "columns": 1}), "rows"),
        (document(classes=[CLASSES[0].to_json()]), "class 2"),
        (document(classes=[CLASSES[0].to_json()] * 2), "same id"),
        (document(classes="ab"), "JSON array"),
        (document(strokes=[DRAWN[0].to_json()] * 2), "same id"),
        (document(strokes={}), "JSON array"),
        (document(others={}), "JSON array"),
        (document(others=[document()]), "unknown key"),
        (document(others=[{"image": document()["image"], "strokes": []}]), "an image twice"),
        (document(others=[{"image": {"hash": "00", "rows": 1, "columns": 1}}]), "lacks 'strokes'"),
        (document(others=[{"image": {"hash": "00", "rows": 1, "columns": 1, "name": 3}, "strokes": []}]), "name"),
        (
            document(others=[{"image": {"hash": "00", "rows": 1, "columns": 1, "channels": 0}, "strokes": []}]),
            "channel",
        ),
        (document(strokes=[None]), "JSON object"),
        (document(settings=[]), "settings"),
    ],
)
def test_what_is_no_strokes_document_is_refused(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        strokes_from_json(changed)
