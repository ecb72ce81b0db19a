"""What an answer costs and leaves behind: nothing for what nobody waits for, and no more memory than it may."""

import gc
import threading
from contextlib import contextmanager
from weakref import WeakSet

import pytest

from segmentation.live import LiveSegmenter
from segmentation.web import workbench as workbench_module
from tests.web.asking import HALVES, converse, stroke_event

WISH = {"image": None, "view": [0, HALVES.shape[0], 0, HALVES.shape[1]], "known": {}}


@pytest.fixture
def workbench(client):
    return client.application.extensions["workbench"]


@pytest.fixture(autouse=True)
def small_drafts(monkeypatch):
    monkeypatch.setattr("segmentation.draft.PIXELS", 600)


def stroke(number, halves):
    return stroke_event(f"s{number}", halves["hash"], 1 + number % 2, f"M{20 + 40 * number},5L{40 + 40 * number},30")


def answer(workbench, session, window="w", bodies=()):
    return workbench.converse(session, after=0, bodies=bodies, window=window, wish=WISH)


@contextmanager
def everybody_else_at_work(workbench):
    """All turns are taken until this ends."""
    over, begun = threading.Event(), threading.Barrier(workbench_module.PIECES_AT_ONCE + 1)

    def work():
        with workbench.turns.of("somebody else"):
            begun.wait()
            over.wait()

    workers = [threading.Thread(target=work) for _ in range(workbench_module.PIECES_AT_ONCE)]
    for worker in workers:
        worker.start()
    begun.wait()
    yield
    over.set()
    for worker in workers:
        worker.join()


def test_what_was_segmented_keeps_no_classifier_in_memory(client, session, halves, workbench, monkeypatch):
    classifiers, train = WeakSet(), LiveSegmenter.train

    def noted(*arguments):
        classifiers.add(classifier := train(*arguments))
        return classifier

    monkeypatch.setattr(LiveSegmenter, "train", noted)
    for number in range(12):
        last = converse(client, session, [stroke(number, halves)], segment=WISH)[-1]
        assert last["kind"] == "done"
    workbench.live.classifiers.make_room(workbench.live.classifiers.budget)
    gc.collect()
    assert len(classifiers) == 0
