"""The command line does what the page and Python do, to the byte, and says in a sentence what it cannot do."""

import csv
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.__main__ import main
from segmentation.cli.commands import described
from segmentation.features.cache import FeatureCache
from segmentation.io.export import label_tiff, probabilities_tiff
from segmentation.live.segmenter import LiveSegmenter
from segmentation.model.labelled import LabelledImage
from segmentation.model.modelfile import load_model
from segmentation.strokes.document import Drawing, drawings_to_json, strokes_to_json
from tests.support.desk import SMALL, textured

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_training_from_labels_equals_training_in_python(desk, tmp_path):
    image = seg.read_image(desk / "cells.tif")
    labels = np.zeros(image.shape, np.uint8)
    labels[5:10, 10:40], labels[45:50, 10:40] = 1, 2
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit(image, labels)
    classes = (seg.LabelClass(1, "void", "#e69f00"), seg.LabelClass(2, "grain", "#00ff00"))
    classifier.save(tmp_path / "python.squiggle", classes=classes)
    assert (tmp_path / "python.squiggle").read_bytes() == (desk / "cells.squiggle").read_bytes()


def strokes_of(image, settings):
    strokes = [
        seg.Stroke("a", 1, "path", np.array([[10.0, 7.0], [60.0, 9.0]]), 4.0),
        seg.Stroke("b", 3, "path", np.array([[10.0, 50.0], [60.0, 52.0]]), 4.0),
    ]
    classes = (seg.LabelClass(1, "void", "#112233"), seg.LabelClass(3, "grain", "#445566"))
    return strokes, classes, strokes_to_json(strokes, classes, image.hash, image.shape, settings)


def test_training_from_exported_strokes_equals_the_page_to_the_byte(desk, tmp_path):
    image = seg.read_image(desk / "cells.tif")
    spec, forest = seg.FeatureSpec(texture=False, sigma_max=4), seg.ForestSettings(n_estimators=7, random_state=3)
    settings = {"features": spec.to_json(), "forest": forest.to_json()}
    strokes, classes, document = strokes_of(image, settings)
    (tmp_path / "strokes.json").write_text(json.dumps(document))
    live = LiveSegmenter(FeatureCache(10**7), 1)
    live.train([LabelledImage.from_image(image, seg.rasterise(strokes, image.shape))], spec, forest).save(
        tmp_path / "page", classes=classes
    )
    arguments = ["train", f"{desk}/cells.tif", "--strokes", f"{tmp_path}/strokes.json", "-o", f"{tmp_path}/typed"]
    arguments.append("--without-pixels")
    assert main(arguments) == 0
    assert (tmp_path / "typed").read_bytes() == (tmp_path / "page").read_bytes()


def test_what_is_typed_goes_before_the_settings_of_the_strokes(desk, tmp_path):
    image = seg.read_image(desk / "cells.tif")
    settings = {"features": seg.FeatureSpec(sigma_max=4).to_json(), "forest": {"n_estimators": 7}}
    (tmp_path / "strokes.json").write_text(json.dumps(strokes_of(image, settings)[2]))
    arguments = ["train", f"{desk}/cells.tif", "--strokes", f"{tmp_path}/strokes.json", "-o", f"{tmp_path}/model"]
    typed = ["--no-edges", "--trees", "3", "--channels", "1,3", "--seed", "5", "--with-strokes", "--without-pixels"]
    assert main([*arguments, *typed]) == 0
    contents = seg.load_classifier(tmp_path / "model").contents()
    assert contents.spec.chosen == seg.FeatureSpec(edges=False, sigma_max=4, channels=(0, 2))
    assert (contents.settings.n_estimators, contents.settings.random_state) == (3, 5)
    strokes = load_model(tmp_path / "model").strokes
    assert strokes is not None
    assert [stroke.id for stroke in strokes] == ["a", "b"]
    assert load_model(tmp_path / "model").pixels is None
    assert main(arguments) == 0
    by_itself = (tmp_path / "model").read_bytes()
    assert main([*arguments, "--with-pixels"]) == 0
    assert (tmp_path / "model").read_bytes() == by_itself
    contents = load_model(tmp_path / "model")
    assert contents.strokes is None
    assert contents.pixels is not None
    assert len(contents.pixels.class_ids) == sum(contents.training["training_pixels"].values())


def test_strokes_of_another_image_are_refused(desk, tmp_path, capsys):
    other = seg.image_from_pixels(textured(seed=9))
    (tmp_path / "strokes.json").write_text(json.dumps(strokes_of(other, {})[2]))
    arguments = ["train", f"{desk}/cells.tif", "--strokes", f"{tmp_path}/strokes.json", "-o", f"{tmp_path}/model"]
    assert main(arguments) == 1
    assert "drawn on another image" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_several_images_are_learnt_from_together(desk, tmp_path):
    images = [f"{desk}/cells.tif", f"{desk}/series/day1.tif"]
    labels = [f"{desk}/labels.png"] * 2
    assert main(["train", *images, "--labels", *labels, "-o", f"{tmp_path}/model", *SMALL]) == 0
    assert len(seg.load_classifier(tmp_path / "model").training_["images"]) == 2


def test_the_strokes_of_a_session_are_learnt_from_in_its_order_whatever_is_typed_first(desk, tmp_path, capsys):
    paths = [desk / "series/day2.tif", desk / "cells.tif", desk / "series/day1.tif"]
    first, second = map(seg.read_image, paths[:2])
    settings = {
        "features": seg.FeatureSpec(sigma_max=2).to_json(),
        "forest": seg.ForestSettings(n_estimators=5).to_json(),
    }
    strokes, classes, _ = strokes_of(first, settings)
    grey = Drawing("00ff", (9, 9), tuple(strokes), "grey.tif", 1)
    drawings = [
        grey,
        Drawing(first.hash, first.shape, tuple(strokes), "day2.tif", 3),
        Drawing(second.hash, second.shape, tuple(strokes[:1]), "cells.tif", 3),
    ]
    (tmp_path / "strokes.json").write_text(json.dumps(drawings_to_json(drawings, classes, settings)))
    labels = [seg.rasterise(one.strokes, one.image_shape) for one in drawings[1:]]
    expected = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit([first, second], labels)
    expected.save(tmp_path / "python", classes=classes)
    arguments = ["--strokes", f"{tmp_path}/strokes.json", "-o", f"{tmp_path}/typed"]
    assert main(["train", f"{paths[2]}", f"{paths[1]}", f"{paths[0]}", *arguments]) == 0
    assert (tmp_path / "typed").read_bytes() == (tmp_path / "python").read_bytes()
    assert main(["train", f"{paths[0]}", *arguments]) == 1
    assert "on an image that was not given: 'cells.tif', 80 x 60 pixels" in capsys.readouterr().err


def test_applying_writes_what_python_predicts(desk, tmp_path):
    extras = ["--png", "--overlay", "--probabilities", "--csv", "--quiet"]
    assert main(["apply", f"{desk}/cells.squiggle", f"{desk}/series/*.tif", "-o", f"{tmp_path}/out", *extras]) == 0
    classifier = seg.load_classifier(desk / "cells.squiggle")
    table = list(csv.DictReader((tmp_path / "out/shares.csv").read_text().splitlines()))
    for number in range(3):
        image = seg.read_image(desk / f"series/day{number}.tif")
        expected = classifier.predict(image)
        written = tifffile.imread(tmp_path / f"out/day{number}.tif")
        names = {one.id: one.name for one in classifier.label_classes_}
        as_the_page_exports = label_tiff(expected, classifier.label_classes_)
        assert (tmp_path / f"out/day{number}.tif").read_bytes() == as_the_page_exports
        as_the_page_exports = probabilities_tiff(classifier.predict_proba(image), list(names.values()))
        assert (tmp_path / f"out/day{number}.probabilities.tif").read_bytes() == as_the_page_exports
        assert written.dtype == np.uint8
        assert np.array_equal(written, expected)
        probabilities = tifffile.imread(tmp_path / f"out/day{number}.probabilities.tif")
        assert np.array_equal(np.moveaxis(probabilities, 0, -1), classifier.predict_proba(image))
        with PillowImage.open(tmp_path / f"out/day{number}.png") as png:
            assert np.array_equal(np.asarray(png), expected)
        with PillowImage.open(tmp_path / f"out/day{number}.overlay.png") as overlay:
            assert overlay.mode == "RGB"
        rows = [row for row in table if row["image"] == f"day{number}.tif"]
        assert [(row["class_name"], int(row["pixels"])) for row in rows] == [
            ("void", (expected == 1).sum()),
            ("grain", (expected == 2).sum()),
        ]


def test_json_tells_what_happens_one_object_a_line(desk, tmp_path, capsys):
    (tmp_path / "bad.png").write_bytes(b"not an image")
    images = [f"{tmp_path}/bad.png", f"{desk}/series"]
    assert main(["apply", f"{desk}/cells.squiggle", *images, "-o", f"{tmp_path}/out", "--json"]) == 1
    told = capsys.readouterr()
    events = [json.loads(line) for line in told.out.splitlines()]
    assert [event["kind"] for event in events] == ["start", "failed", "segmented", "segmented", "segmented", "end"]
    assert events[1]["reason"].startswith("This is not an image")
    assert events[2]["outputs"] == [str(tmp_path / "out/day0.tif")]
    assert sum(events[2]["pages"][0]["pixels"].values()) == 60 * 80
    assert "bad.png: This is not an image" in told.err


def test_nothing_is_shown_but_a_summary_where_there_is_no_terminal(desk, tmp_path, capsys):
    arguments = ["apply", f"{desk}/cells.squiggle", f"{desk}/series", "-o", f"{tmp_path}/out"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("3 images segmented in ")
    assert main(arguments) == 0
    assert "0 images segmented" in (again := capsys.readouterr().err)
    assert "3 finished before" in again


def test_info_answers_without_what_is_slow_to_import(desk):
    code = (
        "import sys; from segmentation.__main__ import main; main(['info', sys.argv[1]]); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(desk / "cells.squiggle")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(done.stderr.split()) & {"sklearn", "numba", "skimage", "scipy", "zarr", "dask", "distributed"}
    assert "1 void #e69f00" in done.stdout
    assert "60 x 80 pixels, 3 channels, uint8" in done.stdout


def test_info_of_a_classifier_of_grey_images_speaks_of_one_channel(desk, tmp_path, capsys):
    tifffile.imwrite(tmp_path / "grey.tif", textured()[..., 0], photometric="minisblack")
    arguments = ["train", f"{tmp_path}/grey.tif", "--labels", f"{desk}/labels.png", "-o", f"{tmp_path}/grey.squiggle"]
    assert main([*arguments, *SMALL]) == 0
    capsys.readouterr()
    assert main(["info", f"{tmp_path}/grey.squiggle"]) == 0
    told = capsys.readouterr().out
    assert "with 1 channel\n" in told
    assert "60 x 80 pixels, 1 channel, uint8" in told


@pytest.mark.parametrize(("strokes", "said"), [(None, "none travel"), (1, "1 stroke travels"), (2, "2 strokes travel")])
def test_info_counts_what_travels_along(desk, strokes, said):
    image = seg.read_image(desk / "cells.tif")
    labels = np.zeros(image.shape, np.uint8)
    labels[5, 5], labels[45:50, 10:40] = 1, 2
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=1).fit(image, labels)
    points = np.array([[10.0, 7.0], [60.0, 9.0]])
    drawn = [seg.Stroke(str(number), 2, "path", points, 4.0) for number in range(strokes or 0)]
    along = None if strokes is None else {image.hash: drawn}
    told = described("cells.squiggle", classifier.contents(strokes=along))
    assert f"strokes     {said} along\n" in told
    assert "1 extremely randomised tree, " in told
    assert "1 pixel of class 1\n" in told
    assert "150 pixels of class 2\n" in told
    assert "pixels      none travel along\n" in told


def test_info_as_json_has_the_keys_of_the_file(desk, capsys):
    assert main(["info", f"{desk}/cells.squiggle", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["class_ids"] == [1, 2]
    assert facts["forest"]["trees"] == 5
    assert facts["training"]["labelled_pixels"] == {"1": 150, "2": 150}


def test_evaluating_tells_scores_of_each_class(desk, capsys):
    pairs = [f"{desk}/cells.tif", f"{desk}/mask.png"]
    assert main(["evaluate", f"{desk}/cells.squiggle", *pairs, *pairs, "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["pixels"] == 2 * 60 * 80
    assert scores["mean_iou"] > 0.9
    assert [one["name"] for one in scores["classes"]] == ["void", "grain"]
    assert main(["evaluate", f"{desk}/cells.squiggle", *pairs]) == 0
    assert "void" in capsys.readouterr().out


def test_the_values_of_masks_can_be_mapped_to_classes(desk, tmp_path, capsys):
    mask = np.full((60, 80), 255, np.uint8)
    mask[30:] = 0
    PillowImage.fromarray(mask).save(tmp_path / "mask.png")
    pair = [f"{desk}/cells.tif", f"{tmp_path}/mask.png"]
    assert main(["evaluate", f"{desk}/cells.squiggle", *pair]) == 1
    assert "holds the value 255, but the classes are 1, 2" in capsys.readouterr().err
    assert main(["evaluate", f"{desk}/cells.squiggle", *pair, "--map", "255=1,0=2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["mean_iou"] > 0.9


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["info", "{desk}/none.squiggle"], "No such file"),
        (["info", "{desk}/cells.tif"], "classifier file cannot be opened"),
        (["train", "{desk}/cells.tif", "-o", "{tmp}/m"], "Give labels or strokes"),
        (["train", "{desk}/cells.tif", "--labels", "{desk}/cells.tif", "-o", "{tmp}/m"], "has colours"),
        (["train", "{desk}/cells.tif", "--labels", "{desk}/mask.png", "-o", "{tmp}/m", "--trees", "0"], "trees"),
        (["apply", "{desk}/cells.squiggle", "{tmp}", "-o", "{tmp}/out"], "There is no image in the folder"),
        (["apply", "{desk}/cells.squiggle", "{desk}/cells.tif", "-o", "{desk}"], "overwrite the image"),
        (["apply", "{desk}/cells.squiggle", "{tmp}/*.tif", "-o", "{tmp}/out"], "No such file"),
        (["evaluate", "{desk}/cells.squiggle", "{desk}/cells.tif"], "Give a mask for each image"),
        (["export", "{desk}/cells.squiggle", "--onnx", "{tmp}/none/out.onnx"], "No such file"),
        (["apply", "{desk}/cells.squiggle", "{desk}/cells.tif", "-o", "{desk}/cells.tif"], "cannot be used"),
        (
            ["train", "{desk}/cells.tif", "{desk}/cells.tif", "--labels", "{desk}/mask.png", "-o", "{tmp}/m"],
            "Give labels for each image: there are 2 images and 1 label files",
        ),
        (
            ["train", "{desk}/cells.tif", "--labels", "{desk}/mask.png", "-o", "{tmp}/m", "--class", "9=hair"],
            "There is no class 9 to be named",
        ),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(arguments, problem, desk, tmp_path, capsys):
    assert main([argument.format(desk=desk, tmp=tmp_path) for argument in arguments]) == 1
    told = capsys.readouterr().err
    assert problem in told
    assert "Traceback" not in told
    assert len([line for line in told.splitlines() if line.startswith("squiggle: ")]) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["apply"],
        ["nonsense"],
        ["apply", "m", "i", "-o", "d", "--workers", "0"],
        ["train", "i", "--labels", "l", "-o", "m", "--class", "void"],
        ["train", "i", "--labels", "l", "-o", "m", "--map", "black=1"],
    ],
)
def test_what_is_not_understood_ends_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["apply", "train", "info", "evaluate", "export"])
def test_every_command_explains_itself(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert len(capsys.readouterr().out) > 300


@pytest.mark.slow
def test_an_interrupted_run_says_how_to_go_on(desk, tmp_path):
    for number in range(20):
        (tmp_path / f"{number}.tif").symlink_to(desk / "series/day0.tif")
    arguments = ["0.5", "apply", desk / "cells.squiggle", tmp_path, "-o", tmp_path / "out"]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.support.standing_still", *arguments],
        cwd=ROOT, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        while not list(tmp_path.glob("out/*.tif")):
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait()
        told = process.stderr.read()
    assert process.returncode == 130
    assert "The same command continues." in told
    assert "Traceback" not in told


def test_who_has_read_enough_is_not_told_more(desk):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "segmentation", "info", desk / "cells.squiggle"],
        cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    os.close(writing)
    assert "Traceback" not in done.stderr


def test_results_of_one_class_are_told_and_noted(desk, tmp_path, capsys):
    (tmp_path / "dark").mkdir()
    for number in range(3):
        tifffile.imwrite(tmp_path / f"dark/{number}.tif", textured(rows=8) // 2, photometric="rgb")
    one_class = "The result is all one class, void, of 2 that are known."
    arguments = ["apply", f"{desk}/cells.squiggle", f"{tmp_path}/dark", "-o", f"{tmp_path}/out", "--json"]
    for kind in ("segmented", "finished before"):
        assert main(arguments) == 0
        told = capsys.readouterr()
        events = [json.loads(line) for line in told.out.splitlines()][1:-1]
        assert [event["kind"] for event in events] == [kind] * 3
        assert [event["pages"][0]["notes"] for event in events] == [[one_class]] * 3
        assert told.err == f"squiggle: {tmp_path}/dark/0.tif and 2 more images: {one_class}\n"


def test_a_classifier_that_cannot_tell_its_classes_apart_is_told(desk, tmp_path, capsys):
    tifffile.imwrite(tmp_path / "empty.tif", np.full((60, 80), 9, np.uint8))
    arguments = ["--labels", f"{desk}/labels.png", "-o", f"{tmp_path}/model", *SMALL]
    assert main(["train", f"{tmp_path}/empty.tif", *arguments]) == 0
    assert "cannot tell the classes apart" in capsys.readouterr().err
    assert main(["train", f"{desk}/cells.tif", *arguments]) == 0
    assert capsys.readouterr().err == ""


def test_values_on_another_scale_are_told_and_noted(desk, tmp_path, capsys):
    (tmp_path / "series").mkdir()
    pixels = textured().astype(np.uint16)
    for name, factor in {"same": 1, "more": 16, "most": 16}.items():
        tifffile.imwrite(tmp_path / f"series/{name}.tif", pixels * factor, photometric="rgb")
    arguments = [f"{desk}/cells.squiggle", f"{tmp_path}/series", "-o", f"{tmp_path}/out", "--json", "--probabilities"]
    assert main(["apply", *arguments]) == 0
    told = capsys.readouterr()
    events = [json.loads(line) for line in told.out.splitlines()]
    notes = {Path(event["image"]).stem: event["pages"][0]["notes"] for event in events if "pages" in event}
    sentence = notes["more"][0]
    assert sentence.startswith("The classifier learnt from uint8 images with values from 50 to 199; the values of this")
    taken = "This uint16 image is taken as uint8, which the classifier learnt from: the numbers are the same."
    assert notes["same"] == [taken]
    assert f"same.tif: {taken}" in told.err
    assert notes["most"][0] == sentence
    assert told.err.count(sentence) == 1
    assert f"more.tif and 1 more image: {sentence}" in told.err
    expected = seg.load_classifier(desk / "cells.squiggle").predict(textured())
    assert np.array_equal(tifffile.imread(tmp_path / "out/same.tif"), expected)
    pair = [f"{tmp_path}/series/more.tif", f"{desk}/mask.png"]
    assert main(["evaluate", f"{desk}/cells.squiggle", *pair, *pair]) == 0
    assert capsys.readouterr().err.count(sentence) == 1
