"""Files of objects hold the very pixels and numbers, for the programs that open them."""

import csv
import io
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import roifile
import tifffile

from segmentation.io.pixel_size import PixelSize
from segmentation.objects import files
from segmentation.objects.files import NamedObjects
from segmentation.objects.measured import find_objects
from segmentation.objects.outlines import object_outlines
from segmentation.objects.steps import CleanUpStep
from segmentation.strokes.classes import LabelClass
from segmentation.strokes.geojson import outlines_from_geojson
from segmentation.strokes.raster import rasterise
from segmentation.strokes.stroke import Stroke

CLASSES = (LabelClass(1, "void", "#e69f00"), LabelClass(2, "=grain", "#0072b2"))


def segmentation_of(seed=0, shape=(40, 50)):
    segmentation = np.random.default_rng(seed).choice([0, 1, 2], shape, p=[0.5, 0.1, 0.4]).astype(np.uint8)
    segmentation[10:20, 10:22] = 2
    segmentation[13:16, 13:16] = 0
    return segmentation


def named(seed=0, page=1, **options):
    return NamedObjects("cells.tif", page, find_objects(segmentation_of(seed), CLASSES, **options))


@pytest.fixture(scope="module")
def found():
    return named()


def painted(outlines, shape):
    """The pixels within outlines whose corners lie between pixels, as the strokes of the page fill them."""
    strokes = [
        Stroke(
            f"s{number}",
            1,
            "polygon",
            np.concatenate(rings) - 0.5,
            starts=tuple(np.cumsum([0, *map(len, rings[:-1])]).tolist()),
        )
        for number, rings in enumerate(outlines)
    ]
    return rasterise(strokes, shape) > 0


def test_outlines_hold_the_very_pixels(found):
    labels = found.objects.labels
    seen = []
    for label, polygons in object_outlines(labels):
        assert np.array_equal(painted(polygons, labels.shape), labels == label)
        seen.append(label)
    assert seen == list(range(1, labels.max() + 1))


def test_numbers_go_on_from_class_to_class(found):
    table, labels = found.objects.table, found.objects.labels
    assert table["label"].tolist() == list(range(1, labels.max() + 1))
    assert table["class_id"].tolist() == sorted(table["class_id"].tolist())
    segmentation = segmentation_of()
    for label, class_id in zip(table["label"], table["class_id"], strict=True):
        assert set(segmentation[labels == label]) == {class_id}
    assert np.array_equal(labels > 0, segmentation > 0)


def test_the_table_reads_back_as_the_same_numbers_and_runs_no_formula(found):
    rows = list(csv.DictReader(io.StringIO(files.objects_csv([found, named(1, 2)]))))
    first = [row for row in rows if row["page"] == "1"]
    for name, column in found.objects.table.items():
        assert [float(row[name]) for row in first] == column.tolist()
    assert {row["class_name"] for row in rows} == {"void", "'=grain"}
    assert len(rows) > len(first)


def test_columns_in_a_unit_stand_beside_those_in_pixels():
    plain, square = named().objects.table, named(pixel_size=PixelSize(0.5, 0.5, "µm")).objects.table
    np.testing.assert_allclose(square["area_in_µm2"], plain["area"] / 4)
    np.testing.assert_allclose(square["feret_diameter_max_in_µm"], plain["feret_diameter_max"] / 2)
    assert "eccentricity_in_µm" not in square
    flat = named(pixel_size=PixelSize(2, 1))
    assert "orientation_in_µm" in flat.objects.table
    (row, *_) = csv.DictReader(io.StringIO(files.objects_csv([flat])))
    assert row["perimeter_in_µm"] == "", "what is not known is left empty"


def test_labels_are_a_tiff_of_32_bits(found):
    read = tifffile.imread(io.BytesIO(files.labels_tiff([found.objects])))
    assert read.dtype == np.uint32
    assert np.array_equal(read, found.objects.labels)


def test_geojson_has_what_qupath_wants_and_the_page_opens_it_again(found):
    document = json.loads(files.geojson([found]))
    labels = found.objects.labels
    assert document["type"] == "FeatureCollection"
    first = document["features"][0]["properties"]
    assert first["objectType"] == "detection"
    assert first["classification"] == {"name": "void", "color": [230, 159, 0]}
    assert first["measurements"]["area"] == found.objects.table["area"][0]
    assert all(
        ring[0] == ring[-1]
        for feature in document["features"]
        if feature["geometry"]["type"] == "Polygon"
        for ring in feature["geometry"]["coordinates"]
    )
    outlines = outlines_from_geojson(document)
    strokes = [Stroke(f"q{n}", 1, one.kind, one.points, 1, one.starts) for n, one in enumerate(outlines)]
    assert np.array_equal(rasterise(strokes, labels.shape) > 0, labels > 0)
    assert {(one.class_name, one.colour) for one in outlines} == {(one.name, one.colour) for one in CLASSES}


def test_a_plane_alone_says_where_in_its_stack_it_lies():
    plane = named(0, 7)
    document = json.loads(files.geojson([plane]))
    assert {feature["geometry"]["plane"]["z"] for feature in document["features"]} == {6}
    with zipfile.ZipFile(io.BytesIO(files.imagej_rois([plane]))) as archive:
        assert {roifile.ImagejRoi.frombytes(archive.read(name)).position for name in archive.namelist()} == {7}
    assert json.loads(files.coco_json([plane]))["images"][0]["page"] == 7


def test_the_images_of_a_stack_lie_one_behind_the_other_in_qupath():
    document = json.loads(files.geojson([named(0, 1), named(1, 2)]))
    assert {feature["geometry"]["plane"]["z"] for feature in document["features"]} == {0, 1}


def test_planes_of_a_hyperstack_lie_at_their_z_and_t_in_qupath():
    planes = [replace(named(0, 8), place={"z": 2, "t": 3}), replace(named(1, 9), place={"z": 3, "t": 3})]
    for some in (planes, planes[:1]):
        features = json.loads(files.geojson(some))["features"]
        found = {tuple(one["geometry"]["plane"].values()) for one in features}
        assert found == {(-1, one.place["z"] - 1, one.place["t"] - 1) for one in some}


def test_imagej_rois_hold_the_very_pixels(found, tmp_path):
    (tmp_path / "rois.zip").write_bytes(files.imagej_rois([found]))
    labels = found.objects.labels
    rois = roifile.roiread(tmp_path / "rois.zip")
    assert len(rois) == labels.max()
    for label, roi in enumerate(rois, start=1):
        assert roi.name.endswith(f" {label}")
        rings = roi.coordinates(multi=True)
        rings = [np.unique(ring, axis=0) if len(ring) < 3 else ring for ring in rings]
        assert np.array_equal(painted([rings], labels.shape), labels == label)
    assert {roi.composite for roi in rois} == {True, False}


def test_coco_polygons_and_run_lengths_hold_the_very_pixels(found):
    document = json.loads(files.coco_json([found, named(1, 2)]))
    labels = found.objects.labels
    of_first = [one for one in document["annotations"] if one["image_id"] == 1]
    assert [one["id"] for one in document["annotations"]] == list(range(1, len(document["annotations"]) + 1))
    assert document["categories"] == [{"id": 1, "name": "void"}, {"id": 2, "name": "=grain"}]
    assert len(of_first) == labels.max()
    kinds = set()
    for label, annotation in enumerate(of_first, start=1):
        shape = annotation["segmentation"]
        kinds.add(type(shape))
        if isinstance(shape, dict):
            values = np.arange(len(shape["counts"])) % 2
            mask = np.repeat(values, shape["counts"]).reshape(shape["size"], order="F") > 0
        else:
            mask = painted([[np.reshape(ring, (-1, 2)) for ring in shape]], labels.shape)
        assert np.array_equal(mask, labels == label)
        left, top, width, height = annotation["bbox"]
        assert np.count_nonzero(labels[top : top + height, left : left + width] == label) == annotation["area"]
    assert kinds == {list, dict}


def test_of_nothing_there_are_files_too():
    nothing = NamedObjects("dark.tif", 1, find_objects(np.ones((5, 5), np.uint8), CLASSES[1:]))
    assert files.objects_csv([nothing]).splitlines()[0].startswith("image,page,class_name,label,class_id,area")
    assert json.loads(files.geojson([nothing]))["features"] == []
    assert json.loads(files.coco_json([nothing]))["annotations"] == []
    assert zipfile.ZipFile(io.BytesIO(files.imagej_rois([nothing]))).namelist() == []
    assert nothing.objects.summary() == "=grain: no pixel of class 2, and so no objects"


def test_the_same_objects_give_the_same_bytes():
    for write in (files.geojson, files.imagej_rois, files.coco_json):
        assert write([named()]) == write([named()])


def test_steps_that_split_count_and_those_of_other_classes_do_not():
    segmentation = np.zeros((40, 90), np.uint8)
    rows, columns = np.indices(segmentation.shape)
    for middle in (22, 58):
        segmentation[(rows - 20) ** 2 + (columns - middle) ** 2 <= 19**2] = 2
    for classes, count in (((2,), 2), ((1,), 1), (None, 2)):
        found = find_objects(segmentation, CLASSES, steps=[CleanUpStep("split", 0.8, classes)])
        assert len(found) == count
