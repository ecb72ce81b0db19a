"""``objects``: files of class ids become tables, labels and outlines."""

import csv
import json

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.export import CLASS_IDS, label_pages, label_tiff
from segmentation.strokes.classes import LabelClass

CLASSES = (LabelClass(1, "background", "#e69f00"), LabelClass(2, "nuclei", "#0072b2"))


@pytest.fixture
def cells():
    segmentation = np.ones((60, 80), np.uint8)
    segmentation[5:15, 5:20] = segmentation[30:50, 40:60] = 2
    segmentation[35:37, 45:47] = 1
    segmentation[2, 70] = 2
    return segmentation


@pytest.fixture
def folder(tmp_path, cells):
    (tmp_path / "cells.tif").write_bytes(label_tiff(cells, CLASSES))
    pixels = np.random.default_rng(0).integers(0, 255, (*cells.shape, 3)).astype(np.uint8)
    PillowImage.fromarray(pixels).save(tmp_path / "raw.png")
    return tmp_path


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_is_the_one_of_python(folder, cells, capsys):
    arguments = ["objects", f"{folder}/cells.tif", "--image", f"{folder}/raw.png", "--class", "2"]
    assert main([*arguments, "--csv", f"{folder}/out.csv"]) == 0
    told = capsys.readouterr().out
    assert told == "cells.tif: nuclei: 3 objects, area mean 182.3, median 150 pixels\n"
    rows = rows_of(folder / "out.csv")
    table = seg.measure_objects(cells, 2, seg.read_image(folder / "raw.png"))
    for name, column in table.items():
        assert [float(row[name]) for row in rows] == column.tolist()
    assert {(row["image"], row["page"], row["class_name"]) for row in rows} == {("cells.tif", "1", "nuclei")}


def test_a_step_splits_objects_at_corners_as_four_neighbours_do(folder, cells):
    cells[52:58, 2:8] = 1 + np.eye(6, dtype=np.uint8)
    (folder / "cells.tif").write_bytes(label_tiff(cells, CLASSES))
    areas = {}
    for name, option in (("step", ["--clean-up", "split_corners@2"]), ("four", ["--connectivity", "4"]), ("eight", [])):
        assert main(["objects", f"{folder}/cells.tif", *option, "--class", "2", "--csv", f"{folder}/out.csv"]) == 0
        areas[name] = [float(row["area"]) for row in rows_of(folder / "out.csv")]
    assert areas["step"] == areas["four"]
    assert len(areas["step"]) == len(areas["eight"]) + 5


def test_a_clean_up_is_the_one_of_python_and_all_files_are_written(folder, cells):
    outputs = {name: f"{folder}/out.{name}" for name in ("csv", "labels", "ome", "geojson", "rois", "coco")}
    options = [word for name, path in outputs.items() for word in (f"--{name}", path)]
    steps = ["fill_holes=4@2", "drop_small=2@2"]
    assert main(["objects", f"{folder}/cells.tif", "--clean-up", *steps, *options]) == 0
    cleaned = seg.clean_up(cells, [seg.CleanUpStep.from_text(one) for one in steps])
    rows = rows_of(folder / "out.csv")
    assert [row["area"] for row in rows if row["class_id"] == "2"] == ["150.0", "400.0"]
    labels = tifffile.imread(folder / "out.labels")
    assert np.array_equal(labels == 1, cleaned == 1)
    features = json.loads((folder / "out.geojson").read_bytes())["features"]
    assert [one["properties"]["classification"]["name"] for one in features] == ["background", "nuclei", "nuclei"]
    assert len(json.loads((folder / "out.coco").read_bytes())["annotations"]) == 3
    assert (folder / "out.rois").read_bytes()[:2] == b"PK"
    assert np.array_equal(tifffile.imread(folder / "out.ome"), cleaned)


def test_files_of_pixels_say_how_large_these_are(folder, cells):
    arguments = ["objects", f"{folder}/cells.tif", "--labels", f"{folder}/n.tif", "--ome", f"{folder}/c.ome.tif"]
    assert main([*arguments, "--pixel-size", "0.5um"]) == 0
    for name in ("n.tif", "c.ome.tif"):
        size = seg.read_image(folder / name).pixel_size
        assert (size.x, size.y, size.unit) == (0.5, 0.5, "µm")


def test_a_table_of_different_units_is_refused_with_the_names_of_the_files(folder, cells, capsys):
    for name, unit in (("a10.tif", "um"), ("a9.tif", "mm")):
        tifffile.imwrite(folder / name, cells, imagej=True, resolution=(2, 2), metadata={"axes": "YX", "unit": unit})
    arguments = ["objects", f"{folder}/a10.tif", f"{folder}/a9.tif", "--csv", f"{folder}/out.csv"]
    assert main(arguments) != 0
    assert "different units: mm (a9.tif); µm (a10.tif)" in capsys.readouterr().err
    assert not (folder / "out.csv").exists()
    assert main([*arguments, "--pixel-size", "0.5um"]) == 0
    assert list(dict.fromkeys(row["image"] for row in rows_of(folder / "out.csv"))) == ["a9.tif", "a10.tif"]


def test_a_stack_is_measured_page_by_page(folder, cells, capsys):
    with (folder / "stack.tif").open("wb") as file, label_pages(file, CLASSES) as pages:
        pages.add(cells, CLASS_IDS)
        pages.add(np.ones_like(cells), CLASS_IDS)
    assert main(["objects", f"{folder}/stack.tif", "--class", "2", "--csv", f"{folder}/out.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "stack.tif, plane z 1: nuclei: 3 objects, area mean 182.3, median 150 pixels",
        "stack.tif, plane z 2: nuclei: no pixel of class 2, and so no objects",
    ]
    assert {row["page"] for row in rows_of(folder / "out.csv")} == {"1"}


def test_a_mask_of_another_program_has_numbered_classes(folder, cells, capsys):
    PillowImage.fromarray(np.where(cells == 2, 255, 0).astype(np.uint8)).save(folder / "mask.png")
    assert main(["objects", f"{folder}/mask.png"]) == 0
    assert capsys.readouterr().out == "mask.png: Class 255: 3 objects, area mean 182.3, median 150 pixels\n"


def test_a_class_without_a_pixel_gives_an_empty_table_with_its_columns_and_a_sentence(folder, capsys):
    arguments = ["objects", f"{folder}/cells.tif", "--image", f"{folder}/raw.png", "--class", "9"]
    assert main([*arguments, "--csv", f"{folder}/out.csv", "--geojson", f"{folder}/out.geojson"]) == 0
    assert "no pixel of class 9, and so no objects" in capsys.readouterr().out
    (header,) = (folder / "out.csv").read_text().splitlines()
    assert {"area", "perimeter", "centroid-0", "intensity_mean-0"} <= set(header.split(","))
    assert b'"features":[]' in (folder / "out.geojson").read_bytes()


def test_a_pixel_size_adds_columns(folder):
    arguments = ["objects", f"{folder}/cells.tif", "--pixel-size", "0.5um", "--csv", f"{folder}/out.csv"]
    assert main(arguments) == 0
    for row in rows_of(folder / "out.csv"):
        assert float(row["area_in_µm2"]) == float(row["area"]) / 4


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("{0}/gone.tif", "cannot be opened"),
        ("{0}/cells.tif --class 0", "1 to 255"),
        ("{0}/cells.tif --clean-up polish=3", "one of fill_holes"),
        ("{0}/cells.tif --image {0}/small.png", "4 x 5 pixels, but the segmentation has 60 x 80"),
        ("{0}/cells.tif --image {0}/raw.png {0}/raw.png", "1 segmentations and 2 images"),
        ("{0}/cells.tif {0}/cells.tif --geojson {0}/x", "one at a time"),
        ("{0}/cells.tif --csv {0}/cells.tif", "would be overwritten"),
        ("{0}/raw.png", "raw.png has colours"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(arguments, problem, folder, capsys):
    PillowImage.fromarray(np.zeros((4, 5), np.uint8)).save(folder / "small.png")
    assert main(["objects", *arguments.format(folder).split()]) == 1
    told = capsys.readouterr().err
    assert problem in told
    assert told.startswith("squiggle: ")
    assert len(told.splitlines()) == 1


@pytest.mark.parametrize("command", [["objects", "cells.tif"], ["apply", "model", "cells.tif", "-o", "out"]])
@pytest.mark.parametrize("size", ["0.5", "1x2x3x4um", "-1um", "2 parsecs"])
def test_all_commands_mean_the_same_by_a_pixel_size(command, size, capsys):
    with pytest.raises(SystemExit):
        main([*command, f"--pixel-size={size}"])
    assert f"{size!r} is no size of a pixel: give its side and a unit, such as 0.325um" in capsys.readouterr().err
