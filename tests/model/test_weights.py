"""Class weights: more or less of a class, wherever a classifier goes."""

import json

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.export import segmentation_png
from segmentation.model.weights import checked_weights, weights_from_json, weights_to_json
from segmentation.strokes.document import strokes_to_json

SPEC = seg.FeatureSpec(sigma_max=2)


@pytest.fixture(scope="module")
def scene():
    random = np.random.default_rng(0)
    pixels = (random.integers(0, 90, (48, 60, 3)) + np.arange(48)[:, None, None] * 3).astype(np.uint8)
    labels = np.zeros((48, 60), np.uint8)
    for place, class_id in enumerate((2, 5, 9)):
        labels[4 + 12 * place : 10 + 12 * place, 10:50] = class_id
    return pixels, labels


def trained(scene, **settings):
    return seg.PixelClassifier(SPEC, n_estimators=12, **settings).fit(*scene)


@pytest.mark.parametrize("settings", [{}, {"max_depth": 2}, {"kind": "random_forest"}], ids=str)
@pytest.mark.parametrize("weights", [{2: 1.5}, {5: 0.5, 9: 3}, {2: 100, 9: 0.01}], ids=str)
def test_they_multiply_probabilities_and_change_nothing_that_is_learnt(scene, settings, weights):
    plain, weighed = trained(scene, **settings), trained(scene, **settings, class_weights=weights)
    assert plain.forest_.probabilities.tobytes() == weighed.forest_.probabilities.tobytes()
    products = plain.predict_proba(scene[0]) * np.array([weights.get(one, 1) for one in (2, 5, 9)])
    probabilities = weighed.predict_proba(scene[0])
    assert np.allclose(probabilities, products / products.sum(axis=-1, keepdims=True), rtol=0, atol=1e-6)
    clear = np.sort(products, axis=-1)
    clear = clear[..., -1] > clear[..., -2] * (1 + 1e-6)
    found = weighed.predict(scene[0])
    assert np.array_equal(found[clear], plain.classes_[products.argmax(axis=-1)][clear])
    by_reference = trained(scene, **settings, class_weights=weights, engine="reference")
    assert np.array_equal(by_reference.predict(scene[0]), found)
    assert np.array_equal(by_reference.predict_proba(scene[0]), probabilities)


def test_weights_of_one_are_none(scene, tmp_path):
    plain, ones = trained(scene), trained(scene, class_weights={2: 1, 5: 1.0004})
    assert ones.weights is None
    for one, name in ((plain, "plain"), (ones, "ones")):
        one.save(tmp_path / name)
    assert (tmp_path / "plain").read_bytes() == (tmp_path / "ones").read_bytes()


def test_they_are_a_parameter_that_forgets_nothing(scene):
    classifier = trained(scene)
    forest = classifier.forest_
    assert classifier.set_params(class_weights={5: 2}).forest_ is forest
    assert clone(classifier).class_weights == {5: 2}
    assert np.array_equal(classifier.predict(scene[0]), trained(scene).weighed({5: 2}).predict(scene[0]))
    for wrong, sentence in (
        ({7: 2}, "no class 7 to be weighed: the classifier tells apart 2, 5, 9"),
        ({5: 0}, "must be between 0.01 and 100"),
        ({5: float("nan")}, "finite number"),
        ({0: 2}, "whole number between 1 and 255"),
        ([1, 2], "a number for the id of a class"),
    ):
        with pytest.raises(ValueError, match=sentence):
            classifier.set_params(class_weights=wrong)
        with pytest.raises(ValueError, match=sentence):
            trained(scene, class_weights=wrong)
        with pytest.raises(ValueError, match=sentence):
            classifier.weighed(wrong)
    assert classifier.class_weights == {5: 2}
    with pytest.raises(ValueError, match="no such class weights"):
        classifier.to_sklearn()


@given(st.dictionaries(st.integers(1, 255), st.floats(0.01, 100), max_size=4))
def test_what_is_written_is_what_is_read(weights):
    checked = checked_weights(weights)
    assert weights_from_json(json.loads(json.dumps(weights_to_json(weights)))) == checked
    assert checked_weights(checked) == checked
    assert 1 not in checked.values()
    assert list(checked) == sorted(checked)


def test_they_travel_with_the_file_and_series_and_command_line_heed_them(scene, tmp_path, capsys):
    pixels, labels = scene
    (tmp_path / "labels.png").write_bytes(segmentation_png(labels, {2: "#e69f00", 5: "#0072b2", 9: "#009e73"}))
    (tmp_path / "image.png").write_bytes(png(pixels))
    image, model = str(tmp_path / "image.png"), str(tmp_path / "m.squiggle")
    small = ["--sigma-max", "2", "--trees", "12", "--class-weight", "5=0.5", "--class-weight", "9=3"]
    assert main(["train", image, "--labels", str(tmp_path / "labels.png"), "-o", model, *small]) == 0
    expected = trained(scene, class_weights={5: 0.5, 9: 3})
    assert seg.load_classifier(model).class_weights == {5: 0.5, 9: 3}
    with pytest.raises(SystemExit):
        main(["apply", model, image, "-o", str(tmp_path / "x"), "--class-weight", "much"])
    for options, weights in (([], {5: 0.5, 9: 3}), (["--class-weight", "9=1"], {5: 0.5})):
        folder = tmp_path / f"out{len(weights)}"
        assert main(["apply", model, image, "-o", str(folder), "--probabilities", "--quiet", *options]) == 0
        assert np.array_equal(seg.read_image(folder / "image.tif").pixels, expected.weighed(weights).predict(pixels))
        planes = np.moveaxis(tifffile.imread(folder / "image.probabilities.tif"), 0, -1)
        assert np.array_equal(planes, expected.weighed(weights).predict_proba(pixels))
    assert main(["apply", model, image, "-o", str(tmp_path / "x"), "--class-weight", "3=2"]) == 1
    assert main(["apply", model, image, "-o", str(tmp_path / "x"), *["--class-weight", "5=2"] * 2]) == 1
    told = capsys.readouterr().err
    assert "no class 3 to be weighed" in told
    assert "Give each class one weight" in told
    assert main(["info", model]) == 0
    assert "class 9 counts 3 times" in capsys.readouterr().out
    assert main(["info", model, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["class_weights"] == {"5": 0.5, "9": 3}


def test_strokes_bring_the_weights_of_the_classes_that_they_label(scene, tmp_path):
    image = seg.image_from_pixels(scene[0])
    strokes = [seg.Stroke(str(n), c, "path", [[10, 6 + 12 * n], [50, 6 + 12 * n]], 5) for n, c in enumerate((2, 5))]
    classes = [seg.LabelClass(one, f"Class {one}", "#000000") for one in (2, 5, 9)]
    settings = {"features": SPEC.to_json(), "class_weights": {"5": 2.5, "9": 4}}
    document = strokes_to_json(strokes, classes, image.hash, image.shape, settings)
    (tmp_path / "strokes.json").write_text(json.dumps(document), encoding="utf-8")
    (tmp_path / "image.png").write_bytes(png(scene[0]))
    arguments = ["train", str(tmp_path / "image.png"), "--strokes", str(tmp_path / "strokes.json"), "--trees", "9"]
    assert main([*arguments, "-o", str(tmp_path / "m.squiggle"), "--class-weight", "2=.5"]) == 0
    assert seg.load_classifier(tmp_path / "m.squiggle").class_weights == {2: 0.5, 5: 2.5}


def png(pixels):
    from io import BytesIO

    from PIL import Image

    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()
