"""Files and folders are dropped: on the page, where they are opened, and on the series, where they are sent."""

import pytest

from tests.support.files import png
from tests.support.images import scene
from tests.support.page import draw_two, drops, is_finished

UNREADABLE = """(selector) => {
  const broken = { isDirectory: true, createReader: () => ({ readEntries: (_, fail) => fail(new Error("gone")) }) };
  const items = [{ kind: "file", webkitGetAsEntry: () => broken }];
  const drop = new Event("drop", { bubbles: true, cancelable: true });
  drop.dataTransfer = { types: ["Files"], items };
  document.querySelector(selector).dispatchEvent(drop);
}"""

READING = """async ({ load }) => {
  const { droppedFiles } = await load("controls/dropped.mjs");
  const file = (path) => ({
    isFile: true, fullPath: path, file: (done) => done(new File([path], path.split("/").at(-1))),
  });
  const folder = (path, entries, batch = 2) => ({
    isDirectory: true, fullPath: path,
    createReader: () => {
      const left = [...entries];
      return { readEntries: (done) => setTimeout(() => done(left.splice(0, batch))) };
    },
  });
  const deep = folder("/day/a/b", [file("/day/a/b/1.png")]);
  const many = Array.from({ length: 5 }, (_, number) => file(`/day/${number}.png`));
  const entries = [folder("/day", [...many, folder("/day/a", [deep, file("/day/a/2.tif")]), folder("/day/no", [])])];
  let handled = true;
  const items = entries.map((entry) => ({ kind: "file", webkitGetAsEntry: () => (handled ? entry : null) }));
  const alone = new File(["x"], "alone.png");
  items.push({ kind: "file", webkitGetAsEntry: () => null, getAsFile: () => (handled ? alone : null) });
  items.push({ kind: "string", webkitGetAsEntry: () => null, getAsFile: () => null });
  const reading = droppedFiles(items);
  handled = false;
  return (await reading).map(({ file, name }) => [name, file.name]);
}"""


@pytest.fixture
def folder(tmp_path):
    """Three images in folders of a folder, among what is none."""
    top = tmp_path / "days"
    for number in range(3):
        day = top / f"day{number}"
        day.mkdir(parents=True)
        (day / f"cells{number}.png").write_bytes(png(scene(number, 3, 120, 160)))
        (day / f".hidden{number}.png").write_bytes(b"nothing")
    (top / "notes.txt").write_text("nothing")
    return top


def test_folders_are_read_to_the_bottom_with_their_names(person):
    assert person.within(READING) == [
        *([f"day/{number}.png", f"{number}.png"] for number in range(5)),
        ["day/a/b/1.png", "1.png"],
        ["day/a/2.tif", "2.tif"],
        ["alone.png", "alone.png"],
    ]


def test_files_that_are_dropped_on_the_page_are_opened(person, folder):
    drops(person, "#stage", folder / "day1/cells1.png", folder / "day2/cells2.png")
    person.wait_until_told("Opened 2 images")
    assert person.page.inner_text("#image-name") == "cells1.png"
    assert not person.page.locator(".dropping").count()


def test_the_images_of_a_folder_that_is_dropped_on_the_page_are_opened(person, folder):
    drops(person, "#stage", folder)
    person.wait_until_told("Opened 3 images")
    assert person.page.inner_text("#image-name") == "cells0.png"
    assert not person.page.locator("#message.visible").count()


def test_a_folder_of_many_images_is_not_opened_but_told_where_to_go(person, folder):
    for number in range(3, 21):
        (folder / f"{number}.png").write_bytes(b"not even looked at")
    drops(person, "#stage", folder)
    person.wait_for(lambda: "These are 21 images. Drop at most 20" in person.message, "the sentence")
    assert person.page.inner_text("#image-name") == "colon_glands.png"


def test_what_holds_no_image_or_cannot_be_read_is_a_sentence(person, tmp_path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters/letter.txt").write_text("Dear colleague")
    drops(person, "#stage", tmp_path / "letters")
    person.wait_for(lambda: "no image in what was dropped" in person.message, "the sentence")
    person.page.evaluate(UNREADABLE, "#stage")
    person.wait_for(lambda: "could not be read" in person.message, "the sentence")


def test_a_folder_that_is_dropped_on_the_series_is_sent(person, folder):
    person.tab("series")
    drops(person, "#panel-series", folder)
    person.wait_for(lambda: "Draw in two classes" in person.page.inner_text("#series-problem"), "the sentence")
    draw_two(person)
    drops(person, "#panel-series", folder)
    person.wait_for(lambda: person.page.locator(".series").count() == 1, "the series")
    person.wait_for(lambda: is_finished(person, 3), "the series is finished")
    table = person.page.locator(".series-shares tbody tr").all_inner_texts()
    assert [row.split("\t")[0] for row in table] == [f"days/day{number}/cells{number}.png" for number in range(3)]
    assert person.page.inner_text("#series-problem") == ""
    assert person.page.inner_text("#image-name") == "colon_glands.png"
