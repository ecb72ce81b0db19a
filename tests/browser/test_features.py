"""Which features matter, seen and asked while one learns; features as images; images that drift."""

import numpy as np
from PIL import Image

from tests.support.page import draw_two, halves, wait_for_image

STROKES = (("1", (10, 10), (30, 14)), ("2", (60, 10), (90, 14)), ("1", (10, 40), (30, 44)), ("2", (60, 40), (90, 44)))


def text(person, selector):
    return person.page.inner_text(selector)


def draw(person):
    for key, begin, end in STROKES:
        person.press(key)
        person.draw_and_wait(begin, end)
    person.wait_for_segmentation()


def test_features_are_asked_left_out_looked_at_and_standardised(person, tmp_path):
    person.upload(halves(tmp_path, "halves.png"))
    wait_for_image(person, "halves.png")
    draw(person)
    person.click("#tab-learn")
    person.wait_for(lambda: person.page.locator("#importance tbody tr").count() > 4, "the table")
    person.page.get_by_role("button", name="Texture", exact=True).click()
    person.wait_for(lambda: "Without texture: mean IoU" in text(person, "#importance-note"), "the cost")
    person.click("#leave-out")
    person.wait_for(lambda: "Texture" not in text(person, "#importance tbody"), "a table without texture")
    assert not person.page.locator("#feature-kinds").get_by_label("Texture").is_checked()
    assert not person.page.locator("#leave-out").is_visible()

    person.page.select_option("#feature-look", label="channel 1, intensity, sigma 1")
    person.wait_for(lambda: "Low" in text(person, "#legend-least"), "the legend")
    person.wait_for_segmentation()
    person.page.select_option("#feature-look", value="")
    person.wait_for(lambda: not person.page.locator("#legend").is_visible(), "the classes again")

    darker = np.asarray(Image.open(tmp_path / "halves.png")) // 3
    Image.fromarray(darker.astype(np.uint8)).save(tmp_path / "darker.png")
    person.upload(tmp_path / "darker.png")
    wait_for_image(person, "darker.png")
    person.wait_for_segmentation()
    person.wait_for(lambda: "differ between these images" in text(person, "#message"), "what is said unasked")
    person.click("#ask-drift")
    person.wait_for(lambda: "speaks for it" in text(person, "#drift"), "advice")
    person.click("#take-drift")
    person.wait_for(lambda: person.page.locator("#feature-standardise input").is_checked(), "the switch")
    assert text(person, "#drift") == ""
    person.wait_for_segmentation()


def test_which_features_matter_is_asked_again_once_the_server_answers(people, server):
    person = people(server.url, expect_offline=True)
    draw_two(person)
    person.loses_the_server()
    person.click("#tab-learn")
    person.wait_for(lambda: "does not answer" in text(person, "#importance-note"), "that the server is away")
    person.context.set_offline(False)
    person.wait_for(lambda: person.page.locator("#importance tbody tr").count() > 4, "the table")
    assert text(person, "#importance-note").startswith("Click a name")
