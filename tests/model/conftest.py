"""A classifier file of each kind of trees."""

from dataclasses import replace

import numpy as np
import pytest

from segmentation.features.constants import ColourConstants
from segmentation.forest.forest import Forest
from segmentation.forest.growing import grow_forest
from segmentation.forest.sampling import PixelSample
from segmentation.forest.settings import ForestSettings
from segmentation.model.modelfile import ModelContents
from tests.support.modelfiles import CLASSES, N_FEATURES, SPEC, STROKES, TRAINING, written


@pytest.fixture(scope="module")
def rows():
    return np.random.default_rng(0).normal(size=(300, N_FEATURES)).astype(np.float32)


@pytest.fixture(scope="module", params=["bins", "floats"])
def contents(rows, request):
    from sklearn.ensemble import ExtraTreesClassifier

    class_ids = np.array([2, 5, 9], np.uint8)[np.random.default_rng(1).integers(3, size=len(rows))]
    ranges = np.stack([rows.min(axis=0) - 1, rows.max(axis=0) + 1])
    ranges[:, 0] = np.nan
    chosen = ForestSettings(n_estimators=12, max_depth=5, random_state=7)
    if request.param == "bins":
        forest = grow_forest(rows, class_ids, chosen)
    else:  # as files of the first version have them
        forest = Forest.from_sklearn(ExtraTreesClassifier(12, max_depth=5, random_state=0).fit(rows, class_ids))
    return ModelContents(
        spec=replace(SPEC, constants=ColourConstants(-0.5, 0.01)),
        forest=forest,
        settings=chosen,
        classes=CLASSES,
        class_ids=(2, 5, 9),
        channels=2,
        training=TRAINING,
        strokes=STROKES,
        pixels=PixelSample(rows, class_ids, ranges),
    )


@pytest.fixture(scope="module")
def data(contents):
    return written(contents)
