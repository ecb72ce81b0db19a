"""The labels of a session's image, kept up with its strokes."""

import numpy as np

from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke
from segmentation.web.session.labels import LabelRaster

SHAPE = 40, 50
STROKES = tuple(
    Stroke.from_json(
        {"id": f"s{row}", "class_id": 1 + row % 2, "kind": "path", "path": f"M2,{row}L45,{row}", "width": 3}
    )
    for row in (5, 7, 20, 31)
)


def test_a_snapshot_of_labels_stays_as_it_was_and_costs_a_copy_only_while_somebody_has_it():
    raster = LabelRaster(SHAPE)
    raster.update(STROKES[:2])
    snapshot = raster.snapshot()
    memory = raster.labels
    raster.update(STROKES[:2])
    assert raster.labels is memory
    raster.update(STROKES[:3])
    assert raster.labels is not memory
    np.testing.assert_array_equal(snapshot, rasterise(STROKES[:2], SHAPE))
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES[:3], SHAPE))
    del snapshot
    raster.snapshot()
    memory = raster.labels
    raster.update(STROKES)
    assert raster.labels is memory
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES, SHAPE))
    raster.update(STROKES[1:])
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES[1:], SHAPE))


def test_what_a_raster_takes_includes_its_strokes():
    raster = LabelRaster(SHAPE)
    empty = raster.nbytes
    strokes = tuple(Stroke(f"s{number}", 1, "path", np.ones((50, 2)), 3.0) for number in range(20))
    raster.update(strokes)
    assert raster.nbytes >= empty + 20 * 50 * 16
    raster.update(())
    assert raster.nbytes == empty
