"""Images and their labels or masks, page by page, with values that stand for classes."""

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as PillowImage

import segmentation as seg
from segmentation.__main__ import main
from segmentation.model.modelfile import load_model
from segmentation.strokes.document import Drawing, drawings_to_json
from tests.support.imagefiles import tiff_with_broken_page

SMALL = ["--trees", "5", "--sigma-max", "2"]
CLASSES = (seg.LabelClass(1, "void", "#112233"), seg.LabelClass(2, "grain", "#445566"))


def textured(seed=0):
    random = np.random.default_rng(seed)
    pixels = random.integers(100, 200, (40, 50)).astype(np.uint8)
    pixels[:20] //= 2
    return pixels


LABELS = np.zeros((40, 50), np.uint8)
LABELS[5:10, 10:40], LABELS[30:35, 10:40] = 1, 2


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """The working directory with a stack of three images, labels of the first and the last, and masks of all."""
    monkeypatch.chdir(tmp_path)
    stack = np.stack([textured(seed) for seed in range(3)])
    labels = np.stack([LABELS, np.zeros_like(LABELS), LABELS[:, ::-1]])
    masks = np.repeat(np.repeat([1, 2], 20).astype(np.uint8)[:, None], 50, axis=1)
    tifffile.imwrite("stack.tif", stack, photometric="minisblack")
    tifffile.imwrite("labels.tif", labels, photometric="minisblack")
    tifffile.imwrite("masks.tif", np.stack([masks] * 3), photometric="minisblack")
    tifffile.imwrite("one.tif", stack[0], photometric="minisblack")
    tifffile.imwrite("one_labels.tif", LABELS, photometric="minisblack")
    return stack, labels


def test_a_stack_is_learnt_from_page_by_page(desk):
    stack, labels = desk
    assert main(["train", "stack.tif", "--labels", "labels.tif", "-o", "typed", *SMALL]) == 0
    pages = list(seg.read_stack("stack.tif"))[::2]
    expected = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit(pages, [labels[0], labels[2]])
    expected.save("python")
    with open("typed", "rb") as typed, open("python", "rb") as python:
        assert typed.read() == python.read()
    assert [image["hash"] for image in load_model("typed").training["images"]] == [
        seg.image_from_pixels(stack[page]).hash for page in (0, 2)
    ]


def test_strokes_find_their_image_in_a_stack(desk):
    stack, _ = desk
    images = [seg.image_from_pixels(page) for page in stack]
    strokes = (
        seg.Stroke("a", 1, "path", np.array([[10.0, 7.0], [40.0, 9.0]]), 4.0),
        seg.Stroke("b", 2, "path", np.array([[10.0, 30.0], [40.0, 32.0]]), 4.0),
    )
    drawings = [Drawing(images[page].hash, images[page].shape, strokes, "", 1) for page in (2, 1)]
    settings = {
        "features": seg.FeatureSpec(sigma_max=2).to_json(),
        "forest": seg.ForestSettings(n_estimators=5).to_json(),
    }
    with open("strokes.json", "w") as file:
        json.dump(drawings_to_json(drawings, CLASSES, settings), file)
    assert main(["train", "stack.tif", "--strokes", "strokes.json", "-o", "typed"]) == 0
    assert [image["hash"] for image in load_model("typed").training["images"]] == [images[2].hash, images[1].hash]


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        ("stack.tif", "one_labels.tif", "stack.tif holds 3 images, but one_labels.tif holds 1"),
        ("one.tif", "labels.tif", "one.tif holds 1 image, but labels.tif holds 3"),
    ],
)
def test_stacks_of_other_lengths_are_refused(images, labels, words, desk, capsys):
    assert main(["train", images, "--labels", labels, "-o", "model", *SMALL]) == 1
    assert words in capsys.readouterr().err
    assert main(["train", "stack.tif", "--labels", "labels.tif", "-o", "model", *SMALL]) == 0
    assert main(["evaluate", "model", images, labels]) == 1
    assert words in capsys.readouterr().err


def test_a_stack_is_evaluated_page_by_page(desk, capsys):
    assert main(["train", "stack.tif", "--labels", "labels.tif", "-o", "model", *SMALL]) == 0
    assert main(["evaluate", "model", "stack.tif", "masks.tif", "--json"]) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["pixels"] == 3 * 40 * 50
    assert scores["mean_iou"] > 0.9


def test_strokes_are_held_out_of_a_stack(desk, capsys):
    images = [seg.image_from_pixels(page) for page in desk[0]]
    rows = ((1, 7.0), (2, 30.0), (1, 14.0), (2, 36.0))
    strokes = [seg.Stroke(f"s{n}", one, "path", np.array([[10, y], [40, y]]), 4.0) for n, (one, y) in enumerate(rows)]
    drawn = {page: tuple(strokes[n : n + 2]) for n, page in ((0, 2), (2, 1))}
    drawings = [Drawing(images[page].hash, images[page].shape, some, "", 1) for page, some in drawn.items()]
    settings = {
        "features": seg.FeatureSpec(sigma_max=2).to_json(),
        "forest": seg.ForestSettings(n_estimators=5).to_json(),
    }
    Path("strokes.json").write_text(json.dumps(drawings_to_json(drawings, CLASSES, settings)))
    assert main(["train", "stack.tif", "--strokes", "strokes.json", "-o", "model"]) == 0
    assert main(["evaluate", "model", "stack.tif", "--strokes", "strokes.json", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    found = seg.cross_validate([images[page] for page in drawn], list(drawn.values()), seg.load_classifier("model"))
    expected = found.to_json()
    for one in (*told["classes"], *expected["classes"]):
        one.pop("name", None)
    assert {key: told[key] for key in expected} == expected
    assert len(told["classes"]) == 2
    assert [(one["image"], one["page"]) for one in told["shares"]] == [("stack.tif", 3), ("stack.tif", 2)]
    stack, drawn_on = list(seg.read_stack("stack.tif")), [images[page] for page in drawn]
    for one in told["shares"]:
        image = stack[one["page"] - 1]
        known = seg.share_intervals(image, seg.load_classifier("model"), drawn_on, list(drawn.values()))
        assert [(c["id"], c["share"], c["low"], c["high"]) for c in one["classes"]] == [
            (c.id, c.share, c.low, c.high) for c in known
        ]
        assert all(0 <= c["low"] <= c["share"] <= c["high"] <= 1 for c in one["classes"])
    assert main(["evaluate", "model", "stack.tif", "--strokes", "strokes.json"]) == 0
    text = capsys.readouterr().out
    assert "stack.tif, plane z 3: shares, with a confidence of about 95 %" in text
    first = told["shares"][0]["classes"][0]
    assert f"{first['name']}  {first['share']:.2%} ({first['low']:.2%} to {first['high']:.2%})" in text


def test_zarr_arrays_have_no_strokes_labels_or_masks(desk, capsys):
    zarr = pytest.importorskip("zarr")
    zarr.save_array("slide.zarr", desk[0])
    assert main(["train", "stack.tif", "--labels", "labels.tif", "-o", "model", *SMALL]) == 0
    image = seg.image_from_pixels(desk[0][0])
    drawing = Drawing(image.hash, image.shape, (seg.Stroke("a", 1, "path", [[10, 7], [40, 7]], 4.0),), "", 1)
    Path("strokes.json").write_text(json.dumps(drawings_to_json([drawing], CLASSES, {})))
    for typed in (
        ["evaluate", "model", "slide.zarr", "--strokes", "strokes.json"],
        ["evaluate", "model", "slide.zarr", "masks.tif"],
        ["evaluate", "model", "stack.tif", "slide.zarr"],
        ["train", "slide.zarr", "--labels", "labels.tif", "-o", "other"],
        ["train", "slide.zarr", "--strokes", "strokes.json", "-o", "other"],
    ):
        assert main(typed) == 1
        assert "slide.zarr is a Zarr array: strokes, labels and masks belong to image files" in capsys.readouterr().err


def test_an_image_of_a_stack_that_cannot_be_read_is_named(desk, capsys):
    Path("bad.tif").write_bytes(tiff_with_broken_page(desk[0][:2], 1))
    tifffile.imwrite("two.tif", desk[1][:2], photometric="minisblack")
    assert main(["train", "bad.tif", "--labels", "two.tif", "-o", "model", *SMALL]) == 1
    assert "bad.tif: Image 2 of the 2 in the file cannot be used." in capsys.readouterr().err


def test_labels_that_lie_where_there_is_no_data_are_named(desk, capsys):
    tifffile.imwrite("gaps.tif", np.stack([desk[0][0], desk[0][0] * np.nan]), photometric="minisblack")
    tifffile.imwrite("two.tif", desk[1][[0, 2]], photometric="minisblack")
    assert main(["train", "gaps.tif", "--labels", "two.tif", "-o", "model", *SMALL]) == 1
    message = "gaps.tif, plane z 2: all that is labelled lies where the image holds no data."
    assert message in capsys.readouterr().err


def test_the_values_of_labels_can_be_mapped(desk):
    PillowImage.fromarray(np.array([7, 0, 255], np.uint8)[LABELS]).save("labels.png")
    assert main(["train", "one.tif", "--labels", "labels.png", "--map", "7=0,0=1,255=2", "-o", "mapped", *SMALL]) == 0
    assert main(["train", "one.tif", "--labels", "one_labels.tif", "-o", "plain", *SMALL]) == 0
    with open("mapped", "rb") as mapped, open("plain", "rb") as plain:
        assert mapped.read() == plain.read()


def test_black_and_white_is_asked_about(desk, capsys):
    PillowImage.fromarray(((LABELS == 2) * 255).astype(np.uint8)).save("labels.png")
    assert main(["train", "one.tif", "--labels", "labels.png", "-o", "model", *SMALL]) == 1
    assert "labels.png holds nothing but 0 and 255: say which classes they stand for" in capsys.readouterr().err
    assert main(["train", "one.tif", "--labels", "labels.png", "--map", "0=1,255=2", "-o", "model", *SMALL]) == 0
    assert load_model("model").class_ids == (1, 2)
    assert main(["evaluate", "model", "one.tif", "labels.png"]) == 1
    assert "say what the values stand for, such as --map 0=2,255=1" in capsys.readouterr().err


def test_jpeg_is_refused_as_labels(desk, capsys):
    PillowImage.fromarray(LABELS * 100).save("labels.jpg")
    assert main(["train", "one.tif", "--labels", "labels.jpg", "-o", "model", *SMALL]) == 1
    assert "JPEG changes the values of pixels" in capsys.readouterr().err


def test_only_labelled_images_stay_in_memory(desk, monkeypatch):
    """Of a long stack only what is learnt from is kept."""
    from pathlib import Path

    from segmentation.cli.labelled import read_training_data

    tifffile.imwrite("long.tif", np.zeros((50, 40, 50), np.uint8), photometric="minisblack")
    labels = np.zeros((50, 40, 50), np.uint8)
    labels[30] = LABELS
    tifffile.imwrite("long_labels.tif", labels, photometric="minisblack")
    data = read_training_data([Path("long.tif")], [Path("long_labels.tif")], None, {})
    assert [image.metadata["page"] for image in data.images] == [31]


def test_the_eraser_takes_labels_away_and_travels_along(desk):
    stack, _ = desk
    one = seg.image_from_pixels(stack[0])
    erased, other = (seg.image_from_pixels(page) for page in stack[1:])
    drawn = (
        seg.Stroke("a", 1, "path", np.array([[10.0, 7.0], [40.0, 9.0]]), 4.0),
        seg.Stroke("b", 2, "path", np.array([[10.0, 30.0], [40.0, 32.0]]), 4.0),
    )
    eraser = seg.Stroke("c", 0, "rectangle", np.array([[0.0, 0.0], [25.0, 39.0]]))
    everything = seg.Stroke("d", 0, "rectangle", np.array([[0.0, 0.0], [49.0, 39.0]]))
    drawings = [
        Drawing(one.hash, one.shape, (*drawn, eraser), "", 1),
        Drawing(erased.hash, erased.shape, (*drawn, everything), "", 1),
        Drawing(other.hash, other.shape, (), "", 1),
    ]
    with open("strokes.json", "w") as file:
        json.dump(drawings_to_json(drawings, CLASSES), file)
    assert main(["train", "stack.tif", "--strokes", "strokes.json", "--with-strokes", "-o", "typed", *SMALL]) == 0
    labels = seg.rasterise((*drawn, eraser), one.shape)
    assert not labels[:, :26].any()
    contents = load_model("typed")
    assert contents.strokes_by_image() == {one.hash: (*drawn, eraser)}
    classifier = seg.PixelClassifier(seg.FeatureSpec(sigma_max=2), n_estimators=5).fit(one, labels)
    assert (classifier.predict(one) == seg.load_classifier("typed").predict(one)).all()
    with open("strokes.json", "w") as file:
        json.dump(drawings_to_json(drawings[:1], CLASSES), file)
    painted = np.where(labels > 0, labels, np.where(np.arange(50) < 26, 0, LABELS))
    typed = ["train", "one.tif", "--labels", "one_labels.tif", "--strokes", "strokes.json", "-o", "both", *SMALL]
    assert main(typed) == 0
    classifier.fit(one, painted)
    assert (classifier.predict(one) == seg.load_classifier("both").predict(one)).all()
