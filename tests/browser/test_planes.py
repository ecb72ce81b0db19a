"""Stacks, as a person meets them: sliders, keys, wheel and play; strokes on planes; all planes segmented."""

import io
import json
import re

import numpy as np
import tifffile
from PIL import Image

import segmentation as seg
from segmentation.strokes.document import strokes_from_json
from tests.support.page import in_hand, names

DARK, BRIGHT = [(10, 20), (25, 35)], [(70, 20), (85, 35)]


def stack(path):
    """Two times of five planes, dark at the left and bright at the right; the last planes differ most."""
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 30, (2, 5, 60, 100)) + 10 * np.arange(5)[:, None, None]
    pixels[..., 50:] += 120
    pixels = pixels.astype(np.uint8)
    tifffile.imwrite(path, pixels, imagej=True, metadata={"axes": "TZYX"})
    return pixels.reshape(10, 60, 100)


def place(person):
    """What the bar says of z and t."""
    return [person.page.inner_text(f"#plane-axes output[data-axis={axis}]") for axis in "zt"]


def wait_for_place(person, z, t):
    person.wait_for(lambda: place(person) == [f"{z} / 5", f"{t} / 2"], f"z {z}, t {t}")
    person.wait_for(lambda: not person.within("({ session }) => session.planes.turning"), "the plane is there")


def marks(person, axis, kind):
    lines = person.page.locator(f".plane-track:has(input[data-axis={axis}]) .plane-marks .{kind}")
    return [float(line.evaluate("line => line.style.getPropertyValue('--at')")) for line in lines.all()]


def segment_all(person):
    with person.page.expect_download() as waiting:
        person.click("#segment-planes")
    return waiting.value


def of_the_library(document, path):
    """What the library learns of the page's strokes, and segments."""
    read = list(seg.read_stack(path))
    drawn = {one.image_hash: one.strokes for one in strokes_from_json(document).drawings}
    learnt = [image for image in read if image.hash in drawn]
    labels = [seg.rasterise(drawn[image.hash], image.shape) for image in learnt]
    settings = document["settings"]
    spec = seg.FeatureSpec.from_json(settings["features"])
    classifier = seg.PixelClassifier(spec, **settings["forest"]).fit(learnt, labels)
    return np.stack([classifier.predict(image) for image in read])


def test_a_stack_is_drawn_on_and_segmented_plane_by_plane(person, tmp_path):
    pixels = stack(tmp_path / "cells.tif")
    person.upload(tmp_path / "cells.tif")
    person.wait_for(lambda: in_hand(person) == "cells.tif", "cells.tif")
    wait_for_place(person, 3, 1)
    assert not person.page.is_visible("#strip")
    assert person.page.locator("#segment-planes").is_disabled()

    person.draw_and_wait(*DARK)
    scale = person.scale()
    person.zoom((50, 30), 3)
    zoomed = person.scale()
    assert zoomed > scale
    person.press("ArrowUp", "ArrowUp", "ArrowUp")
    wait_for_place(person, 5, 1)
    assert person.scale() == zoomed
    person.press("0", "ArrowRight", "2")
    wait_for_place(person, 5, 2)
    person.draw_and_wait(*BRIGHT)
    person.wait_for_segmentation()
    assert (marks(person, "z", "far"), marks(person, "z", "here")) == ([0.5, 1], [1])
    assert person.page.inner_text("#learnt-from") == ("Shares are of this plane. Learnt from 2 planes of “cells.tif”.")

    person.page.hover("#stage")
    person.page.keyboard.down("Alt")
    person.page.mouse.wheel(0, -100)
    wait_for_place(person, 4, 2)
    person.page.keyboard.up("Alt")
    assert person.scale() == scale
    slider = person.page.locator("input[data-axis=z]")
    slider.focus()
    slider.press("Home")
    wait_for_place(person, 1, 2)
    person.wait_for_segmentation()
    values = person.within(
        """async ({ session }) => Array.from(new Float64Array(await (await fetch(
          `${location.pathname}/images/${session.imageHash}/values?rows=0,60&columns=0,100`)).arrayBuffer()))"""
    )
    assert (np.array(values).reshape(60, 100) == pixels[5]).all()

    document = json.loads(person.download("strokes.json"))
    download = segment_all(person)
    assert download.suggested_filename == "cells-segmentation.tif"
    said = "All 10 planes are in your downloads: “cells-segmentation.tif”."
    person.wait_for(lambda: person.page.inner_text("#status") == said, said)
    download.save_as(tmp_path / "all.tif")
    expected = of_the_library(document, tmp_path / "cells.tif")
    assert (tifffile.imread(tmp_path / "all.tif").reshape(expected.shape) == expected).all()
    assert (tifffile.imread(io.BytesIO(person.download("segmentation.tif"))) == expected[5]).all()

    person.page.locator("#stage").click(modifiers=[], position={"x": 5, "y": 5}, trial=True)
    person.press("Escape")
    person.page.click("#play")
    person.wait_for(lambda: place(person)[1] == "1 / 2", "it plays on from the beginning")
    person.page.click("#play")
    assert person.page.get_attribute("#play", "aria-pressed") == "false"


def test_segmenting_all_planes_is_cancelled_and_done_later(person, tmp_path):
    rng = np.random.default_rng(4)
    pixels = rng.integers(0, 30, (60, 240, 320)) + 100 * (np.arange(320) > 160)
    tifffile.imwrite(tmp_path / "deep.tif", pixels.astype(np.uint8), photometric="minisblack")
    person.upload(tmp_path / "deep.tif")
    person.wait_for(lambda: in_hand(person) == "deep.tif", "deep.tif")
    person.draw_and_wait((40, 60), (100, 200))
    person.press("2")
    person.draw_and_wait((200, 60), (300, 200))
    person.wait_for_segmentation()
    came = []
    person.page.on("download", lambda one: came.append(one))
    person.click("#segment-planes")
    told = person.page.locator("#segment-planes")
    person.wait_for(lambda: re.match(r"Cancel \([1-9]\d* of 60\)", told.inner_text()), "the first plane is done")
    person.click("#segment-planes")
    said = "Segmenting the stack was cancelled."
    person.wait_for(lambda: person.page.inner_text("#status") == said, said)
    assert told.inner_text() == "Segment all planes"
    assert not came

    segment_all(person).save_as(tmp_path / "all.tif")
    assert tifffile.imread(tmp_path / "all.tif").shape == pixels.shape
    assert len(came) == 1


def test_images_are_made_a_stack_and_taken_apart_again(person, tmp_path):
    rng = np.random.default_rng(5)
    for number in (1, 2, 10):
        pixels = rng.integers(0, 900, (60, 100)) + 4000 * number
        Image.fromarray(pixels.astype(np.uint16)).save(tmp_path / f"t{number}.png")
    person.upload(sorted(tmp_path.glob("t*.png")))
    person.wait_for(lambda: len(names(person)) == 3, "three thumbnails")
    person.draw_and_wait(*DARK)
    shown = person.colour_at((5, 5))
    person.click("#make-stack")
    assert "3 images, from “t1.png” to “t10.png”" in person.page.inner_text("#question-text")
    person.page.select_option("#question select", "t")
    assert person.page.get_attribute("#question-yes", "class") == ""
    person.click("#question-yes")
    person.wait_until_told("3 images are a stack")
    person.wait_for(lambda: person.page.is_visible("#planes"), "the sliders")
    person.wait_for(lambda: person.colour_at((5, 5)) != shown, "contrast that all planes share")
    assert not person.page.is_visible("#strip")
    assert person.page.locator("#plane-axes output").all_text_contents() == ["1 / 3"]
    person.press("ArrowRight", "ArrowRight")
    person.wait_for(lambda: in_hand(person) == "t10.png", "the last one")
    person.press("Control+z")
    person.wait_for(lambda: len(names(person)) == 3, "three thumbnails again")
    person.click(".thumb-choose")
    person.wait_for(lambda: person.colour_at((5, 5)) == shown, "contrast of its own again")
    assert not person.page.is_visible("#planes")
