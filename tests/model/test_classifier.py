import inspect
from dataclasses import fields
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.feature import multiscale_basic_features
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier

from segmentation._shared.tiling import TileGrid
from segmentation.features.compute import compute_planes
from segmentation.features.spec import FeatureSpec
from segmentation.forest.growing import grow_forest
from segmentation.forest.sampling import TrainingSample
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import Image, image_from_pixels
from segmentation.model import classifier as classifier_module
from segmentation.model.classifier import NotFittedError, PixelClassifier, load_classifier
from segmentation.model.modelfile import ModelFileError, save_model
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.stroke import Stroke

SPEC = FeatureSpec(sigma_max=4)


def scene(rows=60, columns=70, channels=1, seed=0, dtype=np.uint8):
    """An image of bright discs on a dark, noisy ground, and some labels: 2 = ground, 5 = disc."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    inside = (y % 30 - 15) ** 2 + (x % 30 - 15) ** 2 < 80
    pixels = np.clip(random.normal(np.where(inside, 170, 70), 25), 0, 255)
    if channels > 1:
        pixels = np.stack([np.roll(pixels, channel, axis=1) for channel in range(channels)], axis=-1)
    labels = np.where(inside, 5, 2).astype(np.uint8)
    labels[random.random(labels.shape) > 0.1] = 0
    return (pixels * (256 if dtype == np.uint16 else 1)).astype(dtype), labels, inside


def fitted(channels=1, **forest):
    pixels, labels, _ = scene(channels=channels)
    return PixelClassifier(SPEC, n_estimators=10, **forest).fit(pixels, labels)


def forest_bytes(classifier):
    values = (getattr(classifier.forest_, field.name) for field in fields(classifier.forest_))
    return b"".join(value.tobytes() for value in values if isinstance(value, np.ndarray))


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
@pytest.mark.parametrize(("channels", "dtype"), [(1, np.uint8), (3, np.uint8), (2, np.uint16), (1, np.float64)])
def test_it_finds_the_discs_in_an_image_it_has_not_seen(kind, channels, dtype):
    pixels, labels, _ = scene(channels=channels, dtype=dtype)
    classifier = PixelClassifier(SPEC, kind=kind, n_estimators=30).fit(pixels, labels)
    unseen, _, inside = scene(channels=channels, dtype=dtype, seed=1)
    segmentation = classifier.predict(unseen)
    assert segmentation.shape == inside.shape
    assert segmentation.dtype == np.uint8
    assert set(np.unique(segmentation)) == {2, 5}
    assert ((segmentation == 5) == inside).mean() > 0.93


def test_probabilities_are_those_of_the_segmentation():
    classifier = fitted()
    image = image_from_pixels(scene(seed=2)[0])
    probabilities = classifier.predict_proba(image)
    assert probabilities.shape == (60, 70, 2)
    assert probabilities.dtype == np.float32
    assert np.allclose(probabilities.sum(axis=-1), 1, atol=1e-6)
    assert classifier.classes_.tolist() == [2, 5]
    assert np.array_equal(classifier.classes_[probabilities.argmax(axis=-1)], classifier.predict(image))


def test_it_equals_the_same_pipeline_of_scikit_image_and_scikit_learn():
    pixels, labels, _ = scene(channels=3)
    features = multiscale_basic_features(pixels, sigma_max=4, texture=False, channel_axis=-1)
    sample = TrainingSample.draw([labels], seed=0)
    rows = features.reshape(-1, features.shape[-1])
    ranges = np.stack([rows.min(axis=0), rows.max(axis=0)])
    training = np.ascontiguousarray(rows[sample.places[0]])
    grown = grow_forest(training, sample.class_ids, ForestSettings(), ranges=ranges)
    forest = grown.to_sklearn(np.unique(sample.class_ids))
    expected = forest.predict_proba(rows).reshape(*labels.shape, -1)
    classifier = PixelClassifier(FeatureSpec(sigma_max=4, texture=False, differences=False, colour=False))
    classifier.fit(pixels, labels)
    clear = np.abs(expected[..., 0] - 0.5) > 0.05
    found = classifier.predict(pixels)
    assert (found == forest.classes_[expected.argmax(axis=-1)])[clear].mean() > 0.995
    assert np.abs(classifier.predict_proba(pixels) - expected).mean() < 0.01


def test_given_the_same_features_it_equals_scikit_learn_but_for_ties():
    pixels, labels, _ = scene(channels=3)
    classifier = PixelClassifier(SPEC).fit(pixels, labels)
    sample = TrainingSample.draw([labels], seed=0)
    rows = compute_planes(pixels, SPEC).reshape(classifier.forest_.n_features, -1).T
    ranges = np.stack([rows.min(axis=0), rows.max(axis=0)])
    training = np.ascontiguousarray(rows[sample.places[0]])
    grown = grow_forest(training, sample.class_ids, classifier.settings, ranges=ranges)
    forest = grown.to_sklearn(np.unique(sample.class_ids))
    expected = forest.predict_proba(rows)
    assert np.abs(classifier.predict_proba(pixels).reshape(expected.shape) - expected).max() <= 1e-6
    clear = np.abs(expected[:, 0] - expected[:, 1]) > 1e-6
    assert np.array_equal(classifier.predict(pixels).ravel()[clear], forest.classes_[expected.argmax(axis=1)][clear])


def test_images_and_arrays_give_equal_bytes():
    pixels, labels, _ = scene()
    image = image_from_pixels(pixels)
    one, other = PixelClassifier(SPEC).fit(image, labels), PixelClassifier(SPEC).fit(pixels, labels.astype(np.int64))
    assert forest_bytes(one) == forest_bytes(other)
    assert one.training_ == other.training_
    assert np.array_equal(one.predict(image), other.predict(pixels))


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_the_number_of_threads_changes_no_byte(kind):
    pixels, labels, _ = scene(140, 90, channels=3)
    one, two = (PixelClassifier(SPEC, kind=kind, threads=threads).fit(pixels, labels) for threads in (1, 2))
    assert forest_bytes(one) == forest_bytes(two)
    assert np.array_equal(one.predict(pixels), two.predict(pixels))
    assert np.array_equal(one.predict_proba(pixels), two.predict_proba(pixels))


def test_the_seed_decides():
    pixels, labels, _ = scene()
    first, again, other = (PixelClassifier(SPEC, random_state=seed).fit(pixels, labels) for seed in (1, 1, 2))
    assert forest_bytes(first) == forest_bytes(again) != forest_bytes(other)


@settings(max_examples=15, deadline=None)
@given(st.tuples(st.integers(3, 80), st.integers(3, 80)), st.integers(5, 50), st.sampled_from([1, 3]))
def test_the_whole_image_equals_its_windows(shape, side, channels):
    classifier = fitted(channels)
    image = image_from_pixels(scene(*shape, channels, seed=3)[0])
    windowed = np.empty(shape, np.uint8)
    for tile in TileGrid(shape, side).tiles:
        windowed[tile.rows, tile.columns] = classifier.predict_window(image, tile)
    assert np.array_equal(windowed, classifier.predict(image))


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_a_file_gives_back_the_same_classifier(kind, tmp_path):
    classifier = fitted(3, kind=kind)
    path = tmp_path / "cells.squiggle"
    classes = [LabelClass(2, "ground", "#000000"), LabelClass(5, "disc", "#ffffff"), LabelClass(9, "unused", "#ff0000")]
    classifier.save(path, classes)
    loaded = load_classifier(path)
    assert forest_bytes(loaded) == forest_bytes(classifier)
    assert loaded.settings == classifier.settings
    assert loaded.spec == classifier.spec
    assert loaded.training_ == classifier.training_
    assert loaded.classes_.tolist() == [2, 5]
    assert list(loaded.label_classes_) == classes
    unseen = scene(channels=3, seed=1)[0]
    assert np.array_equal(loaded.predict(unseen), classifier.predict(unseen))
    assert np.array_equal(loaded.predict_proba(unseen), classifier.predict_proba(unseen))
    again = BytesIO()
    loaded.save(again)
    assert again.getvalue() == path.read_bytes()
    assert load_classifier(again.getvalue()).feature_names_ == classifier.feature_names_
    with pytest.raises(ValueError, match="trained on images with 3 channels"):
        loaded.predict(unseen[..., 0])


def test_classes_without_names_are_numbered():
    stream = BytesIO()
    fitted().save(stream)
    assert [one.name for one in load_classifier(stream.getvalue()).label_classes_] == ["Class 2", "Class 5"]


def test_what_is_no_classifier_is_refused_with_a_sentence():
    with pytest.raises(ModelFileError, match="This classifier file cannot be opened"):
        load_classifier(b"PK")


@pytest.mark.parametrize("kind", ["extra_trees", "random_forest"])
def test_it_becomes_a_forest_of_scikit_learn(kind):
    classifier = fitted(kind=kind)
    stream = BytesIO()
    classifier.save(stream)
    unseen = scene(seed=1)[0]
    rows = compute_planes(unseen, SPEC).reshape(classifier.forest_.n_features, -1).T
    for one in (classifier, load_classifier(stream.getvalue())):
        model = one.to_sklearn()
        assert isinstance(model, RandomForestClassifier)
        assert model.classes_.tolist() == [2, 5]
        probabilities = model.predict_proba(rows)
        assert np.abs(probabilities - one.predict_proba(unseen).reshape(-1, 2)).max() <= 1e-6
        clear = np.abs(probabilities[:, 0] - 0.5) > 1e-6
        assert np.array_equal(model.predict(rows)[clear], one.predict(unseen).ravel()[clear])
        assert np.isclose(model.feature_importances_.sum(), 1)
        assert np.array_equal(model.feature_importances_, classifier.to_sklearn().feature_importances_)


def test_several_images_are_learnt_together():
    scenes = [scene(60, 70, seed=0)[:2], scene(40, 50, seed=1)[:2]]
    pixels, labels = zip(*scenes, strict=True)
    classifier = PixelClassifier(SPEC, image_ranges=False).fit(list(pixels), list(labels))
    counts = {str(c): sum(int((raster == c).sum()) for raster in labels) for c in (2, 5)}
    assert classifier.training_["labelled_pixels"] == counts
    assert [one["rows"] for one in classifier.training_["images"]] == [60, 40]
    rows = np.concatenate([compute_planes(one, SPEC)[:, raster > 0].T for one, raster in scenes])
    class_ids = np.concatenate([raster[raster > 0] for raster in labels])
    assert forest_bytes(classifier) == forest_bytes(PixelClassifier(SPEC, image_ranges=False).fit_rows(rows, class_ids))


def test_a_class_may_be_labelled_in_only_one_of_the_images():
    pixels, labels, _ = scene()
    ground, discs = np.where(labels == 2, labels, 0), np.where(labels == 5, labels, 0)
    assert PixelClassifier(SPEC).fit([pixels, pixels], [ground, discs]).classes_.tolist() == [2, 5]


def test_what_it_was_trained_on_is_told():
    pixels, labels, _ = scene(channels=3)
    classifier = fitted(3)
    facts = classifier.training_
    assert facts["images"][0] == {
        "hash": image_from_pixels(pixels).hash,
        "rows": 60,
        "columns": 70,
        "channels": 3,
        "dtype": "uint8",
        "value_range": [int(pixels.min()), int(pixels.max())],
        "median": float(np.sort(pixels, axis=None)[(pixels.size - 1) // 2]),
    }
    assert facts["labelled_pixels"] == {"2": int((labels == 2).sum()), "5": int((labels == 5).sum())}
    assert classifier.feature_names_[0] == "channel 1, intensity, sigma 0.5"
    assert len(classifier.feature_names_) == classifier.forest_.n_features


def test_settings_are_checked_when_they_are_made():
    with pytest.raises(ValueError, match="number of trees"):
        PixelClassifier(n_estimators=0)


def test_labels_of_one_class_are_refused_with_a_sentence():
    pixels, labels, _ = scene()
    with pytest.raises(ValueError, match="Draw strokes of at least two classes: only one has"):
        PixelClassifier(SPEC).fit(pixels, np.minimum(labels, 1))
    with pytest.raises(ValueError, match="Draw strokes of at least two classes: none has"):
        PixelClassifier(SPEC).fit(pixels, labels * 0)
    with pytest.raises(ValueError, match="Draw strokes of at least two classes"):
        PixelClassifier(SPEC).fit_rows(np.zeros((3, 4), np.float32), np.ones(3, np.uint8))


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.ones((70, 60), np.uint8), "The labels have 70 x 60 pixels, but the image has 60 x 70"),
        (np.ones((60, 70, 1), np.uint8), "must have rows and columns"),
        (np.ones((60, 70)), "whole numbers from 0"),
        (np.full((60, 70), -1), "whole numbers from 0"),
        (np.full((60, 70), 256), "whole numbers from 0"),
        (np.full((60, 70), "a"), "whole numbers from 0"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_a_sentence(labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        PixelClassifier(SPEC).fit(scene()[0], labels)


def test_rows_that_do_not_fit_are_refused_with_a_sentence():
    rows, class_ids = np.zeros((4, 3)), np.array([1, 1, 2, 2])
    for wrong_rows, wrong_ids in [(rows[:3], class_ids), (rows[0], class_ids), (rows, np.array([0, 1, 1, 2]))]:
        with pytest.raises(ValueError, match="one row of features and one class"):
            PixelClassifier().fit_rows(wrong_rows, wrong_ids)
    with pytest.raises(ValueError, match="not numbers"):
        PixelClassifier().fit_rows(rows * np.nan, class_ids)
    with pytest.raises(ValueError, match="whole numbers"):
        PixelClassifier().fit_rows(rows, class_ids + 0.5)


def test_images_that_do_not_fit_are_refused_with_a_sentence():
    pixels, labels, _ = scene()
    coloured, _, _ = scene(channels=3)
    with pytest.raises(ValueError, match="trained on images with 1 channel, but this one has 3"):
        fitted().predict(coloured)
    with pytest.raises(ValueError, match="trained on images with 3 channels, but this one has 1"):
        fitted(3).predict_proba(pixels)
    with pytest.raises(ValueError, match="same number of channels"):
        PixelClassifier(SPEC).fit([pixels, coloured], [labels, labels])
    with pytest.raises(ValueError, match="there are 2 images, and labels for 1"):
        PixelClassifier(SPEC).fit([pixels, pixels], [labels])
    with pytest.raises(ValueError, match="there are 0 images"):
        PixelClassifier(SPEC).fit([], [])
    with pytest.raises(ValueError, match="channel 3"):
        PixelClassifier(FeatureSpec(channels=(2,))).fit(pixels, labels)


@pytest.mark.parametrize("ask", ["predict", "predict_proba"])
def test_an_untrained_classifier_says_so(ask):
    with pytest.raises(NotFittedError, match="not been trained yet"):
        getattr(PixelClassifier(), ask)(scene()[0])
    for ask in (lambda one: one.feature_names_, lambda one: one.to_sklearn(), lambda one: one.save(BytesIO())):
        with pytest.raises(NotFittedError):
            ask(PixelClassifier())


def test_images_pass_as_they_are():
    image = image_from_pixels(scene()[0])
    assert classifier_module.as_image(image) is image
    assert isinstance(classifier_module.as_image(image.pixels), Image)


def handed_on(classifier):
    file = BytesIO()
    classifier.save(file)
    return load_classifier(file.getvalue())


def test_training_goes_on_from_the_pixels_that_came_with_a_file():
    pixels, labels, _ = scene()
    earlier = handed_on(PixelClassifier(SPEC, n_estimators=10).fit(pixels, labels))
    again = PixelClassifier(SPEC, n_estimators=10).fit([], [], earlier=earlier)
    assert forest_bytes(again) == forest_bytes(earlier)
    assert (again.channels_, again.training_) == (earlier.channels_, earlier.training_)

    other, _, _ = scene(seed=3)
    third = np.zeros(other.shape, np.uint8)
    third[:4] = 9
    further = PixelClassifier(SPEC, n_estimators=10).fit(other, third, earlier=earlier)
    assert further.classes_.tolist() == [2, 5, 9]
    assert [image["hash"] for image in further.training_["images"]] == [
        image_from_pixels(pixels).hash,
        image_from_pixels(other).hash,
    ]
    assert further.training_["labelled_pixels"] == earlier.training_["labelled_pixels"] | {"9": 280}
    assert handed_on(further).pixels_.class_ids.tolist() == further.pixels_.class_ids.tolist()
    again = PixelClassifier(SPEC, n_estimators=10).fit(other, third, earlier=further)
    assert again.training_["images"] == further.training_["images"], "each image once"


def test_pixels_that_cannot_be_learnt_with_are_refused_with_a_sentence():
    pixels, labels, _ = scene()
    earlier = PixelClassifier(SPEC, n_estimators=10).fit(pixels, labels)
    with pytest.raises(ValueError, match="other features"):
        PixelClassifier(n_estimators=10).fit(pixels, labels, earlier=earlier)
    colour, _, _ = scene(channels=3)
    with pytest.raises(ValueError, match="images with 1 channel, but these have 3"):
        PixelClassifier(SPEC).fit(colour, labels, earlier=earlier)
    bare = load_classifier(BytesIO(saved(earlier)))
    with pytest.raises(ValueError, match="without its training pixels"):
        PixelClassifier(SPEC).fit(pixels, labels, earlier=bare)


def saved(classifier):
    """The bytes of a file without training pixels."""
    file = BytesIO()
    save_model(file, classifier.contents())
    return file.getvalue()


def test_strokes_travel_with_the_image_that_they_were_drawn_on():
    images = [image_from_pixels(scene(seed=seed)[0]) for seed in (0, 1)]
    labels = scene()[1]
    classifier = PixelClassifier(SPEC, n_estimators=5).fit(images, [labels, labels])
    drawn = {image.hash: (Stroke(str(n), 2, "path", [[1, 1], [5, 5]], 3),) for n, image in enumerate(images)}
    assert classifier.contents(strokes=dict(reversed(drawn.items()))).strokes_by_image() == drawn
    assert "strokes" not in classifier.training_["images"][0]
    with pytest.raises(ValueError, match="was not learnt from"):
        classifier.contents(strokes=drawn | {"c" * 64: drawn[images[0].hash]})


def test_it_has_the_manners_of_scikit_learn():
    one = PixelClassifier(SPEC, kind="random_forest", n_estimators=7, max_depth=3, max_samples=1, threads=1)
    assert one.get_params() == one.get_params(deep=False)
    assert set(one.get_params()) == set(inspect.signature(PixelClassifier).parameters)
    pixels, labels, _ = scene()
    expected = one.fit(pixels, labels)
    other = clone(one)
    assert other.get_params() == one.get_params()
    with pytest.raises(NotFittedError):
        other.predict(pixels)
    assert forest_bytes(other.fit(pixels, labels)) == forest_bytes(expected)


def test_parameters_are_set_by_name_and_what_was_learnt_with_others_is_forgotten():
    one = fitted()
    assert one.set_params(threads=1) is one
    assert one.threads == 1
    assert one.set_params(n_estimators=10).forest_ is not None
    for wrong, sentence in (({"trees": 3}, "no parameter 'trees': it has spec, kind"), ({"n_estimators": 0}, "trees")):
        with pytest.raises(ValueError, match=sentence):
            one.set_params(threads=2, **wrong)
    assert one.threads == 1
    assert one.forest_ is not None
    one.set_params(n_estimators=3)
    assert one.pixels_ is None
    with pytest.raises(NotFittedError):
        one.predict(scene()[0])
    assert one.fit(*scene()[:2]).forest_.n_trees == 3
