"""A classifier file in memory, and what tests take out of it or change in it."""

import json
import zipfile
from dataclasses import fields
from io import BytesIO

import numpy as np

from segmentation._shared.archive import pack
from segmentation.features.spec import FeatureSpec
from segmentation.model.modelfile import save_model
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.stroke import Stroke

SPEC = FeatureSpec(texture=False, sigma_min=1, sigma_max=2)
N_FEATURES = SPEC.count(2)
CLASSES = (LabelClass(2, "void", "#e69f00"), LabelClass(5, "基質", "#56b4e9"), LabelClass(9, "other", "#009e73"))
TRAINING = {
    "images": [
        {"hash": "ab" * 32, "rows": 480, "columns": 640, "channels": 2, "dtype": "uint16", "value_range": [0, 4095]}
    ],
    "strokes": {"2": 3, "5": 4},
    "labelled_pixels": {"2": 300, "5": 400},
    "something newer": [1, 2.5, None],
}
STROKES = (
    Stroke("a", 2, "path", [[1, 2.123456789012345], [3, 4]], 5.5),
    Stroke("b", 5, "circle", [[5, 5], [9, 8]]),
)


def written(contents):
    target = BytesIO()
    save_model(target, contents)
    return target.getvalue()


def members(data):
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def with_facts(data, change):
    """The file with its classifier.json changed in place by a function."""
    parts = members(data)
    facts = json.loads(parts["classifier.json"])
    change(facts)
    return pack(parts | {"classifier.json": json.dumps(facts).encode()})


def assert_same(a, b):
    assert (a.spec, a.settings, a.classes, a.class_ids, a.channels) == (
        b.spec, b.settings, b.classes, b.class_ids, b.channels,
    )  # fmt: skip
    assert (a.training, a.versions, a.strokes) == (b.training, b.versions, b.strokes)
    arrays = [field.name for field in fields(a.forest) if field.name != "bins"]
    assert (a.forest.bins is None) == (b.forest.bins is None)
    for one, other in [
        *((getattr(a.forest, name), getattr(b.forest, name)) for name in arrays),
        *((getattr(a.forest.bins, name, 0), getattr(b.forest.bins, name, 0)) for name in ("low", "scale")),
        (a.pixels.features, b.pixels.features),
        (a.pixels.class_ids, b.pixels.class_ids),
    ]:
        assert np.asarray(one).dtype == np.asarray(other).dtype
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()
