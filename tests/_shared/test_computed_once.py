"""What several threads ask for at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from segmentation._shared.computed_once import ComputedOnce
from tests.support import PATIENCE_SECONDS


def test_those_who_ask_at_the_same_time_share_what_one_of_them_computes():
    once, kept, computed = ComputedOnce(), {}, []
    begun, may_end, asked = threading.Event(), threading.Event(), threading.Semaphore(0)

    def compute():
        begun.set()
        assert may_end.wait(PATIENCE_SECONDS)
        computed.append("key")
        kept["key"] = object()
        return kept["key"]

    def known():
        asked.release()
        return kept.get("key")

    with ThreadPoolExecutor(3) as pool:
        values = [pool.submit(once.value, "key", known, compute) for _ in range(3)]
        assert begun.wait(PATIENCE_SECONDS)
        for _ in range(3):
            assert asked.acquire(timeout=PATIENCE_SECONDS)
        assert once.value("another", lambda: None, lambda: 7) == 7
        may_end.set()
        assert {value.result() for value in values} == {kept["key"]}
    assert computed == ["key"]
    assert once.value("key", known, compute) is kept["key"]


def test_what_failed_is_computed_anew_by_who_asks_later():
    once = ComputedOnce()

    def fail():
        raise MemoryError("there is no room")

    with pytest.raises(MemoryError, match="no room"):
        once.value("key", lambda: None, fail)
    assert once.value("key", lambda: None, lambda: 3) == 3
