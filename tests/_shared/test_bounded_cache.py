"""A cache that gives one value to all who ask at once, and lets go of what it is told to."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from segmentation._shared.bounded_cache import PATIENCE, BoundedCache


def test_the_value_that_is_kept_wins_over_a_default():
    cache = BoundedCache(10, size=int)
    assert cache.setdefault("a", 4) == 4
    assert cache.setdefault("a", 5) == 4
    assert cache.used == 4


def test_a_default_is_bounded_as_any_value_and_what_was_asked_for_last_stays():
    cache = BoundedCache(10, size=int)
    cache.put("a", 4)
    cache.put("b", 4)
    cache.setdefault("a", 1)
    cache.setdefault("c", 6)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), cache.used) == (4, None, 6, 10)
    assert cache.setdefault("large", 11) == 11
    assert cache.get("large") is None


def test_threads_that_ask_at_once_get_the_same_value():
    cache = BoundedCache(10, size=lambda _: 1)
    together, values = threading.Barrier(8), []

    def ask():
        together.wait()
        values.append(cache.setdefault("a", object()))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, values))) == 1


def test_what_is_popped_leaves_its_room():
    cache = BoundedCache(10, size=int)
    cache.put("a", 4)
    assert cache.pop("a") == 4
    assert cache.pop("a") is None
    assert (cache.get("a"), cache.used) == (None, 0)


def precious_first(budget):
    """A cache of numbers, each as large as it is; even ones are precious."""
    return BoundedCache(budget, size=int, precious=lambda value: value % 2 == 0)


def test_others_make_room_for_precious_values_and_not_the_other_way_round():
    cache = precious_first(10)
    for key, value in [("a", 4), ("b", 3), ("c", 3), ("d", 4)]:
        cache.put(key, value)
    assert [cache.get(key) for key in "abcd"] == [4, None, None, 4]
    cache.put("e", 1)
    cache.put("f", 3)
    assert (cache.get("e"), cache.get("f"), cache.used) == (None, None, 8)
    cache.put("g", 6)
    assert [cache.get(key) for key in "adg"] == [None, 4, 6]


def test_a_precious_value_that_nobody_asks_for_is_dropped_in_the_end():
    cache = precious_first(10)
    cache.put("forgotten", 6)
    cache.put("in use", 4)
    for _ in range(PATIENCE + 1):
        cache.get("in use")
    cache.put("other", 3)
    assert [cache.get(key) for key in ("forgotten", "in use", "other")] == [None, 4, 3]


@given(st.lists(st.tuples(st.sampled_from(["put", "get", "pop", "room"]), st.integers(0, 9), st.integers(1, 12))))
def test_the_budget_is_kept_whatever_is_done(steps):
    cache = precious_first(20)
    kept = {}
    for step, key, value in steps:
        if step == "put":
            cache.put(key, value)
            kept[key] = value
        elif step == "pop":
            assert cache.pop(key) in (None, kept.get(key))
        elif step == "room":
            cache.make_room(value, precious=value % 2 == 0)
        assert cache.get(key) in (None, kept.get(key))
        assert cache.used == sum(cache.get(one) or 0 for one in range(10)) <= 20


def test_a_cache_that_is_cleared_keeps_nothing_and_has_room():
    cache = BoundedCache(10, size=int, precious=lambda value: value > 4)
    for value in (4, 6):
        cache.put(value, value)
    cache.clear()
    assert (cache.get(4), cache.get(6), cache.used) == (None, None, 0)
    cache.put(9, 9)
    assert (cache.get(9), cache.used) == (9, 9)
