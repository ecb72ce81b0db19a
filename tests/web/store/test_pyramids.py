"""Levels are made by one process at a time, go on where one has died, and each session has its file of them."""

import io
import time
from types import SimpleNamespace

import pytest

from segmentation.web.store import UnknownImageError, pyramids
from segmentation.web.store.pyramids import MOST_TRIES, Pyramids

IMAGE, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def wanted(store):
    """Levels that two sessions want of an image, and one of another."""
    made = Pyramids(store)
    sessions = [store.create_session() for _ in range(2)]
    for session, image in ((sessions[0], IMAGE), (sessions[1], IMAGE), (sessions[1], OTHER)):
        store.put_image(session, image, f"{image[0]}.tif", b"pixels")
        made.want(session, image)
        made.want(session, image)
    return made, sessions


def test_an_image_of_several_sessions_is_made_by_one_process_and_copied_for_the_others(store, wanted):
    made, sessions = wanted
    first, other = made.claim(), made.claim()
    assert (first.hash, other.hash, made.claim()) == (IMAGE, OTHER, None)
    assert made.heartbeat(first, 0.4)
    told = {one.hash: one for one in made.of_session(first.session_id)}[IMAGE]
    assert (told.name, told.part, told.done) == ("a.tif", 0.4, False)
    assert not made.copied(first)
    assert made.finish(first, io.BytesIO(b"levels"))
    second = made.claim()
    assert second.hash == IMAGE
    assert {first.session_id, second.session_id} == set(sessions)
    assert made.copied(second)
    store.delete_session(first.session_id)
    content = io.BytesIO()
    made.write_image(second.session_id, IMAGE, content)
    assert content.getvalue() == b"levels"
    with pytest.raises(UnknownImageError):
        made.write_image(first.session_id, IMAGE, content)


def later(monkeypatch):
    """What was left for a while is tried again, now and from now on."""
    monkeypatch.setattr(pyramids, "time", SimpleNamespace(time=lambda: time.time() + 120))
    monkeypatch.setattr(pyramids, "POSTPONED_SECONDS", -1.0)


@pytest.fixture
def alone(wanted):
    """The same, while only one session wants levels of the image."""
    made, sessions = wanted
    for image in (IMAGE, OTHER):
        made.forget(sessions[1], image)
    return made, sessions[0]


def test_a_session_that_wants_many_lets_others_go_first(store):
    made = Pyramids(store)
    many, few, late = (store.create_session() for _ in range(3))
    for session, images in ((many, "abcd"), (few, "ef"), (late, "g")):
        for letter in images:
            store.put_image(session, letter * 64, f"{letter}.tif", b"pixels")
            made.want(session, letter * 64)
    order = []
    while claim := made.claim():
        order.append(claim.hash[0])
        if claim.hash[0] == "b":
            made.postpone(claim)
        elif claim.hash[0] == "e":
            made.fail(claim, "It is damaged.")
        else:
            made.finish(claim, io.BytesIO(b"levels"))
    assert "".join(order) == "aegbfcd"


def test_what_has_had_its_turn_comes_after_what_waits_also_of_its_own_session(store):
    made = Pyramids(store)
    first, other = store.create_session(), store.create_session()
    for session, letter in ((first, "a"), (first, "b"), (other, "c")):
        store.put_image(session, letter * 64, f"{letter}.tif", b"pixels")
        made.want(session, letter * 64)
    claim = made.claim()
    assert made.others_wait()
    made.give_way(claim)
    order = claim.hash[0]
    while claim := made.claim():
        order += claim.hash[0]
        waiting = made.others_wait()
        made.finish(claim, io.BytesIO(b"levels"))
    assert order == "acba"
    assert not waiting


def test_what_does_not_go_on_is_left_for_a_while_and_fails_only_if_that_is_its_own_fault(alone, monkeypatch):
    made, session = alone
    made.postpone(made.claim())
    assert made.claim() is None
    (told,) = made.of_session(session)
    assert (told.waits, told.reason) == (True, "")
    later(monkeypatch)
    for _ in range(2 * MOST_TRIES):
        made.postpone(made.claim())
    for _ in range(MOST_TRIES - 1):
        made.postpone(made.claim(), "It takes too much.")
    claim = made.claim()
    assert made.heartbeat(claim, 0.5)  # that counts as none
    made.postpone(claim, "It takes too much.")
    for _ in range(MOST_TRIES):
        assert not made.of_session(session)[0].reason
        made.postpone(made.claim(), "It takes too much.")
    assert made.claim() is None
    assert made.of_session(session)[0].reason == "It takes too much."


def test_what_is_told_while_it_waits_is_why_it_did_not_go_on_the_last_time(alone, monkeypatch):
    made, session = alone
    made.postpone(made.claim(), hindrance="The disk is full.")
    assert made.of_session(session)[0].hindrance == "The disk is full."
    later(monkeypatch)
    made.postpone(made.claim(), "It takes too much.")
    assert made.of_session(session)[0].hindrance == ""


def test_what_a_dead_process_made_another_goes_on_with_as_often_as_that_gets_further(alone, monkeypatch):
    made, session = alone
    monkeypatch.setattr(pyramids, "CLAIM_SECONDS", -1.0)
    dead, alive = made.claim(), made.claim()
    assert (dead.session_id, dead.hash) == (alive.session_id, alive.hash) == (session, IMAGE)
    assert not made.heartbeat(dead, 0.2)
    assert made.heartbeat(alive, 0.1)
    for _ in range(MOST_TRIES):
        assert made.claim().session_id == session
    assert made.claim() is None
    (told,) = made.of_session(session)
    assert "several times" in told.reason


def test_one_that_ends_the_server_each_time_at_the_same_place_is_given_up(alone, monkeypatch):
    made, session = alone
    monkeypatch.setattr(pyramids, "CLAIM_SECONDS", -1.0)
    for _ in range(MOST_TRIES):
        claim = made.claim()
        assert claim.session_id == session
        for part in (0.0, 0.1, 0.2):
            assert made.heartbeat(claim, part)
    assert made.claim().session_id == session  # the first of them had come further
    assert made.claim() is None
    (told,) = made.of_session(session)
    assert "several times" in told.reason


def test_what_is_given_up_counts_no_more_and_takes_no_room(store, wanted):
    made, sessions = wanted
    claim = made.claim()
    made.forget(claim.session_id, IMAGE)
    assert not made.heartbeat(claim, 0.5)
    assert not made.finish(claim, io.BytesIO(b"levels"))
    assert IMAGE not in {one.hash for one in made.of_session(claim.session_id)}
    with pytest.raises(UnknownImageError):
        store.image(claim.session_id, IMAGE)
    other = next(one for one in sessions if one != claim.session_id)
    assert IMAGE in {one.hash for one in made.of_session(other)}
    assert made.unfinished() == {IMAGE, OTHER}


def test_why_one_cannot_be_made_is_told_once_and_for_all(wanted):
    made, _ = wanted
    claim = made.claim()
    made.fail(claim, "It is damaged.")
    assert "It is damaged." in {one.reason for one in made.of_session(claim.session_id)}
    assert claim.owner not in {one.owner for one in (made.claim(), made.claim()) if one}
