"""What else the page promises: tools, keys, sentences for what cannot work, no lost strokes."""

import datetime

import numpy as np
import pytest
from PIL import Image

from segmentation.strokes.classes import DEFAULT_COLOURS, parse_colour
from tests.support.page import GLAND, THIRD, TISSUE, draw_two
from tests.support.server import Server

PROMISED_MS, STEP_MS = 2000, 50
"""The time that passes in the page until a stroke is seen there, whatever time the machine takes for its part."""


def test_every_drawing_tool_labels_and_the_eraser_with_shift_takes_single_strokes(person):
    for key, points in (
        ("d", GLAND),
        ("r", [(100, 100), (140, 130)]),
        ("o", [(200, 300), (240, 330)]),
        ("c", [(300, 300), (340, 300), (340, 340), (300, 340)]),
    ):
        person.press(key)
        person.draw_and_wait(*points)
    assert person.stroke_counts() == [4, 0]
    person.press("e")
    person.page.keyboard.down("Shift")
    person.page.mouse.click(*person.on_screen([(120, 115)])[0])
    person.wait_for(lambda: person.stroke_counts() == [3, 0], "one stroke erased")
    person.draw((180, 315), (260, 315))
    person.wait_for(lambda: person.stroke_counts() == [2, 0], "another erased by dragging across it")
    person.page.keyboard.up("Shift")
    person.press("Control+z")
    person.click("#clear")
    assert person.stroke_counts() == [0, 0]
    person.press("Control+z")
    assert person.stroke_counts() == [3, 0]
    person.press("Control+z")
    assert person.stroke_counts() == [4, 0]


def test_rapid_strokes_are_all_kept(person):
    for number in range(15):
        person.draw((40 + 25 * number, 100), (50 + 25 * number, 130))
    person.wait_for(lambda: person.stroke_counts() == [15, 0], "fifteen strokes")
    person.wait_until_saved()


def test_two_quick_clicks_are_two_dots(person):
    person.page.mouse.dblclick(*person.on_screen([(250, 60)])[0])
    person.press("2")
    person.page.mouse.dblclick(*person.on_screen([(60, 250)])[0])
    person.wait_for(lambda: person.stroke_counts() == [2, 2], "four dots")


HANDS_ON_A_BUSY_PAGE = """([x, y]) => {
  const pointer = { clientX: x, clientY: y, button: 0, pointerId: 1, bubbles: true };
  for (const type of ["pointerdown", "pointerup"]) {
    document.elementFromPoint(x, y).dispatchEvent(new PointerEvent(type, pointer));
  }
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "z", ctrlKey: true, bubbles: true }));
}"""
"""A dot, and its undo, which a browser that was busy meanwhile tells of at once."""


def test_undo_at_once_takes_the_dot_and_not_what_was_there_before(person):
    person.draw_and_wait((250, 60), (262, 75))
    (stroke,) = person.strokes()
    person.page.evaluate(HANDS_ON_A_BUSY_PAGE, person.on_screen([(60, 250)])[0])
    person.wait_until_saved()
    assert person.strokes() == [stroke]
    person.press("Control+y")
    person.wait_for(lambda: len(person.strokes()) == 2, "the dot")


def test_drawing_works_right_after_zooming(person):
    person.page.mouse.move(*person.on_screen([(256, 256)])[0])
    person.page.mouse.wheel(0, -480)
    person.page.mouse.down()
    person.page.mouse.move(700, 500, steps=4)
    person.page.mouse.up()
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "a stroke")
    person.wait_until_view_rests()
    start = person.within("({ session }) => session.state.strokes[0].path").split("L")[0][1:]
    x, y = (float(part) for part in start.split(","))
    assert (x, y) == pytest.approx((256, 256), abs=0.5)


def test_a_script_that_comes_late_finds_all_that_was_done(person):
    held = []
    person.context.route("**/journal/state.mjs", lambda route: held.append(route))
    person.page.reload(wait_until="commit")
    person.wait_for(lambda: held and person.page.evaluate("'DashRenderer' in window"), "all other scripts")
    assert person.page.locator("#page").count() == 0, "the page is laid out before it can react"
    held[0].continue_()
    person.context.unroute("**/journal/state.mjs")
    person.wait_until_ready()
    person.page.locator("#opacity").focus()
    person.press("ArrowRight")
    person.wait_for(lambda: person.page.inner_text("#opacity-value") == "51 %", "the opacity")
    person.draw_and_wait((20, 20), (40, 40))


def test_enter_deletes_nothing_in_a_dialog_that_deletes(person):
    person.draw_and_wait(*GLAND)
    person.page.locator(".remove").first.click()
    assert person.page.evaluate("document.activeElement.id") == "question-no"
    person.press("Enter")
    assert not person.page.is_visible("#question")
    assert person.class_names() == ["Gland", "Other tissue"]


def test_zoom_stays_when_strokes_and_segmentations_come(person):
    person.zoom((250, 80), 6)
    scale = person.scale()
    person.draw_and_wait((250, 70), (255, 80))
    person.press("2")
    person.draw_and_wait((240, 95), (250, 100))
    person.wait_for_segmentation()
    assert person.scale() == pytest.approx(scale)


def test_space_and_drag_moves_the_image_and_draws_nothing(person):
    assert person.moves_with_space()
    assert person.stroke_counts() == [0, 0]


def test_two_fingers_zoom_and_draw_nothing(people, server):
    person = people(server.url, "phone")
    scale = person.scale()
    client = person.context.new_cdp_session(person.page)

    def touch(kind, *points):
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", (180, 250))
    touch("touchMove", (182, 252))
    touch("touchStart", (182, 252), (220, 290))
    for step in range(10):
        touch("touchMove", (182 - 6 * step, 252 - 6 * step), (220 + 6 * step, 290 + 6 * step))
    touch("touchEnd")
    person.wait_until_view_rests()
    assert person.scale() > 1.5 * scale
    assert person.stroke_counts() == [0, 0]

    person.wait_for(lambda: not person.within("({ session }) => session.drawing.discarding"), "the fingers are up")
    touch("touchStart", (150, 200))
    for step in range(10):
        touch("touchMove", (150 + 8 * step, 200 + 3 * step))
    touch("touchEnd")
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "one finger draws")
    person.wait_until_saved()
    person.wait_until_page_asks_again()
    assert person.stroke_counts() == [1, 0]


def test_the_keys_do_what_the_help_says(person):
    person.press("2")
    assert person.page.get_attribute(".class-row:nth-child(2) .class-choose", "aria-checked") == "true"
    person.press("]")
    assert person.page.inner_text("#stroke-width-value") == "6 px"
    person.press("[", "[")
    assert person.page.inner_text("#stroke-width-value") == "4 px"
    person.press("e")
    assert person.page.get_attribute("#tool-erase", "aria-pressed") == "true"
    person.press("s")
    assert not person.page.is_checked("#switches input[value=shown]")
    person.press("?")
    assert person.page.is_visible("#help")
    for key in ("1 – 9", "Ctrl+Z", "Ctrl+Shift+Z", "Space"):
        assert key in person.page.inner_text("#help")
    person.press("Escape")
    assert not person.page.is_visible("#help")


def test_opacity_and_show_act_without_the_server(person):
    draw_two(person)
    person.context.set_offline(True)
    person.expect_offline = True
    rows, columns = np.mgrid[380:420:4, 180:220:4].reshape(2, -1)
    with_overlay, _ = person.look_at(rows, columns)
    person.page.locator("#opacity").fill("0")
    person.wait_for(lambda: np.abs(with_overlay - person.look_at(rows, columns)[0]).max() > 20, "no overlay")
    without, _ = person.look_at(rows, columns)
    person.page.locator("#opacity").fill("50")
    person.wait_for(lambda: (person.look_at(rows, columns)[0] == with_overlay).all(), "the overlay")
    person.press("Escape")
    person.page.locator("#stage").hover()
    person.press("s")
    person.wait_for(lambda: (person.look_at(rows, columns)[0] == without).all(), "no overlay")
    person.context.set_offline(False)


def test_without_live_update_a_button_segments_once(person):
    person.press("l")
    person.draw_and_wait(*GLAND)
    person.press("2")
    person.draw_and_wait(*TISSUE)
    person.wait_until_saved()
    assert person.wait_until_page_asks_again()["segment"] is None
    assert person.shares() == []
    person.click("#segment-now")
    person.wait_for_segmentation()
    before = person.shares()
    assert len(before) == 2
    person.draw_and_wait(*THIRD)
    person.wait_until_saved()
    assert person.wait_until_page_asks_again()["segment"] is None
    assert not person.status.startswith("Segmenting")
    person.press("l")
    person.wait_for(lambda: person.shares() != before, "live again")


def test_what_is_missing_is_said(person):
    person.wait_for_status("Draw a squiggle in each of two classes")
    person.draw_and_wait(*GLAND)
    person.wait_for_status("only “Gland” has strokes")
    person.page.locator(".remove").nth(1).click()
    person.click("#question-yes")
    person.wait_for_status("add a second class")
    assert person.page.is_disabled("#download-segmentation-png")
    assert person.page.is_enabled("#download-strokes-json")


def test_a_file_that_is_no_image_is_refused_and_all_stays(person, tmp_path):
    draw_two(person)
    before = person.shares()
    (tmp_path / "drawing.png").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    person.upload(tmp_path / "drawing.png")
    person.wait_for(lambda: person.page.locator("#message.visible").count() == 1)
    assert "SVG" in person.message
    said = person.page.inner_text("#status")
    assert ("SVG" in said, "The image before is still here." in said) == (True, True), said
    assert person.page.inner_text("#image-name") == "colon_glands.png"
    assert person.shares() == before


def test_an_image_is_dropped_onto_the_page(person, tmp_path):
    Image.fromarray(np.arange(64 * 48, dtype=np.uint8).reshape(48, 64)).save(tmp_path / "dropped.png")
    content = (tmp_path / "dropped.png").read_bytes()
    transfer = person.page.evaluate_handle(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
          return transfer;
        }""",
        list(content),
    )
    for kind in ("dragenter", "dragover", "drop"):
        person.page.dispatch_event("#stage", kind, {"dataTransfer": transfer})
    person.wait_for(lambda: person.page.inner_text("#image-name") == "dropped.png", "the dropped image")
    assert "64 × 48, grey, uint8" in person.page.inner_text("#image-facts")


def test_strokes_drawn_while_the_server_is_dead_arrive_when_it_is_back(people, tmp_path):
    server = Server(tmp_path)
    server.start()
    try:
        person = people(server.url, expect_offline=True)
        person.draw_and_wait(*GLAND)
        person.wait_until_saved()
        server.kill()
        person.press("2")
        person.draw_and_wait(*TISSUE)
        person.wait_for(lambda: "Reconnecting" in person.connection, "the reconnecting sign")
        server.start()
        person.wait_for_segmentation()
        person.page.reload()
        person.wait_until_ready()
        assert person.stroke_counts() == [1, 1]
    finally:
        server.stop()


def test_two_windows_on_one_session_see_each_other(people, server):
    first = people(server.url)
    second = people(first.page.url)
    first.draw_and_wait(*GLAND)
    second.wait_for(lambda: second.stroke_counts() == [1, 0], "the other's stroke")
    second.press("2")
    second.draw_and_wait(*TISSUE)
    first.wait_for(lambda: first.stroke_counts() == [1, 1], "the other's stroke")
    first.wait_for_segmentation()
    second.wait_for_segmentation()
    assert first.shares() == second.shares()


@pytest.mark.parametrize("where", ["server", "two_servers"])
def test_a_stroke_is_on_the_others_screen_within_two_seconds(people, request, where):
    first = people(request.getfixturevalue(where).url)
    second = people(first.page.url)
    second.page.clock.install(time=0)
    second.page.reload()
    second.wait_until_ready()
    second.wait_until_painted()
    second.page.clock.pause_at(datetime.timedelta(hours=1).total_seconds())
    colour = parse_colour(DEFAULT_COLOURS[0])
    for x in (60, 180, 300, 420):
        assert second.colour_at((x, 100)) != pytest.approx(colour, abs=3)
        first.draw_and_wait((x, 80), (x, 120))
        first.wait_until_saved()
        passed = 0
        while second.colour_at((x, 100)) != pytest.approx(colour, abs=3):
            assert passed < PROMISED_MS, "the other's stroke"
            second.page.clock.run_for(STEP_MS)
            passed += STEP_MS
            second.wait_for(lambda: second.within("({ session }) => !session.conversation.exchanging"), "the answer")


WHOLE_STATUS = """() => {
  const status = document.getElementById("status"), text = document.createRange();
  text.selectNodeContents(status);
  return [status, text].map((one) => one.getBoundingClientRect().toJSON());
}"""


@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_one_screen_without_scrolling_in_light_and_dark(people, server, size, scheme):
    person = people(server.url, size, color_scheme=scheme)
    sizes = (
        "() => [document.documentElement.scrollWidth, innerWidth, document.documentElement.scrollHeight, innerHeight]"
    )
    scroll_width, width, scroll_height, height = person.page.evaluate(sizes)
    assert scroll_width <= width
    assert scroll_height <= height
    for part in ("#header", "#stage", "#status-bar", "#toolbar", "#panel"):
        box = person.page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    for narrow in {width, 1024} if size == "desktop" else {width}:
        person.page.set_viewport_size({"width": narrow, "height": height})
        person.within("async ({ load }, text) => (await load('page/status.mjs')).showStatus(text, null)", "Long. " * 50)
        status, text = person.page.evaluate(WHOLE_STATUS)
        assert status["top"] <= text["top"] < text["bottom"] <= status["bottom"] <= height
        assert text["width"] <= status["width"]
    background = person.screenshot()[20, 5].mean()
    assert (background < 90) == (scheme == "dark")
    person.click("#theme")
    person.wait_for(lambda: (person.screenshot()[20, 5].mean() < 90) == (scheme == "light"), "the other theme")


def test_the_whole_panel_can_be_reached_in_a_low_window(person):
    person.page.set_viewport_size({"width": 1366, "height": 600})
    person.tab("home")
    person.page.locator("#download-shares-csv").scroll_into_view_if_needed()
    box = person.page.locator("#download-shares-csv").bounding_box()
    assert box["y"] + box["height"] <= 600


def test_a_link_that_leads_nowhere_offers_a_new_session(people, server):
    person = people(server.url)
    person.page.goto(f"{server.url}/s/garbage")
    person.wait_for(lambda: "no session" in person.status, "the sentence")
    person.page.click("#message button")
    person.page.wait_for_url(lambda url: "/s/" in url and "garbage" not in url)
    person.wait_until_ready()
    person.page.goto(f"{server.url}/nothing")
    person.page.wait_for_url("**/s/*")
    person.wait_until_ready()


def test_what_is_typed_into_a_name_is_taken_back_by_escape_and_undo(person):
    name = person.page.locator(".class-name").first
    for key in ("Escape", "Control+z"):
        name.dblclick()
        person.page.keyboard.type("x")
        name.press(key)
        name.blur()
        assert person.class_names() == ["Gland", "Other tissue"]


def test_without_live_update_the_page_says_that_it_is_behind(person):
    draw_two(person)
    person.press("l")
    person.draw_and_wait(*THIRD)
    person.wait_for_status("Not segmented since the last change")
    person.press("Enter")
    person.wait_for_segmentation()


def test_a_stroke_beside_the_image_is_refused_and_one_in_a_hidden_class_shows_it(person):
    person.draw((-60, 100), (-20, 140))
    person.wait_for(lambda: person.page.locator("#message.visible").count() == 1)
    assert "beside the image" in person.message
    assert person.stroke_counts() == [0, 0]
    person.page.locator(".hide").first.click()
    person.draw_and_wait(*GLAND)
    assert person.page.get_attribute(".class-row .hide", "aria-pressed") == "false"
