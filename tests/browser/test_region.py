"""Only here: a person outlines what is worked on."""

from playwright.sync_api import expect


def outlined(person):
    return [stroke["kind"] for stroke in person.strokes() if stroke["class_id"] == 256]


def segmented_pixels(person):
    texts = person.page.locator(".class-segmented").all_inner_texts()
    return sum(int(text.split()[0].replace(",", "")) for text in texts if text)


def test_what_is_outlined_is_worked_on_and_nothing_else(person):
    page = person.page
    person.draw_and_wait((100, 90), (160, 100))
    person.press("2")
    person.draw_and_wait((100, 260), (160, 270))
    person.wait_for_segmentation()
    assert segmented_pixels(person) == 512 * 512
    person.press("i")
    person.draw((60, 40), (300, 60), (320, 300), (90, 280), (60, 40))
    person.wait_for(lambda: outlined(person) == ["polygon"], "outlined")
    person.wait_for(lambda: segmented_pixels(person) < 512 * 512 / 3, "the part alone")
    assert page.inner_text("#region-text") == "Only within 1 outline"
    assert person.stroke_counts() == [1, 1]

    # a rectangle that is selected becomes one too; the eraser takes one at its rim
    person.press("r")
    person.draw_and_wait((350, 200), (450, 280))
    person.press("v")
    page.mouse.click(*person.on_screen([(400, 240)])[0])
    person.press("i")
    person.wait_for(lambda: outlined(person) == ["polygon", "rectangle"], "two outlines")
    page.mouse.click(*person.on_screen([(400, 250)])[0])
    assert person.within("({ session }) => session.drawing.selection.id") is None
    person.press("e")
    page.keyboard.down("Shift")
    page.mouse.click(*person.on_screen([(400, 200)])[0])
    page.keyboard.up("Shift")
    person.wait_for(lambda: outlined(person) == ["polygon"], "one outline")

    person.click("#leave-region")
    expect(page.locator("#region")).to_be_hidden()
    person.wait_for(lambda: segmented_pixels(person) == 512 * 512, "all of it")
    person.press("Control+z")
    person.wait_for(lambda: outlined(person) == ["polygon"], "undone")
    person.click("#clear")  # what is drawn goes, where it is worked on stays
    person.wait_for(lambda: person.stroke_counts() == [0, 0], "no strokes")
    assert outlined(person) == ["polygon"]
    page.reload()
    person.wait_until_ready()
    expect(page.locator("#region-text")).to_have_text("Only within 1 outline")
