"""The main job, as a person does it: draw, look, correct, take home.

At a desktop and on a phone; with one server, with two of which either may answer, and behind nginx.
"""

import io
import json

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

import segmentation as seg
from segmentation.io.display import display_pixels
from segmentation.strokes.classes import DEFAULT_COLOURS, parse_colour
from segmentation.web.application import SAMPLE
from tests.support.page import THIRD, draw_two, what_the_library_says
from tests.support.person import SIZES

OPACITY = 0.5
RIM_REACH = 3
"""How far from a stroke its light and dark rim goes, in pixels of the screen."""
COLOUR_TOLERANCE = 3


PLACES = [*((size, "server") for size in SIZES), ("desktop", "two_servers"), ("desktop", "behind_nginx")]


@pytest.fixture(params=PLACES, ids=" at ".join)
def person(request, people):
    size, where = request.param
    return people(request.getfixturevalue(where).url, size)


def expected_colours(labels, segmentation):
    """What each image pixel looks like: the image, the segmentation half through it, strokes on top."""
    palette = np.zeros((256, 3))
    for class_id in (1, 2):
        palette[class_id] = parse_colour(DEFAULT_COLOURS[class_id - 1])
    shown = display_pixels(SAMPLE.image).astype(float)
    blend = (1 - OPACITY) * shown + OPACITY * palette[segmentation]
    return np.where(labels[..., None] > 0, palette[labels], blend)


def assert_the_screen_shows(person, labels, segmentation):
    """Each visible pixel has its colour; borders of strokes may be smoothed, and around them lie their rims."""
    rim = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        changes = np.diff(labels.astype(int), axis=axis) != 0
        first, second = (slice(None, -1), slice(1, None))
        rim[(first,) if axis == 0 else (slice(None), first)] |= changes
        rim[(second,) if axis == 0 else (slice(None), second)] |= changes
    rim |= (labels == 0) & (ndimage.distance_transform_edt(labels == 0) <= RIM_REACH / person.scale() + 1)
    rows, columns = np.nonzero(~rim)
    colours, seen = person.look_at(rows, columns)
    assert seen.sum() > 1000
    expected = expected_colours(labels, segmentation)[rows, columns]
    right = np.abs(colours - expected).max(axis=1) <= COLOUR_TOLERANCE
    assert right[seen].mean() > 0.998


def test_two_squiggles_segment_the_image_as_the_library_does(person):
    assert person.class_names() == list(SAMPLE.classes)
    draw_two(person)
    labels, segmentation = what_the_library_says(person)
    assert set(np.unique(labels)) == {0, 1, 2}
    if person.scale() < 1:
        person.zoom((256, 100), 6)
    assert person.scale() >= 1
    assert_the_screen_shows(person, labels, segmentation)
    shares = [100 * np.mean(segmentation == class_id) for class_id in (1, 2)]
    person.tab("classes")
    assert person.shares() == pytest.approx(shares, abs=0.006)


def test_a_third_stroke_undo_and_redo(person):
    draw_two(person)
    before = person.shares()
    person.draw_and_wait(*THIRD)
    person.wait_for_segmentation()
    after = person.shares()
    assert person.stroke_counts() == [1, 2]
    assert after != before
    person.press("Control+z")
    assert person.stroke_counts() == [1, 1]
    person.wait_for(lambda: person.shares() == before, "the shares before")
    person.press("Control+Shift+Z")
    assert person.stroke_counts() == [1, 2]
    person.wait_for(lambda: person.shares() == after, "the shares after")


@pytest.mark.parametrize("clicks", [-3, 0, 8, 14])
def test_the_width_that_is_seen_is_the_width_that_is_labelled(person, clicks):
    person.zoom((256, 256), clicks)
    before = person.brush_width()
    person.press("]", "]", "]", "]")
    width = person.brush_width()
    assert width >= before + 4
    middle, reach = (256, 256), 20 / person.scale()
    person.draw_and_wait((middle[0] - reach, middle[1]), (middle[0] + reach, middle[1]))
    person.wait_until_saved()
    person.page.mouse.move(*person.on_screen([(middle[0], middle[1] + 60 / person.scale())])[0])
    document = json.loads(person.download("strokes.json"))
    assert document["strokes"][0]["width"] == width
    labels = seg.rasterise(document["strokes"], SAMPLE.image.shape)
    column = labels[:, middle[0]]
    assert column.sum() in (width, width + 1)

    picture = person.screenshot().astype(int)
    x, _ = person.on_screen([middle])[0]
    colour = np.array(parse_colour(DEFAULT_COLOURS[0]))
    line = np.abs(picture[:, int(x)] - colour).max(axis=1) < 40
    box = person.page.locator("#stage").bounding_box()
    inside = slice(int(box["y"]), int(box["y"] + box["height"]))
    assert line[inside].sum() == pytest.approx(width * person.scale(), abs=max(2, 0.2 * person.scale()))


def test_a_class_is_renamed_recoloured_hidden_added_and_removed(person):
    draw_two(person)
    name = person.page.locator(".class-name").first
    name.fill("Pore")
    name.press("Enter")
    person.wait_until_saved()
    person.page.reload()
    person.wait_until_ready()
    assert person.class_names()[0] == "Pore"

    person.page.locator(".swatch").first.fill("#cc79a7")
    person.wait_until_saved()
    person.wait_for_segmentation()
    picture = Image.open(io.BytesIO(person.download("segmentation.png")))
    assert picture.getpalette()[3:6] == [0xCC, 0x79, 0xA7]

    person.tab("classes")
    person.click("#add-class")
    assert len(person.class_names()) == 3
    person.page.keyboard.type("Rim")
    person.press("Enter")
    assert person.class_names()[2] == "Rim"

    person.page.locator(".remove").nth(1).click()
    assert "stroke goes along" in person.page.inner_text("#question")
    person.click("#question-yes")
    assert person.class_names() == ["Pore", "Rim"]
    person.press("Control+z")
    assert person.class_names() == ["Pore", "Other tissue", "Rim"]
    assert person.stroke_counts() == [1, 1, 0]


def test_an_image_of_ones_own_is_opened_and_every_file_taken_home(person, tmp_path):
    rng = np.random.default_rng(0)
    pixels = rng.integers(1000, 1400, (120, 160)).astype(np.uint16)
    pixels[:, 80:] += 2000
    tifffile.imwrite(tmp_path / "halves.tif", pixels)
    person.upload(tmp_path / "halves.tif")
    person.wait_for(lambda: person.page.inner_text("#image-name") == "halves.tif", "the image")
    person.wait_until_view_rests()
    person.draw_and_wait((20, 60), (40, 80))
    person.press("2")
    person.draw_and_wait((120, 60), (140, 80))
    person.wait_for_segmentation()

    document = json.loads(person.download("strokes.json"))
    labels = seg.rasterise(document["strokes"], pixels.shape)
    assert (tifffile.imread(io.BytesIO(person.download("labels.tif"))) == labels).all()

    (tmp_path / "halves.squiggle").write_bytes(person.download("classifier.squiggle"))
    classifier = seg.load_classifier(tmp_path / "halves.squiggle")
    segmentation = classifier.predict(pixels)
    assert (segmentation[:, :70] == 1).mean() > 0.99
    assert (segmentation[:, 90:] == 2).mean() > 0.99
    assert (tifffile.imread(io.BytesIO(person.download("segmentation.tif"))) == segmentation).all()

    picture = Image.open(io.BytesIO(person.download("segmentation.png")))
    assert picture.mode == "P"
    assert (np.asarray(picture) == segmentation).all()

    overlay = np.asarray(Image.open(io.BytesIO(person.download("overlay.png"))))
    assert overlay.shape == (120, 160, 3)

    probabilities = tifffile.imread(io.BytesIO(person.download("probabilities.tif")))
    assert probabilities.dtype == np.float32
    assert (probabilities == np.moveaxis(classifier.predict_proba(pixels), -1, 0)).all()

    lines = person.download("shares.csv").decode("utf-8-sig").splitlines()
    assert int(lines[1].split(",")[2]) == (segmentation == 1).sum()


def test_a_reload_brings_everything_back(person):
    draw_two(person)
    person.tab("learn")
    person.page.fill("#forest-seed", "7")
    person.press("Tab")
    person.tab("learn")
    person.page.fill("#sigma-max", "4")
    person.press("Tab")
    chosen = "({ session: { state } }) => [state.forest.random_state, state.features.sigma_max]"
    person.wait_for(lambda: person.within(chosen) == [7, 4], "the settings")
    person.wait_for_segmentation()
    person.tab("classes")
    shares = person.shares()
    link = person.page.url
    person.page.reload()
    person.wait_until_ready()
    person.wait_for_segmentation()
    person.tab("classes")
    assert person.page.url == link
    assert person.shares() == shares
    assert person.stroke_counts() == [1, 1]
    assert person.page.input_value("#sigma-max") == "4"
    assert person.page.input_value("#forest-seed") == "7"
