"""Corrections of a session: they are in every result, and outlive whatever is learnt."""

import csv
import io
import json
import zipfile

import numpy as np
import pytest
import tifffile

import segmentation as seg
from segmentation.strokes.document import strokes_from_json
from tests.support.asking import converse, stroke_event, tile_request, unpacked

STEPS = [{"kind": "drop_small", "size": 3, "classes": None}]


def correction_event(id, image, class_id, kind="rectangle", **shape):
    stroke = {"id": id, "class_id": class_id, "kind": kind, **shape}
    return {"id": id, "type": "correction.add", "image": image, "stroke": stroke}


def shown(messages, shape):
    """The class ids that the tiles of an answer give."""
    ids = np.zeros(shape, np.uint8)
    for message in messages:
        if message["kind"] == "tile" and "ids" in message:
            (top, bottom), (left, right) = message["rows"], message["columns"]
            ids[top:bottom, left:right] = unpacked(message)
    return ids


class Asked:
    """A session that is segmented, and what it gives."""

    def __init__(self, client, session, image):
        self.client, self.session, self.image = client, session, image
        self.shape = (image["rows"], image["columns"])
        far = image["columns"]
        self.does(
            stroke_event("a", image["hash"], 1, "M20,5L40,30"),
            stroke_event("b", image["hash"], 2, f"M{far - 40},5L{far - 20},30"),
        )

    def does(self, *events):
        return converse(self.client, self.session, list(events))

    def tiles(self, **more):
        answer = converse(self.client, self.session, segment=tile_request(*self.shape) | more)
        return shown(answer, self.shape), answer

    def file(self, name):
        return self.client.get(f"/s/{self.session}/download/{name}").data

    def ids(self):
        return tifffile.imread(io.BytesIO(self.file("segmentation.tif")))

    def classifier(self):
        return seg.load_classifier(self.file("classifier.squiggle"))


@pytest.fixture
def asked(client, session, halves):
    return Asked(client, session, halves)


@pytest.mark.slow
def test_corrections_are_in_every_result_and_outlive_what_is_learnt(asked):
    hash = asked.image["hash"]
    before, forest = asked.ids(), asked.file("classifier.squiggle")
    asked.does(
        correction_event("c", hash, 2, x0=10, y0=10, x1=29, y1=29),
        correction_event("d", hash, 0, "path", path="M20,20L20,20", width=5),
        {"id": "steps", "type": "clean_up.change", "steps": STEPS},
    )
    painted = seg.rasterise(
        [{"class_id": 2, "kind": "rectangle", "x0": 10, "y0": 10, "x1": 29, "y1": 29}], before.shape
    )
    assert painted[20, 20] == 2
    document = strokes_from_json(asked.file("corrections.json"))
    corrections = seg.rasterise(document.drawings[0].strokes, before.shape)
    assert corrections[20, 20] == 0, "the eraser gives back what was found"
    expected = seg.apply_corrections(seg.clean_up(before, STEPS), corrections)
    assert np.array_equal(asked.ids(), expected)
    tiles, answer = asked.tiles()
    assert np.array_equal(tiles, expected)
    assert answer[-1]["pixels"] == {str(one): int(np.count_nonzero(expected == one)) for one in (1, 2)}
    tried, _ = asked.tiles(clean_up=[])
    assert np.array_equal(tried, seg.apply_corrections(before, corrections))

    rows = list(csv.DictReader(io.StringIO(asked.file("shares.csv").decode())))
    assert [int(row["pixels"]) for row in rows] == [int(np.count_nonzero(expected == one)) for one in (1, 2)]
    areas = [float(row["area"]) for row in csv.DictReader(io.StringIO(asked.file("objects.csv").decode()))]
    assert sum(areas) == expected.size
    assert f"corrected by hand in {np.count_nonzero(corrections)} pixels" in asked.file("report.html").decode()

    asked.does({"id": "u", "type": "undo", "event": "steps"})
    assert asked.file("classifier.squiggle") == forest, "what is corrected is not learnt"
    asked.does(stroke_event("more", hash, 1, "M20,40L60,40"))
    assert asked.file("classifier.squiggle") != forest
    assert np.array_equal(asked.ids(), seg.apply_corrections(asked.ids(), corrections))
    asked.does({"id": "u2", "type": "undo", "event": "c"}, {"id": "u3", "type": "undo", "event": "more"})
    assert np.array_equal(asked.ids(), before), "undone like strokes"

    asked.does(correction_event("all", hash, 1, x0=-1, y0=-1, x1=before.shape[1], y1=before.shape[0]))
    assert f"in {before.size} pixels (100 %)" in asked.file("report.html").decode().replace(",", "")


@pytest.mark.slow
def test_what_is_erased_again_is_not_counted_and_files_that_would_hold_nothing_are_not_made(asked):
    hash = asked.image["hash"]

    def told():
        return next(one["corrected"] for one in asked.tiles()[1] if one["kind"] == "labelled")

    def zipped():
        return set(zipfile.ZipFile(io.BytesIO(asked.file("all.zip"))).namelist())

    drawn = {"labels.tif", "strokes.json"}
    assert (told(), zipped() & {*drawn, "corrections.json"}) == ({}, drawn)
    asked.does(correction_event("c", hash, 2, x0=10, y0=10, x1=29, y1=29))
    assert told() == {hash: 400}
    assert "corrections.json" in zipped()
    asked.does(correction_event("part", hash, 0, x0=10, y0=10, x1=19, y1=29))
    assert told() == {hash: 200}
    asked.does(correction_event("rest", hash, 0, x0=5, y0=5, x1=35, y1=35))
    assert told() == {}
    assert "corrections.json" not in zipped()


@pytest.mark.slow
def test_with_one_switch_corrections_are_learnt_from_as_labels(asked):
    hash = asked.image["hash"]
    asked.does(
        correction_event("c", hash, 2, x0=10, y0=10, x1=29, y1=29),
        {"id": "learn", "type": "correction.learn", "learn": True},
    )
    labels = tifffile.imread(io.BytesIO(asked.file("labels.tif")))
    corrections = seg.rasterise(strokes_from_json(asked.file("corrections.json")).drawings[0].strokes, labels.shape)
    both = np.where(corrections > 0, corrections, labels)
    learnt = asked.classifier().training_["labelled_pixels"]
    assert learnt == {str(one): int(np.count_nonzero(both == one)) for one in (1, 2)}
    tiles, _ = asked.tiles()
    assert np.array_equal(tiles, asked.ids())
    assert (tiles[corrections > 0] == 2).all()
    asked.does({"id": "u", "type": "undo", "event": "learn"})
    assert asked.classifier().training_["labelled_pixels"] != learnt
    assert json.loads(asked.file("corrections.json"))["strokes"]


@pytest.mark.slow
def test_a_class_without_strokes_can_be_painted_into_the_result(asked):
    third = {"id": 3, "name": "Crack", "colour": "#ff0000"}
    asked.does(
        {"id": "class", "type": "class.add", "class": third},
        correction_event("c", asked.image["hash"], 3, x0=1, y0=1, x1=4, y1=4),
    )
    tiles, answer = asked.tiles()
    assert np.array_equal(tiles, asked.ids())
    assert answer[-1]["pixels"]["3"] == np.count_nonzero(tiles == 3) > 0
