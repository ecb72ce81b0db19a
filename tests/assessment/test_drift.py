"""Whether images drift: strokes that are held out image by image, and features that lie elsewhere."""

from functools import partial

import numpy as np
import pytest

from segmentation.assessment.drift import drift_of_features, drift_of_strokes
from segmentation.assessment.held_out import hold_out
from segmentation.assessment.strokes import DrawnImage
from segmentation.assessment.trust import Trust
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.model.classifier import PixelClassifier
from segmentation.model.fit import Training
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke

SPEC = FeatureSpec(sigma_max=4)
FOREST = ForestSettings(n_estimators=12)


def drawn_image(gain, seed, classes=(1, 2)):
    random = np.random.default_rng(seed)
    truth = np.repeat([1, 2], 40)[None, :].repeat(60, axis=0)
    pixels = gain * (np.where(truth == 2, 130, 80) + random.integers(-15, 15, truth.shape))
    image = image_from_pixels(pixels.astype(np.uint8))
    places = {1: [(8, 10), (22, 40)], 2: [(55, 15), (70, 45)]}
    strokes = tuple(
        Stroke(f"{one}-{number}", one, "path", [[x, y], [x + 5, y + 8]], 3)
        for one in classes
        for number, (x, y) in enumerate(places[one])
    )
    return DrawnImage(image.hash, image.shape, strokes, lambda: image)


def held_out(drawn, spec):
    return hold_out(drawn, lambda images: Training(images, spec, FOREST), {}, images_at_once=True)


def test_each_image_is_looked_at_by_a_forest_of_the_others():
    drawn = [drawn_image(1, 0), drawn_image(1, 1), drawn_image(1, 2)]
    found = held_out(drawn, SPEC)
    assert [key[0] for key in found.keys] == [one.hash for one in drawn for _ in range(4)]
    others = [drawn[0], drawn[2]]
    labels = [rasterise(one.strokes, one.shape) for one in drawn]
    plain = PixelClassifier(SPEC, **FOREST.to_json()).fit([one.read() for one in others], [labels[0], labels[2]])
    segmentation = plain.predict(drawn[1].read())
    seen = found.restricted({key for key in found.keys if key[0] == drawn[1].hash})
    taken = [np.count_nonzero(segmentation[labels[1] > 0] == one) for one in (1, 2)]
    assert np.abs(seen.found.sum(axis=0) - taken).max() <= 2  # grown from as many pixels, drawn by another lot


def test_strokes_in_another_light_speak_for_it_and_in_the_same_light_for_neither():
    plain, standardised = (SPEC, FeatureSpec(sigma_max=4, standardise=True))
    drifting = [drawn_image(1, 0), drawn_image(0.4, 1)]
    advice = drift_of_strokes(held_out(drifting, plain), held_out(drifting, standardised))
    assert advice.standardise
    assert "speaks for it" in advice.sentence
    alike = [drawn_image(1, 0), drawn_image(1, 1)]
    assert drift_of_strokes(held_out(alike, plain), held_out(alike, standardised)) is None


def test_an_image_is_held_out_only_if_the_others_have_two_classes():
    drawn = [drawn_image(1, 0), drawn_image(1, 1, classes=(2,))]
    assert {key[0] for key in held_out(drawn, SPEC).keys} == {drawn[1].hash}
    with pytest.raises(ValueError, match="on a second image"):
        held_out(drawn[:1], SPEC)


def test_votes_and_features_tell_it_where_there_are_no_strokes():
    agreed, lost = Trust(unsure=0.1, unlike=0.0), Trust(unsure=0.3, unlike=0.2)
    to = partial(drift_of_features, [lost, agreed])
    assert to([agreed, agreed]).standardise
    assert "10 % of the votes are unsure and 0 % of the features" in to([agreed, agreed]).sentence
    assert "relative to itself, 20 % and 10 % when not: this speaks for it." in to([agreed, agreed]).sentence
    assert not to([lost, lost]).standardise
    assert "speaks against it" in to([lost, lost]).sentence
    near = Trust(unsure=0.101, unlike=0.0)
    assert to([agreed, agreed]).clear
    assert not drift_of_features([near], [agreed]).clear


def test_a_few_percent_more_or_less_are_hardly_any_difference():
    less, more = Trust(unsure=0.49, unlike=0.0), Trust(unsure=0.52, unlike=0.0)
    for advice in (drift_of_features([more], [less]), drift_of_features([less], [more])):
        assert not advice.clear
        assert advice.sentence.endswith(": hardly any difference.")
        assert "speaks" not in advice.sentence
    clear = drift_of_features([Trust(unsure=0.56, unlike=0.0)], [less])
    assert clear.clear
    assert clear.sentence.endswith("speaks for it.")
