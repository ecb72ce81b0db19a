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


def test_lent_labels_stay_as_they_were_and_cost_a_copy_only_while_somebody_has_them():
    raster = LabelRaster(SHAPE)
    raster.follow(STROKES[:2])
    lent = raster.lend()
    memory = raster.labels
    raster.follow(STROKES[:2])
    assert raster.labels is memory
    raster.follow(STROKES[:3])
    assert raster.labels is not memory
    np.testing.assert_array_equal(lent, rasterise(STROKES[:2], SHAPE))
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES[:3], SHAPE))
    del lent
    raster.lend()
    memory = raster.labels
    raster.follow(STROKES)
    assert raster.labels is memory
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES, SHAPE))
    raster.follow(STROKES[1:])
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES[1:], SHAPE))
