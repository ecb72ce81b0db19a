"""Scores against scikit-learn's, and masks as people save them."""

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as PillowImage
from sklearn import metrics

from segmentation.io.limits import ImageError
from segmentation.model.metrics import score
from tests.support.imagefiles import read_mask

IDS = (1, 2, 7)


@pytest.mark.slow
@settings(deadline=None)
@given(st.data())
def test_scores_are_those_of_scikit_learn(data):
    shape = data.draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    found = data.draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from(IDS)))
    true = data.draw(arrays.arrays(np.uint8, shape, elements=st.sampled_from((0, *IDS))))
    scores = score(found, true, IDS)
    known = true > 0
    pair = true[known], found[known]
    assert scores.pixels == known.sum()
    if not known.any():
        assert np.isnan(scores.mean_iou)
        assert np.isnan(scores.accuracy)
        return
    assert np.array_equal(scores.confusion, metrics.confusion_matrix(*pair, labels=IDS))
    options = {"labels": IDS, "average": None, "zero_division": np.nan}
    occurs = np.isin(IDS, np.concatenate(pair))
    assert np.allclose(
        scores.iou[occurs], metrics.jaccard_score(*pair, labels=IDS, average=None, zero_division=0)[occurs]
    )
    assert np.allclose(scores.f1[occurs], metrics.f1_score(*pair, labels=IDS, average=None, zero_division=0)[occurs])
    assert np.isnan(scores.iou[~occurs]).all()
    assert np.allclose(scores.precision, metrics.precision_score(*pair, **options), equal_nan=True)
    assert np.allclose(scores.recall, metrics.recall_score(*pair, **options), equal_nan=True)
    assert scores.mean_iou == pytest.approx(np.nanmean(scores.iou))
    assert scores.accuracy == pytest.approx((pair[0] == pair[1]).mean())


def test_scores_of_several_images_add_up():
    random = np.random.default_rng(0)
    images = [random.choice(IDS, (2, 9, 11)).astype(np.uint8) for _ in range(2)]
    together = score(*np.concatenate(images, axis=1), IDS)
    added = score(*images[0], IDS) + score(*images[1], IDS)
    assert np.array_equal(added.confusion, together.confusion)
    with pytest.raises(ValueError, match="same classes"):
        added + score(*images[0], (*IDS, 9))


def test_a_class_that_does_not_occur_does_not_count():
    scores = score(np.full((4, 4), 1, np.uint8), np.full((4, 4), 1, np.uint8), IDS)
    assert (scores.mean_iou, scores.mean_f1) == (1.0, 1.0)
    assert scores.to_json()["classes"][1] == {
        "id": 2, "pixels": 0, "iou": None, "f1": None, "precision": None, "recall": None,
    }  # fmt: skip
    assert "    -" in scores.describe({1: "void", 2: "grain", 7: "pore"})


@pytest.mark.parametrize(
    ("truth", "problem"),
    [
        (np.zeros((3, 5), np.uint8), "The mask has 3 x 5 pixels, but the image has 4 x 4"),
        (np.full((4, 4), 255, np.uint8), "The mask holds the value 255, but the classes are 1, 2, 7"),
    ],
)
def test_a_mask_that_does_not_fit_is_told(truth, problem):
    with pytest.raises(ValueError, match=problem):
        score(np.ones((4, 4), np.uint8), truth, IDS)


MASK = np.array([[0, 1, 2], [2, 1, 0]], np.uint8)


def save(path, how):
    if how == "palette.png":
        image = PillowImage.fromarray(MASK)
        image.putpalette([9, 9, 9, 230, 159, 0, 0, 114, 178])
        image.save(path)
    elif how == "palette.tif":
        colours = np.random.default_rng(0).integers(0, 2**16, (3, 256)).astype(np.uint16)
        tifffile.imwrite(path, MASK, photometric="palette", colormap=colours)
    elif how == "float.tif":
        tifffile.imwrite(path, MASK.astype(np.float32), photometric="minisblack")
    elif how == "16 bit.png":
        PillowImage.fromarray(MASK.astype(np.uint16)).save(path)
    else:
        PillowImage.fromarray(MASK).save(path)


@pytest.mark.parametrize("how", ["grey.png", "palette.png", "16 bit.png", "grey.bmp", "palette.tif", "float.tif"])
def test_masks_are_read_however_they_are_saved(how, tmp_path):
    save(tmp_path / how, how)
    assert read_mask(tmp_path / how).dtype == np.uint8
    assert np.array_equal(read_mask(tmp_path / how), MASK)
    assert np.array_equal(read_mask(tmp_path / how, {0: 7, 1: 0, 2: 1}), [[7, 0, 1], [1, 0, 7]])


@pytest.mark.parametrize(
    ("pixels", "problem"),
    [
        (np.zeros((4, 4, 3), np.uint8), "has colours"),
        (np.full((4, 4), 300, np.uint16), "no class ids"),
        (np.full((4, 4), 0.5, np.float32), "no class ids"),
        (np.full((4, 4), -1, np.int16), "no class ids"),
    ],
)
def test_what_is_no_mask_is_told(pixels, problem, tmp_path):
    tifffile.imwrite(tmp_path / "mask.tif", pixels, photometric="rgb" if pixels.ndim == 3 else "minisblack")
    with pytest.raises(ImageError, match=problem):
        read_mask(tmp_path / "mask.tif")
    if pixels.ndim == 2:
        with pytest.raises(ImageError, match="no class is named for it"):
            read_mask(tmp_path / "mask.tif", {17: 1})
