"""What the hand did is what is labelled: at each zoom, for thin strokes, dots, and parts that the eraser takes."""

import json

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

import segmentation as seg
from segmentation.strokes.classes import DEFAULT_COLOURS, parse_colour
from tests.support.page import GLAND, wait_for_image
from tests.support.person import within

COLOUR = np.array(parse_colour(DEFAULT_COLOURS[0]))
OTHER_COLOUR = np.array(parse_colour(DEFAULT_COLOURS[1]))


def own_image(person, folder, shape, value=0):
    """An image of one colour is opened."""
    Image.fromarray(np.full(shape, value, np.uint8)).save(folder / f"plain{value}.png")
    person.upload(folder / f"plain{value}.png")
    wait_for_image(person, f"plain{value}.png")
    person.wait_until_painted()


def scribble(count, middle, size):
    """What a hand does: many places, close to each other, on a way that bends."""
    t = np.linspace(0, 1, count)
    x = middle[0] + size * (t - 0.5) + 0.03 * size * np.sin(37 * t)
    y = middle[1] + 0.3 * size * np.sin(9 * t) + 0.04 * size * np.cos(53 * t)
    return list(zip(x.tolist(), y.tolist(), strict=True))


def distances(points, stroke):
    """How far each of some points lies from the path of a stroke."""
    path = np.array([list(map(float, pair.split(","))) for pair in stroke["path"][1:].split("L")])
    starts, ends = path[:-1, None], path[1:, None]
    ways = ends - starts
    places = np.array(points)[None]
    lengths = np.maximum((ways**2).sum(axis=-1), 1e-12)
    share = np.clip(((places - starts) * ways).sum(axis=-1) / lengths, 0, 1)
    return np.hypot(*np.moveaxis(places - starts - share[..., None] * ways, -1, 0)).min(axis=0)


def is_coloured(picture, colour=COLOUR):
    return np.abs(picture.astype(int) - colour).max(axis=-1) < 40


def test_on_a_large_image_the_stroke_is_what_the_pointer_did(person, tmp_path):
    own_image(person, tmp_path, (2600, 3000))
    scale = person.scale()
    assert scale < 0.5
    places = scribble(200, (1500, 1300), 1600)
    person.gesture(places)
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "the stroke")
    (stroke,) = person.strokes()
    assert distances(places, stroke).max() <= max(0.25, 0.5 / scale) + 0.01
    assert stroke["path"].count("L") < len(places)
    assert stroke["width"] * scale == pytest.approx(8, abs=0.5)


def test_the_same_gesture_labels_the_same_at_each_zoom(person):
    places = scribble(120, (256, 250), 160)
    person.press("]")
    for clicks in (0, 5, -8):
        person.zoom((256, 250), clicks)
        before = len(person.strokes())
        person.gesture(places)
        person.wait_for(lambda before=before: len(person.strokes()) == before + 1, "the stroke")
    drawn = [seg.rasterise([stroke], (512, 512)) > 0 for stroke in person.strokes()]
    wanted = seg.rasterise([{"cls": 1, "points": places, "width": person.strokes()[0]["width"]}], (512, 512)) > 0
    for labelled in drawn:
        off = ndimage.distance_transform_edt(~wanted)[labelled].max()
        missed = ndimage.distance_transform_edt(~labelled)[wanted].max()
        assert max(off, missed) <= 2
        assert (labelled & wanted).sum() / (labelled | wanted).sum() > 0.9


def test_nothing_jumps_when_the_button_is_released(person, tmp_path):
    own_image(person, tmp_path, (500, 500), 128)
    person.draw_and_wait((20, 20), (40, 40))  # the hint goes with it
    places = person.on_screen(scribble(60, (250, 250), 200))
    mouse = person.page.mouse
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place)
    person.wait_for(lambda: is_coloured(person.screenshot()).sum() > 500, "what is drawn is seen")
    before = person.screenshot().astype(int)
    mouse.up()
    person.wait_for(lambda: person.stroke_counts() == [2, 0], "the stroke")
    person.wait_until_painted()
    box = person.page.locator("#stage").bounding_box()
    part = tuple(
        slice(int(box[side]), int(box[side] + box[length])) for side, length in (("y", "height"), ("x", "width"))
    )
    changed = (np.abs(person.screenshot().astype(int) - before).max(axis=-1) > 90)[part]
    assert changed.sum() < 0.01 * is_coloured(before)[part].sum()


def test_a_click_makes_a_dot_and_a_short_stroke_is_kept(person):
    x, y = person.on_screen([(250, 60)])[0]
    person.page.mouse.click(x, y)
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "the dot")
    (dot,) = person.strokes()
    assert "L" not in dot["path"]
    rows, columns = np.nonzero(seg.rasterise([dot], (512, 512)))
    assert np.ptp(rows) == np.ptp(columns) == 4
    assert (
        np.abs(np.array(person.colour_at((250, 60))) - COLOUR).max() < 4
        or person.within("({ session }) => session.drawing.ring.element.style.display") == "block"
    )
    person.page.mouse.move(x + 200, y + 200)
    person.wait_until_painted()
    assert np.abs(np.array(person.colour_at((250, 60))) - COLOUR).max() < 4
    person.page.mouse.move(x + 200, y + 200)
    person.page.mouse.down()
    person.page.mouse.move(x + 203, y + 204, steps=3)
    person.page.mouse.up()
    person.wait_for(lambda: person.stroke_counts() == [2, 0], "the short stroke")
    person.wait_until_saved()
    document = json.loads(person.download("strokes.json"))
    assert [stroke["path"] for stroke in document["strokes"]] == [stroke["path"] for stroke in person.strokes()]


@pytest.mark.parametrize("value", [0, 255])
def test_thin_strokes_are_seen_on_black_and_on_white(person, tmp_path, value):
    own_image(person, tmp_path, (1200, 1200), value)
    person.press(*["["] * 20)
    assert person.brush_width() == 1
    person.gesture([(300, 600), (900, 600)])
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "the stroke")
    person.page.mouse.move(*person.on_screen([(600, 300)])[0])
    person.wait_until_painted()
    x, y = map(int, person.on_screen([(600, 600)])[0])
    profile = person.screenshot()[y - 12 : y + 12, x].astype(int)
    assert is_coloured(profile).sum() >= 2
    above, below = profile[:12], profile[12:]
    for side in (above, below):
        assert side.max(axis=1).min() < 90, "a dark rim"
        assert side.min(axis=1).max() > 180, "a light rim"


def test_the_ring_follows_the_wheel_and_stays_after_a_stroke(person):
    person.press("]")
    width = person.brush_width()
    ring = person.page.locator("#ring")
    x, y = person.on_screen([(256, 256)])[0]

    def fits():
        box = ring.bounding_box()
        return (
            box is not None
            and box["width"] == pytest.approx(width * person.within("({ session }) => session.viewport.scale"), abs=0.1)
            and (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) == pytest.approx((x, y), abs=0.6)
        )

    person.page.mouse.move(x, y)
    assert fits()
    sizes = [ring.bounding_box()["width"]]
    for _ in range(3):
        person.page.mouse.wheel(0, -240)
        person.wait_for(lambda: ring.bounding_box()["width"] > sizes[-1] and fits(), "the ring has grown")
        sizes.append(ring.bounding_box()["width"])
    person.wait_until_view_rests()
    person.page.mouse.down()
    x, y = x + 40, y + 10
    person.page.mouse.move(x, y, steps=4)
    person.page.mouse.up()
    person.wait_for(lambda: person.stroke_counts() == [1, 0], "the stroke")
    person.wait_until_saved()
    assert fits()


def test_the_width_follows_the_zoom_until_it_is_chosen(person):
    before = person.brush_width()
    person.zoom((256, 256), 6)
    assert 1 <= person.brush_width() < before
    person.zoom((256, 256), -6)
    assert person.brush_width() == before
    person.page.locator("#stroke-width").fill("40")
    assert person.page.get_attribute("#stroke-width", "max") == "128"
    person.zoom((256, 256), 6)
    assert person.brush_width() == 40
    person.draw_and_wait((256, 256), (260, 256))
    assert person.strokes()[0]["width"] == 40


def test_strokes_on_a_screen_of_twice_the_density_are_right(people, server):
    person = people(server.url, device_scale_factor=2)
    places = scribble(80, (256, 250), 160)
    person.gesture(places)
    person.page.mouse.click(*person.on_screen([(100, 100)])[0])
    person.press("r")
    person.draw((300.3, 400.7), (340.1, 420.2))
    person.wait_for(lambda: person.stroke_counts() == [3, 0], "the strokes")
    person.wait_until_saved()
    assert distances(places, person.strokes()[0]).max() <= max(0.25, 0.5 / person.scale()) + 0.01
    document = json.loads(person.download("strokes.json"))
    assert len(document["strokes"]) == 3
    person.page.mouse.move(5, 5)
    person.wait_until_painted()
    assert person.colour_at((100, 100)) == pytest.approx(tuple(COLOUR), abs=3)


def test_the_eraser_takes_the_pixels_under_it_and_undo_brings_them_back(person):
    person.draw_and_wait((100, 100), (200, 100))
    person.press("e")
    assert person.page.inner_text("#stroke-width-label") == "Eraser width"
    eraser = person.brush_width()
    assert eraser > 5
    person.gesture([(150, 60), (150, 140)])
    person.wait_for(lambda: len(person.strokes()) == 2, "the eraser's stroke")
    person.wait_until_saved()
    assert person.stroke_counts() == [1, 0]
    document = json.loads(person.download("strokes.json"))
    assert [stroke["class_id"] for stroke in document["strokes"]] == [1, 0]
    labels = seg.rasterise(document["strokes"], (512, 512))
    whole = seg.rasterise(document["strokes"][:1], (512, 512))
    assert not labels[:, 150].any()
    assert labels.sum() == pytest.approx(whole.sum() * (1 - eraser / 105), rel=0.1)
    labelled = labels.sum()
    person.wait_for(lambda: f"{labelled} px" in person.page.locator(".class-facts").first.inner_text(), "the count")
    person.page.mouse.move(*person.on_screen([(300, 300)])[0])
    person.wait_until_painted()
    assert is_coloured(np.array(person.colour_at((120, 100))))
    assert not is_coloured(np.array(person.colour_at((150, 100))))
    person.press("Control+z")
    person.wait_until_painted()
    assert is_coloured(np.array(person.colour_at((150, 100))))


def test_where_nothing_is_drawn_the_eraser_leaves_nothing(person):
    person.draw_and_wait((100, 100), (200, 100))
    person.press("e")
    person.gesture([(400, 300), (450, 300)])
    person.press("d")
    person.draw_and_wait(*GLAND)
    assert [stroke["class_id"] for stroke in person.strokes()] == [1, 1]


def test_one_sweep_over_many_strokes_is_one_undo(person):
    for y in (100, 140, 180):
        person.draw_and_wait((60, y), (200, y))
    person.press("e")
    start, *way = person.on_screen([(130, 80), (130, 120), (130, 160), (130, 200)])
    person.page.keyboard.down("Shift")
    person.page.mouse.move(*start)
    person.page.mouse.down()
    for place in way:
        person.page.mouse.move(*place)
    shown = "({ session: { picture } }) => picture.strokes.length"
    person.wait_for(lambda: within(person.page, shown) == 0, "all three gone from the screen at once")
    person.page.mouse.up()
    person.page.keyboard.up("Shift")
    person.wait_for(lambda: person.stroke_counts() == [0, 0], "three strokes erased")
    person.press("Control+z")
    assert person.stroke_counts() == [3, 0]


def test_a_switch_lets_the_eraser_take_whole_strokes(person):
    assert not person.page.is_visible("#whole")
    person.draw_and_wait((100, 100), (200, 100))
    person.press("e")
    person.click("#whole-strokes label")
    person.page.mouse.click(*person.on_screen([(150, 100)])[0])
    person.wait_for(lambda: person.strokes() == [], "erased")
    person.press("Control+z")
    assert person.stroke_counts() == [1, 0]


def select(person, place):
    person.press("v")
    person.page.mouse.click(*person.on_screen([place])[0])


def test_a_stroke_is_selected_and_moved(person):
    person.draw_and_wait((100, 100), (200, 100))
    before = person.strokes()[0]
    select(person, (150, 100))
    person.page.mouse.move(*person.on_screen([(300, 300)])[0])
    person.wait_until_painted()
    blue = person.screenshot().astype(int)
    assert (np.abs(blue - [0x16, 0x68, 0xDC]).max(axis=-1) < 12).sum() > 200, "the outline"
    person.gesture([(150, 100), (155, 110), (170, 180)])
    person.wait_for(lambda: person.strokes()[0] != before, "moved")
    (moved,) = person.strokes()
    assert moved["id"] == before["id"]
    numbers = [np.array(one["path"].replace("M", "").replace("L", ",").split(","), float) for one in (before, moved)]
    assert numbers[1] - numbers[0] == pytest.approx(np.tile([20, 80], len(numbers[0]) // 2), abs=0.7)
    person.wait_until_saved()
    assert json.loads(person.download("strokes.json"))["strokes"][0]["path"] == moved["path"]
    person.press("Control+z")
    assert person.strokes() == [before]
    person.gesture([(150, 100), (150, -300)])
    person.wait_for(lambda: "beside the image" in person.message, "the sentence")
    assert person.strokes() == [before]


def test_a_selected_stroke_is_widened_given_another_class_and_deleted(person):
    person.draw_and_wait((100, 100), (200, 100))
    person.draw_and_wait((100, 200), (200, 200))
    width = person.strokes()[0]["width"]
    select(person, (150, 100))
    assert person.page.inner_text("#stroke-width-label") == "Its width"
    person.press("]", "]", "[")
    assert [stroke["width"] for stroke in person.strokes()] == [width + 1, width]
    person.page.locator("#stroke-width").fill("30")
    person.wait_for(lambda: person.strokes()[0]["width"] == 30, "the slider's width")
    person.press("2")
    assert person.stroke_counts() == [1, 1]
    assert [stroke["class_id"] for stroke in person.strokes()] == [2, 1]
    person.page.locator(".class-name").first.click()
    assert person.stroke_counts() == [2, 0]
    person.press("Escape", "Delete")
    assert person.stroke_counts() == [2, 0]
    person.page.mouse.click(*person.on_screen([(150, 100)])[0])
    person.press("Delete")
    assert [stroke["width"] for stroke in person.strokes()] == [width]
    person.wait_until_saved()
    person.press("Control+z")
    person.page.mouse.click(*person.on_screen([(400, 400)])[0])
    assert person.page.inner_text("#stroke-width-label") == "Stroke width"
    person.page.reload()
    person.wait_until_ready()
    assert [(stroke["width"], stroke["class_id"]) for stroke in person.strokes()] == [(30, 1), (width, 1)]
    assert person.connection == "All saved"
