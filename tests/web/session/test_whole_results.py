"""What is downloaded is computed tile by tile, in turns, and for nobody else than those who wait."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from itertools import count

import numpy as np
import pytest

from segmentation.features.cache import FeatureCache
from segmentation.io.export import probabilities_tiff
from segmentation.io.pixel_size import PixelSize
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import as_image
from segmentation.web.session.scheduler import NobodyWaitsError, Scheduler
from segmentation.web.session.tile_stream import TileStream, Wanted
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


def test_what_several_ask_for_at_the_same_time_is_computed_once(classifier, monkeypatch):
    live = LiveSegmenter(FeatureCache(0))
    stream, wanted = TileStream(live, Scheduler(2)), Wanted(IMAGE, classifier)
    looked_up, computed, changed = Counter(), Counter(), threading.Condition()
    get, segment = stream._segmented.get, live.segment

    def noted(key):
        found = get(key)
        with changed:
            looked_up[key] += 1
            changed.notify_all()
        return found

    def once_both_have_looked(image, with_classifier, tile, **how):
        computed[tile.index] += 1
        with changed:
            assert changed.wait_for(lambda: looked_up[wanted.key(tile)] == 2, timeout=300)
        return segment(image, with_classifier, tile, **how)

    monkeypatch.setattr(stream._segmented, "get", noted)
    monkeypatch.setattr(live, "segment", once_both_have_looked)

    def download():
        whole = WholeImage(live, IMAGE, classifier, lambda **_how: nullcontext(), lambda: False)
        whole.once = partial(stream.once, wanted)
        return whole.class_ids()

    with ThreadPoolExecutor(2) as threads:
        found = [one.result() for one in [threads.submit(download), threads.submit(download)]]
    assert all(np.array_equal(ids, classifier.predict(PIXELS)) for ids in found)
    assert computed == dict.fromkeys(range(6), 1)


def test_what_fails_fails_for_all_who_wait_and_is_tried_again(classifier):
    live = LiveSegmenter(FeatureCache(0))
    stream, wanted = TileStream(live, Scheduler(1)), Wanted(IMAGE, classifier)
    tile = WholeImage(live, IMAGE, classifier, nullcontext, lambda: False).tiles[0]

    def fail():
        raise MemoryError

    with pytest.raises(MemoryError):
        stream.once(wanted, tile, fail)
    found = live.segment(IMAGE, classifier, tile)
    assert stream.once(wanted, tile, lambda: found) is found
    assert np.array_equal(stream.once(wanted, tile, fail), found)
