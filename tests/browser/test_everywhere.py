"""The same strokes give the same bytes on the page, the command line, in Python, on a cluster, and in a series."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import tifffile

import segmentation as seg
from tests.support.page import is_finished, sends
from tests.support.server import Server

ROOT = Path(__file__).resolve().parents[2]


def grains(seed, rows=150, columns=200):
    """16-bit grey: bright blobs on a dark ground."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns]
    inside = (y + 7 * seed) % 50 // 2 * 2 < 24
    inside &= x % 60 < 30
    return np.clip(random.normal(np.where(inside, 3000, 1200), 350), 0, 65535).astype(np.uint16)


@pytest.fixture
def desk(tmp_path):
    """An image to train on, and a series with a stack and a file that is no image."""
    tifffile.imwrite(tmp_path / "train.tif", grains(0))
    (tmp_path / "series").mkdir()
    for number in (1, 2):
        tifffile.imwrite(tmp_path / f"series/{number}.tif", grains(number))
    stack = np.stack([grains(3), grains(4)])
    tifffile.imwrite(tmp_path / "series/stack.tif", stack, photometric="minisblack")
    (tmp_path / "series/letter.png").write_bytes(b"Dear colleague")
    return tmp_path


def trains(person, desk):
    person.upload(desk / "train.tif")
    person.wait_for(lambda: person.page.inner_text("#image-name") == "train.tif", "the image")
    person.wait_until_view_rests()
    person.draw_and_wait((5, 5), (20, 15), (10, 20))
    person.press("2")
    person.draw_and_wait((40, 30), (50, 45), (100, 30))
    person.wait_for_segmentation()


def takes_series_home(person):
    with person.page.expect_download() as download:
        person.page.get_by_text("Take home (zip)").first.click()
    with zipfile.ZipFile(download.value.path()) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def typed(*arguments, status=0):
    command = [sys.executable, "-m", "segmentation", *map(str, arguments)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == status


def results(folder):
    """What the page makes, too: it gives the objects of all images as one table, and not image by image."""
    files = [path for path in folder.iterdir() if path.is_file() and ".objects." not in path.name]
    return {path.name: path.read_bytes() for path in files}


def test_page_command_line_python_cluster_and_series_give_equal_bytes(person, desk):
    trains(person, desk)
    page = person.download("segmentation.tif")
    (desk / "page.squiggle").write_bytes(person.download("classifier.squiggle"))
    (desk / "strokes.json").write_bytes(person.download("strokes.json"))
    sends(person, *sorted((desk / "series").iterdir()))
    person.wait_for(lambda: is_finished(person, 4), "the series is finished")
    assert "3 of 4 segmented, 1 failed" in person.page.inner_text(".series")
    assert "letter.png" in person.page.inner_text(".series-failed")
    series = takes_series_home(person)
    assert "letter.png" in series.pop("failed.csv").decode()
    assert series.pop("classifier.squiggle") == (desk / "page.squiggle").read_bytes()

    typed("train", desk / "train.tif", "--strokes", desk / "strokes.json", "-o", desk / "typed.squiggle")
    assert (desk / "typed.squiggle").read_bytes() == (desk / "page.squiggle").read_bytes()
    for model in ("page", "typed"):
        out = desk / f"out-{model}"
        typed("apply", desk / f"{model}.squiggle", desk / "train.tif", "-o", out, "--quiet")
        assert (out / "train.tif").read_bytes() == page
    images = desk / "series"
    how = ("--csv", "--objects", "--workers", 2, "--quiet")
    typed("apply", desk / "page.squiggle", images, "-o", desk / "line", *how, status=1)
    assert results(desk / "line") == series
    assert set(series) == {"1.tif", "2.tif", "stack.tif", "shares.csv", "objects.csv"}

    document = json.loads((desk / "strokes.json").read_bytes())
    image = seg.read_image(desk / "train.tif")
    settings = document["settings"]
    classifier = seg.PixelClassifier(seg.FeatureSpec.from_json(settings["features"]), **settings["forest"])
    classifier.fit(image, seg.rasterise(document["strokes"], image.shape))
    assert (classifier.predict(image) == tifffile.imread(io.BytesIO(page))).all()
    seg.apply_series(desk / "page.squiggle", images, desk / "python", table=True, objects=True)
    assert results(desk / "python") == series

    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        distributed.Client(cluster) as client,
    ):
        seg.apply_series(desk / "page.squiggle", images, desk / "cluster", table=True, objects=True, client=client)
    assert results(desk / "cluster") == series


def test_a_series_outlives_its_tab_and_its_server(people, tmp_path, desk):
    for number in range(6):
        tifffile.imwrite(desk / f"series/large{number}.tif", grains(10 + number, 1200, 1000))
    files = sorted((desk / "series").glob("large*.tif"))
    server = Server(tmp_path / "data")
    server.start()
    try:
        first = people(server.url, expect_offline=True)
        trains(first, desk)
        sends(first, *files)
        first.wait_for(lambda: first.page.locator(".series-strip img").count() >= 1, "the first picture")
        first.wait_for(lambda: not first.page.is_visible("#series-sending"), "all are sent")
        link = first.page.url
        first.page.close()
        server.kill()
        server.start()
        second = people(link, expect_offline=True)
        second.tab("series")
        second.wait_for(lambda: second.page.locator(".series").count() == 1, "the series")
        second.wait_for(lambda: is_finished(second, 6), "the series is finished")
        assert "6 of 6 segmented" in second.page.inner_text(".series")
        series = takes_series_home(second)
    finally:
        server.stop()
    (desk / "page.squiggle").write_bytes(series.pop("classifier.squiggle"))
    seg.apply_series(desk / "page.squiggle", files, desk / "undisturbed", table=True, objects=True)
    assert results(desk / "undisturbed") == series
