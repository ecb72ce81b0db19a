"""What takes long is computed in turns, never one within another, and no further once nobody waits."""

import json
import threading
from contextlib import contextmanager

import numpy as np
import pytest

from segmentation.live.segmenter import LiveSegmenter
from segmentation.web.http.connection import HAS_GONE
from segmentation.web.session import downloads, objects, parts, result_files, training
from segmentation.web.session.result_files import BEGINNINGS
from segmentation.web.session.scheduler import Scheduler
from tests.support import PATIENCE_SECONDS
from tests.support.asking import converse, stroke_event, tile_request
from tests.support.files import png
from tests.support.images import HALVES

DOWNLOADS = [
    "segmentation.png",
    "segmentation.tif",
    "segmentation.ome.tif",
    "overlay.png",
    "probabilities.tif",
    "labels.tif",
    "shares.csv",
    "objects.csv",
    "objects.zip",
    "objects.bin",
    "measures.bin",
    "outlines.bin",
    "report.html",
    "all.zip",
    "classifier.squiggle",
]
QUESTIONS = ["part", "explain", "probabilities"]
LONG = [
    (result_files, "segmentation_png"),
    (result_files, "label_tiff"),
    (result_files, "ome_tiff"),
    (result_files, "overlay_png"),
    (downloads, "shares_csv"),
    (objects, "find_objects"),
    (objects, "number_objects"),
    (objects, "image_found"),
    (parts, "outline_strokes"),
    (training.PixelClassifier, "adapt"),
    (LiveSegmenter, "train"),
    (LiveSegmenter, "segment"),
    (LiveSegmenter, "probabilities"),
    (LiveSegmenter, "training_pixels"),
]
"""What takes long on a large image, by the modules that call it."""


class Turns:
    """Notes whose turn it is: that of a thread or of none."""

    def __init__(self, monkeypatch):
        self.mine = threading.local()
        self.outside = []
        self.within = []
        self.unasked = []
        self.seen = set()
        for kind in ("turn", "whole_turn"):
            monkeypatch.setattr(Scheduler, kind, self.noting(getattr(Scheduler, kind)))
        for owner, name in LONG:
            monkeypatch.setattr(owner, name, self.watched(getattr(owner, name), name))

    @property
    def depth(self):
        return getattr(self.mine, "depth", 0)

    def noting(self, turn):
        @contextmanager
        def noted(*given, **named):
            self.within += [given[1:]] if self.depth else []
            self.unasked += [] if named.get("stale") else [given[1:]]
            with turn(*given, **named):
                self.mine.depth = self.depth + 1
                try:
                    yield
                finally:
                    self.mine.depth -= 1

        return noted

    def watched(self, work, name):
        def watching(*given, **named):
            if threading.current_thread() is threading.main_thread():  # the others warm up
                self.seen.add(name)
                self.outside += [] if self.depth else [name]
            return work(*given, **named)

        return watching


@pytest.fixture
def standardising(client, session, halves):
    """A session whose images are seen relative to their mean and spread."""
    (journal,) = converse(client, session)
    features = journal["events"][0]["body"]["features"] | {"standardise": True}
    (journal,) = converse(client, session, [{"id": "std", "type": "settings.change", "features": features}])
    assert journal["refused"] == []
    return session


def asking(path):
    """How a path is asked for: masks come in, everything else goes out."""
    if not path.startswith("mask-scores"):
        return {"method": "GET"}
    mask = np.repeat(np.array([1, 2], np.uint8), HALVES.shape[1] // 2)
    return {"method": "POST", "data": png(np.tile(mask, (len(HALVES), 1)))}


def test_all_that_takes_long_is_computed_in_turns(client, standardising, halves, monkeypatch):
    turns = Turns(monkeypatch)
    asked = [f"download/{name}" for name in DOWNLOADS] + [f"{name}?row=3&column=3" for name in QUESTIONS]
    for path in [*asked, "importance", "next-strokes", "mask-scores"]:
        answer = client.open(f"/s/{standardising}/{path}", **asking(path))
        assert answer.status_code == 200, (path, answer.text)
        assert not answer.is_json or "error" not in answer.json, (path, answer.json)
        assert answer.data
        assert (turns.outside, turns.within, turns.unasked) == ([], [], []), path
    assert turns.seen == {name for _, name in LONG}


@pytest.mark.parametrize("name", ["shares.csv", "probabilities.tif"])
def test_a_download_does_not_go_to_the_end_of_the_line_for_each_task(client, session, halves, name, monkeypatch):
    scheduler, held = client.application.extensions["workbench"].scheduler, []
    for work in ("segment", "probabilities"):
        compute = getattr(LiveSegmenter, work)

        def watched(*given, compute=compute, **named):
            if threading.current_thread() is threading.main_thread():  # the others warm up
                held.append(scheduler._others.places[f"{session} downloads"].holders)
            return compute(*given, **named)

        monkeypatch.setattr(LiveSegmenter, work, watched)
    assert client.get(f"/s/{session}/download/{name}").data
    assert set(held) == {2}, "the download holds it, and the task"
    assert f"{session} downloads" not in scheduler._others.places


def test_what_looks_at_a_whole_image_keeps_no_task_waiting_and_is_done_one_at_a_time():
    scheduler, order = Scheduler(1), []
    first_at_work, may_end, second_asked = threading.Event(), threading.Event(), threading.Event()

    def first():
        with scheduler.whole_turn("a"):
            first_at_work.set()
            assert may_end.wait(PATIENCE_SECONDS)
            order.append("first")

    def second():
        second_asked.set()
        with scheduler.whole_turn("b"):
            order.append("second")

    threads = [threading.Thread(target=one) for one in (first, second)]
    threads[0].start()
    assert first_at_work.wait(PATIENCE_SECONDS)
    threads[1].start()
    assert second_asked.wait(PATIENCE_SECONDS)
    with scheduler.turn("b"):
        order.append("stroke")
    may_end.set()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert order == ["stroke", "first", "second"]
    with scheduler.whole_turn("a"):
        order.append("again")
    assert order[-1] == "again"


@pytest.mark.parametrize(
    "asked",
    [*(f"download/{name}" for name in DOWNLOADS), "download/planes", *QUESTIONS, "importance", "drift", "mask-scores"],
)
def test_nothing_more_is_computed_for_who_has_gone(client, session, halves, asked, monkeypatch):
    turns = Turns(monkeypatch)
    has_gone = {HAS_GONE: lambda: True}
    answer = client.open(f"/s/{session}/{asked}?row=3&column=3", **asking(asked), environ_overrides=has_gone)
    assert (answer.status_code, answer.data) == (499, b"")
    assert turns.seen == set()


def test_what_somebody_drew_who_has_gone_is_stored_and_not_segmented(client, session, halves, monkeypatch):
    turns = Turns(monkeypatch)
    body = {
        "after": 0,
        "events": [stroke_event("c", halves["hash"], 1, "M30,9L70,20")],
        "segment": tile_request(60, 90),
        "window": "w",
    }
    answer = client.post(f"/s/{session}/converse", json=body, environ_overrides={HAS_GONE: lambda: True})
    kinds = [json.loads(line)["kind"] for line in answer.text.splitlines()]
    assert "done" not in kinds
    assert turns.seen == set()
    (journal,) = converse(client, session)
    assert journal["events"][-1]["body"]["stroke"]["id"] == "c"


def test_what_one_download_has_segmented_the_next_ones_and_the_page_do_not_segment_again(
    client, session, halves, monkeypatch
):
    computed, segment = [], LiveSegmenter.segment

    def watched(self, image, classifier, tile, **how):
        if threading.current_thread() is threading.main_thread():  # the others warm up
            computed.append(tile.index)
        return segment(self, image, classifier, tile, **how)

    monkeypatch.setattr(LiveSegmenter, "segment", watched)
    first = client.get(f"/s/{session}/download/segmentation.png").data
    assert len(computed) == len(set(computed)) > 1
    for name in ("segmentation.tif", "shares.csv", "segmentation.png"):
        again = client.get(f"/s/{session}/download/{name}").data
    assert again == first
    tiles = [one for one in converse(client, session, segment=tile_request(60, 600)) if one["kind"] == "tile"]
    assert len(tiles) == len(set(computed)) == len(computed)


@pytest.mark.parametrize("name", list(BEGINNINGS))
def test_a_file_begins_before_its_image_is_segmented_and_ends_with_who_asked(
    client, session, halves, name, monkeypatch
):
    whole, has_gone = client.get(f"/s/{session}/download/{name}").data, threading.Event()
    turns = Turns(monkeypatch)
    for gone in (False, True):
        answer = client.get(f"/s/{session}/download/{name}", environ_overrides={HAS_GONE: has_gone.is_set})
        parts = answer.iter_encoded()
        assert next(parts) == BEGINNINGS[name]
        assert turns.seen <= {"train"}
        if gone:
            has_gone.set()
        assert b"".join(parts) == (b"" if gone else whole[len(BEGINNINGS[name]) :])
        assert bool(turns.seen - {"train"}) != gone
        turns.seen.clear()
