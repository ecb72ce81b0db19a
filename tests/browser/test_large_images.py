"""Images that are read part by part, in the page: opened, drawn on with a mouse, and still there after a reload."""

import json
import re
import threading

import numpy as np
import pytest
import tifffile
from playwright.sync_api import expect

import segmentation as seg
from tests.support.images import textured
from tests.support.page import wait_for_image
from tests.support.pyramids import write_pyramid, zipped
from tests.support.server import Server

SHAPE = 1050, 1000


@pytest.fixture(scope="module")
def pixels():
    return textured(*SHAPE)


@pytest.fixture(scope="module")
def small_server(tmp_path_factory):
    """A server that reads images of one megapixel whole."""
    server = Server(tmp_path_factory.mktemp("data"), SQUIGGLE_MAX_MEGAPIXELS="1")
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


def written(kind, pixels, folder):
    if kind == "cells.ozx":
        (folder / kind).write_bytes(zipped(write_pyramid(folder / "cells.zarr", pixels, chunks=256)))
    else:
        tifffile.imwrite(folder / kind, pixels, tile=(256, 256), metadata=None)
    return folder / kind


@pytest.fixture
def held():
    """What lets the server say that images are prepared, which is 40 % until then."""
    return threading.Event()


def opened(person, path, held):
    """Open an image; one without coarse levels is prepared, is given up once, survives a reload meanwhile, and is
    waited for while the server is busy."""
    page, row = person.page, person.page.locator("#preparing")
    if path.suffix == ".ozx":
        person.upload(path)
        expect(row).to_be_hidden()
        return

    def answer(route):
        response = route.fetch()
        told = response.json()
        if not held.is_set():
            told["images"] = [one | {"done": False, "part": 0.4, "waits": True} for one in told["images"]]
        route.fulfill(response=response, json=told)

    def be_busy(route):
        asked.append(route.request.method)
        if asked == ["DELETE", "GET"]:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"error": "Others are read: try again."})
        else:
            route.continue_()

    asked = []
    page.route("**/preparing", answer)
    page.route("**/preparing/*", be_busy)
    person.upload(path)
    expect(row).to_contain_text("Preparing “cells.tif” for view: 40 %, tried again in a minute")
    row.get_by_role("button", name="Cancel").click()
    expect(row).to_be_hidden()
    expect(page.locator("#status")).to_have_text("Cancelled: “cells.tif” is not opened.")
    person.upload(path)
    expect(page.locator("#status")).to_contain_text("prepared for view first")
    page.reload()
    person.wait_until_ready()
    expect(row.get_by_role("progressbar")).to_have_js_property("value", 0.4)
    held.set()
    expect(row).to_be_hidden()
    assert asked == ["DELETE", "GET", "GET"]
    assert ["503" in str(one) for one in person.errors] == [True]
    person.errors.clear()


@pytest.mark.parametrize("kind", ["cells.ozx", "cells.tif"])
def test_what_is_on_screen_is_segmented_as_the_library_does(kind, people, small_server, pixels, tmp_path, held):
    person = people(small_server.url)
    page = person.page
    opened(person, written(kind, pixels, tmp_path), held)
    wait_for_image(person, kind)
    person.within("({ session }) => session.viewport.goTo(500, 400, 1.5)")
    person.wait_until_view_rests()
    person.draw_and_wait((400, 380), (480, 400))
    expect(page.locator("#status")).to_contain_text("So far only")
    person.press("2")
    person.draw_and_wait((520, 420), (600, 470))
    person.wait_for_segmentation()
    expect(page.locator("#result-remark")).to_contain_text("on screen")
    expect(page.locator("#result-notes")).to_be_empty()
    expect(page.locator("#scores-note")).to_contain_text("no strokes are held out")
    expect(page.locator("#correct")).to_be_disabled()

    document = json.loads(person.download("strokes.json"))
    settings = document["settings"]
    image = seg.image_from_pixels(pixels)
    classifier = seg.PixelClassifier(seg.FeatureSpec.from_json(settings["features"]), **settings["forest"])
    expected = classifier.fit(image, seg.rasterise(document["strokes"], SHAPE)).predict(image)
    before = set(shown_tiles(person))
    person.within("({ session }) => session.viewport.goTo(700, 850, 1.5)")
    person.wait_for(lambda: len(set(shown_tiles(person)) - before) > 1, "what is on screen now is segmented")
    assert_tiles(person, expected)

    begin_whole(person, kind)
    assert_tiles(person, expected)
    assert sum(person.stroke_counts()) == 2
    assert_whole(person, expected)


def begin_whole(person, kind):
    """Begin to segment all of the image, which is seen wherever one is, also after a reload, until it is told to have
    ended.
    """
    page, row, let = person.page, person.page.locator("#wholes"), threading.Event()

    def answer(route):
        response = route.fetch()
        wholes = [one if let.is_set() else one | {"state": "working", "part": 0.4} for one in response.json()["wholes"]]
        route.fulfill(response=response, json={"wholes": wholes})

    page.route("**/wholes", answer)
    person.tab("home")
    shown = page.locator("#panel-home .download:visible").all_inner_texts()
    assert [one.partition("\n")[0] for one in shown] == [*["Classes"] * 3, "Class shares", "Strokes", "Classifier"]
    expect(page.locator('[data-whole="shares.csv"]')).to_have_attribute("aria-disabled", "true")
    page.click("#whole-begin")
    expect(page.locator("#whole-text")).not_to_be_empty()
    page.reload()
    person.wait_until_ready()
    person.wait_for_segmentation()
    expect(row).to_contain_text(f"Segmenting all of “{kind}”: 40 %")
    expect(row.get_by_role("button", name="Close")).to_be_hidden()
    row.get_by_role("button", name="Segmenting").click()
    expect(page.locator("#whole-stop, #whole-begin").filter(visible=True)).to_have_count(1)
    person.tab("home")
    let.set()
    expect(row).to_contain_text(f"All of “{kind}” is segmented: take it home")
    row.get_by_role("button", name="Close").click()
    expect(row).to_be_hidden()


def assert_whole(person, expected):
    """Assert that all of the image, whose segmentation was begun, is there to be taken home, as the library has it."""
    page = person.page
    person.tab("home")
    expect(page.locator("#whole-image")).to_have_attribute("data-state", "done")
    expect(page.locator("#whole-begin")).to_have_text("Segment it again")
    expect(page.locator("#whole-problem")).to_be_empty()
    with page.expect_download() as download:
        page.click('[data-whole="segmentation.ome.tif"]')
    assert download.value.suggested_filename == "cells-segmentation.ome.tif"
    assert np.array_equal(tifffile.imread(download.value.path()), expected)
    person.draw_and_wait((700, 800), (760, 820))
    expect(page.locator("#whole-text")).to_contain_text("has learnt on since")


def shown_tiles(person):
    """The indices of the tiles that the page shows."""
    return person.within("({ session }) => [...session.picture.tiles.keys()]")


def assert_tiles(person, expected):
    """Assert that the page shows tiles, all of them those of the library."""
    tiles = person.within(
        "({ session }) => [...session.picture.tiles.values()].map(({ rows, columns, ids }) => "
        "[rows, columns, ids.reduce((text, id) => text + id, '')])"
    )
    assert tiles
    for rows, columns, ids in tiles:
        there = expected[slice(*rows), slice(*columns)]
        assert np.array_equal(np.array([*ids], np.uint8).reshape(there.shape), there)


@pytest.mark.parametrize("kind", ["a strip is damaged", "the end is missing"])
def test_a_damaged_file_is_told_of_when_it_is_opened(kind, people, small_server, pixels, tmp_path):
    person = people(small_server.url)
    path = tmp_path / "cells.tif"
    tifffile.imwrite(path, pixels, rowsperstrip=64, compression="lzw", metadata=None)
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as file:
        start = file.pages[0].dataoffsets[8]
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(content if kind == "a strip is damaged" else content[:start])
    person.upload(path)
    wait_for_image(person, "cells.tif")
    share = "6 %" if kind == "a strip is damaged" else "5[0-9] %"
    told = re.compile(f"About {share} of this image cannot be read")
    expect(person.page.locator("#message")).to_have_text(told)
    person.wait_until_view_rests()
    person.draw_and_wait((100, 100), (300, 120))
    person.press("2")
    person.draw_and_wait((500, 60), (600, 80))
    person.wait_for_segmentation()
    person.tab("home")
    expect(person.page.locator("#whole-text")).to_have_text(told)
    expect(person.page.locator("#whole-begin")).to_be_disabled()
