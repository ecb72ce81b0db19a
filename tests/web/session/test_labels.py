"""The labels of a session's image, kept up with its strokes."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from segmentation.strokes.classes import REGION
from segmentation.strokes.raster import rasterise, region_of, stroke_pixels
from segmentation.strokes.stroke import Stroke
from segmentation.web.session import labels
from segmentation.web.session.labels import LabelRaster, Labels
from segmentation.web.session.tiled_raster import STROKE_BYTES

SHAPE = 40, 50
STROKES = tuple(
    Stroke.from_json(
        {"id": f"s{row}", "class_id": 1 + row % 2, "kind": "path", "path": f"M2,{row}L45,{row}", "width": 3}
    )
    for row in (5, 7, 20, 31)
)


def test_a_snapshot_of_labels_stays_as_it_was_and_costs_a_copy_only_while_somebody_has_it():
    raster = LabelRaster(SHAPE)
    raster.update(STROKES[:2])
    snapshot = raster.snapshot()
    memory = raster.labels
    raster.update(STROKES[:2])
    assert raster.labels is memory
    raster.update(STROKES[:3])
    assert raster.labels is not memory
    np.testing.assert_array_equal(snapshot, rasterise(STROKES[:2], SHAPE))
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES[:3], SHAPE))
    del snapshot
    raster.snapshot()
    memory = raster.labels
    raster.update(STROKES)
    assert raster.labels is memory
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES, SHAPE))
    raster.update(STROKES[1:])
    np.testing.assert_array_equal(raster.labels, rasterise(STROKES[1:], SHAPE))


def test_whatever_happens_to_strokes_the_labels_are_those_of_a_whole_raster():
    random = np.random.default_rng(0)
    pool = [
        Stroke(f"s{number}", int(random.integers(0, 5)), "path", random.uniform(-9, 55, (3, 2)), random.uniform(1, 9))
        for number in range(60)
    ]
    raster, strokes = LabelRaster(SHAPE), []
    for turn in range(200):
        match random.choice(["add", "undo", "erase", "change", "put below", "outline"]):
            case "undo" if strokes:
                strokes = strokes[:-1]
            case "erase" if strokes:
                strokes = [one for one in strokes if random.random() > 0.1]
            case "change" if strokes:
                old = strokes[place := int(random.integers(len(strokes)))]
                class_id = old.class_id if old.class_id == REGION else 1 + turn % 4
                strokes[place] = Stroke(old.id, class_id, old.kind, old.points + 1, old.width)
            case "put below":
                strokes = [Stroke(f"below{turn}", 1, "path", random.uniform(0, 40, (2, 2)), 3.0), *strokes]
            case "outline":
                strokes = [*strokes, Stroke(f"here{turn}", REGION, "circle", random.uniform(-9, 55, (2, 2)))]
            case _:
                strokes = [*strokes, replace(pool[turn % 60], id=f"t{turn}")]
        raster.update(tuple(strokes))
        np.testing.assert_array_equal(raster.labels, rasterise(strokes, SHAPE))
        np.testing.assert_array_equal(raster.pixels_by_class[1:], np.bincount(raster.labels.ravel(), minlength=256)[1:])
        assert raster.strokes_outside == len(outside(strokes))
        rasters = raster.labels.nbytes * (1 if raster.region is None else 2)
        assert raster.nbytes == rasters + sum(STROKE_BYTES + one.points.nbytes for one in strokes)


def outside(strokes):
    """The strokes of which no pixel lies within an outline, where there are any."""
    region = region_of(strokes, SHAPE)
    pixels = {one: stroke_pixels(one, SHAPE) for one in strokes if one.class_id not in (0, REGION)}
    return [one for one, at in pixels.items() if region is not None and len(at[0]) and not region[at].any()]


def test_a_stroke_that_goes_costs_the_strokes_around_it_alone(monkeypatch):
    raster, painted = LabelRaster(SHAPE), []
    raster.update(STROKES)
    monkeypatch.setattr(labels, "stroke_pixels", lambda one, shape: painted.append(one) or stroke_pixels(one, shape))
    raster.update(STROKES[1:])
    assert painted == [STROKES[1]]
    raster.update(STROKES[1:-1])
    assert painted == [STROKES[1]]


def test_what_a_raster_takes_includes_its_strokes():
    raster = LabelRaster(SHAPE)
    empty = raster.nbytes
    strokes = tuple(Stroke(f"s{number}", 1, "path", np.ones((50, 2)), 3.0) for number in range(20))
    raster.update(strokes)
    assert raster.nbytes >= empty + 20 * 50 * 16
    raster.update(())
    assert raster.nbytes == empty


def test_corrections_are_counted_once_however_much_their_strokes_take(monkeypatch):
    long = np.tile([[5.0, 5.0], [30.0, 9.0]], (6_000, 1))
    corrections = tuple(Stroke(f"c{number}", 1, "path", long + number, 3.0) for number in range(30))
    assert sum(one.points.nbytes for one in corrections) > labels.COUNT_CACHE_BYTES
    counted, kept = [], Labels(None, 10_000)
    monkeypatch.setattr(kept, "raster", lambda *of: counted.append(of) or Labels.raster(kept, *of))

    def pixels(strokes):
        state = SimpleNamespace(
            corrections={"a": strokes}, drawn={}, images={"a": {"rows": SHAPE[0], "columns": SHAPE[1]}}
        )
        return kept.corrected_pixels("session", state)

    for strokes in (corrections, corrections, corrections[:-1], corrections[:-1]):
        assert pixels(strokes) == {"a": np.count_nonzero(rasterise(strokes, SHAPE))}
    assert len(counted) == 2
    assert kept._corrected.used < labels.COUNT_CACHE_BYTES
