"""Series on the page: files come in, are worked on in the background, and are downloaded, whichever process dies."""

import csv
import io
import json
import os
import re
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.series.run import apply_series
from segmentation.strokes.classes import REGION
from segmentation.strokes.document import strokes_from_json
from segmentation.web.application import create_app
from segmentation.web.series.upload_zip import ZipError, shown_path, unpacked
from segmentation.web.session.stacks import plane_key
from segmentation.web.settings import Settings
from segmentation.web.store import StoreFullError
from segmentation.web.store import series as series_module
from segmentation.web.store.records import ItemResult
from segmentation.web.store.series import DIED, SeriesStore, UnknownSeriesError
from tests.support.asking import Someone
from tests.support.classifiers import made
from tests.support.files import png, tiff, zipped
from tests.support.imagefiles import tiff_with_broken_page
from tests.support.images import scene

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
LIMITS = {"max_images": 10, "max_bytes": 1000}


FILES = {
    "day1/a.png": png(scene(1)),
    "day2/a.tif": tiff(scene(2)),
    "stack.tif": tiff(np.stack([scene(3), scene(4), scene(5)]), photometric="minisblack"),
    "large.tif": tiff(np.tile(scene(6), (12, 8))),
    "colour.png": png(scene(7, channels=3)),
    "letter.tif": b"Dear colleague",
}


@pytest.fixture
def settings(tmp_path):
    return Settings(data_folder=tmp_path / "data", max_upload_bytes=5_000_000, series_images=8, series_bytes=8_000_000)


@pytest.fixture
def client(settings):
    app = create_app(settings)
    yield app.server.test_client()
    app.server.extensions["workbench"].store.close()


@pytest.fixture
def bench(client):
    return client.application.extensions["workbench"]


class Series:
    """A series of a session on an image like those of the series."""

    def __init__(self, client):
        self.someone = Someone(client)
        self.client = client
        image = self.someone.open_image(scene(0))
        self.someone.opens(made(seg.image_from_pixels(scene(0))))
        self.session = self.someone.session
        self.url = f"/s/{self.session}/series"
        answer = client.post(self.url, json={"image": image}).json
        self.id = answer["series"]
        self.url += f"/{self.id}"

    def add(self, name, content):
        return self.client.post(f"{self.url}/files?name={name}", data=content).json

    @property
    def progress(self):
        return self.client.get(self.url).json

    def results(self):
        return contents_of(self.client.get(f"{self.url}/results.zip").data)


def contents_of(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.testzip() is None
        return {name: file.read(name) for name in file.namelist()}


@pytest.fixture
def series(client):
    return Series(client)


def correction(name, class_id, x0, y0, x1, y1):
    return {"id": name, "class_id": class_id, "kind": "rectangle", "x0": x0, "y0": y0, "x1": x1, "y1": y1}


def expected(classifier, files, folder, **more):
    """What the command line writes."""
    (folder / "in").mkdir(parents=True)
    (folder / "cells.squiggle").write_bytes(classifier)
    for name, content in files.items():
        path = folder / "in" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    images = [folder / "in" / name for name in files]
    apply_series(folder / "cells.squiggle", images, folder / "out", table=True, objects=True, **more)
    written = [path for path in (folder / "out").iterdir() if path.is_file() and ".objects." not in path.name]
    return {path.name: path.read_bytes() for path in written}


def work(bench):
    while bench.series_worker.work_on_one():
        pass


def test_a_series_gives_the_bytes_of_the_command_line(series, bench, tmp_path):
    for name, content in FILES.items():
        assert series.add(name, content) == {"added": 1, "refused": []}
    assert series.progress["waiting"] == len(FILES)
    work(bench)
    progress = series.progress
    assert (progress["done"], progress["failed"], progress["waiting"]) == (4, 2, 0)
    results = series.results()
    classifier = results.pop("classifier.squiggle")
    failed = {row["image"]: row["reason"] for row in csv.DictReader(io.StringIO(results.pop("failed.csv").decode()))}
    assert "1 channel, but this one has 3" in failed["colour.png"]
    assert "not an image" in failed["letter.tif"]
    assert results == expected(classifier, FILES, tmp_path)
    assert set(results) == {"a.png.tif", "a.tif.tif", "stack.tif", "large.tif", "shares.csv", "objects.csv"}

    by_name = {item["name"]: item for item in progress["items"]}
    images = by_name["stack.tif"]["images"]
    assert [image["page"] for image in images] == [1, 2, 3]
    assert [sum(image["pixels"].values()) for image in images] == [60 * 90] * 3
    for image in images:
        for class_id in (str(one["id"]) for one in progress["classes"]):
            objects = image["objects"]["classes"][class_id]
            assert objects["low"] <= objects["count"] <= objects["high"]
            assert 0 <= image["margins"][class_id] <= 1.25
    picture = series.client.get(f"{series.url}/pictures/{by_name['large.tif']['number']}")
    assert max(Image.open(io.BytesIO(picture.data)).size) <= 640
    assert series.client.get(f"{series.url}/pictures/{by_name['colour.png']['number']}").status_code == 404


def test_images_of_the_session_are_worked_on_where_they_are_outlined_there(series, bench, tmp_path):
    outlined, other = scene(3), scene(4)
    image = series.someone.open_image(outlined)
    here = {"id": "here", "class_id": REGION, "kind": "rectangle", "x0": 10, "y0": 5, "x1": 60, "y1": 40}
    series.someone.does(type="stroke.add", image=image, stroke=here)
    files = {"outlined.png": png(outlined), "other.png": png(other)}
    for name, content in files.items():
        series.add(name, content)
    work(bench)
    results = series.results()
    (tmp_path / "cells.squiggle").write_bytes(results.pop("classifier.squiggle"))
    strokes = series.someone.downloads("strokes.json").data
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    images = [tmp_path / name for name in files]
    typed = [strokes_from_json(strokes)]
    apply_series(tmp_path / "cells.squiggle", images, tmp_path / "out", table=True, objects=True, strokes=typed)
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.name in results}
    assert results == written
    ids = tifffile.imread(io.BytesIO(results["outlined.tif"]))
    assert (ids > 0).sum() == 51 * 36
    assert tifffile.imread(io.BytesIO(results["other.tif"])).all()
    by_name = {item["name"]: item for item in series.progress["items"]}
    assert "only within what was outlined" in " ".join(by_name["outlined.png"]["notes"])


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_one_image_of_a_stack_does_not_take_the_others_with_it(broken, series, bench, tmp_path):
    pages = np.stack([scene(3), scene(4), scene(5)]).astype(np.float32)
    content = tiff_with_broken_page(pages, broken)
    series.add("stack.tif", content)
    work(bench)
    assert (series.progress["done"], series.progress["failed"]) == (1, 0)
    (item,) = series.progress["items"]
    results = series.results()
    classifier = results.pop("classifier.squiggle")
    (failed,) = csv.DictReader(io.StringIO(results.pop("failed.csv").decode()))
    assert failed["image"] == "stack.tif"
    assert failed["reason"].startswith(
        f"Image {broken + 1} of the 3 in the file cannot be used. The TIFF file is damaged"
    )
    assert item["left_out"] == [failed["reason"]]
    assert results == expected(classifier, {"stack.tif": content}, tmp_path)


def test_the_classifier_is_the_one_of_when_the_series_began(series, bench):
    series.add("a.png", FILES["day1/a.png"])
    series.someone.does(type="classifier.close")
    series.someone.does(type="class.change", class_id=2, name="Renamed")
    work(bench)
    results = series.results()
    names = [one.name for one in seg.load_model(results["classifier.squiggle"]).classes]
    assert names == ["Pore", "Grain"]
    assert b"Pore" in results["shares.csv"]


def test_what_another_classifier_has_made_is_done_again_and_nothing_else(series, bench):
    series.add("a.png", FILES["day1/a.png"])
    series.add("colour.png", FILES["colour.png"])
    work(bench)
    (item, failed) = series.progress["items"]
    assert failed["state"] == "failed"
    current = f"/s/{series.session}/series/classifier"
    assert series.client.get(current).json == {"classifier": item["made_by"], "corrected": {}}
    image = {"image": None}
    assert series.client.post(f"{series.url}/again", json=image).json == {"again": 0}

    series.someone.does(type="class.change", class_id=2, name="Renamed")
    made_now = series.client.get(current).json["classifier"]
    assert made_now != item["made_by"]
    before = series.results()["a.tif"]
    assert series.client.post(f"{series.url}/again", json=image).json == {"again": 1}
    (waiting, _) = series.progress["items"]
    assert (waiting["state"], waiting["made_by"]) == ("waiting", item["made_by"])
    assert waiting["images"] == item["images"], "the former results are seen until then"
    picture = series.client.get(f"{series.url}/pictures/{waiting['number']}")
    assert picture.status_code == 200
    work(bench)
    (again, _) = series.progress["items"]
    assert (again["state"], again["made_by"]) == ("done", made_now)
    assert series.progress["classes"][0]["name"] == "Renamed"
    results = series.results()
    assert b"Renamed" in results["shares.csv"]
    assert np.array_equal(tifffile.imread(io.BytesIO(results["a.tif"])), tifffile.imread(io.BytesIO(before)))
    assert series.client.post(f"{series.url}/again", json=image).json == {"again": 0}


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


def test_without_a_classifier_there_is_no_series_but_a_sentence(client):
    someone = Someone(client)
    answer = client.post(f"/s/{someone.session}/series", json={"image": None})
    assert answer.status_code == 200
    assert "Draw a squiggle" in answer.json["error"]
    assert client.post("/s/nobody/series", json={"image": None}).status_code == 404


def test_a_zip_brings_its_images_with_their_folders(series, bench):
    members = {
        "day1/a.png": FILES["day1/a.png"],
        "day2\\a.tif": FILES["day2/a.tif"],
        "../../etc/passwd.png": FILES["day1/a.png"],
        "notes.txt": b"nothing",
        "__MACOSX/day1/._a.png": b"nothing",
        ".hidden.png": b"nothing",
        "folder/": b"",
    }
    assert series.add("all.zip", zipped(members)) == {"added": 3, "refused": []}
    assert [item["name"] for item in series.progress["items"]] == ["day1/a.png", "day2/a.tif", "etc/passwd.png"]
    work(bench)
    assert set(series.results()) == {
        "a.png.tif", "a.tif.tif", "passwd.tif", "shares.csv", "objects.csv", "classifier.squiggle",
    }  # fmt: skip


def test_the_same_file_twice_is_one_image(series):
    series.add("a.png", FILES["day1/a.png"])
    series.add("a.png", FILES["day1/a.png"])
    series.add("a.png", FILES["colour.png"])
    assert series.progress["images"] == 2


def found(result):
    return ItemResult(result, b"picture", b"objects", [])


def limits(**given):
    return {"max_images": 5, "max_image_bytes": 1000, "max_bytes": 2000} | given


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04 and nothing more", "not a zip archive"),
        (zipped({"a.png": b"x"})[:-4], "not a zip archive"),
        (zipped({"readme.txt": b"x"}), "holds no image"),
        (zipped({f"{n}.png": b"x" for n in range(6)}), "6 images, more than the 5"),
        (zipped({f"{n}.png": bytes(900) for n in range(3)}, compression=zipfile.ZIP_DEFLATED), "unpack to more than"),
        (zipped({f"{n}.txt": b"" for n in range(20_001)}), "more than 20,000 files"),
    ],
)
def test_a_hostile_zip_is_refused_before_anything_is_unpacked(content, sentence):
    with pytest.raises(ZipError, match=sentence):
        list(unpacked(io.BytesIO(content), **limits()))


def test_a_member_that_cannot_be_used_is_refused_alone():
    bomb = zipped({"bomb.png": bytes(1001), "good.png": b"x"}, compression=zipfile.ZIP_DEFLATED)
    first, second = unpacked(io.BytesIO(bomb), **limits())
    assert "this server takes at most" in first.reason
    assert (second.name, second.content) == ("good.png", b"x")
    lying = bytearray(zipped({"lying.png": bytes(500)}, compression=zipfile.ZIP_DEFLATED))
    for start in (lying.find(b"PK\x03\x04") + 22, lying.find(b"PK\x01\x02") + 24):
        lying[start : start + 4] = (50).to_bytes(4, "little")
    (only,) = unpacked(io.BytesIO(bytes(lying)), **limits())
    assert (only.content, only.reason) == (b"", "It is damaged in the archive.")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a.png", "a.png"), ("/etc/./x/../a.png", "etc/x/a.png"), ("C:\\b\\a.png", "C:/b/a.png"), ("", "image"),
        ("../..", "image"), ("a\x00\n.png", "a.png"), ("d" * 300 + "/a.png", ("d" * 300 + "/a.png")[-200:]),
    ],
)  # fmt: skip
def test_a_name_is_for_reading_only(name, shown):
    assert shown_path(name) == shown


def test_there_are_limits_with_sentences(series, bench):
    members = {f"{number}.png": png(scene(number)) for number in range(8)}
    assert series.add("eight.zip", zipped(members))["added"] == 8
    answer = series.add("ninth.png", png(scene(9)))
    assert answer["added"] == 0
    assert "A series may have 8 images" in answer["refused"][0]["reason"]
    assert series.client.post(f"{series.url}/files?name=a.png", data=bytes(5_000_001)).status_code == 413


def test_a_series_is_stopped_goes_on_and_is_deleted(series, bench):
    series.add("a.png", FILES["day1/a.png"])
    assert not series.client.post(f"{series.url}/stop").json["running"]
    assert not bench.series_worker.work_on_one()
    assert series.client.post(f"{series.url}/continue").json["running"]
    work(bench)
    assert series.progress["done"] == 1
    assert series.client.delete(series.url).json == {"deleted": series.id}
    assert series.client.get(series.url).status_code == 404
    assert series.client.get(f"{series.url}/results.zip").status_code == 404
    assert series.client.get(f"/s/{series.session}/series").json["series"] == []
    bench.store.delete_session(series.session)


def test_a_series_belongs_to_its_session(series, client):
    other = Someone(client).session
    for path in ("", "/results.zip", "/pictures/1"):
        assert client.get(f"/s/{other}/series/{series.id}{path}").status_code == 404
    assert client.post(f"/s/{other}/series/{series.id}/files?name=a.png", data=b"x").status_code == 404
    assert client.delete(f"/s/{other}/series/{series.id}").status_code == 404
    assert series.progress["images"] == 0


def test_a_deleted_session_takes_its_series_along(series, bench):
    series.add("a.png", FILES["day1/a.png"])
    work(bench)
    bench.store.delete_session(series.session)
    assert series.client.get(series.url).status_code == 404
    assert not bench.series_worker.work_on_one()


def test_a_worker_lets_people_who_draw_go_first_and_leaves_its_image_when_the_process_ends(series, bench):
    series.add("large.tif", FILES["large.tif"])
    with bench.busy:
        worker = threading.Thread(target=bench.series_worker.work)
        worker.start()
        while series.progress["working"] == 0:
            time.sleep(0.01)
        bench.closing.set()
        worker.join()
    assert series.progress["waiting"] == 1


# The store, on both databases


@pytest.fixture
def kept(store):
    return SeriesStore(store)


@pytest.fixture
def of_two(store, kept):
    """A series of two images."""
    session = store.create_session()
    series = kept.begin(session, b"classifier")
    for name in ("a", "b"):
        kept.add(session, series, name, name.encode(), **LIMITS)
    return session, series


def states(kept, of_two):
    return [item.state for item in kept.items(*of_two)]


def test_each_item_is_taken_once_and_ends_once(kept, of_two):
    first, second = kept.claim(), kept.claim()
    assert {first.number, second.number} == {1, 2}
    assert kept.claim() is None
    assert kept.image(first) == b"a"
    assert kept.classifier_of(first) == b"classifier"
    assert kept.heartbeat(first)
    assert kept.finish(first, found(b"result"))
    assert not kept.finish(first, found(b"other"))
    kept.fail(second, "It is broken.")
    assert states(kept, of_two) == ["done", "failed"]
    assert kept.result(*of_two, 1) == b"result"
    with pytest.raises(UnknownSeriesError):
        kept.result(*of_two, 2)


def test_an_item_whose_worker_fell_silent_is_taken_over_and_the_former_one_is_not_heard(kept, of_two, monkeypatch):
    monkeypatch.setattr(series_module, "CLAIM_SECONDS", -1.0)
    former = kept.claim()
    monkeypatch.setattr(series_module, "CLAIM_SECONDS", 60.0)
    latter = kept.claim()
    assert (former.number, latter.number) == (1, 1)
    assert not kept.heartbeat(former)
    assert not kept.finish(former, found(b"former"))
    kept.fail(former, "former")
    kept.release(former)
    assert states(kept, of_two) == ["working", "waiting"]
    assert kept.finish(latter, found(b"latter"))
    assert kept.result(*of_two, 1) == b"latter"


def test_an_image_that_ends_its_workers_is_given_up(kept, of_two, monkeypatch):
    monkeypatch.setattr(series_module, "CLAIM_SECONDS", -1.0)
    assert [kept.claim().number for _ in range(3)] == [1, 1, 1]
    assert kept.claim().number == 2
    assert kept.items(*of_two)[0].reason == DIED


def test_many_workers_at_once_do_each_item_once(store, kept):
    session = store.create_session()
    series = kept.begin(session, b"classifier")
    for number in range(8):
        kept.add(session, series, str(number), str(number).encode(), **LIMITS)
    taken = []

    def worker():
        while (item := kept.claim()) is not None:
            taken.append(item.number)
            assert kept.finish(item, found(b"r"))

    workers = [threading.Thread(target=worker) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(taken) == list(range(1, 9))


def test_a_stopped_series_is_left(kept, of_two):
    held = kept.claim()
    kept.run(*of_two, running=False)
    assert not kept.heartbeat(held)
    kept.release(held)
    assert kept.claim() is None
    assert states(kept, of_two) == ["waiting", "waiting"]
    kept.run(*of_two, running=True)
    assert kept.claim().number == 1


def test_what_a_session_may_have_is_counted_over_its_series(store, kept):
    session = store.create_session()
    first, second = kept.begin(session, b"c"), kept.begin(session, b"c")
    kept.add(session, first, "a", bytes(600), **LIMITS)
    with pytest.raises(StoreFullError, match="delete a series"):
        kept.add(session, second, "b", bytes(600), **LIMITS)
    kept.delete(session, first)
    kept.add(session, second, "b", bytes(600), **LIMITS)
    assert [one.id for one in kept.of_session(session)] == [second]


# Real processes, really killed


STAND_STILL_IN_THE_SECOND_IMAGE = """
import itertools, runpy, sys
from segmentation.web.series import worker

number, small_picture = itertools.count(1), worker.small_picture

def stand_still_in_the_second(*given):
    if next(number) == 2:
        sys.stdin.read()
    return small_picture(*given)

worker.small_picture = stand_still_in_the_second
runpy.run_module("segmentation.web", run_name="__main__")
"""


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_nothing(series, bench, settings, tmp_path):
    files = {f"{number}.tif": tiff(np.tile(scene(number), (10, 8))) for number in range(5)}
    for name, content in files.items():
        series.add(name, content)
    environment = os.environ | {"SQUIGGLE_DATA": str(settings.data_folder), "SQUIGGLE_THREADS": "1"}
    command = [sys.executable, "-m", "segmentation.web", "worker"]
    quiet = {"cwd": ROOT, "env": environment, "stdout": subprocess.DEVNULL}
    halfway = [sys.executable, "-c", STAND_STILL_IN_THE_SECOND_IMAGE, "worker"]
    with subprocess.Popen(halfway, stdin=subprocess.PIPE, **quiet) as first:
        while series.progress["done"] == 0 or series.progress["working"] == 0:
            time.sleep(0.02)
            assert first.poll() is None
        first.send_signal(signal.SIGKILL)
    assert series.progress["done"] < 5
    with subprocess.Popen(command, **quiet) as second:
        while series.progress["done"] < 5:
            time.sleep(0.05)
            assert second.poll() is None
        second.terminate()
    assert second.returncode == 0
    results = series.results()
    classifier = results.pop("classifier.squiggle")
    assert results == expected(classifier, files, tmp_path)
