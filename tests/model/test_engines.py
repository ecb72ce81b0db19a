"""Both engines give the same bytes."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from sklearn.base import clone

import segmentation as seg
from segmentation.__main__ import main
from segmentation._shared.tiling import Window
from segmentation.features.compute import compute_planes
from segmentation.features.reference import reference_planes
from segmentation.features.spec import FeatureSpec
from segmentation.forest.forest import Forest
from segmentation.forest.reference import reference_proba

GOLDEN = Path(__file__).parents[1] / "golden"
SMALL = {"spec": FeatureSpec(sigma_max=4), "n_estimators": 10}


def labelled(channels=3, dtype=np.uint8, shape=(150, 270)):
    random = np.random.default_rng(0)
    pixels = (random.random((*shape, channels)) * 200).astype(dtype)
    labels = np.zeros(shape, np.uint8)
    labels[3:9, 5:200], labels[100:105, 20:260], labels[140:149, 2:9] = 1, 4, 9
    return pixels if channels > 1 else pixels[..., 0], labels


@pytest.mark.parametrize("window", [np.s_[0:70, 0:90], np.s_[30:61, 41:42], np.s_[50:70, 80:90], np.s_[0:1, 0:90]])
@pytest.mark.parametrize(
    ("spec", "channels", "dtype"),
    [
        (FeatureSpec(sigma_max=8), 3, np.uint8),
        (FeatureSpec(sigma_min=0.7, sigma_max=5.3, num_sigma=3, texture=False), 1, np.uint16),
        (FeatureSpec(sigma_max=2, channels=(2, 0), edges=False), 4, np.int16),
        (FeatureSpec(sigma_max=2, intensity=False), 1, np.float64),
        (FeatureSpec(sigma_max=1), 2, np.float32),
    ],
)
def test_features_are_the_same(spec, channels, dtype, window):
    pixels = labelled(channels, dtype, (70, 90))[0]
    rows, columns = window
    expected = compute_planes(pixels, spec, rows=rows, columns=columns)
    found = reference_planes(pixels, spec, rows=rows, columns=columns)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)
    assert reference_planes(pixels, spec, rows=rows, columns=columns, out=(out := np.empty_like(expected))) is out
    assert np.array_equal(out, expected)


def test_an_image_with_gaps_is_refused_with_the_same_sentence():
    pixels = np.zeros((20, 20), np.float32)
    pixels[3, 3] = np.nan
    for compute in (compute_planes, reference_planes):
        with pytest.raises(ValueError, match=r"not a number \(NaN\), infinite or too large"):
            compute(pixels, FeatureSpec(sigma_max=1), rows=slice(0, 20), columns=slice(0, 20))


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.squiggle")), ids=lambda path: path.stem)
def test_golden_files_give_their_bytes(path):
    image = seg.read_image(path.with_name(f"{path.stem}_image.tif"))
    by_reference = seg.load_classifier(path, engine="reference")
    assert by_reference.engine == "reference"
    assert np.array_equal(by_reference.predict(image), tifffile.imread(path.with_name(f"{path.stem}_expected.tif")))
    assert np.array_equal(by_reference.predict_proba(image), seg.load_classifier(path).predict_proba(image))


@pytest.mark.parametrize("settings", [{}, {"kind": "random_forest"}, {"max_depth": 2}], ids=str)
def test_what_is_learnt_and_segmented_is_the_same(settings):
    pixels, labels = labelled()
    one, other = (
        seg.PixelClassifier(**SMALL, **settings, engine=name).fit(pixels, labels) for name in ("compiled", "reference")
    )
    for field in ("roots", "feature", "threshold", "left", "right", "probabilities", "samples", "impurity"):
        assert getattr(one.forest_, field).tobytes() == getattr(other.forest_, field).tobytes()
    assert np.array_equal(one.predict(pixels), other.predict(pixels))
    assert np.array_equal(one.predict_proba(pixels), other.predict_proba(pixels))
    window = Window(slice(17, 90), slice(3, 265))
    image = seg.image_from_pixels(pixels)
    assert np.array_equal(one.predict_window(image, window), other.predict_window(image, window))


def test_the_walk_by_numpy_is_that_of_the_kernels_for_forests_of_scikit_learn():
    from sklearn.ensemble import RandomForestClassifier

    random = np.random.default_rng(0)
    rows, ids = random.normal(size=(500, 5)).astype(np.float32), random.integers(0, 7, 500)
    forest = Forest.from_sklearn(RandomForestClassifier(90, max_depth=4, random_state=0).fit(rows, ids))
    planes = np.ascontiguousarray(random.normal(size=(5, 40, 50)).astype(np.float32))
    assert np.array_equal(reference_proba(forest, planes), forest.predict_proba(planes))


def test_the_engine_is_a_parameter_that_forgets_nothing():
    classifier = seg.PixelClassifier(**SMALL).fit(*labelled())
    assert classifier.get_params()["engine"] == "compiled"
    forest = classifier.forest_
    assert classifier.set_params(engine="reference").forest_ is forest
    assert clone(classifier).engine == "reference"
    with pytest.raises(ValueError, match="engine must be one of compiled, reference"):
        seg.PixelClassifier(engine="magic")
    with pytest.raises(ValueError, match="engine must be one of"):
        classifier.set_params(engine=3)


def test_the_command_line_has_it(tmp_path):
    from PIL import Image

    pixels, labels = labelled(shape=(150, 270))
    Image.fromarray(pixels).save(tmp_path / "image.png")
    Image.fromarray(labels).save(tmp_path / "labels.png")
    results = []
    for engine in ("compiled", "reference"):
        model, folder = tmp_path / f"{engine}.squiggle", tmp_path / engine
        options = ["--engine", engine]
        learn = ["train", str(tmp_path / "image.png"), "--labels", str(tmp_path / "labels.png"), "-o", str(model)]
        assert main([*learn, "--sigma-max", "2", "--trees", "8", *options]) == 0
        assert main(["apply", str(model), str(tmp_path / "image.png"), "-o", str(folder), *options]) == 0
        results.append((model.read_bytes(), (folder / "image.tif").read_bytes()))
    assert results[0] == results[1]
