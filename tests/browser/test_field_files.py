"""The files of the field, in the page: seen with their names, sizes and planes, drawn on with a mouse, taken home."""

import io
import json

import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect

import segmentation as seg
from tests.support.field_files import CHANNELS, FIELD_FILES, ROWS
from tests.support.page import wait_for_image

CALLED = {2: ["channel 1", "channel 2"], 4: list(CHANNELS), 13: [f"B{number}" for number in range(1, 14)]}
SIZES = {"µm": "µm a pixel", "m": "10 m a pixel"}


@pytest.mark.parametrize("of", FIELD_FILES, ids=lambda of: of.name)
def test_it_is_looked_at_drawn_on_and_taken_home(of, person, tmp_path):
    page, path = person.page, tmp_path / of.name
    of.write(path)
    images = list(seg.read_stack(path))
    person.upload(path)
    wait_for_image(person, of.name)
    expect(page.locator("#pixel-size")).to_contain_text(SIZES[of.size.unit])
    expect(page.locator("#scale-bar")).to_be_visible()
    assert page.is_visible("#planes") == (of.images > 1)
    if of.channels > 1:
        person.tab("look")
        expect(page.locator("#look-channels button")).to_have_text(CALLED[of.channels])

    person.draw_and_wait((10, 20), (25, 45))
    person.press("2")
    person.draw_and_wait((60, 20), (75, 45))
    person.wait_for_segmentation()
    ((x, y),) = person.on_screen([(70, ROWS - 4)])
    page.mouse.move(x, y)
    expect(page.locator("#position")).to_contain_text(f"x 70, y {ROWS - 4}: Class 2")
    if of.images > 1:
        person.press("ArrowUp")
        person.wait_for_segmentation()

    place = person.within("({ session }) => (session.state.image.page ?? 1) - 1")
    document = json.loads(person.download("strokes.json"))
    learnt = next(one for one in images if one.hash == document["image"]["hash"])
    settings = document["settings"]
    spec = seg.FeatureSpec.from_json(settings["features"])
    labels = seg.rasterise(document["strokes"], learnt.shape)
    classifier = seg.PixelClassifier(spec, **settings["forest"]).fit(learnt, labels)
    content = person.download("segmentation.tif")
    np.testing.assert_array_equal(tifffile.imread(io.BytesIO(content)), classifier.predict(images[place]))
    assert seg.read_image(io.BytesIO(content)).pixel_size == of.size
