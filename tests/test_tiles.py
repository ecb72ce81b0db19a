import threading
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentation import tiles
from segmentation.features import FeatureSpec, compute_planes
from segmentation.images import image_from_pixels
from segmentation.tiles import BoundedCache, FeatureCache, TileGrid, cache_bytes_from_environment, planes_bytes

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
    count = len(grid.touching(shown))
    assert sorted(tile.index for tile in order[:count]) == [tile.index for tile in grid.touching(shown)]
    middle = np.array([shown[0] + shown[1], shown[2] + shown[3]]) / 2

    def distance(tile):
        top, bottom, left, right = tile.bounds
        return np.hypot((top + bottom) / 2 - middle[0], (left + right) / 2 - middle[1])

    for part in (order[:count], order[count:]):
        distances = [distance(tile) for tile in part]
        assert distances == sorted(distances)


def test_the_first_tile_is_the_one_in_the_middle_of_the_view():
    first = TileGrid((4096, 4096), 512).order((1000, 1400, 3000, 3100))[0]
    assert first.bounds == (1024, 1535, 2560, 3071)


@given(shapes, st.integers(1, 40), views.filter(bool))
def test_touching_tiles_are_those_with_a_pixel_in_the_bounds(shape, side, bounds):
    rows, columns = np.indices(shape)
    within = (rows + 0.5 >= bounds[0]) & (rows - 0.5 <= bounds[1])
    within &= (columns + 0.5 >= bounds[2]) & (columns - 0.5 <= bounds[3])
    grid = TileGrid(shape, side)
    expected = [tile for tile in grid.tiles if within[tile.rows, tile.columns].any()]
    assert grid.touching(bounds) == expected


@given(shapes, st.integers(1, 40), st.lists(st.tuples(st.integers(0, 89), st.integers(0, 89)), max_size=9))
def test_covers_tells_whose_tile_a_pixel_is(shape, side, places):
    rows, columns = np.array([p for p in places if p[0] < shape[0] and p[1] < shape[1]], int).reshape(-1, 2).T
    owners = sum(tile.covers(rows, columns).astype(int) for tile in TileGrid(shape, side).tiles)
    assert (owners == 1).all()


@settings(max_examples=25, deadline=None)
@given(shapes, st.sampled_from([1, 3]), st.integers(9, 60), st.sampled_from([FeatureSpec(sigma_max=4), SPEC]))
def test_features_by_tiles_equal_those_of_the_whole(shape, channels, side, spec):
    image = noise(*shape, channels)
    whole = compute_planes(image.pixels, spec)
    cache = FeatureCache(0)
    for tile in TileGrid(shape, side).tiles:
        assert np.array_equal(cache.planes(image, spec, tile), whole[:, tile.rows, tile.columns])


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12) | st.none()), max_size=40))
def test_the_budget_is_held_and_the_least_recently_used_goes_first(steps):
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


def test_kept_features_are_those_that_were_computed():
    image, cache = noise(40, 50), FeatureCache(10**7)
    tile = TileGrid(image.shape, 32).tiles[1]
    assert cache.peek(image, SPEC, tile) is None
    planes = cache.planes(image, SPEC, tile)
    assert planes.nbytes == planes_bytes(image, SPEC, tile) == cache.used
    assert cache.peek(image, SPEC, tile) is planes is cache.planes(image, SPEC, tile)
    with pytest.raises(ValueError, match="read-only"):
        planes[0, 0, 0] = 1


def test_other_images_specs_and_tiles_are_not_mistaken_for_each_other():
    cache = FeatureCache(10**8)
    for image in (noise(40, 50, seed=1), noise(40, 50, seed=2)):
        for spec in (SPEC, FeatureSpec(sigma_max=2, edges=False)):
            for side in (30, 40):
                for tile in TileGrid(image.shape, side).tiles:
                    expected = compute_planes(image.pixels, spec, rows=tile.rows, columns=tile.columns)
                    for _ in range(2):
                        assert np.array_equal(cache.planes(image, spec, tile), expected)


def test_threads_that_want_the_same_tile_compute_it_once(monkeypatch):
    image, computed, both_ask = noise(40, 50), [], threading.Barrier(2)
    tile = TileGrid(image.shape).tiles[0]

    def slow(*args, **kwargs):
        computed.append(args)
        started.set()
        waiting.wait(10)
        return compute_planes(*args, **kwargs)

    def ask(cache):
        both_ask.wait(10)
        return cache.planes(image, SPEC, tile)

    monkeypatch.setattr(tiles, "compute_planes", slow)
    for budget in (10**7, 0):
        waiting, started = threading.Event(), threading.Event()
        cache = FeatureCache(budget)
        with ThreadPoolExecutor(3) as pool:
            answers = [pool.submit(ask, cache) for _ in range(2)]
            started.wait(10)
            third = pool.submit(cache.planes, image, SPEC, tile)
            waiting.set()
            assert np.array_equal(answers[0].result(), answers[1].result())
            assert np.array_equal(answers[0].result(), third.result())


def test_a_failure_reaches_all_who_waited_and_is_not_kept(monkeypatch):
    image, cache = noise(40, 50), FeatureCache(10**7)
    tile = TileGrid(image.shape).tiles[0]

    def fail(*args, **kwargs):
        raise MemoryError("full")

    monkeypatch.setattr(tiles, "compute_planes", fail)
    with pytest.raises(MemoryError):
        cache.planes(image, SPEC, tile)
    monkeypatch.undo()
    assert cache.planes(image, SPEC, tile).shape[1:] == (40, 50)


def test_the_budget_is_held_under_a_stream_of_sessions_in_threads():
    images = [noise(64, 64, seed=seed) for seed in range(5)]
    size = planes_bytes(images[0], SPEC, TileGrid((64, 64), 32).tiles[0])
    cache = FeatureCache(3 * size + 100)
    most = []

    def session(seed):
        order = np.random.default_rng(seed)
        for _ in range(30):
            image = images[order.integers(5)]
            tile = TileGrid(image.shape, 32).tiles[order.integers(4)]
            cache.planes(image, SPEC, tile, threads=1)
            most.append(cache.used)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(session, range(4)))
    assert max(most) == 3 * size


def test_the_budget_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("SQUIGGLE_FEATURE_CACHE_MB", "1.5")
    assert FeatureCache().budget == 1_500_000
    monkeypatch.delenv("SQUIGGLE_FEATURE_CACHE_MB")
    assert FeatureCache().budget == cache_bytes_from_environment() == tiles.DEFAULT_CACHE_MEGABYTES * 10**6


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf", ""])
def test_a_budget_that_is_none_is_refused_with_a_sentence(monkeypatch, text):
    monkeypatch.setenv("SQUIGGLE_FEATURE_CACHE_MB", text)
    with pytest.raises(ValueError, match="SQUIGGLE_FEATURE_CACHE_MB must be a number of megabytes"):
        FeatureCache()
