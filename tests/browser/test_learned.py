"""The switch "Learned texture": what is learnt is the same on the page, in files, in Python and in the shell."""

import io

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.__main__ import main
from segmentation.web.application import SAMPLE
from tests.support.page import GLAND, TISSUE, draw_two, opens, segmentation, what_the_library_says


def switch(person):
    return person.page.locator("#feature-learned input")


def is_learnt(person):
    return "learned" in person.page.inner_text("#importance").lower()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_what_is_learnt_with_the_switch_is_the_same_everywhere(people, server, size, tmp_path):
    person = people(server.url, size)
    draw_two(person)
    person.draw_and_wait(*((x + 60, y + 30) for x, y in TISSUE))
    person.press("1")
    person.draw_and_wait(*((x + 20, y + 40) for x, y in GLAND))
    _, plain = what_the_library_says(person)
    person.tab("learn")
    assert not switch(person).is_checked()
    switch(person).check()
    person.wait_for(lambda: is_learnt(person), "learned texture among what matters")
    person.wait_for_segmentation()
    _, expected = what_the_library_says(person)
    assert (expected != plain).any()
    assert (segmentation(person) == expected).all()

    (tmp_path / "home.squiggle").write_bytes(person.download("classifier.squiggle"))
    home = seg.load_classifier(tmp_path / "home.squiggle")
    assert home.spec.learned
    assert (home.predict(SAMPLE.image) == expected).all()
    tifffile.imwrite(tmp_path / "sample.tif", SAMPLE.image.pixels)
    assert main(["apply", f"{tmp_path}/home.squiggle", f"{tmp_path}/sample.tif", "-o", f"{tmp_path}/out"]) == 0
    assert (tifffile.imread(tmp_path / "out" / "sample.tif") == expected).all()
    probabilities = tifffile.imread(io.BytesIO(person.download("probabilities.tif")))
    assert np.array_equal(probabilities, np.moveaxis(home.predict_proba(SAMPLE.image), -1, 0))

    (at,) = person.on_screen([GLAND[1]])
    person.page.keyboard.down("Alt")
    person.page.mouse.click(*at)
    person.page.keyboard.up("Alt")
    person.page.wait_for_selector("#explanation:not([hidden]) .explained button")
    person.page.keyboard.press("Escape")
    person.press("n")
    person.wait_for_status("Here a stroke helps most")

    person.tab("learn")
    person.page.select_option("#feature-look", label="learned texture, output 1")
    person.wait_for(lambda: "Low" in person.page.inner_text("#legend-least"), "the legend")
    person.page.select_option("#feature-look", value="")
    person.page.get_by_label("Smallest sigma").first.fill("1")
    person.page.keyboard.press("Tab")
    person.wait_for_segmentation()
    assert switch(person).is_checked()
    person.wait_for(lambda: "0.5" not in person.page.inner_text("#importance thead"), "what matters now")
    person.page.get_by_role("button", name="Learned texture", exact=True).click()
    person.wait_for(lambda: "Without learned texture: " in person.page.inner_text("#importance-note"), "an answer")
    person.click("#leave-out")
    person.wait_for(lambda: not is_learnt(person), "no learned texture")
    assert not switch(person).is_checked()

    opens(person, tmp_path / "home.squiggle")
    person.wait_for(lambda: "home.squiggle" in person.page.inner_text("#opened-name"), "the card")
    assert " · learned texture · " in person.page.inner_text("#opened-facts")
    person.wait_for_segmentation()
