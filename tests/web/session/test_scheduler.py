"""Turns go round: a hundred tasks of one session do not keep another waiting for more than one."""

import threading
from contextlib import ExitStack, nullcontext
from functools import partial

import pytest

from segmentation.web.session.scheduler import NobodyWaitsError, Scheduler
from tests.support import PATIENCE_SECONDS


def waiting_tasks(scheduler):
    places = [*scheduler._quick.places.values(), *scheduler._others.places.values()]
    return len(scheduler._urgent) + sum(len(place.waiting) for place in places)


def work_in_turns(scheduler, wanted):
    """Lets threads ask for turns, all of them before the first is done; returns whose tasks were done, in order."""
    done = []
    gate = threading.Event()

    def ask(who):
        with scheduler.turn(who, ahead=who.isupper(), quick=who.startswith("quick")):
            gate.wait()
            done.append(who)

    threads = []
    for waiting, who in enumerate(wanted):
        threads.append(threading.Thread(target=ask, args=(who,)))
        threads[-1].start()
        while waiting_tasks(scheduler) < waiting:
            threading.Event().wait(0.001)
    gate.set()
    for thread in threads:
        thread.join()
    return done


def test_who_asks_for_little_comes_soon():
    done = work_in_turns(Scheduler(1), ["large"] * 20 + ["small"])
    assert done.index("small") <= 2
    assert done.count("large") == 20


def test_all_who_wait_come_in_turn():
    done = work_in_turns(Scheduler(1), ["a", "a", "a", "b", "b", "c", "c"])
    assert done == ["a", "a", "b", "c", "a", "b", "c"]


def test_a_turn_of_several_tasks_goes_to_one_and_then_to_the_next():
    done = work_in_turns(Scheduler(1, tasks_per_turn=2), ["a"] * 5 + ["b"] * 3)
    assert done == ["a", "a", "b", "b", "a", "a", "b", "a"]


def test_a_turn_is_not_lost_while_one_of_its_tasks_is_worked_on():
    assert work_in_turns(Scheduler(1, tasks_per_turn=3), ["a", "b", "a"]) == ["a", "a", "b"]


def test_a_place_that_is_held_is_not_lost_between_tasks():
    scheduler = Scheduler(1, tasks_per_turn=3)
    with scheduler.place("a"):
        work_in_turns(scheduler, ["a"])
        assert work_in_turns(scheduler, ["b", "b", "a"]) == ["b", "a", "b"]
    assert work_in_turns(scheduler, ["b", "b", "a"]) == ["b", "b", "a"]
    assert not scheduler._others.places


def test_what_is_seen_first_goes_ahead_and_the_rest_is_not_forgotten():
    done = work_in_turns(Scheduler(1), ["a", "a", "b", "C", "D", "E", "F", "G", "H"])
    assert done == ["a", "C", "D", "E", "F", "a", "G", "H", "b"]


def test_quick_answers_come_before_long_ones_which_are_not_forgotten():
    done = work_in_turns(Scheduler(1), ["a", "a", "b", *["quick"] * 6, "C", "quicker"])
    assert done == ["a", "C", "quick", "quicker", "quick", "a", "quick", "quick", "quick", "quick", "b"]


def test_quick_answers_come_one_after_the_other():
    done = work_in_turns(Scheduler(1, tasks_per_turn=3), ["X", *["quick a", "quick b"] * 3])
    assert done == ["X", *["quick a"] * 3, *["quick b"] * 3]


def test_the_place_of_a_quick_answer_is_held_between_its_tasks():
    scheduler = Scheduler(1, tasks_per_turn=3)
    with scheduler.place("quick a", quick=True):
        work_in_turns(scheduler, ["quick a"])
        assert work_in_turns(scheduler, ["X", "quick b", "quick a"]) == ["X", "quick a", "quick b"]
    assert not scheduler._quick.places


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_work_at_once_than_may(at_once):
    scheduler, working, most = Scheduler(at_once), [], []

    def work(who):
        for _ in range(50):
            with scheduler.turn(who):
                working.append(who)
                most.append(len(working))
                working.remove(who)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= at_once


def test_a_task_that_fails_ends_its_turn():
    scheduler = Scheduler(1)
    with pytest.raises(ValueError, match="x"), scheduler.turn("a"):
        raise ValueError("x")
    with scheduler.turn("b"):
        pass


def test_who_asks_again_while_waiting_does_not_come_after_those_who_asked_later():
    assert work_in_turns(Scheduler(1), ["X", "A", "B", "A", "C"]) == ["X", "A", "B", "A", "C"]


def test_who_needs_it_no_more_waits_no_longer_and_takes_no_turn_from_others():
    scheduler, done = Scheduler(1), []
    asked, needless = threading.Semaphore(0), threading.Event()

    class LookUpError(Exception):
        """Asking whether it is needed fails."""

    def stale():
        asked.release()
        return needless.is_set()

    def failing():
        raise LookUpError

    def ask(who, stale, problem=None, **how):
        def wait():
            with pytest.raises(problem) if problem else nullcontext(), scheduler.turn(who, stale=stale, **how):
                done.append(who)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()

    threads = []
    with scheduler.turn("first"):
        for ahead in (False, True):
            ask("gone", stale, NobodyWaitsError, ahead=ahead)
            ask("failed", failing, LookUpError, ahead=ahead)
        for _ in range(4):
            assert asked.acquire(timeout=PATIENCE_SECONDS)
        needless.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()
        assert waiting_tasks(scheduler) == 0
        assert list(scheduler._others.places) == ["first"]
    assert done == []
    assert work_in_turns(scheduler, ["a", "A", "b"]) == ["a", "A", "b"]


def test_a_turn_that_comes_as_its_need_ends_goes_to_the_next():
    scheduler, first = Scheduler(1), ExitStack()
    first.enter_context(scheduler.turn("first"))

    def stale():
        first.close()
        return True

    with pytest.raises(NobodyWaitsError), scheduler.turn("late", stale=stale):
        pass
    assert work_in_turns(scheduler, ["a", "b"]) == ["a", "b"]


@pytest.mark.parametrize("kind", ["turn", "urgent", "download_turn", "whole_turn"])
def test_who_waits_for_what_is_read_holds_no_turn_and_has_one_again_after_it(kind):
    scheduler, order = Scheduler(1), []
    take = partial(scheduler.turn, ahead=True) if kind == "urgent" else getattr(scheduler, kind)
    reading, may_end = threading.Event(), threading.Event()

    def slow():
        with take("slow"):
            with scheduler.aside():
                reading.set()
                assert may_end.wait(PATIENCE_SECONDS)
            order.append("slow")

    thread = threading.Thread(target=slow)
    thread.start()
    assert reading.wait(PATIENCE_SECONDS)
    with take("other"):
        order.append("other")
        may_end.set()
        thread.join(0.05)
        assert order == ["other"], "it waits for its turn"
    thread.join(PATIENCE_SECONDS)
    assert order == ["other", "slow"]
    assert (scheduler._free, scheduler._whole._free, waiting_tasks(scheduler)) == (1, 1, 0)


def test_who_holds_no_turn_or_has_left_gives_none_away():
    scheduler, has_gone = Scheduler(1), threading.Event()
    with scheduler.aside():
        pass
    with ExitStack() as others:

        def is_left():
            others.enter_context(scheduler.turn("b"))
            has_gone.set()

        with pytest.raises(NobodyWaitsError), scheduler.turn("a", stale=has_gone.is_set), scheduler.aside():
            is_left()
        assert scheduler._free == 0, "that of b"
    with pytest.raises(ValueError, match="damaged"), scheduler.turn("a"), scheduler.aside():
        raise ValueError("damaged")
    assert scheduler._free == 1
