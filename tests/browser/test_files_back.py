"""What went home comes back, and what other programs labelled: strokes, label images, GeoJSON, dropped or chosen."""

import io
import json

import numpy as np
import pytest
import tifffile
from PIL import Image

from tests.support.page import draw_two, drops, halves, names, wait_for_image


def labels(person):
    return tifffile.imread(io.BytesIO(person.download("labels.tif")))


def dialog(person):
    person.page.wait_for_selector("#bring[open]")
    return person.page.locator("#bring")


@pytest.fixture
def own(tmp_path):
    return halves(tmp_path, "cells.png")


@pytest.fixture
def mask(tmp_path):
    """Black and white, with a hole and single pixels, beside the image that it belongs to."""
    truth = np.zeros((60, 100), np.uint8)
    truth[10:40, 5:30], truth[20:25, 10:15], truth[3, 80], truth[4, 81] = 255, 0, 255, 255
    Image.fromarray(truth).save(tmp_path / "cells_mask.png")
    return tmp_path / "cells_mask.png", truth > 0


@pytest.mark.parametrize("name", ["strokes.json", "labels.tif"])
def test_what_was_taken_home_is_dropped_and_is_there_again(person, tmp_path, name):
    draw_two(person)
    before = labels(person)
    shares = person.shares()
    (tmp_path / name).write_bytes(person.download(name))
    person.click("#clear")
    person.wait_for(lambda: person.stroke_counts() == [0, 0], "nothing")
    drops(person, "#stage", tmp_path / name)
    if name == "labels.tif":
        assert "looks like a label image" in dialog(person).inner_text()
        person.click("#bring-yes")
    person.wait_for(lambda: person.stroke_counts() == [1, 1], "the strokes")
    person.wait_for_segmentation()
    assert np.array_equal(labels(person), before)
    assert person.shares() == shares
    person.press("Control+z")
    person.wait_for(lambda: person.stroke_counts() == [0, 0], "one undo takes them back")


def test_an_image_and_its_mask_are_dropped_together_and_black_and_white_is_asked_for(person, own, mask):
    path, truth = mask
    drops(person, "#stage", path, own)
    question = dialog(person)
    assert not person.page.is_visible("#strip")
    text = question.inner_text()
    assert "“cells_mask.png” looks like a label image" in text
    assert "Value 255, 727 pixels" in text
    question.get_by_label("Value 255").select_option("Class 2")
    question.get_by_label("Value 0").select_option("Class 1")
    person.click("#bring-yes")
    person.wait_for_segmentation()
    assert np.array_equal(labels(person), np.where(truth, 2, 1))
    assert "727 px" in person.page.locator(".class-facts").nth(1).inner_text()


def test_labels_of_a_stack_are_dropped_on_it_and_lie_each_on_its_plane(person, tmp_path):
    rng = np.random.default_rng(0)
    tifffile.imwrite(tmp_path / "deep.tif", rng.integers(0, 255, (4, 60, 100), np.uint8), photometric="minisblack")
    truth = np.zeros((4, 60, 100), np.uint8)
    truth[1, 10:30, 10:40], truth[3, 30:50, 50:90] = 1, 2
    tifffile.imwrite(tmp_path / "deep_labels.tif", truth, photometric="minisblack")
    person.upload(tmp_path / "deep.tif")
    wait_for_image(person, "deep.tif")
    drops(person, "#stage", tmp_path / "deep_labels.tif")
    question = dialog(person)
    assert "The labels of 4 planes of 100 × 60 pixels belong to" in question.inner_text()
    assert not question.get_by_role("button", name="Score against it").is_visible()
    person.click("#bring-yes")
    person.wait_until_told("Brought in 2 strokes")
    for plane in (1, 2, 3, 4):
        person.page.locator("input[data-axis=z]").fill(str(plane - 1))
        shown = f"{plane} / 4"
        person.wait_for(lambda told=shown: person.page.inner_text("#plane-axes output") == told, shown)
        person.wait_for(lambda: not person.within("({ session }) => session.planes.turning"), "the plane is there")
        if truth[plane - 1].any():
            person.wait_for_segmentation()
            assert np.array_equal(labels(person), truth[plane - 1])


def test_a_mask_says_where_to_work_and_goes_home_as_one(person, own, mask):
    path, truth = mask
    person.upload(own)
    wait_for_image(person, "cells.png")
    assert person.page.locator('[data-file="region.tif"]').is_disabled()
    person.upload(path)
    question = dialog(person)
    question.get_by_label("Value 255").select_option("only here: where to work")
    person.click("#bring-yes")
    person.wait_for(lambda: person.page.is_visible("#region"), "only here")
    assert person.page.inner_text("#region-text") == "Only within 3 outlines"
    assert np.array_equal(tifffile.imread(io.BytesIO(person.download("region.tif"))), truth * np.uint8(255))


def test_what_looks_like_labels_can_be_opened_as_an_image_or_left_alone(person, own, mask):
    person.upload(own)
    wait_for_image(person, "cells.png")
    person.upload(mask[0])
    dialog(person)
    person.click("#bring-no")
    person.wait_until_told("The image before is still here")
    assert not person.page.is_visible("#strip")
    person.upload(mask[0])
    dialog(person)
    person.click("#bring-image")
    wait_for_image(person, "cells_mask.png")
    assert names(person) == ["cells.png", "cells_mask.png"]


def test_objects_of_qupath_are_dropped(person, own, tmp_path):
    person.upload(own)
    wait_for_image(person, "cells.png")
    person.wait_until_saved()
    ring = [[10, 10], [30, 10], [30, 40], [10, 40], [10, 10]]
    document = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Polygon", "coordinates": [[[x + shift, y] for x, y in ring]]},
                "properties": {"objectType": "annotation", "classification": {"name": name, "color": colour}},
            }
            for name, colour, shift in (("Tumor", [200, 0, 0], 0), ("Stroma", [150, 200, 150], 50))
        ],
    }
    (tmp_path / "cells.geojson").write_text(json.dumps(document))
    drops(person, "#stage", tmp_path / "cells.geojson")
    person.wait_for(lambda: person.class_names() == ["Tumor", "Stroma"], "the classes")
    person.wait_for_segmentation()
    expected = np.zeros((60, 100), np.uint8)
    expected[10:40, 10:30], expected[10:40, 60:80] = 1, 2
    assert np.array_equal(labels(person), expected)
    person.press("Control+z")
    person.wait_for(lambda: person.class_names() == ["Class 1", "Class 2"], "one undo takes all back")


def test_what_cannot_be_brought_in_is_a_sentence_and_nothing_is_lost(person, tmp_path):
    draw_two(person)
    (tmp_path / "a.json").write_text('{"type": "Topology"}')
    (tmp_path / "b.geojson").write_text("[" * 100_000)
    drops(person, "#stage", tmp_path / "a.json", tmp_path / "b.geojson")
    person.page.wait_for_selector("#message.visible")
    assert "neither strokes of Squiggle nor GeoJSON" in person.message
    assert "nested too deeply" in person.message
    assert person.stroke_counts() == [1, 1]
