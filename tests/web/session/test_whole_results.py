"""What is downloaded is computed tile by tile, in turns, and for nobody else than those who wait."""

from contextlib import nullcontext
from itertools import count

import numpy as np
import pytest

from segmentation.features.cache import FeatureCache
from segmentation.io.export import probabilities_tiff
from segmentation.io.pixel_size import PixelSize
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import as_image
from segmentation.web.session.scheduler import NobodyWaitsError
from segmentation.web.session.whole_results import TIFF_HEAD, WholeImage
from tests.support.classifiers import trained

PIXELS = np.random.default_rng(3).integers(0, 255, (530, 300), dtype=np.uint8)
IMAGE = as_image(PIXELS).with_pixel_size(PixelSize(0.5, 0.25, "µm"))
NAMES = ["Gland", "Größe"]


class Turns:
    """Notes how often somebody computes, and that nobody computes outside of a turn."""

    def __init__(self):
        self.number = 0
        self.inside = False

    def __call__(self, **_how):
        return self

    def __enter__(self):
        self.number += 1
        self.inside = True

    def __exit__(self, *_):
        self.inside = False


@pytest.fixture(scope="module")
def classifier():
    return trained(PIXELS)


@pytest.fixture
def whole(classifier):
    def make(turn=lambda **_how: nullcontext(), has_gone=lambda: False):
        return WholeImage(LiveSegmenter(FeatureCache(0)), IMAGE, classifier, turn, has_gone)

    return make


def test_class_ids_are_those_of_the_classifier_whatever_the_tiles(classifier, whole):
    assert np.array_equal(whole().class_ids(), classifier.predict(PIXELS))


def test_the_file_of_probabilities_is_that_of_the_command_line(classifier, whole):
    expected = probabilities_tiff(classifier.predict_proba(IMAGE), NAMES, like=IMAGE)
    assert b"".join(whole().probability_file(NAMES)) == expected


def test_each_tile_waits_for_its_turn(whole, monkeypatch):
    turns = Turns()
    segment = LiveSegmenter.segment

    def watched(*given, **named):
        assert turns.inside
        return segment(*given, **named)

    monkeypatch.setattr(LiveSegmenter, "segment", watched)
    at_work = whole(turn=turns)
    at_work.class_ids()
    assert len(at_work.tiles) == 6
    assert turns.number == 6 + 1  # the last is the clean-up's


def test_the_first_bytes_come_before_anything_is_computed(whole):
    turns = Turns()
    parts = whole(turn=turns).probability_file(NAMES)
    assert next(parts) == TIFF_HEAD
    assert turns.number == 0
    parts.close()


def test_nothing_is_computed_once_nobody_waits(whole):
    turns, asked = Turns(), count()
    with pytest.raises(NobodyWaitsError):
        whole(turns, lambda: next(asked) == 2).class_ids()
    assert turns.number == 2
    turns, asked = Turns(), count()
    assert list(whole(turns, lambda: next(asked) == 3).probability_file(NAMES)) == [TIFF_HEAD]
    assert turns.number == 3
