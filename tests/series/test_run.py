"""Many images: names, folders, records, interruptions and workers."""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.io.limits import PageError, PassingError
from segmentation.series import workers
from segmentation.series.inputs import find_images, name_results
from segmentation.series.pages import segment_pages
from segmentation.series.results import ResultFolder
from segmentation.series.run import apply_series
from segmentation.series.workers import Worker
from tests.support import ROOT
from tests.support.classifiers import trained
from tests.support.files import files_in
from tests.support.images import textured


@pytest.fixture(scope="module")
def classifier():
    return trained(textured())


@pytest.fixture(scope="module")
def model(classifier, tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "cells.squiggle"
    classifier.save(path)
    return path


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(4):
        tifffile.imwrite(folder / f"{number}.tif", textured(seed=number))
    return folder


# Which images, and what their results are called


def test_files_folders_and_globs_are_found_once_in_their_order(tmp_path):
    for name in ("b.png", "a.TIF", "note.txt", ".hidden.png", "deep/c.jpg", "deep/er/d.webp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = find_images([tmp_path / "b.png", tmp_path, str(tmp_path / "**" / "*.jpg"), tmp_path / "gone.tif"])
    assert [str(path.relative_to(tmp_path)) for path in found] == ["b.png", "a.TIF", "deep/c.jpg", "gone.tif"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path):
    (tmp_path / "cell[1].tif").touch()
    assert find_images([str(tmp_path / "cell[1].tif")]) == [tmp_path / "cell[1].tif"]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["/d/a.tif", "/d/b.png"], ["a", "b"]),
        (["/d/a.tif", "/d/a.png", "/d/b.png"], ["a.tif", "a.png", "b"]),
        (["/day1/a.tif", "/day2/a.tif"], ["day1_a.tif", "day2_a.tif"]),
        (["/x/1/a.tif", "/y/1/a.tif", "/y/2/a.tif"], ["x_1_a.tif", "y_1_a.tif", "2_a.tif"]),
        (["/d/A.tif", "/e/a.tif"], ["d_A.tif", "e_a.tif"]),
        (["/d/a.tif.png", "/d/a.tif", "/d/a.png"], ["a.tif.png", "d_a.tif", "a.png"]),
    ],
)
def test_results_are_named_after_stems_unless_they_clash(paths, names):
    assert len({name.casefold() for name in name_results([Path(path) for path in paths])}) == len(paths)
    assert name_results([Path(path) for path in paths]) == names


def test_images_with_equal_stems_have_results_of_their_own(classifier, tmp_path):
    for day in (1, 2):
        (tmp_path / f"day{day}").mkdir()
        tifffile.imwrite(tmp_path / f"day{day}/cell.tif", textured(seed=day))
    apply_series(classifier, str(tmp_path / "day?/cell.tif"), tmp_path / "out")
    assert sorted(files_in(tmp_path / "out")) == ["day1_cell.tif.tif", "day2_cell.tif.tif"]
    written = tifffile.imread(tmp_path / "out/day2_cell.tif.tif")
    assert np.array_equal(written, classifier.predict(textured(seed=2)))


# What is written


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_stack_becomes_a_stack(dtype, tmp_path):
    pixels = np.stack([textured(seed=number, dtype=dtype) for number in range(3)])
    classifier = trained(pixels[0])
    tifffile.imwrite(tmp_path / "stack.tif", pixels, photometric="minisblack")
    report = apply_series(
        classifier, tmp_path / "stack.tif", tmp_path / "out", png=True, probabilities=True, table=True
    )
    assert not report.failed
    expected = np.stack([classifier.predict(page) for page in pixels])
    assert np.array_equal(tifffile.imread(tmp_path / "out/stack.tif"), expected)
    probabilities = tifffile.imread(tmp_path / "out/stack.probabilities.tif").reshape(3, 2, 40, 50)
    assert np.array_equal(np.moveaxis(probabilities[2], 0, -1), classifier.predict_proba(pixels[2]))
    assert len(list((tmp_path / "out").glob("stack.000?.png"))) == 3
    assert (tmp_path / "out/shares.csv").read_text().count("stack.tif,3,") == 2


def test_an_image_that_cannot_be_read_stops_nothing(classifier, images, tmp_path):
    (images / "0a.png").write_bytes(b"not an image")
    (images / "truncated.tif").write_bytes((images / "1.tif").read_bytes()[:-900])
    tifffile.imwrite(images / "colour.tif", np.zeros((20, 20, 3), np.uint8), photometric="rgb")
    report = apply_series(classifier, images, tmp_path / "out", table=True)
    assert {Path(path).name for path in report.failed} == {"0a.png", "truncated.tif", "colour.tif"}
    assert "3" in report.failed[str(images / "colour.tif")]
    assert sorted(files_in(tmp_path / "out")) == ["0.tif", "1.tif", "2.tif", "3.tif", "shares.csv"]


def test_a_stack_that_breaks_off_leaves_nothing(classifier, tmp_path):
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((3, 30, 40), np.uint8), photometric="minisblack")
    with tifffile.TiffFile(tmp_path / "stack.tif") as tiff:
        last = tiff.pages[2].dataoffsets[0]
    with (tmp_path / "stack.tif").open("r+b") as file:
        file.truncate(last + 10)
    report = apply_series(classifier, tmp_path / "stack.tif", tmp_path / "out", png=True)
    assert report.failed
    assert files_in(tmp_path / "out") == {}
    assert list((tmp_path / "out/.squiggle").iterdir()) == []


def test_a_page_is_not_left_out_since_something_did_not_come_this_time(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.stack([textured(), textured()]), photometric="minisblack")
    images, error = list(seg.read_stack(tmp_path / "a.tif")), PassingError("Try again.")
    writer = SimpleNamespace(left_out=(left_out := []), leave_out=left_out.append, pages=[])

    def segment(image):
        raise error

    with pytest.raises(PassingError):
        list(segment_pages(images, segment, writer))
    assert not left_out
    error = ValueError("It cannot be segmented.")
    with pytest.raises(PageError):
        list(segment_pages(images, segment, writer))
    assert [one.page for one in left_out] == [1, 2]


def test_results_never_take_the_place_of_images(classifier, images):
    with pytest.raises(ValueError, match="would overwrite the image"):
        apply_series(classifier, images, images)


@pytest.mark.parametrize(
    ("name", "extras"),
    [("a.png", {"png": True}), ("a.0001.png", {"png": True}), ("a.overlay.png", {"overlay": True})],
)
def test_pictures_never_take_the_place_of_images(name, extras, classifier, tmp_path):
    for image in {"a.png", name}:
        PillowImage.fromarray(textured()).save(tmp_path / image)
    before = files_in(tmp_path)
    with pytest.raises(ValueError, match="would overwrite the image"):
        apply_series(classifier, tmp_path, tmp_path, **extras)
    assert files_in(tmp_path) == before


def test_two_images_never_have_the_same_result(classifier, tmp_path):
    for image in ("a.tif", "a.probabilities.tif"):
        tifffile.imwrite(tmp_path / image, textured())
    with pytest.raises(ValueError, match="would have the same name"):
        apply_series(classifier, tmp_path, tmp_path / "out", probabilities=True)
    tifffile.imwrite(tmp_path / "a.0001.tif", textured())
    assert not apply_series(classifier, tmp_path, tmp_path / "out").failed


def test_masks_may_lie_beside_images_of_another_format(classifier, tmp_path):
    PillowImage.fromarray(textured()).save(tmp_path / "a.png")
    apply_series(classifier, tmp_path / "a.png", tmp_path)
    assert sorted(files_in(tmp_path)) == ["a.png", "a.tif"]


# Going on


def test_what_is_finished_is_not_made_again(model, images, tmp_path):
    first = apply_series(model, images, tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").glob("*.tif")}
    second = apply_series(model, images, tmp_path / "out", table=True)
    assert second.finished_before == list(first.outputs)
    assert second.outputs == first.outputs
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert (tmp_path / "out/shares.csv").read_text().count("\n") == 1 + 4 * 2


@pytest.mark.parametrize("change", ["image", "classifier", "extras", "result", "record"])
def test_what_does_not_fit_any_more_is_made_again(change, model, images, tmp_path):
    out = tmp_path / "out"
    apply_series(model, images, out)
    extras = {}
    if change == "image":
        tifffile.imwrite(images / "2.tif", textured(seed=99))
    elif change == "classifier":
        model = tmp_path / "other.squiggle"
        trained(textured(seed=5)).save(model)
    elif change == "extras":
        extras = {"png": True}
    elif change == "result":
        (out / "2.tif").write_bytes(b"half")
    else:
        (out / ".squiggle/2.json").write_text('{"key": ')
    again = apply_series(model, images, out, **extras)
    assert len(again.finished_before) == (0 if change in ("classifier", "extras") else 3)
    image = seg.read_image(images / "2.tif")
    assert np.array_equal(tifffile.imread(out / "2.tif"), seg.load_classifier(model).predict(image))


def test_files_appear_whole_or_not_at_all(tmp_path):
    folder = ResultFolder(tmp_path)
    folder.prepare()
    with suppress(RuntimeError), folder.writing() as staging:
        staging.write("a.tif", b"whole")
        staging.open("b.tif").write(b"half")
        raise RuntimeError
    assert files_in(tmp_path) == {}
    with folder.writing() as staging:
        staging.write("a.tif", b"whole")
        staging.open("b.tif").write(b"whole too")
        assert files_in(tmp_path) == {}
    assert files_in(tmp_path) == {"a.tif": b"whole", "b.tif": b"whole too"}
    assert staging.sizes == {"a.tif": 5, "b.tif": 9}


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
def test_a_run_that_was_killed_is_continued_to_equal_bytes(processes, model, tmp_path):
    images = tmp_path / "images"
    images.mkdir()
    for number in range(12):
        tifffile.imwrite(images / f"{number:02}.tif", textured(120, 150, seed=number))
    apply_series(model, images, tmp_path / "undisturbed", probabilities=True)
    arguments = ["0.8", "apply", model, images, "-o", tmp_path / "out", "--probabilities", "--workers", str(processes)]
    command = [sys.executable, "-m", "tests.support.standing_still", *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        while len(list(tmp_path.glob("out/*.tif"))) < 4:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    report = apply_series(model, images, tmp_path / "out", probabilities=True)
    assert len(report.outputs) == 12
    assert report.finished_before
    assert files_in(tmp_path / "out") == files_in(tmp_path / "undisturbed")


# Workers


@pytest.mark.slow
def test_workers_write_the_same_bytes(model, images, tmp_path):
    (images / "bad.png").write_bytes(b"not an image")
    events = []
    alone = apply_series(model, images, tmp_path / "alone", overlay=True)
    shared = apply_series(model, images, tmp_path / "shared", overlay=True, workers=2, on_event=events.append)
    assert files_in(tmp_path / "alone") == files_in(tmp_path / "shared")
    assert {Path(path).name: why for path, why in alone.failed.items()} == {
        Path(path).name: why for path, why in shared.failed.items()
    }
    assert sorted(event.kind for event in events if event.image) == ["failed"] + 4 * ["segmented"]
    assert events[-1].done == pytest.approx(1)


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_image_and_nothing_else(model, images, tmp_path, monkeypatch):
    run = Worker.run

    def run_but_die_on_image_1(self, job):
        if job.name == "1":
            self._process = self._process or self._start()
            os.kill(self._process.pid, signal.SIGKILL)
        yield from run(self, job)

    monkeypatch.setattr(workers.Worker, "run", run_but_die_on_image_1)
    report = apply_series(model, images, tmp_path / "out", workers=2)
    assert list(report.failed) == [str(images / "1.tif")]
    assert "was ended by signal 9" in report.failed[str(images / "1.tif")]
    assert sorted(files_in(tmp_path / "out")) == ["0.tif", "2.tif", "3.tif"]


def test_a_worker_that_cannot_be_started_is_told(model, images, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    report = apply_series(model, images, tmp_path / "out", workers=2)
    assert len(report.failed) == 4
    assert all("No process could be started" in why for why in report.failed.values())


@pytest.mark.slow
def test_a_script_needs_no_guard_to_use_workers(model, images, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import segmentation.series.run as series\n"
        f"report = series.apply_series({str(model)!r}, {str(images)!r}, {str(tmp_path / 'out')!r}, workers=2)\n"
        "print(len(report.outputs))\n"
    )
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "4\n"


def test_events_can_be_written_as_json_and_progress_only_grows(model, images, tmp_path):
    events = []
    apply_series(model, images, tmp_path / "out", on_event=events.append)
    assert [event.kind for event in events if event.kind != "progress"] == ["start", *4 * ["segmented"], "end"]
    assert all(event.images == 4 for event in events)
    done = [event.done for event in events]
    assert done == sorted(done)
    json.dumps([event.outputs for event in events])
