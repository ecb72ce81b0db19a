"""How large a pixel is: read, shown with a scale bar, typed, and written into what is taken home."""

import io

import numpy as np
import tifffile
from playwright.sync_api import expect

import segmentation as seg
from segmentation.io.pixel_size import PixelSize
from tests.support.page import draw_two, wait_for_image


def opens(person, path):
    with person.page.expect_file_chooser() as chooser:
        person.click("#open-image")
    chooser.value.set_files([path])
    wait_for_image(person, path.name)


def test_the_size_that_a_file_says_is_shown(person, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (60, 90)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "sized.tif", pixels, resolution=(2e4, 2e4), resolutionunit="CENTIMETER")
    opens(person, tmp_path / "sized.tif")
    expect(person.page.locator("#pixel-size")).to_have_text("0.5 µm a pixel")
    bar = person.page.locator("#scale-bar")
    expect(bar).to_contain_text("µm")
    before = bar.bounding_box()["width"] / float(bar.inner_text().split()[0])
    person.click("#zoom")
    expect(person.page.locator("#zoom")).to_have_text("100 %")
    length, unit = bar.inner_text().split()
    assert unit == "µm"
    assert bar.bounding_box()["width"] / float(length) < before
    assert abs(bar.bounding_box()["width"] / float(length) - 2) < 0.2


def test_a_size_that_is_typed_is_in_what_is_taken_home(person):
    draw_two(person)
    page = person.page
    expect(page.locator("#scale-bar")).to_be_hidden()
    person.click("#pixel-size")
    page.fill("#measure-size", "three")
    page.press("#measure-size", "Enter")
    expect(page.locator("#measure-problem")).to_contain_text("Give the side of a pixel")
    page.fill("#measure-size", "0,25 um")
    page.press("#measure-size", "Enter")
    expect(page.locator("#pixel-size")).to_have_text("0.25 µm a pixel")
    expect(page.locator("#scale-bar")).to_be_visible()
    person.tab("learn")
    expect(page.locator("#sigma-max-length")).to_have_value("4 µm")
    page.fill("#sigma-max-length", "2 um")
    page.press("#sigma-max-length", "Enter")
    expect(page.locator("#sigma-max")).to_have_value("8")
    person.wait_until_saved()
    for name in ("segmentation.tif", "labels.tif", "probabilities.tif"):
        assert seg.read_image(io.BytesIO(person.download(name))).pixel_size == PixelSize(0.25, 0.25), name
    assert "area,unit" in person.download("shares.csv").decode().splitlines()[0]
    person.press("Control+z")
    expect(page.locator("#pixel-size")).to_have_text("Pixel size…")


def test_the_dialog_says_that_the_distance_of_planes_is_taken_and_takes_it(person):
    page = person.page
    person.click("#pixel-size")
    expect(page.locator("#measure label")).to_contain_text("width × height × distance of planes")
    page.fill("#measure-size", "0.3 × um")
    page.press("#measure-size", "Enter")
    expect(page.locator("#measure-problem")).to_contain_text("0.3 × 0.3 × 2 µm with the distance of planes")
    page.fill("#measure-size", "0.3 × 0.3 × 2 µm")
    page.press("#measure-size", "Enter")
    expect(page.locator("#pixel-size")).to_contain_text("0.3 × 0.3 × 2 µm")
