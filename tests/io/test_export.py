"""The files and pictures that show a segmentation."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image as PillowImage

from segmentation.io.display import display_pixels
from segmentation.io.export import label_tiff, overlay_image, overlay_png, probabilities_tiff, segmentation_png
from segmentation.io.read import read_image, read_pages
from segmentation.io.shares import ClassShare, class_shares, shares_csv, spreadsheet_text
from segmentation.strokes.classes import DEFAULT_COLOURS, LabelClass, parse_colour

DATA = Path(__file__).resolve().parents[1] / "data"
COLOURS = {1: "#e69f00", 2: "#0072b2", 7: "#FFFFFF"}

segmentations = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, max_side=40))


def as_people_see_it(rgb):
    """CIELAB as seen with normal vision and with each kind of dichromacy (Machado et al. 2009, severity 1)."""
    from skimage.color import rgb2lab

    matrices = [
        np.eye(3),
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
    ]
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    for matrix in matrices:
        seen = np.clip(linear @ np.transpose(matrix), 0, 1)
        yield rgb2lab(np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055))


def test_default_colours_can_be_told_apart_by_everybody():
    from skimage.color import deltaE_ciede2000

    assert len(set(DEFAULT_COLOURS)) == 255
    rgb = np.array([parse_colour(colour) for colour in DEFAULT_COLOURS]) / 255
    for first, least in ((40, 6), (120, 3), (255, 1.9)):
        for lab in as_people_see_it(rgb[:first]):
            assert (deltaE_ciede2000(lab[:, None], lab[None]) + 100 * np.eye(first)).min() > least
    for lab in as_people_see_it(rgb[:20]):
        difference = deltaE_ciede2000(lab[:, None], lab[None]) + 100 * np.eye(20)
        assert difference.min() > 9
        assert difference[:7, :7].min() > 10
        assert difference[0, 1] > 50
        greys = np.stack([np.linspace(0, 100, 50), np.zeros(50), np.zeros(50)], axis=1)
        assert deltaE_ciede2000(lab[:2, None], greys[None]).min() > 20


def test_parse_colour():
    assert parse_colour("#e69F00") == (0xE6, 0x9F, 0)
    for wrong in ("e69f00", "#e69f0", "#e69f000", "red", "#gggggg", "#e69f00 ", "", None, 5, "#１１１１１１"):
        with pytest.raises(ValueError, match="written like #e69f00"):
            parse_colour(wrong)


@given(segmentations, st.integers(0, 9))
def test_segmentation_png_has_the_ids_as_palette_indices(segmentation, level):
    data = segmentation_png(segmentation, COLOURS, level)
    with PillowImage.open(io.BytesIO(data)) as file:
        assert file.mode == "P"
        np.testing.assert_array_equal(np.asarray(file), segmentation)
        rgba = np.asarray(file.convert("RGBA"))
    coloured = np.isin(segmentation, list(COLOURS))
    assert (rgba[~coloured, 3] == 0).all()
    assert (rgba[coloured, 3] == 255).all()
    for class_id, colour in COLOURS.items():
        assert (rgba[segmentation == class_id, :3] == parse_colour(colour)).all()


@given(segmentations, st.floats(0, 1))
def test_overlay_blends_the_colours_of_the_classes(segmentation, opacity):
    shown = np.random.default_rng(0).integers(0, 256, (*segmentation.shape, 3), dtype=np.uint8)
    overlay = overlay_image(shown, segmentation, COLOURS, opacity)
    assert overlay.dtype == np.uint8
    expected = shown.astype(float)
    for class_id, colour in COLOURS.items():
        place = segmentation == class_id
        expected[place] += opacity * (np.array(parse_colour(colour)) - expected[place])
    assert np.abs(overlay - expected).max() <= 1.01
    untouched = ~np.isin(segmentation, list(COLOURS))
    np.testing.assert_array_equal(overlay[untouched], shown[untouched])


def test_overlay_of_a_real_image():
    shown = display_pixels(read_image(DATA / "histology_purple.png"))
    mask = read_image(DATA / "histology_purple_mask.png").pixels
    overlay = read_image(overlay_png(shown, mask, COLOURS, opacity=1)).pixels
    np.testing.assert_array_equal(overlay[mask == 2], np.broadcast_to(parse_colour(COLOURS[2]), (np.sum(mask == 2), 3)))
    np.testing.assert_array_equal(
        read_image(overlay_png(shown, mask, COLOURS)).pixels, overlay_image(shown, mask, COLOURS, opacity=0.5)
    )


def test_impossible_overlays():
    ids, shown = np.ones((5, 6), np.uint8), np.zeros((5, 6, 3), np.uint8)
    for wrong in (ids.astype(np.int64), ids[0], ids[:0]):
        with pytest.raises(ValueError, match="class ids, of type uint8"):
            segmentation_png(wrong, COLOURS)
    for wrong in (shown[:4], shown[..., 0], shown.astype(float)):
        with pytest.raises(ValueError, match="same rows and columns"):
            overlay_image(wrong, ids, COLOURS)
    for opacity in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="opacity"):
            overlay_image(shown, ids, COLOURS, opacity)
    for class_id in (0, 256, -1):
        with pytest.raises(ValueError, match="class id"):
            segmentation_png(ids, {class_id: "#e69f00"})


@given(segmentations)
def test_label_tiff_is_plain_and_names_and_colours_the_classes(segmentation):
    classes = (LabelClass(1, "Gland", "#e69f00"), LabelClass(2, "Zwölffingerdarm 十二指腸", "#0072b2"))
    data = label_tiff(segmentation, classes)
    assert label_tiff(segmentation, classes) == data
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert len(tiff.pages) == 1
        assert tiff.pages.first.photometric == tifffile.PHOTOMETRIC.PALETTE
        np.testing.assert_array_equal(tiff.pages.first.asarray(), segmentation)
        assert json.loads(tiff.pages.first.description) == {
            "classes": [{"id": 1, "name": "Gland"}, {"id": 2, "name": "Zwölffingerdarm 十二指腸"}]
        }
    with PillowImage.open(io.BytesIO(data)) as file:
        np.testing.assert_array_equal(np.asarray(file), segmentation)
        shown = np.asarray(file.convert("RGB"))
    for class_id in range(256):
        colour = {one.id: parse_colour(one.colour) for one in classes}.get(class_id, (0, 0, 0))
        assert (shown[segmentation == class_id] == colour).all()
    np.testing.assert_array_equal(read_image(data).pixels, segmentation)
    (mask,) = read_pages(data, labels=True)
    np.testing.assert_array_equal(mask.pixels, segmentation)


def test_probabilities_tiff_has_a_page_for_each_class():
    probabilities = np.random.default_rng(1).dirichlet([1, 2, 3], (20, 31)).astype(np.float32)
    data = probabilities_tiff(probabilities, ["Gland", "Größe", "Rest"])
    stack = tifffile.imread(io.BytesIO(data))
    assert stack.dtype == np.float32
    np.testing.assert_array_equal(stack, np.moveaxis(probabilities, -1, 0))
    with tifffile.TiffFile(io.BytesIO(data)) as tiff:
        assert [page.tags["PageName"].value for page in tiff.pages] == ["Gland", "Gr??e", "Rest"]
        assert json.loads(tiff.pages.first.description) == {"probabilities": ["Gland", "Größe", "Rest"]}
    with PillowImage.open(io.BytesIO(data)) as file:
        assert file.n_frames == 3
        file.seek(2)
        np.testing.assert_array_equal(np.asarray(file), probabilities[..., 2])
    for names in (["Gland"], []):
        with pytest.raises(ValueError, match="one plane for each class"):
            probabilities_tiff(probabilities[..., : len(names) + 1], names)


@given(segmentations)
def test_shares_count_every_pixel_of_a_class_once(segmentation):
    shares = class_shares(segmentation, range(1, 256))
    assert [entry.id for entry in shares] == list(range(1, 256))
    assert sum(entry.pixels for entry in shares) == np.count_nonzero(segmentation)
    assert sum(entry.share for entry in shares) == pytest.approx(float(segmentation.any()))
    for entry in shares:
        assert entry.pixels == np.count_nonzero(segmentation == entry.id)


def test_shares_of_more_than_one_strip():
    segmentation = np.repeat(np.array([[1], [2], [2]], np.uint8), 700_000, axis=1)
    assert class_shares(segmentation, [2, 1, 9]) == [
        ClassShare(2, 1_400_000, pytest.approx(2 / 3)),
        ClassShare(1, 700_000, pytest.approx(1 / 3)),
        ClassShare(9, 0, 0.0),
    ]


def test_shares_csv():
    segmentation = np.array([[1, 1, 2], [0, 1, 2]], np.uint8)
    names = {1: 'Gland, "stained"', 2: "=HYPERLINK(1)", 3: "Größe"}
    text = shares_csv(segmentation, names)
    assert list(csv.reader(io.StringIO(text))) == [
        ["class_id", "class_name", "pixels", "percent"],
        ["1", 'Gland, "stained"', "3", "60.0000"],
        ["2", "'=HYPERLINK(1)", "2", "40.0000"],
        ["3", "Größe", "0", "0.0000"],
    ]


@pytest.mark.parametrize("text", ["=1", " =1", "＝1", "\u200b=1", "\u3000＋1", "﹣1", "\ufeff@x", "\t1", "\n=1"])
def test_cells_that_a_spreadsheet_may_take_for_formulas_are_text(text):
    assert spreadsheet_text(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Gland", " Gland", "a=b", "µm -1", "１"])
def test_other_cells_are_left_as_they_are(text):
    assert spreadsheet_text(text) == text
