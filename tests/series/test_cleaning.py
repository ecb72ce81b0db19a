"""A clean-up travels with the classifier, and is the same in Python, in files, in blocks and from the shell."""

import io

import numpy as np
import pytest
import tifffile
import zarr

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io import zarr_images
from segmentation.model.modelfile import load_model
from segmentation.series import cleaning
from segmentation.series.run import apply_series
from segmentation.strokes.document import strokes_to_json
from tests.support.classifiers import trained
from tests.support.images import textured

STEPS = [
    {"kind": "smooth", "size": 2},
    {"kind": "drop_small", "size": 60},
    {"kind": "fill_holes", "size": 300, "classes": [2]},
    {"kind": "split", "size": 0.5},
    {"kind": "split_corners", "size": 0, "classes": [2]},
]


@pytest.fixture(scope="module")
def raw():
    return trained(textured())


@pytest.fixture(scope="module")
def classifier(raw):
    return raw.with_clean_up(STEPS)


@pytest.fixture(scope="module")
def image():
    random = np.random.default_rng(5)
    return np.where(random.random((150, 170)) < 0.03, 255, textured(150, 170, seed=3)).astype(np.uint8)


@pytest.fixture(scope="module")
def cleaned(raw, image):
    found = raw.predict(image)
    cleaned = seg.clean_up(found, STEPS)
    assert (cleaned != found).any()
    return cleaned


def test_predictions_are_cleaned_and_probabilities_are_not(raw, classifier, image, cleaned):
    assert np.array_equal(classifier.predict(image), cleaned)
    assert np.array_equal(classifier.predict_proba(image), raw.predict_proba(image))


def test_it_travels_in_the_file(classifier, raw, image, cleaned):
    file = io.BytesIO()
    classifier.save(file)
    again = seg.load_classifier(file.getvalue())
    assert [step.to_json() | {"classes": None} for step in again.clean_up] == [
        step | {"classes": None} for step in STEPS
    ]
    assert np.array_equal(again.predict(image), cleaned)
    without = io.BytesIO()
    raw.save(without)
    assert b'"clean_up"' not in without.getvalue()
    assert load_model(without.getvalue()).clean_up == ()


def test_it_is_a_parameter_as_others_are(classifier):
    assert classifier.get_params()["clean_up"] == tuple(map(seg.CleanUpStep.from_json, STEPS))
    changed = seg.PixelClassifier(clean_up=STEPS).set_params(clean_up=[])
    assert changed.clean_up == ()
    with pytest.raises(ValueError, match="one of fill_holes"):
        seg.PixelClassifier(clean_up=[{"kind": "polish"}])


def test_files_are_cleaned_also_from_the_shell_which_may_choose_another(classifier, image, cleaned, raw, tmp_path):
    tifffile.imwrite(tmp_path / "cells.tif", image)
    classifier.save(tmp_path / "cells.squiggle")
    apply = ["apply", f"{tmp_path}/cells.squiggle", f"{tmp_path}/cells.tif", "--quiet"]
    assert main([*apply, "-o", f"{tmp_path}/a"]) == 0
    assert np.array_equal(tifffile.imread(tmp_path / "a" / "cells.tif"), cleaned)
    assert main([*apply, "--clean-up", "none", "-o", f"{tmp_path}/b"]) == 0
    assert np.array_equal(tifffile.imread(tmp_path / "b" / "cells.tif"), raw.predict(image))
    assert main([*apply, "--clean-up", "drop_small=9@1", "-o", f"{tmp_path}/c"]) == 0
    other = seg.clean_up(raw.predict(image), [seg.CleanUpStep("drop_small", 9, (1,))])
    assert np.array_equal(tifffile.imread(tmp_path / "c" / "cells.tif"), other)


@pytest.mark.slow
@pytest.mark.parametrize("probabilities", [False, True])
def test_parts_that_cross_blocks_are_one_part(classifier, image, cleaned, tmp_path, monkeypatch, probabilities):
    monkeypatch.setattr(zarr_images, "BLOCK_SIDE", 32)
    array = zarr.create_array(tmp_path / "slide.zarr", shape=(2, *image.shape), chunks=(1, 32, 32), dtype=image.dtype)
    array[0], array[1] = image, image[::-1]
    report = apply_series(classifier, tmp_path / "slide.zarr", tmp_path / "out", probabilities=probabilities)
    assert not report.failed
    found = zarr.open(tmp_path / "out" / "slide.zarr", mode="r")
    assert np.array_equal(found[0], cleaned)
    assert np.array_equal(found[1], classifier.predict(image[::-1]))
    assert [path.name for path in (tmp_path / "out" / ".squiggle").iterdir()] == ["slide.json"]


def test_what_is_too_large_to_be_cleaned_is_refused_with_a_way_out(classifier, image, tmp_path, monkeypatch):
    monkeypatch.setattr(cleaning, "LARGEST", 1000)
    zarr.save(tmp_path / "slide.zarr", image)
    report = apply_series(classifier, tmp_path / "slide.zarr", tmp_path / "out")
    assert "--clean-up none" in report.failed[str(tmp_path / "slide.zarr")]
    assert not apply_series(classifier, tmp_path / "slide.zarr", tmp_path / "out", clean_up=[]).failed


def test_training_from_strokes_takes_their_clean_up_unless_another_is_typed(tmp_path, capsys):
    import json

    image = textured(60, 60)
    tifffile.imwrite(tmp_path / "cells.tif", image)
    strokes = [
        seg.Stroke("a", 1, "path", [[5, 5], [20, 5]], width=4),
        seg.Stroke("b", 2, "path", [[5, 50], [20, 50]], width=4),
    ]
    classes = [seg.LabelClass(1, "void", "#e69f00"), seg.LabelClass(2, "grain", "#0072b2")]
    settings = {"features": {}, "forest": {"n_estimators": 5}, "clean_up": STEPS}
    document = strokes_to_json(strokes, classes, seg.read_image(tmp_path / "cells.tif").hash, (60, 60), settings)
    (tmp_path / "strokes.json").write_text(json.dumps(document))
    train = ["train", f"{tmp_path}/cells.tif", "--strokes", f"{tmp_path}/strokes.json", "-o", f"{tmp_path}/m"]
    assert main(train) == 0
    assert len(load_model(tmp_path / "m").clean_up) == len(STEPS)
    assert main([*train, "--clean-up", "drop_border@1", "split=0.5"]) == 0
    assert [step.to_text() for step in load_model(tmp_path / "m").clean_up] == ["drop_border@1", "split=0.5"]
    assert main(["info", f"{tmp_path}/m"]) == 0
    assert "clean-up    drop_border@1 split=0.5" in capsys.readouterr().out
    assert main([*train, "--clean-up", "polish"]) == 1
    assert "one of fill_holes" in capsys.readouterr().err
