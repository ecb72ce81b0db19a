"""Alt + click says why a pixel has its class, draws nothing, and leads to the stroke that decided."""

from tests.support.page import GLAND, draw_two


def test_alt_and_a_click_explain_and_lead_to_the_stroke(person):
    draw_two(person)
    before = person.stroke_counts()
    (at,) = person.on_screen([GLAND[1]])
    person.page.keyboard.down("Alt")
    person.page.mouse.click(*at)
    person.page.keyboard.up("Alt")
    person.page.wait_for_selector("#explanation:not([hidden]) .explained button")
    text = person.page.inner_text("#explanation")
    assert "Why “Gland”?" in text
    assert "Features that decided" in text
    assert person.stroke_counts() == before
    person.page.locator("#explanation .explained button").first.click()
    person.wait_for(lambda: not person.page.locator("#explanation").is_visible(), "the card is gone")
    selected = person.within("({ session }) => session.drawing.selection.stroke?.class_id")
    assert selected == 1
    person.press("Delete")
    person.wait_for(lambda: person.stroke_counts() == [0, 1], "the stroke is gone")
