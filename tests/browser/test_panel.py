"""The panel beside the image: the classes have the room, what hardly anybody changes is folded."""

import pytest

from tests.support.page import draw_two


def wholly_seen(person, selector):
    """How many such elements are seen from top to bottom, neither scrolled away nor covered."""
    return person.page.evaluate(
        """(selector) => [...document.querySelectorAll(selector)].filter((one) => {
             const { left, top, bottom } = one.getBoundingClientRect();
             return [top + 1, bottom - 1].every((y) => one.contains(document.elementFromPoint(left + 12, y)));
           }).length""",
        selector,
    )


@pytest.mark.parametrize(("width", "height", "seen"), [(1440, 900, 6), (1024, 768, 5)])
def test_six_classes_have_the_room(person, width, height, seen):
    person.page.set_viewport_size({"width": width, "height": height})
    for _ in range(4):
        person.click("#add-class")
    person.wait_for(lambda: person.page.locator(".class-row").count() == 6, "six classes")
    person.wait_for(lambda: wholly_seen(person, ".class-row") >= seen, f"{seen} classes seen")


def test_a_tab_opens_and_folds_again(person):
    draw_two(person)
    assert not person.page.locator("#forest-trees").is_visible()
    person.click("#tab-learn")
    assert person.page.locator("#sigma-min").is_visible()
    assert wholly_seen(person, ".class-row") == 2
    person.click("#tab-home")
    assert not person.page.locator("#sigma-min").is_visible()
    assert person.page.locator("#downloads").is_visible()
    person.click("#tab-home")
    assert not person.page.locator("#downloads").is_visible()
    person.page.focus("#tab-learn")
    person.press("ArrowRight", "Enter")
    assert not person.page.locator("#downloads").is_visible()


OLDER_FOREST = """({ session }) => {
  const { range_steps: _, image_ranges: __, range_margin: ___, ...forest } = session.state.forest;
  session.append({ type: "settings.change", forest: { ...forest, n_estimators: 37 } });
}"""


def test_what_has_no_control_stays_as_an_older_session_has_it(person):
    forest = """({ session }) => {
      const { n_estimators, range_steps, image_ranges, range_margin } = session.state.forest;
      return [n_estimators, range_steps, image_ranges, range_margin];
    }"""
    person.within(OLDER_FOREST)
    assert person.within(forest) == [37, 8, False, 0]
    person.tab("learn")
    person.wait_for(lambda: person.page.input_value("#forest-trees") == "37", "the setting in its control")
    person.page.fill("#forest-trees", "41")
    person.press("Tab")
    person.wait_for(lambda: person.within(forest)[0] == 41, "what was typed")
    assert person.within(forest) == [41, 8, False, 0]


SCROLLING = """() => [document.querySelector("#panel"), ...document.querySelectorAll("#panel *")].filter((one) => (
  ["auto", "scroll"].includes(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1
    && one.clientHeight > 0
)).map((one) => one.id)"""


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_no_scroll_bar_lies_within_another(person, width, height):
    person.page.set_viewport_size({"width": width, "height": height})
    draw_two(person)
    person.wait_for_segmentation()
    person.tab("objects")
    person.wait_for(lambda: "median area" in person.page.inner_text("#objects-text"), "measured")
    assert person.page.evaluate(SCROLLING) == ["object-body"]
    for name in ("learn", "home"):
        person.tab(name)
        assert person.page.evaluate(SCROLLING) == ["panel"]
        assert wholly_seen(person, f"#tab-{name}") == 1
    assert person.page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0, "the page itself stays"
    head, button = (person.page.locator(f"#panel-classes {one}").bounding_box() for one in ("h2", "#open-classifier"))
    assert button["x"] - head["x"] - head["width"] >= 8


def test_on_a_phone_all_tools_are_in_sight(people, server):
    person = people(server.url, "phone")
    toolbar = person.page.locator("#toolbar").bounding_box()
    tools = [one.bounding_box() for one in person.page.locator("#toolbar button:visible").all()]
    assert len(tools) == 13
    assert all(one["x"] >= toolbar["x"] and one["x"] + one["width"] <= toolbar["width"] for one in tools)
    assert min(one["width"] for one in tools) >= 24


def test_nothing_that_scrolls_by_lies_over_the_tabs(person):
    person.click("#tab-learn")
    person.page.evaluate("document.getElementById('sigma-min').scrollIntoView({ block: 'start' })")
    on_top, apart = person.page.evaluate(
        """() => {
          const [tabs, field] = ["tabs", "sigma-min"].map((id) => document.getElementById(id));
          const { left, top, width, height } = field.getBoundingClientRect();
          const found = document.elementFromPoint(left + width / 2, top + height / 2);
          return [tabs.contains(found), Math.abs(top - tabs.getBoundingClientRect().top)];
        }"""
    )
    assert apart < 30
    assert on_top


def test_a_section_that_opens_leaves_three_classes_and_begins_at_its_top(person):
    person.page.set_viewport_size({"width": 1024, "height": 768})
    draw_two(person)
    person.click("#add-class")
    person.wait_for(lambda: person.page.locator(".class-row").count() == 3, "three classes")
    person.tab("learn")
    assert wholly_seen(person, ".class-row") == 3
    person.page.locator("#forest-trees").scroll_into_view_if_needed()
    assert wholly_seen(person, ".class-row") == 0
    person.tab("home")
    assert wholly_seen(person, "#downloads .download:first-child") == 1
    tabs, section = (person.page.locator(one).bounding_box() for one in ("#tabs", "#panel-home"))
    assert abs(section["y"] - tabs["y"] - tabs["height"]) < 1


def test_on_a_phone_what_is_told_first_covers_no_picture(people, server):
    person = people(server.url, "phone")
    person.wait_for_status("Draw a squiggle in each of two classes")
    stage, status = (person.page.locator(one).bounding_box() for one in ("#stage", "#status"))
    assert status["y"] >= stage["y"] + stage["height"]
