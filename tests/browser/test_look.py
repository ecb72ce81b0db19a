"""How an image is shown: channels, colours, contrast; and what is under the pointer."""

import io
import re

import numpy as np
import tifffile
from playwright.sync_api import expect

import segmentation as seg
from tests.support.page import wait_for_image

SHAPE = 120, 160


def four_channels(path):
    """Four stripes, in each of which one channel is bright."""
    planes = np.full((4, *SHAPE), 100, np.uint16)
    for channel in range(4):
        planes[channel, :, 40 * channel : 40 * channel + 40] = 3000 + channel
    names = {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP", "RFP", "Cy5"]}}
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(planes, photometric="minisblack", metadata=names)
    return path


def opens(person, path):
    person.upload([path])
    wait_for_image(person, path.name)
    expect(person.page.locator("#look-channels button").first).to_be_attached()


def is_shown(person, column, colour):
    """Whether that column of the image is seen in about that colour."""
    found = person.colour_at((column, 60))
    return np.abs(np.subtract(found, colour)).max() < 12


def shows(person, *colours):
    """Wait until the four stripes have these colours."""
    person.page.mouse.move(5, 5)
    for stripe, colour in enumerate(colours):
        person.wait_for(lambda at=20 + 40 * stripe, c=colour: is_shown(person, at, c), f"stripe {stripe}: {colour}")


def test_channels_have_names_and_can_be_shown_in_any_colour(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    page = person.page
    person.tab("look")
    assert page.locator("#look-channels button").all_inner_texts() == ["DAPI", "GFP", "RFP", "Cy5"]
    red, green, blue, black, white = (255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 0), (255, 255, 255)
    shows(person, red, green, blue, black)
    page.get_by_label("Show Cy5").check()
    page.get_by_label("Show GFP").uncheck()
    page.get_by_label("Colour of Cy5").fill("#ffffff")
    shows(person, red, black, blue, white)
    person.click('[data-preset="magenta"]')
    shows(person, (255, 0, 255), green, black, black)
    page.reload()
    person.wait_until_ready()
    wait_for_image(person, "four.ome.tif")
    shows(person, (255, 0, 255), green, black, black)
    person.tab("look")
    person.click('[data-preset="usual"]')
    shows(person, red, green, blue, black)


def test_the_handles_of_the_histogram_set_the_contrast(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    person.tab("look")
    page = person.page
    expect(page.locator("#look-histogram .bars path").first).to_be_attached()
    handle = page.get_by_label("Shown white")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    assert 1300 < float(page.get_by_label("Largest value").input_value()) < 1800
    page.get_by_label("Largest value").fill("5900")
    page.get_by_label("Largest value").press("Enter")
    shows(person, (127, 0, 0), (0, 255, 0))
    page.get_by_role("button", name="Auto").click()
    shows(person, (255, 0, 0), (0, 255, 0))


def test_gamma_is_dragged_along_the_panel_and_told(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    person.tab("look")
    slider = person.page.get_by_label("Gamma")
    slider.scroll_into_view_if_needed()
    box, told = slider.bounding_box(), person.page.locator("#look-gamma-row output")
    assert box["width"] > person.page.locator("#look-histogram").bounding_box()["width"] / 2
    expect(told).to_have_text("1.00")
    person.page.mouse.click(box["x"] + box["width"] - 8, box["y"] + box["height"] / 2)
    expect(told).to_have_text("10.00")
    person.click('[data-preset="usual"]')
    expect(told).to_have_text("1.00")


def test_presets_of_several_channels_are_not_offered_for_one(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    person.tab("look")
    offered = person.page.locator("#look-presets button:visible")
    expect(offered).to_have_text(["Reset", "Grey", "RGB", "Magenta–green"])
    tifffile.imwrite(tmp_path / "grey.tif", np.arange(np.prod(SHAPE), dtype=np.uint16).reshape(SHAPE))
    opens(person, tmp_path / "grey.tif")
    expect(offered).to_have_text(["Reset"])


def test_all_that_is_under_the_pointer_is_readable_in_a_small_window(person, tmp_path):
    person.page.set_viewport_size({"width": 1024, "height": 768})
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    person.click("#pixel-size")
    person.page.fill("#measure-size", "0.325 um")
    person.page.press("#measure-size", "Enter")
    person.draw_and_wait((20, 20), (20, 100))
    person.press("2")
    person.draw_and_wait((140, 20), (140, 100))
    person.wait_for_segmentation()
    before = person.page.locator("#stage").bounding_box()
    ((x, y),) = person.on_screen([(100, 60)])
    person.page.mouse.move(x, y)
    place = person.page.locator("#position")
    expect(place).to_have_text(re.compile(r"^x 100, y 60: Class \d \d+ % · 32.5, 19.5 µm · values 100 100 3002 100$"))
    assert place.evaluate("(one) => one.scrollWidth <= one.clientWidth")
    assert person.page.locator("#stage").bounding_box() == before


def test_the_values_under_the_pointer_are_told(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    person.tab("look")
    ((x, y),) = person.on_screen([(50, 60)])
    person.page.mouse.move(x, y)
    expect(person.page.locator("#position")).to_contain_text("x 50, y 60 · values 100 3001 100 100")
    expect(person.page.locator("#look-channels .look-channel > span")).to_have_text(["100", "3001", "100", "100"])
    person.page.mouse.move(5, 5)
    expect(person.page.locator("#look-channels .look-channel > span").nth(1)).to_have_text("")
    person.draw_and_wait((20, 20), (20, 100))
    person.press("2")
    person.draw_and_wait((140, 20), (140, 100))
    person.wait_for_segmentation()
    ((x, y),) = person.on_screen([(20, 60)])
    person.page.mouse.move(x, y)
    expect(person.page.locator("#position")).to_have_text(
        re.compile(r"^x 20, y 60: Class 1 \d+ % · values 3000 100 100 100$")
    )


def test_a_map_of_the_whole_leads_to_any_part_of_it(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    page = person.page
    expect(page.locator("#overview")).to_be_hidden()
    person.zoom((80, 60), 10)
    expect(page.locator("#overview")).to_be_visible()
    box = page.locator("#overview").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 8, box["y"] + box["height"] / 2)
    person.wait_until_view_rests()
    middle = page.locator("#stage").bounding_box()
    place = person.on_screen([(20, 60)])[0]
    offsets = (place[0] - middle["x"] - middle["width"] / 2, place[1] - middle["y"] - middle["height"] / 2)
    assert np.abs(offsets).max() < 2 * person.scale()
    assert person.strokes() == []
    person.press("0")
    expect(page.locator("#overview")).to_be_hidden()


def test_pixels_without_data_are_seen_through_and_told(person, tmp_path):
    pixels = np.random.default_rng(0).random(SHAPE).astype(np.float32)
    pixels[:, 80:] = np.nan
    tifffile.imwrite(tmp_path / "gaps.tif", pixels)
    opens(person, tmp_path / "gaps.tif")
    ((x, y),) = person.on_screen([(120, 60)])
    person.page.mouse.move(x, y)
    expect(person.page.locator("#position")).to_contain_text("no data")
    person.page.mouse.move(5, 5)
    ground = person.page.evaluate("getComputedStyle(document.getElementById('stage')).backgroundColor")
    colour = tuple(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(","))
    person.wait_for(lambda: is_shown(person, 120, colour), "the ground is seen through")


def test_channels_can_be_left_out_of_learning(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    person.draw_and_wait((20, 20), (20, 100))
    person.press("2")
    person.draw_and_wait((140, 20), (140, 100))
    person.wait_for_segmentation()
    person.tab("learn")
    for name in ("GFP", "RFP"):
        person.page.locator("#learn-channels-boxes").get_by_label(name).uncheck()
        person.wait_for_segmentation()
    person.page.get_by_text("Kinds of each channel").click()
    person.page.get_by_label("Look at texture in DAPI").uncheck()
    person.wait_for_segmentation()
    person.page.locator("#sigma-max").fill("8")  # other settings leave the table alone
    person.page.locator("#sigma-max").press("Enter")
    person.wait_for(lambda: person.within("({ session }) => session.state.features.sigma_max") == 8, "sigma")
    person.wait_for_segmentation()
    person.wait_until_saved()
    contents = seg.load_model(io.BytesIO(person.download("classifier.squiggle")))
    assert contents.spec.channels == (0, 3)
    assert contents.spec.by_channel == ((0, ("intensity", "edges", "differences", "colour")),)
    image = seg.read_image(tmp_path / "four.ome.tif")
    found = seg.read_image(io.BytesIO(person.download("segmentation.tif"))).pixels
    np.testing.assert_array_equal(found, seg.PixelClassifier.from_contents(contents).predict(image))


def test_the_bare_image_is_seen_while_x_is_down(person, tmp_path):
    opens(person, four_channels(tmp_path / "four.ome.tif"))
    shows(person, (255, 0, 0))
    person.draw_and_wait((20, 20), (20, 100))
    person.page.mouse.move(5, 5)
    person.wait_for(lambda: not is_shown(person, 20, (255, 0, 0)), "the stroke")
    person.page.keyboard.down("x")
    shows(person, (255, 0, 0))
    person.page.keyboard.up("x")
    person.wait_for(lambda: not is_shown(person, 20, (255, 0, 0)), "the stroke again")
