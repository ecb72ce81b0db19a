"""Keys act on the image, whatever was clicked before; only who means it renames; messages are not in the way."""

import pytest

from tests.support.page import GLAND, halves

CONTROLS = """() => [...document.querySelectorAll("button, input, select, summary, label, .class-name, [role=radio]")]
  .filter((one) => one.checkVisibility() && !one.disabled && !one.closest("dialog, [popover]"))
  .map((one, index) => { one.dataset.control = index; return one.id || one.className || one.textContent; })"""


def controls(person):
    return list(enumerate(person.page.evaluate(CONTROLS)))


def test_after_a_click_on_any_control_space_moves_the_image(person):
    person.draw_and_wait(*GLAND)
    person.tab("learn")
    choosers = []
    person.page.on("filechooser", lambda chooser: choosers.append(chooser))
    names = [name for _, name in controls(person)]
    assert len(names) > 30
    for number, name in enumerate(names):
        opened = len(choosers)
        control = person.page.locator(f'[data-control="{number}"]').first
        if not control.is_visible() or not control.is_enabled():
            continue
        if control.evaluate("control => control.tagName") == "SELECT":
            control.select_option(index=0)  # its list is the browser's own, which a choice closes
        else:
            control.click()
        dialogs = person.page.locator("dialog[open]")
        if dialogs.count():
            person.press("Escape")
            person.wait_for(lambda dialogs=dialogs: not dialogs.count(), "the dialog is closed")
        strokes, classes = len(person.strokes()), person.class_names()
        opened = len(choosers)
        assert person.moves_with_space(), name
        assert len(choosers) == opened, name
        assert not person.page.locator("dialog[open], [popover]:popover-open").count(), name
        assert (len(person.strokes()), person.class_names()) == (strokes, classes), name
        person.press("0")
    assert choosers


def test_space_presses_what_was_reached_by_tab(person):
    person.page.locator("#tool-pan").focus()
    person.press("Shift+Tab", " ")
    assert person.page.get_attribute("#tool-select", "aria-pressed") == "true"


def test_a_click_on_a_name_chooses_the_class_and_keys_go_to_the_image(person):
    person.page.locator(".class-name").nth(1).click()
    assert person.page.get_attribute(".class-row:nth-child(2) .class-choose", "aria-checked") == "true"
    person.press("1", "2")
    person.draw_and_wait(*GLAND)
    person.press("1")
    assert person.class_names() == ["Gland", "Other tissue"]
    assert person.stroke_counts() == [0, 1]
    assert person.page.get_attribute(".class-row:nth-child(1) .class-choose", "aria-checked") == "true"


@pytest.mark.parametrize("way", ["double click", "F2", "pencil"])
def test_a_class_is_renamed_by_who_means_it(person, way):
    name = person.page.locator(".class-name").nth(1)
    if way == "double click":
        name.dblclick()
    elif way == "F2":
        person.press("2", "F2")
    else:
        person.page.locator(".class-row").nth(1).hover()
        person.page.locator(".rename").nth(1).click()
    person.page.keyboard.type("Void 2")
    person.draw_and_wait(*GLAND)
    assert person.class_names() == ["Gland", "Void 2"]
    person.press("1")
    assert person.class_names() == ["Gland", "Void 2"]
    person.wait_until_saved()
    person.page.reload()
    person.wait_until_ready()
    assert person.class_names() == ["Gland", "Void 2"]


def test_drawing_takes_the_focus_from_what_was_typed(person):
    person.tab("learn")
    person.page.locator("#sigma-max").click()
    person.draw_and_wait(*GLAND)
    person.press("2")
    assert person.page.input_value("#sigma-max") == "16"
    assert person.page.get_attribute(".class-row:nth-child(2) .class-choose", "aria-checked") == "true"


def test_a_stroke_under_a_message_is_drawn(person, tmp_path):
    (tmp_path / "nothing.png").write_bytes(halves(tmp_path, "halves.png").read_bytes()[:60])
    person.upload(tmp_path / "nothing.png")
    person.wait_for(lambda: person.page.locator("#message.visible").count() == 1, "the message")
    box = person.page.locator("#message").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse = person.page.mouse
    mouse.move(x - 20, y)
    mouse.down()
    mouse.move(x + 20, y + 5, steps=5)
    mouse.up()
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "the stroke")


@pytest.mark.parametrize("opener", ["#session-menu-button", ".swatch"])
def test_a_click_that_closes_what_is_open_draws_nothing(person, opener):
    person.page.locator(opener).first.click()
    person.page.mouse.click(600, 400)
    person.wait_for(lambda: not person.page.locator("[popover]:popover-open").count(), "closed")
    person.draw_and_wait(*GLAND)
    assert [stroke["path"].count("L") > 0 for stroke in person.strokes()] == [True]
