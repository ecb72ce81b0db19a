"""Corrections: painted into the result with the pens, filled, erased, undone, learnt from, in every download, kept."""

import io
import json

import numpy as np
import tifffile

import segmentation as seg
from tests.support.page import THIRD, draw_two, on_screen


def class_ids(person):
    return tifffile.imread(io.BytesIO(person.download("segmentation.tif")))


def corrections_of(person):
    return person.within("({ session }) => session.state.corrections")


def corrects(person, *points):
    """Paint into the result, and wait until it is there."""
    before = len(corrections_of(person))
    person.draw(*points)
    person.wait_for(lambda: len(corrections_of(person)) == before + 1, "one correction more")
    person.wait_for_segmentation()


def seen(person, expected):
    person.wait_for(lambda: np.array_equal(on_screen(person), expected.ravel()), "what is on screen")


def test_the_result_is_corrected_and_stays_so_whatever_is_learnt(people, server):
    ann = people(server.url)
    ann.press("p")
    ann.wait_for(lambda: "no result to correct" in ann.message, "nothing to correct yet")
    bob = people(ann.page.url)
    draw_two(ann)
    raw = class_ids(ann)
    strokes = ann.strokes()
    ann.page.locator("#stage").hover()
    ann.press("p", "1", "r")
    ann.wait_for(lambda: ann.page.locator("#correcting").is_visible(), "it says so")
    corrects(ann, (300, 300), (380, 360))
    ann.press("2", "d")
    corrects(ann, (320, 320), (340, 330), (360, 330))
    ann.press("e")
    corrects(ann, (305, 350), (335, 350))
    assert ann.strokes() == strokes, "no stroke was drawn, and none erased"
    assert [one["class_id"] for one in corrections_of(ann)] == [1, 2, 0]

    def painted():
        return seg.rasterise(corrections_of(ann), raw.shape)

    corrected = seg.apply_corrections(raw, painted())
    assert (corrected != raw).any()
    seen(ann, corrected)
    bob.wait_for(lambda: np.array_equal(on_screen(bob), corrected.ravel()), "the other one sees it")
    assert np.array_equal(class_ids(ann), corrected)
    document = json.loads(ann.download("corrections.json"))
    assert document["strokes"] == corrections_of(ann)

    ann.page.locator("#stage").hover()
    ann.press("Control+z")
    ann.wait_for(lambda: len(corrections_of(ann)) == 2, "undone")
    seen(ann, seg.apply_corrections(raw, painted()))
    ann.press("Control+Shift+Z")
    seen(ann, corrected)

    ann.press("f", "1")
    column, row = 500, 500
    part = seg.label_objects(corrected, int(corrected[row, column]))
    ann.wait_until_view_rests()
    ann.page.mouse.click(*ann.on_screen([(column, row)])[0])
    ann.wait_for(lambda: len(corrections_of(ann)) == 4, "filled")
    filled = np.where(part == part[row, column], 1, corrected).astype(np.uint8)
    seen(ann, filled)
    ann.press("Control+z")
    seen(ann, corrected)

    ann.click("#correcting")
    ann.wait_for(lambda: not ann.page.locator("#correcting").is_visible(), "strokes again")
    ann.press("d", "1")
    ann.draw_and_wait(*THIRD)
    ann.wait_for_segmentation()
    learnt = on_screen(ann).reshape(raw.shape)
    kept = painted()
    assert (learnt != corrected).any()
    assert np.array_equal(learnt[kept > 0], kept[kept > 0]), "what was corrected stays"

    ann.tab("live")
    ann.page.locator("#learn-corrections").check()
    bob.wait_for(lambda: bob.page.locator("#learn-corrections").is_checked(), "for all")
    ann.wait_for_segmentation()
    labels = seg.rasterise(ann.strokes(), raw.shape)
    both = np.where(kept > 0, kept, labels)
    pixels = seg.load_classifier(ann.download("classifier.squiggle")).training_["labelled_pixels"]
    assert pixels == {str(one): int(np.count_nonzero(both == one)) for one in (1, 2)}
    ann.tab("live")
    told = f"{np.count_nonzero(kept):,} pixels corrected here"
    assert ann.page.inner_text("#corrections-text").startswith(told)
    ann.click("#clear-corrections")
    ann.wait_for(lambda: not corrections_of(ann), "cleared")
    ann.page.locator("#stage").hover()
    ann.press("Control+z")
    ann.wait_for(lambda: len(corrections_of(ann)) == 3, "and back")

    home = ann.page.locator("#download-corrections-json")
    ann.wait_for(home.is_enabled, "there is something to take home")
    ann.page.locator("#stage").hover()
    ann.press("p", "e")
    ann.draw(*[(column, row) for row in range(298, 366, 4) for column in (290, 390)])
    ann.wait_for(lambda: ann.page.inner_text("#corrections-text").startswith("Paint where"), "all are erased again")
    assert home.is_disabled()
    assert ann.page.locator("#clear-corrections").is_disabled()
