"""A cache that gives one value to all who ask at once, and lets go of what it is told to."""

import threading

from segmentation._shared.bounded_cache import BoundedCache


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
