"""Bit planes that lie on the disk give the bytes of those in memory, within their bounds, whatever the disk does."""

import math
import os
import shutil
import threading
from collections import namedtuple
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from segmentation._shared.tiling import TileGrid
from segmentation.features.bit_planes import bit_planes_bytes
from segmentation.features.cache import FeatureCache
from segmentation.features.planes_on_disk import CHUNK, LEFT_FREE, PlanesOnDisk, bytes_on_disk
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.fit import LabelledImage

SPEC, FOREST = FeatureSpec(sigma_max=2, colour=False), ForestSettings(n_estimators=8)
IMAGE = image_from_pixels(np.random.default_rng(0).integers(0, 256, (90, 130, 3), np.uint8))
TILES = TileGrid(IMAGE.shape, 64).tiles
BYTES = sum(bit_planes_bytes(SPEC, 3, tile) for tile in TILES)
DISK = sum(bytes_on_disk(bit_planes_bytes(SPEC, 3, tile)) for tile in TILES)
Usage = namedtuple("Usage", "total used free")


def noise(size, seed=0):
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def write(room, data):
    """Write bytes as one feature of one block."""
    return room.write(data.reshape(1, 1, -1), np.ones(1, bool))


def read(room):
    """What was written, or None if it could not be read."""
    data = np.zeros(room.nbytes, np.uint8)
    return data if room.read(data.reshape(1, 1, -1), np.ones(1, bool)) else None


def labelled(seed=0):
    labels = np.zeros(IMAGE.shape, np.uint8)
    labels[:20, :40] = np.random.default_rng(seed).integers(0, 3, (20, 40))
    return [LabelledImage.from_image(IMAGE, labels)]


def segmented(live, seed=0):
    classifier = live.train(labelled(seed), SPEC, FOREST)
    return b"".join(ids.tobytes() for _, ids in live.segment_tiles(IMAGE, classifier, TILES))


def test_what_was_written_is_read_and_room_is_given_back(tmp_path):
    planes = PlanesOnDisk(tmp_path, 10 * CHUNK)
    sizes = [1, CHUNK, CHUNK + 1, 3 * CHUNK - 5]
    rooms = [planes.room(size) for size in sizes]
    for turn in range(2):
        for seed, room in enumerate(rooms):
            assert write(room, noise(room.nbytes, seed + turn))
        for seed, room in enumerate(rooms):
            assert np.array_equal(read(room), noise(room.nbytes, seed + turn))
    grown = planes._file.file.seek(0, 2)
    del rooms, room
    assert write(planes.room(7 * CHUNK), noise(7 * CHUNK))
    assert planes._file.file.seek(0, 2) <= grown + CHUNK


@pytest.mark.slow
@given(st.integers(1, 5), st.lists(st.lists(st.booleans(), min_size=40, max_size=40), min_size=1, max_size=6))
def test_only_what_changed_is_written_and_only_what_is_needed_is_read(blocks, changes):
    with TemporaryDirectory() as folder:
        shape = blocks, 40, 9_001
        room = PlanesOnDisk(Path(folder), 2**30).room(math.prod(shape))
        expected = np.zeros(shape, np.uint8)
        for seed, chosen in enumerate(map(np.array, changes)):
            now = noise(expected.size, seed).reshape(shape)
            assert room.write(now, chosen)
            expected[:, chosen] = now[:, chosen]
            wanted = np.any(changes[: seed + 1], axis=0) & (~chosen if seed % 2 else True)
            held = np.full(shape, seed, np.uint8)
            assert room.read(held, wanted)
            assert np.array_equal(held[:, wanted], expected[:, wanted])
            assert (held[:, ~wanted] == seed).all()


def test_the_file_has_no_name(tmp_path):
    planes = PlanesOnDisk(tmp_path, CHUNK)
    room = planes.room(10)
    assert write(room, noise(10))
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_was_never_written_is_read(tmp_path):
    planes = PlanesOnDisk(tmp_path, 4 * CHUNK)
    room, other = planes.room(CHUNK), planes.room(10)
    assert write(other, noise(10))
    assert write(room, noise(CHUNK))
    planes._file.file.truncate(CHUNK)
    assert read(room) is None


@pytest.mark.parametrize("budget", [0, BYTES // 3, BYTES])
@pytest.mark.parametrize("disk", [0, DISK // 2, 2 * DISK])
def test_a_segmentation_has_the_same_bytes_wherever_its_bits_lie(budget, disk, tmp_path):
    live = LiveSegmenter(FeatureCache(budget, PlanesOnDisk(tmp_path, disk)), threads=2)
    for seed in (0, 1, 0):
        assert segmented(live, seed) == segmented(LiveSegmenter(FeatureCache(0)), seed)
    assert live.cache.used <= budget
    places = live.cache._on_disk._file
    assert (places.file.seek(0, 2) if places else 0) <= disk


def test_what_lies_on_the_disk_costs_no_features(tmp_path, monkeypatch):
    live = LiveSegmenter(FeatureCache(0, PlanesOnDisk(tmp_path, DISK)))
    first = segmented(live)
    live.classifiers = LiveSegmenter(FeatureCache(0)).classifiers
    monkeypatch.setattr(Smoothed, "compute", pytest.fail)
    assert segmented(live) == first


def test_those_in_memory_are_not_pushed_out(tmp_path):
    cache = FeatureCache(bit_planes_bytes(SPEC, 3, TILES[0]), PlanesOnDisk(tmp_path, DISK))
    first = cache.bits(IMAGE, SPEC, TILES[0])
    others = [cache.bits(IMAGE, SPEC, tile) for tile in TILES[1:]]
    assert cache.bits(IMAGE, SPEC, TILES[0]) is first
    assert [cache.bits(IMAGE, SPEC, tile) for tile in TILES[1:]] == others


def test_a_disk_without_room_costs_time_only(tmp_path, monkeypatch):
    live = LiveSegmenter(FeatureCache(0, PlanesOnDisk(tmp_path, DISK)))
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(100, 100, 0))
    expected = segmented(LiveSegmenter(FeatureCache(0)))
    assert [segmented(live), segmented(live)] == [expected] * 2
    monkeypatch.undo()
    assert segmented(live) == expected


def test_room_on_the_disk_is_left_to_others(tmp_path, monkeypatch):
    data, free = noise(CHUNK + 1), [LEFT_FREE + 2 * CHUNK - 1]
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(0, 0, free[0]))
    planes = PlanesOnDisk(tmp_path, DISK)
    room = planes.room(len(data))
    assert not write(room, data)
    free[0] += 1
    assert write(room, data)
    free[0] = 0
    assert write(room, data[::-1].copy()), "where it lies there is room already"
    assert np.array_equal(read(room), data[::-1])


def test_a_disk_that_fails_costs_time_only(tmp_path):
    planes = PlanesOnDisk(tmp_path / "missing", DISK)
    live = LiveSegmenter(FeatureCache(0, planes))
    assert segmented(live) == segmented(LiveSegmenter(FeatureCache(0)))


@pytest.mark.parametrize("calls", [("preadv", "pwritev"), ()], ids=["as the system can", "in turns, as on Windows"])
def test_threads_do_not_read_what_others_write(tmp_path, monkeypatch, calls):
    for call in {"preadv", "pwritev"} - set(calls):
        monkeypatch.delattr(os, call, raising=False)
    planes = PlanesOnDisk(tmp_path, 100 * CHUNK)
    wrong = []

    def work(seed):
        room = planes.room(CHUNK + seed)
        for turn in range(20):
            data = noise(room.nbytes, 100 * seed + turn)
            if not (write(room, data) and np.array_equal(read(room), data)):
                wrong.append(seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert not wrong
