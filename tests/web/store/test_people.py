"""Links that only let look, and who is in a session now, on each database."""

import pytest

from segmentation.web.store import UnknownSessionError
from segmentation.web.store.links import LOOKING, MAX_FORMER, Links, is_looking_id
from segmentation.web.store.presences import GONE_SECONDS, MAX_PEOPLE, WRITTEN_SECONDS, Presence, Presences
from segmentation.web.store.tables import presences

VIEW = (0, 10, 0, 20)
ANN, BOB = Presence("ann", "Ann", "a" * 64, VIEW), Presence("bob", "", "", VIEW)


@pytest.fixture
def links(store):
    return Links(store)


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
def people(store, clock):
    return Presences(store, lambda: clock[0])


def rows_of(store):
    with store.database.reading() as connection:
        return connection.execute(presences.select()).all()


def test_a_session_has_one_link_that_only_lets_look(store, links):
    session, other = store.create_session(), store.create_session()
    looking = links.looking(session)
    assert links.looking(session) == looking != links.looking(other)
    assert is_looking_id(looking)
    assert session not in looking
    assert links.sessions_behind([looking, session, "look-" + "x" * 22]) == {looking: session, session: session}
    assert not is_looking_id(session)


def test_a_copy_has_another_link_and_a_deleted_session_none(store, links):
    session = store.create_session()
    looking = links.looking(session)
    assert links.looking(store.duplicate_session(session, name="copy")) != looking
    store.delete_session(session)
    assert links.sessions_behind([looking]) == {}
    with pytest.raises(UnknownSessionError):
        links.looking(session)


def test_links_that_were_taken_back_are_known_as_such_up_to_a_bound(store, links):
    session, other = store.create_session(), store.create_session()
    former = [session]
    for _ in range(MAX_FORMER + 5):
        former.append(links.take_working_back(session))
    new = former.pop()
    assert links.sessions_behind([*former, new, other]) == {new: session, other: other}
    assert [links.was_taken_back(one) for one in former] == [False] * 5 + [True] * MAX_FORMER
    assert not links.was_taken_back(other)
    store.delete_session(session)
    assert links.sessions_behind([new]) == {}
    assert not links.was_taken_back(former[-1])
    with pytest.raises(UnknownSessionError):
        links.take_working_back(session)


def test_people_meet_whichever_host_serves_them(store, people, clock):
    session, elsewhere = store.create_session(), store.create_session()
    other_host = Presences(store, lambda: clock[0])
    assert people.meet(session, ANN) == []
    assert other_host.meet(session, BOB) == [ANN]
    assert people.meet(session, ANN) == [BOB]
    assert people.meet(elsewhere, BOB) == []


def test_who_is_not_seen_any_more_is_gone(store, people, clock):
    session = store.create_session()
    people.meet(session, ANN)
    clock[0] += GONE_SECONDS + 1
    assert people.meet(session, BOB) == []
    assert [row.person for row in rows_of(store)] == ["bob"]
    store.delete_session(session)
    assert rows_of(store) == []
    assert people.meet(session, BOB) == []


def test_a_person_is_written_down_every_few_seconds_only(store, people, clock):
    session = store.create_session()
    moved = Presence("ann", "Ann", "b" * 64, (5, 6, 7, 8))
    people.meet(session, ANN)
    clock[0] += WRITTEN_SECONDS / 2
    people.meet(session, moved)
    assert people.meet(session, BOB) == [ANN]
    people.meet(session, Presence("ann", "Anna", "a" * 64, VIEW))
    assert people.meet(session, BOB)[0].name == "Anna"
    clock[0] += WRITTEN_SECONDS
    people.meet(session, moved)
    assert people.meet(session, BOB) == [moved]


def test_a_crowd_is_bounded(store, people):
    session = store.create_session()
    for number in range(MAX_PEOPLE + 5):
        people.meet(session, Presence(f"p{number}", "", "", VIEW))
    assert len(rows_of(store)) == MAX_PEOPLE


def test_a_crowd_that_only_looks_leaves_room_for_those_who_work(store, people):
    session = store.create_session()
    for number in range(MAX_PEOPLE):
        people.meet(session, Presence(f"{LOOKING}{number}", "", "", VIEW))
    people.meet(session, ANN)
    assert ANN in people.meet(session, BOB)
    assert BOB in people.meet(session, ANN)
