"""How many may be at work."""

from segmentation.web.security.crowd import FORMER_OF_A_HOLDER, Crowd


def test_no_more_come_in_than_may_and_who_leaves_makes_room():
    crowd = Crowd(2)
    leave = crowd.enter({"a": 1})
    assert crowd.enter({"a": 1}) is None
    assert crowd.enter({"b": 1})
    assert crowd.enter({"c": 1}) is None
    leave()
    leave()
    assert crowd.enter({"a": 1})
    assert crowd.enter({"c": 1}) is None


def test_a_holder_takes_its_place_over_and_what_it_left_is_counted_until_it_ends():
    crowd = Crowd(4)
    leaves = [crowd.enter({"a": 1}, holder="w") for _ in range(1 + FORMER_OF_A_HOLDER)]
    assert all(leaves)
    assert crowd.enter({"a": 1}, holder="w") is None, "as many as that are at work still"
    assert crowd.enter({"a": 1}) is None, "whose place it is has it still"
    leaves[0]()
    leaves[0]()
    leaves.append(crowd.enter({"a": 1}, holder="w"))
    assert leaves[-1]
    assert crowd.enter({"a": 1}, holder="w") is None
    for leave in leaves:
        leave()
    assert [len(one) for one in (crowd._inside, crowd._by_key, crowd._holders, crowd._former)] == [0] * 4


def test_holders_together_leave_no_more_behind_than_half_of_those_who_may_be_in():
    crowd = Crowd(4)
    for holder in "abcd":
        assert crowd.enter({holder: 1}, holder=holder)
    assert [bool(crowd.enter({holder: 1}, holder=holder)) for holder in "abcd"] == [True, True, False, False]


def test_who_is_refused_costs_its_former_place_nothing():
    crowd = Crowd(9)
    leave = crowd.enter({"a": 1}, holder="w")
    assert crowd.enter({"b": 0}, holder="w") is None
    assert crowd.enter({"a": 1}) is None
    leave()
    assert crowd.enter({"a": 1})


def test_who_has_gone_gives_the_place_away_and_is_counted_until_its_work_ends():
    crowd, gone = Crowd(4), set()
    leaves = [crowd.enter({"a": 4}, has_gone=lambda one=one: one in gone) for one in range(4)]
    assert crowd.enter({"a": 4}) is None
    gone |= {0, 1, 2}
    leaves += [crowd.enter({"a": 4}) for _ in range(2)]
    assert all(leaves)
    assert crowd.enter({"a": 4}) is None, "as many as half have gone and are at work still"
    leaves[0]()
    leaves[0]()
    leaves.append(crowd.enter({"a": 4}))
    assert leaves[-1]
    assert crowd.enter({"a": 4}) is None
    for leave in leaves:
        leave()
    assert [len(one) for one in (crowd._inside, crowd._by_key, crowd._holders, crowd._former)] == [0] * 4
