"""Objects of QuPath and other programs become strokes."""

import numpy as np
import pytest

from segmentation.strokes.geojson import is_geojson, outlines_from_geojson
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke

SQUARE = [[2, 3], [7, 3], [7, 9], [2, 9], [2, 3]]
HOLE = [[4, 5], [6, 5], [6, 7], [4, 7], [4, 5]]


def feature(kind, coordinates, **properties):
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "id": "0c3", "geometry": geometry, "properties": properties}


def labels_of(document, shape=(12, 12)):
    outlines = outlines_from_geojson(document)
    strokes = [Stroke(f"q{n}", 1, one.kind, one.points, 1, one.starts) for n, one in enumerate(outlines)]
    return rasterise(strokes, shape)


def test_a_polygon_between_pixels_labels_the_pixels_in_it_and_not_those_in_its_hole():
    expected = np.zeros((12, 12), np.uint8)
    expected[3:9, 2:7] = 1
    expected[5:7, 4:6] = 0
    for document in (feature("Polygon", [SQUARE, HOLE]), [feature("MultiPolygon", [[SQUARE, HOLE]])]):
        assert np.array_equal(
            labels_of(
                {"type": "FeatureCollection", "features": [document]} if isinstance(document, dict) else document
            ),
            expected,
        )


def test_lines_and_points_are_one_pixel_wide():
    found = labels_of([feature("LineString", [[1, 1.5], [6, 1.5]]), feature("Point", [9.5, 9.5])])
    assert found[1, 1:6].all()
    assert found[9, 9] == 1
    assert not found[2].any()
    assert np.count_nonzero(found) <= 8


@pytest.mark.parametrize(
    ("properties", "name", "colour"),
    [
        ({"classification": {"name": "Tumor", "color": [200, 0, 0]}}, "Tumor", "#c80000"),
        ({"classification": {"name": "Stroma", "colorRGB": -6895466}}, "Stroma", "#96c896"),
        ({"classification": {"names": ["Tumor", "Positive"]}}, "Tumor: Positive", ""),
        ({"classification": "Rim"}, "Rim", ""),
        ({"objectType": "annotation"}, "Unclassified", ""),
        ({"classification": {"name": "Void", "color": "red"}}, "Void", ""),
    ],
)
def test_classes_have_names_and_colours(properties, name, colour):
    (outline,) = outlines_from_geojson(feature("Polygon", [SQUARE], **properties))
    assert (outline.class_name, outline.colour) == (name, colour)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        ({"type": "FeatureCollection", "features": []}, "no polygon, line or point"),
        ({"type": "FeatureCollection", "features": 3}, "must be a JSON array"),
        (feature("Curve", []), "other than Point"),
        (feature(["Polygon"], [SQUARE]), "other than Point"),
        (feature({}, [SQUARE]), "other than Point"),
        (feature("Polygon", [[[1, "2"]]]), "must be a number"),
        (feature("Polygon", [[[1]]]), "not x and y"),
        (feature("LineString", []), "no positions"),
        (feature("Polygon", [SQUARE], classification={"name": "a\x00b"}), "cannot be shown"),
        ([[1]], "must be a JSON object"),
    ],
)
def test_what_is_none_is_refused_with_a_sentence(document, sentence):
    with pytest.raises(ValueError, match=sentence):
        outlines_from_geojson(document)


def test_it_is_told_from_other_json():
    assert is_geojson([feature("Point", [1, 2])])
    assert is_geojson({"type": "Polygon"})
    assert not any(map(is_geojson, ({"format": "squiggle-strokes"}, [], None, {"type": "Topology"}, {"type": []})))


def test_lists_in_lists_however_deep_are_none():
    nested = []
    for _ in range(10_000):
        nested = [nested]
    assert not is_geojson(nested)
