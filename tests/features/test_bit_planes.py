"""Bit planes say what the forest says of floats, whichever bins they held before."""

import threading

import numpy as np
import pytest

from segmentation._shared.tiling import Window
from segmentation.features.bit_planes import BitPlanes, bit_planes_bytes
from segmentation.features.compute import compute_planes
from segmentation.features.planes_on_disk import PlanesOnDisk
from segmentation.features.pointwise import with_constants
from segmentation.features.smoothed import Smoothed
from segmentation.features.spec import FeatureSpec
from segmentation.forest.growing import grow_forest
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels

IMAGE = image_from_pixels(np.random.default_rng(0).integers(0, 256, (120, 150, 3), np.uint8))
SPECS = [
    FeatureSpec(sigma_max=4),
    FeatureSpec(sigma_min=0.7, sigma_max=5.3, num_sigma=3, channels=(2, 0)),
    FeatureSpec(intensity=False, sigma_max=2),
    FeatureSpec(edges=False, colour=False, sigma_max=2),
]
SPECS = [with_constants(spec, IMAGE.pixels) for spec in SPECS]
WINDOWS = [Window(slice(0, 120), slice(0, 150)), Window(slice(30, 94), slice(50, 82)), Window(slice(7, 8), slice(3, 4))]
WINDOWS += [Window(slice(0, 120), slice(10, 10 + width)) for width in (64, 100, 138)]


def forests(spec, widened=()):
    """A forest, and some that saw a wider range of some features."""
    features = compute_planes(IMAGE.pixels, spec)
    random = np.random.default_rng(1)
    rows = features.reshape(len(features), -1).T[random.choice(features[0].size, 400)]
    ids = (1 + (rows[:, 0] > np.median(rows[:, 0]))).astype(np.uint8)
    for some in [[], *widened]:
        changed = rows.copy()
        changed[0, some] = 3 * np.abs(rows[:, some]).max(axis=0)
        yield features, grow_forest(np.ascontiguousarray(changed), ids, ForestSettings(n_estimators=8))


@pytest.mark.slow
@pytest.mark.parametrize("window", WINDOWS, ids=lambda window: str(window.shape))
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: str(spec.count(3)))
@pytest.mark.parametrize("smoothed_first", [False, True])
@pytest.mark.parametrize("lie", ["in memory", "on disk"])
def test_they_say_what_floats_say_after_any_change_of_bins(spec, window, smoothed_first, lie, tmp_path):
    on_disk = PlanesOnDisk(tmp_path, 2**30).room(bit_planes_bytes(spec, 3, window)) if lie == "on disk" else None
    planes = BitPlanes(spec, 3, window, on_disk)
    smoothed = Smoothed.compute(IMAGE.pixels, spec, window.rows, window.columns) if smoothed_first else None
    count = spec.count(3)
    changes = [[0], [], [1, count - 1], range(count), [count // 2]]
    for features, forest in forests(spec, changes):
        part = np.ascontiguousarray(features[:, window.rows, window.columns])
        found = planes.classes(forest, IMAGE, smoothed, threads=2)
        assert np.array_equal(found, forest.predict(part))
        weights = np.array([1700, 600], np.int32)
        assert np.array_equal(planes.classes(forest, IMAGE, smoothed, weights), forest.predict(part, weights))
        assert np.array_equal(planes.probabilities(forest, IMAGE, smoothed), forest.predict_proba(part))
    assert planes.nbytes == bit_planes_bytes(spec, 3, window)


def test_what_has_not_changed_costs_no_features(monkeypatch):
    spec, window = SPECS[0], WINDOWS[0]
    planes = BitPlanes(spec, 3, window)
    (_, one), (_, other) = forests(spec, [[6]])
    planes.classes(one, IMAGE, None)
    computed, compute = [], Smoothed.compute
    monkeypatch.setattr(
        Smoothed, "compute", lambda *given, **more: computed.append(more["wanted"]) or compute(*given, **more)
    )
    planes.classes(one, IMAGE, None)
    assert computed == []
    planes.classes(other, IMAGE, None)
    assert len(computed) == 1
    assert np.count_nonzero(computed[0]) < len(computed[0]) / 2, "of the smoothed planes too only those it takes"


def test_threads_that_want_other_bins_do_not_disturb_each_other():
    spec, window = SPECS[0], WINDOWS[0]
    planes = BitPlanes(spec, 3, window)
    chosen = list(forests(spec, [[0], [7, 9], range(20)]))
    expected = [forest.predict(features) for features, forest in chosen]
    wrong = []

    def ask(number):
        for turn in range(6):
            at = (number + turn) % len(chosen)
            if not np.array_equal(planes.classes(chosen[at][1], IMAGE, None, threads=1), expected[at]):
                wrong.append(at)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_after_an_error_all_is_made_again(monkeypatch):
    spec, window = SPECS[0], WINDOWS[0]
    planes = BitPlanes(spec, 3, window)
    (features, one), (_, other) = forests(spec, [[6]])
    planes.classes(one, IMAGE, None)
    with monkeypatch.context() as context:
        context.setattr(Smoothed, "features", lambda *given, **more: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            planes.classes(other, IMAGE, None, threads=1)
    assert np.array_equal(planes.classes(other, IMAGE, None), other.predict(features))
    assert np.array_equal(planes.classes(one, IMAGE, None), one.predict(features))
