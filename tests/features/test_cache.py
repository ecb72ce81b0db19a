import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.tiling import TileGrid
from segmentation.features.budget import LEAST_CACHE_MEGABYTES, cache_bytes_from_environment, default_cache_bytes
from segmentation.features.cache import FeatureCache
from segmentation.features.compute import compute_planes
from segmentation.features.pointwise import with_constants
from segmentation.features.smoothed import Smoothed, smoothed_bytes
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from tests.support import PATIENCE_SECONDS

SPEC = FeatureSpec(texture=False, sigma_max=2)


def noise(rows, columns, channels=1, seed=0):
    shape = (rows, columns) if channels == 1 else (rows, columns, channels)
    return image_from_pixels(np.random.default_rng(seed).integers(0, 256, shape, np.uint8))


shapes = st.tuples(st.integers(1, 90), st.integers(1, 90))
views = st.none() | st.tuples(*[st.floats(-20, 120, allow_nan=False)] * 4).map(
    lambda v: (min(v[:2]), max(v[:2]), min(v[2:]), max(v[2:]))
)


@given(shapes, st.integers(1, 40))
def test_tiles_cover_each_pixel_once(shape, side):
    covered = np.zeros(shape, int)
    for index, tile in enumerate(TileGrid(shape, side).tiles):
        assert tile.index == index
        assert max(tile.shape) <= side
        assert covered[tile.rows, tile.columns].shape == tile.shape
        covered[tile.rows, tile.columns] += 1
    assert (covered == 1).all()


def test_a_tile_needs_a_side():
    with pytest.raises(ValueError, match="at least one pixel"):
        TileGrid((5, 5), 0)


@given(shapes, st.integers(5, 40), views)
def test_the_view_comes_first_and_each_tile_once(shape, side, view):
    grid = TileGrid(shape, side)
    order = grid.order(view)
    assert sorted(tile.index for tile in order) == list(range(len(grid.tiles)))
    shown = view or (0, shape[0] - 1, 0, shape[1] - 1)
    touching = [tile.index for tile in grid.tiles if tile.touches(shown)]
    count = len(touching)
    assert sorted(tile.index for tile in order[:count]) == touching
    middle = np.array([shown[0] + shown[1], shown[2] + shown[3]]) / 2

    def distance(tile):
        top, bottom, left, right = tile.bounds
        return np.hypot((top + bottom) / 2 - middle[0], (left + right) / 2 - middle[1])

    for part in (order[:count], order[count:]):
        assert (np.diff([distance(tile) for tile in part]) > -1e-9).all()


def test_the_first_tile_is_the_one_in_the_middle_of_the_view():
    first = TileGrid((4096, 4096), 512).order((1000, 1400, 3000, 3100))[0]
    assert first.bounds == (1024, 1535, 2560, 3071)


@given(shapes, st.integers(1, 40), views.filter(bool))
def test_a_tile_touches_bounds_in_which_a_pixel_of_it_lies(shape, side, bounds):
    rows, columns = np.indices(shape)
    within = (rows + 0.5 >= bounds[0]) & (rows - 0.5 <= bounds[1])
    within &= (columns + 0.5 >= bounds[2]) & (columns - 0.5 <= bounds[3])
    for tile in TileGrid(shape, side).tiles:
        assert tile.touches(bounds) == within[tile.rows, tile.columns].any()


@given(shapes, st.integers(1, 40))
def test_each_pixel_knows_its_tile(shape, side):
    grid = TileGrid(shape, side)
    index = grid.index_of(*np.indices(shape))
    assert all((index[tile.rows, tile.columns] == tile.index).all() for tile in grid.tiles)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(shapes, st.sampled_from([1, 3]), st.integers(1, 60), st.sampled_from([FeatureSpec(sigma_max=4), SPEC]))
def test_features_by_tiles_equal_those_of_the_whole(shape, channels, side, spec):
    image = noise(*shape, channels)
    spec = with_constants(spec, image.pixels)
    whole = compute_planes(image.pixels, spec)
    cache = FeatureCache(0)
    for tile in TileGrid(shape, max(side, max(shape) // 5)).tiles:
        features = cache.smoothed(image, spec, tile).features(spec, tile.rows, tile.columns)
        assert np.array_equal(features, whole[:, tile.rows, tile.columns])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12) | st.none()), max_size=40))
def test_the_budget_is_kept_and_the_least_recently_used_goes_first(steps):
    cache = BoundedCache(20, size=int)
    model = OrderedDict()
    for key, value in steps:
        if value is None:
            assert cache.get(key) == model.get(key)
            if key in model:
                model.move_to_end(key)
            continue
        cache.put(key, value)
        model.pop(key, None)
        while sum(model.values()) + value > 20:
            model.popitem(last=False)
        model[key] = value
        assert cache.used == sum(model.values()) <= 20
    for key in range(6):
        assert cache.get(key) == model.get(key)


def test_what_is_larger_than_the_budget_is_not_kept_and_drops_nothing():
    cache = BoundedCache(10, size=int)
    cache.put("small", 9)
    cache.put("large", 11)
    assert cache.get("large") is None
    assert cache.get("small") == 9
    cache.make_room(11)
    assert cache.get("small") == 9
    cache.make_room(2)
    assert cache.used == 0


def test_a_smoothed_tile_is_cached():
    image, cache = noise(40, 50, 3), FeatureCache(10**7)
    tile = TileGrid(image.shape, 32).tiles[1]
    assert cache.peek(image, SPEC, tile) is None
    smoothed = cache.smoothed(image, SPEC, tile)
    assert smoothed.planes.nbytes == cache.used <= smoothed_bytes(SPEC, 3, tile.shape)
    assert cache.peek(image, SPEC, tile) is smoothed is cache.smoothed(image, SPEC, tile)


def test_kinds_of_features_share_the_smoothed_tile_and_nothing_else_does():
    cache, spec = FeatureCache(10**8), FeatureSpec(sigma_max=2)
    image, tile = noise(40, 50, 2), TileGrid((40, 50), 30).tiles[1]
    smoothed = cache.smoothed(image, spec, tile)
    assert cache.smoothed(image, FeatureSpec(sigma_max=2, texture=False), tile) is smoothed
    assert cache.smoothed(image, FeatureSpec(sigma_max=2, channels=(0, 1)), tile) is smoothed
    others = [
        (noise(40, 50, 2, seed=1), spec, tile),
        (image, FeatureSpec(sigma_max=4), tile),
        (image, FeatureSpec(sigma_max=2, num_sigma=2), tile),
        (image, FeatureSpec(sigma_max=2, channels=(1,)), tile),
        (image, FeatureSpec(sigma_max=2, channels=(1, 0)), tile),
        (image, spec, TileGrid((40, 50), 30).tiles[0]),
        (image, spec, TileGrid((40, 50), 31).tiles[1]),
    ]
    for picture, chosen, part in others:
        for _ in range(2):
            found = cache.smoothed(picture, chosen, part)
            assert found is not smoothed
            chosen = with_constants(chosen, picture.pixels)
            expected = compute_planes(picture.pixels, chosen, rows=part.rows, columns=part.columns)
            assert np.array_equal(found.features(chosen, part.rows, part.columns), expected)


def test_threads_that_want_the_same_tile_compute_it_once(monkeypatch):
    image, computed, both_ask = noise(40, 50), [], threading.Barrier(2)
    tile = TileGrid(image.shape).tiles[0]

    def slow(*args, **kwargs):
        computed.append(args)
        started.set()
        waiting.wait()
        return smooth(*args, **kwargs)

    def ask(cache):
        both_ask.wait(PATIENCE_SECONDS)
        return cache.smoothed(image, SPEC, tile)

    smooth = Smoothed.compute
    monkeypatch.setattr(Smoothed, "compute", slow)
    for budget in (10**7, 0):
        waiting, started = threading.Event(), threading.Event()
        computed.clear()
        cache = FeatureCache(budget)
        with ThreadPoolExecutor(2) as pool:
            answers = [pool.submit(ask, cache) for _ in range(2)]
            started.wait()
            time.sleep(0.05)
            waiting.set()
            assert answers[0].result() is answers[1].result()
        assert len(computed) == 1


def test_a_failure_reaches_all_who_waited_and_is_not_kept(monkeypatch):
    image, cache = noise(40, 50), FeatureCache(10**7)
    tile = TileGrid(image.shape).tiles[0]

    def fail(*args, **kwargs):
        raise MemoryError("full")

    monkeypatch.setattr(Smoothed, "compute", fail)
    with pytest.raises(MemoryError):
        cache.smoothed(image, SPEC, tile)
    monkeypatch.undo()
    assert cache.smoothed(image, SPEC, tile).planes.shape[1:] == (40, 50)


def test_the_budget_is_kept_under_a_stream_of_sessions_in_threads():
    images = [noise(64, 64, seed=seed) for seed in range(5)]
    size = FeatureCache(0).smoothed(images[0], SPEC, TileGrid((64, 64), 32).tiles[0]).planes.nbytes
    cache = FeatureCache(3 * size + 100)
    most = []

    def session(seed):
        order = np.random.default_rng(seed)
        for _ in range(30):
            image = images[order.integers(5)]
            tile = TileGrid(image.shape, 32).tiles[order.integers(4)]
            cache.smoothed(image, SPEC, tile, threads=1)
            most.append(cache.used)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(session, range(4)))
    assert max(most) == 3 * size


def test_the_budget_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("SQUIGGLE_FEATURE_CACHE_MB", "1.5")
    assert FeatureCache().budget == 1_572_864
    monkeypatch.delenv("SQUIGGLE_FEATURE_CACHE_MB")
    assert FeatureCache().budget == cache_bytes_from_environment() == default_cache_bytes()


@pytest.mark.parametrize(
    ("memory", "processes", "megabytes"),
    [
        (0, 1, LEAST_CACHE_MEGABYTES),
        (512, 1, LEAST_CACHE_MEGABYTES),
        (2048, 1, 384),
        (8192, 2, 960),
        (8192, 99, LEAST_CACHE_MEGABYTES),
    ],
)
def test_the_budget_follows_the_memory_unless_it_is_set(monkeypatch, memory, processes, megabytes):
    monkeypatch.setattr("segmentation.features.budget.memory_bytes", lambda: memory * 2**20)
    assert default_cache_bytes(processes) == megabytes * 2**20


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf", ""])
def test_a_budget_that_is_none_is_refused_with_a_sentence(monkeypatch, text):
    monkeypatch.setenv("SQUIGGLE_FEATURE_CACHE_MB", text)
    with pytest.raises(ValueError, match="SQUIGGLE_FEATURE_CACHE_MB must be a number of megabytes"):
        FeatureCache()
