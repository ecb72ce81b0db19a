"""Several images in a session, as a person meets them: the strip, its keys, and what happens to strokes."""

import io
import json

import numpy as np
import pytest
import tifffile

import segmentation as seg
from tests.support.page import GLAND, halves, in_hand, names, wait_for_image

LAST_EVENT = "({ session }) => session.conversation.journal.at(-1).type"
CONVERSATIONS = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => name.endsWith("/converse")).map(({ startTime }) => startTime)"""
"""When the page asked the server, in ms."""

DARK, BRIGHT = [(10, 20), (25, 35)], [(70, 20), (85, 35)]


def strokes_shown(person):
    return person.page.locator(".thumb-strokes").all_text_contents()


@pytest.fixture
def series(tmp_path):
    return [halves(tmp_path, f"s{n}.png", turned=n == 2, noise=n) for n in (10, 2, 1)]


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_many_images_are_opened_at_once_and_segmented_from_the_strokes_on_all(people, server, size, series, tmp_path):
    person = people(server.url, size)
    assert not person.page.is_visible("#strip")
    (tmp_path / "notes.png").write_text("no image")
    person.upload([*series, tmp_path / "notes.png"])
    person.wait_for(lambda: len(names(person)) == 3, "three thumbnails")
    assert names(person) == ["s1.png", "s2.png", "s10.png"]
    wait_for_image(person, "s1.png")
    person.wait_for(lambda: person.page.locator("#message.visible").count() == 1)
    assert "1 of 4 files were not opened" in person.message
    assert "notes.png" in person.message

    person.draw_and_wait(*DARK)
    person.press("2")
    person.draw_and_wait(*BRIGHT)
    person.wait_for_segmentation()
    assert strokes_shown(person) == ["2", "", ""]
    held = []
    person.page.route("**/converse", lambda route: held.append(route))
    person.press(".")
    wait_for_image(person, "s2.png")
    assert person.status == "Segmenting what is shown…"
    for route in held:
        route.continue_()
    person.page.unroute("**/converse")
    person.wait_for_segmentation()
    first = tifffile.imread(io.BytesIO(person.download("segmentation.tif")))
    assert "Of “s2.png”, the image that is shown" in person.page.inner_text("#downloads-hint")
    assert (first[:, 60:] == 1).mean() > 0.9
    person.draw_and_wait(*DARK)
    person.wait_for_segmentation()

    images = [seg.read_image(tmp_path / name) for name in ("s1.png", "s2.png")]
    documents = {one["image"]["hash"]: one for one in session_strokes(person)}
    labels = [seg.rasterise(documents[image.hash]["strokes"], image.shape) for image in images]
    expected = seg.PixelClassifier().fit(images, labels)
    found = tifffile.imread(io.BytesIO(person.download("segmentation.tif")))
    assert (found == expected.predict(images[1])).all()


def session_strokes(person):
    """The strokes on each image that has any, as the server has them."""
    person.wait_until_saved()
    return json.loads(
        person.within(
            """async ({ session: { state, conversation: { journal, unnamed } }, load }) => {
              const { fold } = await load("journal/state.mjs");
              return JSON.stringify(state.images.map((image) => ({
                image, strokes: fold(journal, unnamed(), image.hash).strokes })));
            }"""
        )
    )


def test_keys_and_thumbnails_move_between_images_and_a_reload_comes_back_to_the_one_in_hand(person, series):
    person.upload(series)
    person.wait_for(lambda: len(names(person)) == 3, "three thumbnails")
    wait_for_image(person, "s1.png")
    person.press("PageDown", "PageDown", "PageDown")
    wait_for_image(person, "s10.png")
    person.press(",")
    wait_for_image(person, "s2.png")
    person.page.locator(".thumb-choose").first.click()
    wait_for_image(person, "s1.png")
    person.press("ArrowRight")
    wait_for_image(person, "s2.png")
    chosen = person.page.locator(".thumb-choose[aria-checked=true]")
    assert chosen.get_attribute("aria-label") == "s2.png: 0 strokes"
    assert chosen.evaluate("(element) => element === document.activeElement")
    before = person.page.locator("#stage").bounding_box()
    person.page.reload()
    person.page.wait_for_selector("#strip", state="visible")
    person.wait_until_ready()
    assert in_hand(person) == "s2.png"
    assert person.page.locator("#stage").bounding_box() == before


def test_an_image_is_removed_and_comes_back_with_its_strokes(person, series):
    person.upload(series)
    person.wait_for(lambda: len(names(person)) == 3, "three thumbnails")
    wait_for_image(person, "s1.png")
    person.draw_and_wait(*DARK)
    person.page.locator(".thumb-remove").first.click()
    assert "Its stroke goes along" in person.page.inner_text("#question")
    person.click("#question-no")
    assert len(names(person)) == 3
    person.page.locator(".thumb-remove").first.click()
    person.click("#question-yes")
    wait_for_image(person, "s2.png")
    assert names(person) == ["s2.png", "s10.png"]
    person.page.locator(".thumb-choose[aria-checked=true]").focus()
    person.press("Delete")
    person.wait_for(lambda: not person.page.is_visible("#strip"), "a single image needs no strip")
    person.press("Control+z", "Control+z")
    person.wait_for(lambda: len(names(person)) == 3, "all images")
    wait_for_image(person, "s1.png")
    assert person.stroke_counts() == [1, 0]


def test_images_with_other_channels_are_told_apart(person, tmp_path):
    person.upload([halves(tmp_path, "colour.png"), halves(tmp_path, "grey.png", grey=True)])
    person.wait_for(lambda: len(names(person)) == 2, "two thumbnails")
    wait_for_image(person, "colour.png")
    person.draw_and_wait(*DARK)
    assert person.page.inner_text("#images-note") == ""
    person.press(".")
    wait_for_image(person, "grey.png")
    assert person.page.inner_text("#images-note") == "Not learnt from here: 1 image with other channels."
    person.wait_for_status("Draw a squiggle in each of two classes")


def test_a_stroke_belongs_to_the_image_on_which_it_was_begun(person, tmp_path):
    """An upload that comes to its end during a stroke does not pull the image away from under the pen."""
    content = halves(tmp_path, "late.png").read_bytes()
    start, end = person.on_screen([(250, 60), (262, 75)])
    person.page.mouse.move(*start)
    person.page.mouse.down()
    person.page.mouse.move(*end, steps=4)
    person.within("({ images }, bytes) => images.open([new File([new Uint8Array(bytes)], 'late.png')])", list(content))
    person.wait_until_told("Opened late.png")
    assert in_hand(person) == "colon_glands.png"
    person.page.mouse.up()
    wait_for_image(person, "late.png")
    person.wait_for(lambda: "The sample has left" in person.message, "the sentence")
    person.press("Control+z")
    person.wait_for(lambda: strokes_shown(person) == ["1", ""], "the stroke on the sample")


def test_two_windows_each_with_an_image_in_hand_draw_at_the_same_time(people, server, series):
    first = people(server.url)
    first.upload(series[:2])
    first.wait_for(lambda: len(names(first)) == 2, "two thumbnails")
    wait_for_image(first, "s2.png")
    first.wait_until_saved()
    second = people(first.page.url)
    second.press("PageDown")
    wait_for_image(second, "s10.png")
    first.upload(series[2])
    wait_for_image(first, "s1.png")
    second.wait_for(lambda: len(names(second)) == 3, "the other's image")
    assert in_hand(second) == "s10.png"
    for number in range(6):
        y = 6 + 8 * number
        first.draw((10, y), (20, y))
        second.draw((60, y), (70, y))
        if number == 2:
            first.press("2")
            second.press("2")
    for person in (first, second):
        person.wait_for(lambda person=person: strokes_shown(person) == ["", "6", "6"], "all strokes")
        person.wait_for_segmentation()
    assert first.stroke_counts() == second.stroke_counts() == [3, 3]
    first.press("PageUp")
    wait_for_image(first, "s10.png")
    first.wait_for_segmentation()
    assert first.shares() == second.shares()


@pytest.mark.parametrize("stroke", [False, True], ids=["between strokes", "in the middle of a stroke"])
def test_an_image_that_another_window_removes_gives_way_to_one_that_is_segmented(people, server, series, stroke):
    first = people(server.url)
    first.upload(series[:2])
    wait_for_image(first, "s2.png")
    first.draw_and_wait(*DARK)
    first.press("2")
    first.draw_and_wait(*BRIGHT)
    first.wait_for_segmentation()
    second = people(first.page.url)
    second.press("PageDown")
    wait_for_image(second, "s10.png")
    second.wait_for_segmentation()
    second.within("({ session }) => clearTimeout(session.conversation.timer)")
    if stroke:
        second.page.mouse.move(*second.on_screen(DARK)[0])
        second.page.mouse.down()
        second.page.mouse.move(*second.on_screen(DARK)[1], steps=4)
    first.page.locator(".thumb-remove").last.click()
    first.wait_for(lambda: not first.page.is_visible("#strip"), "it is removed")
    first.wait_until_saved()
    second.within("({ session }) => session.segmentNow()")
    if stroke:
        second.wait_for(lambda: second.within(LAST_EVENT) == "image.remove", "the removal")
        before = len(second.page.evaluate(CONVERSATIONS))
        second.wait_for(lambda: len(second.page.evaluate(CONVERSATIONS)) == before + 3, "three questions more")
        assert np.diff(second.page.evaluate(CONVERSATIONS)[before:]).min() > 1000
        assert in_hand(second) == "s10.png"
        second.page.mouse.up()
        second.wait_for(lambda: "That image was removed in another window" in second.message, "what became of it")
    wait_for_image(second, "s2.png")
    second.wait_for_segmentation()
    assert stroke or not second.page.is_visible("#message.visible")
    assert first.shares() == second.shares()


def test_strokes_that_could_not_be_sent_survive_a_reload(people, server):
    person = people(server.url, expect_offline=True)
    person.draw_and_wait(*GLAND)
    person.wait_until_saved()
    person.context.route("**/converse", lambda route: route.abort())
    person.press("2")
    person.draw_and_wait((60, 250), (75, 262))
    person.draw_and_wait((60, 300), (75, 312))
    person.wait_for(lambda: "2 changes are kept here" in person.connection, "the reconnecting sign")
    person.page.reload()
    person.page.wait_for_selector("html[data-ready=true]")
    person.context.unroute("**/converse")
    person.wait_for_segmentation()
    assert person.stroke_counts() == [1, 2]
    other = people(person.page.url)
    assert other.stroke_counts() == [1, 2]


def test_a_browser_that_cannot_store_strokes_says_so(people, server):
    person = people(server.url, expect_offline=True)
    person.page.evaluate(
        "() => { Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }; }"
    )
    person.context.route("**/converse", lambda route: route.abort())
    person.draw_and_wait(*GLAND)
    person.wait_for(lambda: "only in this window" in person.connection, "the warning")
    person.context.unroute("**/converse")
    person.wait_until_saved()


def test_a_second_file_with_the_same_pixels_says_so_and_both_names_are_kept(people, server, tmp_path):
    person = people(server.url)
    first = halves(tmp_path, "a.png", noise=1)
    second = tmp_path / "b.png"
    second.write_bytes(first.read_bytes())
    person.upload(first)
    wait_for_image(person, "a.png")
    person.upload(second)
    wait_for_image(person, "a.png, also b.png")
    person.wait_until_told("Opened b.png")
    assert "“b.png” has the same pixels as “a.png”" in person.message
    person.upload(second)
    person.wait_until_told("Opened b.png")
    person.page.reload()
    wait_for_image(person, "a.png, also b.png")
