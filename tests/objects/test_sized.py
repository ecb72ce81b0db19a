"""Sizes of a clean-up in a unit of length become those in pixels that the page has, or are refused."""

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.objects.sized import SizedStep, steps_in_pixels
from segmentation.objects.steps import CleanUpStep
from tests.support.classifiers import trained
from tests.support.images import textured

HALF = seg.PixelSize(0.5, 0.5, "µm")


def in_pixels(text, size=HALF):
    (step,) = steps_in_pixels([SizedStep.from_text(text)], {"a.tif": size}.copy)
    return step.to_text()


@pytest.mark.parametrize(
    ("typed", "pixels"),
    [
        ("drop_small=5um2@1", "drop_small=20@1"),
        ("drop_small=5µm²", "drop_small=20"),
        ("drop_small=5 µm2", "drop_small=20"),
        ("fill_holes=0.000005mm2", "fill_holes=20"),
        ("smooth=1.5um", "smooth=3"),
        ("smooth=0.1um", "smooth=1"),
        ("smooth=1.25um", "smooth=3"),
        ("drop_small=5000000nm2@2,1", "drop_small=20@1,2"),
        ("drop_small=20", "drop_small=20"),
        ("drop_small=20px", "drop_small=20"),
        ("split=0.5", "split=0.5"),
        ("drop_border@1", "drop_border@1"),
    ],
)
def test_sizes_become_pixels_as_on_the_page(typed, pixels):
    assert in_pixels(typed) == pixels


def test_sides_that_differ_count_by_their_mean():
    assert in_pixels("smooth=1.5um", seg.PixelSize(0.25, 1, "µm")) == "smooth=3"
    assert in_pixels("drop_small=5um2", seg.PixelSize(0.25, 1, "µm")) == "drop_small=20"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("drop_small=5um", "is an area, such as drop_small=5um2"),
        ("smooth=5um2", "is a length, such as smooth=5um"),
        ("split=5um", "has no unit"),
        ("drop_small=5parsec2", "no unit of length"),
        ("drop_small=5°2", "no step of a clean-up"),
        ("drop_small=0um2", "The size of a step"),
        ("smooth=999um", "radius of smoothing"),
        ("polish=3um", "has no unit"),
        ("drop_small=1.2.3um2", "not a number"),
    ],
)
def test_what_is_no_size_is_said(typed, sentence):
    with pytest.raises(ValueError, match=sentence):
        in_pixels(typed)


def test_pixels_of_unknown_or_different_size_are_refused_with_the_names_of_the_files():
    step = [SizedStep("drop_small", 5, "µm")]
    with pytest.raises(ValueError, match=r"How large a pixel of b\.tif is, is not known"):
        steps_in_pixels(step, {"a.tif": HALF, "b.tif": None}.copy)
    with pytest.raises(ValueError, match=r"a\.tif is, is not known"):
        steps_in_pixels(step, {"a.tif": seg.PixelSize(1, 1, "°")}.copy)
    with pytest.raises(ValueError, match=r"0\.5 µm \(a\.tif\); 1 µm \(b\.tif\)"):
        steps_in_pixels(step, {"a.tif": HALF, "b.tif": seg.PixelSize(1, 1, "µm")}.copy)
    same = {"a.tif": HALF, "b.tif": seg.PixelSize(0.0005, 0.0005, "mm")}
    assert steps_in_pixels(step, same.copy) == (CleanUpStep("drop_small", 20),)


def test_python_takes_units_with_the_size_of_a_pixel():
    ids = (np.random.default_rng(0).random((40, 50)) > 0.6).astype(np.uint8) + 1
    expected = seg.clean_up(ids, [{"kind": "drop_small", "size": 20, "classes": [2]}])
    sized = {"kind": "drop_small", "size": 5, "unit": "um", "classes": [2]}
    assert np.array_equal(seg.clean_up(ids, [sized], pixel_size=HALF), expected)
    with pytest.raises(ValueError, match="How large a pixel"):
        seg.clean_up(ids, [sized])
    for wrong in ({**sized, "unit": 3}, {**sized, "size": "5"}, {**sized, "kind": 5}, {**sized, "more": 1}):
        with pytest.raises(ValueError, match=r"unit of length|size of a step|kind|more"):
            seg.clean_up(ids, [wrong], pixel_size=HALF)


def written(name, seed, size):
    tifffile.imwrite(name, textured(seed=seed), resolution=(1 / size, 1 / size), resolutionunit=1,
                     imagej=True, metadata={"unit": "um"})  # fmt: skip


def test_all_commands_take_units_and_files_hold_pixels(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    trained(textured()).save("raw.squiggle")
    for number in range(2):
        written(f"{number}.tif", number, 0.5)
    apply = ["apply", "raw.squiggle", "0.tif", "1.tif", "-o"]
    assert main([*apply, "px", "--clean-up", "drop_small=20", "--report", "px.html"]) == 0
    assert main([*apply, "um", "--clean-up", "drop_small=5um2", "--report", "um.html"]) == 0
    for number in range(2):
        assert (tmp_path / f"px/{number}.tif").read_bytes() == (tmp_path / f"um/{number}.tif").read_bytes()
    assert (tmp_path / "px.html").read_bytes() == (tmp_path / "um.html").read_bytes()

    written("1.tif", 1, 1.0)
    assert main([*apply, "other", "--clean-up", "drop_small=5um2"]) == 1
    assert "0.5 µm (0.tif); 1 µm (1.tif)" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
    assert main([*apply, "other", "--clean-up", "drop_small=5um2", "--pixel-size", "0.5um"]) == 0
    assert main(["apply", "raw.squiggle", "0.tif", "-o", "z", "--clean-up", "drop_small=5um"]) == 1
    assert "is an area" in capsys.readouterr().err

    objects = ["objects", "um/0.tif", "--csv"]
    assert main([*objects, "a.csv", "--clean-up", "drop_small=30"]) == 0
    assert main([*objects, "b.csv", "--clean-up", "drop_small=7.5um2"]) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()

    labels = np.zeros((40, 50), np.uint8)
    labels[5:10, 10:40], labels[30:35, 10:40] = 1, 2
    tifffile.imwrite("labels.tif", labels)
    train = ["train", "0.tif", "--labels", "labels.tif", "--trees", "3", "--sigma-max", "2", "-o"]
    assert main([*train, "a.squiggle", "--clean-up", "drop_small=20", "smooth=2"]) == 0
    assert main([*train, "b.squiggle", "--clean-up", "drop_small=5um2", "smooth=1um"]) == 0
    assert (tmp_path / "a.squiggle").read_bytes() == (tmp_path / "b.squiggle").read_bytes()
