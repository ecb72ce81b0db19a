"""Corrections in a series: painted into the results of their images, after the clean-up, and counted everywhere."""

import csv
import json

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.series.run import apply_series
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.document import Drawing, drawings_to_json
from tests.support.classifiers import trained
from tests.support.images import textured

CLASSES = [LabelClass(1, "void", "#e69f00"), LabelClass(2, "grain", "#0072b2")]
STEPS = [{"kind": "drop_small", "size": 6, "classes": None}]
PAINTED = [
    seg.Stroke("a", 2, "rectangle", [[4, 3], [15, 9]]),
    seg.Stroke("b", 0, "path", [[8, 6]], width=3),
    seg.Stroke("c", 1, "path", [[30, 20], [44, 26]], width=5),
]


@pytest.fixture(scope="module")
def classifier():
    return trained(textured()).with_clean_up(STEPS)


@pytest.fixture
def here(classifier, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    classifier.save("cells.squiggle", CLASSES)
    for number in range(3):
        tifffile.imwrite(f"{number}.tif", textured(seed=number))
    tifffile.imwrite("stack.tif", np.stack([textured(seed=7), textured(seed=8)]), photometric="minisblack")
    return tmp_path


def written(drawings, name="corrections.json", settings=None):
    """A file of strokes on images, by the image."""
    some = [Drawing(image.hash, image.shape, tuple(strokes)) for image, strokes in drawings]
    with open(name, "w") as file:
        json.dump(drawings_to_json(some, CLASSES, settings), file)
    return name


def table(name):
    with open(name, newline="") as file:
        return list(csv.DictReader(file))


def expected(classifier, image, strokes):
    return seg.apply_corrections(classifier.predict(image), seg.rasterise(strokes, image.shape))


def test_what_was_painted_is_in_every_result_of_its_image(here, classifier, capsys):
    image, (_, plane) = seg.read_image("1.tif"), seg.read_stack("stack.tif")
    written([(image, PAINTED), (plane, PAINTED[:1])])
    apply = ["apply", "cells.squiggle", "0.tif", "1.tif", "stack.tif", "-o", "out", "--csv", "--objects"]
    assert main([*apply, "--report", "report.html", "--corrections", "corrections.json"]) == 0
    right = expected(classifier, image, PAINTED)
    assert (right != classifier.predict(image)).any()
    np.testing.assert_array_equal(tifffile.imread("out/1.tif"), right)
    np.testing.assert_array_equal(tifffile.imread("out/0.tif"), classifier.predict(seg.read_image("0.tif")))
    np.testing.assert_array_equal(tifffile.imread("out/stack.tif")[1], expected(classifier, plane, PAINTED[:1]))

    told = capsys.readouterr().err
    painted = np.count_nonzero(seg.rasterise(PAINTED, image.shape))
    assert f"1.tif: The result was corrected by hand in {painted} pixels" in told
    assert f"corrected by hand in {painted} pixels" in (here / "report.html").read_text()
    shares = {(row["image"], row["page"], row["class_id"]): row for row in table("out/shares.csv")}
    assert int(shares["1.tif", "1", "2"]["pixels"]) == np.count_nonzero(right == 2)
    areas = [float(row["area"]) for row in table("out/1.objects.csv") if row["class_id"] == "2"]
    assert sum(areas) == np.count_nonzero(right == 2)


@pytest.mark.slow
def test_workers_and_python_give_the_same_bytes(here):
    document = seg.strokes_from_json(
        drawings_to_json([Drawing(seg.read_image("1.tif").hash, (60, 90), tuple(PAINTED))], CLASSES)
    )
    for name, workers in (("one", 1), ("two", 2)):
        apply_series("cells.squiggle", ["0.tif", "1.tif"], name, corrections=[document], workers=workers)
    for number in (0, 1):
        assert (here / f"one/{number}.tif").read_bytes() == (here / f"two/{number}.tif").read_bytes()


def test_one_more_correction_makes_only_its_own_image_anew(here, capsys):
    first, second = seg.read_image("0.tif"), seg.read_image("1.tif")
    apply = ["apply", "cells.squiggle", "0.tif", "1.tif", "2.tif", "-o", "out"]

    def run(*more):
        assert main([*apply, *more]) == 0
        return capsys.readouterr().err

    assert "3 images segmented" in run()
    assert "1 image segmented" in run("--corrections", written([(first, PAINTED)]))
    assert "1 image segmented" in run("--corrections", written([(first, PAINTED), (second, PAINTED)]))
    assert "0 images segmented" in run("--corrections", written([(first, PAINTED), (second, PAINTED)]))
    assert "1 image segmented" in run("--corrections", written([(second, PAINTED)]))
    assert "1 image segmented" in run()


def test_what_cannot_be_meant_is_said(here, capsys):
    apply = ["apply", "cells.squiggle", "0.tif", "-o", "out", "--corrections"]
    image = seg.read_image("0.tif")

    def refused(name):
        assert main([*apply, name]) != 0
        return capsys.readouterr().err

    assert "learnt from, not corrections" in refused(written([(image, PAINTED)], settings={"features": {}}))
    assert "holds no correction" in refused(written([(image, [seg.Stroke("r", 256, "rectangle", [[1, 1], [9, 9]])])]))
    (here / "letter.json").write_text("Dear colleague")
    assert "strokes file" in refused("letter.json")
    other = json.loads((here / written([(image, PAINTED)])).read_text())
    other["classes"].append({"id": 7, "name": "crack", "colour": "#ff0000"})
    other["strokes"][0]["class_id"] = 7
    (here / "seventh.json").write_text(json.dumps(other))
    assert "class 7, which the classifier does not have" in refused("seventh.json")
    assert not (here / "out").exists()

    assert main([*apply, written([(seg.read_image("1.tif"), PAINTED)])]) == 0
    assert "Those on 1 image that was not given do not count" in capsys.readouterr().err


def test_a_zarr_array_takes_none(here, capsys):
    zarr = pytest.importorskip("zarr")
    zarr.save_array("plane.zarr", textured())
    name = written([(seg.read_image("0.tif"), PAINTED)])
    assert main(["apply", "cells.squiggle", "plane.zarr", "-o", "out"]) == 0
    assert main(["apply", "cells.squiggle", "plane.zarr", "-o", "out", "--corrections", name]) != 0
    assert "a Zarr array is segmented without --corrections" in capsys.readouterr().err
