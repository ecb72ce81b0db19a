"""Plots of objects: by class, by image, and two measures from which one picks; as pictures and as data."""

import csv
import io
from pathlib import Path

import numpy as np
import tifffile

import segmentation as seg
from tests.support.page import draw_two, halves


def saved(person, button):
    with person.page.expect_download() as download:
        person.click(button)
    return Path(download.value.path()).read_bytes()


def data(person):
    return list(csv.reader(io.StringIO(saved(person, "#plot-csv").decode())))


def shown(person):
    """How many objects are shown, and of how many."""
    kept, _, of, *_ = person.page.inner_text("#objects-text").replace(",", "").split()
    return int(kept), int(of)


def test_measures_are_plotted_picked_from_and_saved(people, server, tmp_path):
    person = people(server.url)
    draw_two(person)
    segmentation = tifffile.imread(io.BytesIO(person.download("segmentation.tif")))
    areas = {one: seg.measure_objects(segmentation, one)["area"] for one in (1, 2)}
    person.tab("objects")
    person.wait_for(lambda: "objects, median area" in person.page.inner_text("#objects-text"), "measured")
    everything = np.concatenate(list(areas.values()))
    assert f"median area {np.median(everything):g} px²." in person.page.inner_text("#objects-text")
    person.click("#open-plots")
    person.wait_for(lambda: person.page.locator("#plot .barlayer .point").count() > 0, "a histogram")
    (first, *bins) = data(person)
    assert first == ["Area, px²: from", "to", "Gland", "Other tissue"]
    assert [sum(int(row[column]) for row in bins) for column in (2, 3)] == [len(one) for one in areas.values()]
    low, high = float(bins[0][0]), float(bins[0][1])
    assert int(bins[0][2]) == np.count_nonzero((areas[1] >= low) & (areas[1] < high))
    assert saved(person, "#plot-png").startswith(b"\x89PNG")
    assert b"<svg" in saved(person, "#plot-svg")

    person.page.select_option("#plot-kind", "boxes")
    person.wait_for(lambda: person.page.locator("#plot .barlayer .point").count() == 2, "a box a class")
    titles, *rows = data(person)
    for row, values in zip(rows, areas.values(), strict=True):
        told = dict(zip(titles, row, strict=True))
        assert (told["image"], int(told["objects"])) == ("colon_glands.png", len(values))
        quartiles = [float(told[name]) for name in ("first quartile", "median", "third quartile")]
        assert np.allclose(quartiles, np.quantile(values, (0.25, 0.5, 0.75)))

    person.page.select_option("#plot-kind", "scatter")
    person.wait_for(lambda: person.page.locator("#plot .imagelayer-above image, #plot image").count() == 1, "points")
    assert len(data(person)) == len(everything) + 1
    box = person.page.locator("#plot .nsewdrag").bounding_box()
    person.page.mouse.move(box["x"] + box["width"] * 0.02, box["y"] + 2)
    person.page.mouse.down()
    person.page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] - 3, steps=5)
    person.page.mouse.up()
    person.wait_for(lambda: person.page.locator("#plot-picked").is_visible(), "some are picked")
    kept, of = shown(person)
    assert 0 < kept <= of == len(everything)
    faded = person.within("({ session }) => [...session.picture.layers.objects.marks.faded].slice(1)")
    assert faded.count(0) == kept, "the others fade in the image"
    person.click("#plot-picked")
    person.wait_for(lambda: shown(person) == (len(everything),) * 2, "all again")

    person.upload(halves(tmp_path, "halves.png"))
    person.wait_for(lambda: person.page.inner_text("#image-name") == "halves.png", "another image")
    for number, x in (("1", 20), ("2", 80)):
        person.press(number)
        person.draw_and_wait((x, 10), (x + 5, 40))
    person.wait_for_segmentation()
    person.upload(halves(tmp_path, "turned.png", turned=True, noise=1))
    person.wait_for(lambda: person.page.inner_text("#image-name") == "turned.png", "a third")
    person.wait_for_segmentation()
    person.page.select_option("#plot-kind", "boxes")
    person.wait_for(lambda: person.page.inner_text("#plot-text") == "", "all images are measured")
    assert {row[0] for row in data(person)[1:]} == {"halves.png", "turned.png"}
    person.click("#close-plots")
    person.wait_for(lambda: not person.page.locator("#plots").is_visible(), "closed")
