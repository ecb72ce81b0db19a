"""What matters to a forest is what scikit-learn says of it."""

import json

import numpy as np
import pytest

import segmentation as seg
from segmentation.__main__ import main
from segmentation.assessment.importance import grouped_importance
from segmentation.features.spec import FeatureSpec


@pytest.fixture(scope="module")
def classifier():
    pixels = np.random.default_rng(0).integers(0, 60, (60, 80, 3)).astype(np.uint8)
    pixels[:, 40:, 1] += 40
    labels = np.zeros((60, 80), np.uint8)
    labels[5:10, 5:30], labels[20:25, 50:75] = 1, 2
    return seg.PixelClassifier(FeatureSpec(sigma_max=4), n_estimators=25).fit(pixels, labels)


def test_it_is_that_of_scikit_learn(classifier):
    found = seg.feature_importance(classifier)
    expected = dict(zip(classifier.feature_names_, classifier.to_sklearn().feature_importances_, strict=True))
    assert found == pytest.approx(expected)
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_each_group_adds_up(classifier):
    groups = grouped_importance(seg.feature_importance(classifier))
    for group in groups.values():
        assert sum(group.values()) == pytest.approx(1)
    assert {"intensity", "edges"} <= set(groups["kind"])
    assert "sigma 2" in groups["sigma"]
    assert {"channel 2", "channels 2 and 3", "all channels"} <= set(groups["channel"])
    assert groups["channel"]["channel 2"] > groups["channel"]["channel 1"]


def test_the_command_line_tells_it(classifier, tmp_path, capsys):
    classifier.save(tmp_path / "c.squiggle")
    assert main(["info", str(tmp_path / "c.squiggle"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["importance"]
    assert told == grouped_importance(seg.feature_importance(seg.load_classifier(tmp_path / "c.squiggle")))
    assert main(["info", str(tmp_path / "c.squiggle")]) == 0
    assert "by kind: " in capsys.readouterr().out
