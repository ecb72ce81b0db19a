"""Many large images at once: as many as there is room for, and one whatever its size."""

from contextlib import ExitStack

import numpy as np
import pytest

from segmentation.web.session.at_work import CrowdedError, ImagesAtWork
from segmentation.web.session.conversation import BUSY
from tests.support.asking import converse, tile_request


def image(name, rows, dtype="uint8"):
    return {"hash": name, "rows": rows, "columns": 10, "channels": 1, "dtype": dtype}


def test_large_images_leave_room_to_small_ones_and_one_that_many_hold_counts_once():
    at_work = ImagesAtWork(1000)
    with ExitStack() as held:
        held.enter_context(at_work.holding(image("a", 35)))
        held.enter_context(at_work.holding(image("b", 20, "uint16")))
        held.enter_context(at_work.holding(image("a", 35)))
        with pytest.raises(CrowdedError), at_work.holding(image("c", 26)):
            pass
        held.enter_context(at_work.holding(image("small", 25)))
        with pytest.raises(CrowdedError), at_work.holding(image("small too", 1)):
            pass
    with at_work.holding(image("c", 1_000)), pytest.raises(CrowdedError), at_work.holding(image("a", 35)):
        pass
    with at_work.holding(image("a", 35)):
        pass


def test_an_image_that_is_looked_at_with_others_of_its_stack_counts_with_them():
    at_work = ImagesAtWork(1000)
    with at_work.holding(image("a", 10), 3), at_work.holding(image("a", 10), 3), at_work.holding(image("a", 10)):
        with pytest.raises(CrowdedError), at_work.holding(image("b", 10), 60):
            pass
        is_crowded = at_work.watch(image("a", 10), 3)
        with at_work.holding(image("b", 10), 3), pytest.raises(CrowdedError), at_work.holding(image("c", 10), 50):
            pass
        assert is_crowded()
    with at_work.holding(image("b", 10), 60):
        pass


def test_neither_small_images_nor_large_ones_keep_the_others_away():
    at_work = ImagesAtWork(1000)
    with ExitStack() as held:
        for one in (image("small", 24), image("huge", 1000), image("tiny", 1)):
            held.enter_context(at_work.holding(one))
        with pytest.raises(CrowdedError), at_work.holding(image("huge too", 1000)):
            pass


def test_who_can_do_without_an_image_is_told_when_somebody_lacks_its_room():
    at_work = ImagesAtWork(1000)
    with at_work.holding(image("a", 100)):
        is_crowded, small_is_crowded = at_work.watch(image("a", 100)), at_work.watch(image("small", 10))
        with at_work.holding(image("small", 10)):
            assert not is_crowded()
        with pytest.raises(CrowdedError), at_work.holding(image("b", 100)):
            pass
        assert is_crowded()
        assert not small_is_crowded()
        assert not at_work.watch(image("a", 100))()


def test_a_small_image_that_lacks_room_has_it_of_small_ones_and_of_large_ones():
    at_work = ImagesAtWork(1000)
    with at_work.holding(image("a", 80)), at_work.holding(image("small", 20)):
        questions = [at_work.watch(one) for one in (image("a", 80), image("small", 20))]
        with pytest.raises(CrowdedError), at_work.holding(image("small too", 10)):
            pass
        assert all(is_crowded() for is_crowded in questions)


def test_a_window_is_told_to_come_again_while_others_hold_the_memory(client, session, halves, monkeypatch):
    workbench = client.application.extensions["workbench"]
    monkeypatch.setattr(workbench.conversations, "_at_work", at_work := ImagesAtWork(1))
    asked = tile_request(10, 10) | {"image": halves["hash"]}
    with at_work.holding(image("another", 10)):
        assert converse(client, session, segment=asked)[-1] == BUSY
    assert converse(client, session, segment=asked)[-1]["kind"] == "done"


def test_an_image_that_the_cache_does_not_keep_is_in_memory_once(client, session, halves):
    images = client.application.extensions["workbench"].images
    images._cache.budget = 0
    images._cache.pop(halves["hash"])
    one, other = (images.get(session, halves["hash"]) for _ in range(2))
    assert one is other
    assert np.shares_memory(one.pixels, other.pixels)
