"""The objects of a series are those that Python measures, page by page, and stand in one table."""

import csv
import json

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.io.masks import named_classes
from segmentation.objects import labelling
from segmentation.series.run import apply_series
from tests.support.classifiers import trained
from tests.support.images import textured


@pytest.fixture(scope="module")
def classifier():
    return trained(textured())


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(2):
        tifffile.imwrite(folder / f"{number}.tif", textured(seed=number))
    return folder


def test_each_image_has_a_table_labels_and_outlines_and_all_have_one(classifier, images, tmp_path):
    classifier.save(tmp_path / "cells.squiggle")
    assert main(["apply", f"{tmp_path}/cells.squiggle", f"{images}", "-o", f"{tmp_path}/out", "--objects"]) == 0
    all_rows = rows_of(tmp_path / "out" / "objects.csv")
    assert {row["image"] for row in all_rows} == {"0.tif", "1.tif"}
    for number in range(2):
        image = seg.read_image(images / f"{number}.tif")
        segmentation = classifier.predict(image)
        rows = rows_of(tmp_path / "out" / f"{number}.objects.csv")
        assert rows == [row for row in all_rows if row["image"] == f"{number}.tif"]
        labels = tifffile.imread(tmp_path / "out" / f"{number}.objects.tif")
        assert labels.dtype == np.uint32
        outlines = json.loads((tmp_path / "out" / f"{number}.objects.geojson").read_bytes())["features"]
        assert len(rows) == labels.max() == len(outlines)
        for class_id in classifier.classes_:
            table = seg.measure_objects(segmentation, class_id, image)
            mine = [row for row in rows if row["class_id"] == str(class_id)]
            for name in ("area", "perimeter", "intensity_mean-0" if image.channels > 1 else "intensity_mean"):
                assert [float(row[name]) for row in mine] == table[name].tolist()
            assert np.array_equal(np.isin(labels, [int(row["label"]) for row in mine]), segmentation == class_id)


def test_the_images_of_a_stack_follow_each_other(classifier, tmp_path):
    pages = np.stack([textured(seed=number) for number in range(3)])
    tifffile.imwrite(tmp_path / "stack.tif", pages, photometric="rgb" if pages.ndim == 4 else "minisblack")
    apply_series(classifier, tmp_path / "stack.tif", tmp_path / "out", objects=True)
    assert {row["page"] for row in rows_of(tmp_path / "out" / "stack.objects.csv")} == {"1", "2", "3"}
    assert tifffile.imread(tmp_path / "out" / "stack.objects.tif").shape[0] == 3
    features = json.loads((tmp_path / "out" / "stack.objects.geojson").read_bytes())["features"]
    assert {one["geometry"]["plane"]["z"] for one in features} == {0, 1, 2}


def test_too_many_parts_are_a_note_that_offers_a_size_filter(classifier, images, tmp_path, monkeypatch):
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 1)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 1)
    report = apply_series(classifier, images, tmp_path / "out", objects=True)
    assert not report.failed
    (note, *_) = report.notes[str(images / "0.tif")]
    assert "Drop those below" in note
    assert rows_of(tmp_path / "out" / "objects.csv") == []


def test_units_that_differ_are_refused_with_the_names_of_the_files(classifier, tmp_path, capsys):
    classifier.save(tmp_path / "cells.squiggle")
    for name, unit in (("a", "um"), ("b", "mm")):
        metadata = {"axes": "YXS" if textured().ndim == 3 else "YX", "unit": unit}
        tifffile.imwrite(tmp_path / f"{name}.tif", textured(), imagej=True, resolution=(2, 2), metadata=metadata)
    arguments = ["apply", f"{tmp_path}/cells.squiggle", f"{tmp_path}/*.tif", "-o", f"{tmp_path}/out", "--objects"]
    assert main([*arguments, "--quiet"]) == 1
    told = capsys.readouterr().err
    assert "different units: µm (a); mm (b)" in told
    (row, *_) = rows_of(tmp_path / "out" / "a.objects.csv")
    assert float(row["area_in_µm2"]) == float(row["area"]) / 4
    assert not (tmp_path / "out" / "objects.csv").exists()
    assert [one.id for one in named_classes(tmp_path / "out" / "a.tif")] == [1, 2], "named in ImageJ's manner"


def test_a_zarr_array_is_refused_with_a_sentence(classifier, tmp_path):
    import zarr

    zarr.save(tmp_path / "slide.zarr", textured())
    report = apply_series(classifier, tmp_path / "slide.zarr", tmp_path / "out", objects=True)
    assert "no objects" in report.failed[str(tmp_path / "slide.zarr")]
