"""How good it is, said while one draws: the numbers of the library, a way back, and a mask that one drops."""

import json

import numpy as np
from PIL import Image

import segmentation as seg
from segmentation.io.read import read_image
from tests.support.page import halves, wait_for_image

LEFT = [[(10, 10), (30, 14)], [(10, 30), (30, 34)], [(10, 50), (30, 54)]]
RIGHT = [[(60, 10), (90, 14)], [(60, 30), (90, 34)], [(60, 50), (90, 54)]]
HERE = "() => document.querySelector('#scores-mean').textContent && !document.querySelector('#scores.stale')"


def draw_on_halves(person, folder, count):
    path = halves(folder, "halves.png")
    person.upload(path)
    wait_for_image(person, "halves.png")
    for left, right in zip(LEFT[:count], RIGHT[:count], strict=True):
        person.press("1")
        person.draw_and_wait(*left)
        person.press("2")
        person.draw_and_wait(*right)
    person.wait_for_segmentation()
    return path


def wait_for_scores(person):
    person.wait_for(lambda: person.page.evaluate(HERE), "scores")


def test_the_card_says_what_the_library_says(person, tmp_path):
    path = draw_on_halves(person, tmp_path, 1)
    person.wait_for(lambda: "Draw a second stroke" in person.page.inner_text("#scores-note"), "what is missing")
    for strokes, key in ((LEFT, "1"), (RIGHT, "2")):
        person.press(key)
        person.draw_and_wait(*strokes[1])
    person.wait_for_segmentation()
    wait_for_scores(person)
    document = json.loads(person.download("strokes.json"))
    settings = document["settings"]
    classifier = seg.PixelClassifier(seg.FeatureSpec.from_json(settings["features"]), **settings["forest"])
    expected = seg.cross_validate(read_image(path), document["strokes"], classifier)
    shown = f"{expected.mean_iou:.2f} ± {expected.standard_error:.2f}"
    person.wait_for(lambda: person.page.inner_text("#scores-mean") == shown, shown)
    assert not person.page.locator("#scores-held-out").is_visible()
    person.click("#scores-toggle")
    rows = person.page.locator("#scores-held-out table:not(.confusion) tbody tr").all_inner_texts()
    assert [row.split()[-1] for row in rows] == ["2", "2"]


def test_a_stroke_that_makes_others_worse_can_be_taken_back_at_once(person, tmp_path):
    draw_on_halves(person, tmp_path, 3)
    wait_for_scores(person)
    before = person.stroke_counts()
    person.press("1")
    person.draw_and_wait((55, 20), (95, 20), (55, 24), (95, 40), (55, 44))
    person.wait_for(lambda: person.page.locator("#message.visible").count() and "found less well" in person.message)
    person.click("#message button")
    person.wait_for(lambda: person.stroke_counts() == before, "the stroke is gone")
    person.wait_for_segmentation()
    wait_for_scores(person)
    assert not person.page.locator("#message.visible").count()


def test_a_mask_is_held_against_the_segmentation_and_not_learnt_from(person, tmp_path):
    draw_on_halves(person, tmp_path, 1)
    strokes = person.stroke_counts()
    mask = np.full((60, 100), 3, np.uint8)
    mask[:, 50:] = 7
    mask[:5] = 0
    Image.fromarray(mask).save(tmp_path / "truth.png")
    person.upload(tmp_path / "truth.png")
    person.page.wait_for_selector("#bring[open]")
    person.page.get_by_label("Value 3,").select_option("1")
    person.page.get_by_label("Value 7,").select_option("2")
    person.click("#bring-score")
    person.page.wait_for_selector("#scores-mask table")
    head = person.page.inner_text("#scores-mask .section-head")
    assert head.startswith("“halves.png” against “truth.png”: 1.00")
    assert person.stroke_counts() == strokes
    person.press("1")
    person.draw_and_wait(*LEFT[1])
    person.wait_for_segmentation()
    person.click("#scores-mask button")
    person.page.wait_for_selector("#scores-mask:not(.stale)")


def test_a_stroke_that_all_others_take_for_another_class_is_shown(person, tmp_path):
    person.upload(halves(tmp_path, "halves.png"))
    wait_for_image(person, "halves.png")
    person.press("2")
    for row in (6, 18, 30, 42):
        person.draw((60, row), (80, row + 2))
    person.press("1")
    for row in (6, 18, 30):
        person.draw((10, row), (30, row + 2))
    person.draw((60, 52), (85, 55))
    person.wait_for(lambda: "looks like" in person.page.inner_text("#message"), "what is said of it")
    person.page.get_by_role("button", name="Show it").click()
    person.wait_for(lambda: "Its width" in person.page.inner_text("#panel-classes"), "it is selected")
