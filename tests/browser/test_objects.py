"""The card of objects: a table whose rows lead to the image, objects that lead to their rows, and a filter by range."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import tifffile

import segmentation as seg
from tests.support.page import draw_two


def open_card(person):
    person.tab("objects")
    person.wait_for(lambda: "objects, median area" in person.page.inner_text("#objects-text"), "measured")


def shown(person):
    """How many objects are shown, and of how many."""
    kept, _, of, *_ = person.page.inner_text("#objects-text").replace(",", "").split()
    return int(kept), int(of)


def test_objects_are_asked_for_again_once_the_server_answers(people, server):
    person = people(server.url, expect_offline=True)
    draw_two(person)
    person.loses_the_server()
    person.tab("objects")
    person.wait_for(lambda: "does not answer" in person.page.inner_text("#objects-text"), "that the server is away")
    person.context.set_offline(False)
    open_card(person)


def test_rows_lead_to_objects_and_objects_to_rows(person):
    person.tab("objects")
    assert person.page.is_disabled("#save-objects")
    assert "Once objects are measured" in person.page.get_attribute("#save-objects", "title")
    draw_two(person)
    person.wait_for_segmentation()
    person.tab("objects")
    person.page.select_option("#clean-up-add", "drop_small")
    person.wait_for_segmentation()
    open_card(person)
    segmentation = tifffile.imread(io.BytesIO(person.download("segmentation.tif")))
    tables = [seg.measure_objects(segmentation, class_id) for class_id in (1, 2)]
    everything = sum(len(table["label"]) for table in tables)
    open_card(person)
    person.wait_for(lambda: shown(person) == (everything, everything), "all objects")

    person.page.select_option("#object-class", "1")
    person.wait_for(lambda: shown(person) == (len(tables[0]["label"]),) * 2, "those of the class")
    person.page.locator("#object-head button", has_text="Area").click()
    person.page.locator("#object-head button", has_text="Area").click()
    largest = int(np.argmax(tables[0]["area"]))
    row = person.page.locator(".object-row").first
    assert float(row.locator("span").nth(2).inner_text()) == float(f"{tables[0]['area'][largest]:.4g}")
    row.click()
    person.wait_until_view_rests()
    person.wait_until_painted()
    middle = [(tables[0][f"bbox-{side}"][largest] + tables[0][f"bbox-{side + 2}"][largest] - 1) / 2 for side in (1, 0)]
    box = person.page.locator("#stage").bounding_box()
    (x, y), *_ = person.on_screen([tuple(middle)])
    assert abs(x - box["x"] - box["width"] / 2) < 2
    assert abs(y - box["y"] - box["height"] / 2) < 2
    assert "chosen" in row.get_attribute("class")

    person.page.locator("#stage").hover()
    person.press("v")
    smallest = int(np.argmin(tables[0]["area"]))
    labels = seg.label_objects(segmentation, 1)
    rows, columns = np.nonzero(labels == smallest + 1)
    person.within("({ session: { viewport } }, [x, y]) => viewport.goTo(x, y, 3)", [int(columns[0]), int(rows[0])])
    person.wait_until_view_rests()
    person.page.mouse.click(*person.on_screen([(int(columns[0]), int(rows[0]))])[0])
    person.wait_for(
        lambda: person.page.locator(".object-row.chosen span").first.inner_text() == str(smallest + 1), "its row"
    )
    seen = person.page.locator(".object-row.chosen[aria-selected=true]").bounding_box()
    assert seen["y"] + seen["height"] <= person.page.viewport_size["height"]

    number = "getComputedStyle(document.querySelector('#object-histogram .xtick text')).fill"
    before = person.page.evaluate(number)
    person.click("#theme")
    person.wait_for(lambda: person.page.evaluate(number) != before, "numbers in the colour of the theme")
    person.click("#theme")
    person.wait_for(lambda: person.page.evaluate(number) == before, "and in that of the former one")

    threshold = float(np.median(tables[0]["area"]))
    person.page.fill("#object-from", str(threshold))
    person.press("Tab")
    kept = int(np.count_nonzero(tables[0]["area"] >= threshold))
    person.wait_for(lambda: shown(person) == (kept, len(tables[0]["label"])), "a range")
    place = person.page.locator("#object-histogram .nsewdrag").bounding_box()
    person.page.fill("#object-from", "")
    person.press("Tab")
    person.page.mouse.move(place["x"] + 2, place["y"] + 20)
    person.page.mouse.down()
    person.page.mouse.move(place["x"] + place["width"] / 2, place["y"] + 30, steps=5)
    person.page.mouse.up()
    person.wait_for(lambda: person.page.input_value("#object-to") != "", "a range was drawn")

    low, high = (float(person.page.input_value(f"#object-{end}")) for end in ("from", "to"))
    ofrange = [one for one in tables[0]["area"].tolist() if low <= one <= high]
    person.wait_for(
        lambda: abs(shown(person)[0] - len(ofrange)) <= 1, "those of the range, whose ends are shown rounded"
    )
    with person.page.expect_download() as download:
        person.click("#save-objects")
    saved = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text())))
    assert len(saved) == shown(person)[0] < everything
    areas = [float(row["area"]) for row in saved]
    assert areas == sorted(areas, reverse=True), "as the table is sorted"
    person.page.fill("#object-from", "1e9")
    person.press("Tab")
    person.wait_for(lambda: person.page.is_disabled("#save-objects"), "nothing to save")

    rows = list(csv.DictReader(io.StringIO(person.download("objects.csv").decode())))
    assert len(rows) == everything
    assert list(rows[0]) == list(saved[0])
    assert [float(row["perimeter"]) for row in rows if row["class_id"] == "1"] == tables[0]["perimeter"].tolist()
    members = zipfile.ZipFile(io.BytesIO(person.download("objects.zip"))).namelist()
    assert members == ["objects.csv", "objects.tif", "qupath.geojson", "imagej_rois.zip", "coco.json"]
