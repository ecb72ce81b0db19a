"""The exported forest, run by onnxruntime, says what ours says."""

import json

import numpy as np
import pytest

import segmentation as seg
from segmentation.__main__ import main
from segmentation.model.onnx_export import onnx_bytes

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def trained(class_ids, kind, pixels, *, learned=False):
    labels = np.zeros(pixels.shape[:2], np.uint8)
    for place, class_id in enumerate(class_ids):
        labels[4 + 12 * place : 10 + 12 * place, 10:50] = class_id
    spec = seg.FeatureSpec(sigma_max=2, learned=learned)
    return seg.PixelClassifier(spec, kind=kind, n_estimators=12).fit(pixels, labels)


@pytest.fixture(scope="module")
def pixels():
    random = np.random.default_rng(0)
    return (random.integers(0, 60, (48, 60, 3)) + np.arange(48)[:, None, None] * 3).astype(np.uint8)


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("class_ids", [(1, 2), (2, 5, 9), (1, 2, 3, 255)])
def test_onnxruntime_predicts_the_same(class_ids, learned, kind, pixels):
    classifier = trained(class_ids, kind, pixels, learned=learned)
    data = onnx_bytes(classifier.contents())
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    rows = np.ascontiguousarray(seg.compute_features(pixels, classifier.spec_).reshape(48 * 60, -1))
    found, probabilities = onnxruntime.InferenceSession(data).run(None, {"features": rows})
    assert probabilities.dtype == np.float32
    assert np.array_equal(found.reshape(48, 60), classifier.predict(pixels))
    assert np.allclose(probabilities.reshape(48, 60, -1), classifier.predict_proba(pixels), rtol=0, atol=1e-7)


def test_thresholds_are_compared_alike(pixels):
    classifier = trained((1, 2), "random_forest", pixels)
    forest = classifier.forest_
    rows = np.zeros((3 * len(forest.threshold), forest.n_features), np.float32)
    for offset, towards in enumerate((-np.inf, np.inf, None)):
        values = forest.threshold if towards is None else np.nextafter(forest.threshold, np.float32(towards))
        rows[offset::3] = values[:, None]
    session = onnxruntime.InferenceSession(onnx_bytes(classifier.contents()))
    found, _ = session.run(None, {"features": rows})
    expected = classifier.classes_[forest.predict(np.ascontiguousarray(rows.T))]
    assert np.array_equal(found, expected)


def test_the_command_line_exports_with_names_and_features(pixels, tmp_path):
    classifier = trained((1, 4), "extra_trees", pixels)
    classes = (seg.LabelClass(1, "void", "#e69f00"), seg.LabelClass(4, "grain", "#0072b2"))
    classifier.save(tmp_path / "cells.squiggle", classes=classes)
    assert main(["export", str(tmp_path / "cells.squiggle"), "--onnx", str(tmp_path / "cells.onnx")]) == 0
    model = onnx.load(tmp_path / "cells.onnx")
    metadata = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert [entry["name"] for entry in metadata["classes"]] == ["void", "grain"]
    assert seg.FeatureSpec.from_json(metadata["features"]) == classifier.spec
