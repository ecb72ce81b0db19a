import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from segmentation._shared.tiling import Tile, TileGrid
from segmentation.features.spec import FeatureSpec
from segmentation.io.image import image_from_pixels
from segmentation.live import draft as draft_module
from segmentation.live.draft import DraftPixels, TileSample, draft
from segmentation.model.classifier import PixelClassifier

SPEC = FeatureSpec(sigma_max=2)
PIXELS = np.random.default_rng(0).integers(0, 256, (130, 101, 3), np.uint8)
LABELS = np.zeros(PIXELS.shape[:2], np.uint8)
LABELS[:9, :30], LABELS[-9:, -30:], LABELS[60:64] = 1, 2, 3


@given(*[st.integers(1, 40)] * 2, st.integers(2, 50), st.integers(1, 13), st.integers(1, 13))
def test_a_sample_is_every_so_manieth_pixel_whatever_the_pieces(rows, columns, step, piece_rows, piece_columns):
    tile = Tile(slice(7, 7 + rows), slice(90, 90 + columns), 0)
    planes = np.random.default_rng(step).random((2, rows, columns), np.float32)
    pixels = DraftPixels(step)
    sample = TileSample(pixels, tile, 2)
    for piece in tile.split(piece_rows, piece_columns):
        sample.add(piece, planes[:, *piece.place_in(tile)])
    assert np.array_equal(sample.planes, planes[:, pixels.first :: step, pixels.first :: step])


@given(st.integers(1, 20_000), st.integers(1, 20_000))
def test_a_draft_has_about_as_many_pixels_for_every_image(rows, columns):
    step = DraftPixels.for_shape((rows, columns)).step
    assert rows * columns <= draft_module.DRAFT_PIXELS * step**2
    assume(step > 1)
    assert rows * columns > draft_module.DRAFT_PIXELS * (step - 1) ** 2


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2])
def test_a_draft_has_the_classes_of_the_segmentation(threads):
    classifier = PixelClassifier(SPEC, n_estimators=9).fit(PIXELS, LABELS)
    segmentation = classifier.predict(PIXELS)
    pixels = DraftPixels(5)
    tiles = TileGrid(PIXELS.shape, 50).tiles
    samples = []
    for tile in tiles:
        samples.append(TileSample(pixels, tile, SPEC.count(3)))
        classifier.predict_window(image_from_pixels(PIXELS), tile, on_piece=samples[-1].add)
    drafts = draft(classifier, [sample.planes for sample in samples], threads=threads)
    assert any(ids.size == 0 for ids in drafts)
    for tile, ids in zip(tiles, drafts, strict=True):
        assert np.array_equal(ids, segmentation[tile.rows, tile.columns][2::5, 2::5])
