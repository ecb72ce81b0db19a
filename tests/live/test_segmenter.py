import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from threading import Semaphore, Timer
from weakref import ref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import TileGrid
from segmentation.features.bit_planes import bit_planes_bytes
from segmentation.features.cache import FeatureCache
from segmentation.features.smoothed import Smoothed, smoothed_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.forest.sampling import MAX_TRAINING_PIXELS
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live import labelled_rows as rows_module
from segmentation.live.ahead import compute_ahead
from segmentation.live.draft import DraftPixels
from segmentation.live.layers import Layer
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.classifier import PixelClassifier
from segmentation.model.labelled import LabelledImage

pytestmark = pytest.mark.usefixtures("kernels")

SPEC = FeatureSpec(texture=False, sigma_max=2)
FOREST = ForestSettings(n_estimators=8)
IMAGE = image_from_pixels(np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8))
GRID = TileGrid(IMAGE.shape, 32)


def strokes(count, seed=0, image=IMAGE):
    """Labels after each of ``count`` strokes; some later ones lie over earlier ones, and some erase."""
    random = np.random.default_rng(seed)
    labels = np.zeros(image.shape, np.uint8)
    labels[:3, :20], labels[-3:, -20:] = 1, 2
    for number in range(count):
        if number:
            row, column = (random.integers(0, length) for length in image.shape)
            labels[row : row + 5, column : column + 25] = random.integers(0, 4)
        yield labels.copy()


def forest_bytes(classifier):
    values = (getattr(classifier.forest_, field.name) for field in fields(classifier.forest_))
    return b"".join(value.tobytes() for value in values if isinstance(value, np.ndarray))


@pytest.fixture
def computed(monkeypatch):
    """The places whose feature rows were computed, and from what, each time."""
    calls = []

    def counted(image, spec, places, **kwargs):
        calls.append((places, kwargs | {"smoothed": kwargs.get("smoothed")}))
        return feature_rows(image, spec, places, **kwargs)

    feature_rows = rows_module.feature_rows
    monkeypatch.setattr(rows_module, "feature_rows", counted)
    return calls


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    st.integers(0, 99),
    st.sampled_from([0, 150_000, 500_000, 10**8]),
    st.sampled_from(["extra_trees", "random_forest"]),
    st.sampled_from([None, 2]),
)
def test_each_stroke_gives_the_bytes_of_a_fresh_fit_and_prediction(seed, budget, kind, depth):
    live = LiveSegmenter(FeatureCache(budget), threads=2)
    forest = ForestSettings(kind, n_estimators=5, random_state=seed, max_depth=depth)
    for labels in strokes(4, seed):
        classifier = live.train([LabelledImage.from_image(IMAGE, labels)], SPEC, forest)
        fresh = PixelClassifier(SPEC, **forest.to_json(), threads=1).fit(IMAGE, labels)
        assert forest_bytes(classifier) == forest_bytes(fresh)
        assert classifier.training_ == fresh.training_
        segmentation = np.zeros(IMAGE.shape, np.uint8)
        for tile, ids in live.segment_tiles(IMAGE, classifier, GRID.order((10, 20, 40, 50))):
            segmentation[tile.rows, tile.columns] = ids
        assert np.array_equal(segmentation, fresh.predict(IMAGE))
        assert live.cache.used <= budget


@pytest.mark.parametrize("budget", [0, 10**8])
def test_probabilities_are_those_of_the_classifier(budget):
    live = LiveSegmenter(FeatureCache(budget))
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    whole = np.moveaxis(classifier.predict_proba(IMAGE), -1, 0)
    for tile in GRID.tiles:
        assert np.array_equal(live.probabilities(IMAGE, classifier, tile), whole[:, tile.rows, tile.columns])


@pytest.mark.parametrize("depth", [None, 2])
@pytest.mark.parametrize("budget", [0, 10**8])
def test_class_weights_change_what_is_made_of_the_same_forest(budget, depth):
    live = LiveSegmenter(FeatureCache(budget))
    forest = ForestSettings(n_estimators=8, max_depth=depth)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, forest)
    weighed = live.weighed(classifier, {2: 2.5})
    assert live.weighed(classifier, {}) is classifier
    assert live.weighed(classifier, {2: 2.5}) is weighed
    assert weighed.forest_ is classifier.forest_
    whole, proba = weighed.predict(IMAGE), np.moveaxis(weighed.predict_proba(IMAGE), -1, 0)
    assert np.count_nonzero(whole == 2) > np.count_nonzero(classifier.predict(IMAGE) == 2)
    for tile in GRID.tiles:
        assert np.array_equal(live.segment(IMAGE, weighed, tile), whole[tile.rows, tile.columns])
        assert np.array_equal(live.probabilities(IMAGE, weighed, tile), proba[:, tile.rows, tile.columns])
    for layer in (Layer(2), Layer()):
        for tile, (ids, values) in live.layer_tiles(IMAGE, weighed, GRID.tiles, layer):
            assert np.array_equal(ids, whole[tile.rows, tile.columns])
            assert np.array_equal(values, layer.values(proba[:, tile.rows, tile.columns], weighed.classes_))
    drafts = live.draft(IMAGE, weighed, GRID.tiles)
    pixels = DraftPixels.for_shape(IMAGE.shape)
    chosen = slice(pixels.first, None, pixels.step)
    for tile, ids in drafts:
        assert np.array_equal(ids, whole[tile.rows, tile.columns][chosen, chosen])


def test_a_stroke_costs_the_features_of_its_own_pixels(computed):
    live = LiveSegmenter(FeatureCache(0))
    before = None
    for labels in strokes(6):
        computed.clear()
        live.train([LabelledImage.from_image(IMAGE, labels)], SPEC, FOREST)
        places = np.concatenate([places for places, _ in computed]) if computed else np.empty(0, int)
        new = labels > 0 if before is None else (labels > 0) & ~before
        assert set(places) <= set(np.flatnonzero(new))
        before = (labels > 0) if before is None else before | (labels > 0)


def test_undo_and_a_change_of_class_cost_no_features(computed):
    live = LiveSegmenter(FeatureCache(0))
    first, second, third = strokes(3)
    for labels in (first, second, third):
        live.train([LabelledImage.from_image(IMAGE, labels)], SPEC, FOREST)
    computed.clear()
    swapped = np.array([0, 2, 1, 3], np.uint8)[third]
    for labels in (second, first, swapped):
        fresh = PixelClassifier(SPEC, n_estimators=8).fit(IMAGE, labels)
        assert forest_bytes(live.train([LabelledImage.from_image(IMAGE, labels)], SPEC, FOREST)) == forest_bytes(fresh)
    live.train([LabelledImage.from_image(IMAGE, third)], SPEC, ForestSettings(n_estimators=9))
    assert computed == []


def test_features_of_tiles_that_are_cached_are_not_computed_again(computed):
    live = LiveSegmenter(FeatureCache(10**8))
    grid = TileGrid(IMAGE.shape)
    compute_ahead(live, IMAGE, SPEC, ForestSettings(max_depth=5), grid.order())
    assert all(live.cache.peek(IMAGE, SPEC, tile) for tile in grid.tiles)
    live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    assert all(call["smoothed"] or len(places) == 0 for places, call in computed)


def test_the_same_labels_are_trained_on_once():
    live = LiveSegmenter(FeatureCache(0))
    first, second = strokes(2)
    classifier = live.train([LabelledImage.from_image(IMAGE, first)], SPEC, FOREST)
    assert live.train([LabelledImage.from_image(IMAGE, first.copy())], SPEC, FOREST) is classifier
    others = [
        live.train([LabelledImage.from_image(IMAGE, second)], SPEC, FOREST),
        live.train([LabelledImage.from_image(IMAGE, np.array([0, 2, 1], np.uint8)[first])], SPEC, FOREST),
        live.train([LabelledImage.from_image(IMAGE, first)], FeatureSpec(texture=False, sigma_max=4), FOREST),
        live.train([LabelledImage.from_image(IMAGE, first)], SPEC, ForestSettings(n_estimators=8, random_state=1)),
        live.train([LabelledImage.from_image(image_from_pixels(IMAGE.pixels[::-1]), first)], SPEC, FOREST),
    ]
    assert all(other is not classifier for other in others)


def test_a_flood_of_labels_is_learnt_from_a_bounded_sample(computed):
    image = image_from_pixels(np.random.default_rng(1).integers(0, 256, (130, 140), np.uint8))
    flood = np.ones(image.shape, np.uint8)
    flood[60:] = 2
    live = LiveSegmenter(FeatureCache(0))
    for seed in range(4):
        forest = ForestSettings(n_estimators=8, random_state=seed)
        fresh = PixelClassifier(SPEC, **forest.to_json()).fit(image, flood)
        assert forest_bytes(live.train([LabelledImage.from_image(image, flood)], SPEC, forest)) == forest_bytes(fresh)
        assert sum(fresh.training_["training_pixels"].values()) == MAX_TRAINING_PIXELS
    assert len(live.rows.kept.get((image.hash, SPEC)).places) <= 2 * MAX_TRAINING_PIXELS


def test_caches_stay_within_their_bytes():
    live = LiveSegmenter(FeatureCache(0))
    live.rows.kept = BoundedCache(40_000, live.rows.kept.size)
    live.classifiers = BoundedCache(400_000, live.classifiers.size)

    def session(seed):
        image = image_from_pixels(np.random.default_rng(seed % 3).integers(0, 256, (40, 50), np.uint8))
        for labels in strokes(5, seed, image):
            classifier = live.train([LabelledImage.from_image(image, labels)], SPEC, FOREST)
            assert forest_bytes(classifier) == forest_bytes(PixelClassifier(SPEC, n_estimators=8).fit(image, labels))
            assert live.rows.kept.used <= 40_000
            assert live.classifiers.used <= 400_000

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(session, range(6)))
    assert live.rows.kept.used > 0
    assert live.classifiers.used > 0


def test_stale_work_stops_within_one_tile():
    live = LiveSegmenter(FeatureCache(10**8), threads=2)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    newer, begun = [], []

    def stale():
        if not newer:
            begun.append("tile")
        return bool(newer)

    tiles = live.segment_tiles(IMAGE, classifier, GRID.tiles, stale=stale)
    assert next(tiles)[0] == GRID.tiles[0]
    assert next(tiles)[0] == GRID.tiles[1]
    newer.append("stroke")
    before = len(begun)
    assert list(tiles) == []
    assert len(begun) == before
    assert live.are_at_hand(IMAGE, classifier, GRID.tiles[:2])
    assert not live.are_at_hand(IMAGE, classifier, GRID.tiles[-1:])
    compute_ahead(live, IMAGE, SPEC, FOREST, GRID.tiles, stale=lambda: True)
    assert not live.are_at_hand(IMAGE, classifier, GRID.tiles[-1:])


def test_a_draft_of_what_was_segmented_has_the_classes_of_the_next_segmentation(monkeypatch):
    monkeypatch.setattr("segmentation.live.draft.DRAFT_PIXELS", 600)
    live = LiveSegmenter(FeatureCache(0), threads=2)
    first, second = (live.train([LabelledImage.from_image(IMAGE, labels)], SPEC, FOREST) for labels in strokes(2))
    assert live.draft(IMAGE, first, GRID.tiles) == []
    for tile in GRID.tiles[:4]:
        live.segment(IMAGE, first, tile)
    drafts = live.draft(IMAGE, second, GRID.tiles)
    assert [tile for tile, _ in drafts] == list(GRID.tiles[:4])
    for tile, ids in drafts:
        assert np.array_equal(ids, live.segment(IMAGE, second, tile)[1::3, 1::3])
    assert live.samples.used == sum(4 * ids.size * SPEC.count(3) for _, ids in drafts)


def test_samples_of_drafts_stay_within_their_bytes(monkeypatch):
    monkeypatch.setattr("segmentation.live.draft.DRAFT_PIXELS", 600)
    live = LiveSegmenter(FeatureCache(0), sample_bytes=20_000)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    for tile in GRID.tiles:
        live.segment(IMAGE, classifier, tile)
        assert live.samples.used <= 20_000
    assert 0 < len(live.draft(IMAGE, classifier, GRID.tiles)) < len(GRID.tiles)


def test_an_image_that_is_segmented_at_once_needs_no_draft():
    live = LiveSegmenter(FeatureCache(0))
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    live.segment(IMAGE, classifier, GRID.tiles[0])
    assert live.samples.used == 0


def test_an_answer_ends_when_its_client_is_gone():
    live = LiveSegmenter(FeatureCache(10**8), threads=2)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    tiles = live.segment_tiles(IMAGE, classifier, GRID.tiles)
    next(tiles), next(tiles)
    tiles.close()
    assert live.cache.peek(IMAGE, SPEC, GRID.tiles[-1]) is None
    assert [tile for tile, _ in live.segment_tiles(IMAGE, classifier, GRID.tiles)] == list(GRID.tiles)


def test_tiles_that_wait_for_their_turn_are_not_computed_once_the_client_is_gone(monkeypatch):
    live = LiveSegmenter(FeatureCache(0), threads=2)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    segmented, segment, turns, waiting = [], live.segment, Semaphore(2), Semaphore(0)
    monkeypatch.setattr(live, "segment", lambda *given, **more: segmented.append(1) or segment(*given, **more))

    @contextmanager
    def turn():
        waiting.release()
        turns.acquire()
        yield

    tiles = live.segment_tiles(IMAGE, classifier, GRID.tiles, turn=turn)
    next(tiles), next(tiles)
    for _ in range(4):
        waiting.acquire()
    Timer(0.1, turns.release, [len(GRID.tiles)]).start()
    tiles.close()
    assert len(segmented) == 2


def test_the_most_urgent_tiles_are_the_cached_ones(monkeypatch):
    order = GRID.order((0, 10, 60, 79))
    cache = FeatureCache(sum(bit_planes_bytes(SPEC, 3, tile) for tile in order[:2]))
    live = LiveSegmenter(cache)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    assert [tile for tile, _ in live.segment_tiles(IMAGE, classifier, order)] == order
    assert cache.used == cache.budget
    monkeypatch.setattr(Smoothed, "compute", pytest.fail)
    fewer = ForestSettings(n_estimators=FOREST.n_estimators - 1)  # of the same trees, which look at no other features
    again = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, fewer)
    assert [tile for tile, _ in live.segment_tiles(IMAGE, again, order)] == order
    assert cache.used == cache.budget


def test_the_most_urgent_smoothed_tiles_are_the_cached_ones_of_a_forest_that_does_not_vote():
    order = GRID.order((0, 10, 60, 79))
    cache = FeatureCache(sum(smoothed_bytes(SPEC, 3, tile.shape) for tile in order[:2]))
    live = LiveSegmenter(cache)
    labels = next(strokes(1))
    labels[:3, :20] = np.random.default_rng(0).integers(1, 3, (3, 20))
    shallow = ForestSettings(n_estimators=8, max_depth=1)
    classifier = live.train([LabelledImage.from_image(IMAGE, labels)], SPEC, shallow)
    assert not classifier.forest_.votes
    for _ in range(2):
        assert [tile for tile, _ in live.segment_tiles(IMAGE, classifier, order)] == order
        assert [cache.peek(IMAGE, SPEC, tile) is not None for tile in order] == [True] * 2 + [False] * (len(order) - 2)


def test_strokes_on_several_images_give_the_bytes_of_a_fresh_fit_and_unchanged_images_are_not_read_again():
    live = LiveSegmenter(FeatureCache(10**8))
    others = [image_from_pixels(np.roll(IMAGE.pixels, turn, axis=0)) for turn in (7, 21)]
    fixed = [next(strokes(1, seed)) for seed in (1, 2)]
    for number, labels in enumerate(strokes(3)):
        fresh = PixelClassifier(SPEC, **FOREST.to_json()).fit([IMAGE, *others], [labels, *fixed])
        unread = pytest.fail if number else None
        images = [LabelledImage.from_image(IMAGE, labels)]
        images += [
            LabelledImage(one.hash, raster, unread or (lambda one=one: one))
            for one, raster in zip(others, fixed, strict=True)
        ]
        learnt = live.train(images, SPEC, FOREST)
        assert forest_bytes(learnt) == forest_bytes(fresh)
        assert learnt.training_ == fresh.training_


def test_what_does_not_fit_together_is_refused_with_a_sentence():
    live = LiveSegmenter(FeatureCache(0))
    with pytest.raises(ValueError, match="The labels have 5 x 5 pixels"):
        live.train([LabelledImage.from_image(IMAGE, np.ones((5, 5), np.uint8))], SPEC, FOREST)
    with pytest.raises(ValueError, match="Draw strokes of at least two classes"):
        live.train([LabelledImage.from_image(IMAGE, np.ones(IMAGE.shape, np.uint8))], SPEC, FOREST)
    classifier = live.train([LabelledImage.from_image(IMAGE, next(strokes(1)))], SPEC, FOREST)
    grey = image_from_pixels(IMAGE.pixels[..., 0])
    for ask in (live.segment, live.probabilities):
        with pytest.raises(ValueError, match="trained on images with 3 channels, but this one has 1"):
            ask(grey, classifier, GRID.tiles[0])


@pytest.mark.parametrize("drawn", [0, 1, 3])
def test_training_from_an_earlier_classifier_gives_the_bytes_of_a_fresh_fit(drawn):
    *_, before = strokes(2, seed=5)
    earlier = PixelClassifier(SPEC, **FOREST.to_json()).fit(IMAGE, before)
    other = image_from_pixels(IMAGE.pixels[::-1])
    labels = list(strokes(drawn, image=other))[-1:]
    live = LiveSegmenter(FeatureCache(10**7), threads=2)
    images = [LabelledImage.from_image(other, one) for one in labels]
    fresh = PixelClassifier(SPEC, **FOREST.to_json()).fit([other] * len(labels), labels, earlier=earlier)
    live_one = live.train(images, SPEC, FOREST, earlier)
    assert forest_bytes(live_one) == forest_bytes(fresh)
    assert live_one.training_ == fresh.training_
    assert live.train(images, SPEC, FOREST, earlier) is live_one
    again = live.training_pixels(images, SPEC, FOREST, earlier)
    assert again.features.tobytes() == fresh.pixels_.features.tobytes()
    assert again.class_ids.tobytes() == fresh.pixels_.class_ids.tobytes()


def test_an_earlier_classifier_is_not_kept_alive_by_the_one_that_is_trained_from_it():
    live = LiveSegmenter(FeatureCache(0), threads=1)
    earlier = PixelClassifier(SPEC, **FOREST.to_json()).fit(IMAGE, next(strokes(1)))
    live.train([LabelledImage.from_image(IMAGE, labels) for labels in strokes(1)], SPEC, FOREST, earlier)
    assert live.classifiers.used
    gone = ref(earlier)
    del earlier
    gc.collect()
    assert gone() is None


def test_whoever_draws_in_turns_keeps_their_bits_where_there_is_room_for_these_alone(monkeypatch):
    images = [image_from_pixels(np.roll(IMAGE.pixels, number, axis=0)) for number in range(4)]
    bits = sum(bit_planes_bytes(SPEC, IMAGE.channels, tile) for tile in GRID.tiles)
    live = LiveSegmenter(FeatureCache(len(images) * bits + 1000), threads=1)
    labels = next(strokes(1))
    trained = [live.train([LabelledImage.from_image(image, labels)], SPEC, FOREST) for image in images]

    def all_tiles():
        return [
            [ids.tobytes() for _, ids in live.segment_tiles(image, classifier, GRID.tiles)]
            for image, classifier in zip(images, trained, strict=True)
        ]

    expected = all_tiles()
    monkeypatch.setattr(Smoothed, "compute", None)
    assert all_tiles() == expected
    assert live.cache.used <= live.cache.budget
