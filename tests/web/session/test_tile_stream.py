"""What an answer costs and leaves behind: nothing for what nobody waits for, and no more memory than it may."""

import gc
import threading
from contextlib import contextmanager
from weakref import WeakSet

import pytest

from segmentation.live.segmenter import LiveSegmenter
from segmentation.web.session import workbench as workbench_module
from tests.support.asking import HALVES, converse, stroke_event

WISH = {"image": None, "view": [0, HALVES.shape[0], 0, HALVES.shape[1]], "known": {}}


@pytest.fixture
def workbench(client):
    return client.application.extensions["workbench"]


@pytest.fixture(autouse=True)
def small_drafts(monkeypatch):
    monkeypatch.setattr("segmentation.live.draft.PIXELS", 600)


def stroke(number, halves):
    return stroke_event(f"s{number}", halves["hash"], 1 + number % 2, f"M{20 + 40 * number},5L{40 + 40 * number},30")


def answer(workbench, session, window="w", bodies=()):
    return workbench.converse(session, after=0, bodies=bodies, window=window, wish=WISH)


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


def superseded_while_it_waits(workbench, session, monkeypatch, of_turn):
    """Has an answer wait for its turn to learn (0) or draft (1), and its window ask anew; returns what it is told."""
    turns, told = workbench.turns, []
    asked = iter(range(100))
    waits, newer = threading.Event(), threading.Event()
    of = turns.of

    @contextmanager
    def turn(who, **ahead):
        if next(asked) == of_turn:
            waits.set()
            newer.wait()
        with of(who, **ahead):
            yield

    monkeypatch.setattr(turns, "of", turn)
    old = threading.Thread(target=lambda: told.extend(answer(workbench, session)))
    old.start()
    waits.wait()
    next(workbench.converse(session, after=0, bodies=[], window="w", wish=None))
    newer.set()
    old.join()
    return [message["kind"] for message in told]


def test_an_answer_that_was_asked_for_anew_learns_nothing(client, session, halves, workbench, monkeypatch):
    learnt = []
    monkeypatch.setattr(LiveSegmenter, "train", lambda *_: learnt.append(1))
    kinds = superseded_while_it_waits(workbench, session, monkeypatch, 0)
    assert kinds[-1] == "status"
    assert not learnt


def test_an_answer_that_was_asked_for_anew_drafts_nothing(client, session, halves, workbench, monkeypatch):
    converse(client, session, segment=WISH)
    drafted = []
    monkeypatch.setattr("segmentation.live.draft.draft", lambda *_, **_kw: drafted.append(1))
    converse(client, session, [stroke(1, halves)])
    kinds = superseded_while_it_waits(workbench, session, monkeypatch, 1)
    assert not {"draft", "tile", "done"}.intersection(kinds)
    assert not drafted


def test_what_is_learnt_drafted_and_seen_first_goes_ahead_of_others_and_a_draft_takes_a_turn_only_if_there_is_one(
    client, session, halves, workbench, monkeypatch
):
    wanted, of = [], workbench.turns.of
    monkeypatch.setattr(workbench.turns, "of", lambda who, ahead=False: wanted.append(ahead) or of(who, ahead=ahead))
    assert converse(client, session, segment=WISH)[-1]["kind"] == "done"
    learn, first, *others = wanted
    assert (learn, first) == (True, True)
    assert not any(others)
    wanted.clear()
    messages = converse(client, session, [stroke(1, halves)], segment=WISH)
    assert "draft" in [message["kind"] for message in messages]
    learn, draft, first, *others = wanted
    assert (learn, draft, first) == (True, True, True)
    assert not any(others)


def test_windows_that_never_come_back_are_forgotten(client, session, workbench, monkeypatch):
    monkeypatch.setattr(workbench_module, "MAX_WINDOWS_AT_HAND", 20)
    for number in range(50):
        converse(client, session, window=str(number))
    assert workbench._sessions[session].tickets.used == 20
