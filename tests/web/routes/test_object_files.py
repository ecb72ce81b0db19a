"""Objects and reports of a session: what the library makes of the same strokes and steps."""

import csv
import hashlib
import io
import json
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.objects import labelling
from tests.support.asking import converse, stroke_event, tile_request, unpacked

STEPS = [{"kind": "drop_small", "size": 3, "classes": None}, {"kind": "split", "size": 0.5, "classes": [1]}]


@pytest.fixture
def measured(client, session, halves):
    """A session whose image is segmented and cleaned up; the address of its downloads, and the class ids."""
    converse(
        client,
        session,
        [
            stroke_event("a", halves["hash"], 1, "M20,5L40,30"),
            stroke_event("b", halves["hash"], 2, f"M{halves['columns'] - 40},5L{halves['columns'] - 20},30"),
            {"id": "steps", "type": "clean_up.change", "steps": STEPS},
        ],
    )
    address = f"/s/{session}/download"
    return address, tifffile.imread(io.BytesIO(client.get(f"{address}/segmentation.tif").data))


@pytest.mark.slow
def test_tables_numbers_and_reports_are_those_of_the_library(client, measured):
    address, ids = measured
    tables = {one: seg.measure_objects(ids, one, split=0.5 if one == 1 else 0) for one in (1, 2)}
    rows = list(csv.DictReader(io.StringIO(client.get(f"{address}/objects.csv").text)))
    for class_id, table in tables.items():
        mine = [row for row in rows if row["class_id"] == str(class_id)]
        assert [float(row["area"]) for row in mine] == table["area"].tolist()

    data = zlib.decompress(client.get(f"{address}/objects.bin").data)
    (length,) = struct.unpack_from("<I", data)
    assert (4 + length) % 8 == 0, "the browser reads the columns where they lie"
    facts = json.loads(data[4 : 4 + length])
    assert (facts["rows"], facts["across"], facts["objects"]) == (*ids.shape, len(rows))
    columns = np.frombuffer(data, "<f8", facts["objects"] * len(facts["columns"]), 4 + length)
    columns = dict(zip(facts["columns"], columns.reshape(-1, facts["objects"]), strict=True))
    assert columns["area"].tolist() == [float(row["area"]) for row in rows]
    labels = np.frombuffer(data, "<u4", ids.size, len(data) - 4 * ids.size).reshape(ids.shape)
    assert np.array_equal(np.bincount(labels.ravel())[1:], columns["area"])

    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{address}/objects.zip").data))
    assert np.array_equal(tifffile.imread(io.BytesIO(archive.read("objects.tif"))), labels)
    report = client.get(f"{address}/report.html").text
    classifier = client.get(f"{address}/classifier.squiggle").data
    assert hashlib.sha256(classifier).hexdigest() in report
    assert "parts of all classes of fewer than 3 pixels were given to the surrounding class; then objects of" in report
    assert "where they are narrower than 0.5 of the smaller one" in report


@pytest.mark.slow
def test_objects_that_are_split_at_corners_are_so_in_every_file(client, session, measured, halves):
    address, _ = measured
    steps = [{"kind": "split_corners", "size": 0, "classes": [2]}, {"kind": "split", "size": 0.6, "classes": None}]
    squares = [
        {"id": f"s{at}", "class_id": 2, "kind": "rectangle", "x0": at, "y0": at, "x1": at + 3, "y1": at + 3}
        for at in (2, 5, 8)
    ]
    painted = [{"id": one["id"], "type": "correction.add", "image": halves["hash"], "stroke": one} for one in squares]
    converse(client, session, [*painted, {"id": "corners", "type": "clean_up.change", "steps": steps}])
    ids = tifffile.imread(io.BytesIO(client.get(f"{address}/segmentation.tif").data))
    tables = {one: seg.measure_objects(ids, one, split=0.6, connectivity=12 - 4 * one) for one in (1, 2)}
    joined = seg.measure_objects(ids, 2, split=0.6)
    assert len(tables[2]["label"]) == len(joined["label"]) + 2
    areas = [area for table in tables.values() for area in table["area"].tolist()]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{address}/objects.csv").text)))
    assert [float(row["area"]) for row in rows] == areas
    archive = zipfile.ZipFile(io.BytesIO(client.get(f"{address}/objects.zip").data))
    assert np.bincount(tifffile.imread(io.BytesIO(archive.read("objects.tif"))).ravel())[1:].tolist() == areas
    for name in ("objects.bin", "outlines.bin"):
        tried = {"clean_up": json.dumps(steps)} if name == "outlines.bin" else {}
        data = zlib.decompress(client.get(f"{address}/{name}", query_string=tried).data)
        assert np.bincount(np.frombuffer(data, "<u4", ids.size, len(data) - 4 * ids.size))[1:].tolist() == areas
    report = client.get(f"{address}/report.html").text
    assert "only touch at corners were taken for several (4 neighbours)" in report
    classifier = seg.load_classifier(client.get(f"{address}/classifier.squiggle").data)
    assert [one.to_json() for one in classifier.clean_up] == steps


@pytest.mark.slow
def test_too_many_objects_are_refused_with_a_size_filter(client, session, halves, measured, monkeypatch):
    squares = [
        {"id": f"q{side}", "class_id": 2, "kind": "rectangle", "x0": 2, "y0": at, "x1": 1 + side, "y1": at + side - 1}
        for at, side in ((2, 3), (10, 5))
    ]
    painted = [{"id": one["id"], "type": "correction.add", "image": halves["hash"], "stroke": one} for one in squares]
    converse(client, session, [*painted, {"id": "none", "type": "clean_up.change", "steps": []}])
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 1)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 1)
    address, _ = measured
    offered = re.compile(r"Drop those below [\d,]+ pixels \(drop_small=\d+\): that leaves 1\.")
    assert offered.search(client.get(f"{address}/objects.bin").json["error"])
    assert offered.search(client.get(f"{address}/report.html").text)


@pytest.mark.slow
def test_too_many_objects_of_which_no_size_filter_leaves_some_are_refused_with_that(client, measured, monkeypatch):
    monkeypatch.setattr(labelling, "MOST_OBJECTS", 0)
    monkeypatch.setattr(labelling, "FEW_OBJECTS", 0)
    address, _ = measured
    answer = client.get(f"{address}/objects.bin")
    assert answer.status_code == 422
    assert "no size filter leaves some" in answer.json["error"]
    assert "no size filter leaves some" in client.get(f"{address}/report.html").text


def shown(messages, shape):
    """The class ids that the tiles of an answer give."""
    ids = np.zeros(shape, np.uint8)
    for message in messages:
        if message["kind"] == "tile" and "ids" in message:
            (top, bottom), (left, right) = message["rows"], message["columns"]
            ids[top:bottom, left:right] = unpacked(message)
    return ids


@pytest.mark.slow
def test_tiles_are_cleaned_up_and_steps_that_are_tried_out_are_not_chosen(client, session, measured):
    _, ids = measured
    known = tile_request(*ids.shape)
    answer = converse(client, session, segment=known)
    assert np.array_equal(shown(answer, ids.shape), ids)
    assert answer[-1]["pixels"] == {str(one): int(np.count_nonzero(ids == one)) for one in (1, 2)}
    raw = shown(converse(client, session, segment=known | {"clean_up": []}), ids.shape)
    assert np.array_equal(seg.clean_up(raw, STEPS), ids)
    other = [{"kind": "smooth", "size": 3, "classes": None}]
    tried = shown(converse(client, session, segment=known | {"clean_up": other}), ids.shape)
    assert np.array_equal(tried, seg.clean_up(raw, other))
    assert np.array_equal(shown(converse(client, session, segment=known), ids.shape), ids), "they were not chosen"
    refused = client.post(
        f"/s/{session}/converse",
        json={"after": 0, "events": [], "window": "w", "segment": known | {"clean_up": [{"kind": "polish"}]}},
    )
    assert refused.status_code == 422
    assert "one of fill_holes" in refused.json["error"]


@pytest.mark.slow
def test_splits_that_are_tried_out_are_numbered_as_the_library_does(client, measured):
    address, ids = measured
    tried = [{"kind": "split", "size": 0.9, "classes": [2]}]
    data = zlib.decompress(client.get(f"{address}/outlines.bin", query_string={"clean_up": json.dumps(tried)}).data)
    (length,) = struct.unpack_from("<I", data)
    facts = json.loads(data[4 : 4 + length])
    labels = np.frombuffer(data, "<u4", ids.size, 4 + length).reshape(ids.shape)
    first, second = seg.label_objects(ids, 1), seg.label_objects(ids, 2, split=0.9)
    assert np.array_equal(labels, np.where(second > 0, second + first.max(), first))
    assert facts == {"columns": [], "objects": int(labels.max()), "rows": ids.shape[0], "across": ids.shape[1]}
    refused = client.get(f"{address}/outlines.bin", query_string={"clean_up": '[{"kind": "polish"}]'})
    assert refused.status_code in (400, 422)
    assert "one of fill_holes" in refused.json["error"]
    table = zlib.decompress(client.get(f"{address}/measures.bin").data)
    whole = zlib.decompress(client.get(f"{address}/objects.bin").data)
    assert whole[: len(table)] == table
    assert len(whole) == len(table) + 4 * ids.size


@pytest.mark.slow
def test_the_outline_of_a_part_labels_just_that_part(client, session, measured):
    _, ids = measured
    row, column = 20, 20
    outline = client.get(f"/s/{session}/part", query_string={"row": row, "column": column}).json
    part = seg.label_objects(ids, int(ids[row, column]))
    painted = seg.rasterise([{"class_id": 1, **outline}], ids.shape)
    assert np.array_equal(painted > 0, part == part[row, column])
    beside = client.get(f"/s/{session}/part", query_string={"row": ids.shape[0], "column": 0})
    assert beside.json["error"] == "That pixel lies beside the image."
