"""Sizes of pixels on the command line: read, typed, and lengths in units."""

import csv

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.pixel_size import PixelSize, in_pixels, parse_length, parse_pixel_size
from segmentation.model.modelfile import load_model


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """An image with pixels of 0.25 µm, its labels, and the same image without a size."""
    folder = tmp_path_factory.mktemp("sized")
    pixels = np.random.default_rng(0).integers(100, 200, (40, 50)).astype(np.uint8)
    pixels[:20] //= 2
    labels = np.zeros(pixels.shape, np.uint8)
    labels[5:8, 10:40], labels[30:33, 10:40] = 1, 2
    tifffile.imwrite(folder / "cells.tif", pixels, resolution=(4e4, 4e4), resolutionunit="CENTIMETER")
    tifffile.imwrite(folder / "bare.tif", pixels)
    tifffile.imwrite(folder / "labels.tif", labels)
    return folder


def train(desk, name, out, *more):
    labels = ["--labels", f"{desk}/labels.tif", "-o", str(out), "--trees", "3"]
    return main(["train", f"{desk}/{name}", *labels, *more])


@pytest.mark.parametrize(
    ("name", "more"), [("cells.tif", []), ("bare.tif", ["--pixel-size", "0.25um"]), ("bare.tif", None)]
)
def test_sigmas_in_units_are_those_in_pixels(desk, tmp_path, name, more):
    sigmas = ["--sigma-min", "1", "--sigma-max", "4px"] if more is None else ["--sigma-min", "0.25um", *more]
    sigmas += [] if more is None else ["--sigma-max", "0.001 mm"]
    assert train(desk, name, tmp_path / "units.squiggle", *sigmas) == 0
    assert load_model(tmp_path / "units.squiggle").spec == seg.FeatureSpec(sigma_min=1, sigma_max=4)


def test_sigmas_in_units_need_a_size(desk, tmp_path, capsys):
    assert train(desk, "bare.tif", tmp_path / "none.squiggle", "--sigma-max", "2um") != 0
    assert "How many µm a pixel has is not known" in capsys.readouterr().err
    assert not (tmp_path / "none.squiggle").exists()


def test_a_size_that_was_typed_is_written_and_counts(desk, tmp_path):
    assert train(desk, "bare.tif", tmp_path / "m.squiggle", "--sigma-max", "2") == 0
    apply = ["apply", str(tmp_path / "m.squiggle"), f"{desk}/bare.tif", "-o", str(tmp_path / "out"), "--csv", "--quiet"]
    for typed, size in (([], None), (["--pixel-size", "2x3mm"], PixelSize(2, 3, "mm"))):
        assert main([*apply, *typed]) == 0
        assert seg.read_image(tmp_path / "out/bare.tif").pixel_size == size
        rows = list(csv.DictReader((tmp_path / "out/shares.csv").read_text().splitlines()))
        if size is None:
            assert "area" not in rows[0]
        else:
            areas = {row["unit"]: float(row["area"]) / int(row["pixels"]) for row in rows}
            assert areas == {"mm²": pytest.approx(6)}


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0.325um", PixelSize(0.325, 0.325)),
        ("0.3x0.4 µm", PixelSize(0.3, 0.4)),
        ("1e-1 x 2 x 3 nm", PixelSize(0.1, 2, "nm", 3)),
        ("10 m", PixelSize(10, 10, "m")),
    ],
)
def test_sizes_are_typed_as_people_write_them(text, size):
    assert parse_pixel_size(text) == size


@pytest.mark.parametrize("text", ["", "3", "um", "0um", "-1um", "1 parsec", "1x2x3x4um", "1.2.3um"])
def test_other_texts_are_refused(text):
    with pytest.raises(ValueError, match="is no size of a pixel"):
        parse_pixel_size(text)


@pytest.mark.parametrize("sizes", [[PixelSize(1, 2)], [PixelSize(1, 1), PixelSize(2, 2)], [PixelSize(1, 1), None]])
def test_lengths_need_square_equal_pixels(sizes):
    with pytest.raises(ValueError, match=r"not square|not known"):
        in_pixels(parse_length("3um"), sizes)
    assert in_pixels(parse_length("3"), sizes) == 3
    assert in_pixels((3.0, "mm"), [PixelSize(1000, 1000), PixelSize(1, 1, "mm")]) == 3
