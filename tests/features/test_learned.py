"""Learned texture: the network as it is written down, the same bits wherever and however it is computed."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

import segmentation as seg
from segmentation._shared.bounded_cache import BoundedCache
from segmentation._shared.kernels import references_instead
from segmentation._shared.tiling import Window
from segmentation.features import learned_planes
from segmentation.features.constants import ColourConstants, channel_ends, middle_ends
from segmentation.features.learned.layout import COUNT, HALO, STRIDE
from segmentation.features.learned.network import cells_of
from segmentation.features.pieces import PIECE, compute_of, for_each_piece
from segmentation.features.pointwise import with_constants
from segmentation.io.image import image_from_pixels
from segmentation.io.pyramid import window_with_halo
from tests.support import ROOT
from tests.support.plain_network import plain_cells

SHAPE = 290, 310
PIXELS = np.random.default_rng(0).integers(0, 256, (*SHAPE, 3)).astype(np.uint8) // np.arange(1, 4).astype(np.uint8)
IMAGE = image_from_pixels(PIXELS)
SPEC = with_constants(seg.FeatureSpec(edges=False, texture=False, sigma_max=1, learned=True), PIXELS)


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch):
    monkeypatch.setattr(learned_planes, "_kept", BoundedCache(learned_planes.CACHE_BYTES, lambda cells: cells.nbytes))


def learned_of(image, rows=slice(None), columns=slice(None), spec=SPEC):
    rows, columns = (
        slice(*part.indices(length)[:2]) for part, length in zip((rows, columns), image.shape, strict=True)
    )
    return compute_of(image, spec, rows, columns)[-COUNT:]


@pytest.fixture(scope="module")
def whole():
    return learned_of(IMAGE)


def test_cells_are_those_of_the_network_as_it_is_written_down():
    image = np.random.default_rng(1).random((96, 128, 3), dtype=np.float32) * 2 - 1
    found = cells_of(image)
    assert found.shape == (COUNT, 6, 8)
    assert np.abs(found - np.moveaxis(plain_cells(image), 2, 0)).max() < 1e-4


@settings(max_examples=5, deadline=None)
@given(st.integers(1, 6), st.integers(1, 7), st.integers(0, 99))
def test_the_reference_has_the_same_bits(rows, columns, seed):
    image = np.random.default_rng(seed).normal(size=(16 * rows, 16 * columns, 3)).astype(np.float32)
    found = cells_of(image)
    with references_instead():
        assert np.array_equal(cells_of(image), found)


@pytest.mark.slow
@pytest.mark.parametrize("features", ["+avx2,+avx,+fma,+sse2", "+sse2"])
def test_other_registers_have_the_same_bits(features, tmp_path):
    """Also where a processor could add and multiply at once."""
    code = """
import hashlib
import numpy as np
from segmentation.features.learned.network import cells_of

image = np.random.default_rng(0).normal(size=(48, 80, 3)).astype(np.float32)
print(hashlib.sha256(cells_of(image).tobytes()).hexdigest())
"""
    other = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": features, "NUMBA_CACHE_DIR": str(tmp_path)}
    found = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=os.environ | one, capture_output=True, check=True
        ).stdout
        for one in ({}, other)
    ]
    assert found[0] == found[1]


@pytest.mark.slow
def test_pixels_lie_between_cells_and_what_is_beyond_the_image_is_mirrored(whole):
    values = PIXELS.astype(np.float32) / 255 * np.float32(255 / 128) - np.float32(127 / 128)
    around = [(6 * STRIDE, 6 * STRIDE + -length % STRIDE + STRIDE) for length in SHAPE]
    cells = plain_cells(np.pad(values, (*around, (0, 0)), mode="reflect"))
    rows, columns = np.indices(SHAPE) / STRIDE + 6
    for number in (0, 17, 79):
        expected = map_coordinates(cells[..., number], (rows, columns), order=1)
        assert np.abs(whole[number] - expected).max() < 1e-3


@pytest.mark.parametrize("axis", [0, 1])
def test_an_image_of_one_row_or_column_is_mirrored_as_often_as_needed(axis):
    line = PIXELS[7:8, :40] if axis == 0 else PIXELS[:40, 7:8]
    many = image_from_pixels(np.repeat(line, 2 * HALO, axis=axis))
    of_many = learned_of(many, *[slice(0, 1), slice(None)][:: 1 - 2 * axis])
    assert np.array_equal(learned_of(image_from_pixels(line)), of_many)


@pytest.mark.parametrize("threads", [1, 3])
def test_pieces_have_the_bits_of_the_whole(threads, whole):
    found = np.full((COUNT, *SHAPE), np.nan, np.float32)

    def copy(piece, planes):
        found[:, piece.rows, piece.columns] = planes[-COUNT:]

    for_each_piece(IMAGE, SPEC, Window(slice(0, 290), slice(0, 310)).split(*PIECE), copy, threads=threads)
    assert np.array_equal(found, whole)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_a_part_that_is_read_with_its_halo_has_the_bits_of_the_whole(whole, data):
    rows, columns = (
        slice(start, data.draw(st.integers(start + 1, min(start + 40, length))))
        for length, start in ((length, data.draw(st.integers(0, length - 1))) for length in SHAPE)
    )
    around = window_with_halo(Window(rows, columns), SPEC.halo, SHAPE)
    part = replace(
        image_from_pixels(PIXELS[around.rows, around.columns]), corner=(around.rows.start, around.columns.start)
    )
    found = learned_of(part, *Window(rows, columns).place_in(around))
    assert np.array_equal(found, whole[:, rows, columns])
    assert np.array_equal(learned_of(IMAGE, rows, columns), found)


@pytest.mark.slow
def test_the_reference_computes_the_same_features(whole):
    with references_instead():
        assert np.array_equal(learned_of(IMAGE, slice(200, 290), slice(250, 310)), whole[:, 200:, 250:])


def test_only_what_is_wanted_is_computed(whole):
    wanted = np.zeros(SPEC.count(3), bool)
    wanted[-3] = True
    out = np.full((SPEC.count(3), 20, 30), np.nan, np.float32)
    compute_of(IMAGE, SPEC, slice(10, 30), slice(0, 30), out=out, wanted=wanted)
    assert np.array_equal(out[-3], whole[-3, 10:30, :30])
    assert np.isnan(out[[-1, -2, -4]]).all()


def test_cells_are_computed_once_an_image(monkeypatch):
    asked = []
    monkeypatch.setattr(learned_planes, "cells_of", lambda image: asked.append(image.shape) or cells_of(image))
    for _ in range(2):
        learned_of(IMAGE)
        learned_of(IMAGE, slice(3, 9), slice(200, 300))
    assert len(asked) == 4


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_the_first_three_channels_are_seen(channels):
    pixels = np.random.default_rng(2).integers(0, 4000, (40, 50, channels)).astype(np.uint16)
    spec = with_constants(replace(SPEC, constants=None), pixels)
    assert len(spec.constants.ends) == min(channels, 3)
    found = learned_of(image_from_pixels(pixels), spec=spec)
    seen = [pixels[..., 0]] * 3 if channels == 1 else [pixels[..., number] for number in range(min(channels, 3))]
    values = [
        np.clip((one / 65535 - low) / (high - low), 0, 1)
        for one, (low, high) in zip(seen, (spec.constants.ends * 3)[: len(seen)], strict=True)
    ]
    if channels == 2:
        values.append((values[0] + values[1]) / 2)
    image = np.pad((np.stack(values, 2) * 255 - 127) / 128, ((96, 104), (96, 110), (0, 0)), mode="reflect")
    expected = plain_cells(image.astype(np.float32))[6:9, 6:10]
    assert np.abs(found[:, ::16, ::16] - np.moveaxis(expected, 2, 0)).max() < 1e-3


def test_ends_are_percentiles_and_those_of_photographs_their_whole_range():
    values = [np.arange(1001, dtype=np.uint16)]
    assert channel_ends(values) == ((10 / 65535, 990 / 65535),)
    assert channel_ends([np.array([3, 4], np.uint8)] * 3) == ((0, 1),) * 3
    assert channel_ends([np.array([np.nan], np.float32)]) == ((0, 1),)
    assert middle_ends([((0, 4),), ((1, 9),), ((3, 2),)]) == ((1, 4),)
    assert middle_ends([((0, 4),), ((1, 9),)]) == ((0, 4),)


def test_the_spec_names_and_counts_them():
    plain = replace(SPEC, learned=False, constants=None)
    assert SPEC.count(3) == plain.count(3) + COUNT == len(SPEC.names(3)) == len(SPEC.fine(3)) == len(SPEC.seen(3))
    assert SPEC.names(3)[-COUNT:] == [f"learned texture, output {number}" for number in range(1, 81)]
    assert not SPEC.fine(3)[-COUNT:].any()
    assert SPEC.halo == HALO
    assert "learned" not in plain.to_json()
    assert seg.FeatureSpec.from_json(SPEC.to_json()) == SPEC.chosen
    assert not seg.FeatureSpec.from_json(plain.to_json()).learned
    assert ColourConstants.from_json(json.loads(json.dumps(SPEC.constants.to_json()))) == SPEC.constants
    assert "ends" not in ColourConstants(0, 1).to_json()
    assert np.array_equal(
        seg.compute_features(PIXELS[:40, :50], replace(SPEC, learned=False)).shape, (40, 50, plain.count(3))
    )


@pytest.mark.parametrize("around", [{"planes_around": 1}, {"dimensions": 3}])
def test_planes_around_are_not_seen(around):
    with pytest.raises(ValueError, match="sees single planes"):
        seg.FeatureSpec(learned=True, **around)


@pytest.mark.parametrize("ends", [(), [[0, 1]] * 4, [[0]], [[1, 0]], [["a", 1]], [[0, float("inf")]], 3])
def test_ends_that_cannot_be_are_refused(ends):
    with pytest.raises(ValueError, match="end"):
        ColourConstants(0, 1, ends)


def test_cells_of_a_block_are_not_those_of_one_that_ends_elsewhere(whole):
    """Blocks of a pyramid are known by where they begin, and mirrored where they end."""
    blocks = [image_from_pixels(PIXELS[:rows]) for rows in (256, 352)]
    for block in blocks:
        vars(block)["hash"] = "the same"
    learned_of(blocks[0], slice(96, 160))
    assert np.array_equal(learned_of(blocks[1], slice(0, 250)), whole[:, :250])


@pytest.mark.parametrize("ends", [(0, 0), (0, 5e-324), (0.25, 0.25 + 2**-54), (-1e19, 1e19), (1e19, 1e19)])
def test_ends_as_close_or_far_as_can_be_give_numbers(ends):
    grey = np.random.default_rng(3).random((40, 50)).astype(np.float32)
    found = learned_of(image_from_pixels(grey), spec=replace(SPEC, constants=ColourConstants(0, 1, (ends,))))
    assert np.isfinite(found).all()


def test_ends_of_another_number_of_channels_are_a_sentence():
    with pytest.raises(ValueError, match="another number of channels"):
        learned_of(image_from_pixels(PIXELS), spec=replace(SPEC, constants=ColourConstants(0, 1, ((0, 1),))))


def trained(pixels, **settings):
    labels = np.zeros(pixels.shape[:2], np.uint8)
    labels[5:10, 10:40], labels[30:35, 10:40] = 1, 2
    return seg.PixelClassifier(replace(SPEC, constants=None), n_estimators=5, **settings).fit(pixels, labels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_file_brings_back_what_was_learnt(channels, tmp_path):
    pixels = PIXELS[..., 0] if channels == 1 else PIXELS
    classifier = trained(pixels)
    classifier.save(tmp_path / "learned.squiggle")
    reopened = seg.load_classifier(tmp_path / "learned.squiggle")
    assert reopened.spec_ == classifier.spec_
    assert len(reopened.spec_.constants.ends) == channels
    assert np.array_equal(reopened.predict(pixels // 2), classifier.predict(pixels // 2))
    by_reference = seg.load_classifier(tmp_path / "learned.squiggle", engine="reference")
    assert np.array_equal(by_reference.predict(pixels[:60, :70]), classifier.predict(pixels[:60, :70]))
    reopened.save(tmp_path / "again.squiggle")
    assert (tmp_path / "again.squiggle").read_bytes() == (tmp_path / "learned.squiggle").read_bytes()


def test_a_forest_uses_them_and_leaving_them_out_is_possible():
    from segmentation.assessment.importance import feature_importance, grouped_importance
    from segmentation.assessment.leaving_out import importance_table, without

    classifier = trained(PIXELS)
    table = importance_table(classifier)
    assert 0 < table.learned < 1
    assert table.kinds.sum() + table.learned == pytest.approx(1)
    assert table.channels.sum() == pytest.approx(1)
    groups = grouped_importance(feature_importance(classifier))
    assert groups["kind"]["learned texture"] == pytest.approx(table.learned)
    assert groups["sigma"]["no sigma"] == pytest.approx(table.learned)
    assert without(classifier.spec, "kind:learned", 3) == replace(classifier.spec, learned=False)


def test_rows_of_features_let_each_image_have_ends_of_its_own():
    features = seg.compute_features(PIXELS, replace(SPEC, constants=None))
    classifier = seg.PixelClassifier(replace(SPEC, constants=None), n_estimators=5)
    classifier.fit_rows(features[[5, 200], [10, 300]].reshape(-1, features.shape[2]), [1, 2])
    assert classifier.spec_.constants is None
    expected = classifier.forest_.predict(np.ascontiguousarray(np.moveaxis(features, 2, 0)))
    assert np.array_equal(classifier.predict(PIXELS), classifier.classes_[expected])
