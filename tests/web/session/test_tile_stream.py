"""What an answer costs and leaves behind: nothing for what nobody waits for, and no more memory than it may."""

import gc
import threading
from contextlib import contextmanager
from weakref import WeakSet

import pytest

from segmentation.features.cache import FeatureCache
from segmentation.live.segmenter import LiveSegmenter
from segmentation.web.session import conversation
from segmentation.web.session.tile_request import TileRequest
from tests.support.asking import converse, stroke_event
from tests.support.images import HALVES

VIEW = (0, HALVES.shape[0], 0, HALVES.shape[1])
TILES = {"image": None, "view": VIEW, "known": {}}


@pytest.fixture
def workbench(client):
    return client.application.extensions["workbench"]


@pytest.fixture(autouse=True)
def small_drafts(monkeypatch, workbench):
    monkeypatch.setattr("segmentation.live.draft.DRAFT_PIXELS", 600)
    workbench.live.cache = FeatureCache(0)  # what is held as bits comes as soon as a draft


def stroke(number, halves):
    return stroke_event(f"s{number}", halves["hash"], 1 + number % 2, f"M{20 + 40 * number},5L{40 + 40 * number},30")


def answer(workbench, session, tiles):
    return workbench.conversations.answer(session, after=0, bodies=[], client_id="w", tiles=tiles)


@pytest.mark.slow
def test_what_was_segmented_keeps_no_classifier_in_memory(client, session, halves, workbench, monkeypatch):
    classifiers, train = WeakSet(), LiveSegmenter.train

    def noted(*arguments):
        classifiers.add(classifier := train(*arguments))
        return classifier

    monkeypatch.setattr(LiveSegmenter, "train", noted)
    for number in range(12):
        last = converse(client, session, [stroke(number, halves)], segment=TILES)[-1]
        assert last["kind"] == "done"
    workbench.live.classifiers.make_room(workbench.live.classifiers.budget)
    gc.collect()
    assert len(classifiers) == 0


def superseded_while_it_waits(workbench, session, monkeypatch, of_turn):
    """Has an answer wait for its turn to train (0) or draft (1), and its window ask anew; returns what it is told."""
    scheduler, told = workbench.scheduler, []
    asked = iter(range(100))
    waits, newer = threading.Event(), threading.Event()
    real_turn = scheduler.turn

    @contextmanager
    def turn(session_id, **ahead):
        if next(asked) == of_turn:
            waits.set()
            newer.wait()
        with real_turn(session_id, **ahead):
            yield

    monkeypatch.setattr(scheduler, "turn", turn)
    old = threading.Thread(target=lambda: told.extend(answer(workbench, session, TileRequest(None, VIEW, {}))))
    old.start()
    waits.wait()
    next(answer(workbench, session, None))
    newer.set()
    old.join()
    return [message["kind"] for message in told]


def test_an_answer_that_was_asked_for_anew_trains_nothing(client, session, halves, workbench, monkeypatch):
    trained = []
    monkeypatch.setattr(LiveSegmenter, "train", lambda *_: trained.append(1))
    kinds = superseded_while_it_waits(workbench, session, monkeypatch, 0)
    assert kinds[-1] == "status"
    assert not trained


def test_an_answer_that_was_asked_for_anew_drafts_nothing(client, session, halves, workbench, monkeypatch):
    converse(client, session, segment=TILES)
    drafted = []
    monkeypatch.setattr("segmentation.live.draft.draft", lambda *_, **_kw: drafted.append(1))
    converse(client, session, [stroke(1, halves)])
    kinds = superseded_while_it_waits(workbench, session, monkeypatch, 1)
    assert not {"draft", "tile", "done"}.intersection(kinds)
    assert not drafted


def test_what_is_trained_drafted_and_seen_first_goes_ahead_of_others_and_a_draft_takes_a_turn_only_if_there_is_one(
    client, session, halves, workbench, monkeypatch
):
    asked, scheduler = [], workbench.scheduler
    turn = scheduler.turn
    monkeypatch.setattr(
        scheduler, "turn", lambda *who, ahead=False, **how: asked.append(ahead) or turn(*who, ahead=ahead, **how)
    )
    assert converse(client, session, segment=TILES)[-1]["kind"] == "done"
    training, first, *others = asked
    assert (training, first) == (True, True)
    assert not any(others)
    asked.clear()
    messages = converse(client, session, [stroke(1, halves)], segment=TILES)
    assert "draft" in [message["kind"] for message in messages]
    training, draft, first, *others = asked
    assert (training, draft, first) == (True, True, True)
    assert not any(others)


def test_windows_that_never_come_back_are_forgotten(client, session, workbench, monkeypatch):
    monkeypatch.setattr(conversation, "MAX_CLIENTS", 20)
    for number in range(50):
        converse(client, session, window=str(number))
    assert workbench.conversations._latest._sessions.get(session).used == 20
