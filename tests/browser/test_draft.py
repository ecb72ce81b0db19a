"""The draft of a segmentation: shown at once, where something changes, and gone once the segmentation is there."""

import json
import re

import numpy as np
import pytest

from tests.support.page import GLAND, THIRD, draw_two, what_the_library_says
from tests.support.person import SIZES
from tests.support.server import Server

WATCH = """({ session: { picture } }) => {
  const ids = () => Object.fromEntries([...picture.tiles].map(([index, tile]) => [index, [...tile.ids]]));
  const setDraft = picture.setDraft.bind(picture);
  picture.setDraft = async (message, values, current) => {
    const before = ids();
    await setDraft(message, values, current);
    const drafted = [...picture.tiles].filter(([, tile]) => tile.drafted).map(([index]) => index);
    window.seen = { before, after: ids(), drafted, message, values: [...values] };
  };
}"""

NOTE_STATUS = """() => {
  window.said = [];
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) window.said.push(...[...addedNodes].map((node) => node.textContent));
  }).observe(document.getElementById("status"), { childList: true });
}"""

LEARNING, DRAFT, PART = "Learning from the strokes…", "Segmenting: a draft so far", re.compile(r"Segmenting: part \d")

TILES = """({ session }) => [...session.picture.tiles.values()].map(({ rows, columns, ids, drafted }) => (
  { rows, columns, drafted, ids: [...ids] }
))"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One that holds no features: of an image that it holds as bits no draft comes."""
    nowhere = {"SQUIGGLE_FEATURE_CACHE_MB": "0", "SQUIGGLE_PLANES_ON_DISK_MB": "0"}
    server = Server(tmp_path_factory.mktemp("data"), **nowhere)
    server.start()
    server.wait_until_warm()
    yield server
    server.stop()


@pytest.fixture(params=SIZES)
def person(request, people, server):
    return people(server.url, request.param)


def test_a_draft_changes_what_is_new_and_the_segmentation_comes_after_it(person):
    draw_two(person)
    person.within(WATCH)
    person.draw_and_wait(*THIRD)
    person.wait_for_segmentation()
    seen = person.page.evaluate("window.seen")
    step, first = seen["message"]["step"], seen["message"]["first"]
    values, changed = np.array(seen["values"]), set()
    for tile in seen["message"]["tiles"]:
        shape = np.ptp(tile["rows"]), np.ptp(tile["columns"])
        before, after = (np.array(seen[when][str(tile["index"])]).reshape(shape) for when in ("before", "after"))
        sample = before[first::step, first::step]
        told, values = values[: sample.size].reshape(sample.shape), values[sample.size :]
        assert np.array_equal(after[first::step, first::step], told)
        for (row, column), id_ in np.ndenumerate(told):
            bottom = shape[0] if row == len(told) - 1 else (row + 1) * step
            right = shape[1] if column == len(told[0]) - 1 else (column + 1) * step
            block = slice(row * step, bottom), slice(column * step, right)
            if sample[row, column] == id_:
                assert np.array_equal(after[block], before[block])
            else:
                assert (after[block] == id_).all()
                changed.add(tile["index"])
    assert changed == set(seen["drafted"])
    assert changed
    person.wait_for(lambda: not any(tile["drafted"] for tile in person.within(TILES)), "all tiles")
    _, segmentation = what_the_library_says(person)
    for tile in person.within(TILES):
        part = segmentation[slice(*tile["rows"]), slice(*tile["columns"])]
        assert tile["ids"] == part.ravel().tolist()


def test_the_status_says_that_a_draft_is_shown(person):
    draw_two(person)
    person.page.evaluate(NOTE_STATUS)
    bar = person.page.locator("#status-bar").bounding_box()
    person.draw_and_wait(*[(x, y + 7) for x, y in THIRD])  # what was segmented before would come without a draft
    person.wait_for_segmentation()
    said = person.page.evaluate("window.said")
    learning, draft, part = (said.index(text) for text in (LEARNING, DRAFT, next(filter(PART.match, said))))
    assert learning < draft < part
    assert not any(map(PART.match, said[:draft]))
    assert LEARNING not in said[draft:]
    person.within("async ({ load }, text) => (await load('page/status.mjs')).showStatus(text, 0)", DRAFT)
    assert person.page.locator("#status-bar").bounding_box() == bar


def test_a_tile_that_is_but_a_draft_is_asked_for_again(person):
    draw_two(person)
    first, *rest = person.within("({ session }) => [...session.picture.tiles.keys()]")
    person.within("({ session }, index) => { session.picture.tiles.get(index).crc = null; }", first)
    with person.page.expect_request(lambda request: '"segment":{' in (request.post_data or "")) as asked:
        person.draw_and_wait(*[(x + 9, y) for x, y in GLAND])
    assert sorted(json.loads(asked.value.post_data)["segment"]["known"]) == sorted(map(str, rest))
