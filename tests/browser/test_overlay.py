"""How the segmentation is seen: filled, outlined, and as opaque as each class is to be."""

import numpy as np
from playwright.sync_api import expect

from tests.support.page import halves, wait_for_image


def test_classes_are_filled_or_outlined_each_as_opaque_as_chosen(person, tmp_path):
    page = person.page
    person.upload([halves(tmp_path, "halves.png")])
    wait_for_image(person, "halves.png")
    bare = {place: person.colour_at(place) for place in ((25, 30), (80, 30))}
    person.draw_and_wait((10, 10), (10, 50))
    person.press("2")
    person.draw_and_wait((90, 10), (90, 50))
    person.wait_for_segmentation()
    page.mouse.move(5, 5)

    def is_bare(place):
        return np.abs(np.subtract(person.colour_at(place), bare[place])).max() < 4

    person.wait_for(lambda: not is_bare((25, 30)) and not is_bare((80, 30)), "both filled")
    person.click("#opacity-more")
    page.get_by_label("Opacity of Class 1").fill("0")
    person.wait_for(lambda: is_bare((25, 30)) and not is_bare((80, 30)), "the second alone")
    page.select_option("#overlay-style", "outlines")
    person.wait_for(lambda: is_bare((80, 30)), "not filled")
    (left, y), (right, _) = person.on_screen([(49, 30), (51, 30)])
    strip = person.screenshot()[int(y), int(left) : int(right)].astype(int)
    colour = person.within("({ session }) => session.state.classes[1].colour")
    wanted = [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
    assert (np.abs(strip - wanted).max(axis=1) < 4).any()
    page.reload()
    person.wait_until_ready()
    wait_for_image(person, "halves.png")
    assert page.input_value("#overlay-style") == "outlines"
    page.select_option("#overlay-style", "both")
    person.wait_for(lambda: not is_bare((80, 30)), "filled too")
    page.keyboard.down("x")
    person.wait_for(lambda: is_bare((80, 30)), "bare while X is down")
    page.keyboard.up("x")
    person.wait_for(lambda: not is_bare((80, 30)), "seen again")
    page.select_option("#layer", "uncertainty")
    person.wait_for(lambda: page.locator("#legend").is_visible(), "a legend")
    expect(page.locator("#overlay-style")).to_be_hidden()
    page.select_option("#layer", "classes")
    expect(page.locator("#overlay-style")).to_be_enabled()
    assert page.input_value("#overlay-style") == "both"
