"""A series on the page: sent, watched, cancelled, gone on with, looked at and deleted."""

import io
import re
import zipfile

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.support.files import png
from tests.support.images import scene
from tests.support.page import draw_two, in_hand, is_finished, sends, wait_for_image
from tests.support.server import PROCFILE, Server

OVER = """[...document.querySelectorAll(".series, .series *:not(img)")].filter((one) => (
  one.offsetParent && one.getBoundingClientRect().right > one.closest(".series").getBoundingClientRect().right
)).map((one) => one.className || one.tagName)"""
"""What lies beyond the right border of its card."""


def shares_of(row):
    """The shares in a row of the small table."""
    return [float(cell.split()[0]) for cell in row.split("\t")[1:-1]]


def opens_and_draws_on(person, path, first, second):
    """An image is opened, drawn on with a stroke of two classes each, and segmented."""
    person.upload(path)
    wait_for_image(person, path.name)
    person.draw_and_wait(*first)
    person.press("2")
    person.draw_and_wait(*second)
    person.wait_for_segmentation()


def test_units_that_differ_are_told_with_the_names_of_the_files(person, tmp_path):
    for name, size, unit in (("wide.ome.tif", 0.5, "µm"), ("close.ome.tif", 250, "nm")):
        known = {"PhysicalSizeX": size, "PhysicalSizeXUnit": unit, "PhysicalSizeY": size, "PhysicalSizeYUnit": unit}
        pixels = np.asarray(Image.open(io.BytesIO(png(scene(int(size), 3, 60, 80)))))
        tifffile.imwrite(tmp_path / name, pixels, photometric="rgb", metadata={"axes": "YXS", **known})
    opens_and_draws_on(person, tmp_path / "wide.ome.tif", ((10, 10), (15, 30)), ((60, 10), (70, 30)))
    sends(person, tmp_path / "wide.ome.tif", tmp_path / "close.ome.tif")
    person.wait_for(lambda: is_finished(person, 2), "the series is finished")
    card = person.page.locator(".series")
    assert "no table of all objects (objects.csv)" in card.inner_text()
    assert "nm² (close.ome.tif); µm² (wide.ome.tif)" in card.inner_text()
    person.page.locator(".series-strip button").first.click()
    person.page.click("#series-view-tab-objects")
    told = "in different units: nm (close.ome.tif); µm (wide.ome.tif)"
    person.wait_for(lambda: told in person.page.inner_text("#series-object-text"), "why there is no table")

    assert not person.page.is_visible('[data-result="objects.csv"]'), "there is none"
    assert person.page.is_visible('[data-result="shares.csv"]')
    person.page.click("#series-view-tab-images")
    person.page.locator("#series-view-table tbody th button").first.click()
    person.page.click("#series-view-correct")
    wait_for_image(person, "close.ome.tif")
    person.page.click("#pixel-size")
    person.page.fill("#measure-size", "0.25 µm")
    person.press("Enter")
    resized = "1 image has pixels of another size by now (“close.ome.tif”)"
    person.wait_for(lambda: resized in card.inner_text(), "the size that was typed counts for the series")
    card.get_by_text("Do again").click()
    person.wait_for(lambda: is_finished(person, 2) and "different units" not in card.inner_text(), "one unit")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_a_zip_is_sent_watched_looked_at_and_deleted(people, server, size, tmp_path):
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for number in range(3):
            archive.writestr(f"day{number}/cells.png", png(scene(number, 3, 120, 160)))
        archive.writestr("grey.png", png(scene(3)))
        archive.writestr("notes.txt", "nothing")
    person = people(server.url, size)
    person.tab("series")
    assert person.page.is_disabled("#series-images")
    draw_two(person)
    heads = []

    def told_before_its_images(route):
        heads.append(person.page.locator(".series").first.inner_text())
        route.continue_()

    person.page.route(re.compile(r"/series/[^/]+$"), told_before_its_images)
    sends(person, tmp_path / "all.zip")
    person.wait_for(lambda: is_finished(person, 4), "the series is finished")
    assert heads
    assert all("image" in head and "segmented" in head for head in heads), "no card is ever empty"
    reason = person.page.locator(".series-details .series-failed").inner_text()
    assert reason.startswith("grey.png ")
    assert person.page.locator(".series-strip img").count() == 3
    table = person.page.locator(".series-shares tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in table] == [f"day{number}/cells.png" for number in range(3)]
    assert abs(sum(shares_of(table[0])) - 100) < 0.05
    trust = [float(row.split("\t")[-1]) for row in table]
    assert person.page.evaluate(OVER) == []
    offered = person.page.locator(".series-worst b").all_inner_texts()
    assert [float(text) for text in offered] == sorted(trust)[:2]

    person.page.locator(".series-strip button").first.click()
    person.wait_for(lambda: person.page.is_visible("#enlarged-picture"), "the picture")
    person.wait_for(
        lambda: person.page.evaluate("document.getElementById('enlarged-picture').naturalWidth") == 160, "all of it"
    )
    assert person.page.inner_text("#series-view-place") == "1 of 3"
    person.page.click("#series-view-next")
    person.wait_for(lambda: person.page.inner_text("#series-view-place") == "2 of 3", "the next picture")
    person.page.click("#series-view-tab-images")
    rows = person.page.locator("#series-view-table tbody tr")
    assert [row.split("\t")[0] for row in rows.all_inner_texts()] == [f"day{number}/cells.png" for number in range(3)]
    for one, row in enumerate(rows.all_inner_texts()):
        cells = row.replace("\n", " ").split("\t")
        assert float(cells[1].split()[0]) == shares_of(table[one])[0]
        assert float(cells[-1]) == trust[one]
    assert person.page.locator("#series-view-failed").inner_text() == reason
    person.page.click("#series-view-tab-objects")
    person.wait_for(lambda: "objects." in person.page.inner_text("#series-object-text"), "the objects of all images")
    person.page.click("#series-view-tab-plots")
    person.wait_for(lambda: person.page.locator("#series-view-plot .trace").count() == 2, "a curve of each class")
    person.page.select_option("#series-view-measure", "trust")
    person.wait_for(lambda: person.page.locator("#series-view-plot .trace").count() == 1, "the curve of the trust")
    person.click("#close-enlarged")
    person.page.get_by_text("Draw on it").first.click()
    person.wait_for(lambda: in_hand(person) == "cells.png", "the image that is trusted least")
    person.page.get_by_text("Delete", exact=True).click()
    assert "cannot be undone" in person.page.inner_text("#question")
    person.click("#question-yes")
    person.wait_for(lambda: person.page.locator(".series").count() == 0, "no series")


@pytest.fixture
def waiting_server(tmp_path):
    """Works on series only once its second process is started, so that they cannot end before they are cancelled."""
    server = Server(tmp_path / "data", SQUIGGLE_SERIES_IN_WEB="0")
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


def test_a_series_is_cancelled_and_gone_on_with_while_somebody_draws(waiting_server, people, tmp_path):
    person = people(waiting_server.url)
    paths = []
    for number in range(4):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(png(scene(number, 3, 900, 900)))
    draw_two(person)
    sends(person, *paths)
    card = person.page.locator(".series")
    card.get_by_text("Cancel").click()
    person.wait_for(lambda: card.get_attribute("data-state") == "cancelled", "cancelled")
    assert "cancelled" in card.inner_text()
    card.get_by_text("Go on").click()
    person.wait_for(lambda: card.get_attribute("data-state") == "running", "running")
    with waiting_server.run(PROCFILE["worker"]) as worker:
        try:
            person.draw_and_wait((300, 300), (320, 310))
            person.wait_for_segmentation()
            person.wait_for(lambda: is_finished(person, 4), "the series is finished")
        finally:
            worker.terminate()
    assert "4 of 4 segmented" in card.inner_text()


def test_an_image_is_corrected_and_the_series_is_done_again(people, server, tmp_path):
    for number in (10, 9):
        (tmp_path / f"cells{number}.png").write_bytes(png(scene(number, 3, 120, 160)))
    person = people(server.url)
    opens_and_draws_on(person, tmp_path / "cells9.png", ((20, 20), (30, 60)), ((120, 20), (140, 60)))
    sends(person, tmp_path / "cells10.png", tmp_path / "cells9.png")
    person.wait_for(lambda: is_finished(person, 2), "the series is finished")
    person.page.locator(".series button", has_text="Results").click()
    rows = person.page.locator("#series-view-table tbody th button")
    assert rows.all_inner_texts() == ["cells9.png", "cells10.png"], "9 comes before 10"
    assert not person.page.is_visible("#series-view-stale")
    rows.nth(1).click()
    assert person.page.inner_text("#series-view-picture-name") == "cells10.png"
    person.page.click("#series-view-correct")
    wait_for_image(person, "cells10.png")
    person.draw_and_wait((100, 90), (110, 110))
    person.wait_for_segmentation()
    card = person.page.locator(".series")
    person.wait_for(lambda: "2 images are out of date" in card.inner_text(), "what is out of date")
    card.get_by_text("Do again").click()
    person.wait_for(lambda: is_finished(person, 2) and "out of date" not in card.inner_text(), "all is done again")

    pictures = card.locator(".series-strip img")
    before = [pictures.nth(one).get_attribute("src") for one in range(2)]
    person.page.locator("#stage").hover()
    person.press("p", "1", "r")
    person.draw((60, 60), (120, 110))
    person.wait_for(lambda: "1 image was corrected since (“cells10.png”)" in card.inner_text(), "what is corrected")
    assert "out of date" not in card.inner_text()
    card.get_by_text("Do again").click()
    person.wait_for(lambda: is_finished(person, 2) and "corrected since" not in card.inner_text(), "only that one")
    person.wait_for(lambda: pictures.nth(1).get_attribute("src") != before[1], "its picture is another")
    assert pictures.nth(0).get_attribute("src") == before[0], "the other image is left alone"


def test_what_is_no_image_is_not_sent(person, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    draw_two(person)
    person.tab("series")
    with person.page.expect_file_chooser() as chooser:
        person.click("#series-images")
    chooser.value.set_files([tmp_path / "notes.txt"])
    person.wait_for(lambda: "no image among" in person.page.inner_text("#series-problem"), "the sentence")
    (tmp_path / "empty.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    sends(person, tmp_path / "empty.zip")
    person.wait_for(lambda: "holds no image" in person.page.inner_text("#series-problem"), "the sentence")
