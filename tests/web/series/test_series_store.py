"""The store of series: each image is taken once and ends once, whoever works on it."""

import threading

import pytest

from segmentation.web.store import StoreFullError
from segmentation.web.store import series as series_module
from segmentation.web.store.records import ItemResult
from segmentation.web.store.series import DIED, SeriesStore, UnknownSeriesError

LIMITS = {"max_images": 10, "max_bytes": 1000}


def found(result):
    return ItemResult(result, b"picture", b"objects", [])


@pytest.fixture
def kept(store):
    return SeriesStore(store)


@pytest.fixture
def of_two(store, kept):
    """A series of two images."""
    session = store.create_session()
    series = kept.begin(session, b"classifier")
    for name in ("a", "b"):
        kept.add(session, series, name, name.encode(), **LIMITS)
    return session, series


def states(kept, of_two):
    return [item.state for item in kept.items(*of_two)]


def test_each_item_is_taken_once_and_ends_once(kept, of_two):
    first, second = kept.claim(), kept.claim()
    assert {first.number, second.number} == {1, 2}
    assert kept.claim() is None
    assert kept.image(first) == b"a"
    assert kept.classifier_of(first) == b"classifier"
    assert kept.heartbeat(first)
    assert kept.finish(first, found(b"result"))
    assert not kept.finish(first, found(b"other"))
    kept.fail(second, "It is broken.")
    assert states(kept, of_two) == ["done", "failed"]
    assert kept.result(*of_two, 1) == b"result"
    with pytest.raises(UnknownSeriesError):
        kept.result(*of_two, 2)


def test_an_item_whose_worker_fell_silent_is_taken_over_and_the_former_one_is_not_heard(kept, of_two, monkeypatch):
    monkeypatch.setattr(series_module, "CLAIM_SECONDS", -1.0)
    former = kept.claim()
    monkeypatch.setattr(series_module, "CLAIM_SECONDS", 60.0)
    latter = kept.claim()
    assert (former.number, latter.number) == (1, 1)
    assert not kept.heartbeat(former)
    assert not kept.finish(former, found(b"former"))
    kept.fail(former, "former")
    kept.release(former)
    assert states(kept, of_two) == ["working", "waiting"]
    assert kept.finish(latter, found(b"latter"))
    assert kept.result(*of_two, 1) == b"latter"


def test_an_image_that_ends_its_workers_is_given_up(kept, of_two, monkeypatch):
    monkeypatch.setattr(series_module, "CLAIM_SECONDS", -1.0)
    assert [kept.claim().number for _ in range(3)] == [1, 1, 1]
    assert kept.claim().number == 2
    assert kept.items(*of_two)[0].reason == DIED


def test_many_workers_at_once_do_each_item_once(store, kept):
    session = store.create_session()
    series = kept.begin(session, b"classifier")
    for number in range(8):
        kept.add(session, series, str(number), str(number).encode(), **LIMITS)
    taken = []

    def worker():
        while (item := kept.claim()) is not None:
            taken.append(item.number)
            assert kept.finish(item, found(b"r"))

    workers = [threading.Thread(target=worker) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(taken) == list(range(1, 9))


def test_a_stopped_series_is_left(kept, of_two):
    held = kept.claim()
    kept.run(*of_two, running=False)
    assert not kept.heartbeat(held)
    kept.release(held)
    assert kept.claim() is None
    assert states(kept, of_two) == ["waiting", "waiting"]
    kept.run(*of_two, running=True)
    assert kept.claim().number == 1


def test_what_a_session_may_have_is_counted_over_its_series(store, kept):
    session = store.create_session()
    first, second = kept.begin(session, b"c"), kept.begin(session, b"c")
    kept.add(session, first, "a", bytes(600), **LIMITS)
    with pytest.raises(StoreFullError, match="delete a series"):
        kept.add(session, second, "b", bytes(600), **LIMITS)
    kept.delete(session, first)
    kept.add(session, second, "b", bytes(600), **LIMITS)
    assert [one.id for one in kept.of_session(session)] == [second]
