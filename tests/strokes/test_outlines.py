"""Labels become polygons that label the very same pixels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from segmentation.strokes import outlines
from segmentation.strokes.outlines import outline_strokes
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke


@given(arrays.arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.integers(0, 3)))
def test_they_label_the_same_pixels_also_as_json(labels):
    strokes = outline_strokes(labels, "m")
    assert np.array_equal(rasterise(strokes, labels.shape), labels)
    again = [Stroke.from_json(stroke.to_json()) for stroke in strokes]
    assert again == strokes


def test_each_region_with_its_holes_is_a_stroke():
    labels = np.zeros((20, 30), np.uint8)
    labels[2:9, 3:12], labels[4:6, 5:8], labels[10:15, 3:12], labels[4:6, 20:25] = 1, 2, 1, 1
    strokes = outline_strokes(labels, "m")
    assert [(stroke.class_id, len(stroke.starts)) for stroke in strokes] == [(1, 2), (1, 1), (1, 1), (2, 1)]
    assert [stroke.id for stroke in strokes] == ["m1", "m2", "m3", "m4"]
    assert strokes[2].points.min(axis=0).tolist() == [2.5, 9.5]


@pytest.mark.parametrize(("tile", "largest", "apart"), [(7, 50_000, 2_000), (4096, 8, 2_000), (4096, 50_000, 1)])
def test_what_is_cut_or_joined_labels_the_same_pixels(monkeypatch, tile, largest, apart):
    monkeypatch.setattr(outlines, "TILE", tile)
    monkeypatch.setattr(outlines, "LARGEST_STROKE", largest)
    monkeypatch.setattr(outlines, "REGIONS_APART", apart)
    monkeypatch.setattr(outlines, "SHARED_CORNERS", 40)
    labels = np.random.default_rng(0).integers(0, 3, (33, 41)).astype(np.uint8)
    strokes = outline_strokes(labels, "m")
    assert np.array_equal(rasterise(strokes, labels.shape), labels)
    assert len({stroke.id for stroke in strokes}) == len(strokes)


def test_what_is_too_fine_is_refused_with_a_sentence():
    with pytest.raises(ValueError, match=r"more than 400,000 corners: smooth it"):
        outline_strokes((np.indices((700, 700)).sum(0) % 2).astype(np.uint8), "m")


def test_nothing_is_no_stroke():
    assert outline_strokes(np.zeros((5, 5), np.uint8), "m") == []
