"""The clean-up: seen while a slider moves, kept when it is let go, undone like a stroke, and taken home."""

import io
import json

import numpy as np
import tifffile

import segmentation as seg
from tests.support.page import draw_two, on_screen


def class_ids(person):
    return tifffile.imread(io.BytesIO(person.download("segmentation.tif")))


def add_step(person, kind):
    person.tab("objects")
    before = person.page.locator(".clean-up-step").count()
    person.page.select_option("#clean-up-add", kind)
    person.wait_for(lambda: person.page.locator(".clean-up-step").count() == before + 1, "one step more")


def steps_of(person):
    return person.within("({ session }) => session.state.cleanUp")


def test_steps_are_chosen_seen_undone_and_taken_home(people, server, tmp_path):
    ann = people(server.url)
    bob = people(ann.page.url)
    draw_two(ann)
    ann.wait_for_segmentation()
    raw = class_ids(ann)
    add_step(ann, "drop_small")
    ann.wait_for_segmentation()
    step = {"kind": "drop_small", "size": 20, "classes": None}
    assert steps_of(ann) == [step]
    expected = seg.clean_up(raw, [step])
    assert (expected != raw).any()
    ann.wait_for(lambda: np.array_equal(on_screen(ann), expected.ravel()), "the screen is cleaned up")
    assert np.array_equal(class_ids(ann), expected)
    bob.wait_for(lambda: steps_of(bob) == [step], "the other one has it too")

    ann.tab("objects")
    slider = ann.page.locator(".clean-up-step input[type=range]")
    box = slider.bounding_box()
    ann.page.mouse.move(box["x"] + box["width"] * 0.26, box["y"] + box["height"] / 2)
    ann.page.mouse.down()
    ann.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2, steps=4)
    size = int(ann.page.locator(".clean-up-step output").inner_text().removesuffix(" px²").replace(",", ""))
    tried = seg.clean_up(raw, [step | {"size": size}])
    assert (tried != expected).any()
    ann.wait_for(lambda: np.array_equal(on_screen(ann), tried.ravel()), "what the slider would do is seen")
    assert steps_of(ann) == steps_of(bob) == [step], "while it moves nothing is chosen"
    ann.page.mouse.up()
    ann.wait_for(lambda: steps_of(ann) == [step | {"size": size}], "it is chosen")
    ann.wait_for_segmentation()
    bob.wait_for(lambda: np.array_equal(on_screen(bob), tried.ravel()), "the other one sees it too")

    classifier = ann.download("classifier.squiggle")
    strokes = json.loads(ann.download("strokes.json"))
    assert [one.to_json() for one in seg.load_classifier(classifier).clean_up] == [step | {"size": size}]
    assert strokes["settings"]["clean_up"] == [step | {"size": size}]
    ann.page.locator("#stage").hover()
    ann.press("Control+z")
    ann.wait_for(lambda: np.array_equal(on_screen(ann), expected.ravel()), "undone")
    ann.press("Control+z")
    ann.wait_for(lambda: np.array_equal(on_screen(ann), raw.ravel()), "and the step with it")

    (tmp_path / "mine.squiggle").write_bytes(classifier)
    carl = people(server.url)
    with carl.page.expect_file_chooser() as chooser:
        carl.click("#open-classifier")
    chooser.value.set_files(tmp_path / "mine.squiggle")
    carl.wait_for(lambda: steps_of(carl) == [step | {"size": size}], "it came with the classifier")
    carl.wait_for_segmentation()
    carl.wait_for(lambda: np.array_equal(on_screen(carl), tried.ravel()), "and does the same")


def test_steps_are_put_in_order_and_a_border_step_asks_for_a_class(person):
    draw_two(person)
    person.wait_for_segmentation()
    for kind in ("fill_holes", "smooth", "drop_border", "split", "split_corners"):
        add_step(person, kind)
    kinds = [step["kind"] for step in steps_of(person)]
    assert kinds == ["fill_holes", "smooth", "drop_border", "split", "split_corners"]
    assert [step["classes"] for step in steps_of(person)] == [None, None, [1], None, None]
    person.page.locator("[data-kind=smooth] [aria-label$=earlier]").click()
    person.wait_for(lambda: [step["kind"] for step in steps_of(person)][:2] == ["smooth", "fill_holes"], "earlier")
    person.page.locator("[data-kind=smooth] select").select_option("2")
    person.wait_for(lambda: steps_of(person)[0]["classes"] == [2], "of a class")
    person.page.locator("[data-kind=drop_border] [aria-label$='leave out']").click()
    person.wait_for(lambda: len(steps_of(person)) == 4, "left out")
    person.wait_for_segmentation()
