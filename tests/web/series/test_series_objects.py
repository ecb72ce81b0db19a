"""Numbers, corrections and reports of a series: what the page gives is what the command line writes."""

import csv
import io
import json
import re
import struct
import zlib

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.web.session.stacks import plane_key
from tests.support.files import png, tiff
from tests.support.imagefiles import tiff_with_broken_page
from tests.support.images import scene
from tests.support.series import FILES, contents_of, expected, work

pytestmark = pytest.mark.slow


def correction(name, class_id, x0, y0, x1, y1):
    return {"id": name, "class_id": class_id, "kind": "rectangle", "x0": x0, "y0": y0, "x1": x1, "y1": y1}


def test_only_images_that_something_else_is_painted_on_are_done_again(series, bench, tmp_path):
    files = {"a.png": FILES["day1/a.png"], "b.tif": FILES["day2/a.tif"], "stack.tif": FILES["stack.tif"]}
    for name, content in files.items():
        series.add(name, content)
    work(bench)
    before, first = series.results(), series.progress["items"]
    facts = series.client.post(f"{series.url}/open/2").json
    series.someone.does(type="image.open", image={key: value for key, value in facts.items() if key != "notes"})
    stack = series.client.post(f"{series.url}/open/3").json
    series.someone.does(type="image.open", image={key: value for key, value in stack.items() if key != "notes"})
    series.someone.does(type="correction.add", image=facts["hash"], stroke=correction("c", 7, 3, 4, 12, 14))
    series.someone.does(
        type="correction.add", image=plane_key(stack["hash"], 2), stroke=correction("d", 2, 60, 4, 80, 9)
    )
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 2}
    assert [item["state"] for item in series.progress["items"]] == ["done", "waiting", "waiting"]
    work(bench)
    items, results = series.progress["items"], series.results()
    assert items[0] == first[0]
    assert items[1]["picture"] != first[1]["picture"]
    assert results["a.tif"] == before["a.tif"]
    assert results["b.tif"] != before["b.tif"]
    shown = series.someone.downloads("segmentation.tif", f"image={facts['hash']}").data
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(results["b.tif"])), tifffile.imread(io.BytesIO(shown)))
    pages = [tifffile.imread(io.BytesIO(one["stack.tif"])) for one in (before, results)]
    assert [(old == new).all() for old, new in zip(*pages, strict=True)] == [True, False, True]
    (note,) = items[1]["notes"]
    assert note.startswith("The result was corrected by hand in 110 pixels")
    assert note in series.client.get(f"{series.url}/report.html").data.decode()
    now = series.client.get(f"/s/{series.session}/series/classifier").json
    assert items[1]["images"][0]["corrected"] == now["corrected"][facts["hash"]]
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 0}

    (tmp_path / "corrections.json").write_bytes(results.pop("corrections.json"))
    classifier = results.pop("classifier.squiggle")
    document = seg.strokes_from_json((tmp_path / "corrections.json").read_bytes())
    assert results == expected(classifier, files, tmp_path, corrections=[document])

    erased = series.someone.does(type="correction.add", image=facts["hash"], stroke=correction("e", 0, 0, 0, 90, 60))
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 1}
    series.someone.does(type="undo", event=erased)
    work(bench)
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 1}
    work(bench)
    assert series.results()["b.tif"] == results["b.tif"]


def test_sizes_that_were_typed_for_images_are_those_of_a_series_and_mixed_units_are_refused_by_name(series, bench):
    series.add("a.png", FILES["day1/a.png"])
    series.add("b.tif", FILES["day2/a.tif"])
    work(bench)
    assert [one["images"][0]["measured"] for one in series.progress["items"]] == ["", ""]
    opened = {}
    for number in (1, 2):
        facts = series.client.post(f"{series.url}/open/{number}").json
        opened[number] = facts["hash"]
        series.someone.does(type="image.open", image={key: value for key, value in facts.items() if key != "notes"})
    size = {"x": 0.5, "y": 0.5, "unit": "µm", "z": None}
    series.someone.does(type="image.measure", image=opened[1], pixel_size=size)
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 1}
    work(bench)
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 0}
    mixed = series.results()
    assert "objects.csv" not in mixed
    assert "a.png" in mixed["failed.csv"].decode()
    assert "b.tif" in mixed["failed.csv"].decode()
    read = seg.read_image(io.BytesIO(mixed["a.tif"]))
    assert (read.pixel_size.x, read.pixel_size.unit) == (0.5, "µm")
    now = series.client.get(f"/s/{series.session}/series/classifier").json["measured"]
    assert [one["images"][0]["measured"] for one in series.progress["items"]] == [now[opened[1]], ""]

    typed = series.someone.does(type="image.measure", image=opened[2], pixel_size=size)
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 1}
    work(bench)
    results = contents_of(series.client.get(f"{series.url}/results.zip?objects=1").data)
    rows = list(csv.DictReader(io.StringIO(results["objects.csv"].decode())))
    assert {float(row["area_in_µm2"]) == float(row["area"]) / 4 for row in rows} == {True}
    assert "failed.csv" not in results
    for name in ("a", "b"):
        assert seg.read_image(io.BytesIO(results[f"{name}.objects.tif"])).pixel_size.x == 0.5
    series.someone.does(type="undo", event=typed)
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 1}


def test_the_zip_has_the_files_of_objects_that_the_command_line_writes(series, bench, tmp_path):
    stack = np.stack([scene(3), scene(4), scene(5)]).astype(np.float32)
    files = {"a.png": FILES["day1/a.png"], "stack.tif": tiff_with_broken_page(stack, 1)}
    for name, content in files.items():
        series.add(name, content)
    work(bench)
    results = contents_of(series.client.get(f"{series.url}/results.zip?objects=1").data)
    expected(results["classifier.squiggle"], files, tmp_path)
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").glob("*.objects.*")}
    assert {name: content for name, content in results.items() if ".objects." in name} == written
    assert len(written) == 6
    assert tifffile.imread(io.BytesIO(results["stack.objects.tif"])).dtype == np.uint32
    report = series.client.get(f"{series.url}/report.html").data.decode()
    assert "What could not be segmented" in report
    assert "Image 2 of the 3 in the file cannot be used" in report


def test_the_files_of_a_series_are_those_of_its_zip_and_the_report_loads_nothing(series, bench):
    series.add("a10.png", FILES["day1/a.png"])
    series.add("a9.png", png(scene(8)))
    assert "nothing to report" in series.client.get(f"{series.url}/report.html").json["error"]
    work(bench)
    results = series.results()
    for name in ("shares.csv", "objects.csv"):
        assert series.client.get(f"{series.url}/{name}").data == results[name]
        images = [row["image"] for row in csv.DictReader(io.StringIO(results[name].decode()))]
        assert list(dict.fromkeys(images)) == ["a9.png", "a10.png"], "in natural order"
    report = series.client.get(f"{series.url}/report.html").data.decode()
    assert report.index("a9.png") < report.index("a10.png")
    assert "95 % interval" in report
    assert "http" not in re.sub('data:image/jpeg;base64,[^"]*', "", report)
    packed = zlib.decompress(series.client.get(f"{series.url}/objects.bin").data)
    (length,) = struct.unpack_from("<I", packed)
    facts = json.loads(packed[4 : 4 + length])
    numbers = np.frombuffer(packed[4 + length :], "<f8").reshape(len(facts["columns"]), facts["objects"])
    rows = list(csv.DictReader(io.StringIO(results["objects.csv"].decode())))
    assert len(rows) == facts["objects"]
    for name in ("label", "class_id", "area"):
        assert numbers[facts["columns"].index(name)].tolist() == [float(row[name]) for row in rows]


def test_units_that_differ_are_refused_with_the_names_of_the_files(series, bench):
    series.add("bare.tif", tiff(scene(1)))
    file = io.BytesIO()
    tifffile.imwrite(file, scene(2), imagej=True, resolution=(2, 2), metadata={"axes": "YX", "unit": "um"})
    series.add("sized.tif", file.getvalue())
    work(bench)
    assert series.progress["done"] == 2
    results = series.results()
    assert "objects.csv" not in results
    (failed,) = csv.DictReader(io.StringIO(results["failed.csv"].decode()))
    assert failed["image"] == "objects.csv"
    sentences = [failed["reason"]]
    sentences += [series.client.get(f"{series.url}/{name}").json["error"] for name in ("objects.csv", "objects.bin")]
    for sentence in sentences:
        assert "pixels (bare.tif); µm (sized.tif)" in sentence


def test_a_size_that_was_typed_for_a_stack_counts_for_all_its_planes_and_no_plane_is_decoded_for_it(
    series, bench, monkeypatch
):
    stack = FILES["stack.tif"]
    series.add("stack.tif", stack)
    series.add("a.png", FILES["day1/a.png"])
    work(bench)
    facts = series.client.post(f"/s/{series.session}/images?name=stack.tif", data=stack).json
    series.someone.does(type="image.open", image={key: value for key, value in facts.items() if key != "notes"})
    size = {"x": 0.5, "y": 0.5, "unit": "µm", "z": None}
    plane = bench.journals.state(series.session).image["hash"]
    series.someone.does(type="image.measure", image=plane, pixel_size=size)

    def refuse(*_args):
        raise AssertionError("a plane is decoded")

    monkeypatch.setattr(bench.images, "hashes", refuse)
    url = f"/s/{series.session}/series/classifier"
    assert list(series.client.get(url).json["measured"]) == [facts["hash"]]
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 1}
    work(bench)
    now = series.client.get(url).json["measured"]
    by_name = {item["name"]: item["images"] for item in series.progress["items"]}
    assert [one["measured"] for one in by_name["stack.tif"]] == [now[facts["hash"]]] * 3
    assert by_name["a.png"][0]["measured"] == ""
    assert series.client.post(f"{series.url}/again", json={"image": None}).json == {"again": 0}
    assert seg.read_image(io.BytesIO(series.results()["stack.tif"])).pixel_size.x == 0.5
