"""An image that is read window by window gives the bytes of the whole: labels, training pixels, forest and tiles."""

from dataclasses import fields, replace

import numpy as np
import pytest

from segmentation._shared.tiling import TileGrid
from segmentation.features.all_pixels import compute_features
from segmentation.features.cache import FeatureCache
from segmentation.features.spec import FeatureSpec
from segmentation.forest.settings import ForestSettings
from segmentation.io.image import image_from_pixels, normalised
from segmentation.io.limits import PassingError
from segmentation.io.zarr_pyramid import open_pyramid
from segmentation.live.layers import Layer
from segmentation.live.pyramids import PyramidSegmenter
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model import pyramid_facts as facts_module
from segmentation.model.classifier import PixelClassifier
from segmentation.model.facts import image_facts
from segmentation.model.labelled import LabelledImage, LabelledPyramid
from segmentation.model.pyramid_facts import pyramid_facts
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke
from segmentation.strokes.tiled import tiled_labels
from tests.support.images import textured
from tests.support.pyramids import write_pyramid

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("kernels")]

SHAPE = 600, 700
STROKES = [
    Stroke("a", 1, "path", [(30, 40), (300, 90), (330, 270)], 9),
    Stroke("b", 2, "path", [(250, 500), (520, 520), (690, 590)], 12),
    Stroke("c", 1, "rectangle", [(240, 240), (275, 270)], 1),
]
FOREST = ForestSettings(n_estimators=8)


def pixels_of(kind):
    grey = textured(*SHAPE)
    if kind == "grey":
        return grey
    if kind == "gaps":
        values = grey.astype(np.float32)
        values[250:262, 20:340] = np.nan
        return values
    return np.dstack([textured(*SHAPE, seed=seed) for seed in range(3)])


def forest_bytes(classifier):
    values = (getattr(classifier.forest_, field.name) for field in fields(classifier.forest_))
    return b"".join(value.tobytes() for value in values if isinstance(value, np.ndarray))


@pytest.fixture(
    params=[
        ("grey", FeatureSpec(texture=False, sigma_max=2)),
        ("rgb", FeatureSpec(sigma_max=4)),
        ("rgb", FeatureSpec(texture=False, sigma_max=2, standardise=True)),
        ("gaps", FeatureSpec(texture=False, sigma_max=2)),
        ("rgb", FeatureSpec(texture=False, sigma_max=2, learned=True)),
        ("gaps", FeatureSpec(texture=False, sigma_max=2, learned=True)),
    ],
    ids=lambda given: f"{given[0]} {'standardised' * given[1].standardise}{'learned' * given[1].learned}",
)
def case(request, tmp_path):
    kind, spec = request.param
    pixels = pixels_of(kind)
    return pixels, spec, open_pyramid(write_pyramid(tmp_path / "a.zarr", pixels, chunks=128))


def test_what_is_learnt_and_found_is_that_of_the_whole_image(case):
    pixels, spec, pyramid = case
    image = image_from_pixels(pixels)
    whole, parts = LiveSegmenter(FeatureCache(10**8)), LiveSegmenter(FeatureCache(10**8))
    labelled = LabelledImage.from_image(image, rasterise(STROKES, SHAPE))
    tiled = LabelledPyramid(pyramid, tiled_labels(STROKES, SHAPE))
    assert {**tiled.facts(), "hash": ""} == {**labelled.facts(), "hash": ""}

    one, other = whole.training([labelled], spec, FOREST), parts.training([tiled], spec, FOREST)
    assert one.sample.digest() == other.sample.digest()
    for part in ("features", "class_ids", "ranges"):
        assert getattr(one.pixels(), part).tobytes() == getattr(other.pixels(), part).tobytes()

    classifier, same = whole.train([labelled], spec, FOREST), parts.train([tiled], spec, FOREST)
    assert forest_bytes(classifier) == forest_bytes(same)
    assert classifier.spec_ == same.spec_

    order = TileGrid(SHAPE).nearest((100, 400, 100, 400), 100)
    segmenter = PyramidSegmenter(parts, pyramid, pyramid_facts)
    for cached in range(2):
        expected = {tile.index: ids for tile, ids in whole.segment_tiles(image, classifier, order)}
        found = {tile.index: one for tile, one in segmenter.tiles(same, order)}
        assert found.keys() == expected.keys(), cached
        assert all(np.array_equal(found[index].ids, expected[index]) for index in expected)
    layer = Layer(1)
    for tile, (ids, values) in whole.layer_tiles(image, classifier, order[:2], layer):
        [(_, of_part)] = segmenter.tiles(same, [tile], layer)
        assert np.array_equal(of_part.ids, ids)
        assert np.array_equal(of_part.layer, values)


def test_labels_where_a_file_says_there_is_no_data_are_not_learnt_from(tmp_path):
    pixels, lacks = textured(*SHAPE), np.zeros(SHAPE, bool)
    lacks[250:262, 230:600] = lacks[505:525, 230:600] = True
    pyramid = replace(
        open_pyramid(write_pyramid(tmp_path / "a.zarr", pixels, chunks=128)),
        missing=lambda window, level: lacks[window.rows, window.columns],
    )
    spec, labels = FeatureSpec(texture=False, sigma_max=2), rasterise(STROKES, SHAPE)
    assert set(labels[lacks].tolist()) == {0, 1, 2}
    one = LiveSegmenter(FeatureCache(10**8)).training(
        [LabelledImage.from_image(normalised(pixels, {}, lacks), labels)], spec, FOREST
    )
    live = LiveSegmenter(FeatureCache(10**8))
    for _ in range(2):  # where there is no data is kept
        other = live.training([LabelledPyramid(pyramid, tiled_labels(STROKES, SHAPE))], spec, FOREST)
        assert one.sample.digest() == other.sample.digest()
        for part in ("features", "class_ids", "ranges"):
            assert getattr(one.pixels(), part).tobytes() == getattr(other.pixels(), part).tobytes()


def test_nothing_is_prepared_of_channels_that_the_image_lacks(tmp_path):
    pyramid = open_pyramid(write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=128))
    segmenter, begun = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), pyramid, pyramid_facts), []
    segmenter.compute_ahead(FeatureSpec(channels=(5,)), TileGrid(SHAPE).order(), stale=lambda: bool(begun.append(1)))
    assert begun == []


def test_a_classifier_of_rows_takes_the_constants_of_the_whole_image(tmp_path):
    pixels = (pixels_of("rgb") * np.linspace(0.05, 1, SHAPE[1])[:, None]).astype(np.uint8)
    labels = rasterise(STROKES, SHAPE)
    spec, drawn = FeatureSpec(sigma_max=2), labels > 0
    classifier = PixelClassifier(spec, n_estimators=20).fit_rows(compute_features(pixels, spec)[drawn], labels[drawn])
    assert classifier.spec_.constants is None
    expected, pyramid = classifier.predict(pixels), open_pyramid(write_pyramid(tmp_path / "a.zarr", pixels, chunks=128))
    segmenter = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), pyramid, pyramid_facts)
    for tile, found in segmenter.tiles(classifier, TileGrid(SHAPE).order()):
        assert np.array_equal(found.ids, expected[tile.rows, tile.columns])
    assert classifier.spec_.constants is None


def test_a_part_whose_values_a_sample_did_not_see_is_taken_in_the_type_of_the_others(tmp_path):
    pixels, labels = pixels_of("grey").astype(np.uint16), rasterise(STROKES, SHAPE)
    classifier = PixelClassifier(FeatureSpec(sigma_max=2), n_estimators=8).fit(pixels.astype(np.uint8), labels)
    pixels[100:110, 100:110] = 300
    expected = classifier.predict(pixels.clip(max=255).astype(np.uint8))
    pyramid = open_pyramid(write_pyramid(tmp_path / "a.zarr", pixels, chunks=128))

    def of_sample(seen):
        return pyramid_facts(seen) | {"value_range": [int(pixels.min()), 255]}

    segmenter = PyramidSegmenter(LiveSegmenter(FeatureCache(10**8)), pyramid, of_sample)
    for tile, found in segmenter.tiles(classifier, TileGrid(SHAPE).tiles[:2]):
        assert np.array_equal(found.ids, expected[tile.rows, tile.columns])


def test_ranges_are_those_of_the_standardised_image_also_where_no_tile_is_kept(tmp_path):
    pyramid = open_pyramid(write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=128))
    spec = FeatureSpec(texture=False, sigma_max=2, standardise=True)
    live = LiveSegmenter(FeatureCache(0))
    PyramidSegmenter(live, pyramid, pyramid_facts).compute_ahead(spec, TileGrid(SHAPE).order())
    known = LabelledPyramid(pyramid, tiled_labels(STROKES, SHAPE)).standardised()
    assert np.array_equal(live.ranges(known, spec), known.ranges(spec))
    assert not np.array_equal(known.ranges(spec), LabelledPyramid(pyramid, known.labels).ranges(spec))


def test_a_pyramid_is_read_for_its_mean_and_spread_once(tmp_path):
    pyramid = open_pyramid(write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=128))
    read = []

    def values(window, level):
        read.append(window)
        return pyramid.values(window, level)

    counted = replace(pyramid, values=values)
    first = counted.standardised()
    once = len(read)
    assert once > 0
    assert counted.standardised().standards == first.standards
    assert len(read) == once


def test_a_tile_whose_chunk_is_damaged_says_so_and_the_rest_goes_on(tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=256)
    (path / "0/c/2/2").write_bytes(b"damaged")
    pyramid, live = open_pyramid(path), LiveSegmenter(FeatureCache(10**8))
    strokes = [Stroke("a", 1, "path", [(20, 40), (90, 40)], 9), Stroke("b", 2, "path", [(20, 200), (120, 220)], 9)]
    spec = FeatureSpec(texture=False, sigma_max=2)
    classifier = live.train([LabelledPyramid(pyramid, tiled_labels(strokes, SHAPE))], spec, FOREST)
    segmenter = PyramidSegmenter(live, pyramid, pyramid_facts)
    found = {tile.index: one for tile, one in segmenter.tiles(classifier, TileGrid(SHAPE).order())}
    problems = {index for index, one in found.items() if one.problem}
    assert 8 in problems
    assert all(found[index].ids.all() for index in found if index not in problems)
    assert len(problems) < len(found)


def test_what_is_drawn_where_a_chunk_is_damaged_is_left_out_and_the_rest_is_learnt_from(tmp_path):
    path = write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=256)
    whole, spec = open_pyramid(path), FeatureSpec(texture=False, sigma_max=2)
    (path / "0/c/2/2").write_bytes(b"damaged")
    spoilt = [*STROKES, Stroke("d", 2, "path", [(600, 590), (690, 595)], 9)]
    labelled = LabelledPyramid(open_pyramid(path), tiled_labels(spoilt, SHAPE))
    left_out = labelled.problems(spec.halo)
    assert 8 in left_out
    kept = {index: one for index, one in labelled.labels.of_tiles.items() if index not in left_out}
    expected = LabelledPyramid(whole, replace(labelled.labels, of_tiles=kept))
    live, fresh = LiveSegmenter(FeatureCache(10**8)), LiveSegmenter(FeatureCache(0))
    samples = [
        fresh.training([expected], spec, FOREST).sample,
        *(one.training([labelled], spec, FOREST).sample for one in (live, live, fresh)),
    ]
    assert len({one.digest() for one in samples}) == 1
    assert live.train([labelled], spec, FOREST).classes_.tolist() == [1, 2]

    only = LabelledPyramid(labelled.pyramid, tiled_labels(spoilt[-1:], SHAPE))
    with pytest.raises(ValueError, match="none has labelled pixels"):
        live.train([only], spec, FOREST)


def test_what_did_not_come_is_asked_for_again_and_not_left_out(tmp_path):
    pyramid, away = open_pyramid(write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=256)), [True]

    def values(window, level):
        if away and window.rows.stop > 512:
            raise PassingError("It did not come.")
        return pyramid.values(window, level)

    facts = pyramid_facts(pyramid)
    seen = replace(pyramid, values=values)
    vars(seen)["hash"] = pyramid.hash
    live, spec = LiveSegmenter(FeatureCache(10**8)), FeatureSpec(texture=False, sigma_max=2)
    live.facts.put(seen.hash, facts)
    labelled = LabelledPyramid(seen, tiled_labels(STROKES, SHAPE))
    with pytest.raises(PassingError):
        live.training([labelled], spec, FOREST)
    away.clear()
    whole = LabelledPyramid(pyramid, labelled.labels)
    assert live.training([labelled], spec, FOREST).sample.digest() == (
        live.training([whole], spec, FOREST).sample.digest()
    )


def test_an_outline_bounds_what_is_found(tmp_path):
    pyramid = open_pyramid(write_pyramid(tmp_path / "a.zarr", textured(*SHAPE), chunks=128))
    live, spec = LiveSegmenter(FeatureCache(10**8)), FeatureSpec(texture=False, sigma_max=2)
    classifier = live.train([LabelledPyramid(pyramid, tiled_labels(STROKES, SHAPE))], spec, FOREST)
    outline = Stroke("r", 256, "rectangle", [(300, 200), (600, 500)], 1)
    inside = PyramidSegmenter(live, pyramid, pyramid_facts, [outline])
    whole = np.zeros(SHAPE, np.uint8)
    for tile, found in inside.tiles(classifier, TileGrid(SHAPE).order()):
        whole[tile.rows, tile.columns] = found.ids
    assert np.array_equal(whole > 0, rasterise([Stroke("x", 1, "rectangle", [(300, 200), (600, 500)], 1)], SHAPE) > 0)


def test_what_is_taken_from_a_large_image_is_that_of_its_sample(tmp_path, monkeypatch):
    monkeypatch.setattr("segmentation.io.sampling.LARGE_PIXELS", 1000)
    monkeypatch.setattr("segmentation.io.sampling.SAMPLED_SIDE", 32)
    pyramid = open_pyramid(write_pyramid(tmp_path / "a.zarr", textured(*SHAPE)))
    monkeypatch.setattr(facts_module, "_streamed", None)  # nobody reads all of it
    facts, sample = pyramid_facts(pyramid), image_facts(pyramid.sample)
    assert (facts["median"], facts["value_range"]) == (sample["median"], sample["value_range"])
    assert (facts["rows"], facts["columns"], facts["hash"]) == (*SHAPE, pyramid.hash)
