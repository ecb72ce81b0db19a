"""Who works on something holds the claim on it, and learns when it is to be left."""

import itertools
import threading

import pytest

from segmentation.web.store import DiskFullError, StoreAwayError, holding
from tests.support.waiting import wait_for

LONG = 1000.0


@pytest.fixture
def holder(monkeypatch):
    monkeypatch.setattr(holding, "CLAIM_SECONDS", 0.015)
    return holding.ClaimHolder("something")


def never():
    return False


def beating(*answers):
    """A heartbeat that gives, or raises, one answer after the other, and the last one ever after; and how many came."""
    given, told = itertools.chain(answers, itertools.repeat(answers[-1])), []

    def heartbeat():
        answer = next(given)
        told.append(answer)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return heartbeat, told


def test_it_is_renewed_as_long_as_the_work_lasts(holder):
    heartbeat, told = beating(True)
    with holder.holding(heartbeat, LONG, never):
        wait_for(lambda: len(told) > 3, "it was renewed several times")
        assert not holder.lost.is_set()
    assert [one.name for one in threading.enumerate() if one.name == "something-hold"] == []


def test_one_that_has_ended_is_lost_and_renewed_no_more(holder):
    heartbeat, told = beating(True, False)
    with holder.holding(heartbeat, LONG, never):
        wait_for(holder.lost.is_set, "it is lost")
    assert told == [True, False]


@pytest.mark.parametrize("problem", [StoreAwayError(), DiskFullError()], ids=["away", "full"])
def test_who_cannot_renew_it_tries_again_until_it_has_ended(holder, monkeypatch, problem):
    with holder.holding(beating(problem)[0], LONG, never):
        wait_for(holder.lost.is_set, "it is lost")
    heartbeat, told = beating(problem, problem, True)
    monkeypatch.setattr(holding, "CLAIM_SECONDS", LONG)
    monkeypatch.setattr(holding, "_HEARTBEATS", LONG / 0.001)
    with holder.holding(heartbeat, LONG, never):
        wait_for(lambda: True in told, "it was renewed")
        assert not holder.lost.is_set()


def test_what_is_wrong_with_renewing_it_leaves_it_to_others(holder, caplog):
    with holder.holding(beating(KeyError("no such column"))[0], LONG, never):
        wait_for(holder.lost.is_set, "it is left")
    assert "a claim on something cannot be held" in caplog.text


@pytest.mark.parametrize(("turn_seconds", "others"), [(LONG, True), (-1.0, False)], ids=["a turn", "nobody waits"])
def test_who_has_a_turn_or_for_whom_nobody_waits_goes_on(holder, turn_seconds, others):
    heartbeat, told = beating(True)
    with holder.holding(heartbeat, turn_seconds, lambda: others):
        wait_for(lambda: len(told) > 3, "it was renewed several times")
        assert not holder.turn_ended.is_set()


def test_after_a_turn_others_come_first_and_the_next_claim_has_a_turn_of_its_own(holder):
    with holder.holding(beating(True)[0], -1.0, lambda: True):
        wait_for(holder.turn_ended.is_set, "the turn has ended")
        assert not holder.lost.is_set()
    with holder.holding(beating(True)[0], LONG, lambda: True):
        assert not holder.turn_ended.is_set()
