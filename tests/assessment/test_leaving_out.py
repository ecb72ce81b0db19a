"""Which kinds, sigmas and channels matter: the importances of features, added up."""

import numpy as np
import pytest

from segmentation.assessment.importance import feature_importance
from segmentation.assessment.leaving_out import importance_table, without
from segmentation.features.spec import KINDS, FeatureSpec
from segmentation.model.classifier import PixelClassifier

KIND_OF = (
    ("intensity", "intensity"),
    ("edges", "edges"),
    ("texture (sum", "differences"),
    ("texture", "texture"),
    ("difference", "differences"),
    ("ratio", "colour"),
    ("perceived", "colour"),
)


def classifier_of(channels, spec=FeatureSpec(sigma_max=4)):
    random = np.random.default_rng(channels)
    pixels = random.integers(0, 255, (40, 50, channels)).astype(np.uint8).squeeze()
    labels = np.zeros((40, 50), np.uint8)
    labels[5:12], labels[25:32] = 1, 2
    return PixelClassifier(spec, n_estimators=10).fit(pixels, labels)


@pytest.mark.parametrize("channels", [1, 2, 3, 6])
def test_the_table_adds_up_what_the_names_say(channels):
    classifier = classifier_of(channels)
    table = importance_table(classifier)
    expected = np.zeros_like(table.kinds)
    sigmas = [f"{sigma:g}" for sigma in classifier.spec.sigmas]
    of_channels = np.zeros(channels)
    for name, share in feature_importance(classifier).items():
        told = name.split(", ")
        kind = next(kind for begin, kind in KIND_OF if any(part.startswith(begin) for part in told))
        sigma = told[-1].removeprefix("sigma ").split(" and ")[-1]
        expected[KINDS.index(kind), sigmas.index(sigma)] += share
        if told[0].startswith("channel ") and "mean of all" not in name:
            of_channels[int(told[0].removeprefix("channel ")) - 1] += share
    assert np.allclose(table.kinds, expected)
    assert table.channels.sum() == pytest.approx(1)
    assert (table.channels >= of_channels - 1e-9).all()


def test_what_is_left_when_features_are_left_out():
    spec = FeatureSpec()
    assert not without(spec, "kind:colour", 3).colour
    assert without(spec, "sigma:16", 3).sigmas == spec.sigmas[:-1]
    assert without(spec, "sigma:0.5", 3).sigmas == spec.sigmas[1:]
    few = FeatureSpec(sigma_min=1, sigma_max=9, num_sigma=5)
    assert without(few, "sigma:9", 1).sigmas == pytest.approx(few.sigmas[:-1])
    assert without(spec, "channel:1", 3).channels == (1, 2)
    assert without(FeatureSpec(channels=(0, 2)), "channel:3", 3).channels == (0,)


@pytest.mark.parametrize(
    "part", ["kind:none", "kind:sigma_min", "sigma:4", "channel:0", "channel:4", "channel:", "x", ""]
)
def test_what_cannot_be_left_out_is_said(part):
    with pytest.raises(ValueError, match="cannot be left out"):
        without(FeatureSpec(), part, 3)


def test_the_last_kind_and_the_last_channel_stay():
    with pytest.raises(ValueError, match="at least one kind"):
        without(FeatureSpec(edges=False, texture=False, differences=False, colour=False), "kind:intensity", 3)
    with pytest.raises(ValueError, match="cannot be left out"):
        without(FeatureSpec(channels=(1,)), "channel:2", 3)
