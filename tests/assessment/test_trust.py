"""What an image like those that were learnt from is worth, and what one unlike them."""

import csv

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation._shared.tiling import whole_window
from segmentation.assessment.trust import TrustSample, trust_of_rows
from segmentation.features.spec import FeatureSpec
from segmentation.series.model import Model
from segmentation.series.run import apply_series


def halves(seed=0, gain=1.0):
    random = np.random.default_rng(seed)
    pixels = random.normal(100, 12, (70, 300))
    pixels[:, 150:] += 50
    return (gain * pixels).clip(0, 255).astype(np.uint8)


LABELS = np.zeros((70, 300), np.uint8)
LABELS[10:60, 10:60], LABELS[10:60, 240:290] = 1, 2


@pytest.fixture(scope="module")
def classifier():
    return seg.PixelClassifier(FeatureSpec(sigma_max=4), n_estimators=20).fit(halves(), LABELS)


def trust_of(classifier, pixels, threads=1, tile=70):
    image = seg.image_from_pixels(pixels)
    sample = TrustSample(image)
    for window in whole_window(image.shape).split(tile, tile):
        classifier.predict_window(image, window, on_piece=sample.add, threads=threads)
    return sample.trust(classifier)


def test_it_depends_on_neither_threads_nor_tiles(classifier):
    expected = trust_of(classifier, halves(1))
    assert trust_of(classifier, halves(1), threads=3, tile=33) == expected
    assert Model.from_classifier(classifier).segment_whole(seg.image_from_pixels(halves(1)), True).trust == expected


def test_it_is_that_of_the_sampled_rows(classifier):
    pixels = halves(1)[:, :20]
    rows = seg.compute_features(pixels, classifier.spec_).reshape(-1, classifier.forest_.n_features)
    whole = trust_of_rows(classifier, rows)
    assert trust_of(classifier, pixels) == whole
    votes = np.sort(classifier.predict_proba(pixels), axis=-1)
    assert whole.unsure == pytest.approx(1 - (votes[..., -1] - votes[..., -2]).mean(), rel=1e-4)


def test_what_is_unlike_is_trusted_less(classifier):
    alike, unlike = trust_of(classifier, halves(2)), trust_of(classifier, halves(2, gain=0.4))
    assert unlike.unlike > alike.unlike + 0.1
    assert unlike.value < alike.value
    assert 0 <= unlike.value <= alike.value <= 1


def test_the_table_of_a_series_has_it(classifier, tmp_path):
    for name, gain in (("alike", 1.0), ("unlike", 0.4)):
        tifffile.imwrite(tmp_path / f"{name}.tif", halves(2, gain))
    apply_series(classifier, [tmp_path / "alike.tif", tmp_path / "unlike.tif"], tmp_path / "out", table=True)
    rows = list(csv.DictReader((tmp_path / "out/shares.csv").read_text().splitlines()))
    told = {
        row["image"]: trust_of(classifier, halves(2, gain)).to_json()
        for row, gain in zip(rows[::2], (1.0, 0.4), strict=True)
    }
    for row in rows:
        margin = told[row["image"]]["margins"][row["class_id"]]
        assert {key: float(row[key]) for key in ("trust", "unsure", "unlike")} == {
            key: value for key, value in told[row["image"]].items() if key != "margins"
        }
        low, share, high = (float(row[key]) for key in ("percent_low", "percent", "percent_high"))
        assert [low, high] == pytest.approx([max(0, share - 100 * margin), min(100, share + 100 * margin)], abs=2e-4)


def test_pixels_without_data_do_not_count(classifier):
    pixels = halves(1).astype(np.float32)
    pixels[:, 60:200] = np.nan
    image = seg.image_from_pixels(pixels)
    sample = TrustSample(image)
    classifier.predict_window(image, whole_window(image.shape), on_piece=sample.add)
    features = seg.compute_features(image.pixels, classifier.spec_)
    with_data = np.flatnonzero(~image.no_data.ravel())
    grid = np.zeros(image.shape, bool)
    grid[::2, ::2] = True
    chosen = with_data[grid.ravel()[with_data]]
    assert sample.trust(classifier) == trust_of_rows(classifier, features.reshape(-1, features.shape[-1])[chosen])
