"""Turns go round: a hundred pieces of one do not keep another waiting for more than one."""

import threading

import pytest

from segmentation.web.session.scheduler import Turns


def waiting_pieces(turns):
    return len(turns._ahead) + sum(len(place.waiting) for place in turns._others.places.values())


def work_in_turns(turns, wanted):
    """Lets threads ask for pieces, all of them before the first is done; returns whose pieces were done, in order."""
    done = []
    gate = threading.Event()

    def ask(who):
        with turns.of(who, ahead=who.isupper()):
            gate.wait()
            done.append(who)

    threads = []
    for waiting, who in enumerate(wanted):
        threads.append(threading.Thread(target=ask, args=(who,)))
        threads[-1].start()
        while waiting_pieces(turns) < waiting:
            threading.Event().wait(0.001)
    gate.set()
    for thread in threads:
        thread.join()
    return done


def test_who_asks_for_little_comes_soon():
    done = work_in_turns(Turns(1), ["large"] * 20 + ["small"])
    assert done.index("small") <= 2
    assert done.count("large") == 20


def test_all_who_wait_come_in_turn():
    done = work_in_turns(Turns(1), ["a", "a", "a", "b", "b", "c", "c"])
    assert done == ["a", "a", "b", "c", "a", "b", "c"]


def test_a_turn_of_several_pieces_goes_to_one_and_then_to_the_next():
    done = work_in_turns(Turns(1, pieces=2), ["a"] * 5 + ["b"] * 3)
    assert done == ["a", "a", "b", "b", "a", "a", "b", "a"]


def test_a_turn_is_not_lost_while_one_of_its_pieces_is_worked_on():
    assert work_in_turns(Turns(1, pieces=3), ["a", "b", "a"]) == ["a", "a", "b"]


def test_a_place_that_is_kept_is_not_lost_between_pieces():
    turns = Turns(1, pieces=3)
    with turns.place("a"):
        work_in_turns(turns, ["a"])
        assert work_in_turns(turns, ["b", "b", "a"]) == ["b", "a", "b"]
    assert work_in_turns(turns, ["b", "b", "a"]) == ["b", "b", "a"]
    assert not turns._others.places


def test_what_is_seen_first_goes_ahead_and_the_rest_is_not_forgotten():
    done = work_in_turns(Turns(1), ["a", "a", "b", "C", "D", "E", "F", "G", "H"])
    assert done == ["a", "C", "D", "E", "F", "a", "G", "H", "b"]


@pytest.mark.parametrize("at_once", [1, 3])
def test_no_more_work_at_once_than_may(at_once):
    turns, working, most = Turns(at_once), [], []

    def work(who):
        for _ in range(50):
            with turns.of(who):
                working.append(who)
                most.append(len(working))
                working.remove(who)

    threads = [threading.Thread(target=work, args=(str(n),)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) <= at_once


def test_a_piece_that_fails_ends_its_turn():
    turns = Turns(1)
    with pytest.raises(ValueError, match="x"), turns.of("a"):
        raise ValueError("x")
    with turns.of("b"):
        pass


def test_who_asks_again_while_waiting_does_not_come_after_those_who_asked_later():
    assert work_in_turns(Turns(1), ["X", "A", "B", "A", "C"]) == ["X", "A", "B", "A", "C"]
