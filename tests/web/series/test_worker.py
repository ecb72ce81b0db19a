"""Series on the page: files come in, are worked on in the background, and are downloaded, whichever process dies."""

import csv
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.io.limits import PassingError
from segmentation.series.run import apply_series
from segmentation.strokes.classes import REGION
from segmentation.strokes.document import strokes_from_json
from segmentation.web.decoding import patience
from segmentation.web.series.worker import NICENESS, NICENESS_OF_WHOLES, SeriesWorker
from segmentation.web.store import series_claims
from segmentation.web.store.series_claims import MOST_TRIES
from segmentation.web.store.tables import series_items
from tests.support.asking import Someone
from tests.support.files import png, tiff, zipped
from tests.support.imagefiles import tiff_with_broken_page
from tests.support.images import scene
from tests.support.series import FILES, expected, work
from tests.support.wholes import raising

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def correction(name, class_id, x0, y0, x1, y1):
    return {"id": name, "class_id": class_id, "kind": "rectangle", "x0": x0, "y0": y0, "x1": x1, "y1": y1}


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
    assert [image["called"] for image in images] == [f"stack.tif, plane z {one}" for one in (1, 2, 3)]
    assert [sum(image["pixels"].values()) for image in images] == [60 * 90] * 3
    for image in images:
        for class_id in (str(one["id"]) for one in progress["classes"]):
            objects = image["objects"]["classes"][class_id]
            assert objects["low"] <= objects["count"] <= objects["high"]
            assert 0 <= image["margins"][class_id] <= 1.25
    picture = series.client.get(f"{series.url}/pictures/{by_name['large.tif']['number']}")
    assert max(Image.open(io.BytesIO(picture.data)).size) <= 640
    for number in (by_name["colour.png"]["number"], 10**20):
        assert series.client.get(f"{series.url}/pictures/{number}").status_code == 404


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

    again = f"{series.url}/again"
    assert series.client.post(again, json={"image": None}).json == {"again": 0}
    now = series.client.get(f"/s/{series.session}/series/classifier").json["outlined"]
    assert by_name["outlined.png"]["images"][0]["outlined"] == now[image]
    assert by_name["other.png"]["images"][0]["outlined"] == ""
    elsewhere = here | {"id": "elsewhere", "x0": 70, "x1": 79}
    more = series.someone.does(type="stroke.add", image=image, stroke=elsewhere)
    changed = series.client.get(f"/s/{series.session}/series/classifier").json["outlined"]
    assert changed.keys() == now.keys()
    assert changed != now
    assert series.client.post(again, json={"image": None}).json == {"again": 1}
    work(bench)
    assert (tifffile.imread(io.BytesIO(series.results()["outlined.tif"])) > 0).sum() == (51 + 10) * 36
    series.someone.does(type="undo", event=more)
    assert series.client.post(again, json={"image": None}).json == {"again": 1}


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


def test_a_decoder_that_is_busy_leaves_no_image_and_no_plane_out(series, bench, tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", (0.0, 0.0))
    read, asked = bench.decoder.read_image, Counter()
    for name in ("stack.tif", "day1/a.png"):
        series.add(name, FILES[name])

    def busy(content, *, page, **named):
        asked[len(content), page] += 1
        if asked[len(content), page] == 1 or (page == 2 and always):
            raise PassingError("Others are read: try again.")
        return read(content, page=page, **named)

    monkeypatch.setattr(bench.decoder, "read_image", busy)
    always = True
    work(bench)
    assert [item["state"] for item in series.progress["items"]] == ["working", "done"], "it is left for a while"
    monkeypatch.setattr("segmentation.web.store.series_claims.POSTPONED_SECONDS", 0.0)
    with bench.store.database.writing() as connection:
        connection.execute(series_items.update().values(until=0.0))
    for _ in range(MOST_TRIES - 2):
        assert bench.series_worker.work_on_one()
    always = False
    work(bench)
    results = series.results()
    classifier = results.pop("classifier.squiggle")
    assert results == expected(classifier, {name: FILES[name] for name in ("stack.tif", "day1/a.png")}, tmp_path)


def test_an_image_that_never_comes_is_given_up_with_the_reason(series, bench, monkeypatch):
    monkeypatch.setattr(patience, "PAUSES", ())
    monkeypatch.setattr("segmentation.web.store.series_claims.POSTPONED_SECONDS", 0.0)

    def busy(*_, **__):
        raise PassingError("Others are read: try again.")

    monkeypatch.setattr(bench.decoder, "read_image", busy)
    series.add("stack.tif", FILES["stack.tif"])
    work(bench)
    (item,) = series.progress["items"]
    assert (item["state"], item["reason"]) == ("failed", "Others are read: try again.")


def test_a_full_disk_is_waited_for_and_no_image_is_given_up(series, bench, monkeypatch):
    series.add("a.png", FILES["day1/a.png"])
    monkeypatch.setattr(series_claims, "POSTPONED_SECONDS", -1)
    with monkeypatch.context() as patched:
        patched.setattr("segmentation.web.series.worker.segment_pages", raising(OSError(28, "No space left")))
        assert all(bench.series_worker.work_on_one() for _ in range(MOST_TRIES + 1))
    (item,) = series.progress["items"]
    assert (item["state"], item["reason"][:34]) == ("working", "The disk of the server is full: no")
    work(bench)
    assert series.progress["done"] == 1


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
    expected = {"classifier": item["made_by"], "corrected": {}, "outlined": {}, "measured": {}}
    assert series.client.get(current).json == expected
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


def test_what_fails_since_the_process_ends_is_left_to_the_next(series, bench, monkeypatch):
    series.add("a.png", FILES["day1/a.png"])

    def fail(*_):
        bench.closing.set()
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")

    monkeypatch.setattr(SeriesWorker, "_segmented", fail)
    assert bench.series_worker.work_on_one()
    assert (series.progress["waiting"], series.progress["failed"]) == (1, 0)


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


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere all of a process gives way")
def test_what_takes_long_gives_way_to_what_is_small(bench, monkeypatch):
    given = []
    monkeypatch.setattr(os, "setpriority", lambda kind, thread, niceness: given.append(niceness))
    bench.closing.set()
    bench.series_worker.work()
    assert sorted(given) == [NICENESS, NICENESS_OF_WHOLES]
    assert NICENESS_OF_WHOLES > NICENESS
