"""The class list: imported, put in another order, merged, and long."""

import json
import re

import numpy as np
import tifffile

from tests.support.page import draw_two, what_the_library_says

STROKES = {1: [(60, 60), (110, 80)], 2: [(300, 60), (350, 80)], 3: [(60, 300), (110, 320)]}


def import_list(person, name, text, tmp_path):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with person.page.expect_file_chooser() as chooser:
        person.click("#import-classes")
    chooser.value.set_files(path)


def draw_in(person, *numbers):
    for number in numbers:
        person.press(str(number))
        person.draw_and_wait(*STROKES[number])


def test_a_list_is_imported_says_what_it_did_and_undo_takes_it_back(person, tmp_path):
    before = person.class_names()
    import_list(person, "classes.csv", "name,colour\nVoid,#112233\nMatrix\nRim\n", tmp_path)
    person.wait_for(lambda: person.class_names() == ["Void", "Matrix", "Rim"], "the list")
    assert "Changed 2 classes, added 1." in person.message
    person.page.locator("#stage").hover()
    person.press("Control+z")
    person.wait_for(lambda: person.class_names() == before, "it is taken back")
    listed = [{"id": 9, "name": f"Phase {n}", "colour": "#00ff00"} for n in range(30)]
    import_list(person, "strokes.json", json.dumps({"classes": listed}), tmp_path)
    person.wait_for(lambda: len(person.class_names()) == 30, "thirty classes")
    import_list(person, "none.json", "{}", tmp_path)
    person.wait_for(lambda: "“none.json” was not imported. The file has no list" in person.message, "the sentence")
    assert len(person.class_names()) == 30


def test_classes_are_dragged_and_moved_by_keys_and_their_results_stay(people, server, tmp_path):
    ann = people(server.url)
    bob = people(ann.page.url)
    import_list(ann, "classes.txt", "A\nB\nC\n", tmp_path)
    ann.wait_for(lambda: ann.class_names() == ["A", "B", "C"], "the list")
    draw_in(ann, 1, 2, 3)
    ann.wait_for_segmentation()
    shares = dict(zip(ann.class_names(), ann.shares(), strict=True))
    before = ann.download("segmentation.tif")
    ann.tab("home")  # folds it again, so that all rows are seen
    ann.page.locator(".class-choose").nth(2).hover()
    first = ann.page.locator(".class-row").first.bounding_box()
    ann.page.mouse.down()
    ann.page.mouse.move(first["x"] + 20, first["y"] + 30, steps=5)
    ann.page.mouse.move(first["x"] + 20, first["y"] + 2, steps=3)
    ann.page.mouse.up()
    for person in (ann, bob):
        person.wait_for(lambda person=person: person.class_names() == ["C", "A", "B"], "C is first")
    ann.page.locator(".class-choose").nth(1).focus()
    ann.press("Alt+ArrowDown")
    bob.wait_for(lambda: bob.class_names() == ["C", "B", "A"], "A is last")
    ann.wait_for(lambda: dict(zip(ann.class_names(), ann.shares(), strict=True)) == shares, "the same shares")
    assert ann.download("segmentation.tif") == before
    ann.press("1")
    assert ann.page.locator(".class-choose").first.get_attribute("aria-checked") == "true"
    ann.press("Control+z")
    bob.wait_for(lambda: bob.class_names() == ["C", "A", "B"], "undone")


def test_a_class_is_merged_into_another_and_undo_parts_them(person, tmp_path):
    import_list(person, "classes.txt", "A\nB\nC\n", tmp_path)
    person.wait_for(lambda: person.class_names() == ["A", "B", "C"], "the list")
    draw_in(person, 1, 2, 3)
    person.page.locator(".class-row").nth(2).hover()
    person.page.locator(".class-row .remove").nth(2).click()
    assert person.page.evaluate("document.activeElement.id") == "question-no"
    person.page.select_option("#merge-into", label="A")
    person.click("#merge")
    person.wait_for(lambda: person.class_names() == ["A", "B"], "merged")
    person.wait_for(lambda: person.stroke_counts() == [2, 1], "the stroke came along")
    person.wait_for_segmentation()
    person.page.locator("#stage").hover()
    person.press("Control+z")
    person.wait_for(lambda: person.stroke_counts() == [1, 1, 1], "parted")


def file_on_disk(tmp_path, data):
    path = tmp_path / "a.tif"
    path.write_bytes(data)
    return tifffile.imread(path)


def test_more_or_less_of_a_class_is_seen_at_once_stored_and_taken_home(people, server, tmp_path):
    ann = people(server.url)
    bob = people(ann.page.url)
    draw_two(ann)
    before = ann.shares()
    assert not ann.page.locator(".class-weight").first.is_visible()
    ann.click("#weigh-classes")
    slider = ann.page.locator(".class-weight").nth(1)
    box = slider.bounding_box()
    ann.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    ann.page.mouse.down()
    ann.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] / 2, steps=4)
    ann.page.mouse.up()
    ann.wait_for(lambda: ann.shares()[1] > before[1] + 1, "more of it")
    ann.wait_for_segmentation()
    bob.wait_for(lambda: bob.shares() == ann.shares(), "others see it")
    _, expected = what_the_library_says(ann)
    assert np.array_equal(file_on_disk(tmp_path, ann.download("segmentation.tif")), expected)
    ann.tab("home")  # folds it again, so that all rows are seen
    more = ann.page.locator(".class-weight-reset:visible").inner_text()
    assert more.startswith("× ")
    assert float(more[2:]) > 1
    ann.page.locator(".class-weight-reset:visible").click()
    ann.wait_for(lambda: ann.shares() == before, "as it was learnt")
    ann.page.locator("#stage").hover()
    ann.press("Control+z")
    ann.wait_for(lambda: ann.page.locator(".class-weight-reset:visible").all_inner_texts() == [more], "undone")
    ann.press("Control+z")
    ann.wait_for(lambda: ann.shares() == before, "undone too")
    slider.focus()
    ann.press("ArrowLeft")
    ann.wait_for(lambda: ann.shares()[1] < before[1], "less of it, by a key")


def test_uncertainty_and_probabilities_are_layers_with_a_legend_and_values_under_the_pointer(person):
    draw_two(person)
    page, (x, y) = person.page, person.on_screen([(200, 200)])[0]
    of_classes = person.colour_at((200, 200))
    assert not page.locator("#legend").is_visible()
    for layer, said in (("uncertainty", "uncertainty"), ("1", "Gland")):
        page.select_option("#layer", layer)
        person.wait_for(lambda layer=layer: person.within(LAYER_IS_THERE, layer), "the layer")
        person.wait_until_painted()
        assert page.locator("#legend").is_visible()
        assert person.colour_at((200, 200)) != of_classes
        page.mouse.move(x - 5, y)
        page.mouse.move(x, y)
        position = page.inner_text("#position")
        assert re.search(rf"[·:] {said} \d+ %( · |$)", position), position
    shares = person.shares()
    page.select_option("#layer", "classes")
    person.wait_until_painted()
    page.mouse.move(x - 5, y)
    assert person.shares() == shares
    assert person.colour_at((200, 200)) == of_classes


LAYER_IS_THERE = """({ session: { picture } }, layer) => (
  picture.tiles.size > 0 && [...picture.tiles.values()].every((tile) => tile.layer === layer)
)"""
