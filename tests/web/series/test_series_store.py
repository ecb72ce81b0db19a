"""The store of series: each image is taken once and ends once, whoever works on it."""

import threading

import pytest

from segmentation.web.store import StoreFullError, series_claims
from segmentation.web.store.records import ItemResult
from segmentation.web.store.series import SeriesStore, UnknownSeriesError
from segmentation.web.store.series_claims import DIED, MOST_TRIES, SeriesClaims

LIMITS = {"max_images": 10, "max_bytes": 1000}


def found(result):
    return ItemResult(result, b"picture", b"objects", [])


@pytest.fixture
def kept(store):
    return SeriesStore(store)


@pytest.fixture
def claims(store):
    return SeriesClaims(store)


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


def test_each_item_is_taken_once_and_ends_once(kept, claims, of_two):
    first, second = claims.claim(), claims.claim()
    assert {first.number, second.number} == {1, 2}
    assert claims.claim() is None
    assert claims.image(first) == b"a"
    assert claims.classifier_of(first) == b"classifier"
    assert claims.heartbeat(first)
    assert claims.finish(first, found(b"result"))
    assert not claims.finish(first, found(b"other"))
    claims.fail(second, "It is broken.")
    assert states(kept, of_two) == ["done", "failed"]
    assert kept.result(*of_two, 1) == b"result"
    with pytest.raises(UnknownSeriesError):
        kept.result(*of_two, 2)


def test_an_item_whose_worker_fell_silent_is_taken_over_and_the_former_one_is_not_heard(
    kept, claims, of_two, monkeypatch
):
    monkeypatch.setattr(series_claims, "CLAIM_SECONDS", -1.0)
    former = claims.claim()
    monkeypatch.setattr(series_claims, "CLAIM_SECONDS", 60.0)
    latter = claims.claim()
    assert (former.number, latter.number) == (1, 1)
    assert not claims.heartbeat(former)
    assert not claims.finish(former, found(b"former"))
    claims.fail(former, "former")
    claims.release(former)
    assert states(kept, of_two) == ["working", "waiting"]
    assert claims.finish(latter, found(b"latter"))
    assert kept.result(*of_two, 1) == b"latter"


def test_an_image_that_ends_its_workers_is_given_up(kept, claims, of_two, monkeypatch):
    monkeypatch.setattr(series_claims, "CLAIM_SECONDS", -1.0)
    assert [claims.claim().number for _ in range(3)] == [1, 1, 1]
    assert claims.claim().number == 2
    assert kept.items(*of_two)[0].reason == DIED


def test_one_that_comes_further_each_time_is_not_given_up(kept, claims, of_two, monkeypatch):
    claims.hand_over(claims.claim())
    monkeypatch.setattr(series_claims, "CLAIM_SECONDS", -1.0)
    for tenth in range(1, 2 * MOST_TRIES):
        held = claims.claim(wholes=True)
        assert held.number == 1
        assert all(claims.heartbeat(held, part) for part in (0.0, tenth / 20, tenth / 10, None))
    for _ in range(MOST_TRIES):
        held = claims.claim(wholes=True)
        assert held.number == 1
        assert all(claims.heartbeat(held, part) for part in (0.1, 0.2))  # not as far as before
        assert kept.items(*of_two)[0].part == tenth / 10
    assert claims.claim(wholes=True) is None
    assert kept.items(*of_two)[0].reason == DIED
    assert claims.claim().number == 2


def test_what_is_read_part_by_part_is_left_to_others_and_takes_turns(kept, claims, of_two):
    assert not claims.others_wait(wholes=True)
    for number in (1, 2):
        held = claims.claim()
        assert held.number == number
        claims.hand_over(held)
    assert claims.claim() is None
    held = claims.claim(wholes=True)
    assert (held.number, claims.others_wait(wholes=True), claims.others_wait(wholes=False)) == (1, True, False)
    claims.give_way(held)
    assert [claims.claim(wholes=True).number for _ in range(2)] == [2, 1]
    kept.do_again(*of_two, b"another classifier")
    assert claims.claim() is None, "it is read part by part however often it is done"
    assert [one.part for one in kept.items(*of_two)] == [0.0, 0.0]


def test_many_workers_at_once_do_each_item_once(store, kept, claims):
    session = store.create_session()
    series = kept.begin(session, b"classifier")
    for number in range(8):
        kept.add(session, series, str(number), str(number).encode(), **LIMITS)
    taken = []

    def worker():
        while (item := claims.claim()) is not None:
            taken.append(item.number)
            assert claims.finish(item, found(b"r"))

    workers = [threading.Thread(target=worker) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(taken) == list(range(1, 9))


def test_a_stopped_series_is_left(kept, claims, of_two):
    held = claims.claim()
    kept.run(*of_two, running=False)
    assert not claims.heartbeat(held)
    claims.release(held)
    assert claims.claim() is None
    assert states(kept, of_two) == ["waiting", "waiting"]
    kept.run(*of_two, running=True)
    assert claims.claim().number == 1


def test_what_a_session_may_have_is_counted_over_its_series(store, kept):
    session = store.create_session()
    first, second = kept.begin(session, b"c"), kept.begin(session, b"c")
    kept.add(session, first, "a", bytes(600), **LIMITS)
    with pytest.raises(StoreFullError, match="delete a series"):
        kept.add(session, second, "b", bytes(600), **LIMITS)
    kept.delete(session, first)
    kept.add(session, second, "b", bytes(600), **LIMITS)
    assert [one.id for one in kept.of_session(session)] == [second]
